// Who may ask, and for which feeds: the API keys of a gateway with their opened secrets, and the check of a request's
// signature (section 7.4 of the price specification). Files are APIKeyFile's.

import Ethereum
import JSONRPC
import PriceStreams

/// One key of one user.
package struct APIKey: Equatable, Sendable {
    /// A UUID; stands in the Authorization header.
    package var key: String
    package var user: String
    /// Used as text.
    package var secret: Secret
    /// Nil is every feed, those to come included.
    package var feeds: Set<FeedID>?
    package var isDisabled: Bool
    /// Milliseconds since 1970.
    package var created: UInt64

    package init(
        key: String, user: String, secret: Secret, feeds: Set<FeedID>? = nil, isDisabled: Bool = false,
        created: UInt64 = 0
    ) {
        self.key = key
        self.user = user
        self.secret = secret
        self.feeds = feeds
        self.isDisabled = isDisabled
        self.created = created
    }

    func mayRead(_ feedID: FeedID) -> Bool { feeds?.contains(feedID) ?? true }
}

package struct APIKeys: Equatable, Sendable {
    private let known: [String: APIKey]
    /// Signs nothing: stands in for the secret of keys that nobody has, so that they cost the same time.
    private static let stranger = Secret(Bytes(repeating: 0x78, count: 64))

    package init(_ keys: [APIKey] = []) {
        known = Dictionary(keys.map { ($0.key, $0) }) { _, last in last }
    }

    package var count: Int { known.count }
    package var users: [String] { Set(known.values.map(\.user)).sorted() }

    /// Nil for one that is unknown or disabled.
    package func active(_ key: String) -> APIKey? { known[key].flatMap { $0.isDisabled ? nil : $0 } }

    /// Steps 1 to 4 of 7.4, in their order.
    func authenticate(_ request: HTTPQuestion, nowMilliseconds: UInt64) throws(APIRefusal) -> APIKey {
        let key = try Self.header(SignedRequest.keyHeader, request)
        let timestamp = try Self.header(SignedRequest.timestampHeader, request)
        let signature = try Self.header(SignedRequest.signatureHeader, request)
        switch RequestTime(header: timestamp, nowMilliseconds: nowMilliseconds) {
        case .malformed: throw .malformed("\(SignedRequest.timestampHeader) is not 1 to 16 decimal digits")
        case .skewed:
            throw .malformed(
                "\(SignedRequest.timestampHeader) is more than 5000 ms from the server's clock; it is \(nowMilliseconds) here")
        case .fresh: break
        }
        let found = active(key)
        let signed = SignedRequest(
            method: request.method, target: request.target, body: request.body, key: key, timestamp: timestamp)
        guard signed.isSigned(signature, secret: found?.secret ?? Self.stranger), let found else {
            throw .unauthenticated
        }
        return found
    }

    private static func header(_ name: String, _ request: HTTPQuestion) throws(APIRefusal) -> String {
        let values = request.values(name)
        guard let value = values.first, !value.isEmpty else { throw .malformed("header \(name) is missing") }
        guard values.count == 1 else { throw .malformed("header \(name) is there \(values.count) times") }
        return value
    }
}

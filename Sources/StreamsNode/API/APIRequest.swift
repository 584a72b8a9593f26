// The request line of the compatible interface as a value: path, and parameters by name (8.4 of the price
// specification). What was signed is the raw target; this is what it means.

import Ethereum
import JSONRPC
import PriceStreams

/// Why a request is refused, as status and message.
struct APIRefusal: Error, Equatable, Sendable {
    let status: Int
    let message: String
    var headers: [String: String] = [:]

    static func malformed(_ message: String) -> APIRefusal { APIRefusal(status: 400, message: message) }
    /// One text for unknown keys, disabled ones and wrong signatures: nobody learns which it was.
    static let unauthenticated = APIRefusal(status: 401, message: "authentication failed")
    static func forbidden(_ feedID: FeedID) -> APIRefusal {
        APIRefusal(status: 401, message: "no access to feed \(feedID)")
    }
    static let reportNotFound = APIRefusal(status: 404, message: "report not found")
    static let withheld = APIRefusal(status: 404, message: "the feed is withheld by its operator")
    static let pathNotFound = APIRefusal(status: 404, message: "not found")
    static func methodNotAllowed(_ allowed: String) -> APIRefusal {
        APIRefusal(status: 405, message: "method not allowed", headers: ["allow": allowed])
    }
    static func limited(_ message: String, retryAfterSeconds: UInt64) -> APIRefusal {
        APIRefusal(status: 429, message: message, headers: ["retry-after": String(retryAfterSeconds)])
    }
    static let fault = APIRefusal(status: 500, message: "internal error")

    var answer: HTTPAnswer {
        HTTPAnswer(
            status: status, contentType: "application/json",
            body: JSON.object(JSONObject([("message", .string(message))])).bytes, headers: headers)
    }
}

struct APITarget: Equatable, Sendable {
    let path: String
    /// In the order of the query, decoded; a value with a broken escape stands as it came and fits no rule.
    let parameters: [(name: String, value: String)]

    init(_ target: String) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts.first ?? "")
        let query = parts.count > 1 ? parts[1] : ""
        parameters = query.split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(halves[0]), halves.count > 1 ? Self.decoded(halves[1]) : "")
        }
    }

    static func == (a: APITarget, b: APITarget) -> Bool {
        a.path == b.path && a.parameters.map(\.name) == b.parameters.map(\.name)
            && a.parameters.map(\.value) == b.parameters.map(\.value)
    }

    /// As forms are encoded: `+` is a blank, `%` and two digits a byte.
    static func decoded(_ text: Substring) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return String(text) }
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "+"): out.append(0x20)
            case UInt8(ascii: "%"):
                guard at + 2 < bytes.count, let high = digit(bytes[at + 1]), let low = digit(bytes[at + 2]) else {
                    return String(text)
                }
                out.append(high << 4 | low)
                at += 2
            default: out.append(bytes[at])
            }
            at += 1
        }
        return String(validating: out, as: UTF8.self) ?? String(text)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    // MARK: Parameters

    /// Nil when it is not there; refused when it is there twice.
    func value(_ name: String) throws(APIRefusal) -> String? {
        let values = parameters.filter { $0.name == name }
        guard values.count < 2 else { throw .malformed("\(name) is given \(values.count) times") }
        return values.first?.value
    }

    func required(_ name: String) throws(APIRefusal) -> String {
        guard let value = try value(name) else { throw .malformed("\(name) is missing") }
        return value
    }

    func feedID() throws(APIRefusal) -> FeedID {
        let text = try required("feedID")
        guard let feedID = try? FeedID(text: text) else {
            throw .malformed("feedID is not 0x and 64 hexadecimal digits")
        }
        return feedID
    }

    /// In the order of the request, each once.
    func feedIDs(maximum: Int) throws(APIRefusal) -> [FeedID] {
        let items = try required("feedIDs").split(separator: ",", omittingEmptySubsequences: false)
        guard items.count <= maximum else { throw .malformed("feedIDs has more than \(maximum) items") }
        var known: Set<FeedID> = []
        var feedIDs: [FeedID] = []
        for item in items {
            guard !item.isEmpty else { throw .malformed("feedIDs has an empty item") }
            guard let feedID = try? FeedID(text: item) else {
                throw .malformed("feedIDs has an item that is not 0x and 64 hexadecimal digits")
            }
            if known.insert(feedID).inserted { feedIDs.append(feedID) }
        }
        return feedIDs
    }

    /// Whole seconds of 1 to 10 digits.
    func seconds(_ name: String) throws(APIRefusal) -> UInt64 { try number(name, try required(name), digits: 10) }

    /// Nanoseconds of 1 to 19 digits; the built-in one when it is not there.
    func nanoseconds(_ name: String, default builtIn: UInt64?) throws(APIRefusal) -> UInt64 {
        if let builtIn, try value(name) == nil { return builtIn }
        return try number(name, try required(name), digits: 19)
    }

    func limit(maximum: Int, default builtIn: Int) throws(APIRefusal) -> Int {
        guard let text = try value("limit") else { return builtIn }
        let limit = Int(try number("limit", text, digits: 10))
        guard (1...maximum).contains(limit) else { throw .malformed("limit is not 1 to \(maximum)") }
        return limit
    }

    private func number(_ name: String, _ text: String, digits: Int) throws(APIRefusal) -> UInt64 {
        guard (1...digits).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = UInt64(text)
        else { throw .malformed("\(name) is not 1 to \(digits) decimal digits") }
        return value
    }
}

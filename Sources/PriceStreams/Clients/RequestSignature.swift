// How a client signs a request and a server checks it (section 7 of the price specification). The signature covers the
// request's target as it stood on the wire: before any decoding, and with the client's choice of `,` or `%2C`.

import Ethereum

/// The signed parts of a request.
package struct SignedRequest: Hashable, Sendable {
    /// In capitals; GET for a WebSocket handshake.
    package var method: String
    /// Path and query, byte for byte.
    package var target: String
    package var body: Bytes
    /// The API key, a UUID by custom.
    package var key: String
    /// The header's text: milliseconds since 1970.
    package var timestamp: String

    package init(method: String, target: String, body: Bytes = [], key: String, timestamp: String) {
        self.method = method
        self.target = target
        self.body = body
        self.key = key
        self.timestamp = timestamp
    }

    package static let keyHeader = "Authorization"
    package static let timestampHeader = "X-Authorization-Timestamp"
    package static let signatureHeader = "X-Authorization-Signature-SHA256"

    /// Five parts with one blank between them.
    package var stringToSign: String {
        "\(method) \(target) \(Hex.encodeBare(sha256(body).bytes)) \(key) \(timestamp)"
    }

    /// 64 lower-case hexadecimal digits. The secret is used as text, whatever it looks like.
    package func signature(secret: Secret) -> String {
        Hex.encodeBare(hmacSHA256(key: secret.bytes, Bytes(stringToSign.utf8)).bytes)
    }

    /// True when `signature`, 64 hexadecimal digits of either case, was made with `secret`. Takes the same time
    /// wherever it differs.
    package func isSigned(_ signature: String, secret: Secret) -> Bool {
        let expected = hmacSHA256(key: secret.bytes, Bytes(stringToSign.utf8))
        guard signature.utf8.count == 64, let given = try? Hash32(hex: signature) else { return false }
        return constantTimeEqual(given.bytes, expected.bytes)
    }
}

/// Whether the time of a request is acceptable.
package enum RequestTime: Hashable, Sendable {
    case fresh(milliseconds: UInt64)
    /// More than five seconds from the server's clock, on either side.
    case skewed(milliseconds: UInt64)
    /// Not 1 to 16 decimal digits.
    case malformed

    package init(header: String, nowMilliseconds: UInt64) {
        let digits = header.utf8
        guard (1...Limits.requestTimestampDigitsMaximum).contains(digits.count),
            digits.allSatisfy({ (0x30...0x39).contains($0) }), let time = UInt64(header)
        else {
            self = .malformed
            return
        }
        let distance = time > nowMilliseconds ? time - nowMilliseconds : nowMilliseconds - time
        let isFresh = distance <= Limits.requestSkewMillisecondsMaximum
        self = isFresh ? .fresh(milliseconds: time) : .skewed(milliseconds: time)
    }
}

/// HMAC-SHA-256 (RFC 2104).
package func hmacSHA256(key: Bytes, _ message: Bytes) -> Hash32 {
    let block = 64
    var pad = key.count > block ? sha256(key).bytes : key
    pad += Bytes(repeating: 0, count: block - pad.count)
    let inner = sha256(pad.map { $0 ^ 0x36 } + message)
    return sha256(pad.map { $0 ^ 0x5c } + inner.bytes)
}

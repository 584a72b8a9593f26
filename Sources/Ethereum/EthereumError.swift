// The one error type of this room. Callers act on `code`; people read `message`.

package struct EthereumError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A stable name of what went wrong; an open set, so that a new one breaks no caller.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let malformedHex = Code(rawValue: "malformedHex")
        package static let malformedNumber = Code(rawValue: "malformedNumber")
        package static let malformedAddress = Code(rawValue: "malformedAddress")
        package static let malformedRLP = Code(rawValue: "malformedRLP")
        package static let malformedABI = Code(rawValue: "malformedABI")
        package static let malformedJSON = Code(rawValue: "malformedJSON")
        package static let malformedTransaction = Code(rawValue: "malformedTransaction")
        package static let malformedKeyFile = Code(rawValue: "malformedKeyFile")
        package static let wrongPassword = Code(rawValue: "wrongPassword")
        package static let invalidKey = Code(rawValue: "invalidKey")
        package static let invalidSignature = Code(rawValue: "invalidSignature")
        package static let limitExceeded = Code(rawValue: "limitExceeded")
        package static let unsupported = Code(rawValue: "unsupported")
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}

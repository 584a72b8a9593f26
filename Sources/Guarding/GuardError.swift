// The one error type of this room. Callers act on `code`, `retry` and `fault`; people read the rest.

package struct GuardError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A stable name of what went wrong; an open set.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// The bytes of a log are no canonical CCIPMessageSent.
        package static let malformedLog = Code(rawValue: "malformedLog")
        /// A log of another contract, event or lane.
        package static let foreignLog = Code(rawValue: "foreignLog")
        /// The id in the log is not the id of its content.
        package static let messageIDMismatch = Code(rawValue: "messageIDMismatch")
        /// A message that no EVM chain can take.
        package static let undeliverable = Code(rawValue: "undeliverable")
        package static let invalidConfiguration = Code(rawValue: "invalidConfiguration")
    }

    package enum Retry: String, Sendable { case now, later, never }
    package enum Fault: String, Sendable { case ours, peer, chain, user }

    package let code: Code
    package let message: String
    package let hint: String

    package init(_ code: Code, _ message: String, hint: String) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// Everything here is a pure function of its input: the same input fails again.
    package var retry: Retry { .never }
    package var fault: Fault { code == .invalidConfiguration ? .user : .chain }
    package var description: String { "\(code.rawValue): \(message) (\(hint))" }
}

// The one error type of this room.

import Configuration

/// A relayer could not start, or had to stop. `code` is stable; people read `message` and `hint`.
package struct RelayerError: Error, Equatable, Sendable, CustomStringConvertible {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let settings = Code(rawValue: "settings")
        package static let keyMissing = Code(rawValue: "keyMissing")
        package static let keyPermissions = Code(rawValue: "keyPermissions")
        package static let keyUnreadable = Code(rawValue: "keyUnreadable")
        package static let keyMismatch = Code(rawValue: "keyMismatch")
        package static let chain = Code(rawValue: "chain")
        package static let contract = Code(rawValue: "contract")
        package static let store = Code(rawValue: "store")
        /// A store that a running process holds.
        package static let storeHeld = Code(rawValue: "storeHeld")
        package static let unknownStop = Code(rawValue: "unknownStop")
        package static let stopped = Code(rawValue: "stopped")
    }

    package let code: Code
    package let message: String
    package let hint: String?

    package init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    package var description: String { hint.map { "\(message)\n  hint: \($0)" } ?? message }
}

extension RelayerError {
    /// What is wrong with a file, under the same code.
    init(_ error: ConfigurationError) {
        self.init(Code(rawValue: error.code.rawValue), error.message, hint: error.hint)
    }
}

// The one error type of this room.

import Configuration

/// An oracle or a gateway of price streams could not start, or had to stop. `code` is stable; people read the rest.
package struct StreamsNodeError: Error, Equatable, Sendable, CustomStringConvertible {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let settings = Code(rawValue: "settings")
        package static let store = Code(rawValue: "store")
        package static let stopped = Code(rawValue: "stopped")
        package static let source = Code(rawValue: "source")
        package static let notReady = Code(rawValue: "notReady")
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

// The one error of this room: what is wrong, in which file and line, and what to do about it.

package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let fileMissing = Code(rawValue: "fileMissing")
        package static let fileTooLarge = Code(rawValue: "fileTooLarge")
        package static let malformedYAML = Code(rawValue: "malformedYAML")
        package static let unknownKey = Code(rawValue: "unknownKey")
        package static let missingKey = Code(rawValue: "missingKey")
        package static let wrongType = Code(rawValue: "wrongType")
        package static let invalidValue = Code(rawValue: "invalidValue")
        package static let keyMissing = Code(rawValue: "keyMissing")
        package static let keyPermissions = Code(rawValue: "keyPermissions")
        package static let keyUnreadable = Code(rawValue: "keyUnreadable")
        package static let keyMismatch = Code(rawValue: "keyMismatch")
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

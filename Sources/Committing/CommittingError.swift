// The one error type of this room. Callers act on `code`, `retry` and `fault`; people read the rest.

import CCIP

package struct CommittingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A stable name of what went wrong; an open set.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let badConfiguration = Code(rawValue: "badConfiguration")
        package static let malformedObservation = Code(rawValue: "malformedObservation")
        /// An observer speaks about a chain that it is not assigned to (1.5).
        package static let notAReader = Code(rawValue: "notAReader")
        /// A value that no honest observer sends.
        package static let implausibleValue = Code(rawValue: "implausibleValue")
        /// A part that the state of the last outcome does not ask for.
        package static let unaskedPart = Code(rawValue: "unaskedPart")
        package static let malformedOutcome = Code(rawValue: "malformedOutcome")
        package static let tooFewObservations = Code(rawValue: "tooFewObservations")
        package static let tooLarge = Code(rawValue: "tooLarge")
    }

    /// Whether asking again can help.
    package enum Retry: String, Sendable { case never }
    /// Who has to act.
    package enum Fault: String, Sendable { case ours, peer }

    package let code: Code
    package let message: String
    package let hint: String

    package init(_ code: Code, _ message: String, hint: String) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    package var retry: Retry { .never }

    package var fault: Fault {
        switch code {
        case .malformedObservation, .notAReader, .implausibleValue, .unaskedPart: .peer
        default: .ours
        }
    }

    package var description: String { "\(code.rawValue): \(message) (\(hint))" }

    /// A canonical value that does not decode.
    static func undecodable(_ code: Code, _ error: CCIPError) -> CommittingError {
        CommittingError(code, error.message, hint: error.hint)
    }
}

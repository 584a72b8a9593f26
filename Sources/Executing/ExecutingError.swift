// The one error type of this room. Callers act on `code`, `retry` and `fault`; people read the rest.

import CCIP

package struct ExecutingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A stable name of what went wrong; an open set.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let badConfiguration = Code(rawValue: "badConfiguration")
        package static let malformedObservation = Code(rawValue: "malformedObservation")
        package static let malformedOutcome = Code(rawValue: "malformedOutcome")
        package static let malformedReport = Code(rawValue: "malformedReport")
        package static let malformedFeed = Code(rawValue: "malformedFeed")
        package static let notAllowedToObserve = Code(rawValue: "notAllowedToObserve")
        package static let tooFewObservations = Code(rawValue: "tooFewObservations")
        package static let incompleteRange = Code(rawValue: "incompleteRange")
        package static let rootMismatch = Code(rawValue: "rootMismatch")
        package static let unknownMessage = Code(rawValue: "unknownMessage")
        package static let gasOverrideTooLow = Code(rawValue: "gasOverrideTooLow")
        package static let tokenDataMismatch = Code(rawValue: "tokenDataMismatch")
        package static let manualExecutionNotAllowed = Code(rawValue: "manualExecutionNotAllowed")
    }

    package enum Retry: String, Sendable { case now, later, never }
    package enum Fault: String, Sendable { case ours, peer, chain, user }

    package let code: Code
    package let message: String
    package let hint: String
    /// The error by which the contract would refuse the same, where this one came before it.
    package let contractError: String?

    package init(_ code: Code, _ message: String, hint: String, contractError: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.contractError = contractError
    }

    /// Wraps an error of the message room under a code of this one.
    init(_ code: Code, _ error: CCIPError) {
        self.init(code, error.message, hint: error.hint)
    }

    package var retry: Retry {
        switch code {
        case .tooFewObservations, .incompleteRange, .manualExecutionNotAllowed: .later
        default: .never
        }
    }

    package var fault: Fault {
        switch code {
        case .malformedObservation, .malformedFeed, .notAllowedToObserve, .malformedReport: .peer
        case .rootMismatch, .incompleteRange: .chain
        case .gasOverrideTooLow, .unknownMessage, .tokenDataMismatch, .manualExecutionNotAllowed: .user
        default: .ours
        }
    }

    package var description: String { "\(code.rawValue): \(message) (\(hint))" }
}

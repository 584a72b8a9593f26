// The one error type of this room. Callers act on `code`, `retry` and `fault`; people read the rest.

import Ethereum

package struct CCIPError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A stable name of what went wrong; an open set.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let unknownChain = Code(rawValue: "unknownChain")
        package static let malformedEvent = Code(rawValue: "malformedEvent")
        package static let malformedMessage = Code(rawValue: "malformedMessage")
        package static let malformedReport = Code(rawValue: "malformedReport")
        package static let malformedExtraArgs = Code(rawValue: "malformedExtraArgs")
        package static let malformedAnswer = Code(rawValue: "malformedAnswer")
        package static let malformedTokenData = Code(rawValue: "malformedTokenData")
        package static let messageIDMismatch = Code(rawValue: "messageIDMismatch")
        package static let unsupportedExtraArgs = Code(rawValue: "unsupportedExtraArgs")
        package static let emptyTree = Code(rawValue: "emptyTree")
        package static let treeTooLarge = Code(rawValue: "treeTooLarge")
        package static let badLeafIndex = Code(rawValue: "badLeafIndex")
        package static let invalidProof = Code(rawValue: "invalidProof")
        package static let tooManySignatures = Code(rawValue: "tooManySignatures")
        package static let priceTooLarge = Code(rawValue: "priceTooLarge")
        package static let feeRefused = Code(rawValue: "feeRefused")
        package static let feeOverflow = Code(rawValue: "feeOverflow")
        package static let canonicalTruncated = Code(rawValue: "canonicalTruncated")
        package static let canonicalTrailingBytes = Code(rawValue: "canonicalTrailingBytes")
        package static let canonicalMalformed = Code(rawValue: "canonicalMalformed")
    }

    /// Whether asking again can help.
    package enum Retry: String, Sendable { case now, later, never }
    /// Who has to act.
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

    package var fault: Fault {
        switch code {
        case .unknownChain, .unsupportedExtraArgs, .malformedExtraArgs, .feeRefused, .feeOverflow: .user
        case .malformedEvent, .malformedMessage, .messageIDMismatch, .malformedAnswer: .chain
        case .canonicalTruncated, .canonicalTrailingBytes, .canonicalMalformed, .malformedReport: .peer
        default: .ours
        }
    }

    package var description: String { "\(code.rawValue): \(message) (\(hint))" }
}

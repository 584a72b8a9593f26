// The one error type of this room. Callers act on `code`, `retry` and `fault`; people read the rest.

package struct PriceStreamsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A stable name of what went wrong; an open set: other parts of the room add theirs in extensions.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        // Reports
        package static let malformedFeedID = Code(rawValue: "malformedFeedID")
        package static let malformedNumber = Code(rawValue: "malformedNumber")
        package static let numberTooLarge = Code(rawValue: "numberTooLarge")
        package static let unknownSchema = Code(rawValue: "unknownSchema")
        package static let schemaMismatch = Code(rawValue: "schemaMismatch")
        package static let reportLength = Code(rawValue: "reportLength")
        package static let nonCanonicalWord = Code(rawValue: "nonCanonicalWord")
        package static let headerTimestamp = Code(rawValue: "headerTimestamp")
        // Full reports
        package static let sequenceNumberTooLarge = Code(rawValue: "sequenceNumberTooLarge")
        package static let malformedContext = Code(rawValue: "malformedContext")
        package static let envelopeTruncated = Code(rawValue: "envelopeTruncated")
        package static let envelopeTooLarge = Code(rawValue: "envelopeTooLarge")
        package static let envelopeOffset = Code(rawValue: "envelopeOffset")
        package static let envelopeTrailingBytes = Code(rawValue: "envelopeTrailingBytes")
        package static let blobLength = Code(rawValue: "blobLength")
        package static let tooManySignatures = Code(rawValue: "tooManySignatures")
        package static let signatureCountMismatch = Code(rawValue: "signatureCountMismatch")
        package static let signatureParity = Code(rawValue: "signatureParity")
        package static let unusedParity = Code(rawValue: "unusedParity")
        // Configurations
        package static let malformedOnchainConfiguration = Code(rawValue: "malformedOnchainConfiguration")
        package static let malformedOffchainConfiguration = Code(rawValue: "malformedOffchainConfiguration")
        package static let invalidOracleSet = Code(rawValue: "invalidOracleSet")
        // Clients
        package static let malformedReportJSON = Code(rawValue: "malformedReportJSON")
    }

    /// Whether asking again can help.
    package enum Retry: String, Sendable { case now, later, never }
    /// Who has to act.
    package enum Fault: String, Sendable { case ours, peer, chain, user }

    package let code: Code
    package let message: String
    /// What to do next.
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
        case .malformedFeedID, .malformedNumber, .numberTooLarge, .invalidOracleSet, .badConfiguration, .badRules,
            .badExpression, .badDefinition, .badOptions, .badSolidityType, .feedIDTwice, .calculatedStreamTwice,
            .unsupportedFormat, .valueOutOfRange, .wrongValueKind:
            .user
        case .sequenceNumberTooLarge, .schemaMismatch, .headerTimestamp, .malformedOutcome, .malformedLabel,
            .missingValue, .specimenRefused, .timestampOutOfRange:
            .ours
        case .malformedOnchainConfiguration, .malformedOffchainConfiguration: .chain
        default: .peer
        }
    }

    package var description: String { "\(code.rawValue): \(message) (\(hint))" }
}

// The one error type of this module and the named refusals of hostile or late input.
// Refusals are counted and reported; they never stop an instance.

/// What went wrong outside the protocol's own message flow: configuration, stored records.
package struct OffchainReportingError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case oracleCountNotThreeFPlusOne, tooManyOracles, noFaultsTolerated, duplicateOffchainKey,
            duplicateOnchainSigner
        case emptyKey, ownIndexOutOfRange, badTransmitters, badInterval, badSizeLimit, badLabel
        case recordTruncated, recordTrailingBytes, recordUnknownKind, recordOfAnotherConfiguration, recordMalformed
        case recordsInconsistent
    }

    package enum Retry: String, Sendable { case never }
    package enum Fault: String, Sendable { case ours }

    package let code: Code
    package let message: String
    package let hint: String
    package var retry: Retry { .never }
    package var fault: Fault { .ours }

    package init(_ code: Code, _ message: String, hint: String) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    package var description: String { "\(code.rawValue): \(message) (\(hint))" }
}

/// Why an input was not used. Every refusal is counted by code.
package struct Refusal: Equatable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        // parsing and routing
        case tooLarge, malformed, wrongConfiguration, unknownKind, senderOutOfRange, senderIsSelf
        // time
        case staleEpoch, staleSequenceNumber, duplicate, displaced, outsideWindow, stalePluginResult, epochTooLarge
        // role and phase
        case notFromLeader, notLeading, wrongPhase, unsolicited, servedEnough
        // content
        case badSignature, badCertificate, badEpochStartProof, timestampMismatch, badProposal, badObservation
        case queryTooLarge, observationTooLarge, conflicting, signatureListMismatch
        // own votes
        case voteBelowLog, voteConflictsWithLog, voteWithoutCertificate, voteWhileListening
        // plugin
        case pluginFailed, ownSignatureRejected, reportGivenUp
    }

    package let code: Code
    /// Index of the oracle whose input it was; nil for input of this process.
    package let from: Int?
    package let detail: String

    package var description: String { "\(code.rawValue) from \(from.map(String.init) ?? "own process"): \(detail)" }
}

extension Refusal {
    /// Who has to act: a lagging or lossy link is nobody's fault.
    package enum Fault: String, Sendable { case ours, peer, none }

    package var fault: Fault {
        switch code {
        case .staleEpoch, .staleSequenceNumber, .duplicate, .displaced, .outsideWindow, .stalePluginResult, .wrongPhase,
            .notLeading, .unsolicited, .servedEnough:
            return .none
        case .voteBelowLog, .voteConflictsWithLog, .voteWithoutCertificate, .voteWhileListening, .pluginFailed,
            .ownSignatureRejected, .reportGivenUp:
            return .ours
        default:
            return from == nil ? .ours : .peer
        }
    }
}

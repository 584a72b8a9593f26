// What happened inside a round that an operator may want to count. Never part of an outcome or an observation: notes
// change nothing.

import CCIP

/// Stable names for metrics; the words of the specification where it has them (3.3, 1.4).
package struct CommitNote: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        // observation: why a lane stays silent
        case destinationNotRead = "destination_not_read"
        case curseUnknown = "curse_unknown"
        case destinationCursed = "destination_cursed"
        case sourceCursed = "source_cursed"
        case sourceHalted = "source_halted"
        case laneNotLive = "lane_not_live"
        case onRampMismatch = "onramp_mismatch"
        case sourceNotRead = "source_not_read"
        case messageCountMismatch = "msg_count_mismatch"
        case valueOutOfBounds = "value_out_of_bounds"
        case blessingNotConfigured = "blessing_not_configured"
        // outcome
        case onRampMaximumZero = "onramp_max_zero"
        case offRampAhead = "offramp_ahead_of_onramp"
        case offRampRegression = "offramp_seqnum_regression"
        case rangeTruncated = "range_truncated"
        case insufficientAgreement = "insufficient_agreement"
        case split = "split"
        case reportGenerated = "report_generated"
        case reportEmpty = "report_empty"
        case reportTransmitted = "report_transmitted"
        case reportTransmissionFailed = "report_transmission_failed"
        case laneDeferred = "lane_deferred"
        case pricesTransmitted = "prices_transmitted"
        case pricesGivenUp = "prices_given_up"
        case priceTooLarge = "price_too_large"
        case blessingOpened = "blessing_opened"
        case blessingDissolved = "blessing_dissolved"
        case blessingTimedOut = "blessing_timed_out"
        case rootsBlessed = "roots_blessed"
        case rmnConfigurationChanged = "rmn_config_changed"
        case rmnUnavailable = "rmn_unavailable"
    }

    package let kind: Kind
    /// The chain that it is about; nil when about none or all.
    package let chain: ChainSelector?

    package init(_ kind: Kind, _ chain: ChainSelector? = nil) {
        self.kind = kind
        self.chain = chain
    }

    package var description: String { chain.map { "\(kind.rawValue) \($0)" } ?? kind.rawValue }
}

extension CommitNote.Kind {
    /// What notes of a kind are about.
    package enum Subject: Sendable {
        case source
        /// The destination as a whole.
        case destination
        /// Now a chain, now the whole.
        case either
    }

    package enum Stage: String, Sendable {
        /// By this oracle, of what it sees itself.
        case observation
        /// Of what the oracles agreed on.
        case outcome
    }

    package var subject: Subject {
        switch self {
        case .destinationNotRead, .curseUnknown, .destinationCursed, .pricesTransmitted, .pricesGivenUp, .rootsBlessed:
            .destination
        case .valueOutOfBounds, .insufficientAgreement: .either
        default: .source
        }
    }

    package var stage: Stage {
        switch self {
        case .destinationNotRead, .curseUnknown, .destinationCursed, .sourceCursed, .sourceHalted, .laneNotLive,
            .onRampMismatch, .sourceNotRead, .messageCountMismatch, .valueOutOfBounds, .blessingNotConfigured:
            .observation
        default: .outcome
        }
    }
}

extension CommitNote {
    /// Whether a note of this kind may name a chain, or none.
    package var isWellFormed: Bool {
        switch kind.subject {
        case .source: chain != nil
        case .destination: chain == nil
        case .either: true
        }
    }
}

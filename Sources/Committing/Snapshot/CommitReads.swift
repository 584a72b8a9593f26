// What an edge has to read before it can observe. Decided here, so that no round reads more than it uses.

import CCIP
import Ethereum

/// The reads of one round for one oracle.
package struct CommitReads: Equatable, Sendable {
    package enum Want: Equatable, Sendable {
        /// The OffRamp's next number, the finalized maximum, and the leaves from that next number on, at most so many.
        case select(leavesMaximum: Int)
        /// The leaves of exactly this range, and the OffRamp's next number.
        case build(SequenceRange)
        /// The OffRamp's next number; only if it is no longer the first of the range that is under way, also what
        /// `select` wants.
        case wait(pending: SequenceRange, leavesMaximum: Int)
    }

    package struct Lane: Equatable, Sendable {
        package let lane: MessageLane
        package let want: Want
        /// This oracle reads the source: maximum and leaves are its business.
        package let readsSource: Bool

        package init(lane: MessageLane, want: Want, readsSource: Bool) {
            self.lane = lane
            self.want = want
            self.readsSource = readsSource
        }
    }

    /// This oracle reads the destination: curse state, source configurations, prices as stored.
    package let readsDestination: Bool
    /// Enabled lanes, ascending by source.
    package let lanes: [Lane]
    /// Prices are observed in this round: gas chains, then tokens. False while reported prices are under way.
    package let readsPrices: Bool
    /// Reported prices are under way: the OffRamp's price sequence number tells when they have landed.
    package let readsPriceSequenceNumber: Bool
    /// A lane may need signatures: what the RMNRemote verifies them with is read along.
    package let readsRMN: Bool
    /// What guards are asked until the next outcome; nil while no set of roots is open.
    package let blessing: BlessingRequest?
}

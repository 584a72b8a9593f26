// What an edge should read next for the executing node. A wish list, in the order of execution; reading more does no
// harm, reading less only delays.

import CCIP
import Ethereum

/// Sequence numbers of one source.
package struct LaneRange: Hashable, Sendable, CustomStringConvertible {
    package let source: ChainSelector
    package let range: SequenceRange

    package init(source: ChainSelector, range: SequenceRange) {
        self.source = source
        self.range = range
    }

    package var description: String { "\(source)/\(range)" }

    /// Joins numbers that follow each other; keys must ascend.
    static func joining(_ keys: [MessageKey]) -> [LaneRange] {
        var ranges: [LaneRange] = []
        for key in keys {
            if let last = ranges.last, last.source == key.source, last.range.last.next == key.sequenceNumber,
                let longer = SequenceRange(first: last.range.first, last: key.sequenceNumber)
            {
                ranges[ranges.count - 1] = LaneRange(source: key.source, range: longer)
            } else if let single = SequenceRange(first: key.sequenceNumber, last: key.sequenceNumber) {
                ranges.append(LaneRange(source: key.source, range: single))
            }
        }
        return ranges
    }
}

package struct ExecuteReads: Hashable, Sendable {
    /// Always read too: curse state, installed digest, source configurations, the latest block's time.
    /// `CommitReportAccepted` of blocks at or after this destination time, seconds, up to the latest block.
    package var commitReportsFrom: UInt64
    /// `getExecutionState`, or the last `ExecutionStateChanged` of each: at the latest and at the finalized block.
    package var executionStates: [LaneRange]
    /// Finalized `CCIPMessageSent` of the source, where this oracle reads it.
    package var messages: [LaneRange]
    /// As `messages`, but what is there contradicts the accepted root: read again from another endpoint, and trust
    /// neither the feed nor the endpoint that gave it.
    package var suspectMessages: [LaneRange]
    /// `getInboundNonce`, ascending by sender.
    package var nonces: [SenderKey]
    /// Messages whose off-chain token data is not ready.
    package var tokenData: [MessageKey]
    /// Messages that a simulation holds back and that are to be simulated again, alone. At most
    /// `Limits.simulationsPerLook`; ready messages need none: a whole report is simulated before it is sent.
    package var simulations: [MessageKey]

    package init(
        commitReportsFrom: UInt64 = 0, executionStates: [LaneRange] = [], messages: [LaneRange] = [],
        suspectMessages: [LaneRange] = [], nonces: [SenderKey] = [], tokenData: [MessageKey] = [],
        simulations: [MessageKey] = []
    ) {
        self.commitReportsFrom = commitReportsFrom
        self.executionStates = executionStates
        self.messages = messages
        self.suspectMessages = suspectMessages
        self.nonces = nonces
        self.tokenData = tokenData
        self.simulations = simulations
    }
}

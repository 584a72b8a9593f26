// What a guard is told and what it answers: events in, actions out, all of them plain data.

import CCIP
import Ethereum

/// Milliseconds since 1970, by the clock of the edge.
package typealias GuardTime = UInt64

/// A relayer by its place in the cluster's list.
package typealias RelayerIndex = Int

/// What a relayer asks for: one signature over all updates together. Nothing in it is believed.
package struct SignatureRequest: Hashable, Sendable {
    /// Names the request in the answer.
    package var id: Bytes
    package var chainID: UInt64
    package var destination: ChainSelector
    package var offRamp: Address
    package var rmnRemote: Address
    package var homeDigest: Hash32
    package var configVersion: UInt32
    /// Ascending by source, each source once: the order in which the report will carry them.
    package var updates: [MerkleRoot]

    package init(
        id: Bytes, chainID: UInt64, destination: ChainSelector, offRamp: Address, rmnRemote: Address,
        homeDigest: Hash32, configVersion: UInt32, updates: [MerkleRoot]
    ) {
        self.id = id
        self.chainID = chainID
        self.destination = destination
        self.offRamp = offRamp
        self.rmnRemote = rmnRemote
        self.homeDigest = homeDigest
        self.configVersion = configVersion
        self.updates = updates
    }
}

/// Why a lane is refused; the raw values travel.
package enum RefusalCode: String, Hashable, Sendable {
    case rootMismatch = "root_mismatch"
    case cursed, stopped, interval
    case unknownLane = "unknown_lane"
    case config
}

package struct LaneRefusal: Hashable, Sendable {
    package var source: ChainSelector
    package var code: RefusalCode
    package var detail: String
}

/// A lane of which the guard cannot say anything yet.
package struct LaneWait: Hashable, Sendable {
    package var source: ChainSelector
    /// The newest message seen final; 0 for none.
    package var finalizedThrough: UInt64
    package var reason: String
}

package enum GuardAnswer: Hashable, Sendable {
    case waits([LaneWait])
    case refused([LaneRefusal])
    /// The request as a whole.
    case refusedAll(RefusalCode, String)
}

/// What the guard's own endpoints say of a destination at one block.
package struct DestinationFacts: Hashable, Sendable {
    package struct Source: Hashable, Sendable {
        package var isEnabled: Bool
        package var requiresBlessing: Bool
        /// The number that the next root must begin with.
        package var nextNumber: UInt64
        /// Byte for byte as configured.
        package var onRamp: Bytes

        package init(isEnabled: Bool, requiresBlessing: Bool, nextNumber: UInt64, onRamp: Bytes) {
            self.isEnabled = isEnabled
            self.requiresBlessing = requiresBlessing
            self.nextNumber = nextNumber
            self.onRamp = onRamp
        }
    }

    package var destination: ChainSelector
    package var block: UInt64
    /// The RMNRemote behind the proxy that the OffRamp asks.
    package var rmnRemote: Address
    package var homeDigest: Hash32
    package var configVersion: UInt32
    package var signers: [Address]
    /// 16 bytes each.
    package var cursedSubjects: [Bytes]
    package var sources: [ChainSelector: Source]

    package init(
        destination: ChainSelector, block: UInt64, rmnRemote: Address, homeDigest: Hash32, configVersion: UInt32,
        signers: [Address], cursedSubjects: [Bytes], sources: [ChainSelector: Source]
    ) {
        self.destination = destination
        self.block = block
        self.rmnRemote = rmnRemote
        self.homeDigest = homeDigest
        self.configVersion = configVersion
        self.signers = signers
        self.cursedSubjects = cursedSubjects
        self.sources = sources
    }

    func isCursed(_ chain: ChainSelector) -> Bool {
        cursedSubjects.contains(CurseSubject.global) || cursedSubjects.contains(chain.curseSubject)
    }
}

/// A root that the OffRamp accepted.
package struct AcceptedRoot: Hashable, Sendable {
    package var destination: ChainSelector
    package var root: MerkleRoot
    package var block: UInt64

    package init(destination: ChainSelector, root: MerkleRoot, block: UInt64) {
        self.destination = destination
        self.root = root
        self.block = block
    }

    package var lane: GuardLane { GuardLane(source: root.source, destination: destination) }
}

/// An ExecutionStateChanged of the OffRamp.
package struct ExecutedMessage: Hashable, Sendable {
    package var lane: GuardLane
    package var number: UInt64
    package var messageID: Hash32
    package var leaf: Hash32
    package var state: MessageExecutionState
    package var block: UInt64
    /// Position in its block: tells the same log, handed out twice, from a second one.
    package var logIndex: UInt64

    package init(
        lane: GuardLane, number: UInt64, messageID: Hash32, leaf: Hash32, state: MessageExecutionState, block: UInt64,
        logIndex: UInt64
    ) {
        self.lane = lane
        self.number = number
        self.messageID = messageID
        self.leaf = leaf
        self.state = state
        self.block = block
        self.logIndex = logIndex
    }
}

/// A log of an OnRamp in a finalized block, as the endpoints gave it.
package struct SourceLog: Hashable, Sendable {
    package var log: Log
    package var block: UInt64

    package init(log: Log, block: UInt64) {
        self.log = log
        self.block = block
    }
}

package enum GuardEvent: Sendable {
    case request(SignatureRequest, from: RelayerIndex, now: GuardTime)
    /// Logs of the OnRamp up to a finalized block, in order; also sent without logs.
    case sourceLogs(ChainSelector, [SourceLog], through: UInt64, now: GuardTime)
    /// The newest finalized block of a chain.
    case head(ChainSelector, finalized: UInt64, now: GuardTime)
    case destination(DestinationFacts, now: GuardTime)
    /// The destination could not be read: requests about it wait.
    case destinationSilent(ChainSelector, reason: String)
    case accepted(AcceptedRoot, now: GuardTime)
    case executed(ExecutedMessage, isFinal: Bool, now: GuardTime)
    /// A pool's limiter as it is now; nil where the pool does not serve the remote chain.
    case limiter(PoolGate, LimiterState?)
    /// Of finalized blocks, in order; may come again.
    case flow(PoolFlow)
    /// A finalized block changed.
    case finalityViolated(ChainSelector, reason: String)
    case tick(now: GuardTime)
}

/// A leaf that was signed for a number of a lane: never another one.
package struct GuardRecord: Hashable, Sendable {
    package let lane: GuardLane
    package let number: UInt64
    package let leaf: Hash32

    package init(lane: GuardLane, number: UInt64, leaf: Hash32) {
        self.lane = lane
        self.number = number
        self.leaf = leaf
    }
}

/// What stands still, and why. Raised by the guard, lifted only by its operator.
package struct GuardStop: Hashable, Sendable {
    /// `lane/S/D`, `chain/S` (both with selectors) or `all`.
    package let scope: String
    package let kind: AnomalyKind
    package let reason: String

    package init(scope: String, kind: AnomalyKind, reason: String) {
        self.scope = scope
        self.kind = kind
        self.reason = reason
    }

    package static let everything = "all"
    package static func scope(_ chain: ChainSelector) -> String { "chain/\(chain)" }
}

/// Actions stand in the order in which they must be done; one that fails ends the process before the next.
package enum GuardAction: Hashable, Sendable {
    /// Ask for `DestinationFacts`.
    case read(ChainSelector)
    /// The logs behind what was kept are not taken: the cursor stays, and they are read again.
    case refuseLogs(ChainSelector, reason: String)
    /// Messages, on disk before the cursor behind them moves.
    case keep([DerivedMessage])
    /// Signed leaves, on disk before the signature exists.
    case record([GuardRecord])
    /// What is left of an allowance, on disk before the cursor behind its flow moves.
    case keepBucket(PoolBucket)
    /// On disk before anything follows from it.
    case raiseStop(GuardStop)
    case sign(requestID: Bytes, to: RelayerIndex, digest: RMNReportDigest)
    case answer(requestID: Bytes, to: RelayerIndex, GuardAnswer)
    case alarm(Anomaly)
    /// Curse a source on a destination; only asked for when the configuration allows it.
    case curse(ChainSelector, on: ChainSelector, reason: String)
}

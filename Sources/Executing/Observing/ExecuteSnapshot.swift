// Everything that an edge has read from the chains, in one value. Here is only data: dictionaries are looked up, never
// iterated. Who reads, how often and from which endpoints is the edge's business.

import CCIP
import Ethereum

/// What is known of curses at the destination's RMNRemote.
package enum CurseState: Hashable, Sendable {
    /// Not read, or not readable: nothing is observed, accepted or transmitted.
    case unreadable
    case known(CursedSubjects)
}

/// State of a message at the OffRamp, from `getExecutionState` or its last `ExecutionStateChanged`.
package struct ExecutionRecord: Hashable, Sendable {
    package var state: MessageExecutionState
    /// Whether the block that says so is finalized.
    package var isFinal: Bool
    /// Revert data of a failure, when the event was seen.
    package var returnData: Bytes

    package init(_ state: MessageExecutionState, isFinal: Bool = false, returnData: Bytes = []) {
        self.state = state
        self.isFinal = isFinal
        self.returnData = returnData
    }
}

/// Off-chain data of one token of a message (4.6).
package enum TokenData: Hashable, Sendable {
    /// Empty for tokens that need none.
    case ready(Bytes)
    case notReady(String)

    package static let none = TokenData.ready([])
    var bytes: Bytes? { if case .ready(let bytes) = self { bytes } else { nil } }
}

/// A message with its leaf. The leaf is always computed here, never taken from anybody.
package struct SourceMessage: Hashable, Sendable {
    package let message: Any2EVMRampMessage
    package let leaf: Hash32
    /// `abi.encode(message)`.
    package let encoded: Bytes
    /// One entry for each token.
    package let tokenData: [TokenData]

    /// `onRamp` as the root names it. A list of other length than the tokens counts as not ready: it would revert the
    /// whole batch.
    package init(_ message: Any2EVMRampMessage, onRamp: Bytes, tokenData: [TokenData]) {
        self.message = message
        leaf = message.leafHash(onRamp: onRamp)
        encoded = message.encoded
        let fits = tokenData.count == message.tokenAmounts.count
        self.tokenData =
            fits ? tokenData : message.tokenAmounts.map { _ in .notReady("no token data was looked up") }
    }

    private init(_ message: Any2EVMRampMessage, leaf: Hash32, encoded: Bytes, tokenData: [TokenData]) {
        self.message = message
        self.leaf = leaf
        self.encoded = encoded
        self.tokenData = tokenData
    }

    /// The same message with newer token data.
    package func with(tokenData: [TokenData]) -> SourceMessage {
        guard tokenData.count == self.tokenData.count else { return self }
        return SourceMessage(message, leaf: leaf, encoded: encoded, tokenData: tokenData)
    }

    /// A message whose tokens, if any, need no off-chain data: only for lanes that have no such token.
    package init(plain message: Any2EVMRampMessage, onRamp: Bytes) {
        self.init(message, onRamp: onRamp, tokenData: message.tokenAmounts.map { _ in .none })
    }

    /// Nil while one is not ready.
    var readyTokenData: [Bytes]? {
        var all: [Bytes] = []
        for entry in tokenData {
            guard let bytes = entry.bytes else { return nil }
            all.append(bytes)
        }
        return all
    }
}

package struct ExecuteSnapshot: Sendable {
    /// Time of the destination's latest block, seconds. Never compared with a wall clock.
    package var destinationTimestamp: UInt64
    /// Number of that block.
    package var destinationBlock: UInt64
    package var curse: CurseState
    /// `latestConfigDetails(1)` of the OffRamp; nil when unread.
    package var installedDigest: Hash32?
    /// `getSourceChainConfig` of each source.
    package var sources: [ChainSelector: SourceChainConfig]
    /// Accepted roots inside the visibility window, in any order.
    package var roots: [CommittedRoot]
    /// Every message of a root whose states were read is here, untouched ones too.
    package var states: [MessageKey: ExecutionRecord]
    /// Messages from own reads or verified feed; they are checked against their root again.
    package var messages: [MessageKey: SourceMessage]
    /// `getInboundNonce`: the last nonce used.
    package var nonces: [SenderKey: UInt64]
    package var verdicts: [MessageKey: SimulationRecord]

    package init(
        destinationTimestamp: UInt64 = 0, destinationBlock: UInt64 = 0, curse: CurseState = .unreadable, installedDigest: Hash32? = nil,
        sources: [ChainSelector: SourceChainConfig] = [:], roots: [CommittedRoot] = [],
        states: [MessageKey: ExecutionRecord] = [:], messages: [MessageKey: SourceMessage] = [:],
        nonces: [SenderKey: UInt64] = [:], verdicts: [MessageKey: SimulationRecord] = [:]
    ) {
        self.destinationTimestamp = destinationTimestamp
        self.destinationBlock = destinationBlock
        self.curse = curse
        self.installedDigest = installedDigest
        self.sources = sources
        self.roots = roots
        self.states = states
        self.messages = messages
        self.nonces = nonces
        self.verdicts = verdicts
    }

    /// Nil when one state under the root is unread: then nothing may be said about it.
    func executed(_ root: MerkleRoot) -> MessageSet? {
        guard let count = root.checkedCount else { return nil }
        var set = MessageSet()
        for index in 0..<count {
            guard let record = states[root.message(at: index)] else { return nil }
            if record.state.isTouched { set.insert(index) }
        }
        return set
    }

    func isFinallyExecuted(_ root: MerkleRoot) -> Bool {
        guard let count = root.checkedCount else { return false }
        return (0..<count).allSatisfy { index in
            guard let record = states[root.message(at: index)] else { return false }
            return record.state.isTouched && record.isFinal
        }
    }
}

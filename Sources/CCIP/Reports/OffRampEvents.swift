// What the OffRamp and the NonceManager say about reports and messages (A.5 of the off-chain specification), and what
// it means for a message (4.11). Judge by these and by getExecutionState, never by the receipt's status.

import Ethereum

package struct ExecutionStateChange: Hashable, Sendable {
    package let source: ChainSelector
    package let sequenceNumber: SequenceNumber
    package let messageID: MessageID
    package let leaf: Hash32
    package let state: MessageExecutionState
    /// Raw revert data of a failure, see `RevertReason`.
    package let returnData: Bytes
    package let gasUsed: U256
}

package struct AcceptedCommitReport: Hashable, Sendable {
    package let blessed: [MerkleRoot]
    package let unblessed: [MerkleRoot]
    /// As submitted, also when the contract ignored them as stale.
    package let prices: PriceUpdates
    package var roots: [MerkleRoot] { blessed + unblessed }
}

package struct Transmission: Hashable, Sendable {
    package let plugin: PluginType
    package let configurationDigest: Hash32
    package let sequenceNumber: UInt64
}

/// A log of a destination chain that concerns relayers.
package enum OffRampLog: Hashable, Sendable {
    case executionStateChanged(ExecutionStateChange)
    case commitReportAccepted(AcceptedCommitReport)
    case skippedAlreadyExecuted(ChainSelector, SequenceNumber)
    case alreadyAttempted(ChainSelector, SequenceNumber)
    case skippedReport(ChainSelector)
    /// Of the NonceManager: no OffRamp event names the message.
    case skippedIncorrectNonce(ChainSelector, nonce: UInt64, sender: Bytes)
    case transmitted(Transmission)
    case sourceChainConfigSet(ChainSelector)
    case configSet(PluginType, configurationDigest: Hash32)
}

package enum OffRampEvents {
    package static let executionStateChanged = ABIEvent(
        constant: "ExecutionStateChanged(uint64,uint64,bytes32,bytes32,uint8,bytes,uint256)", indexed: [0, 1, 2])
    package static let commitReportAccepted = ABIEvent(
        name: "CommitReportAccepted", inputs: [.array(MerkleRoot.type), .array(MerkleRoot.type), PriceUpdates.type],
        indexed: [false, false, false])
    package static let skippedAlreadyExecutedMessage = ABIEvent(
        constant: "SkippedAlreadyExecutedMessage(uint64,uint64)")
    package static let alreadyAttempted = ABIEvent(constant: "AlreadyAttempted(uint64,uint64)")
    package static let skippedReportExecution = ABIEvent(constant: "SkippedReportExecution(uint64)")
    package static let skippedIncorrectNonce = ABIEvent(constant: "SkippedIncorrectNonce(uint64,uint64,bytes)")
    package static let transmitted = ABIEvent(constant: "Transmitted(uint8,bytes32,uint64)", indexed: [0])
    package static let configSet = ABIEvent(constant: "ConfigSet(uint8,bytes32,address[],address[],uint8)")
    package static let sourceChainConfigSet = ABIEvent(
        constant: "SourceChainConfigSet(uint64,(address,bool,uint64,bool,bytes))", indexed: [0])

    /// The meaning of a log of an OffRamp or NonceManager; nil when its topic is none of theirs.
    /// Throws `malformedEvent` when the topic is right and the rest is not.
    package static func decode(_ log: ContractLog) throws(CCIPError) -> OffRampLog? {
        guard let topic = log.topics.first, let event = all.first(where: { $0.topic == topic }) else { return nil }
        let values: [ABIValue]
        do { values = try event.decode(topics: log.topics, data: log.data) } catch {
            throw CCIPError(
                .malformedEvent, "\(event.name) of \(log.address): \(error.message)",
                hint: "check the contract address and the endpoint")
        }
        var cursor = ABICursor(values, .malformedEvent, event.name)
        switch topic {
        case executionStateChanged.topic: return .executionStateChanged(try ExecutionStateChange(&cursor))
        case commitReportAccepted.topic: return .commitReportAccepted(try AcceptedCommitReport(&cursor))
        case skippedAlreadyExecutedMessage.topic:
            return .skippedAlreadyExecuted(try cursor.selector(), try cursor.sequenceNumber())
        case alreadyAttempted.topic: return .alreadyAttempted(try cursor.selector(), try cursor.sequenceNumber())
        case skippedReportExecution.topic: return .skippedReport(try cursor.selector())
        case skippedIncorrectNonce.topic:
            return .skippedIncorrectNonce(
                try cursor.selector(), nonce: try cursor.uint64(), sender: try cursor.bytes())
        case transmitted.topic: return .transmitted(try Transmission(&cursor))
        case configSet.topic:
            return .configSet(try cursor.plugin(), configurationDigest: try cursor.hash())
        default: return .sourceChainConfigSet(try cursor.selector())
        }
    }

    static let all: [ABIEvent] = [
        executionStateChanged, commitReportAccepted, skippedAlreadyExecutedMessage, alreadyAttempted,
        skippedReportExecution, skippedIncorrectNonce, transmitted, configSet, sourceChainConfigSet,
    ]
}

extension ExecutionStateChange {
    init(_ cursor: inout ABICursor) throws(CCIPError) {
        source = try cursor.selector()
        sequenceNumber = try cursor.sequenceNumber()
        messageID = MessageID(try cursor.hash())
        leaf = try cursor.hash()
        state = try cursor.executionState()
        returnData = try cursor.bytes()
        gasUsed = try cursor.uint256()
    }
}

extension AcceptedCommitReport {
    init(_ cursor: inout ABICursor) throws(CCIPError) {
        blessed = try cursor.array { item throws(CCIPError) in try MerkleRoot(&item) }
        unblessed = try cursor.array { item throws(CCIPError) in try MerkleRoot(&item) }
        prices = try PriceUpdates(&cursor)
    }
}

extension Transmission {
    init(_ cursor: inout ABICursor) throws(CCIPError) {
        plugin = try cursor.plugin()
        configurationDigest = try cursor.hash()
        sequenceNumber = try cursor.uint64()
    }
}

extension ABICursor {
    mutating func executionState() throws(CCIPError) -> MessageExecutionState {
        let raw = try uint8()
        guard let state = MessageExecutionState(rawValue: raw) else {
            throw CCIPError(.malformedEvent, "execution state \(raw)", hint: "states go from 0 to 3")
        }
        return state
    }

    mutating func plugin() throws(CCIPError) -> PluginType {
        let raw = try uint8()
        guard let plugin = PluginType(rawValue: raw) else {
            throw CCIPError(.malformedEvent, "plugin type \(raw)", hint: "0 is commit, 1 is execution")
        }
        return plugin
    }
}

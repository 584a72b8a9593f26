// The whole story of one message, as both chains and the relayers tell it. Plain values: what it waits for and what to do
// follow from them here; reading is MessageStoryReader's.

import CCIP
import Ethereum
import Localnet

struct MessageStory: Sendable {
    struct Sent: Sendable {
        let message: EVM2AnyRampMessage
        let place: ChainPlace
        /// Seconds of the source chain's clock.
        let timestamp: UInt64
    }

    struct Commit: Sendable {
        let root: MerkleRoot
        /// Whether signatures of guards came with it.
        let isBlessed: Bool
        let place: ChainPlace
        /// Seconds of the destination chain's clock.
        let timestamp: UInt64
    }

    struct Attempt: Sendable {
        let isSuccess: Bool
        let place: ChainPlace
        let timestamp: UInt64
        let gasUsed: U256
        let returnData: Bytes

        var explanation: RevertExplanation? { isSuccess ? nil : RevertExplanation(returnData) }
        var reason: String? { explanation?.text }
    }

    /// What the chains say of the lane now.
    struct Lane: Sendable {
        var sourceFinalized: UInt64
        var sourceLatest: UInt64
        var destinationTimestamp: UInt64
        var isCursed: Bool
        var isEnabled: Bool
        /// First sequence number that the next commit report must have.
        var nextCommit: SequenceNumber
        /// Seconds that relayers have before anybody may execute.
        var threshold: UInt32
        var state: MessageExecutionState
    }

    /// What one node of a relayer said.
    struct Testimony: Sendable, Equatable {
        let relayer: String
        let role: String
        let standing: String?
        let waitsFor: String?
        let advice: String?
        let sinceMilliseconds: UInt64?
    }

    let source: BridgeChain
    let destination: BridgeChain
    let sent: Sent
    let commit: Commit?
    /// Oldest first.
    let attempts: [Attempt]
    let lane: Lane
    var relayers: [Testimony] = []
    /// Further messages of the same transaction.
    var others: [MessageID] = []

    /// The transactions that carried it, in order.
    var transactions: [(chain: BridgeChain, hash: Hash32)] {
        [(source, sent.place.transaction)] + (commit.map { [(destination, $0.place.transaction)] } ?? [])
            + attempts.map { (destination, $0.place.transaction) }
    }

    var message: EVM2AnyRampMessage { sent.message }
    var header: RampMessageHeader { message.header }
    var isFinalized: Bool { sent.place.block <= lane.sourceFinalized || commit != nil }

    var stage: MessageStage {
        switch lane.state {
        case .success: .executed
        case .failure: .failed
        case .untouched, .inProgress:
            isCommitted ? .committed : isFinalized ? .finalized : .sent
        }
    }

    /// True also when the commit report itself was not found within the blocks that were looked at.
    var isCommitted: Bool { commit != nil || header.sequenceNumber < lane.nextCommit }

    /// Seconds since 1970 at which the present stage began; nil when it was not found.
    var since: UInt64? {
        switch stage {
        case .executed, .failed: attempts.last?.timestamp
        case .committed: commit?.timestamp
        case .sent, .finalized: sent.timestamp
        }
    }

    /// Seconds of the destination's clock from which anybody may execute; nil when that is no question of time.
    var manualExecutionFrom: UInt64? {
        guard stage == .committed, let commit else { return nil }
        return commit.timestamp + UInt64(lane.threshold) + 1
    }

    var isManualExecutionAllowed: Bool {
        if stage == .failed { return true }
        return manualExecutionFrom.map { lane.destinationTimestamp >= $0 } ?? false
    }

    /// Nodes of the side that has to act at this stage, as far as they name a standing: committing ones until a root is
    /// accepted, executing ones after that.
    var telling: [Testimony] {
        let role = stage == .committed ? "executing" : stage == .finalized || stage == .sent ? "committing" : ""
        return relayers.filter { $0.role == role && $0.standing != nil }
    }

    private var witness: Testimony? { telling.first }

    /// Nil once it is executed.
    var waitsFor: String? {
        switch stage {
        case .executed: return nil
        case .failed: return "a manual execution: the relayers have had their one attempt"
        case .sent:
            let missing = sent.place.block - min(sent.place.block, lane.sourceFinalized)
            return "finality: \(missing) more \(missing == 1 ? "block" : "blocks") of \(source.name) must become final"
        case .finalized:
            if lane.isCursed { return "the curse of this lane to be lifted" }
            if !lane.isEnabled { return "\(source.name) to be enabled at the OffRamp of \(destination.name)" }
            if let witness, let waitsFor = witness.waitsFor { return waitsFor }
            return "a commit report: \(destination.name) has taken messages up to \(lane.nextCommit.rawValue - 1)"
        case .committed:
            if lane.isCursed { return "the curse of this lane to be lifted" }
            return witness?.waitsFor ?? "an execution report of the relayers"
        }
    }

    /// Nil where waiting is right.
    var advice: String? {
        switch stage {
        case .executed, .sent: return nil
        case .failed: return failureAdvice
        case .finalized:
            if lane.isCursed { return "ask who runs the RMN contracts" }
            if !lane.isEnabled { return "ask the owner of the OffRamp" }
            if let advice = witness?.advice, !advice.isEmpty { return advice }
            return relayers.isEmpty ? "no relayer answers: causeway status, causeway check" : nil
        case .committed:
            if let advice = witness?.advice, !advice.isEmpty { return advice }
            if isManualExecutionAllowed { return "causeway exec \(header.messageID)" }
            return witness == nil ? "no executing relayer tells of it: causeway status, causeway check" : nil
        }
    }

    private var failureAdvice: String {
        let reason = RevertReason(attempts.last?.returnData ?? [])
        let command = "causeway exec \(header.messageID)"
        // A receiver that ran out of gas reverts without data.
        if reason.isUnderGassed || reason.errors.last?.name == "ReceiverError" && reason.rest.isEmpty {
            return "it may have run out of gas: \(command) --gas-limit N, with more than \(gasLimit?.decimal ?? "before")"
        }
        return "\(reason.advice?.hint ?? "mend the cause"), then: \(command)"
    }

    var converted: Any2EVMRampMessage? { try? Any2EVMRampMessage(converting: message) }
    var gasLimit: U256? { converted?.gasLimit }
}

// MARK: - JSON

extension MessageStory {
    var json: JSON {
        var object = JSONObject()
        object["messageId"] = .string(header.messageID.description)
        object["stage"] = .string(stage.rawValue)
        object["source"] = source.json
        object["destination"] = destination.json
        object["onRamp"] = .string(source.contracts.onRamp.checksummed)
        object["offRamp"] = .string(destination.contracts.offRamp.checksummed)
        object["sequenceNumber"] = .integer(header.sequenceNumber.rawValue)
        object["nonce"] = .integer(header.nonce)
        object["ordered"] = .bool(header.nonce != 0)
        object["sender"] = .string(message.sender.checksummed)
        object["receiver"] = .string(Address(word: message.receiver)?.checksummed ?? Hex.encode(message.receiver))
        object["data"] = .data(message.data)
        object["gasLimit"] = gasLimit.map { .string($0.decimal) } ?? .null
        object["tokens"] = .array(message.tokenAmounts.map { tokenJSON($0) })
        object["fee"] = feeJSON
        object["sent"] = [
            "transaction": .hash(sent.place.transaction), "block": .integer(sent.place.block),
            "timestamp": .integer(sent.timestamp), "finalized": .bool(isFinalized),
        ]
        object["committed"] = commit.map { commitJSON($0) } ?? .null
        object["executed"] = attempts.last.map { attemptJSON($0) } ?? .null
        object["attempts"] = .array(attempts.map { attemptJSON($0) })
        object["waitsFor"] = waitsFor.map { .string($0) } ?? .null
        object["advice"] = advice.map { .string($0) } ?? .null
        object["since"] = since.map { .integer($0) } ?? .null
        object["manualExecution"] = [
            "allowed": .bool(isManualExecutionAllowed), "from": manualExecutionFrom.map { .integer($0) } ?? .null,
        ]
        object["relayers"] = .array(relayers.map(\.json))
        object["others"] = .array(others.map { .string($0.description) })
        return .object(object)
    }

    private func tokenJSON(_ transfer: EVM2AnyTokenTransfer) -> JSON {
        let token = source.token(ofPool: transfer.sourcePool)
        return [
            "symbol": token.map { .string($0.symbol) } ?? .null,
            "sourcePool": .string(transfer.sourcePool.checksummed),
            "destinationToken": .string(
                Address(word: transfer.destinationToken)?.checksummed ?? Hex.encode(transfer.destinationToken)),
            "amount": .string(transfer.amount.decimal),
            "text": token.map { .string(TokenAmount(token: $0, amount: transfer.amount).text) } ?? .null,
        ]
    }

    private var feeJSON: JSON {
        [
            "token": feeSymbol.map { .string($0) } ?? .null, "address": .string(message.feeToken.checksummed),
            "amount": .string(message.feeTokenAmount.decimal), "juels": .string(message.feeValueJuels.decimal),
        ]
    }

    /// Fees in the chain's own coin are wrapped by the Router.
    var feeSymbol: String? {
        if message.feeToken == source.contracts.wrappedNative { return "WETH" }
        return source.token(at: message.feeToken)?.symbol
    }

    private func commitJSON(_ commit: Commit) -> JSON {
        [
            "root": .hash(commit.root.root), "first": .integer(commit.root.first.rawValue),
            "last": .integer(commit.root.last.rawValue), "blessed": .bool(commit.isBlessed), "transaction": .hash(commit.place.transaction),
            "block": .integer(commit.place.block), "timestamp": .integer(commit.timestamp),
        ]
    }

    private func attemptJSON(_ attempt: Attempt) -> JSON {
        [
            "state": .string(attempt.isSuccess ? "success" : "failure"),
            "transaction": .hash(attempt.place.transaction), "block": .integer(attempt.place.block),
            "timestamp": .integer(attempt.timestamp), "gasUsed": .string(attempt.gasUsed.decimal),
            "returnData": .data(attempt.returnData), "reason": attempt.reason.map { .string($0) } ?? .null,
            "errors": .array((attempt.explanation?.errors ?? []).map { .string($0) }),
        ]
    }
}

extension MessageStory.Testimony {
    /// What `causeway_message` answers; nil when the node does not know the message.
    init?(_ answer: JSON, from address: RelayerAddress) {
        guard answer.asObject != nil else { return nil }
        self.init(
            relayer: answer["relayer"]?.asString ?? address.relayer, role: answer["role"]?.asString ?? address.role,
            standing: answer["standing"]?.asString, waitsFor: answer["waitsFor"]?.asString,
            advice: answer["advice"]?.asString, sinceMilliseconds: answer["sinceMilliseconds"]?.asUInt64)
    }

    var json: JSON {
        func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
        return [
            "relayer": .string(relayer), "role": .string(role), "standing": text(standing), "waitsFor": text(waitsFor),
            "advice": text(advice), "sinceMilliseconds": sinceMilliseconds.map { .integer($0) } ?? .null,
        ]
    }
}

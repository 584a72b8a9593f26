// causeway exec: executes one message by hand, with more gas if need be.

import ArgumentParser
import CCIP
import ChainAccess
import Ethereum
import Localnet
import Executing

struct ExecCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Execute a failed or overdue message by hand.",
        discussion: """
            A message that failed may be executed again at once; one that the relayers have not executed, when their time is
            over (causeway show says when). Anybody may do it. The execution is simulated first: when the message would fail
            again nothing is sent.

            Exits with 0 when the message is executed, 4 when it fails again, 1 when it may not be executed, 5 when no chain
            knows it.

            Examples:
              causeway exec 0x5e11...
              causeway exec 0x5e11... --gas-limit 500000           more gas for the receiver
              causeway exec 0x5e11... --token-gas 300000,0         more for the first token, as it was for the second
            """)

    @Argument(help: "The message id, or the hash of the transaction that sent it.")
    var id: String

    @Option(name: .long, help: "Gas for the receiver; at least what the message asks for.")
    var gasLimit: UInt64?

    @Option(name: .long, help: ArgumentHelp("Gas for each token, with commas; 0 keeps one as it is.", valueName: "list"))
    var tokenGas: String?

    @OptionGroup var wallet: WalletOptions

    @Option(name: .long, help: ArgumentHelp("Give up waiting after so long.", valueName: "seconds"))
    var timeout = 120

    @Option(name: .long, help: "How many blocks of each chain are looked through at most.")
    var blocks = CommandLimits.scanBlocksDefault

    @OptionGroup var network: BridgeOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout is from 1 to 86400 s") }
        _ = try Self.tokenGas(tokenGas)
    }

    static func tokenGas(_ text: String?) throws -> [UInt32]? {
        guard let text else { return nil }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let gas = UInt32(part) else {
                throw ValidationError("--token-gas '\(text.prefix(80))' is not like 300000,0")
            }
            return gas
        }
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let network = try network.load()
        let reader = MessageStoryReader(network, scanBlocks: blocks)
        let story = try await reader.story(of: try HashArgument.parse(id))
        guard story.others.isEmpty else {
            let ids = ([story.header.messageID] + story.others).map(\.description).joined(separator: ", ")
            throw CommandFailure("severalMessages", "that transaction sent several messages", hint: "name one: \(ids)")
        }
        let plan = try await plan(story, reader, network, out)
        let sender = Wallet(key: try wallet.key(network.accounts), chain: story.destination)
        var result = ExecResult(story: story, sender: sender.address, gasLimit: plan.transactionGasLimit)
        if let reason = try await refusal(plan, sender, story) {
            out.talk("the message would fail again: nothing is sent")
            result.explain(reason)
        } else {
            try await execute(plan, sender, &result, out)
        }
        out.data(result.json) { result.text }
        return result.isSuccess ? .done : .messageFailed
    }

    private func plan(
        _ story: MessageStory, _ reader: MessageStoryReader, _ network: BridgeNetwork, _ out: CommandOutput
    ) async throws -> ManualExecutionPlan {
        guard story.isCommitted else {
            throw Refusal.beforehand(
                "manualExecutionNotAllowed", "the message is not committed on \(story.destination.name) yet",
                wouldBe: "RootNotCommitted(uint64)",
                hint: "it waits for \(story.waitsFor ?? "a commit report"): causeway show \(story.header.messageID)")
        }
        guard let commit = story.commit else {
            throw CommandFailure(
                "commitNotFound", "the commit report of the message is not within \(blocks) blocks",
                hint: "look further with --blocks N")
        }
        try ManualExecutionPlan.checkAllowed(
            state: story.lane.state, committedAt: commit.timestamp,
            destinationTimestamp: story.lane.destinationTimestamp, threshold: story.lane.threshold)
        return try ManualExecutionPlan(
            root: commit.root, messages: try await reader.messages(under: commit.root, of: story),
            messageID: story.header.messageID,
            tokenData: try await ManualTokenData(settings: network.tokenData, timeoutSeconds: timeout).fetch(story, out),
            gas: ManualGas(receiverGasLimit: gasLimit.map { U256($0) }, tokenGas: try Self.tokenGas(tokenGas)))
    }

    /// Why the message would fail again; nil when it would not. Throws `refused` when the contract does not take the call.
    private func refusal(_ plan: ManualExecutionPlan, _ sender: Wallet, _ story: MessageStory) async throws -> RevertExplanation? {
        do throws(ChainAccessError) {
            _ = try await story.destination.endpoints.call(
                to: story.destination.contracts.offRamp, data: plan.callData, from: sender.address,
                gas: plan.transactionGasLimit)
            return nil
        } catch {
            guard error.code == .reverted else { throw error }
            let reason = RevertReason(error.revertData ?? [])
            guard reason.name == "ExecutionError" else {
                throw Refusal.failure(error, doing: "execute the message on \(story.destination.name)")
            }
            return RevertExplanation(reason)
        }
    }

    private func execute(
        _ plan: ManualExecutionPlan, _ sender: Wallet, _ result: inout ExecResult, _ out: CommandOutput
    ) async throws {
        let story = result.story
        let call = WalletCall(
            to: story.destination.contracts.offRamp, data: plan.callData, gasLimit: plan.transactionGasLimit)
        let hashes = try await sender.send([call]).map(\.hash)
        out.talk("sent \(hashes[0])")
        let receipt = try await sender.receipts(hashes, deadline: .now + .seconds(timeout))[0]
        result.place = ChainPlace(transaction: receipt.transactionHash, block: receipt.blockNumber)
        let change = receipt.logs.lazy.compactMap { log -> ExecutionStateChange? in
            guard log.log.address == story.destination.contracts.offRamp,
                case .executionStateChanged(let change) = try? OffRampEvents.decode(log.contractLog),
                change.messageID == story.header.messageID
            else { return nil }
            return change
        }.first
        guard let change else {
            // The transaction reverted as a whole, or somebody else was faster.
            let state = try await story.destination.reader.read(
                OffRampCalls.executionState(story.header.source, story.header.sequenceNumber),
                from: story.destination.contracts.offRamp)
            result.isSuccess = state == .success
            guard !result.isSuccess else { return }
            result.reason = "the transaction reverted"
            if let reason = try await refusal(plan, sender, story) { result.explain(reason) }
            return
        }
        result.isSuccess = change.state == .success
        result.gasUsed = change.gasUsed
        if !result.isSuccess { result.explain(RevertExplanation(change.returnData)) }
    }
}

/// What `exec` answers.
struct ExecResult: Sendable {
    let story: MessageStory
    let sender: Address
    let gasLimit: UInt64
    var place: ChainPlace?
    var isSuccess = false
    var gasUsed: U256?
    /// Why it failed, or would fail; nil after success.
    private(set) var explanation: RevertExplanation?
    var reason: String?

    mutating func explain(_ explanation: RevertExplanation) {
        self.explanation = explanation
        reason = explanation.text
    }

    init(story: MessageStory, sender: Address, gasLimit: UInt64) {
        self.story = story
        self.sender = sender
        self.gasLimit = gasLimit
    }

    var json: JSON {
        [
            "messageId": .string(story.header.messageID.description), "source": story.source.json,
            "destination": story.destination.json, "sequenceNumber": .integer(story.header.sequenceNumber.rawValue),
            "sender": .string(sender.checksummed), "transactionGasLimit": .string("\(gasLimit)"),
            "transaction": place.map { .hash($0.transaction) } ?? .null,
            "block": place.map { .integer($0.block) } ?? .null, "state": .string(isSuccess ? "success" : "failure"),
            "gasUsed": gasUsed.map { .string($0.decimal) } ?? .null, "reason": reason.map { .string($0) } ?? .null,
            "errors": .array((explanation?.errors ?? []).map { .string($0) }), "hint": explanation?.hint ?? .null,
        ]
    }

    var text: String {
        let id = story.header.messageID
        let hint = explanation?.advice.map { "  hint: \($0.hint)\n" } ?? ""
        guard let place else { return "\(id) would fail again: \(reason ?? "unknown")\n" + hint }
        let at = "block \(place.block) of \(story.destination.name), tx \(place.transaction)"
        return isSuccess ? "\(id) executed in \(at)\n" : "\(id) failed in \(at): \(reason ?? "unknown")\n" + hint
    }
}

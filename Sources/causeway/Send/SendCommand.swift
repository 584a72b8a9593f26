// causeway send: the fee first, then the message, and with --wait all its stages.

import ArgumentParser
import CCIP
import ChainAccess
import Ethereum
import Localnet

struct SendCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send messages and tokens from one chain to another.",
        discussion: """
            Shows the fee, lets the Router take what it needs, sends, and prints the message id. With --wait it follows each
            message through sent, finalized, committed and executed.

            Exits with 0 when it is sent (with --wait: executed), 4 when it failed at its destination, 3 when the time is up.

            Examples:
              causeway send ethereum jovay --text "hello"                      to the example receiver
              causeway send ethereum jovay --token LINK=1.5 --receiver account:2 --wait
              causeway send jovay ethereum --data 0xc0ffee --token LINK=1 --fee-token LINK --ordered --wait
              causeway send ethereum jovay --text "mend me" --receiver revertingReceiver --wait
              causeway send ethereum jovay --count 100 --wait --json           as fast as the chain takes them
              causeway send ethereum jovay --text "hello" --fee-only
            """)

    @Argument(help: "Where it starts: a chain by name, chain id or selector.")
    var from: String

    @Argument(help: "Where it goes.")
    var to: String

    @OptionGroup var message: MessageOptions
    @OptionGroup var wallet: WalletOptions

    @Option(name: .long, help: "How many times to send it.")
    var count = 1

    @Flag(name: .long, help: "Follow it to its end.")
    var wait = false

    @Option(name: .long, help: ArgumentHelp("Give up waiting after so long.", valueName: "seconds"))
    var timeout = 120

    @Flag(name: .long, help: "Show the fee and send nothing.")
    var feeOnly = false

    @OptionGroup var network: BridgeOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...CommandLimits.sendCountMaximum).contains(count) else {
            throw ValidationError("--count is from 1 to \(CommandLimits.sendCountMaximum)")
        }
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout is from 1 to 86400 s") }
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let network = try network.load()
        let (source, destination) = try network.lane(from, to)
        let sender = Wallet(key: try wallet.key(network.accounts), chain: source)
        let draft = try await message.draft(
            from: source, to: destination, accounts: network.accounts, sender: sender.address) { out.talk($0) }
        let fee = try await FeeQuotes.quote(draft, from: source, to: destination)
        out.talk("fee: \(draft.fee.text(fee))" + (count > 1 ? " each, \(count) messages" : ""))
        var result = SendResult(
            source: source, destination: destination, sender: sender.address, draft: draft, fee: fee, waited: wait)
        if !feeOnly { try await send(sender, &result, out) }
        out.data(result.json) { result.text }
        return wait && !feeOnly ? result.status : .done
    }

    private func send(_ sender: Wallet, _ result: inout SendResult, _ out: CommandOutput) async throws {
        let deadline = ContinuousClock.now + .seconds(timeout)
        let (source, destination, draft) = (result.source, result.destination, result.draft)
        result.approvals = try await sender.approve(
            draft.allowances(count: count, feeEach: result.fee), spender: source.contracts.router, deadline: deadline
        ) { out.talk($0) }
        let startBlock = try await destination.endpoints.heads().latest.number
        let calls = try await calls(sender, &result)
        let sent = try await sender.send(calls)
        let receipts = try await sender.receipts(sent.map(\.hash), deadline: deadline)
        var messages: [FollowedMessage] = []
        for (transaction, receipt) in zip(sent, receipts) {
            messages.append(try read(receipt, result, milliseconds: transaction.at.millisecondsAgo))
        }
        for message in messages { tell(out, .init(
            id: message.id, stage: .sent, milliseconds: message.sentMilliseconds, place: message.place, explanation: nil)) }
        var follower = MessageFollower(source: source.selector, messages: messages)
        if wait {
            let watch = LaneWatch(
                source: source, destination: destination, submittedAt: sent.map(\.at), startBlock: startBlock,
                deadline: deadline)
            try await watch.follow(&follower) { tell(out, $0) }
        }
        result.messages = follower.messages
        result.stage = follower.stage
    }

    /// One estimate serves all: they are alike. Prices that moved since the quote are asked again once.
    private func calls(_ sender: Wallet, _ result: inout SendResult) async throws -> [WalletCall] {
        do {
            return try await calls(sender, result)
        } catch let failure as CommandFailure where failure.names("InsufficientFeeTokenAmount") {
            result.fee = try await FeeQuotes.quote(result.draft, from: result.source, to: result.destination)
            return try await calls(sender, result)
        }
    }

    private func calls(_ sender: Wallet, _ result: SendResult) async throws -> [WalletCall] {
        let draft = result.draft
        let data = RouterCalls.send(result.destination.selector, draft.message())
        let router = result.source.contracts.router
        // Prices may rise before the block, and many take several blocks; the Router keeps what is too much.
        let room = count > 1 ? result.fee / 10 : result.fee / 50
        let value = draft.fee.isNative ? result.fee + room : .zero
        let gas = try await sender.estimate(
            data, to: router, value: value, doing: "send to \(result.destination.name)")
        return Array(repeating: WalletCall(to: router, data: data, value: value, gasLimit: gas), count: count)
    }

    /// The message in a receipt. Throws `transactionFailed`.
    private func read(_ receipt: ChainReceipt, _ result: SendResult, milliseconds: Int) throws -> FollowedMessage {
        let source = result.source
        guard receipt.succeeded else {
            throw CommandFailure(
                "transactionFailed", "the transaction \(receipt.transactionHash) failed on \(source.name)",
                hint: "prices may have moved meanwhile: try again",
                context: [(name: "transaction", value: .hash(receipt.transactionHash))])
        }
        let found = receipt.logs.lazy.compactMap { log in
            try? MessageSentEvent.decode(
                log.contractLog, source: source.selector, destination: result.destination.selector,
                onRamp: source.contracts.onRamp)
        }.first
        guard let message = found else {
            throw CommandFailure(
                "noMessage", "the transaction \(receipt.transactionHash) on \(source.name) sent no message",
                hint: "causeway check tells whether the Router's OnRamp is the one of this network")
        }
        return FollowedMessage(
            id: message.header.messageID, sequenceNumber: message.header.sequenceNumber, nonce: message.header.nonce,
            place: ChainPlace(transaction: receipt.transactionHash, block: receipt.blockNumber),
            sentMilliseconds: milliseconds)
    }

    private func tell(_ out: CommandOutput, _ event: StageEvent) { out.talk(StageLine.text(event)) }
}

/// `  1.234 s  committed  0x…  block 17  0x…`
enum StageLine {
    static func text(_ event: StageEvent) -> String {
        let colour: Terminal.Colour? =
            switch event.stage {
            case .executed: .green
            case .failed: .red
            default: nil
            }
        let name = event.stage.rawValue + String(repeating: " ", count: max(0, 9 - event.stage.rawValue.count))
        let stage = colour.map { Terminal.talk.paint(name, $0) } ?? name
        return "\(seconds(event.milliseconds))  \(stage)  \(event.id)  block \(event.place.block)"
            + "  tx \(event.place.transaction)" + (event.explanation.map { why in
                "\n           \(why.text)" + (why.advice.map { "\n           hint: \($0.hint)" } ?? "")
            } ?? "")
    }

    static func seconds(_ milliseconds: Int) -> String {
        let fraction = String(milliseconds % 1000)
        let text = "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
        return String(repeating: " ", count: max(0, 7 - text.count)) + text + " s"
    }
}

/// What `send` answers.
struct SendResult: Sendable {
    let source: BridgeChain
    let destination: BridgeChain
    let sender: Address
    let draft: MessageDraft
    var fee: U256
    let waited: Bool
    var approvals: [Hash32] = []
    var messages: [FollowedMessage] = []
    /// Nil while nothing is sent.
    var stage: MessageStage?

    var status: ExitStatus {
        switch stage {
        case .executed, nil: .done
        case .failed: .messageFailed
        case .sent, .finalized, .committed: .waiting
        }
    }

    var json: JSON {
        [
            "from": source.json, "to": destination.json, "sender": .string(sender.checksummed),
            "receiver": .string(draft.receiver.checksummed), "ordered": .bool(draft.isOrdered),
            "gasLimit": .string("\(draft.gasLimit)"), "extraArgs": .string("\(draft.extraArgs)"),
            "tokens": .array(draft.tokens.map(\.json)),
            "fee": draft.fee.json(fee), "approvals": .array(approvals.map { .hash($0) }),
            "messages": .array(messages.map(\.json)), "stage": stage.map { .string($0.rawValue) } ?? .null,
            "waited": .bool(waited),
        ]
    }

    var text: String {
        guard !messages.isEmpty else { return "fee: \(draft.fee.text(fee))\n" }
        guard waited else { return messages.map { "\($0.id)\n" }.joined() }
        func seconds(_ value: Int?) -> String { value.map { StageLine.seconds($0) } ?? "-" }
        var table = Table(["message", "stage", "sent", "finalized", "committed", "executed"])
        for message in messages {
            table.add(
                message.id.description, message.stage.rawValue, seconds(message.sentMilliseconds),
                seconds(message.finalizedMilliseconds), seconds(message.committedMilliseconds),
                seconds(message.executedMilliseconds))
        }
        return table.text()
    }
}

// Finds a message by its id or by a transaction that had to do with it. An id stands in no topic of the source's log, so
// relayers and the destination are asked first, and only then is the source looked through, from its newest block down.

import CCIP
import ChainAccess
import Ethereum
import Localnet

struct MessageFinder: Sendable {
    let network: BridgeNetwork
    /// Blocks of one chain that are looked through at most.
    let scanBlocks: UInt64

    /// A message with its log.
    struct Found: Sendable {
        let source: BridgeChain
        let destination: BridgeChain
        let message: EVM2AnyRampMessage
        let log: ChainLog
    }

    /// One message, or all of a transaction, in the order of their logs. Throws `unknownMessage` with exit code 5.
    func find(_ hash: Hash32) async throws -> [Found] {
        if let found = try await byTransaction(hash) { return found }
        let id = MessageID(hash)
        if let found = try await byID(id) { return [found] }
        throw CommandFailure(
            "unknownMessage", "no message and no transaction \(hash) on \(network.chains.map(\.name).joined(separator: ", "))",
            hint: "the newest \(scanBlocks) blocks of each chain were looked through: --blocks N looks further",
            status: .unknownMessage)
    }

    // MARK: By transaction

    /// Nil when no chain knows the hash as a transaction.
    private func byTransaction(_ hash: Hash32) async throws -> [Found]? {
        for chain in network.chains {
            if let receipt = try await chain.endpoints.receipt(hash) { return try await messages(receipt, chain) }
            if let transaction = try await chain.endpoints.transaction(hash), !transaction.isNull {
                throw CommandFailure(
                    "pending", "the transaction is in no block of \(chain.name) yet", hint: "ask again in a moment",
                    status: .waiting)
            }
        }
        return nil
    }

    private func messages(_ receipt: ChainReceipt, _ chain: BridgeChain) async throws -> [Found] {
        let sent = receipt.logs.compactMap { read($0, on: chain) }
        if !sent.isEmpty { return sent }
        var executed: [Found] = []
        for log in receipt.logs where log.log.address == chain.contracts.offRamp {
            guard case .executionStateChanged(let change) = try? OffRampEvents.decode(log.contractLog) else { continue }
            if let found = try await bySequence(change.source, chain.selector, change.sequenceNumber) {
                executed.append(found)
            }
        }
        guard executed.isEmpty else { return executed }
        throw CommandFailure(
            "unknownMessage",
            "the transaction \(receipt.transactionHash) on \(chain.name) \(receipt.succeeded ? "sent" : "failed and sent") no message",
            hint: "name the transaction of the Router, or a message id", status: .unknownMessage)
    }

    /// The message of a log of this chain's OnRamp; nil for another log, or a message to a chain that is not known here.
    private func read(_ log: ChainLog, on chain: BridgeChain) -> Found? {
        guard log.log.address == chain.contracts.onRamp, log.log.topics.first == MessageSentEvent.event.topic,
            log.log.topics.count == 3, let selector = log.log.topics[1].word.asUInt64,
            let destination = network.chain(ChainSelector(selector)),
            let message = try? MessageSentEvent.decode(
                log.contractLog, source: chain.selector, destination: destination.selector,
                onRamp: chain.contracts.onRamp)
        else { return nil }
        return Found(source: chain, destination: destination, message: message, log: log)
    }

    // MARK: By id

    private func byID(_ id: MessageID) async throws -> Found? {
        let answers = await RelayerQuestions(addresses: network.relayers).ask(id)
        if let place = answers.lazy.compactMap(\.place).first,
            let found = try await bySequence(place.source, place.destination, place.sequenceNumber),
            found.message.header.messageID == id
        {
            return found
        }
        if let found = try await byExecution(id) { return found }
        for chain in network.chains {
            let wanted = id.bytes
            let filter = LogFilter(addresses: [chain.contracts.onRamp], topics: [[MessageSentEvent.event.topic]])
            let log = try await newest(filter, on: chain) { log in
                // The id is the first word of the message, behind its offset.
                log.log.data.count >= 64 && log.log.data[32..<64].elementsEqual(wanted)
            }
            if let found = log.flatMap({ read($0, on: chain) }) { return found }
        }
        return nil
    }

    /// The id is a topic of the destination's log.
    private func byExecution(_ id: MessageID) async throws -> Found? {
        for chain in network.chains {
            let filter = LogFilter(
                addresses: [chain.contracts.offRamp],
                topics: [[OffRampEvents.executionStateChanged.topic], [], [], [id.hash]])
            guard let log = try await newest(filter, on: chain, where: { _ in true }),
                case .executionStateChanged(let change) = try? OffRampEvents.decode(log.contractLog)
            else { continue }
            return try await bySequence(change.source, chain.selector, change.sequenceNumber)
        }
        return nil
    }

    /// Both the lane and the number are topics.
    func bySequence(
        _ source: ChainSelector, _ destination: ChainSelector, _ number: SequenceNumber
    ) async throws -> Found? {
        guard let chain = network.chain(source) else { return nil }
        let filter = LogFilter(
            addresses: [chain.contracts.onRamp],
            topics: [
                [MessageSentEvent.event.topic], [Hash32(U256(destination.rawValue))], [Hash32(U256(number.rawValue))],
            ])
        return try await newest(filter, on: chain, where: { _ in true }).flatMap { read($0, on: chain) }
    }

    /// The newest log that fits, looked for in windows from the head down.
    private func newest(
        _ filter: LogFilter, on chain: BridgeChain, where fits: (ChainLog) -> Bool
    ) async throws -> ChainLog? {
        let head = try await chain.endpoints.heads().latest.number
        for range in BlockWindows.down(from: head, to: chain.startBlock, atMost: scanBlocks) {
            if let log = try await chain.endpoints.logs(filter, range).last(where: fits) { return log }
        }
        return nil
    }
}

enum BlockWindows {
    /// From the head down, without gaps or overlap, at most `atMost` blocks in all.
    static func down(from head: UInt64, to start: UInt64, atMost: UInt64) -> [ClosedRange<UInt64>] {
        let lowest = max(start, head >= atMost ? head - atMost + 1 : 0)
        guard atMost > 0, head >= lowest else { return [] }
        var windows: [ClosedRange<UInt64>] = []
        var upper = head
        while true {
            let size = CommandLimits.logWindowBlocks - 1
            let lower = upper - lowest > size ? upper - size : lowest
            windows.append(lower...upper)
            if lower == lowest { return windows }
            upper = lower - 1
        }
    }

    /// From `start` up to the head, at most `atMost` blocks in all.
    static func up(from start: UInt64, to head: UInt64, atMost: UInt64) -> [ClosedRange<UInt64>] {
        guard atMost > 0, head >= start else { return [] }
        let highest = head - start >= atMost ? start + atMost - 1 : head
        var windows: [ClosedRange<UInt64>] = []
        var lower = start
        while true {
            let size = CommandLimits.logWindowBlocks - 1
            let upper = highest - lower > size ? lower + size : highest
            windows.append(lower...upper)
            if upper == highest { return windows }
            lower = upper + 1
        }
    }
}

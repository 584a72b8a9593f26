// A transaction as its contracts mean it: the decoded call, why it reverted, and its decoded logs.

import CCIP
import ChainAccess
import Ethereum
import Localnet

struct TransactionView: Sendable {
    struct DecodedLog: Sendable {
        let address: Address
        /// Nil for a log of no contract of CCIP 1.6.
        let event: NamedCall?
        let topics: [Hash32]
        let data: Bytes
    }

    let chain: BridgeChain
    let hash: Hash32
    let from: Address?
    let to: Address?
    let value: U256
    let input: Bytes
    let call: NamedCall?
    let receipt: ChainReceipt?
    let logs: [DecodedLog]
    /// Why it reverted, where that can still be found out.
    let revert: RevertReason?

    /// Nil when the chain does not know the transaction.
    static func read(_ hash: Hash32, on chain: BridgeChain) async throws -> TransactionView? {
        guard let json = try await chain.endpoints.transaction(hash), !json.isNull else { return nil }
        let receipt = try await chain.endpoints.receipt(hash)
        let from = json["from"]?.asString.flatMap { try? Address(hex: $0) }
        let to = json["to"]?.asString.flatMap { try? Address(hex: $0) }
        let input = json["input"]?.asString.flatMap { try? Hex.decode($0) } ?? []
        let value = json["value"]?.asUInt256 ?? .zero
        var revert: RevertReason?
        if let receipt, !receipt.succeeded {
            revert = await reason(of: CallTarget(to: to, data: input, from: from, value: value), receipt, chain)
        }
        return TransactionView(
            chain: chain, hash: hash, from: from, to: to, value: value, input: input, call: ContractCatalogue.call(input),
            receipt: receipt,
            logs: (receipt?.logs ?? []).map { log in
                DecodedLog(
                    address: log.log.address, event: ContractCatalogue.event(topics: log.log.topics, data: log.log.data),
                    topics: log.log.topics, data: log.log.data)
            }, revert: revert)
    }

    /// Played again on the state before its block: a chain keeps no reasons.
    private static func reason(
        of target: CallTarget, _ receipt: ChainReceipt, _ chain: BridgeChain
    ) async -> RevertReason? {
        let before = receipt.blockNumber - min(receipt.blockNumber, 1)
        for block in [receipt.blockNumber, before] {
            guard let result = try? await chain.endpoints.calls([target], at: .number(block)).first else { continue }
            if case .failure(let error) = result, error.code == .reverted { return RevertReason(error.revertData ?? []) }
        }
        return nil
    }

    // MARK: For people

    /// Ends with a newline.
    var text: String {
        var text = "\(chain.name)  \(hash)\n"
        var table = Table(indent: 2)
        if let from { table.add("from", from.checksummed) }
        if let to { table.add("to", name(of: to)) }
        if !value.isZero { table.add("value", value.decimal) }
        text += table.text()
        if let call {
            text += "  call  \(call.name)\n" + Self.arguments(call, indent: 8)
        } else if !input.isEmpty {
            text += "  call  \(Self.cut(input))\n"
        }
        if let revert {
            text += "  reverted: \(ReasonText.text(revert))\n"
            if let advice = revert.advice { text += "  hint: \(advice.hint)\n" }
        } else if receipt?.succeeded == false {
            text += "  reverted; the state it ran on is gone, so the reason is not to be had\n"
        }
        for log in logs {
            text += "  log   \(log.event?.name ?? log.topics.first?.hex ?? "without topics")  of \(name(of: log.address))\n"
            if let event = log.event { text += Self.arguments(event, indent: 8) }
        }
        return text
    }

    private func name(of address: Address) -> String {
        if let known = chain.contracts.named.first(where: { $0.address == address }) {
            return "\(known.name) \(address.checksummed)"
        }
        if let token = chain.token(at: address) { return "\(token.symbol) \(address.checksummed)" }
        if let token = chain.token(ofPool: address) { return "pool of \(token.symbol) \(address.checksummed)" }
        return address.checksummed
    }

    private static func arguments(_ call: NamedCall, indent: Int) -> String {
        var table = Table(indent: indent)
        for argument in call.arguments { table.add(argument.name, text(argument.value)) }
        return table.text()
    }

    private static func cut(_ bytes: Bytes) -> String {
        let shown = bytes.prefix(CommandLimits.shownDataBytes)
        return Hex.encode(shown) + (bytes.count > shown.count ? "... (\(bytes.count) bytes)" : "")
    }

    private static func text(_ value: ABIValue) -> String {
        switch value {
        case .uint(let number), .int(let number): number.decimal
        case .address(let address): address.checksummed
        case .bool(let flag): flag ? "true" : "false"
        case .bytes(let bytes): cut(bytes)
        case .string(let text): "\"\(text.prefix(CommandLimits.shownDataBytes))\""
        case .array(let items): "[" + items.map(text).joined(separator: ", ") + "]"
        case .tuple(let items): "(" + items.map(text).joined(separator: ", ") + ")"
        }
    }

    // MARK: For programs

    var json: JSON {
        [
            "chain": .string(chain.name), "hash": .hash(hash), "from": from.map { .string($0.checksummed) } ?? .null,
            "to": to.map { .string($0.checksummed) } ?? .null, "value": .string(value.decimal),
            "call": call.map(Self.json) ?? .null, "input": .data(input),
            "succeeded": receipt.map { .bool($0.succeeded) } ?? .null,
            "reverted": revert.map { .string(ReasonText.text($0)) } ?? .null,
            "hint": revert?.advice.map { .string($0.hint) } ?? .null,
            "logs": .array(logs.map { log in
                [
                    "address": .string(log.address.checksummed), "event": log.event.map(Self.json) ?? .null,
                    "topics": .array(log.topics.map { .hash($0) }), "data": .data(log.data),
                ]
            }),
        ]
    }

    private static func json(_ call: NamedCall) -> JSON {
        [
            "name": .string(call.name),
            "arguments": .object(JSONObject(call.arguments.map { ($0.name, json($0.value)) })),
        ]
    }

    private static func json(_ value: ABIValue) -> JSON {
        switch value {
        case .uint(let number), .int(let number): .string(number.decimal)
        case .address(let address): .string(address.checksummed)
        case .bool(let flag): .bool(flag)
        case .bytes(let bytes): .data(bytes)
        case .string(let text): .string(text)
        case .array(let items), .tuple(let items): .array(items.map(json))
        }
    }
}

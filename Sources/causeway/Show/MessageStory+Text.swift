// The story of a message for people.

import CCIP
import Ethereum
import Foundation
import Localnet

extension MessageStory {
    /// Ends with a newline.
    var text: String {
        var result = Terminal.data.paint(header.messageID.description, .bold) + "\n\n"
        result += steps + "\n" + details
        if let waitsFor { result += "\nwaits for  " + waitsFor + "\n" }
        if let since, stage != .executed {
            result += "since      \(Self.time(since))\n"
        }
        if let advice { result += "do         " + advice + "\n" }
        if let from = manualExecutionFrom, !isManualExecutionAllowed {
            result += "           anybody may execute it from \(Self.time(from)) of \(destination.name)'s clock\n"
        }
        result += testimonies
        for other in others { result += "also sent by this transaction: \(other)\n" }
        return result
    }

    private var steps: String {
        var table = Table(indent: 2)
        func add(_ name: String, _ chain: BridgeChain, _ place: ChainPlace, _ timestamp: UInt64, _ rest: String = "") {
            table.add(name, Self.time(timestamp), "\(chain.name) block \(place.block)", "\(place.transaction)", rest)
        }
        add("sent", source, sent.place, sent.timestamp, isFinalized ? "final" : "not final yet")
        if let commit {
            let root = commit.root
            let blessing = commit.isBlessed ? ", signed by guards" : ""
            add(
                "committed", destination, commit.place, commit.timestamp,
                "root over \(root.first) to \(root.last)\(blessing)")
        } else if isCommitted {
            table.add("committed", "", "not found in the blocks that were looked at", "", "")
        }
        for attempt in attempts {
            let name = Terminal.data.paint(
                attempt.isSuccess ? "executed" : "failed", attempt.isSuccess ? .green : .red)
            add(name, destination, attempt.place, attempt.timestamp, "\(attempt.gasUsed) gas")
        }
        var text = table.text()
        if let reason = attempts.last?.reason { text += "\n  reason: \(reason)\n" }
        return text
    }

    private var details: String {
        var table = Table(indent: 2)
        table.add("lane", "\(source.name) -> \(destination.name), number \(header.sequenceNumber)")
        table.add("order", header.nonce == 0 ? "any" : "the sender's, place \(header.nonce)")
        table.add("sender", message.sender.checksummed)
        table.add("receiver", Address(word: message.receiver)?.checksummed ?? Hex.encode(message.receiver))
        table.add("gas limit", gasLimit?.decimal ?? "unknown")
        for transfer in message.tokenAmounts {
            let token = source.token(ofPool: transfer.sourcePool)
            table.add(
                "token",
                token.map { TokenAmount(token: $0, amount: transfer.amount).text }
                    ?? "\(transfer.amount.decimal) of pool \(transfer.sourcePool)")
        }
        if !message.data.isEmpty { table.add("data", Self.describe(message.data)) }
        let decimals = source.token(at: message.feeToken)?.decimals ?? 18
        table.add(
            "fee", "\(DecimalText.format(message.feeTokenAmount, decimals: decimals)) \(feeSymbol ?? message.feeToken.checksummed)")
        return table.text()
    }

    private var testimonies: String {
        let telling = telling
        guard !telling.isEmpty else {
            return relayers.isEmpty ? "" : "known to   \(relayers.count) relayer processes\n"
        }
        var table = Table(indent: 2)
        for testimony in telling {
            let since = testimony.sinceMilliseconds.map { "since \($0) ms" } ?? ""
            table.add(testimony.relayer, testimony.standing ?? "", testimony.waitsFor ?? "", since)
        }
        return "\nrelayers\n" + table.text()
    }

    /// Text where all of it is printable, else hexadecimal; long data is cut.
    static func describe(_ data: Bytes) -> String {
        let shown = data.prefix(CommandLimits.shownDataBytes)
        let isPrintable = shown.allSatisfy { (0x20...0x7e).contains($0) }
        let text = isPrintable ? "\"\(String(decoding: shown, as: UTF8.self))\"" : Hex.encode(shown)
        return data.count > shown.count ? "\(text)... (\(data.count) bytes)" : text
    }

    /// `2026-07-30T12:00:00Z`.
    static func time(_ seconds: UInt64) -> String {
        Date(timeIntervalSince1970: Double(min(seconds, 253_402_300_799))).formatted(.iso8601)
    }
}

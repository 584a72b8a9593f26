// Reading what Circle's transfer protocol leaves on chain and what its attestation service answers (4.6). Everything that
// comes in is distrusted: a wrong attestation only fails the execution, but there is one attempt.

import CCIP
import Ethereum

/// What an answer of the attestation service means for one token.
package enum AttestationAnswer: Hashable, Sendable {
    /// Off-chain token data of the destination pool.
    case ready(Bytes)
    /// Asked again after a while.
    case notReady(String)
}

package enum CCTPV1 {
    /// `MessageSent(bytes)` of the MessageTransmitter.
    package static let messageSent = ABIEvent(name: "MessageSent", inputs: [.bytes], indexed: [false])
    /// Bytes in front of the body.
    static let headerBytes = 116

    /// The message of a transfer, by nonce and domain and not by its place in the receipt: a transaction may hold several.
    package static func message(
        in logs: [ContractLog], transmitter: Address, domain: UInt32, nonce: UInt64
    ) -> Bytes? {
        for log in logs where log.address == transmitter && log.topics.first == messageSent.topic {
            guard let values = try? messageSent.decode(topics: log.topics, data: log.data),
                case .bytes(let message)? = values.first, message.count >= headerBytes,
                number(message[4..<8]) == UInt64(domain), number(message[12..<20]) == nonce
            else { continue }
            return message
        }
        return nil
    }

    /// Path of the question, behind the service's base address.
    package static func path(_ message: Bytes) -> String { "/v1/attestations/\(keccak256(message).hex)" }

    /// `{status: "complete" | "pending_confirmations", attestation: "0x...", error?}`.
    package static func read(_ answer: JSON, message: Bytes) -> AttestationAnswer {
        if let error = answer["error"]?.asString { return .notReady("the attestation service says: \(error.prefix(120))") }
        guard answer["status"]?.asString == "complete" else {
            return .notReady("attestation \(answer["status"]?.asString ?? "without a status")")
        }
        guard let text = answer["attestation"]?.asString, let attestation = Attestation.bytes(text) else {
            return .notReady("the attestation is no hex text of whole signatures")
        }
        return .ready(USDC.OffchainTokenData(message: message, attestation: attestation).encoded)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}

/// Signatures of 65 bytes each, one or more.
enum Attestation {
    static func bytes(_ text: String) -> Bytes? {
        guard text.hasPrefix("0x"), let bytes = try? Hex.decode(text), bytes.count >= 65, bytes.count % 65 == 0 else {
            return nil
        }
        return bytes
    }
}

package enum CCTPV2 {
    /// Deposits that a verifier of CCIP 2.0 watches; the hash is the same.
    static let tagVerifier: Bytes = [0x30, 0x47, 0x58, 0x7c]
    /// Bytes up to and with the maximal fee of the burn message.
    static let messageBytesMinimum = 312

    package static func path(domain: UInt32, transaction: Hash32) -> String {
        "/v2/messages/\(domain)?transactionHash=\(transaction.hex)"
    }

    /// The hash that the source pool put into the message, computed from the message that the service returns. The
    /// service's own decoding of it is not looked at.
    static func depositHash(_ message: Bytes) -> Hash32? {
        guard message.count >= messageBytesMinimum else { return nil }
        func word(_ at: Int) -> Bytes { Bytes(message[at..<(at + 32)]) }
        func padded(_ at: Int) -> Bytes { Bytes(repeating: 0, count: 28) + message[at..<(at + 4)] }
        let body = 148
        return keccak256(
            padded(4) + word(body + 68) + padded(8) + word(body + 36) + word(body + 4) + word(108) + word(body + 132)
                + padded(140))
    }

    /// Deposits of one transaction with one hash are fungible: the `rank`-th token gets the `rank`-th attestation, in the
    /// order of their nonces, and only when all `count` are there. So every oracle gives each token the same one, and no
    /// attestation twice.
    package static func read(_ answer: JSON, depositHash hash: Hash32, rank: Int, count: Int) -> AttestationAnswer {
        guard let items = answer["messages"]?.asArray else { return .notReady("the answer lists no messages") }
        guard items.count <= Limits.attestationsPerTransaction else {
            return .notReady("\(items.count) messages in one transaction")
        }
        var found: [(nonce: Bytes, data: Bytes)] = []
        var pending: String?
        for item in items {
            guard let text = item["message"]?.asString, let message = try? Hex.decode(text),
                depositHash(message) == hash
            else {
                if item["status"]?.asString != "complete" { pending = item["status"]?.asString }
                continue
            }
            guard item["status"]?.asString == "complete", let signatures = item["attestation"]?.asString,
                let attestation = Attestation.bytes(signatures)
            else {
                pending = item["status"]?.asString ?? "without a status"
                continue
            }
            let nonce = Bytes(message[12..<44])
            guard !found.contains(where: { $0.nonce == nonce }) else { continue }
            found.append((nonce, USDC.OffchainTokenData(message: message, attestation: attestation).encoded))
        }
        guard found.count >= count, rank < found.count else {
            return .notReady("\(found.count) of \(count) attestations" + (pending.map { ", others \($0)" } ?? ""))
        }
        found.sort { $0.nonce.lexicographicallyPrecedes($1.nonce) }
        return .ready(found[rank].data)
    }
}

/// Which of the equal deposits of a transaction a token is.
package enum DepositRank {
    /// Counts over all messages that the source's OnRamp sent in the transaction, in the order of their logs, to any
    /// destination. Nil when the message is not among them.
    package static func of(
        _ depositHash: Hash32, token index: Int, of id: MessageID, in logs: [ContractLog], onRamp: Address,
        rule: TokenDataRule
    ) -> (rank: Int, count: Int)? {
        var count = 0
        var rank: Int?
        for log in logs where log.address == onRamp && log.topics.first == MessageSentEvent.event.topic {
            guard let message = try? MessageSentEvent.decodeData(log.data) else { continue }
            for (position, token) in message.tokenAmounts.enumerated() {
                guard case .cctpV2(_, depositHash) = rule.need(of: token.extraData) else { continue }
                if message.header.messageID == id, position == index { rank = count }
                count += 1
            }
        }
        return rank.map { ($0, count) }
    }
}

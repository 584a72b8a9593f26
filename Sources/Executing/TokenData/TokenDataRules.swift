// Which tokens need data that no chain of the lane holds, and which data it is (4.6 of the off-chain specification, 20 of
// the on-chain one). Pure: requests and answers as values; who asks the attestation service is elsewhere.

import CCIP
import Ethereum

/// A token pool of a source chain whose tokens need an attestation of Circle's transfer protocol.
package struct TokenDataRule: Hashable, Comparable, Sendable {
    package let source: ChainSelector
    /// The pool on the source chain, as the message names it.
    package let pool: Address
    /// The MessageTransmitter of CCTP v1 there; nil where the pool is of v2 only.
    package let messageTransmitter: Address?

    package init(source: ChainSelector, pool: Address, messageTransmitter: Address?) {
        self.source = source
        self.pool = pool
        self.messageTransmitter = messageTransmitter
    }

    package static func < (a: TokenDataRule, b: TokenDataRule) -> Bool { (a.source, a.pool) < (b.source, b.pool) }
}

/// What one token of one message needs.
package enum TokenDataNeed: Hashable, Sendable {
    /// An ordinary token: empty data.
    case none
    /// The message of the source's MessageTransmitter with this nonce, and its attestation.
    case cctpV1(transmitter: Address, domain: UInt32, nonce: UInt64)
    /// A message with this deposit hash, and its attestation.
    case cctpV2(domain: UInt32, depositHash: Hash32)
    /// The pool's data is none that we know: the message waits, and says so.
    case unknown(String)
}

/// The rules of a cluster; ascending, each pool once.
package struct TokenDataRules: Hashable, Sendable {
    package let rules: [TokenDataRule]

    package init(_ rules: [TokenDataRule] = []) {
        var kept: [TokenDataRule] = []
        for rule in rules.sorted()
        where kept.last.map({ ($0.source, $0.pool) != (rule.source, rule.pool) }) ?? true { kept.append(rule) }
        self.rules = kept
    }

    package var isEmpty: Bool { rules.isEmpty }

    /// One for each token of the message.
    package func needs(of message: Any2EVMRampMessage) -> [TokenDataNeed] {
        message.tokenAmounts.map { token in
            guard let rule = rules.first(where: {
                $0.source == message.header.source && $0.pool.abiWord == token.sourcePool
            }) else { return .none }
            return rule.need(of: token.extraData)
        }
    }

    func write(to writer: inout CanonicalWriter) {
        writer.list(rules) { writer, rule in
            writer.selector(rule.source)
            writer.address(rule.pool)
            writer.flag(rule.messageTransmitter != nil)
            if let transmitter = rule.messageTransmitter { writer.address(transmitter) }
        }
    }
}

extension TokenDataRule {
    /// The forms of 20.1 to 20.3 are told apart by their length and first bytes.
    func need(of poolData: Bytes) -> TokenDataNeed {
        if poolData.count == 40, [USDC.tagV2, CCTPV2.tagVerifier].contains(Bytes(poolData.prefix(4))),
            let hash = Hash32(bytes: Bytes(poolData[8...]))
        {
            return .cctpV2(domain: Self.word(poolData[4..<8]), depositHash: hash)
        }
        if poolData.count == 32, Bytes(poolData.prefix(4)) == USDC.lockReleaseFlag,
            poolData.dropFirst(4).allSatisfy({ $0 == 0 })
        {
            return .none
        }
        guard poolData.count == 64, let data = try? USDC.SourcePoolDataV1(encoded: poolData) else {
            return .unknown("pool data of \(poolData.count) bytes is of no known form")
        }
        guard let messageTransmitter else {
            return .unknown("a CCTP v1 transfer, and no messageTransmitter is configured for pool \(pool)")
        }
        return .cctpV1(transmitter: messageTransmitter, domain: data.sourceDomain, nonce: data.nonce)
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }
}

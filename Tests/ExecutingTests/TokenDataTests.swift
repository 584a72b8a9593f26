// Off-chain token data: which token needs which, what is found on chain, what the service's answers mean.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import Executing

@Suite("Token data")
struct TokenDataTests {
    static let pool = Address(truncating: U256(7))
    static let transmitter = Address(truncating: U256(0x7e))
    let rule = TokenDataRule(source: sourceA, pool: Self.pool, messageTransmitter: Self.transmitter)

    static let deposit = USDC.DepositV2(
        sourceDomain: 3, amount: U256(1_000_000), destinationDomain: 6, mintRecipient: Hash32(U256(11)),
        burnToken: Hash32(U256(12)), destinationCaller: Hash32(U256(13)))

    /// A CCTP v2 message of this deposit, as the service returns it.
    static func messageV2(_ deposit: USDC.DepositV2, nonce: UInt64) -> Bytes {
        var bytes = Bytes(bigEndian: UInt32(1)) + Bytes(bigEndian: deposit.sourceDomain)
        bytes += Bytes(bigEndian: deposit.destinationDomain) + U256(nonce).bytes
        bytes += U256(1).bytes + U256(2).bytes + deposit.destinationCaller.bytes
        bytes += Bytes(bigEndian: deposit.minFinalityThreshold) + Bytes(bigEndian: deposit.minFinalityThreshold)
        bytes += Bytes(bigEndian: UInt32(1)) + deposit.burnToken.bytes + deposit.mintRecipient.bytes
        bytes += deposit.amount.bytes + U256(3).bytes + deposit.maxFee.bytes + U256.zero.bytes + U256.zero.bytes
        return bytes
    }

    static func messageV1(domain: UInt32, nonce: UInt64) -> Bytes {
        Bytes(bigEndian: UInt32(0)) + Bytes(bigEndian: domain) + Bytes(bigEndian: UInt32(6)) + Bytes(bigEndian: nonce)
            + Bytes(repeating: 0, count: 96) + Bytes(repeating: 9, count: 132)
    }

    static func log(_ message: Bytes, of address: Address = TokenDataTests.transmitter) -> ContractLog {
        let data = U256(32).bytes + U256(UInt64(message.count)).bytes + message
            + Bytes(repeating: 0, count: (32 - message.count % 32) % 32)
        return ContractLog(address: address, topics: [CCTPV1.messageSent.topic], data: data)
    }

    @Test("the pool's data says which transfer it is; an ordinary token needs nothing")
    func needs() {
        let v1 = USDC.SourcePoolDataV1(nonce: 77, sourceDomain: 3)
        #expect(rule.need(of: v1.encoded) == .cctpV1(transmitter: Self.transmitter, domain: 3, nonce: 77))
        #expect(rule.need(of: Self.deposit.sourcePoolData) == .cctpV2(domain: 3, depositHash: Self.deposit.hash))
        let verifier: Bytes = [0x30, 0x47, 0x58, 0x7c] + Self.deposit.sourcePoolData.dropFirst(4)
        #expect(rule.need(of: verifier) == .cctpV2(domain: 3, depositHash: Self.deposit.hash))
        #expect(rule.need(of: USDC.lockReleaseFlag + Bytes(repeating: 0, count: 28)) == .none)
        for strange in [[], Bytes(repeating: 1, count: 32), Bytes(repeating: 1, count: 40), Bytes(repeating: 1, count: 64)] {
            guard case .unknown = rule.need(of: strange) else {
                Issue.record("\(strange.count) bytes are taken for something")
                continue
            }
        }
        let second = TokenDataRule(source: sourceA, pool: Self.pool, messageTransmitter: nil)
        guard case .unknown = second.need(of: v1.encoded) else { return #expect(Bool(false)) }
        var world = World(try! configuration())
        world.send(sourceA, tokens: 2)
        let message = world.messages[sourceA]![0]
        // The first token of the model comes from pool 7 and has 32 bytes of decimals: no form of a transfer.
        let needs = TokenDataRules([rule, second]).needs(of: message)
        #expect(needs.count == 2 && needs[1] == .none)
        guard case .unknown = needs[0] else { return #expect(Bool(false), "\(needs)") }
        #expect(TokenDataRules([rule, second]).rules.count == 1)
    }

    @Test("a CCTP v1 message is found by nonce and domain among others, and only of the right contract")
    func findV1() {
        let wanted = Self.messageV1(domain: 3, nonce: 77)
        let logs = [
            Self.log(Self.messageV1(domain: 3, nonce: 76)), Self.log(Self.messageV1(domain: 4, nonce: 77)),
            Self.log(wanted, of: Address(truncating: 5)), Self.log([1, 2, 3]), Self.log(wanted),
        ]
        func find(_ logs: [ContractLog]) -> Bytes? {
            CCTPV1.message(in: logs, transmitter: Self.transmitter, domain: 3, nonce: 77)
        }
        #expect(find(logs) == wanted && find(Array(logs.dropLast())) == nil)
        #expect(CCTPV1.path(wanted) == "/v1/attestations/" + keccak256(wanted).hex)
    }

    @Test("only a complete answer with whole signatures is token data")
    func readV1() throws {
        let message = Self.messageV1(domain: 3, nonce: 77)
        let signature = "0x" + String(repeating: "ab", count: 130)
        let whole: JSON = ["status": "complete", "attestation": .string(signature)]
        guard case .ready(let data) = CCTPV1.read(whole, message: message) else { return #expect(Bool(false)) }
        let decoded = try USDC.OffchainTokenData(encoded: data)
        #expect(decoded.message == message && decoded.attestation.count == 130)
        let others: [JSON] = [
            ["status": "pending_confirmations", "attestation": "PENDING"], ["error": "Message hash not found"], [], "text",
            ["status": "complete"], ["status": "complete", "attestation": "0xabab"], ["attestation": .string(signature)],
        ]
        for other in others {
            guard case .notReady(let why) = CCTPV1.read(other, message: message) else {
                Issue.record("\(other.text) is taken for an attestation")
                continue
            }
            #expect(!why.isEmpty)
        }
    }

    static func answerV2(_ items: [(Bytes, String)]) -> JSON {
        ["messages": .array(items.map { message, status in
            [
                "message": .data(message), "status": .string(status), "cctpVersion": 2,
                "attestation": status == "complete" ? .string("0x" + String(repeating: "cd", count: 65)) : "PENDING",
            ]
        })]
    }

    @Test("equal deposits of one transaction get one attestation each, in any order of the answer", arguments: 0..<20 as Range<UInt64>)
    func assignV2(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var other = Self.deposit
        other.amount = U256(5)
        let equal = (1...4 as ClosedRange<UInt64>).map { (Self.messageV2(Self.deposit, nonce: $0 * 1_000), "complete") }
        var items = equal + [(Self.messageV2(other, nonce: 9), "complete"), (Self.messageV2(other, nonce: 10), "pending")]
        for index in items.indices { items.swapAt(index, random.below(items.count)) }
        var given: [Bytes] = []
        for rank in 0..<4 {
            guard case .ready(let data) = CCTPV2.read(
                Self.answerV2(items), depositHash: Self.deposit.hash, rank: rank, count: 4)
            else { return #expect(Bool(false)) }
            given.append(try USDC.OffchainTokenData(encoded: data).message)
        }
        #expect(given == equal.map(\.0))
        // One that is missing or pending holds up all of them: the ranks would shift.
        let missing = equal[random.below(4)].0
        let fewer = items.filter { $0.0 != missing }
        guard case .notReady = CCTPV2.read(Self.answerV2(fewer), depositHash: Self.deposit.hash, rank: 0, count: 4) else {
            return #expect(Bool(false))
        }
        #expect(CCTPV2.path(domain: 3, transaction: .zero).hasPrefix("/v2/messages/3?transactionHash=0x00"))
    }

    @Test("the hash of a deposit is computed from the message and is the pool's own")
    func depositHash() {
        #expect(CCTPV2.depositHash(Self.messageV2(Self.deposit, nonce: 5)) == Self.deposit.hash)
        #expect(CCTPV2.depositHash(Bytes(repeating: 0, count: 311)) == nil)
    }

    @Test("requests are spaced, a full queue and a cool-down are said, and no pause is longer than ten minutes")
    func pacer() {
        var pacer = RequestPacer(spacing: 100, coolDown: 300_000)
        #expect(pacer.reserve(now: 1_000) == .at(1_000) && pacer.reserve(now: 1_000) == .at(1_100))
        #expect(pacer.reserve(now: 5_000) == .at(5_000))
        var slots = 0
        while case .at = pacer.reserve(now: 5_000) { slots += 1 }
        #expect(slots == 49)
        pacer.throttled(retryAfterSeconds: nil, now: 20_000)
        #expect(pacer.reserve(now: 20_001) == .notBefore(320_000) && pacer.reserve(now: 320_000) == .at(320_000))
        pacer.throttled(retryAfterSeconds: .max, now: 400_000)
        #expect(pacer.reserve(now: 999_999) == .notBefore(1_000_000))
        pacer.throttled(retryAfterSeconds: 2, now: 1_000_000)
        #expect(pacer.reserve(now: 1_001_999) == .notBefore(1_002_000) && pacer.reserve(now: 1_002_000) == .at(1_002_000))
    }
}

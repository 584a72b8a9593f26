// The short way of decoding against the long one: what it takes is the same transaction, and what is not canonical it
// leaves alone.

import TestSupport
import Testing

@testable import Ethereum

@Suite("Decoding of common transactions")
struct CommonDecodingTests {
    private static func random(_ random: inout SplitMix64) throws -> SignedTransaction {
        let key = try PrivateKey(bytes: random.hash32().bytes)
        return Transaction.dynamicFee(
            chainID: random.next() >> UInt64(random.below(64)), nonce: random.next() >> UInt64(random.below(64)),
            maxPriorityFeePerGas: random.word(), maxFeePerGas: random.word(),
            gasLimit: random.next() >> UInt64(random.below(64)), to: random.below(4) == 0 ? nil : random.address(),
            value: random.word(), data: random.bytes(random.below(3) == 0 ? 0 : random.below(300))
        ).signed(by: key)
    }

    @Test("a signed transaction comes back whole, with its sender")
    func roundTrip() throws {
        var generator = SplitMix64.forTest()
        for _ in 0..<300 {
            let signed = try Self.random(&generator)
            let short = try #require(SignedTransaction.decodeCommon(signed.encoded))
            #expect(short == signed && short.hash == signed.hash)
            #expect(short.transaction == signed.transaction && short.signature == signed.signature)
            #expect(try short.sender() == signed.sender())
        }
    }

    @Test("bytes that are changed anywhere decode as the long way has it, or not at all")
    func mutations() throws {
        var generator = SplitMix64.forTest()
        var taken = 0
        for _ in 0..<4_000 {
            var bytes = try Self.random(&generator).encoded
            for _ in 0..<generator.below(3) + 1 {
                switch generator.below(3) {
                case 0: bytes[generator.below(bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
                case 1: bytes.remove(at: generator.below(bytes.count))
                default: bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: generator.below(bytes.count))
                }
            }
            guard let short = SignedTransaction.decodeCommon(bytes) else { continue }
            taken += 1
            let again = SignedTransaction(transaction: short.transaction, signature: short.signature)
            #expect(again.encoded == bytes, "only the canonical form is taken")
            #expect((try? short.sender()) == (try? again.sender()))
        }
        #expect(taken > 100)
    }

    @Test("access lists and other kinds go the long way")
    func others() throws {
        let key = try PrivateKey(bytes: U256(7).bytes)
        var transaction = Transaction.dynamicFee(
            chainID: 1, nonce: 1, maxPriorityFeePerGas: 1, maxFeePerGas: 2, gasLimit: 21_000, to: .zero, value: 1)
        transaction.accessList = [AccessListEntry(address: .zero, storageKeys: [])]
        let listed = transaction.signed(by: key)
        #expect(SignedTransaction.decodeCommon(listed.encoded) == nil)
        #expect(try SignedTransaction.decode(listed.encoded) == listed)
        let legacy = Transaction.legacy(
            chainID: 1, nonce: 0, gasPrice: 1, gasLimit: 21_000, to: .zero, value: 0, data: []
        ).signed(by: key)
        #expect(SignedTransaction.decodeCommon(legacy.encoded) == nil)
    }
}

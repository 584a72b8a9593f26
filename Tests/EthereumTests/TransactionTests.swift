// Transactions: round trips of all types, refusals, gas.

import Ethereum
import TestSupport
import Testing

@Suite("Transactions")
struct TransactionTests {
    private static func random(_ kind: Transaction.Kind, _ random: inout SplitMix64) -> Transaction {
        let price = U256(random.next() >> 8)
        var result = Transaction(
            kind: kind,
            chainID: kind == .legacy && random.below(3) == 0 ? nil : random.next() >> UInt64(random.below(60)),
            nonce: random.next() >> 1, maxPriorityFeePerGas: price, maxFeePerGas: price, gasLimit: 10_000_000,
            to: random.below(4) == 0 ? nil : random.address(), value: random.word(),
            data: random.bytes(random.below(100)))
        if kind == .legacy { return result }
        result.accessList = (0..<random.below(3)).map { _ in
            AccessListEntry(address: random.address(), storageKeys: (0..<random.below(3)).map { _ in random.hash32() })
        }
        if kind != .accessList { result.maxFeePerGas = price + 7 }
        if kind == .blob {
            result.maxFeePerBlobGas = random.word()
            result.blobVersionedHashes = [Hash32((U256(1) << 248) | (random.hash32().word >> 8))]
        }
        if kind == .setCode {
            let key = PrivateKey.random()
            result.authorizations = [
                .signed(by: key, chainID: random.word(), address: random.address(), nonce: random.next())
            ]
        }
        if kind == .blob || kind == .setCode { result.to = random.address() }
        return result
    }

    @Test("every kind survives signing, encoding and decoding, with the sender", arguments: Transaction.Kind.allCases)
    func roundTrip(kind: Transaction.Kind) throws {
        var random = SplitMix64.forTest("roundTrip \(kind)")
        for _ in 0..<50 {
            let key = try PrivateKey(bytes: random.bytes(32))
            let transaction = Self.random(kind, &random)
            let signed = transaction.signed(by: key)
            let decoded = try SignedTransaction.decode(signed.encoded)
            #expect(decoded.transaction == transaction)
            #expect(decoded == signed)
            #expect(decoded.hash == keccak256(signed.encoded))
            #expect(try decoded.validate(rules: .prague, chainID: transaction.chainID ?? 5) == key.address)
            #expect(try SignedTransaction.decode(inBlock: decoded.blockItem) == signed)
            if let chainID = transaction.chainID {
                #expect(throws: EthereumError.self) { try decoded.validate(rules: .prague, chainID: chainID ^ 1) }
            }
            #expect(throws: EthereumError.self) { try SignedTransaction.decode(signed.encoded + [0]) }
            #expect(throws: EthereumError.self) { try SignedTransaction.decode(Bytes(signed.encoded.dropLast())) }
        }
    }

    @Test("damaged transactions are refused by name, or are canonical all the same")
    func fuzz() throws {
        var random = SplitMix64.forTest()
        let key = try PrivateKey(bytes: random.bytes(32))
        for kind in Transaction.Kind.allCases {
            for _ in 0..<500 {
                var bytes = Self.random(kind, &random).signed(by: key).encoded
                bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
                if let decoded = try? SignedTransaction.decode(bytes) { #expect(decoded.encoded == bytes) }
            }
        }
    }

    @Test("EIP-155's own example: signing hash and wire form")
    func eip155() throws {
        let key = try PrivateKey(hex: String(repeating: "46", count: 32))
        let transaction = Transaction.legacy(
            chainID: 1, nonce: 9, gasPrice: 20_000_000_000, gasLimit: 21_000,
            to: try Address(hex: "0x" + String(repeating: "35", count: 20)), value: 1_000_000_000_000_000_000)
        #expect(transaction.signingHash.hex == "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53")
        #expect(
            Hex.encodeBare(transaction.signed(by: key).encoded)
                == "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a0"
                + "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb70330"
                + "4b3800ccf555c9f3dc64214b297fb1966a3b6d83"
        )
    }

    @Test("rules refuse what they must, each by itself")
    func rules() throws {
        let key = try PrivateKey(hex: String(repeating: "46", count: 32))
        let good = Transaction.dynamicFee(
            chainID: 1, nonce: 0, maxPriorityFeePerGas: 1, maxFeePerGas: 2, gasLimit: 21_000, to: key.address)
        try good.signed(by: key).validate(rules: .prague, chainID: 1)
        func refused(_ rules: TransactionRules = .prague, _ change: (inout Transaction) -> Void) {
            var bad = good
            change(&bad)
            #expect(throws: EthereumError.self) { try bad.signed(by: key).validate(rules: rules, chainID: 1) }
        }
        refused(.berlin) { _ in }
        refused(.shanghai) { $0.kind = .blob }
        refused(.cancun) { $0.kind = .setCode }
        refused { $0.gasLimit = 20_999 }
        refused { $0.nonce = .max }
        refused { $0.maxPriorityFeePerGas = 3 }
        refused { $0.maxFeePerGas = .max }
        refused { $0.chainID = 2 }
        refused { $0.kind = .setCode }
        refused { $0.kind = .blob }
        refused {
            $0.kind = .blob
            $0.blobVersionedHashes = [Hash32(U256(2) << 248)]
        }
        refused {
            $0.to = nil
            $0.gasLimit = 10_000_000
            $0.data = Bytes(repeating: 0, count: 49_153)
        }
        // 22,600 covers the intrinsic gas of a hundred bytes, but not Prague's floor of 25,000.
        var data = good
        data.data = Bytes(repeating: 1, count: 100)
        data.gasLimit = 22_600
        try data.signed(by: key).validate(rules: .cancun, chainID: 1)
        #expect(throws: EthereumError.self) { try data.signed(by: key).validate(rules: .prague, chainID: 1) }
        data.gasLimit = 25_000
        try data.signed(by: key).validate(rules: .prague, chainID: 1)
        let twin = SignedTransaction(transaction: good, signature: good.signed(by: key).signature.flipped)
        #expect(try twin.sender() == key.address)
        #expect(throws: EthereumError.self) { try twin.validate(rules: .prague, chainID: 1) }
    }

    @Test("types past 4 and the blobs' network form are refused by name")
    func unknownTypes() {
        for bytes in [[5, 0xc0], [0x7f, 0xc0], [0, 0xc0]] as [Bytes] {
            #expect { try SignedTransaction.decode(bytes) } throws: { ($0 as? EthereumError)?.code == .unsupported }
        }
        for bytes in [[], [0x80], [0xbf], [0xc0], [2], [3, 0xc4, 0xc0, 0xc0, 0xc0, 0xc0]] as [Bytes] {
            #expect { try SignedTransaction.decode(bytes) } throws: {
                ($0 as? EthereumError)?.code == .malformedTransaction
            }
        }
    }

    @Test("gas: data floor, access list, authorizations and init code words")
    func gas() {
        var transaction = Transaction.dynamicFee(
            chainID: 1, nonce: 0, maxPriorityFeePerGas: 0, maxFeePerGas: 0, gasLimit: 0, to: .zero,
            data: [0, 0, 0, 1, 1])
        #expect(transaction.intrinsicGas(.cancun) == 21_000 + 12 + 32)
        #expect(transaction.floorGas(.cancun) == 0)
        #expect(transaction.floorGas(.prague) == 21_000 + 10 * (3 + 8))
        transaction.accessList = [AccessListEntry(address: .zero, storageKeys: [.zero, .zero])]
        transaction.authorizations = [Authorization(chainID: 0, address: .zero, nonce: 0, yParity: 0, r: 0, s: 0)]
        #expect(transaction.intrinsicGas(.prague) == 21_000 + 44 + 2_400 + 3_800 + 25_000)
        transaction.to = nil
        transaction.data = Bytes(repeating: 0, count: 33)
        #expect(transaction.intrinsicGas(.prague) == 21_000 + 132 + 32_000 + 4 + 2_400 + 3_800 + 25_000)
    }

    @Test("the price of a gas is the base fee and as much priority as the maximum leaves")
    func price() {
        let transaction = Transaction.dynamicFee(
            chainID: 1, nonce: 0, maxPriorityFeePerGas: 3, maxFeePerGas: 10, gasLimit: 0, to: nil)
        #expect(transaction.effectiveGasPrice(baseFee: 5) == 8)
        #expect(transaction.effectiveGasPrice(baseFee: 9) == 10)
        #expect(transaction.effectiveGasPrice(baseFee: 10) == 10)
        #expect(transaction.effectiveGasPrice(baseFee: 11) == nil)
    }

    @Test("an authorization tells who gave it, and none when it was changed")
    func authorization() throws {
        let key = try PrivateKey(hex: String(repeating: "46", count: 32))
        var given = Authorization.signed(by: key, chainID: 1, address: .zero, nonce: 3)
        #expect(given.authority == key.address)
        given.nonce = 4
        #expect(given.authority != key.address)
        given.nonce = 3
        given.s = Secp256k1.order - given.s
        given.yParity ^= 1
        #expect(given.authority == nil)
        given.yParity = 2
        #expect(given.authority == nil)
    }
}

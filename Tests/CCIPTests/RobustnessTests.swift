// Hostile bytes, trees, registries, gas and the canonical encoding: what has no vector.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import CCIP

@Suite("Hostile bytes")
struct HostileBytesTests {
    /// Valid encodings and their strict decoders, which give back an encoding.
    static func decoders() throws -> [(String, Bytes, @Sendable (Bytes) throws -> Bytes)] {
        let commit = try #require(try Vector.list("commitReports").last).bytes("encoded")
        let execution = try #require(try Vector.list("executionReports").last).bytes("encoded")
        let event = try #require(try Vector.list("onRampMessages").first).at("log").bytes("data")
        let message = try #require(try Vector.list("any2EvmMessageHash").last).at("message").any2EVM().encoded
        let svm = try #require(try Vector.list("extraArgs").last).bytes("encoded")
        return [
            ("CommitReport", commit, { try CommitReport(encoded: $0).encoded }),
            ("ExecutionReport[]", execution, { try [ExecutionReport](encodedReports: $0).encodedReports }),
            ("CCIPMessageSent", event, { try MessageSentEvent.decodeData($0).encoded }),
            ("Any2EVMRampMessage", message, { try Any2EVMRampMessage(encoded: $0).encoded }),
            ("ExtraArgs", svm, { try ExtraArgs(decoding: $0).encoded }),
        ]
    }

    @Test("a decoder takes only what its encoder gives, whatever bytes come")
    func fuzz() throws {
        var random = SplitMix64.forTest()
        for (name, valid, decode) in try Self.decoders() {
            #expect(try decode(valid) == valid, "\(name)")
            for _ in 0..<400 {
                var bytes = valid
                switch random.below(4) {
                case 0: bytes.removeLast(1 + random.below(min(96, bytes.count)))
                case 1: bytes += random.bytes(1 + random.below(64))
                case 2: bytes[random.below(bytes.count)] ^= UInt8(1 + random.below(255))
                default: bytes = random.bytes(random.below(600))
                }
                // Either refused, or the very bytes of the decoded value.
                if let again = try? decode(bytes) { #expect(again == bytes, "\(name)") }
            }
        }
    }

    @Test("no revert data stops the reader of reverts")
    func fuzzReverts() throws {
        var random = SplitMix64.forTest()
        let selectors = ErrorSignatures.all.map { ABIFunction(constant: $0).selector }
        for _ in 0..<2_000 {
            let data = selectors[random.below(selectors.count)] + random.bytes(random.below(300))
            _ = RevertReason(data).description
            _ = RevertReason(random.bytes(random.below(100))).reaction
        }
        let huge = selectors[0] + Bytes(repeating: 0, count: 1 << 20)
        #expect(RevertReason(huge).errors.count == 1)
    }

    @Test("no log stops the reader of events")
    func fuzzLogs() {
        var random = SplitMix64.forTest()
        for _ in 0..<1_000 {
            let event = OffRampEvents.all[random.below(OffRampEvents.all.count)]
            let topics = [event.topic] + (0..<random.below(4)).map { _ in random.hash32() }
            let log = ContractLog(address: .zero, topics: topics, data: random.bytes(random.below(400)))
            _ = try? OffRampEvents.decode(log)
        }
        #expect((try? OffRampEvents.decode(ContractLog(address: .zero, topics: [], data: []))) == .some(nil))
        let bad = ContractLog(address: .zero, topics: [OffRampEvents.alreadyAttempted.topic], data: [1])
        #expect(throws: CCIPError.self) { try OffRampEvents.decode(bad) }
    }
}

@Suite("Merkle trees")
struct MerkleTreeTests {
    static func leaves(_ count: Int) -> [Hash32] { (0..<count).map { keccak256([UInt8(truncatingIfNeeded: $0)]) } }

    @Test("roots over the hashes of single bytes", arguments: [
        (1, "bc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a"),
        (2, "4e17fb1d17487cef5a171b79e35aaa143cee89db60e37ff8a62fc929410cae11"),
        (3, "993d74a8f03ff458cf22ce85bf5631693ecae62d3768f9dbb0fe9543b949d040"),
        (5, "9f36ec592d09e4ed1b9401962b5fd9dd97e8a672cacbb3ede298f91135cd1794"),
        (9, "5ed3f5c62f301c80247365b770cd7484051c88ff1d7c041b0d2b597a9ccab4b4"),
        (255, "b322974d21f351669512fe00d52c1a6ef16ee9c55479c60137559e6c6c39c61b"),
        (256, "1942def30f38f955534851107c33aca718e37c6772a53c2bbd6688c48ced6937"),
    ])
    func roots(count: Int, root: String) throws {
        #expect(try MerkleTree(leaves: Self.leaves(count)).root == Hash32(hex: root))
    }

    @Test("any subset of any tree proves its root, and nothing else")
    func subsets() throws {
        var random = SplitMix64.forTest()
        for _ in 0..<200 {
            let count = 1 + random.below(256)
            let leaves = Self.leaves(count)
            let tree = try MerkleTree(leaves: leaves)
            var indices = (0..<count).filter { _ in random.below(3) == 0 }
            if indices.isEmpty { indices = [random.below(count)] }
            let proof = try tree.proof(indices: indices)
            let chosen = indices.map { leaves[$0] }
            #expect(try proof.root(leaves: chosen) == tree.root)
            // Planted faults: each must be caught.
            var changed = chosen
            changed[random.below(changed.count)] = random.hash32()
            #expect((try? proof.root(leaves: changed)) != tree.root)
            if let first = proof.hashes.first {
                let short = MultiProof(hashes: Array(proof.hashes.dropFirst()), flagBits: proof.flagBits)
                // The verifier may accept the shape, as the contract does: then the root is another one.
                #expect((try? short.root(leaves: chosen)) != tree.root)
                let long = MultiProof(hashes: proof.hashes + [first], flagBits: proof.flagBits)
                #expect((try? long.root(leaves: chosen)) != tree.root)
            }
        }
    }

    @Test("bounds: no leaf, too many, indices out of order")
    func bounds() throws {
        #expect(throws: CCIPError.self) { try MerkleTree(leaves: []) }
        #expect(throws: CCIPError.self) { try MerkleTree(leaves: Self.leaves(257)) }
        let tree = try MerkleTree(leaves: Self.leaves(3))
        for indices in [[], [3], [-1], [1, 1], [2, 0]] {
            #expect(throws: CCIPError.self) { try tree.proof(indices: indices) }
        }
        let empty = MultiProof(hashes: [], flagBits: .zero)
        #expect(throws: CCIPError.self) { try empty.root(leaves: []) }
        #expect(throws: CCIPError.self) { try empty.root(leaves: Self.leaves(258)) }
        let many = MultiProof(hashes: Self.leaves(257), flagBits: .zero)
        #expect(throws: CCIPError.self) { try many.root(leaves: Self.leaves(1)) }
    }
}

@Suite("Known chains")
struct ChainRegistryTests {
    @Test("a chain answers to its names, id and selector", arguments: [
        "ethereum", "Sepolia", "ethereum-testnet-sepolia", "11155111", "16015286601757825753", "0xde41ba4fc9d91ad9",
    ])
    func names(text: String) throws {
        #expect(try ChainRegistry().chain(named: text).chainID == 11_155_111)
    }

    @Test("selectors, curse subjects and uniqueness")
    func table() throws {
        let registry = ChainRegistry()
        #expect(registry.chain(chainID: 2_019_775)?.selector == 945_045_181_441_419_236)
        #expect(registry.chain(chainID: 688_689)?.selector == 16_098_325_658_947_243_212)
        #expect(registry.chain(chainID: 84_532)?.selector == 10_344_971_235_874_465_080)
        #expect(registry.name(of: 945_045_181_441_419_236) == "jovay" && registry.name(of: 5) == "5")
        let jovay = try registry.chain(named: "jovay")
        #expect(Hex.encode(jovay.selector.curseSubject) == "0x00000000000000000d1d7995e082a7e4")
        #expect(Set(registry.chains.map(\.selector)).count == registry.chains.count)
        #expect(Set(registry.chains.map(\.chainID)).count == registry.chains.count)
        #expect(Set(registry.chains.flatMap(\.names)).count == registry.chains.flatMap(\.names).count)
    }

    @Test("an unknown name brings the nearest one", arguments: [
        ("jovey", "jovay"), ("etherium", "ethereum"), ("pharoz", "pharos"), ("201977", "2019775"),
    ])
    func suggestions(text: String, nearest: String) {
        do throws(CCIPError) {
            _ = try ChainRegistry().chain(named: text)
            Issue.record("\(text) is no chain")
        } catch {
            #expect(error.code == .unknownChain && error.hint.contains(nearest))
        }
    }

    @Test("an added chain replaces the one it clashes with")
    func adding() throws {
        var registry = ChainRegistry()
        registry.add(KnownChain(name: "mine", registryName: "mine", chainID: 2_019_775, selector: 42))
        #expect(try registry.chain(named: "mine").selector == 42)
        #expect(throws: CCIPError.self) { try registry.chain(named: "jovay") }
    }
}

@Suite("Gas of an execution")
struct ExecutionGasTests {
    static func message(gas: UInt64, data: Int = 0, tokens: Int = 0) -> Any2EVMRampMessage {
        Any2EVMRampMessage(
            header: RampMessageHeader(
                messageID: MessageID(.zero), source: 1, destination: 2, sequenceNumber: 1, nonce: 0),
            sender: Address.zero.abiWord, data: Bytes(repeating: 7, count: data), receiver: .zero,
            gasLimit: U256(gas),
            tokenAmounts: (0..<tokens).map { _ in
                Any2EVMTokenTransfer(
                    sourcePool: Address.zero.abiWord, destinationToken: .zero, destinationGas: 90_000, extraData: [],
                    amount: .one)
            })
    }

    static func report(_ messages: [Any2EVMRampMessage]) -> [ExecutionReport] {
        [
            ExecutionReport(
                source: 1, messages: messages,
                offchainTokenData: messages.map { $0.tokenAmounts.map { _ in [] } }, proofs: [], proofFlagBits: .zero)
        ]
    }

    @Test("the limit is never below the measured formula, the estimate and the call data's floor", arguments: [
        (0, 0, 0), (200_000, 0, 0), (2_000_000, 100, 0), (3_000_000, 30_000, 1), (100_000, 12_000, 5),
    ])
    func limit(gas: Int, data: Int, tokens: Int) {
        let message = Self.message(gas: UInt64(gas), data: data, tokens: tokens)
        let reports = Self.report([message, message])
        let context = ReportContext(configurationDigest: .zero, sequenceNumber: 1)
        let limit = ExecutionGas.limit(reports, context: context)
        let inner = UInt64(gas) + UInt64(tokens) * 310_000
        let measured = 300_000 + 2 * (350_000 + 60 * UInt64(data) + (inner * 66 + 62) / 63)
        #expect(limit >= measured)
        #expect(limit >= ExecutionGas.estimated(reports))
        #expect(limit >= 21_000 + 40 * UInt64(2 * data))
        #expect(limit * 63 / 64 > 2 * UInt64(gas))
    }

    @Test("the measured case of the real contracts: 305 k were needed for 200 k")
    func measuredCase() {
        #expect(ExecutionGas.limit(Self.report([Self.message(gas: 200_000)]), callData: []) > 305_000)
    }

    @Test("absurd gas limits saturate")
    func saturation() {
        var message = Self.message(gas: .max, tokens: 2)
        #expect(ExecutionGas.limit(Self.report([message]), callData: []) == .max)
        message.gasLimit = .max
        #expect(ExecutionGas.limit(Self.report([message, message]), callData: []) == .max)
    }

    @Test("a commit has room for its signatures and roots")
    func commit() {
        #expect(CommitGas.limit(CommitReport(), signatures: 2, callData: []) == 500_000)
        let root = MerkleRoot(source: 1, onRamp: [], first: 1, last: 1, root: .zero)
        let many = CommitReport(unblessed: Array(repeating: root, count: 10))
        #expect(CommitGas.limit(many, signatures: 11, callData: Bytes(repeating: 1, count: 5_000)) > 1_200_000)
    }
}

@Suite("Prices, buckets, signatures, the canonical encoding")
struct SmallPartsTests {
    @Test("deviation at its threshold and at zero", arguments: [
        (0, 0, 0, false), (0, 1, 5, true), (1, 0, 5, true), (100, 100, 0, false), (1000, 1001, 1_000_000, false),
        (1000, 1002, 1_000_000, true), (1002, 1000, 1_999_999, true), (1002, 1000, 2_000_000, false),
    ])
    func deviation(a: Int, b: Int, ppb: Int, expected: Bool) {
        #expect(PriceDeviation.deviates(U256(a), U256(b), partsPerBillion: U256(ppb)) == expected)
    }

    @Test("gas prices pack into halves and refuse 113 bits")
    func packing() throws {
        let top = (U256.one << 112) - .one
        let price = try PackedGasPrice(execution: top, dataAvailability: 5)
        #expect(price.packed.value == (U256(5 as UInt64) << 112 | top))
        #expect(PackedGasPrice(price.packed) == price)
        #expect(try PackedGasPrice(execution: top, dataAvailability: top).packed.value.bitWidth == 224)
        #expect(throws: CCIPError.self) { try PackedGasPrice(execution: top + .one, dataAvailability: 0) }
        #expect(throws: CCIPError.self) { try PackedGasPrice(execution: 0, dataAvailability: top + .one) }
        #expect(UInt224(U256.one << 224) == nil)
    }

    @Test("fees are refused where the FeeQuoter refuses or panics")
    func fees() {
        let token = Address(truncating: U256(9 as UInt64))
        func code(
            data: Int = 0, tokens: Int = 0, fee: Address? = nil, args: Bytes = [],
            _ change: (inout DestinationChainConfig) -> Void = { _ in }
        ) -> CCIPError.Code? {
            var configuration = DestinationChainConfig()
            change(&configuration)
            let quote = FeeQuote(
                configuration: configuration, gasPrice: PackedGasPrice(UInt224(1 as UInt64)),
                tokenPrices: [token: UInt224(1 as UInt64)], premiumMultipliers: [:], tokenTransferFees: [:])
            do throws(CCIPError) {
                _ = try quote.fee(
                    dataLength: data,
                    tokenAmounts: (0..<tokens).map { _ in EVMTokenAmount(token: token, amount: .one) },
                    feeToken: fee ?? token, extraArgs: args)
                return nil
            } catch { return error.code }
        }
        #expect(code() == nil)
        #expect(code { $0.isEnabled = false } == .feeRefused)
        #expect(code(data: 30_001) == .feeRefused)
        #expect(code(data: -1) == .feeRefused)
        #expect(code(tokens: 2) == .feeRefused)
        #expect(code(fee: .zero) == .feeRefused)
        #expect(code(args: ExtraArgs.evmV1(gasLimit: 3_000_001).encoded) == .feeRefused)
        #expect(code { $0.enforceOutOfOrder = true } == .feeRefused)
        #expect(code(args: [1, 2]) == .unsupportedExtraArgs)
        #expect(code(data: 5_000) { $0.destinationGasPerPayloadByteThreshold = 4_096 } == .feeOverflow)
    }

    @Test("a disabled bucket lets everything through; one without refill refuses")
    func buckets() {
        var off = TokenBucket(tokens: 0, lastUpdated: 0, isEnabled: false, capacity: 0, rate: 0)
        #expect(throws: Never.self) { try off.consume(.max, at: 5) }
        var dry = TokenBucket(tokens: 0, lastUpdated: 0, isEnabled: true, capacity: 10, rate: 0)
        #expect(throws: TokenBucket.Refusal.neverRefills) { try dry.consume(1, at: 5) }
        var over = TokenBucket(tokens: 11, lastUpdated: 0, isEnabled: true, capacity: 10, rate: 1)
        #expect(throws: TokenBucket.Refusal.overfilled) { try over.consume(1, at: 5) }
        let old = TokenBucket(tokens: 1, lastUpdated: 0, isEnabled: true, capacity: .max, rate: .max)
        #expect(old.available(at: .max) == .max)
    }

    @Test("33 signatures do not fit rawVs; manual overrides need the reports' shape")
    func shapes() {
        let signature = Signature(r: 1, s: 1, yParity: 0)
        #expect(throws: CCIPError.self) { try PackedSignatures(Array(repeating: signature, count: 33)) }
        let report = ExecutionGasTests.report([ExecutionGasTests.message(gas: 1, tokens: 1)])
        let none = GasLimitOverride.none(for: report[0].messages[0])
        #expect(throws: Never.self) { try ManualExecution.call(reports: report, overrides: [[none]]) }
        #expect(throws: CCIPError.self) { try ManualExecution.call(reports: report, overrides: []) }
        #expect(throws: CCIPError.self) { try ManualExecution.call(reports: report, overrides: [[]]) }
        #expect(throws: CCIPError.self) { try ManualExecution.call(reports: [], overrides: []) }
        let wrong = GasLimitOverride(receiverExecutionGasLimit: 0, tokenGasOverrides: [])
        #expect(throws: CCIPError.self) { try ManualExecution.call(reports: report, overrides: [[wrong]]) }
    }

    @Test("answers of contracts decode, and an empty answer says that there is no contract")
    func answers() throws {
        let call = OffRampCalls.sourceChainConfig(7)
        let onRamp = Address(truncating: U256(3 as UInt64)).abiWord
        let answer = try ABI.encode(
            [.tuple([.address(Address(truncating: .one)), .bool(true), .uint(4 as UInt64), .bool(true), .bytes(onRamp)])],
            as: [ABIType("(address,bool,uint64,bool,bytes)")])
        let config = try call.decode(answer)
        #expect(config.isLive && config.minSequenceNumber == 4 && config.onRampAddress?.word == U256(3 as UInt64))
        #expect(throws: CCIPError.self) { try call.decode([]) }
        #expect(throws: CCIPError.self) { try call.decode(Bytes(answer.dropLast(32))) }
        let subjects = try ABI.encode(
            [.array([.bytes(ChainSelector(5).curseSubject)])], as: [ABIType("bytes16[]")])
        let cursed = try RMNRemoteCalls.cursedSubjects().decode(subjects)
        #expect(cursed.covers(5) && !cursed.covers(6) && !cursed.isGlobal)
        #expect(CursedSubjects([CurseSubject.global]).covers(6))
        #expect(throws: CCIPError.self) {
            try OffRampCalls.executionState(1, 1).decode(U256(4 as UInt64).bytes)
        }
        #expect(try OffRampCalls.executionState(1, 1).decode(U256(3 as UInt64).bytes) == .failure)
    }

    @Test("a canonical value reads back, and its damaged forms do not")
    func canonical() throws {
        var writer = CanonicalWriter()
        writer.flag(true)
        writer.u32(7)
        writer.word(.max)
        writer.address(Address(truncating: .max))
        writer.string([1, 2, 3])
        writer.list([UInt64(5), 6]) { $0.u64($1) }
        func read(_ bytes: Bytes) throws(CCIPError) -> [UInt64] {
            var reader = CanonicalReader(bytes, "test")
            _ = try reader.flag()
            _ = try reader.u32()
            _ = try reader.word()
            _ = try reader.address()
            _ = try reader.string(maximum: 3)
            let list = try reader.list(maximum: 2) { item throws(CCIPError) in try item.u64() }
            try reader.finish()
            return list
        }
        #expect(try read(writer.bytes) == [5, 6])
        for cut in 0..<writer.bytes.count { #expect(throws: CCIPError.self) { try read(Bytes(writer.bytes.prefix(cut))) } }
        #expect(throws: CCIPError.self) { try read(writer.bytes + [0]) }
        var bad = writer.bytes
        bad[0] = 2
        #expect(throws: CCIPError.self) { try read(bad) }
        bad = writer.bytes
        bad[1 + 4 + 32 + 20 + 3] = 4
        #expect(throws: CCIPError.self) { try read(bad) }
    }

    @Test("ranges are closed, start at 1 and know their size")
    func ranges() throws {
        #expect(SequenceRange(first: 0, last: 3) == nil && SequenceRange(first: 4, last: 3) == nil)
        let range = try #require(SequenceRange(first: 3, last: 5))
        #expect(range.count == 3 && range.numbers == [3, 4, 5] && range.contains(5) && !range.contains(6))
        #expect(range.overlaps(try #require(SequenceRange(first: 5, last: 9))))
        #expect(try #require(SequenceRange(first: 1, last: SequenceNumber(.max))).count == Int.max)
        #expect(SequenceNumber(.max).next == nil)
    }
}

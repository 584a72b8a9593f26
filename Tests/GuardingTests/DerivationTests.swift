// Two code paths, one truth: the guard's own ids, leaves and roots against the vectors of the real contracts and against
// the relayers' code.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import CCIP
@testable import Guarding

@Suite("Derivation apart from the relayers'")
struct DerivationTests {
    static func vectors(_ group: String) throws -> [JSON] {
        try #require(try Vectors.load("ccip-1.6.json")[group]?.asArray)
    }

    static func log(_ vector: JSON) throws -> Log {
        let log = try #require(vector["log"])
        let topics = try #require(log["topics"]?.asArray).map { try Hash32(hex: try #require($0.asString)) }
        return Log(
            address: try Address(hex: try #require(vector["onRamp"]?.asString)), topics: topics,
            data: try Hex.decode(try #require(log["data"]?.asString)))
    }

    @Test("26 logs of real OnRamps: the same id and leaf as the contract's and the relayers'")
    func recordedLogs() throws {
        let vectors = try Self.vectors("onRampMessages")
        #expect(vectors.count == 26)
        for vector in vectors {
            let log = try Self.log(vector)
            let header = try #require(vector["message"]?["header"])
            let source = ChainSelector(try #require(header["sourceChainSelector"]?.asUInt256?.asUInt64))
            let destination = ChainSelector(try #require(header["destChainSelector"]?.asUInt256?.asUInt64))
            let derived = try DerivedMessage(log: log, block: 1, onRamp: log.address, source: source)
            #expect(try derived.messageID == Hash32(hex: try #require(vector["messageId"]?.asString)))
            #expect(try derived.leaf == Hash32(hex: try #require(vector["leaf"]?.asString)))
            #expect(derived.lane == GuardLane(source: source, destination: destination))
            let relayers = try MessageSentEvent.decode(
                ContractLog(address: log.address, topics: log.topics, data: log.data), source: source,
                destination: destination, onRamp: log.address)
            let lane = MessageLane(source: source, destination: destination, onRamp: log.address)
            #expect(try MessageValidation.leaf(of: relayers, lane: lane).leaf == derived.leaf)
            #expect(derived.number == relayers.header.sequenceNumber.rawValue)
            #expect(derived.amounts.map(\.amount) == relayers.tokenAmounts.map(\.amount))
        }
    }

    @Test("leaves of 30 recorded messages of EVM sources come out alike")
    func recordedLeaves() throws {
        let vectors = try Self.vectors("any2EvmMessageHash")
        #expect(vectors.count == 30)
        var compared = 0
        for vector in vectors {
            guard let message = try Self.raw(vector) else { continue }
            let word = try Hex.decode(try #require(vector["onRamp"]?.asString))
            let onRamp = try #require(Address(word: word))
            #expect(try LeafOfLog.leaf(of: message, onRamp: onRamp) == Hash32(hex: try #require(vector["leaf"]?.asString)))
            compared += 1
        }
        // The others are of sources whose accounts are no EVM accounts: a guard reads EVM logs only.
        #expect(compared >= 15, "\(compared) of 30 are of EVM sources")
    }

    /// The source's form of a recorded message; nil where the source is no EVM chain.
    private static func raw(_ vector: JSON) throws -> RawMessage? {
        let message = try #require(vector["message"])
        func bytes(_ json: JSON, _ name: String) throws -> Bytes { try Hex.decode(try #require(json[name]?.asString)) }
        func number(_ json: JSON, _ name: String) throws -> U256 { try #require(json[name]?.asUInt256) }
        let header = try #require(message["header"])
        guard let sender = Address(word: try bytes(message, "sender")),
            Address(word: try bytes(vector, "onRamp")) != nil
        else { return nil }
        var tokens: [RawToken] = []
        for token in try #require(message["tokenAmounts"]?.asArray) {
            guard let pool = Address(word: try bytes(token, "sourcePoolAddress")) else { return nil }
            tokens.append(
                RawToken(
                    pool: pool, destinationToken: try Address(hex: try #require(token["destTokenAddress"]?.asString)).abiWord,
                    extraData: try bytes(token, "extraData"), amount: try number(token, "amount"),
                    executionData: try number(token, "destGasAmount").bytes))
        }
        var log = World.log(World.message(1))
        log.address = World.onRamp
        var raw = try RawMessage(log, onRamp: World.onRamp, source: World.source)
        raw.id = Hash32(try #require(U256(bigEndianBytes: try bytes(header, "messageId"))))
        raw.source = ChainSelector(try #require(try number(header, "sourceChainSelector").asUInt64))
        raw.destination = ChainSelector(try #require(try number(header, "destChainSelector").asUInt64))
        raw.number = try #require(try number(header, "sequenceNumber").asUInt64)
        raw.nonce = try #require(try number(header, "nonce").asUInt64)
        raw.sender = sender
        raw.data = try bytes(message, "data")
        raw.receiver = try Address(hex: try #require(message["receiver"]?.asString)).abiWord
        raw.extraArgs = [0x97, 0xa6, 0x57, 0xc9] + (try number(message, "gasLimit").bytes)
        raw.tokens = tokens
        return raw
    }

    @Test("31 recorded trees and 500 random ones have one root")
    func roots() throws {
        let trees = try #require(try Vectors.load("ccip-1.6.json")["merkle"]?["trees"]?.asArray)
        var recorded = 0
        for tree in trees {
            guard let leaves = tree["leaves"]?.asArray, let root = tree["root"]?.asString else { continue }
            let hashes = try leaves.map { try Hash32(hex: try #require($0.asString)) }
            #expect(try DerivedMessage.root(of: hashes) == Hash32(hex: root))
            recorded += 1
        }
        #expect(recorded == 31)
        var random = SplitMix64(seed: 0x6a72)
        for _ in 0..<500 {
            let count = Int(random.next() % 256) + 1
            let leaves = (0..<count).map { _ in keccak256(Bytes(bigEndian: random.next())) }
            #expect(try DerivedMessage.root(of: leaves) == MerkleTree(leaves: leaves).root, "\(count) leaves")
        }
        #expect(DerivedMessage.root(of: []) == nil)
        #expect(DerivedMessage.root(of: Array(repeating: .zero, count: 257)) == nil)
    }

    @Test("300 random messages: both paths agree", arguments: [UInt64(1), 2, 3])
    func random(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for number in 1...100 as ClosedRange<UInt64> {
            let data = (0..<Int(random.next() % 200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let amount = random.next() % 2 == 0 ? nil : U256(random.next())
            let message = World.message(number, data: data, amount: amount)
            let derived = try DerivedMessage(
                log: World.log(message), block: 1, onRamp: World.onRamp, source: World.source)
            #expect(derived.messageID == message.header.messageID.hash, "seed \(seed), message \(number)")
            #expect(try derived.leaf == World.leaf(message), "seed \(seed), message \(number)")
        }
    }

    @Test("every flipped bit of a log is refused", arguments: [UInt64(11), 12])
    func damage(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let good = World.log(World.message(3, data: [1, 2, 3], amount: U256(5 as UInt64)))
        let intact = try DerivedMessage(log: good, block: 1, onRamp: World.onRamp, source: World.source)
        for _ in 0..<2_000 {
            var log = good
            let bit = Int(random.next() % UInt64(8 * log.data.count))
            log.data[bit / 8] ^= 1 << UInt8(bit % 8)
            do throws(GuardError) {
                let read = try DerivedMessage(log: log, block: 1, onRamp: World.onRamp, source: World.source)
                // feeValueJuels is the one word that neither the id nor the leaf knows.
                #expect(read == intact && (32 + 32 * 11..<32 + 32 * 12).contains(bit / 8), "seed \(seed), bit \(bit)")
            } catch { #expect([.malformedLog, .messageIDMismatch].contains(error.code)) }
        }
        for count in stride(from: 0, to: good.data.count, by: 32) {
            var log = good
            log.data = Bytes(log.data.prefix(count))
            #expect(throws: GuardError.self) {
                try DerivedMessage(log: log, block: 1, onRamp: World.onRamp, source: World.source)
            }
        }
    }

    @Test("logs of others and of other lanes are refused")
    func foreign() throws {
        let good = World.log(World.message(1))
        var other = good
        other.address = World.offRamp
        #expect(throws: GuardError.self) {
            try DerivedMessage(log: other, block: 1, onRamp: World.onRamp, source: World.source)
        }
        other = good
        other.topics[2] = Hash32(U256(2 as UInt64))
        #expect(throws: GuardError.self) {
            try DerivedMessage(log: other, block: 1, onRamp: World.onRamp, source: World.source)
        }
        #expect(throws: GuardError.self) {
            try DerivedMessage(log: good, block: 1, onRamp: World.onRamp, source: World.destination)
        }
    }

    @Test("answers of contracts are read as the relayers read them")
    func answers() throws {
        let source = ABICodec.encode(
            [.tuple([.address(World.pool), .bool(true), .uint(9 as UInt64), .bool(false), .bytes(World.onRamp.abiWord)])],
            as: [ABIType(constant: "(address,bool,uint64,bool,bytes)")])
        #expect(
            try DestinationCalls.source(source)
                == .init(isEnabled: true, requiresBlessing: true, nextNumber: 9, onRamp: World.onRamp.abiWord))
        let config = ABICodec.encode(
            [
                .uint(3 as UInt64),
                .tuple([
                    .hash(Hash32(U256(7 as UInt64))),
                    .array([.tuple([.address(World.signer), .uint(0 as UInt64)]), .tuple([.address(World.pool), .uint(4 as UInt64)])]),
                    .uint(1 as UInt64),
                ]),
            ], as: [.uint(32), ABIType(constant: "(bytes32,(address,uint64)[],uint64)")])
        let read = try DestinationCalls.configuration(config)
        #expect(read.version == 3 && read.homeDigest == Hash32(U256(7 as UInt64)) && read.faulty == 1)
        #expect(read.signers == [World.signer, World.pool])
        let subjects = ABICodec.encode(
            [.array([.bytes(CurseSubject.global), .bytes(World.source.curseSubject)])], as: [.array(.fixedBytes(16))])
        #expect(try DestinationCalls.subjects(subjects) == [CurseSubject.global, World.source.curseSubject])
        #expect(DestinationCalls.sourceConfig(World.source) == OffRampCalls.sourceChainConfig(World.source).data)
        #expect(DestinationCalls.cursedSubjects == RMNRemoteCalls.cursedSubjects().data)
        #expect(DestinationCalls.versionedConfig == RMNRemoteInterface.getVersionedConfig.selector)
        #expect(throws: GuardError.self) { try DestinationCalls.source([]) }
        #expect(throws: GuardError.self) { try DestinationCalls.configuration(Bytes(config.dropLast(64))) }
    }

    @Test("logs of the OffRamp are read as the relayers read them")
    func destinationLogs() throws {
        #expect(DestinationLogs.commitAccepted == OffRampEvents.commitReportAccepted.topic)
        #expect(DestinationLogs.executionChanged == OffRampEvents.executionStateChanged.topic)
        let roots = try (1...3 as ClosedRange<UInt64>).map { try World.root([World.message($0)]) }
        let accepted = Log(
            address: World.offRamp, topics: [DestinationLogs.commitAccepted],
            data: ABICodec.encode(
                [.array([roots[0].abi]), .array([roots[1].abi, roots[2].abi]), PriceUpdates().abi],
                as: [.array(MerkleRoot.type), .array(MerkleRoot.type), PriceUpdates.type]))
        #expect(try DestinationLogs.accepted(accepted, on: World.destination, block: 5).map(\.root) == roots)
        let message = World.message(4)
        let executed = Log(
            address: World.offRamp,
            topics: [
                DestinationLogs.executionChanged, Hash32(U256(World.source.rawValue)), Hash32(U256(4 as UInt64)),
                message.header.messageID.hash,
            ],
            data: ABICodec.encode(
                [.hash(try World.leaf(message)), .uint(2 as UInt64), .bytes([9]), .uint(1 as UInt64)],
                as: [.fixedBytes(32), .uint(8), .bytes, .uint(256)]))
        #expect(
            try DestinationLogs.executed(executed, on: World.destination, block: 60, logIndex: 0)
                == World.executed(message))
        #expect(throws: GuardError.self) { try DestinationLogs.accepted(executed, on: World.destination, block: 1) }
    }
}

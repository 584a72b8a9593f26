// Endpoints that leave out logs: what is missing is noticed by the contracts' counters, looked for again, named
// meanwhile, and found as soon as some endpoint shows it.

@testable import CCIP
import ChainAccess
import Configuration
import Ethereum
import Foundation
import JSONRPC
@testable import Relayer
import Storage
import Synchronization
import Testing

/// One chain behind an HTTP port: blocks with a log each at most, three contract reads, and logs that it may hide.
final class HidingNode: JSONRPCService {
    struct State: Sendable {
        var latest: UInt64 = 0
        var finalized: UInt64 = 0
        var logs: [(block: UInt64, log: Log)] = []
        /// Positions in `logs` that are left out of every answer.
        var hidden: Set<Int> = []
        /// Only left out of answers to filters with one topic position, the poller's own.
        var hidesFromNarrow = true
        var expectedNext: UInt64 = 1
        var minimum: UInt64 = 1
        var states: [UInt64: UInt64] = [:]
        /// Blocks below the latest of which no state is held.
        var pruned: UInt64 = .max
        var logQueries = 0
    }
    let chainID: UInt64
    let state: Mutex<State>
    static let calls: [(Bytes, Int)] = [
        (OnRampInterface.getExpectedNextSequenceNumber.selector, 0),
        (OffRampInterface.getSourceChainConfig.selector, 1),
        (OffRampInterface.getExecutionState.selector, 2),
    ]

    init(_ chainID: UInt64) {
        self.chainID = chainID
        state = Mutex(State())
    }

    func edit(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

    static func hash(_ number: UInt64, _ chain: UInt64) -> Hash32 {
        keccak256(Bytes(bigEndian: number) + Bytes(bigEndian: chain))
    }

    private func block(_ number: UInt64) -> JSON {
        [
            "number": .quantity(number), "hash": .hash(Self.hash(number, chainID)),
            "parentHash": .hash(number == 0 ? .zero : Self.hash(number - 1, chainID)),
            "timestamp": .quantity(1_000 + number), "gasLimit": "0x1c9c380", "baseFeePerGas": "0x7",
        ]
    }

    func connectionClosed(_ connection: JSONRPCConnection) {}

    func answer(
        _ method: String, _ parameters: JSON, on connection: JSONRPCConnection?
    ) async throws(JSONRPCError) -> JSON {
        let state = state.withLock { state in
            if method == "eth_getLogs" { state.logQueries += 1 }
            return state
        }
        switch method {
        case "eth_chainId": return .quantity(chainID)
        case "eth_getBlockByNumber":
            switch parameters[0]?.asString {
            case "latest": return block(state.latest)
            case "safe", "finalized": return block(state.finalized)
            default:
                guard let number = parameters[0]?.asUInt64, number <= state.latest else { return .null }
                return block(number)
            }
        case "eth_getLogs": return try logs(parameters[0] ?? .null, state)
        case "eth_call": return try call(parameters, state)
        default: throw .methodNotFound(method)
        }
    }

    private func logs(_ filter: JSON, _ state: State) throws(JSONRPCError) -> JSON {
        guard let from = filter["fromBlock"]?.asUInt64, let to = filter["toBlock"]?.asUInt64 else {
            throw JSONRPCError(code: -32_000, message: "unknown block")
        }
        let topics = (filter["topics"]?.asArray ?? []).map { $0.asArray?.compactMap(\.asString) ?? [] }
        let addresses = filter["address"]?.asArray?.compactMap(\.asString) ?? []
        let isNarrow = topics.count > 1
        var found: [JSON] = []
        for (index, entry) in state.logs.enumerated() where from <= entry.block && entry.block <= to {
            if state.hidden.contains(index), state.hidesFromNarrow || !isNarrow { continue }
            guard addresses.contains(entry.log.address.hex) else { continue }
            let fits = topics.enumerated().allSatisfy { position, wanted in
                wanted.isEmpty || (position < entry.log.topics.count && wanted.contains(entry.log.topics[position].hex))
            }
            guard fits else { continue }
            found.append([
                "address": .address(entry.log.address), "topics": .array(entry.log.topics.map { .hash($0) }),
                "data": .data(entry.log.data), "blockNumber": .quantity(entry.block),
                "blockHash": .hash(Self.hash(entry.block, chainID)),
                "transactionHash": .hash(keccak256(entry.log.data)),
                "transactionIndex": "0x0", "logIndex": "0x0", "removed": false,
                "blockTimestamp": .quantity(1_000 + entry.block),
            ])
        }
        return .array(found)
    }

    private func call(_ parameters: JSON, _ state: State) throws(JSONRPCError) -> JSON {
        guard let data = parameters[0]?["data"]?.asString.flatMap({ try? Hex.decode($0) }), data.count >= 4 else {
            throw .invalidParams("no data")
        }
        if let number = parameters[1]?.asUInt64, number < state.latest, state.latest - number >= state.pruned {
            throw JSONRPCError(code: -32_000, message: "missing trie node")
        }
        let which = Self.calls.first { $0.0 == Bytes(data.prefix(4)) }?.1
        switch which {
        case 0: return .data(U256(state.expectedNext).bytes)
        case 1:
            let router = ABIValue.address(Address(truncating: 1))
            let config = try? ABI.encode(
                [.tuple([router, .bool(true), .uint(state.minimum), .bool(true), .bytes([1])])],
                as: [ABIType(constant: "(address,bool,uint64,bool,bytes)")])
            return .data(config ?? [])
        case 2:
            let number = U256(bigEndianBytes: Bytes(data.suffix(32)))?.asUInt64 ?? 0
            return .data(U256(state.states[number] ?? 0).bytes)
        default: throw JSONRPCError(code: 3, message: "execution reverted")
        }
    }
}

@Suite("Lane auditor")
struct LaneAuditorTests {
    final class World: Sendable {
        let nodes: [HidingNode]
        let servers: [RPCServer]
        let cluster: ClusterSettings
        let keeper: BookKeeper
        let watches: [ChainWatch]
        let auditor: LaneAuditor
        let lane: LaneKey

        init() async throws {
            var entries: [ConfigurationEntry] = []
            var settings = try RelayerSettings.load(
                path: "\(SettingsTests.folder)/relayer-0.yaml", environment: [:], entries: &entries)
            let cluster = settings.cluster
            nodes = cluster.chains.map { HidingNode($0.chainID) }
            var servers: [RPCServer] = []
            for (index, node) in nodes.enumerated() {
                let server = RPCServer(configuration: .init(port: 0), service: node, logger: StopAndRestartTests.quiet)
                servers.append(server)
                let url = try EndpointURL.parse("http://127.0.0.1:\(try await server.start())")
                settings.endpoints[index].urls = [url]
                settings.endpoints[index].quorum = 1
            }
            self.servers = servers
            self.cluster = cluster
            let store = try StopAndRestartTests.store()
            let keeper = try BookKeeper(
                cluster: cluster, store: store, feed: nil, logger: StopAndRestartTests.quiet, onNews: { _ in })
            self.keeper = keeper
            let shared = settings
            watches = try cluster.chains.map {
                try ChainWatch($0, shared, store: store, keeper: keeper, logger: StopAndRestartTests.quiet)
            }
            lane = LaneKey(source: cluster.lanes[0].source, destination: cluster.lanes[0].destination)
            auditor = LaneAuditor(lanes: [lane], watches: watches, keeper: keeper, logger: StopAndRestartTests.quiet)
        }

        var source: HidingNode { nodes[0] }
        var destination: HidingNode { nodes[1] }
        var book: MessageBook.Lane { keeper.read { $0.lane(lane) } }

        /// Reads both chains as far as they are.
        func read() async {
            for watch in watches {
                if let heads = await watch.heads.poll().value { _ = await watch.poller.step(heads: heads) }
            }
        }

        func stop() async {
            for watch in watches { await watch.close() }
            for server in servers { await server.stop() }
        }

        func message(_ number: UInt64) -> EVM2AnyRampMessage {
            var message = EVM2AnyRampMessage(
                header: RampMessageHeader(
                    messageID: MessageID(.zero), source: lane.source, destination: lane.destination,
                    sequenceNumber: SequenceNumber(number), nonce: 0),
                sender: Address(truncating: 5), data: [UInt8(number)], receiver: U256(6).bytes, extraArgs: [],
                feeToken: Address(truncating: 7), feeTokenAmount: 1, feeValueJuels: 1, tokenAmounts: [])
            message.header.messageID = message.computedID(onRamp: cluster.chains[0].contracts.onRamp)
            return message
        }

        func sent(_ number: UInt64) -> Log {
            Log(
                address: cluster.chains[0].contracts.onRamp,
                topics: [
                    MessageSentEvent.event.topic, Hash32(U256(lane.destination.rawValue)), Hash32(U256(number)),
                ], data: message(number).encoded)
        }

        func executed(_ number: UInt64) throws -> Log {
            Log(
                address: cluster.chains[1].contracts.offRamp,
                topics: [
                    OffRampEvents.executionStateChanged.topic, Hash32(U256(lane.source.rawValue)), Hash32(U256(number)),
                    message(number).header.messageID.hash,
                ],
                data: try ABI.encode(
                    [.hash(.zero), .uint(UInt64(MessageExecutionState.success.rawValue)), .bytes([]), .uint(U256(9))],
                    as: [.fixedBytes(32), .uint(8), .bytes, .uint(256)]))
        }

        func root(_ first: UInt64, _ last: UInt64) throws -> Log {
            let root = MerkleRoot(
                source: lane.source, onRamp: U256(1).bytes, first: SequenceNumber(first), last: SequenceNumber(last),
                root: keccak256([UInt8(first), UInt8(last)]))
            return Log(
                address: cluster.chains[1].contracts.offRamp, topics: [OffRampEvents.commitReportAccepted.topic],
                data: try ABI.encode(
                    [.array([]), .array([root.abi]), PriceUpdates(tokens: [], gas: []).abi],
                    as: [.array(MerkleRoot.type), .array(MerkleRoot.type), PriceUpdates.type]))
        }
    }

    /// Five messages in blocks 1 to 5, all final; the third is hidden.
    private func world(hidesFromNarrow: Bool) async throws -> World {
        let world = try await World()
        let logs = (1...5 as ClosedRange<UInt64>).map { (block: $0, log: world.sent($0)) }
        world.source.edit { state in
            (state.latest, state.finalized, state.logs, state.expectedNext) = (9, 8, logs, 6)
            (state.hidden, state.hidesFromNarrow) = ([2], hidesFromNarrow)
        }
        world.destination.edit { ($0.latest, $0.finalized) = (9, 8) }
        await world.read()
        return world
    }

    @Test("a message that a log query left out is found by its number in one look")
    func foundAtOnce() async throws {
        let world = try await world(hidesFromNarrow: false)
        #expect(world.book.messages.keys.sorted() == [1, 2, 4, 5])
        await world.auditor.pass(now: 1_000)
        #expect(world.book.messages.keys.sorted() == [1, 2, 3, 4, 5])
        #expect(world.keeper.missingLogs(world.lane) == nil && world.keeper.complaints.isEmpty)
        await world.stop()
    }

    @Test("one that no endpoint shows is named, looked for ever more rarely, and found when it is there")
    func foundLater() async throws {
        let world = try await world(hidesFromNarrow: true)
        var now: UInt64 = 1_000
        for _ in 0..<40 {
            await world.auditor.pass(now: now)
            now += 5_000
        }
        let missing = try #require(world.keeper.missingLogs(world.lane))
        #expect(missing.kind == .message && missing.ranges == [3...3] && missing.sinceMilliseconds == 1_000)
        #expect((4...7).contains(missing.failedReadings), "200 s with pauses of 10, 20, 40 and 80 s")
        let words = "lane ethereum -> jovay: the log of message 3 is missing"
        #expect(world.keeper.complaints.contains { $0.contains(words) })
        world.source.edit { $0.hidden = [] }
        for _ in 0..<400 where world.keeper.missingLogs(world.lane) != nil {
            await world.auditor.pass(now: now)
            now += 5_000
        }
        #expect(world.book.messages[3] != nil && world.keeper.complaints.isEmpty)
        await world.stop()
    }

    @Test("where nodes hold no state of finalized blocks, counters of the newest block count once it is final")
    func pruned() async throws {
        let world = try await world(hidesFromNarrow: false)
        // A message after the last one that was seen: only the counter tells of it.
        world.source.edit { state in
            state.hidden = [4]
            (state.pruned, state.latest) = (1, 12)
        }
        world.destination.edit { ($0.pruned, $0.latest) = (1, 12) }
        await world.read()
        await world.auditor.pass(now: 1_000)
        for node in world.nodes { node.edit { ($0.latest, $0.finalized) = (20, 13) } }
        await world.read()
        await world.auditor.pass(now: 6_000)
        await world.auditor.pass(now: 11_000)
        #expect(world.book.messages.keys.sorted() == [1, 2, 3, 4, 5])
        await world.stop()
    }

    @Test("a root that a log query left out is found by the OffRamp's next number")
    func root() async throws {
        let world = try await world(hidesFromNarrow: false)
        let logs = [(block: UInt64(3), log: try world.root(1, 2)), (block: UInt64(6), log: try world.root(3, 5))]
        world.destination.edit { state in
            (state.logs, state.minimum, state.hidden, state.hidesFromNarrow) = (logs, 6, [1], true)
            (state.latest, state.finalized) = (12, 10)
        }
        await world.read()
        await world.auditor.pass(now: 1_000)
        #expect(world.book.roots.map(\.root.first.rawValue) == [1])
        await world.auditor.pass(now: 6_000)
        #expect(world.keeper.missingLogs(world.lane)?.kind == .root)
        world.destination.edit { $0.hidden = [] }
        for step in 1...10 as ClosedRange<UInt64> { await world.auditor.pass(now: 6_000 + step * 20_000) }
        #expect(world.book.roots.map(\.root.first.rawValue).sorted() == [1, 3] && world.keeper.complaints.isEmpty)
        await world.stop()
    }

    @Test("an execution whose log is missing is learnt from the OffRamp, and its log is looked for")
    func execution() async throws {
        let world = try await world(hidesFromNarrow: false)
        let log = (block: UInt64(3), log: try world.root(1, 2))
        world.destination.edit { state in
            (state.logs, state.minimum, state.states) = ([log], 3, [1: MessageExecutionState.success.rawUInt64])
            (state.latest, state.finalized) = (12, 10)
        }
        await world.read()
        await world.auditor.pass(now: 1_000)
        #expect(world.book.execution(1)?.state == .success && world.book.execution(1)?.isFinal == false)
        #expect(world.book.execution(2) == nil)
        world.destination.edit { ($0.latest, $0.finalized) = (30, 20) }
        await world.read()
        await world.auditor.pass(now: 40_000)
        #expect(world.keeper.missingLogs(world.lane)?.kind == .execution)
        await world.stop()
    }

    @Test("what is over is not begun again by a second reading")
    func over() async throws {
        let world = try await world(hidesFromNarrow: false)
        await world.auditor.pass(now: 1_000)
        let logs = [
            (block: UInt64(20), log: try world.root(1, 2)), (block: UInt64(21), log: try world.executed(1)),
            (block: UInt64(22), log: try world.executed(2)),
        ]
        world.destination.edit { state in
            (state.logs, state.minimum, state.latest, state.finalized) = (logs, 3, 30, 25)
        }
        await world.read()
        #expect(world.book.roots.isEmpty && world.book.lastRetired == 2 && world.book.messages[1] == nil)
        for node in world.nodes { node.edit { ($0.latest, $0.finalized) = (160, 150) } }
        await world.read()
        await world.auditor.pass(now: 6_000)
        #expect(world.nodes.allSatisfy { $0.state.withLock { $0.logQueries } > 1 })
        #expect(world.book.roots.isEmpty && world.book.messages.keys.sorted() == [3, 4, 5])
        await world.stop()
    }

    @Test("every hundred final blocks are read twice")
    func second() async throws {
        let world = try await world(hidesFromNarrow: false)
        await world.auditor.pass(now: 1_000)
        // In the blocks that follow, the poller is shown nothing; the second reading is.
        let late = (block: UInt64(50), log: world.sent(6))
        world.source.edit { state in
            state.logs.append(late)
            state.hidden = [5]
            (state.hidesFromNarrow, state.latest, state.finalized) = (true, 160, 150)
        }
        await world.read()
        world.source.edit { $0.hidden = [] }
        #expect(world.book.messages[6] == nil)
        await world.auditor.pass(now: 6_000)
        #expect(world.book.messages[6] != nil)
        await world.stop()
    }
}

extension MessageExecutionState {
    fileprivate var rawUInt64: UInt64 { UInt64(rawValue) }
}

// A chain in memory and endpoints onto it that can be made to fail in every way an endpoint fails.
// Only what the tests of this room need; the simulated chain of the product is elsewhere.

import Ethereum
import Foundation
import Logging
import Synchronization
import Testing

@testable import ChainAccess
@testable import Storage

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

final class FakeChain: Sendable {
    struct Entry: Sendable {
        var header: BlockReference
        var logs: [Log]
        var transactions: [(hash: Hash32, succeeded: Bool)]
    }

    struct State: Sendable {
        var blocks: [Entry] = []
        var finalized = 0
        var pool: [SignedTransaction] = []
        var nonces: [Address: UInt64] = [:]
        /// Every raw transaction that reached some endpoint, in order.
        var received: [SignedTransaction] = []
        var reverting: Set<Address> = []
        var salt: UInt64 = 0
    }

    let id: UInt64
    private let state = Mutex(State())

    init(id: UInt64 = 31_337) {
        self.id = id
        mine()
    }

    func with<Value: Sendable>(_ body: (inout State) -> Value) -> Value { state.withLock { body(&$0) } }

    static func header(_ number: UInt64, parent: Hash32, salt: UInt64) -> BlockReference {
        BlockReference(
            number: number, hash: keccak256(parent.bytes + Bytes(bigEndian: number) + Bytes(bigEndian: salt)),
            parentHash: parent, timestamp: 1_000 + number, baseFee: 7, gasLimit: 30_000_000)
    }

    /// One block with these logs and everything in the pool that fits by nonce.
    @discardableResult
    func mine(_ logs: [Log] = []) -> BlockReference {
        with { state in
            let parent = state.blocks.last?.header
            let header = Self.header(
                parent.map { $0.number + 1 } ?? 0, parent: parent?.hash ?? .zero, salt: state.salt)
            var included: [(hash: Hash32, succeeded: Bool)] = []
            for transaction in state.pool.sorted(by: { $0.transaction.nonce < $1.transaction.nonce }) {
                guard let sender = try? transaction.sender(),
                    transaction.transaction.nonce == state.nonces[sender, default: 0]
                else { continue }
                state.nonces[sender, default: 0] += 1
                included.append(
                    (transaction.hash, !(transaction.transaction.to.map(state.reverting.contains) ?? false)))
            }
            let done = Set(included.map(\.hash))
            state.pool.removeAll { done.contains($0.hash) }
            state.blocks.append(Entry(header: header, logs: logs, transactions: included))
            return header
        }
    }

    func finalize(_ number: UInt64) { with { $0.finalized = Int(number) } }

    /// Takes away everything above `number`; what follows gets other hashes. Nonces go back with the transactions.
    func reorganise(to number: UInt64, keepPool: Bool = true) {
        with { state in
            state.salt += 1
            let gone = state.blocks.suffix(from: Int(number) + 1).flatMap(\.transactions).map(\.hash)
            state.blocks.removeSubrange((Int(number) + 1)...)
            for hash in gone {
                guard let transaction = state.received.first(where: { $0.hash == hash }),
                    let sender = try? transaction.sender()
                else { continue }
                state.nonces[sender, default: 1] -= 1
                if keepPool { state.pool.append(transaction) }
            }
        }
    }

    var heads: ChainHeads {
        with { state in
            let finalized = state.blocks[min(state.finalized, state.blocks.count - 1)].header
            return ChainHeads(
                latest: state.blocks[state.blocks.count - 1].header, safe: finalized, finalized: finalized)
        }
    }

    /// Transactions that were included, by nonce, of any sender.
    var included: [Hash32] { with { $0.blocks.flatMap(\.transactions).map(\.hash) } }
}

/// One view of a chain.
final class FakeEndpoint: ChainTransport {
    struct Faults: Sendable {
        var isDown = false
        var hangs = false
        var garbage = false
        var chainID: UInt64?
        /// Sees this many blocks fewer.
        var lag = 0
        var omitsLogs = false
        /// Most blocks that one log query may span.
        var rangeMaximum: UInt64 = .max
        /// Answers a method by this instead.
        var overrides: [String: RPCAnswer] = [:]
        /// Takes transactions but does not say so.
        var swallowsBroadcastAnswers = false
        var dropsBroadcasts = false
        /// Knows no `blockHash` in log filters: says so, or answers as if it were not there.
        var refusesBlockHash = false
        var ignoresBlockHash = false
        /// How an unsuitable log range is refused.
        var rangeRefusal = RPCAnswer.error(code: -32_005, message: "query returned more than 10000 results", data: nil)
        var hasTags = true
        var hasBaseFee = true
        /// Methods that it does not know.
        var missing: Set<String> = []
        /// What goes wrong by chance, each in a thousand requests.
        var chances: Chances?
    }

    struct Chances: Sendable {
        var errors = 0
        var limited = 0
        var drops = 0
        var nulls = 0
        var garbage = 0
        var hangs = 0
        /// Done, and not answered.
        var lost = 0

        static let many = Chances(errors: 50, limited: 30, drops: 30, nulls: 30, garbage: 20, hangs: 10, lost: 30)
    }

    let label: String
    let chain: FakeChain
    private let random: Mutex<UInt64>
    private let faults: Mutex<Faults>
    private let log = Mutex<[String]>([])
    private let hints = Mutex<[AsyncStream<Void>.Continuation]>([])
    private let announces: Bool

    init(_ label: String, _ chain: FakeChain, _ faults: Faults = Faults(), announces: Bool = false, seed: UInt64 = 1) {
        self.label = label
        self.chain = chain
        self.faults = Mutex(faults)
        self.announces = announces
        random = Mutex(seed)
    }

    func fail(_ change: (inout Faults) -> Void) { faults.withLock { change(&$0) } }
    var asked: [String] { log.withLock { $0 } }
    func count(_ method: String) -> Int { asked.count { $0 == method } }
    func announce() { hints.withLock { for hint in $0 { hint.yield() } } }

    func newHeads() async -> AsyncStream<Void>? {
        guard announces else { return nil }
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        hints.withLock { $0.append(continuation) }
        return stream
    }

    func send(_ calls: [RPCCall], timeout: Duration) async throws(ChainAccessError) -> [RPCAnswer] {
        let faults = self.faults.withLock { $0 }
        log.withLock { $0 += calls.map(\.method) }
        if let chances = faults.chances, let outcome = try await misfortune(chances, calls, faults, timeout) {
            return outcome
        }
        if faults.isDown { throw ChainAccessError(.unreachable, "connection refused") }
        if faults.hangs {
            try? await Task.sleep(for: timeout)
            throw ChainAccessError(Task.isCancelled ? .cancelled : .timeout, "no answer")
        }
        if faults.garbage { return calls.map { _ in .result(.string("<html>")) } }
        return calls.map { faults.overrides[$0.method] ?? answer($0, faults) }
    }

    /// What one call gets, without any misfortune on the way.
    func respond(_ call: RPCCall) -> RPCAnswer {
        let faults = self.faults.withLock { $0 }
        log.withLock { $0.append(call.method) }
        return faults.overrides[call.method] ?? answer(call, faults)
    }

    /// A number below a thousand.
    private func roll() -> Int {
        random.withLock { state in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % 1_000)
        }
    }

    private func misfortune(
        _ chances: Chances, _ calls: [RPCCall], _ faults: Faults, _ timeout: Duration
    ) async throws(ChainAccessError) -> [RPCAnswer]? {
        var dice = roll()
        func hits(_ chance: Int) -> Bool {
            defer { dice -= chance }
            return dice >= 0 && dice < chance
        }
        if hits(chances.errors) {
            return calls.map { _ in .error(code: -32_603, message: "internal error", data: nil) }
        }
        if hits(chances.limited) {
            throw ChainAccessError(.rateLimited, "too many requests", retryAfterMilliseconds: 20)
        }
        if hits(chances.drops) { throw ChainAccessError(.unreachable, "the connection ended") }
        if hits(chances.nulls) { return calls.map { _ in .result(.null) } }
        if hits(chances.garbage) { return calls.map { _ in .result("<html>") } }
        if hits(chances.hangs) {
            try? await Task.sleep(for: timeout)
            throw ChainAccessError(Task.isCancelled ? .cancelled : .timeout, "no answer")
        }
        if hits(chances.lost) {
            for call in calls { _ = answer(call, faults) }
            throw ChainAccessError(.unreachable, "the connection ended before the answer")
        }
        return nil
    }

    private func answer(_ call: RPCCall, _ faults: Faults) -> RPCAnswer {
        if faults.missing.contains(call.method) {
            return .error(code: -32_601, message: "the method \(call.method) does not exist", data: nil)
        }
        switch call.method {
        case "eth_chainId": return .result(.quantity(faults.chainID ?? chain.id))
        case "eth_getBlockByNumber":
            if !faults.hasTags, ["safe", "finalized"].contains(call.parameters[0].asString) {
                return .error(code: -32_602, message: "invalid block tag", data: nil)
            }
            return .result(block(call.parameters[0], faults).map { Self.json($0, faults.hasBaseFee) } ?? .null)
        case "eth_getLogs": return logs(call.parameters[0], faults)
        case "eth_call":
            let to = call.parameters[0]["to"]?.asString.flatMap { try? Address(hex: $0) }
            guard let block = block(call.parameters[1], faults) else {
                return .error(code: -32_000, message: "header not found", data: nil)
            }
            if let to, chain.with({ $0.reverting.contains(to) }) {
                return .error(code: 3, message: "execution reverted", data: .string("0x0a8d6e8c"))
            }
            return .result(.data(block.header.hash.bytes))
        case "eth_getTransactionCount":
            let account = (try? Address(hex: call.parameters[0].asString ?? "")) ?? .zero
            return .result(.quantity(chain.with { $0.nonces[account, default: 0] }))
        case "eth_maxPriorityFeePerGas": return .result("0x1")
        case "eth_gasPrice": return .result("0x8")
        case "eth_getBalance": return .result("0xde0b6b3a7640000")
        case "eth_getCode": return .result("0x6000")
        case "eth_estimateGas": return .result("0x5208")
        case "eth_sendRawTransaction": return take(call.parameters[0], faults)
        case "eth_getTransactionReceipt": return receipt(call.parameters[0])
        default: return .error(code: -32_601, message: "the method \(call.method) does not exist", data: nil)
        }
    }

    private func visible(_ faults: Faults) -> [FakeChain.Entry] { chain.with { Array($0.blocks.dropLast(faults.lag)) } }

    private func block(_ selector: JSON, _ faults: Faults) -> FakeChain.Entry? {
        let blocks = visible(faults)
        switch selector.asString {
        case "latest", "pending": return blocks.last
        case "safe", "finalized":
            return blocks.last.map { _ in blocks[min(chain.with { $0.finalized }, blocks.count - 1)] }
        default:
            guard let number = selector.asUInt64, number < blocks.count else { return nil }
            return blocks[Int(number)]
        }
    }

    private func logs(_ filter: JSON, _ faults: Faults) -> RPCAnswer {
        let blocks = visible(faults)
        var chosen: ArraySlice<FakeChain.Entry>
        if faults.refusesBlockHash, filter["blockHash"] != nil {
            return .error(code: -32_602, message: "unknown field blockHash", data: nil)
        }
        if faults.ignoresBlockHash, filter["blockHash"] != nil {
            chosen = blocks.suffix(1)
        } else if let hash = filter["blockHash"]?.asString {
            chosen = blocks.filter { $0.header.hash.hex == hash }[...]
            if chosen.isEmpty { return .error(code: -32_000, message: "unknown block", data: nil) }
        } else {
            guard let from = filter["fromBlock"]?.asUInt64, let to = filter["toBlock"]?.asUInt64 else {
                return .error(code: -32_602, message: "bad range", data: nil)
            }
            if to - from >= faults.rangeMaximum {
                return faults.rangeRefusal
            }
            chosen = from < blocks.count ? blocks[Int(from)...min(Int(to), blocks.count - 1)] : []
        }
        if faults.omitsLogs { return .result([]) }
        let addresses = filter["address"]?.asArray?.compactMap(\.asString)
        return .result(
            .array(
                chosen.flatMap { entry in
                    entry.logs.enumerated().filter { addresses?.contains($0.element.address.hex) ?? true }.map {
                        Self.json($0.element, entry.header, $0.offset)
                    }
                }))
    }

    private func take(_ raw: JSON, _ faults: Faults) -> RPCAnswer {
        guard let bytes = try? Hex.decode(raw.asString ?? ""), let signed = try? SignedTransaction.decode(bytes),
            let sender = try? signed.sender()
        else { return .error(code: -32_602, message: "malformed transaction", data: nil) }
        if faults.dropsBroadcasts { return .error(code: -32_603, message: "internal error", data: nil) }
        let error = chain.with { state -> String? in
            state.received.append(signed)
            if signed.transaction.nonce < state.nonces[sender, default: 0] { return "nonce too low" }
            if state.pool.contains(where: { $0.hash == signed.hash }) { return "already known" }
            state.pool.removeAll {
                $0.transaction.nonce == signed.transaction.nonce && (try? $0.sender()) == sender
            }
            state.pool.append(signed)
            return nil
        }
        if faults.swallowsBroadcastAnswers { return .error(code: -32_603, message: "internal error", data: nil) }
        if let error { return .error(code: -32_000, message: error, data: nil) }
        return .result(.hash(signed.hash))
    }

    private func receipt(_ hash: JSON) -> RPCAnswer {
        chain.with { state in
            for entry in state.blocks {
                for (index, item) in entry.transactions.enumerated() where item.hash.hex == hash.asString {
                    return .result([
                        "transactionHash": .hash(item.hash), "blockNumber": .quantity(entry.header.number),
                        "blockHash": .hash(entry.header.hash), "transactionIndex": .quantity(UInt64(index)),
                        "status": .quantity(UInt64(item.succeeded ? 1 : 0)), "gasUsed": "0x5208",
                        "effectiveGasPrice": "0x8", "contractAddress": nil, "logs": [],
                    ])
                }
            }
            return .result(.null)
        }
    }

    static func json(_ entry: FakeChain.Entry, _ hasBaseFee: Bool = true) -> JSON {
        [
            "number": .quantity(entry.header.number), "hash": .hash(entry.header.hash),
            "parentHash": .hash(entry.header.parentHash), "timestamp": .quantity(entry.header.timestamp),
            "baseFeePerGas": hasBaseFee ? "0x7" : .null, "gasLimit": .quantity(entry.header.gasLimit),
        ]
    }

    static func json(_ log: Log, _ block: BlockReference, _ index: Int) -> JSON {
        [
            "address": .address(log.address), "topics": .array(log.topics.map { .hash($0) }), "data": .data(log.data),
            "blockNumber": .quantity(block.number), "blockHash": .hash(block.hash),
            "transactionHash": .hash(keccak256(log.data)), "transactionIndex": "0x0",
            "logIndex": .quantity(UInt64(index)), "removed": false,
        ]
    }
}

let ramp = Address(truncating: 0xabc)

/// A log that is told apart by its number.
func event(_ number: UInt64, at address: Address = ramp) -> Log {
    Log(address: address, topics: [keccak256(text: "Sent()")], data: U256(number).bytes)
}

func numbers(_ logs: [ChainLog]) -> [UInt64] { logs.map { U256(bigEndianBytes: $0.log.data)?.clampedUInt64 ?? .max } }

func makeSet(
    _ transports: [any ChainTransport], chainID: UInt64 = 31_337, quorum: Int? = nil,
    finality: FinalityRule = .tag(offset: 0), window: UInt64 = 1_000, timeout: Duration = .milliseconds(200),
    attempts: Int = Limits.attempts, fees: FeeRule = FeeRule(), alarms: Alarms = Alarms()
) throws -> ChainEndpointSet {
    try ChainEndpointSet(
        chainID: chainID, name: "test", transports: transports,
        policy: AccessPolicy(
            finality: finality, quorum: quorum, requestTimeout: timeout, logWindow: window,
            pollInterval: .milliseconds(5), attempts: attempts, fees: fees),
        logger: quiet, alarm: { alarms.add($0) })
}

final class Alarms: Sendable {
    private let list = Mutex<[String]>([])
    func add(_ text: String) { list.withLock { $0.append(text) } }
    var all: [String] { list.withLock { $0 } }
}

/// A store in a folder of its own.
final class ScratchStore: Sendable {
    let path: String
    init() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("access-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.appendingPathComponent("store.sqlite").path
    }
    deinit { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
    func open() throws -> Store { try Store(path: path, role: "test", logger: quiet) }
}

func fail(_ text: String, at location: SourceLocation = #_sourceLocation) {
    Issue.record(Comment(rawValue: text), sourceLocation: location)
}

/// Waits until something holds, never longer than a deadline.
func eventually(_ seconds: Double = 10, _ condition: () async throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return try await condition()
}

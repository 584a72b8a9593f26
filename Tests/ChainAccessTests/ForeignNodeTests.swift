// Nodes that others wrote: without tags, without prices, with limits in their own words, with faults at every turn.
// What they do may delay a read; it may not lose a log or send anything twice.

import Ethereum
import JSONRPC
import Storage
import Synchronization
import Testing
import Transactions

@testable import ChainAccess

@Suite("Nodes of others")
struct ForeignNodeTests {
    private let chain = FakeChain()
    private let filter = LogFilter(addresses: [ramp])

    private func grow(_ count: UInt64 = 10, finalized: UInt64 = 8) {
        for number in 1...count { chain.mine([event(number)]) }
        chain.finalize(finalized)
    }

    // MARK: Finality

    @Test("a depth rule needs no tag, and counts from the latest block", arguments: [
        (FinalityRule.depth(0, offset: 0), UInt64(10)), (.depth(3, offset: 0), 7), (.depth(3, offset: 2), 5),
        (.depth(50, offset: 0), 0),
    ])
    func depth(rule: FinalityRule, expected: UInt64) async throws {
        grow()
        let node = FakeEndpoint("a", chain, .init(hasTags: false))
        let heads = try await makeSet([node], finality: rule).heads()
        #expect(heads.finalized.number == expected && heads.safe.number == expected && heads.latest.number == 10)
        #expect(try await makeSet([FakeEndpoint("a", chain)], quorum: 1, finality: rule).agreedHeads().get() == heads)
    }

    @Test("a missing tag is named, with what to write instead")
    func noTag() async throws {
        grow()
        let set = try makeSet([FakeEndpoint("a", chain, .init(hasTags: false))])
        do throws(ChainAccessError) {
            _ = try await set.heads()
            Issue.record("no error")
        } catch { #expect(error.hint.contains("depth: N"), "\(error)") }
    }

    // MARK: Faults that pass

    @Test("one fault delays a read and does not end it", arguments: [
        RPCAnswer.error(code: -32_603, message: "internal error", data: nil), .result(.null), .result("<html>"),
        .error(code: -32_005, message: "slow down", data: nil),
        .error(code: -32_000, message: "header not found", data: nil),
    ])
    func oneFault(answer: RPCAnswer) async throws {
        grow()
        let node = FakeEndpoint("a", chain, .init(overrides: ["eth_getBlockByNumber": answer]))
        let set = try makeSet([node], timeout: .seconds(5))
        let read = Task { try await set.heads() }
        #expect(await eventually { node.count("eth_getBlockByNumber") > 0 })
        node.fail { $0.overrides = [:] }
        #expect(try await read.value.latest.number == 10)
    }

    @Test("a quorum asks again those that failed, and takes the answers that it has")
    func quorumRetries() async throws {
        grow()
        let shaky = FakeEndpoint("shaky", chain, .init(isDown: true))
        let good = FakeEndpoint("good", chain)
        let set = try makeSet([shaky, good], quorum: 2, timeout: .seconds(5))
        let read = Task { await set.agreedBlock(3) }
        #expect(await eventually { !shaky.asked.isEmpty })
        shaky.fail { $0.isDown = false }
        #expect(try await read.value.get().number == 3)
        #expect(good.count("eth_getBlockByNumber") == 1, "its answer stands")
    }

    @Test("what will not pass is not asked again", arguments: [
        RPCAnswer.error(code: -32_601, message: "no such method", data: nil),
        .error(code: -32_602, message: "bad parameters", data: nil),
    ])
    func lasting(answer: RPCAnswer) async throws {
        let node = FakeEndpoint("a", chain, .init(overrides: ["eth_getBalance": answer]))
        _ = try? await makeSet([node]).balance(ramp)
        #expect(node.count("eth_getBalance") == 1)
    }

    @Test("an endpoint that asked for a pause is left alone until it is over")
    func pause() async throws {
        final class Limited: ChainTransport {
            let inner: FakeEndpoint
            let times = Mutex<[ContinuousClock.Instant]>([])
            init(_ inner: FakeEndpoint) { self.inner = inner }
            var label: String { inner.label }
            func newHeads() async -> AsyncStream<Void>? { nil }
            func send(_ calls: [RPCCall], timeout: Duration) async throws(ChainAccessError) -> [RPCAnswer] {
                let count = times.withLock { times in
                    times.append(.now)
                    return times.count
                }
                if count == 2 {
                    throw ChainAccessError(.rateLimited, "too many requests", retryAfterMilliseconds: 300)
                }
                return try await inner.send(calls, timeout: timeout)
            }
        }
        grow()
        let node = Limited(FakeEndpoint("a", chain))
        let set = try makeSet([node], timeout: .seconds(5))
        await set.verify()
        async let first = set.heads()
        async let second = set.balance(ramp)
        _ = try await (first, second)
        let times = node.times.withLock { $0 }
        let (limited, next) = (times[1], times[2])
        #expect(times.count >= 4)
        #expect(next - limited >= .milliseconds(290) || times[3] - limited >= .milliseconds(290))
        let during = times.dropFirst(3).count { $0 - limited < .milliseconds(290) }
        #expect(during == 0, "only what was on its way already may come during the pause")
    }

    // MARK: Log ranges

    static let refusals: [RPCAnswer] = [
        .error(code: -32_000, message: "eth_getLogs is limited to 10,000 blocks range", data: nil),
        .error(code: -32_602, message: "range is too wide, maximum of 3 blocks", data: nil),
        .error(code: -32_000, message: "no", data: nil), .error(code: -32_005, message: "limit exceeded", data: nil),
        .error(code: -32_012, message: "credits", data: nil),
        .error(code: -32_602, message: "invalid params", data: nil),
    ]

    @Test("a range that is refused in any words is asked for in smaller parts", arguments: refusals)
    func ranges(refusal: RPCAnswer) async throws {
        grow(40, finalized: 40)
        let node = FakeEndpoint("a", chain, .init(rangeMaximum: 3, rangeRefusal: refusal))
        let set = try makeSet([node], window: 32)
        #expect(numbers(try await set.logs(filter, 1...40)) == Array(1...40))
        let scratch = try ScratchStore()
        let listener = Listener()
        let poller = LogPoller(
            name: "lane", endpoints: set, store: try scratch.open(), filter: filter, startBlock: 1, logger: quiet,
            handler: { try listener.take($0) })
        #expect(await poller.step(heads: chain.heads) == .advanced(to: 40))
        #expect(listener.seen.finalized == Array(1...40))
        #expect(try await set.secondOpinion(filter, 1...40).map(numbers).get() == Array(1...40))
    }

    @Test("a refused size is not tried again for a while, and the window never leaves its bounds")
    func window() {
        var window = LogWindow(maximum: 1_000)
        #expect(window.range(from: 5, upTo: 7) == 5...7)
        #expect(window.range(from: .max - 1, upTo: .max) == UInt64.max - 1...UInt64.max)
        #expect(window.failed(1_000, isRefusal: true) && window.size == 500)
        for _ in 0..<20 { window.succeeded() }
        #expect(window.size == 999, "below what was refused")
        for _ in 0..<Limits.windowPatience { window.succeeded() }
        #expect(window.size == 1_000, "tried again later")
        var small = LogWindow(maximum: 0)
        #expect(small.size == 1 && !small.failed(1, isRefusal: true) && small.size == 1)
        var passing = LogWindow(maximum: 64)
        #expect(passing.failed(64, isRefusal: false) && passing.size == 32)
        passing.succeeded()
        #expect(passing.size == 64, "a fault of the moment leaves no mark")
    }

    // MARK: Logs of one block

    @Test("blocks above the finalized one are followed without blockHash filters", arguments: [true, false])
    func byNumber(refuses: Bool) async throws {
        let faults = refuses ? FakeEndpoint.Faults(refusesBlockHash: true) : .init(ignoresBlockHash: true)
        let node = FakeEndpoint("a", chain, faults)
        let set = try makeSet([node], window: 4)
        let scratch = try ScratchStore()
        let listener = Listener()
        let poller = LogPoller(
            name: "lane", endpoints: set, store: try scratch.open(), filter: filter, startBlock: 1, followLatest: true,
            logger: quiet, handler: { try listener.take($0) })
        grow(10, finalized: 3)
        for _ in 0..<3 { _ = await poller.step(heads: chain.heads) }
        #expect(listener.seen.finalized == [1, 2, 3] && listener.seen.unfinalized == Array(4...10))
        #expect(set.logsByBlock.withLock { $0 } == .number)
        chain.reorganise(to: 6)
        for number in 7...12 as ClosedRange<UInt64> { chain.mine([event(number + 100)]) }
        for _ in 0..<3 { _ = await poller.step(heads: chain.heads) }
        #expect(listener.seen.ancestors == [6] && listener.seen.unfinalized == Array(4...10) + Array(107...112))
    }

    @Test("a node that knows blockHash is asked by it")
    func byHash() async throws {
        grow()
        let set = try makeSet([FakeEndpoint("a", chain)])
        let block = chain.with { $0.blocks[5].header }
        #expect(numbers(try await set.logs(filter, of: block)) == [5])
        #expect(set.logsByBlock.withLock { $0 } == .hash)
    }

    @Test("logs by number are not taken from a block that changed meanwhile")
    func changed() async throws {
        grow()
        let set = try makeSet([FakeEndpoint("a", chain, .init(refusesBlockHash: true))], attempts: 1)
        var block = chain.with { $0.blocks[5].header }
        block.hash = .zero
        do {
            _ = try await set.logs(filter, of: block)
            Issue.record("no error")
        } catch { #expect(error.code == .behind) }
    }

    // MARK: Fees

    @Test("a price is found whatever the node tells", arguments: [
        ([], true, FeeSuggestion(baseFee: 7, tip: 1, gasPrice: 8)),
        (["eth_maxPriorityFeePerGas"], true, FeeSuggestion(baseFee: 7, tip: 1, gasPrice: 8)),
        (["eth_gasPrice"], true, FeeSuggestion(baseFee: 7, tip: 1, gasPrice: 8)),
        (["eth_gasPrice", "eth_maxPriorityFeePerGas"], true, FeeSuggestion(baseFee: 7, tip: 55, gasPrice: 62)),
        (["eth_maxPriorityFeePerGas"], false, FeeSuggestion(baseFee: nil, tip: 8, gasPrice: 8)),
        (["eth_gasPrice", "eth_maxPriorityFeePerGas"], false, FeeSuggestion(baseFee: nil, tip: 99, gasPrice: 99)),
    ] as [(Set<String>, Bool, FeeSuggestion)])
    func fees(missing: Set<String>, hasBaseFee: Bool, expected: FeeSuggestion) async throws {
        let node = FakeEndpoint("a", chain, .init(hasBaseFee: hasBaseFee, missing: missing))
        let set = try makeSet([node], fees: FeeRule(tipWei: 55, gasPriceWei: 99))
        #expect(try await set.fees() == expected)
    }

    @Test("without base fee, price and configuration there is an error that names the key")
    func noPrice() async throws {
        let node = FakeEndpoint("a", chain, .init(hasBaseFee: false, missing: ["eth_gasPrice"]))
        let set = try makeSet([node])
        do throws(ChainAccessError) {
            _ = try await set.fees()
            Issue.record("no error")
        } catch { #expect(error.hint.contains("gasPriceWei")) }
    }

    @Test("transactions are of the kind that the chain takes, or that the configuration names", arguments: [
        (true, nil, Transaction.Kind.dynamicFee), (false, nil, .legacy), (true, .legacy, .legacy),
        (false, .dynamicFee, .dynamicFee),
    ] as [(Bool, Transaction.Kind?, Transaction.Kind)])
    func kinds(hasBaseFee: Bool, configured: Transaction.Kind?, expected: Transaction.Kind) async throws {
        grow()
        let node = FakeEndpoint("a", chain, .init(hasBaseFee: hasBaseFee))
        let set = try makeSet([node], fees: FeeRule(kind: configured))
        let scratch = try ScratchStore()
        let sender = try TransactionSender(
            key: .random(), endpoints: set, store: try scratch.open(), policy: FeePolicy(), logger: quiet)
        try await sender.submit(key: keccak256([1]), to: ramp, data: [1], gasLimit: 50_000)
        await sender.advance(try await set.heads())
        #expect(await eventually { chain.with { !$0.received.isEmpty } })
        let sent = try #require(chain.with { $0.received.first })
        #expect(sent.transaction.kind == expected)
    }

    @Test("a transaction that could not be paid goes out again when it can, also without a new block")
    func topUp() async throws {
        grow()
        let refusal = RPCAnswer.error(code: -32_000, message: "sender cannot afford it", data: nil)
        let node = FakeEndpoint("a", chain, .init(overrides: ["eth_sendRawTransaction": refusal]))
        let set = try makeSet([node])
        let scratch = try ScratchStore()
        let alarms = Alarms()
        let sender = try TransactionSender(
            key: .random(), endpoints: set, store: try scratch.open(), policy: FeePolicy(), logger: quiet,
            alarm: { alarms.add($0) })
        try await sender.submit(key: keccak256([1]), to: ramp, data: [1], gasLimit: 50_000)
        await sender.advance(try await set.heads())
        #expect(await eventually { alarms.all.contains { $0.contains("top up") } })
        node.fail { $0.overrides = [:] }
        let taken = try await eventually(20) {
            await sender.advance(try await set.heads())
            return chain.with { $0.received.count } == 1
        }
        #expect(taken)
    }

    // MARK: Everything at once

    @Test("faults of every kind lose no log and send nothing twice", .timeLimit(.minutes(2)),
        arguments: 1...6 as ClosedRange<UInt64>)
    func seeded(seed: UInt64) async throws {
        let node = FakeEndpoint("a", chain, .init(rangeMaximum: 9, chances: .many), seed: seed &* 0x9e37_79b9_7f4a_7c15)
        try await FaultRun(chain, node, timeout: .milliseconds(60)).check("seed \(seed)")
    }

    @Test("the same over sockets, with a node that takes arrays and with one that does not", .timeLimit(.minutes(3)),
        arguments: [(UInt64(1), true), (2, false), (3, true), (4, false)])
    func overTheWire(seed: UInt64, takesBatches: Bool) async throws {
        var manners = FaultyNode.Manners.all
        manners.takesBatches = takesBatches
        let node = try await FaultyNode.start(
            FakeEndpoint("a", chain, .init(rangeMaximum: 9, refusesBlockHash: !takesBatches)), manners,
            seed: seed &* 0x9e37_79b9_7f4a_7c15)
        let client = RPCClient(
            try EndpointURL.parse("http://127.0.0.1:\(node.port)"), timeoutMilliseconds: 2_000, logger: quiet)
        try await FaultRun(chain, RPCTransport(label: "a", client: client), timeout: .milliseconds(400))
            .check("seed \(seed)")
        let happened = node.faults
        #expect(happened.count >= 6, "seed \(seed) showed only \(happened)")
        if !takesBatches { #expect(!client.takesBatches) }
        await client.close()
        await node.stop()
    }
}

/// A chain that grows while logs are read and transactions are sent through a node with faults.
struct FaultRun {
    let chain: FakeChain
    let set: ChainEndpointSet
    private let blocks: UInt64 = 60
    private let requests: UInt8 = 12

    init(_ chain: FakeChain, _ transport: any ChainTransport, timeout: Duration) throws {
        self.chain = chain
        set = try makeSet([transport], window: 16, timeout: timeout)
    }

    /// Ends when every log was read and every transaction is final, or at a deadline.
    func check(_ name: String) async throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        let listener = Listener()
        let poller = LogPoller(
            name: "lane", endpoints: set, store: store, filter: LogFilter(addresses: [ramp]), startBlock: 1,
            followLatest: true, logger: quiet, handler: { try listener.take($0) })
        let sender = try TransactionSender(
            key: .random(), endpoints: set, store: store,
            policy: FeePolicy(bumpThresholdBlocks: 1_000), logger: quiet)
        for index in 1...requests {
            try await sender.submit(key: keccak256([index]), to: ramp, data: [index], gasLimit: 50_000)
        }
        var mined: UInt64 = 0
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            if mined < blocks {
                mined += 1
                chain.mine([event(mined)])
            } else {
                chain.mine()
            }
            chain.finalize(UInt64(chain.with { $0.blocks.count }) - min(6, mined))
            try await Task.sleep(for: .milliseconds(mined < blocks ? 1 : 10))
            guard case .ready(let heads) = await set.agreedHeads() else { continue }
            _ = await poller.step(heads: heads)
            await sender.advance(heads)
            let isOver = await sender.pending == 0
            if isOver, listener.seen.finalized.count >= Int(blocks) { break }
        }
        #expect(listener.seen.finalized == Array(1...blocks), "\(name)")
        #expect(listener.seen.violations.isEmpty, "\(name)")
        let payloads = chain.with { state in
            state.blocks.flatMap(\.transactions).compactMap { item in
                state.received.first { $0.hash == item.hash }?.transaction.data
            }
        }
        #expect(payloads.sorted { $0.lexicographicallyPrecedes($1) } == (1...requests).map { [$0] }, "\(name)")
        for index in 1...requests {
            let status = try await sender.status(keccak256([index]))
            guard case .finalized(_, true) = status else {
                fail("\(name): transaction \(index) is \(status)")
                continue
            }
        }
    }
}

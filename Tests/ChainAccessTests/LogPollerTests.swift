// The log poller: each finalized log once and in order, whatever endpoints, handlers, restarts and re-organisations do.

import Ethereum
import Storage
import Synchronization
import Testing

@testable import ChainAccess

/// Writes down what it is told, and refuses when it should.
final class Listener: Sendable {
    struct State: Sendable {
        var finalized: [UInt64] = []
        var through: [UInt64] = []
        var unfinalized: [UInt64] = []
        var blocks: [UInt64] = []
        var ancestors: [UInt64] = []
        var violations: [String] = []
        var refusals = 0
    }
    struct Refusal: Error {}
    private let state = Mutex(State())
    var seen: State { state.withLock { $0 } }
    func refuse(_ times: Int) { state.withLock { $0.refusals = times } }

    func take(_ event: LogPollerEvent) throws {
        try state.withLock { state in
            if state.refusals > 0 {
                state.refusals -= 1
                throw Refusal()
            }
            switch event {
            case .finalized(let logs, let through):
                state.finalized += numbers(logs)
                state.through.append(through.number)
            case .unfinalized(let block, let logs):
                state.blocks.append(block.number)
                state.unfinalized += numbers(logs)
            case .reorganised(let ancestor): state.ancestors.append(ancestor.number)
            case .violated(let reason): state.violations.append(reason)
            }
        }
    }
}

@Suite("Log poller")
struct LogPollerTests {
    private let chain = FakeChain()
    private let scratch: ScratchStore
    private let listener = Listener()

    init() throws { scratch = try ScratchStore() }

    private func poller(
        _ set: ChainEndpointSet, _ store: Store, start: UInt64? = 0, latest: Bool = false, listener: Listener? = nil
    ) -> LogPoller {
        let listener = listener ?? self.listener
        return LogPoller(
            name: "lane", endpoints: set, store: store, filter: LogFilter(addresses: [ramp]), startBlock: start,
            followLatest: latest, logger: quiet, handler: { try listener.take($0) })
    }

    private func mine(_ range: ClosedRange<UInt64>, finalized: UInt64) {
        for number in range { chain.mine([event(number), event(number + 1_000, at: .zero)]) }
        chain.finalize(finalized)
    }

    // MARK: Finalized

    @Test("finalized logs come in order, each once, over windows and restarts")
    func inOrder() async throws {
        mine(1...50, finalized: 20)
        let set = try makeSet([FakeEndpoint("a", chain)], window: 7)
        var store = try scratch.open()
        var subject = poller(set, store)
        #expect(await subject.step(heads: chain.heads) == .advanced(to: 20))
        #expect(await subject.step(heads: chain.heads) == .idle)
        #expect(listener.seen.finalized == Array(1...20))
        try store.close()
        store = try scratch.open()
        subject = poller(set, store)
        #expect(await subject.step(heads: chain.heads) == .idle)
        chain.finalize(50)
        #expect(await subject.step(heads: chain.heads) == .advanced(to: 50))
        #expect(listener.seen.finalized == Array(1...50))
        #expect(try store.cursor("lane")?.number == 50)
    }

    @Test("without a start block only what comes after the finalized head is told")
    func startsAtHead() async throws {
        mine(1...10, finalized: 5)
        let store = try scratch.open()
        let subject = poller(try makeSet([FakeEndpoint("a", chain)]), store, start: nil)
        _ = await subject.step(heads: chain.heads)
        chain.finalize(7)
        _ = await subject.step(heads: chain.heads)
        #expect(listener.seen.finalized == [6, 7])
    }

    @Test("a start block that is not final yet is waited for")
    func startsLater() async throws {
        mine(1...10, finalized: 5)
        let store = try scratch.open()
        let subject = poller(try makeSet([FakeEndpoint("a", chain)]), store, start: 8)
        _ = await subject.step(heads: chain.heads)
        #expect(listener.seen.through.isEmpty)
        chain.finalize(9)
        _ = await subject.step(heads: chain.heads)
        #expect(listener.seen.finalized == [8, 9])
    }

    @Test("what the handler refused comes again, and the cursor waits for it")
    func refusedByHandler() async throws {
        mine(1...10, finalized: 10)
        let store = try scratch.open()
        let subject = poller(try makeSet([FakeEndpoint("a", chain)], window: 4), store)
        listener.refuse(1)
        guard case .notYet = await subject.step(heads: chain.heads) else { return fail("must wait") }
        #expect(try store.cursor("lane") == nil)
        #expect(await subject.step(heads: chain.heads) == .advanced(to: 10))
        #expect(listener.seen.finalized == Array(1...10))
    }

    @Test("endpoints that fail now and then lose no log", arguments: 1...5 as ClosedRange<UInt64>)
    func flaky(seed: UInt64) async throws {
        mine(1...40, finalized: 40)
        let first = FakeEndpoint("a", chain)
        let second = FakeEndpoint("b", chain)
        let set = try makeSet([first, second], window: 3, timeout: .milliseconds(5))
        let store = try scratch.open()
        let subject = poller(set, store)
        var random = seed
        for _ in 0..<200 {
            for endpoint in [first, second] {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let dice = random >> 60
                endpoint.fail {
                    $0 = .init(
                        isDown: dice == 1, garbage: dice == 2, omitsLogs: dice == 3, rangeMaximum: dice == 4 ? 1 : .max)
                }
            }
            _ = await subject.step(heads: chain.heads)
            if listener.seen.through.last == 40 { break }
        }
        #expect(listener.seen.finalized == Array(1...40), "seed \(seed)")
    }

    @Test("an endpoint that leaves out logs cannot make the cursor pass them")
    func omission() async throws {
        mine(1...10, finalized: 10)
        let alarms = Alarms()
        let liar = FakeEndpoint("liar", chain, .init(omitsLogs: true))
        let set = try makeSet([liar, FakeEndpoint("b", chain)], alarms: alarms)
        let store = try scratch.open()
        let subject = poller(set, store)
        for _ in 0..<3 { _ = await subject.step(heads: chain.heads) }
        #expect(listener.seen.through.isEmpty && !alarms.all.isEmpty)
        liar.fail { $0.omitsLogs = false }
        #expect(await subject.step(heads: chain.heads) == .advanced(to: 10))
        #expect(listener.seen.finalized == Array(1...10))
    }

    // MARK: Violations

    @Test("a finalized block that changed stops the chain: written first, kept over a restart, cleared by hand only")
    func violation() async throws {
        mine(1...10, finalized: 8)
        let set = try makeSet([FakeEndpoint("a", chain)])
        var store = try scratch.open()
        var subject = poller(set, store)
        _ = await subject.step(heads: chain.heads)
        chain.reorganise(to: 5)
        mine(6...12, finalized: 11)
        guard case .stopped(let reason) = await subject.step(heads: chain.heads) else {
            return fail("must stop")
        }
        #expect(listener.seen.violations == [reason] && listener.seen.finalized == Array(1...8))
        #expect(try store.isStopped("chain/31337")?.kind == LogPoller.violationKind)
        try store.close()
        store = try scratch.open()
        subject = poller(set, store)
        guard case .stopped = await subject.step(heads: chain.heads) else { return fail("must stay") }
        #expect(listener.seen.finalized == Array(1...8))
        #expect(try store.clearStop(scope: "chain/31337", kind: LogPoller.violationKind, by: "alice"))
        // Cleared without wiping the cursor: the contradiction is still there and is found again.
        guard case .stopped = await subject.step(heads: chain.heads) else { return fail("must stop again") }
    }

    @Test("a finalized head of the same height with another hash stops the chain")
    func violationAtSameHeight() async throws {
        mine(1...8, finalized: 8)
        let store = try scratch.open()
        let subject = poller(try makeSet([FakeEndpoint("a", chain)]), store)
        _ = await subject.step(heads: chain.heads)
        chain.reorganise(to: 7)
        mine(8...8, finalized: 8)
        guard case .stopped = await subject.step(heads: chain.heads) else { return fail("must stop") }
    }

    @Test("a finalized head that goes back is waited for, unless its block was another one")
    func finalizedGoesBack() async throws {
        mine(1...8, finalized: 6)
        let store = try scratch.open()
        let subject = poller(try makeSet([FakeEndpoint("a", chain)]), store)
        _ = await subject.step(heads: chain.heads)
        chain.finalize(8)
        _ = await subject.step(heads: chain.heads)
        chain.finalize(6)
        guard case .notYet = await subject.step(heads: chain.heads) else { return fail("a lag is no stop") }
        #expect(try store.activeStops().isEmpty)
        chain.reorganise(to: 5)
        mine(6...6, finalized: 6)
        guard case .stopped = await subject.step(heads: chain.heads) else { return fail("must stop") }
    }

    @Test("one endpoint's word does not stop a chain that two must agree about")
    func lyingAboutFinality() async throws {
        mine(1...8, finalized: 8)
        let other = FakeChain()
        for number in 1...9 as ClosedRange<UInt64> { other.mine([event(number)]) }
        other.reorganise(to: 3)
        for number in 4...9 as ClosedRange<UInt64> { other.mine([event(number)]) }
        other.finalize(9)
        let store = try scratch.open()
        let honest = FakeEndpoint("a", chain)
        _ = await poller(try makeSet([honest, FakeEndpoint("b", chain)]), store).step(heads: chain.heads)
        let subject = poller(try makeSet([honest, FakeEndpoint("liar", other)]), store)
        guard case .notYet = await subject.step(heads: other.heads) else { return fail("must wait") }
        #expect(try store.activeStops().isEmpty)
    }

    // MARK: Unfinalized

    @Test("blocks above the finalized one are told as they come, and finalized ones again as final")
    func latest() async throws {
        mine(1...5, finalized: 2)
        let store = try scratch.open()
        let subject = poller(try makeSet([FakeEndpoint("a", chain)]), store, latest: true)
        _ = await subject.step(heads: chain.heads)
        #expect(listener.seen.finalized == [1, 2] && listener.seen.unfinalized == [3, 4, 5])
        mine(6...7, finalized: 4)
        _ = await subject.step(heads: chain.heads)
        _ = await subject.step(heads: chain.heads)
        #expect(listener.seen.finalized == [1, 2, 3, 4] && listener.seen.unfinalized == Array(3...7))
        #expect(listener.seen.blocks == Array(3...7) && listener.seen.ancestors.isEmpty)
    }

    @Test(
        "a re-organisation above the finalized block is told with its ancestor", arguments: 3...9 as ClosedRange<UInt64>
    )
    func reorganisation(ancestor: UInt64) async throws {
        mine(1...10, finalized: 3)
        let store = try scratch.open()
        let subject = poller(try makeSet([FakeEndpoint("a", chain)]), store, latest: true)
        _ = await subject.step(heads: chain.heads)
        chain.reorganise(to: ancestor)
        for number in ancestor + 1...11 { chain.mine([event(number + 100)]) }
        for _ in 0..<3 { _ = await subject.step(heads: chain.heads) }
        #expect(listener.seen.ancestors == [ancestor])
        #expect(listener.seen.unfinalized == Array(4...10) + Array(ancestor + 101...111))
        chain.finalize(11)
        for _ in 0..<3 { _ = await subject.step(heads: chain.heads) }
        #expect(listener.seen.finalized == Array(1...ancestor) + Array(ancestor + 101...111))
        #expect(try store.activeStops().isEmpty)
    }

    @Test("a re-organisation to a shorter chain and one at the same height are seen")
    func shorter() async throws {
        mine(1...10, finalized: 3)
        let store = try scratch.open()
        let subject = poller(try makeSet([FakeEndpoint("a", chain)]), store, latest: true)
        _ = await subject.step(heads: chain.heads)
        chain.reorganise(to: 6)
        chain.mine([event(77)])
        for _ in 0..<3 { _ = await subject.step(heads: chain.heads) }
        #expect(listener.seen.ancestors == [6] && listener.seen.unfinalized.last == 77)
        chain.reorganise(to: 6)
        chain.mine([event(78)])
        for _ in 0..<3 { _ = await subject.step(heads: chain.heads) }
        #expect(listener.seen.ancestors == [6, 6] && listener.seen.unfinalized.last == 78)
    }

    @Test("a finalized block from another branch than the tail takes the tail away")
    func finalizedOtherBranch() async throws {
        mine(1...10, finalized: 3)
        let store = try scratch.open()
        let subject = poller(try makeSet([FakeEndpoint("a", chain)]), store, latest: true)
        _ = await subject.step(heads: chain.heads)
        chain.reorganise(to: 5)
        for number in 6...12 as ClosedRange<UInt64> { chain.mine([event(number + 100)]) }
        chain.finalize(12)
        for _ in 0..<3 { _ = await subject.step(heads: chain.heads) }
        #expect(listener.seen.ancestors == [3])
        #expect(listener.seen.finalized == [1, 2, 3, 4, 5] + Array(106...112))
    }

    @Test("finality that passes everything that was followed is no re-organisation", arguments: [1, 5] as [UInt64])
    func finalizedPassesTail(blocks: UInt64) async throws {
        mine(1...10, finalized: 3)
        let store = try scratch.open()
        let subject = poller(try makeSet([FakeEndpoint("a", chain)], window: 100), store, latest: true)
        _ = await subject.step(heads: chain.heads)
        #expect(listener.seen.unfinalized == Array(4...10))
        mine(11...10 + blocks, finalized: 10 + blocks)
        for _ in 0..<3 { _ = await subject.step(heads: chain.heads) }
        #expect(listener.seen.finalized == Array(1...10 + blocks))
        #expect(listener.seen.ancestors.isEmpty, "no block changed")
        // What comes after is followed as before.
        mine(11 + blocks...12 + blocks, finalized: 10 + blocks)
        for _ in 0..<3 { _ = await subject.step(heads: chain.heads) }
        #expect(listener.seen.unfinalized == Array(4...10) + [11 + blocks, 12 + blocks])
    }

    @Test("hundreds of blocks above the finalized one are followed in steps")
    func deepTail() async throws {
        mine(1...300, finalized: 2)
        let store = try scratch.open()
        let subject = poller(try makeSet([FakeEndpoint("a", chain)]), store, latest: true)
        for _ in 0..<10 { _ = await subject.step(heads: chain.heads) }
        #expect(listener.seen.unfinalized == Array(3...300))
    }

    // MARK: Running

    @Test("a running poller follows a growing chain by polling", .timeLimit(.minutes(1)))
    func running() async throws {
        let set = try makeSet([FakeEndpoint("a", chain), FakeEndpoint("b", chain)])
        let store = try scratch.open()
        let tracker = HeadTracker(set, logger: quiet)
        let subject = poller(set, store, latest: true)
        let tasks = [Task { await tracker.run() }, Task { _ = await subject.run(heads: tracker) }]
        for number in 1...60 as ClosedRange<UInt64> {
            chain.mine([event(number)])
            chain.finalize(number > 5 ? number - 5 : 0)
            if number % 10 == 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
        chain.finalize(60)
        #expect(await eventually { listener.seen.finalized.count >= 60 })
        for task in tasks { task.cancel() }
        #expect(listener.seen.finalized == Array(1...60))
    }

    @Test("an announcement wakes the tracker long before its interval", .timeLimit(.minutes(1)))
    func announced() async throws {
        let endpoint = FakeEndpoint("a", chain, announces: true)
        let set = try makeSet([endpoint])
        let tracker = HeadTracker(set, pollInterval: .seconds(600), logger: quiet)
        let task = Task { await tracker.run() }
        #expect(await eventually { await tracker.current?.latest.number == 0 })
        chain.mine()
        // The subscription may be younger than the first read: announce until it is heard.
        #expect(
            await eventually {
                endpoint.announce()
                return await tracker.current?.latest.number == 1
            })
        task.cancel()
    }
}

@Suite("Chain tail")
struct ChainTailTests {
    private func block(_ number: UInt64, _ branch: UInt64 = 0, parent: Hash32? = nil) -> BlockReference {
        BlockReference(
            number: number, hash: Hash32(U256(number * 100 + branch)),
            parentHash: parent ?? Hash32(U256((number - 1) * 100)))
    }

    @Test("only children of the tip are taken")
    func append() {
        var tail = ChainTail(anchor: block(5))
        #expect(tail.append(block(6)) && tail.append(block(7)))
        #expect(!tail.append(block(9)) && !tail.append(block(7)) && !tail.append(block(8, parent: .zero)))
        #expect(tail.tip == block(7) && tail.contains(block(5)) && !tail.contains(block(6, 1)))
    }

    @Test("the common ancestor is the highest block that still stands, and nil below the finalized one")
    func ancestor() {
        var tail = ChainTail(anchor: block(5))
        for number in 6...9 as ClosedRange<UInt64> { _ = tail.append(block(number)) }
        #expect(tail.lastCommon(with: [block(5), block(6), block(7), block(8, 1), block(9, 1)]) == block(7))
        #expect(tail.lastCommon(with: [block(5), block(6, 1)]) == block(5))
        #expect(tail.lastCommon(with: [block(5, 1), block(6, 1)]) == nil)
    }

    @Test("the anchor moves up and says when the tail followed another branch")
    func finalize() {
        func tail() -> ChainTail {
            var tail = ChainTail(anchor: block(5))
            for number in 6...8 as ClosedRange<UInt64> { _ = tail.append(block(number)) }
            return tail
        }
        var same = tail()
        #expect(same.finalize(block(7), isTipThere: false) == nil && same.blocks == [block(8)])
        var beyond = tail()
        #expect(beyond.finalize(block(9), isTipThere: false) == nil && beyond.blocks.isEmpty && beyond.tip == block(9))
        var other = tail()
        #expect(other.finalize(block(7, 1), isTipThere: false) == block(5) && other.blocks.isEmpty)
        var gap = tail()
        #expect(gap.finalize(block(20), isTipThere: false) == block(5) && gap.tip == block(20))
        var grown = tail()
        #expect(grown.isPassed(by: block(20)) && !grown.isPassed(by: block(9)) && !grown.isPassed(by: block(7, 1)))
        #expect(grown.finalize(block(20), isTipThere: true) == nil && grown.blocks.isEmpty && grown.tip == block(20))
        var parted = tail()
        #expect(parted.finalize(block(7, 1), isTipThere: true) == block(5), "a block of ours that changed is no matter of the tip")
        var lower = tail()
        #expect(lower.finalize(block(4), isTipThere: false) == nil && lower == tail())
    }

    @Test("the tail is bounded")
    func bounded() {
        var tail = ChainTail(anchor: block(5))
        for number in 6...UInt64(Limits.tailBlocksMaximum + 50) { _ = tail.append(block(number)) }
        #expect(tail.blocks.count == Limits.tailBlocksMaximum)
    }
}

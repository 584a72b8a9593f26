// The sender: what is submitted gets on chain once, over crashes, lost answers, re-organisations and failing disks.

import CCIP
import Ethereum
import Storage
import Synchronization
import Testing
import Transactions

@testable import ChainAccess

/// Lets a number of batches through; the last one is delivered, but its answer is lost. Then the process "is dead".
final class MortalTransport: ChainTransport {
    let label = "mortal"
    private let inner: FakeEndpoint
    private let left: Mutex<Int>
    private let losesLastAnswer: Bool

    init(_ inner: FakeEndpoint, lives: Int, losesLastAnswer: Bool) {
        self.inner = inner
        left = Mutex(lives)
        self.losesLastAnswer = losesLastAnswer
    }

    func newHeads() async -> AsyncStream<Void>? { nil }

    func send(_ calls: [RPCCall], timeout: Duration) async throws(ChainAccessError) -> [RPCAnswer] {
        let left = left.withLock { left in
            left -= 1
            return left
        }
        guard left >= 0 else { throw ChainAccessError(.unreachable, "dead") }
        let answers = try await inner.send(calls, timeout: timeout)
        if left == 0, losesLastAnswer { throw ChainAccessError(.unreachable, "died before the answer") }
        return answers
    }
}

final class Outcomes: Sendable {
    private let list = Mutex<[TransactionOutcome]>([])
    var all: [TransactionOutcome] { list.withLock { $0 } }
    func of(_ key: Hash32) -> [TransactionOutcome.Kind] { all.filter { $0.key == key }.map(\.kind) }

    init(_ sender: TransactionSender) async {
        let stream = await sender.outcomes()
        Task { for await outcome in stream { self.list.withLock { $0.append(outcome) } } }
    }
}

@Suite("Transaction sender")
struct TransactionSenderTests {
    private let chain = FakeChain()
    private let scratch: ScratchStore
    private let key: PrivateKey
    private let target = Address(truncating: 0x77)

    init() throws {
        scratch = try ScratchStore()
        key = try PrivateKey(bytes: Bytes(repeating: 7, count: 32))
    }

    private func request(_ number: UInt64) -> Hash32 { keccak256(Bytes(bigEndian: number)) }

    private func sender(_ transport: any ChainTransport, _ store: Store, alarms: Alarms = Alarms()) throws
        -> TransactionSender
    {
        try TransactionSender(
            key: key, endpoints: try makeSet([transport]), store: store, policy: FeePolicy(), logger: quiet,
            alarm: { alarms.add($0) })
    }

    private func submit(_ sender: TransactionSender, _ number: UInt64) async throws -> TransactionStatus {
        try await sender.submit(key: request(number), to: target, data: [UInt8(number)], gasLimit: 100_000)
    }

    /// How often the payload of a request is on chain.
    private func included(_ number: UInt64) -> Int {
        let received = chain.with { state in
            Dictionary(state.received.map { ($0.hash, $0) }, uniquingKeysWith: { a, _ in a })
        }
        return chain.included.count { received[$0]?.transaction.data == [UInt8(number)] }
    }

    @Test("a request goes from queued over the pool into a block and becomes final")
    func lifecycle() async throws {
        let store = try scratch.open()
        let subject = try sender(FakeEndpoint("a", chain), store)
        let outcomes = await Outcomes(subject)
        #expect(try await submit(subject, 1) == .queued)
        await subject.advance(chain.heads)
        guard case .inFlight(0, let hash) = try await subject.status(request(1)) else {
            return fail("must be out")
        }
        #expect(chain.with { $0.pool.map(\.hash) } == [hash])
        let block = chain.mine()
        await subject.advance(chain.heads)
        #expect(try await subject.status(request(1)) == .mined(hash: hash, block: block.number, succeeded: true))
        chain.mine()
        chain.finalize(2)
        await subject.advance(chain.heads)
        #expect(try await subject.status(request(1)) == .finalized(hash: hash, succeeded: true))
        #expect(await eventually { outcomes.of(request(1)).count == 2 })
        #expect(
            outcomes.of(request(1)) == [
                .confirmed(hash: hash, block: block.number), .finalized(hash: hash, succeeded: true),
            ])
        #expect(await subject.pending == 0)
        #expect(try await subject.status(request(2)) == .unknown)
    }

    @Test("the same key is sent once, also after it was finalized and after a restart")
    func idempotent() async throws {
        var store = try scratch.open()
        var subject = try sender(FakeEndpoint("a", chain), store)
        for _ in 0..<3 { _ = try await submit(subject, 1) }
        await subject.advance(chain.heads)
        _ = try await submit(subject, 1)
        chain.mine()
        chain.finalize(1)
        await subject.advance(chain.heads)
        guard case .finalized = try await submit(subject, 1) else { return fail("must be known") }
        try store.close()
        store = try scratch.open()
        subject = try sender(FakeEndpoint("a", chain), store)
        guard case .finalized = try await submit(subject, 1) else { return fail("must be known") }
        for _ in 0..<3 {
            chain.mine()
            await subject.advance(chain.heads)
        }
        #expect(included(1) == 1 && chain.with { $0.received.count } == 1)
    }

    @Test("the entry is on disk before the transaction is out")
    func writtenFirst() async throws {
        let store = try scratch.open()
        let endpoint = FakeEndpoint("a", chain)
        let subject = try sender(endpoint, store)
        _ = try await submit(subject, 1)
        let entries = try store.outbox(chain: chain.id, sender: key.address)
        #expect(entries.count == 1 && endpoint.count("eth_sendRawTransaction") == 0)
        await subject.advance(chain.heads)
        let sent = try #require(chain.with { $0.received.first })
        let stored = try OutboxEntry(
            decoding: try #require(try store.outbox(chain: chain.id, sender: key.address).first))
        #expect(stored.attempts.map(\.raw) == [sent.encoded])
    }

    @Test("a store that cannot be written stops the sender before anything is out")
    func diskFailure() async throws {
        let store = try scratch.open()
        let endpoint = FakeEndpoint("a", chain)
        let alarms = Alarms()
        let subject = try sender(endpoint, store, alarms: alarms)
        await subject.advance(chain.heads)
        try store.close()
        await #expect(throws: ChainAccessError.self) { try await submit(subject, 1) }
        await #expect(throws: ChainAccessError.self) { try await submit(subject, 2) }
        await subject.advance(chain.heads)
        #expect(endpoint.count("eth_sendRawTransaction") == 0)
    }

    @Test("a write that fails between two steps stops the sender for good")
    func diskFailureLater() async throws {
        let store = try scratch.open()
        let endpoint = FakeEndpoint("a", chain)
        let alarms = Alarms()
        let subject = try sender(endpoint, store, alarms: alarms)
        _ = try await submit(subject, 1)
        try store.close()
        await subject.advance(chain.heads)
        #expect(await subject.failure?.code == .storage && !alarms.all.isEmpty)
        #expect(endpoint.count("eth_sendRawTransaction") == 0)
    }

    @Test("a reverted transaction comes with its decoded reason", arguments: [false, true])
    func reverted(finalizesAtOnce: Bool) async throws {
        let store = try scratch.open()
        let data: JSON = .string("0x22611167")
        let endpoint = FakeEndpoint("a", chain)
        let subject = try sender(endpoint, store)
        let outcomes = await Outcomes(subject)
        chain.with { _ = $0.reverting.insert(target) }
        endpoint.fail { $0.overrides = ["eth_call": .error(code: 3, message: "execution reverted", data: data)] }
        _ = try await submit(subject, 1)
        await subject.advance(chain.heads)
        chain.mine()
        if finalizesAtOnce { chain.finalize(1) }
        await subject.advance(chain.heads)
        chain.finalize(1)
        chain.mine()
        await subject.advance(chain.heads)
        #expect(await eventually { outcomes.of(request(1)).count == 2 })
        let kinds = outcomes.of(request(1))
        guard case .reverted(_, 1, let reason) = kinds.first, case .finalized(_, false) = kinds.last else {
            return fail("\(kinds)")
        }
        #expect(reason.name == "StaleCommitReport" && reason.reaction == .benign)
    }

    @Test("a broadcast whose answer is lost goes out again with the same bytes")
    func lostAnswer() async throws {
        let store = try scratch.open()
        let endpoint = FakeEndpoint("a", chain, .init(dropsBroadcasts: true))
        let subject = try sender(endpoint, store)
        _ = try await submit(subject, 1)
        await subject.advance(chain.heads)
        #expect(chain.with { $0.received.isEmpty })
        endpoint.fail { $0 = .init(swallowsBroadcastAnswers: true) }
        // No new head is needed for it.
        #expect(
            await eventually {
                await subject.advance(chain.heads)
                return chain.with { $0.received.count } >= 1
            })
        endpoint.fail { $0 = .init() }
        #expect(
            await eventually {
                await subject.advance(chain.heads)
                return chain.with { $0.received.count } >= 2
            })
        #expect(Set(chain.with { $0.received.map(\.hash) }).count == 1)
        chain.mine()
        await subject.advance(chain.heads)
        #expect(included(1) == 1)
    }

    @Test("a refused transaction fails with the node's words and its nonce is used up by an empty one")
    func refused() async throws {
        let store = try scratch.open()
        let endpoint = FakeEndpoint("a", chain)
        let subject = try sender(endpoint, store)
        let outcomes = await Outcomes(subject)
        endpoint.fail {
            $0.overrides = [
                "eth_sendRawTransaction": .error(code: -32_000, message: "exceeds block gas limit", data: nil)
            ]
        }
        _ = try await submit(subject, 1)
        await subject.advance(chain.heads)
        #expect(await eventually { outcomes.of(request(1)) == [.failed("exceeds block gas limit")] })
        #expect(try await subject.status(request(1)) == .failed("exceeds block gas limit"))
    }

    @Test("a re-organisation that drops a transaction brings it back once")
    func reorganisation() async throws {
        let store = try scratch.open()
        let subject = try sender(FakeEndpoint("a", chain), store)
        _ = try await submit(subject, 1)
        await subject.advance(chain.heads)
        chain.mine()
        await subject.advance(chain.heads)
        #expect(included(1) == 1)
        chain.reorganise(to: 0, keepPool: false)
        chain.mine()
        await subject.advance(chain.heads)
        #expect(included(1) == 0)
        chain.mine()
        await subject.advance(chain.heads)
        chain.finalize(2)
        chain.mine()
        await subject.advance(chain.heads)
        guard case .finalized(_, true) = try await subject.status(request(1)) else { return fail("must be final") }
        #expect(included(1) == 1)
    }

    @Test(
        "a process that dies after any number of exchanges, with or without the last answer, sends everything once",
        arguments: Array(0...22), [false, true])
    func crashes(lives: Int, losesLastAnswer: Bool) async throws {
        let endpoint = FakeEndpoint("a", chain)
        var store = try scratch.open()
        var subject = try sender(MortalTransport(endpoint, lives: lives, losesLastAnswer: losesLastAnswer), store)
        for number in 1...3 as ClosedRange<UInt64> { _ = try await submit(subject, number) }
        for _ in 0..<4 {
            await subject.advance(chain.heads)
            chain.mine()
            chain.finalize(chain.heads.latest.number > 2 ? chain.heads.latest.number - 2 : 0)
        }
        // What the dead process had acknowledged is what the next one finds.
        try store.close()
        store = try scratch.open()
        subject = try sender(endpoint, store)
        for number in 1...3 as ClosedRange<UInt64> { _ = try await submit(subject, number) }
        for _ in 0..<12 {
            await subject.advance(chain.heads)
            chain.mine()
            chain.finalize(chain.heads.latest.number - 2)
        }
        for number in 1...3 as ClosedRange<UInt64> {
            #expect(included(number) == 1)
            let status = try await subject.status(request(number))
            guard case .finalized(_, true) = status else { return fail("request \(number): \(status)") }
        }
        #expect(await subject.pending == 0)
    }

    @Test(
        "receipts that cannot be read, or that one endpoint does not know, never look like a stranger's transaction",
        arguments: [false, true])
    func receiptsWithheld(byLag: Bool) async throws {
        let store = try scratch.open()
        let first = FakeEndpoint("a", chain)
        let set = try makeSet([first, FakeEndpoint("b", chain)], quorum: 1)
        let alarms = Alarms()
        let subject = try TransactionSender(
            key: key, endpoints: set, store: store, policy: FeePolicy(), logger: quiet, alarm: { alarms.add($0) })
        _ = try await submit(subject, 1)
        await subject.advance(chain.heads)
        let withheld: RPCAnswer = byLag ? .result(.null) : .error(code: -32_603, message: "boom", data: nil)
        first.fail { $0.overrides = ["eth_getTransactionReceipt": withheld] }
        if !byLag { try #require(set.endpoints.count == 2) }
        let only = byLag ? set : try makeSet([first])
        let sender =
            byLag
            ? subject
            : try TransactionSender(
                key: key, endpoints: only, store: store, policy: FeePolicy(), logger: quiet, alarm: { alarms.add($0) })
        for _ in 0..<20 {
            chain.mine()
            await sender.advance(chain.heads)
        }
        first.fail { $0.overrides = [:] }
        for _ in 0..<5 {
            chain.mine()
            chain.finalize(chain.heads.latest.number)
            await sender.advance(chain.heads)
        }
        #expect(included(1) == 1 && chain.with { Set($0.received.map(\.hash)).count } == 1 && alarms.all.isEmpty)
        guard case .finalized(_, true) = try await sender.status(request(1)) else { return fail("must be final") }
    }

    @Test("a nonce that a stranger used is noticed and the payload goes out under another", .timeLimit(.minutes(1)))
    func stranger() async throws {
        let store = try scratch.open()
        let alarms = Alarms()
        let endpoint = FakeEndpoint("a", chain)
        let subject = try sender(endpoint, store, alarms: alarms)
        _ = try await submit(subject, 1)
        endpoint.fail { $0.dropsBroadcasts = true }
        await subject.advance(chain.heads)
        endpoint.fail { $0.dropsBroadcasts = false }
        let foreign = Transaction.dynamicFee(
            chainID: chain.id, nonce: 0, maxPriorityFeePerGas: 9, maxFeePerGas: 90, gasLimit: 21_000, to: .zero
        ).signed(by: key)
        _ = await (try makeSet([endpoint])).sendRaw(foreign.encoded)
        for _ in 0..<12 {
            chain.mine()
            await subject.advance(chain.heads)
        }
        #expect(included(1) == 1)
        #expect(alarms.all.contains { $0.contains("not ours") })
    }

    @Test("a damaged outbox is named and nothing is sent")
    func damagedOutbox() throws {
        let store = try scratch.open()
        try store.applyOutbox(chain: chain.id, sender: key.address, [.put(key: request(1), entry: [1, 2, 3])])
        do {
            _ = try sender(FakeEndpoint("a", chain), store)
            Issue.record("no error")
        } catch { #expect((error as? ChainAccessError)?.code == .storage) }
    }

    @Test("a running sender brings many requests on chain while it is fed by a tracker", .timeLimit(.minutes(1)))
    func running() async throws {
        let store = try scratch.open()
        let set = try makeSet([FakeEndpoint("a", chain), FakeEndpoint("b", chain)])
        let tracker = HeadTracker(set, logger: quiet)
        let subject = try TransactionSender(key: key, endpoints: set, store: store, policy: FeePolicy(), logger: quiet)
        let tasks = [Task { await tracker.run() }, Task { await subject.run(heads: tracker) }]
        for number in 1...60 as ClosedRange<UInt64> { _ = try await submit(subject, number) }
        #expect(
            await eventually(30) {
                chain.mine()
                chain.finalize(chain.heads.latest.number - 1)
                try? await Task.sleep(for: .milliseconds(5))
                return await subject.pending == 0
            })
        for task in tasks { task.cancel() }
        for number in 1...60 as ClosedRange<UInt64> { #expect(included(number) == 1) }
    }
}

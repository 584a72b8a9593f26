import Ethereum
import Testing

@testable import Transactions

@Suite struct TransactionManagerTests {
    static let sender = Address(truncating: 0xabc)

    /// A deterministic stand-in for signing: the bytes name nonce and prices, the hash is theirs.
    static let sign: TransactionManager.Sign = { draft in
        let raw = Bytes("\(draft.nonce)/\(draft.maxFeePerGas)/\(draft.maxPriorityFeePerGas)/\(draft.data)".utf8)
        return (raw, keccak256(raw))
    }

    static func manager(restored: [OutboxEntry] = [], finished: [Hash32] = []) -> TransactionManager {
        TransactionManager(
            sender: sender, policy: FeePolicy(), restored: restored, finishedKeys: finished, sign: sign)
    }

    static func request(_ number: UInt64) -> TransactionRequest {
        TransactionRequest(
            key: keccak256(Bytes(bigEndian: number)), to: Address(truncating: 1), data: Bytes(bigEndian: number), gasLimit: 100_000)
    }

    static func head(_ number: UInt64, nonce: UInt64 = 0, finalized: UInt64 = 0, baseFee: U256 = 100) -> ChainHead {
        ChainHead(number: number, finalized: finalized, baseFee: baseFee, suggestedTip: 1, nonce: nonce)
    }

    private func broadcasts(_ actions: [TransactionAction]) -> [Hash32] {
        actions.compactMap { if case .broadcast(let hash, _) = $0 { hash } else { nil } }
    }

    @Test("a request is on disk, signed bytes included, before it is broadcast")
    func persistBeforeSend() throws {
        var manager = Self.manager()
        _ = manager.handle(.head(Self.head(10, nonce: 7)))
        let actions = manager.handle(.submit(Self.request(1)))
        guard case .persist(let queued) = actions[0], case .persist(let stored) = actions[1],
            case .broadcast(let hash, let raw) = actions[2]
        else {
            Issue.record("unexpected order: \(actions)")
            return
        }
        #expect(queued.phase == .queued)
        #expect(stored.phase == .inFlight(nonce: 7))
        #expect(stored.attempts.map(\.hash) == [hash])
        #expect(stored.attempts.map(\.raw) == [raw])
    }

    @Test("nothing is sent before the chain has told its nonce")
    func waitsForHead() {
        var manager = Self.manager()
        #expect(broadcasts(manager.handle(.submit(Self.request(1)))).isEmpty)
        #expect(broadcasts(manager.handle(.head(Self.head(1, nonce: 3)))).count == 1)
    }

    @Test("the same key is sent once, even when it is submitted again after a restart")
    func atMostOnce() {
        var manager = Self.manager()
        _ = manager.handle(.head(Self.head(1)))
        let hash = broadcasts(manager.handle(.submit(Self.request(1))))[0]
        #expect(manager.handle(.submit(Self.request(1))).isEmpty)
        _ = manager.handle(.receipt(hash: hash, TransactionReceiptSummary(block: 2, succeeded: true)))
        _ = manager.handle(.head(Self.head(5, nonce: 1, finalized: 3)))
        let done = manager.handle(.receipt(hash: hash, TransactionReceiptSummary(block: 2, succeeded: true)))
        #expect(done == [.forget(key: Self.request(1).key),
            .report(key: Self.request(1).key, .finalized(hash: hash, succeeded: true))])
        #expect(broadcasts(manager.handle(.submit(Self.request(1)))).isEmpty)

        var restarted = Self.manager(finished: [Self.request(1).key])
        _ = restarted.handle(.head(Self.head(5, nonce: 1)))
        #expect(restarted.handle(.submit(Self.request(1))).isEmpty)
    }

    @Test("after a crash the stored bytes go out again unchanged and nonces go on behind them")
    func crashRecovery() {
        var before = Self.manager()
        _ = before.handle(.head(Self.head(1, nonce: 4)))
        var stored: [Hash32: OutboxEntry] = [:]
        var sent: [Hash32] = []
        for number in 1...3 as ClosedRange<UInt64> {
            for action in before.handle(.submit(Self.request(number))) {
                if case .persist(let entry) = action { stored[entry.request.key] = entry }
                if case .broadcast(let hash, _) = action { sent.append(hash) }
            }
        }
        var after = Self.manager(restored: Array(stored.values))
        // A lost broadcast: the chain still shows nonce 4.
        let actions = after.handle(.head(Self.head(2, nonce: 4)))
        #expect(broadcasts(actions) == sent)
        let next = after.handle(.submit(Self.request(9)))
        guard case .persist(let entry) = next[1] else { return #expect(Bool(false), "\(next)") }
        #expect(entry.nonce == 7)
    }

    @Test("a price is raised after the threshold by at least the percentage, never past the cap")
    func bumping() throws {
        var manager = Self.manager()
        _ = manager.handle(.head(Self.head(10)))
        _ = manager.handle(.submit(Self.request(1)))
        #expect(broadcasts(manager.handle(.head(Self.head(12)))).isEmpty)
        var fees: [U256] = []
        for block in stride(from: 13 as UInt64, to: 400, by: 3) {
            for case .persist(let entry) in manager.handle(.head(Self.head(block))) {
                fees.append(try #require(entry.attempts.last?.maxFeePerGas))
            }
        }
        #expect(fees.count > 10)
        #expect(zip(fees, fees.dropFirst()).allSatisfy { $0 == $1 || $1 >= $0 / 100 * 120 })
        #expect(fees.allSatisfy { $0 <= FeePolicy().maxFeePerGasCap })
        #expect(fees.last == fees[fees.count - 2], "at the cap the last attempt is kept")
    }

    @Test("a reorg puts the same bytes out again under the same nonce")
    func reorg() {
        var manager = Self.manager()
        _ = manager.handle(.head(Self.head(1)))
        let hash = broadcasts(manager.handle(.submit(Self.request(1))))[0]
        _ = manager.handle(.receipt(hash: hash, TransactionReceiptSummary(block: 2, succeeded: true)))
        #expect(broadcasts(manager.handle(.receipt(hash: hash, nil))) == [hash])
        #expect(manager.inFlightCount == 1)
    }

    @Test("a nonce used by a stranger raises an alarm and the payload gets a new nonce")
    func foreignNonce() {
        var manager = Self.manager()
        _ = manager.handle(.head(Self.head(1)))
        let hash = broadcasts(manager.handle(.submit(Self.request(1))))[0]
        var silent = manager
        var actions: [TransactionAction] = []
        for block in 2...12 as ClosedRange<UInt64> {
            actions += manager.handle(.head(Self.head(block, nonce: 1)))
            actions += manager.handle(.receipt(hash: hash, nil))
            _ = silent.handle(.head(Self.head(block, nonce: 1)))
        }
        #expect(silent.entries.first?.nonce == 0, "an endpoint that does not answer proves nothing")
        #expect(actions.contains { if case .alarm(let text) = $0 { text.contains("not ours") } else { false } })
        #expect(manager.entries.first?.nonce == 1)
    }

    @Test("a payload that the node refuses for good is replaced by an empty transfer, so that no gap stays")
    func rejection() {
        var manager = Self.manager()
        _ = manager.handle(.head(Self.head(1)))
        let hash = broadcasts(manager.handle(.submit(Self.request(1))))[0]
        let actions = manager.handle(.broadcast(hash: hash, .rejected("exceeds block gas limit")))
        #expect(actions.first == .report(key: Self.request(1).key, .refused("exceeds block gas limit")))
        #expect(manager.entries.first?.isFiller == true)
        #expect(broadcasts(actions).count == 1)
    }

    @Test("a nonce gap below stored entries is filled")
    func gap() {
        let stored = OutboxEntry(
            request: Self.request(1), phase: .inFlight(nonce: 5),
            attempts: [TransactionAttempt(
                hash: .zero, raw: [1], maxFeePerGas: 1, maxPriorityFeePerGas: 1, broadcastAtBlock: 0)],
            isFiller: false)
        var manager = Self.manager(restored: [stored])
        _ = manager.handle(.head(Self.head(1, nonce: 3)))
        #expect(manager.entries.map(\.nonce) == [3, 4, 5])
        #expect(manager.entries.map(\.isFiller) == [true, true, false])
    }

    @Test("the queue and the window are bounded, and what does not fit is refused by name")
    func bounds() {
        var manager = Self.manager()
        _ = manager.handle(.head(Self.head(1)))
        for number in 0..<UInt64(Limits.queuedMaximum + Limits.inFlightMaximum) {
            _ = manager.handle(.submit(Self.request(number)))
        }
        #expect(manager.inFlightCount == Limits.inFlightMaximum)
        #expect(manager.queuedCount == Limits.queuedMaximum)
        let refused = manager.handle(.submit(Self.request(99_999)))
        #expect(refused.count == 1)
        var large = Self.request(7_777)
        large.data = Bytes(repeating: 0, count: Limits.dataBytesMaximum + 1)
        guard case .report(_, .refused) = manager.handle(.submit(large)).first else {
            return #expect(Bool(false), "oversized call data went through")
        }
    }

    @Test("an outbox entry survives the disk, and damaged bytes are refused")
    func codec() throws {
        let entry = OutboxEntry(
            request: Self.request(1), phase: .mined(nonce: 2, block: 3, hash: keccak256([1]), succeeded: false),
            attempts: [TransactionAttempt(
                hash: keccak256([2]), raw: [1, 2, 3], maxFeePerGas: .max, maxPriorityFeePerGas: 0, broadcastAtBlock: 9)],
            isFiller: true)
        #expect(try OutboxEntry(decoding: entry.encoded) == entry)
        for length in 0..<entry.encoded.count {
            #expect(throws: EthereumError.self) { try OutboxEntry(decoding: Bytes(entry.encoded.prefix(length))) }
        }
    }

    /// A chain with one account: takes what has the right nonce, loses broadcasts, forgets answers, goes back a block.
    @Test("under lost broadcasts, crashes and reorgs every request lands exactly once", arguments: 1...40 as ClosedRange<UInt64>)
    func propertyExactlyOnce(seed: UInt64) throws {
        var random = Xorshift(state: seed &* 0x9e37_79b9_7f4a_7c15)
        var chain: [Hash32] = []  // the transactions in blocks, by nonce
        var payload: [Hash32: Bytes] = [:]
        var disk: [Hash32: OutboxEntry] = [:]
        var doneKeys: [Hash32] = []
        var manager = Self.manager()
        var number: UInt64 = 1
        var submitted: UInt64 = 0
        func perform(_ actions: [TransactionAction]) {
            var queue = actions[...]
            while let action = queue.popFirst() {
                switch action {
                case .persist(let entry): disk[entry.request.key] = entry
                case .forget(let key):
                    disk[key] = nil
                    doneKeys.append(key)
                case .broadcast(let hash, let raw):
                    payload[hash] = raw
                    if random.chance(30) { continue }
                    let nonce = Int(String(decoding: raw, as: UTF8.self).split(separator: "/")[0]) ?? -1
                    if nonce == chain.count { chain.append(hash) }
                case .queryReceipt(let hash):
                    if random.chance(20) { continue }
                    let at = chain.firstIndex(of: hash)
                    let receipt = at.map { _ in TransactionReceiptSummary(block: number, succeeded: true) }
                    queue = manager.handle(.receipt(hash: hash, receipt)) + queue
                case .report, .alarm, .revalidate, .locate: break
                }
            }
        }
        for step in 0..<400 {
            number += 1
            if step < 200, random.chance(40) {
                submitted += 1
                perform(manager.handle(.submit(Self.request(submitted))))
            }
            if random.chance(5) { manager = Self.manager(restored: Array(disk.values), finished: doneKeys) }
            let finalized = step > 350 ? number : 0
            perform(manager.handle(.head(Self.head(number, nonce: UInt64(chain.count), finalized: finalized))))
        }
        let sent = chain.compactMap { payload[$0] }.map { String(decoding: $0, as: UTF8.self).split(separator: "/")[3] }
        let wanted = (1...max(submitted, 1)).map { "\(Bytes(bigEndian: $0))" }
        #expect(Set(sent.map(String.init)) == Set(wanted), "seed \(seed)")
        #expect(sent.count == Int(submitted), "seed \(seed): a request landed twice")
    }
}

struct Xorshift {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
    mutating func chance(_ percent: UInt64) -> Bool { next() % 100 < percent }
}

// MARK: Requests that nobody wants any more, and prices that fell

extension TransactionManagerTests {
    static func asking(cap: U256 = 500_000_000_000) -> TransactionManager {
        TransactionManager(
            sender: sender, policy: FeePolicy(maxFeePerGasCap: cap, revalidates: true), restored: [], sign: sign)
    }

    @Test("before a higher price is paid it is asked whether the request is still wanted")
    func revalidation() throws {
        var manager = Self.asking()
        let key = Self.request(1).key
        _ = manager.handle(.head(Self.head(10)))
        _ = manager.handle(.submit(Self.request(1)))
        #expect(manager.handle(.revalidated(key: key, isWanted: false)).isEmpty, "nobody asked yet")
        let actions = manager.handle(.head(Self.head(13)))
        #expect(actions.contains(.revalidate(key: key)) && broadcasts(actions).isEmpty)
        // Not answered: asked again at the next head.
        #expect(manager.handle(.head(Self.head(14))).contains(.revalidate(key: key)))
        #expect(broadcasts(manager.handle(.revalidated(key: key, isWanted: nil))).count == 1)
        #expect(manager.entries[0].attempts.count == 2 && !manager.entries[0].isFiller)
        _ = manager.handle(.head(Self.head(17)))
        let given = manager.handle(.revalidated(key: key, isWanted: false))
        guard case .report(key, .refused) = given[0], case .persist(let filler) = given[1] else {
            Issue.record("\(given)")
            return
        }
        #expect(filler.isFiller && filler.nonce == 0 && filler.attempts.count == 3)
        let fees = filler.attempts.map(\.maxFeePerGas)
        #expect(zip(fees, fees.dropFirst()).allSatisfy { $1 >= $0 / 100 * 110 })
        // An attempt with the payload may be mined all the same: the nonce is used, and nothing is told twice.
        let mined = manager.handle(
            .receipt(hash: filler.attempts[0].hash, TransactionReceiptSummary(block: 18, succeeded: true)))
        #expect(!mined.contains { if case .report = $0 { true } else { false } })
    }

    @Test("an obsolete request that was not sent goes without a transaction, one that is mined stays")
    func obsolete() {
        var manager = Self.asking()
        _ = manager.handle(.submit(Self.request(1)))
        let gone = manager.handle(.obsolete(key: Self.request(1).key))
        #expect(gone.contains(.forget(key: Self.request(1).key)) && manager.entries.isEmpty)
        _ = manager.handle(.head(Self.head(10)))
        let hash = broadcasts(manager.handle(.submit(Self.request(2))))[0]
        _ = manager.handle(.receipt(hash: hash, TransactionReceiptSummary(block: 11, succeeded: true)))
        #expect(manager.handle(.obsolete(key: Self.request(2).key)).isEmpty)
    }

    @Test("at the cap of prices a transaction that all nodes dropped goes out again at the fallen market price")
    func eviction() throws {
        let cap: U256 = 10_000
        var manager = TransactionManager(
            sender: Self.sender, policy: FeePolicy(maxFeePerGasCap: cap), restored: [], sign: Self.sign)
        _ = manager.handle(.head(Self.head(10, baseFee: 9_000)))
        _ = manager.handle(.submit(Self.request(1)))
        #expect(manager.entries[0].attempts[0].maxFeePerGas == cap)
        let stuck = manager.handle(.head(Self.head(13, baseFee: 9_000)))
        let hash = manager.entries[0].attempts[0].hash
        #expect(stuck.contains(.locate(nonce: 0, hashes: [hash])) && broadcasts(stuck) == [hash])
        #expect(manager.handle(.evicted(nonce: 0)).isEmpty, "the market has not fallen")
        _ = manager.handle(.head(Self.head(14, baseFee: 100)))
        let fresh = manager.handle(.evicted(nonce: 0))
        #expect(broadcasts(fresh).count == 1 && broadcasts(fresh) != [hash])
        let entry = manager.entries[0]
        #expect(entry.attempts.count == 2 && entry.nonce == 0 && entry.attempts[1].maxFeePerGas < 1_000)
        // The first may still be mined: it is asked for and known.
        let asked = manager.handle(.head(Self.head(15, baseFee: 100)))
        #expect(asked.contains(.queryReceipt(hash: hash)))
        var count = 0
        for block in stride(from: 20 as UInt64, to: 2_000, by: 4) {
            _ = manager.handle(.head(Self.head(block, baseFee: block % 8 == 0 ? 100 : 9_000)))
            _ = manager.handle(.evicted(nonce: 0))
            count = manager.entries[0].attempts.count
        }
        #expect(count <= Limits.attemptsWithEvictionsMaximum)
    }

    @Test("a gas limit that no block holds is refused before anything is signed, and may come again")
    func gasLimits() {
        var manager = TransactionManager(
            sender: Self.sender, policy: FeePolicy(gasLimitMaximum: 99_999), restored: [], sign: Self.sign)
        guard case .report(_, .refused) = manager.handle(.submit(Self.request(1))).first else {
            return #expect(Bool(false))
        }
        #expect(manager.entries.isEmpty && !manager.isFinished(Self.request(1).key))
        var other = Self.manager()
        var head = Self.head(1)
        head.gasLimit = 50_000
        _ = other.handle(.head(head))
        #expect(broadcasts(other.handle(.submit(Self.request(1)))).isEmpty)
        head.gasLimit = 100_000
        head.number = 2
        _ = other.handle(.head(head))
        #expect(broadcasts(other.handle(.submit(Self.request(1)))).count == 1)
    }

    @Test("on a cheap chain a step is a fifth and not five gwei")
    func cheapChain() throws {
        var manager = Self.manager()
        _ = manager.handle(.head(Self.head(10, baseFee: 1_000)))
        _ = manager.handle(.submit(Self.request(1)))
        _ = manager.handle(.head(Self.head(13, baseFee: 1_000)))
        let fees = manager.entries[0].attempts.map(\.maxFeePerGas)
        #expect(fees.count == 2 && fees[1] >= fees[0] / 100 * 120 && fees[1] <= fees[0] / 100 * 125)
    }
}

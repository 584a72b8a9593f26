// A chain that reorganises below its finality, an owner who does everything that the contract allows, a process that is
// killed at any point, instances that come to their stages when they like: what must hold whatever happens. A failure
// prints the seed that replays it.

import Ethereum
import TestSupport
import Testing

@testable import PriceStreams

/// The contract, with the rules of 5.6.
private struct Contract {
    var production: UInt64?
    var staging: UInt64?
    var count: UInt64 = 0
    var configurations: [UInt64: RegisteredConfiguration] = [:]

    /// Something that the owner may do now; nil when the contract would refuse it. Numbers never repeat: a digest binds the
    /// count, and the branch of a chain that is gone.
    mutating func act(_ random: inout SplitMix64, fresh: inout UInt64) -> ConfiguratorEvent? {
        let choice = random.below(8)
        if choice == 0 || production == nil {
            let made = make(after: nil, &fresh)
            production = made.count
            return .production(made)
        }
        if choice < 4 {
            let made = make(after: production, &fresh)
            staging = made.count
            return .staging(made)
        }
        guard let staged = staging, let present = production else { return nil }
        (production, staging) = (staged, present)
        return .promoted(retired: Handovers.digest(present))
    }

    private mutating func make(after predecessor: UInt64?, _ fresh: inout UInt64) -> RegisteredConfiguration {
        fresh += 1
        let made = Handovers.configuration(fresh, after: predecessor)
        configurations[fresh] = made
        return made
    }
}

private struct HandoverWalk {
    enum Fault { case none, believesUnfinalized, losesLog, forgetsState }

    struct Block {
        var log: ConfiguratorEvent?
        var after: Contract
    }

    var random: SplitMix64
    var fault = Fault.none
    var blocks: [Block] = [Block(log: nil, after: Contract())]
    var finalized = 0
    /// The next block that the poller delivers; its cursor on disk is at most this.
    var cursor = 1
    var fresh: UInt64 = 0
    var book: HandoverBook
    var disk: Bytes
    var now: UInt64 = 0
    let served: Set<UInt64>
    /// Stages that instances have reached.
    var stages: [UInt64: LifeCycleStage] = [:]
    var everRan: Set<Hash32> = []
    var ended: Set<Hash32> = []
    var violations: [String] = []

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        var served: Set<UInt64> = []
        for number in UInt64(1)...60 where random.below(5) > 0 { served.insert(number) }
        self.served = served
        book = Handovers.book(served: served)
        disk = book.encoded
    }

    mutating func step() throws {
        now += UInt64(random.below(20_000))
        switch random.below(12) {
        case 0, 1: extend()
        case 2: reorganise()
        case 3, 4: finalized = min(blocks.count - 1, finalized + random.below(3))
        case 5, 6, 7: deliver()
        case 8: advance()
        case 9: try kill()
        default: apply(.tick(now: now))
        }
    }

    private mutating func extend() {
        var contract = blocks.last?.after ?? Contract()
        let log = fresh < 50 && random.below(2) == 0 ? contract.act(&random, fresh: &fresh) : nil
        blocks.append(Block(log: log, after: contract))
    }

    private mutating func reorganise() {
        let kept = max(finalized + 1, blocks.count - random.below(4))
        guard kept < blocks.count else { return }
        blocks.removeLast(blocks.count - kept)
    }

    private mutating func deliver() {
        let end = fault == .believesUnfinalized ? blocks.count - 1 : finalized
        // After a crash the same logs may come once more.
        let start = max(1, cursor - random.below(3))
        guard start <= end else { return }
        let to = start + random.below(end - start + 1)
        for number in start...to {
            guard let log = blocks[number].log else { continue }
            if fault == .losesLog, random.below(4) == 0 { continue }
            apply(.log(log, at: LogPosition(block: UInt64(number), index: 0)))
        }
        cursor = max(cursor, to + 1)
        if to == finalized { apply(.current) }
        check()
    }

    /// An instance that runs comes to its next stage, as the plugin allows it.
    private mutating func advance() {
        guard let run = book.runs.randomElement(using: &random), let number = number(run.digest) else { return }
        let next: LifeCycleStage
        switch stages[number] {
        case nil: next = run.predecessor == nil ? .production : .staging
        case .staging?: next = run.retirement != nil ? .production : .staging
        case .production?: next = run.shouldRetire ? .retired : .production
        case .retired?: next = .retired
        }
        stages[number] = next
        apply(.outcome(run.digest, next))
        if next == .retired { apply(.retired(run.digest, Handovers.proof)) }
    }

    private mutating func kill() throws {
        let before = book
        // What was not yet told comes again when the instances are restored.
        book = try HandoverBook(encoded: disk, donID: Handovers.donID, initial: Handovers.configuration(1))
        apply(.served(Set(served.map(Handovers.digest))))
        if book.runs != before.runs { violations.append("a restart runs \(book.running) instead of \(before.running)") }
    }

    private func number(_ digest: Hash32) -> UInt64? { digest.word.asUInt64.map { $0 - 0x0900_0000 } }

    private mutating func apply(_ event: HandoverBook.Event) {
        let before = book
        let result = book.handle(event)
        if result.isChanged, fault != .forgetsState || random.below(3) > 0 { disk = book.encoded }
        if !result.isChanged, book.encoded != before.encoded { violations.append("a change that is not told: \(event)") }
        watch(before, event)
    }

    /// Between two moments of one process.
    private mutating func watch(_ before: HandoverBook, _ event: HandoverBook.Event) {
        let running = Set(book.runs.map(\.digest))
        for digest in before.runs.map(\.digest) where !running.contains(digest) {
            ended.insert(digest)
            guard let entry = before.entry(digest), entry.standing == .leaving else { continue }
            guard case .tick = event else { continue }
            // Nobody may need it any more.
            let successor = entry.successor.flatMap { before.entry($0) }
            let publishes = successor?.stage.map { $0 != .staging } ?? false
            let isLeft = successor.map { !before.served.contains($0.digest) && entry.stage == .retired } ?? false
            let isHistory = entry.stage == nil && successor?.standing == .leaving
            if !publishes, !isLeft, !isHistory, successor?.standing != .finished {
                violations.append("\(digest) ended before its successor publishes")
            }
        }
        // The first start, which goes by the file alone, comes before the chain is known.
        if before.isCurrent {
            for digest in running where ended.contains(digest) { violations.append("\(digest) runs again") }
        } else {
            ended = []
        }
        for run in book.runs where run.shouldRetire {
            let successor = book.entry(run.digest)?.successor.flatMap { book.entry($0) }
            if successor?.configuration.predecessor != run.digest { violations.append("\(run.digest) retires for a stranger") }
            if let successor, book.served.contains(successor.digest), successor.stage == nil {
                violations.append("\(run.digest) retires for one that is not alive")
            }
        }
        let publishing = book.runs.filter { run in
            number(run.digest).flatMap { stages[$0] } == .production && book.entry(run.digest)?.standing != .leaving
        }
        if publishing.count > 1, book.isCurrent, publishing.allSatisfy({ book.entry($0.digest)?.standing == .staging }) {
            violations.append("two publish")
        }
    }

    /// Against the contract, when all that is final was taken.
    private mutating func check() {
        guard cursor == finalized + 1 else { return }
        let contract = blocks[finalized].after
        if book.production != contract.production.map(Handovers.digest) {
            violations.append("in production is \(contract.production ?? 0), and not what the book says")
        }
        guard let present = contract.production, served.contains(present), book.isCurrent else { return }
        let standing = book.entry(Handovers.digest(present))?.standing
        if standing == .production, !book.running.contains(present) { violations.append("what is in production does not run") }
    }
}

@Suite("Properties of handovers")
struct HandoverPropertyTests {
    static let base = SplitMix64.forTest("HandoverPropertyTests").seed

    private static func violations(_ seed: UInt64, _ fault: HandoverWalk.Fault = .none) throws -> [String] {
        var world = HandoverWalk(seed: seed)
        world.fault = fault
        for _ in 0..<300 where world.violations.isEmpty { try world.step() }
        return world.violations
    }

    @Test("chain, reorganisations, restarts and instances in any order")
    func anyOrder() throws {
        var handovers = 0
        for offset in 0..<UInt64(400) {
            let seed = Self.base &+ offset
            let found = try Self.violations(seed)
            #expect(found == [], "seed \(seed)")
            var world = HandoverWalk(seed: seed)
            for _ in 0..<300 { try world.step() }
            handovers += world.book.entries.count { $0.stage == .retired }
        }
        #expect(handovers > 40, "\(handovers) configurations retired: the walk goes where it should")
    }

    @Test(
        "a process that believes unfinalized logs, loses one, or does not write down what it knows, is found out",
        arguments: 0..<3)
    func planted(fault: Int) throws {
        let faults: [HandoverWalk.Fault] = [.believesUnfinalized, .losesLog, .forgetsState]
        var found = 0
        for offset in 0..<UInt64(100) where try !Self.violations(Self.base &+ offset, faults[fault]).isEmpty { found += 1 }
        #expect(found > 20, "\(found) of 100 runs")
    }
}

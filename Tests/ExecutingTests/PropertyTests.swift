// Random lanes, lagging oracles, lost and late transactions and one liar, against a model OffRamp: each message is
// executed at most once, nonces never skip, no limit is passed, and everything that can be executed is, in the end.

import CCIP
import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import Executing

/// One seeded run.
private struct Run {
    var random: SplitMix64
    var world: World
    var observers: [ExecuteObserver]
    var outcome = ExecuteOutcome.none
    var round: UInt64 = 0
    var now: UInt64 = 0
    var liar: Int?
    /// Reports on their way to the chain, with the time at which they arrive.
    var flying: [(at: UInt64, report: Bytes)] = []
    var unexecutable: Set<MessageKey> = []
    var healed = false
    var history: [ExecuteSnapshot] = []

    init(seed: UInt64) throws {
        random = SplitMix64(seed: seed)
        var limits = ExecuteLimits()
        limits.batchGasLimit = [1_500_000, 3_000_000, 6_500_000][random.below(3)]
        limits.reportBytesMaximum = [8_000, 30_000, 120_000][random.below(3)]
        limits.reportsPerOutcome = 1 + random.below(3)
        limits.reportMessagesMaximum = [0, 4][random.below(2)]
        limits.singleChainReportsMaximum = [0, 2][random.below(2)]
        var delays = ExecuteDelays()
        delays.inflightExpiryMilliseconds = 800
        delays.rootSnoozeMilliseconds = 500
        world = World(try configuration(limits: limits, delays: delays))
        observers = world.observers()
        liar = random.below(4) > 0 ? random.below(4) : nil
    }

    mutating func sendAndCommit() throws {
        for _ in 0..<random.below(4) {
            let source = random.below(2) == 0 ? sourceA : sourceB
            let ordered = random.below(2) == 0
            let name = UInt64(random.below(4))
            let tokens = random.below(4) == 0 ? 1 : 0
            let isBad = random.below(25) == 0
            let key = world.send(
                source, from: ordered && isBad ? 99 : name, ordered: ordered, dataBytes: random.below(400),
                gas: isBad ? 9_000_000 : UInt64(random.below(400_000)), tokens: tokens)
            if isBad { unexecutable.insert(key) }
            if !isBad, random.below(8) == 0 { world.offRamp.failing.insert(key) }
            if !isBad, tokens > 0, random.below(4) == 0 { world.tokenNotReady.insert(key) }
        }
        if random.below(2) == 0 {
            try world.commit(random.below(2) == 0 ? sourceA : sourceB, 1 + random.below(12))
        }
    }

    /// What oracle `index` has read: maybe old, maybe with holes.
    mutating func seen() -> ExecuteSnapshot {
        var snapshot = world.snapshot()
        guard !healed else { return snapshot }
        if random.below(3) == 0, let old = history.last {
            snapshot.states = snapshot.states.merging(old.states) { _, old in old }
            snapshot.nonces = snapshot.nonces.merging(old.nonces) { _, old in old }
        }
        if random.below(4) == 0 {
            snapshot.messages = snapshot.messages.filter { _ in true }
            for key in snapshot.messages.keys.sorted() where random.below(12) == 0 { snapshot.messages[key] = nil }
        }
        if random.below(5) == 0 { snapshot.roots = Array(snapshot.roots.dropLast()) }
        if random.below(6) == 0 { snapshot.nonces = [:] }
        if random.below(15) == 0 { snapshot.curse = .unreadable }
        return snapshot
    }

    mutating func lie(_ honest: ExecuteObservation) -> ExecuteObservation {
        var lie = honest
        for i in lie.roots.indices {
            if random.below(2) == 0 { lie.roots[i].executed = MessageSet() }
            if random.below(2) == 0 {
                for index in 0..<(lie.roots[i].committed.root.checkedCount ?? 0) where random.below(2) == 0 {
                    lie.roots[i].executed.insert(index)
                }
            }
            if random.below(6) == 0 { lie.roots[i].committed.timestamp += 1 }
            if random.below(6) == 0 { lie.roots[i].committed.root.root = random.hash32() }
        }
        for i in lie.nonces.indices { lie.nonces[i].nonce = UInt64(random.below(12)) }
        for i in lie.leaves.indices {
            if random.below(3) == 0 { lie.leaves[i].leaves[0] = random.hash32() }
            for j in lie.leaves[i].messages.indices where random.below(3) == 0 {
                let honest = lie.leaves[i].messages[j].encoded
                guard var message = try? Any2EVMRampMessage(encoded: honest) else { continue }
                message.gasLimit = U256(1)
                lie.leaves[i].messages[j].encoded = message.encoded
            }
        }
        return ExecuteObservation(roots: lie.roots, leaves: lie.leaves, nonces: lie.nonces)
    }

    mutating func playRound() throws {
        round += 1
        var observations: [AttributedObservation] = []
        for index in 0..<4 {
            let snapshot = seen()
            observers[index].settle(previousOutcome: outcome.encoded, snapshot: snapshot, now: now)
            var observation = observers[index].observe(previous: outcome, snapshot: snapshot, now: now)
            if index == liar { observation = lie(observation) }
            observations.append(AttributedObservation(observer: index, observation: observation.encoded))
        }
        let plugin = ExecutePlugin(configuration: world.configuration)
        let context = RoundContext(
            sequenceNumber: round, previousOutcome: round == 1 ? [] : outcome.encoded, query: [])
        observations = observations.filter { (try? plugin.validateObservation($0, in: context)) != nil }
        // The leader may leave one out.
        if observations.count == 4, random.below(3) == 0 { observations.remove(at: random.below(4)) }
        guard plugin.observationQuorum(observations, in: context) else { return }
        outcome = try ExecuteOutcome(encoded: plugin.outcome(observations, in: context))
        for index in 0..<4 {
            observers[index].outcomeCommitted(outcome.encoded, installedDigest: testDigest, now: now)
        }
        for report in outcome.reports {
            if !healed, random.below(5) == 0 { continue }
            flying.append((now + UInt64(random.below(healed ? 100 : 1_200)), report))
            if random.below(6) == 0 { flying.append((now + UInt64(random.below(1_500)), report)) }
        }
    }

    mutating func deliver() {
        let due = flying.filter { $0.at <= now }
        flying.removeAll { $0.at <= now }
        for item in due { world.offRamp.execute(item.report, world.configuration.limits) }
        history.append(world.snapshot())
        if history.count > 2 { history.removeFirst() }
    }

    var waiting: [MessageKey] {
        let all = (world.messages[sourceA] ?? []) + (world.messages[sourceB] ?? [])
        return all.map(\.key).filter { (world.offRamp.states[$0] ?? .untouched) == .untouched }
    }

    /// Not to be executed by the cluster: the bad ones, and ordered ones behind a bad one of the same sender.
    func isExcused(_ key: MessageKey) -> Bool {
        if unexecutable.contains(key) { return true }
        guard let message = world.message(key), message.isOrdered else { return false }
        return unexecutable.contains { bad in
            guard let other = world.message(bad), other.isOrdered else { return false }
            return other.orderedSender == message.orderedSender && other.header.nonce < message.header.nonce
        }
    }
}

@Suite("Properties of the execute plugin")
struct PropertyTests {
    @Test("at most once, in order, inside the limits, and everything in the end")
    func runs() throws {
        var seeds = SplitMix64.forTest()
        var executed = 0
        var failed = 0
        var excused = 0
        for _ in 0..<24 {
            let seed = seeds.next()
            var run = try Run(seed: seed)
            for _ in 0..<40 {
                run.now += 100
                try run.sendAndCommit()
                try run.playRound()
                run.deliver()
            }
            run.healed = true
            run.world.tokenNotReady = []
            for source in [sourceA, sourceB] {
                while try run.world.commit(source, 40) != nil {}
            }
            var rounds = 0
            while rounds < 400, !run.waiting.allSatisfy(run.isExcused) {
                rounds += 1
                run.now += 100
                try run.playRound()
                run.deliver()
            }
            let offRamp = run.world.offRamp
            #expect(offRamp.violations.isEmpty, "seed \(seed): \(offRamp.violations.prefix(3))")
            #expect(offRamp.successes.values.allSatisfy { $0 == 1 }, "seed \(seed)")
            #expect(offRamp.skippedNonces == 0, "seed \(seed): \(offRamp.skippedNonces) nonces skipped")
            #expect(offRamp.order.count == Set(offRamp.order).count, "seed \(seed)")
            let left = run.waiting.filter { !run.isExcused($0) }
            #expect(left.isEmpty, "seed \(seed): \(left.prefix(3)) of \(left.count) left")
            #expect(run.unexecutable.allSatisfy { offRamp.states[$0] == nil }, "seed \(seed)")
            executed += offRamp.successes.count
            failed += offRamp.states.values.count { $0 == .failure }
            excused += run.unexecutable.count
        }
        #expect(executed > 800 && failed > 30 && excused > 10, "\(executed), \(failed), \(excused)")
    }

    @Test("the model finds what it must find: a forged message, a wrong root, a gap")
    func planted() throws {
        var world = World(try configuration())
        for _ in 0..<3 { world.send(sourceA, ordered: true) }
        try world.commit(sourceA, 3)
        let reports = try #require(try world.outcome(world.honest()).executionReports().first)
        var forged = reports
        forged[0].messages[1].receiver = .zero
        var model = world.offRamp
        model.execute(forged.encodedReports, world.configuration.limits)
        #expect(model.violations == ["RootNotCommitted"])
        model = world.offRamp
        model.execute(Bytes(repeating: 0, count: 200_000), world.configuration.limits)
        #expect(model.violations.count == 1)
        model = world.offRamp
        model.nonces[SenderKey(source: sourceA, sender: sender(1))] = 1
        model.execute(reports.encodedReports, world.configuration.limits)
        #expect(model.skippedNonces == 1)
        model = world.offRamp
        var limits = world.configuration.limits
        limits.batchGasLimit = 100
        model.execute(reports.encodedReports, limits)
        #expect(model.violations.count == 1)
    }
}

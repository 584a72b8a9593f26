// Why a message is not committed: each reason is met once, has words, and names whom to ask.

import CCIP
import Ethereum
import Testing

@testable import Committing

@Suite("Standings of the committing side")
struct StandingTests {
    private func standing(
        _ number: UInt64, _ rounds: Rounds, _ snapshot: CommitSnapshot, from source: ChainSelector = 101
    ) throws -> CommitStanding {
        try rounds.observer(0).standing(
            of: SequenceNumber(number), from: source, previousOutcome: rounds.outcome, snapshot: snapshot,
            installed: Hash32(try rounds.digest))
    }

    typealias Spoil = @Sendable (inout CommitSnapshot) -> Void

    static let blocked: [(String, Spoil)] = [
        ("destination_unread", { $0.destination = nil }),
        ("lane_unknown", { $0.destination?.sourceConfigs[101] = nil }),
        ("digest_mismatch", { $0.destination?.configurationDigest = .zero }),
        ("source_halted", { $0.haltedSources = [101] }),
        ("curse_unread", { $0.destination?.curse = .unknown }),
        ("destination_cursed", { $0.destination?.curse = .known(CursedSubjects([CurseSubject.global])) }),
        ("source_cursed", { $0.destination?.curse = .known(CursedSubjects([ChainSelector(101).curseSubject])) }),
        ("lane_disabled", { $0.destination?.sourceConfigs[101]?.isEnabled = false }),
        ("on_ramp_mismatch", { $0.destination?.sourceConfigs[101]?.onRamp[31] ^= 1 }),
        ("rmn_not_configured", { $0.destination?.sourceConfigs[101]?.isRMNVerificationDisabled = false }),
        ("source_unread", { $0.sources[101] = nil }),
        ("not_final", { $0.sources[101]?.finalizedMaximum = 1 }),
        ("source_log_missing", { $0.sources[101]?.leaves.remove(at: 0) }),
        ("committed", { $0.destination?.sourceConfigs[101]?.minSequenceNumber = 3 }),
        ("ready", { _ in }),
    ]

    @Test("each obstacle has its own name", arguments: blocked.indices)
    func obstacles(index: Int) throws {
        var world = World()
        try world.send(3, on: 0)
        let rounds = Rounds(try world.configuration())
        var snapshot = world.snapshot()
        Self.blocked[index].1(&snapshot)
        let standing = try standing(2, rounds, snapshot)
        #expect(standing.code == Self.blocked[index].0)
        #expect(!standing.waitsFor.isEmpty)
        let isMoving = [.done, .moving].contains(standing.standingClass) || standing.code == "not_final"
        #expect(isMoving == standing.advice.isEmpty, "\(standing.code): \(standing.advice)")
    }

    @Test("a report under way, one that is overdue, and messages behind it")
    func inFlight() throws {
        var world = World(sources: 1)
        try world.send(2)
        var rounds = Rounds(try world.configuration(timeout: 10_000))
        let since = world.now
        try rounds.play(world)
        try world.send(1)
        world.now += 4_000
        #expect(try standing(1, rounds, world.snapshot()) == .inFlight(sequenceNumber: 1, since: since))
        #expect(try standing(3, rounds, world.snapshot()) == .waitsForRange(first: 1, last: 2))
        world.now += 6_000
        #expect(try standing(2, rounds, world.snapshot()) == .overdue(sequenceNumber: 1, since: since))
        #expect(try standing(2, rounds, world.snapshot()).agreedSince == since)
    }

    @Test("a range that is built, and messages beyond one root")
    func building() throws {
        var world = World(sources: 1)
        try world.send(10)
        var rounds = Rounds(try world.configuration(leavesPerRoot: 4, buildsAtOnce: false))
        try rounds.play(world)
        #expect(try standing(4, rounds, world.snapshot()) == .building)
        #expect(try standing(5, rounds, world.snapshot()) == .waitsForRange(first: 1, last: 4))
        let atOnce = Rounds(try world.configuration(leavesPerRoot: 4))
        #expect(try standing(9, atOnce, world.snapshot()) == .waitsForRange(first: 1, last: 4))
        #expect(try standing(4, atOnce, world.snapshot()) == .ready)
    }

    @Test("signatures: how many there are, whose turn it is, and what came of it")
    func blessing() throws {
        var world = World(sources: 2, blessed: [0, 1])
        try world.send(1, on: 0)
        var rounds = Rounds(try world.configuration(blessing: GuardModel.blessing))
        let since = world.now
        try rounds.play(world)
        #expect(try standing(1, rounds, world.snapshot()) == .rmnRequired(have: 0, need: 2, since: since))
        try world.send(1, on: 1)
        try rounds.play(world)
        #expect(try standing(1, rounds, world.snapshot(), from: 102) == .waitsForTurn)
        world.guards.silent = [0, 1]
        let own = world.guardedSnapshot(try rounds.request)
        #expect(try standing(1, rounds, own) == .rmnRequired(have: 1, need: 2, since: since))
        // Alone, twice in vain.
        for _ in 0..<100 {
            world.now += 1_000
            try rounds.playGuarded(world)
            if case .rmnTimedOut = try standing(1, rounds, world.snapshot()) { break }
        }
        let late = try standing(1, rounds, world.snapshot())
        #expect(late.code == "rmn_timed_out" && late.standingClass == .waiting)
        var unread = world.snapshot()
        unread.destination?.rmn = nil
        #expect(try standing(1, rounds, unread) == .rmnUnavailable(.unread))
        unread.destination?.rmn = world.guards.remote(version: 0)
        #expect(try standing(1, rounds, unread) == .rmnUnavailable(.notConfigured))
        #expect(CommitStanding.rmnRefused(guards: 2).standingClass == .alarm)
    }
}

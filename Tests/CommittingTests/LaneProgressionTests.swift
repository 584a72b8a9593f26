// Ranges and roots, round by round: what an outcome selects, builds, waits for and gives up.

import CCIP
import Ethereum
import Testing

@testable import Committing

@Suite("Progress of lanes")
struct LaneProgressionTests {
    @Test("one round selects and builds the root of everything final")
    func oneRound() throws {
        var world = World()
        try world.send(3, on: 0)
        try world.send(1, on: 1)
        var rounds = Rounds(try world.configuration())
        let report = try #require(try rounds.play(world))
        #expect(report.blessed.isEmpty && report.prices.isEmpty)
        #expect(report.unblessed.map(\.source) == [101, 102])
        #expect(report.unblessed.map(\.last) == [3, 1])
        #expect(try report.unblessed[0].root == world.trueRoot(0, 1, 3))
        try world.commit(report.encoded, sequenceNumber: 1, digest: world.digest)
        #expect(world.isEverythingCommitted && world.violations.isEmpty)
    }

    @Test("without messages nothing is reported, and nobody asks for a round")
    func idle() throws {
        let world = World()
        var rounds = Rounds(try world.configuration())
        #expect(try !rounds.observer(0).hasWork(previousOutcome: rounds.outcome, snapshot: world.snapshot()))
        #expect(try rounds.play(world) == nil)
        #expect(try rounds.state.lanes.isEmpty)
        #expect(!rounds.plugin.continues(after: rounds.outcome))
    }

    @Test("observers that see different tips agree on what 2f + 1 of them see")
    func prefix() throws {
        var world = World(sources: 1)
        try world.send(5)
        var rounds = Rounds(try world.configuration())
        let report = try rounds.play([0, 3, 1, 4].map { world.snapshot(lag: [$0]) })
        // Seen by three: 5 - 3 = 2 messages.
        #expect(report?.unblessed.map(\.last) == [2])
        #expect(try report?.unblessed.first?.root == world.trueRoot(0, 1, 2))
    }

    @Test("a message that fewer than 2f + 1 readers have seen is not committed")
    func tooFew() throws {
        var world = World(sources: 1)
        try world.send(1)
        var rounds = Rounds(try world.configuration())
        #expect(try rounds.play([0, 0, 1, 1].map { world.snapshot(lag: [$0]) }) == nil)
    }

    @Test("where leaves are not sent, a range is selected in one round and built in the next")
    func twoRounds() throws {
        var world = World(sources: 1)
        try world.send(4)
        var rounds = Rounds(try world.configuration(buildsAtOnce: false))
        #expect(try rounds.play(world) == nil)
        let range = try #require(SequenceRange(first: 1, last: 4))
        #expect(try rounds.state.state(of: 101) == .building(range))
        #expect(rounds.plugin.continues(after: rounds.outcome), "the next round follows at once")
        #expect(try rounds.observer(0).needs(previousOutcome: rounds.outcome).lanes.map(\.want) == [.build(range)])
        // More messages do not change the range that is voted on.
        try world.send(2)
        let report = try #require(try rounds.play(world))
        #expect(try report.unblessed.map(\.root) == [world.trueRoot(0, 1, 4)])
        #expect(!rounds.plugin.continues(after: rounds.outcome))
    }

    @Test("a range that cannot be built goes back to selection")
    func buildFails() throws {
        var world = World(sources: 1)
        try world.send(4)
        var rounds = Rounds(try world.configuration(buildsAtOnce: false))
        try rounds.play(world)
        #expect(try rounds.play([0, 0, 1, 1].map { world.snapshot(lag: [$0]) }) == nil)
        #expect(rounds.has(.reportEmpty))
        #expect(try rounds.state.state(of: 101) == .selecting)
    }

    @Test("oracles that do not read the destination build in two rounds")
    func readersApart() throws {
        var world = World(sources: 1)
        try world.send(2)
        // F = 2: oracles 0...3 read the destination, 3...6 the source; only one reads both.
        var rounds = Rounds(
            try world.configuration(readers: [destinationChain: [0, 1, 2, 3], 101: [3, 4, 5, 6]], faulty: 2))
        #expect(try rounds.play(world) == nil)
        #expect(rounds.refused.isEmpty)
        #expect(try rounds.state.isBuilding)
        #expect(try rounds.play(world)?.unblessed.map(\.root) == [world.trueRoot(0, 1, 2)])
    }

    @Test("a lane waits until its root shows, and the same round takes what came meanwhile")
    func transmitted() throws {
        var world = World(sources: 1)
        try world.send(2)
        var rounds = Rounds(try world.configuration())
        let first = try #require(try rounds.play(world))
        try world.send(3)
        #expect(try rounds.play(world) == nil, "the root is under way")
        #expect(try !rounds.observer(0).hasWork(previousOutcome: rounds.outcome, snapshot: world.snapshot()))
        try world.commit(first.encoded, sequenceNumber: 1, digest: world.digest)
        #expect(try rounds.observer(0).hasWork(previousOutcome: rounds.outcome, snapshot: world.snapshot()))
        let second = try #require(try rounds.play(world))
        #expect(rounds.has(.reportTransmitted))
        #expect(second.unblessed.map(\.first) == [3] && second.unblessed.map(\.last) == [5])
        try world.commit(second.encoded, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
        #expect(world.isEverythingCommitted && world.violations.isEmpty)
    }

    @Test("a lane whose root is under way does not hold up another")
    func otherLane() throws {
        var world = World()
        try world.send(1, on: 0)
        var rounds = Rounds(try world.configuration())
        #expect(try rounds.play(world)?.unblessed.map(\.source) == [101])
        try world.send(1, on: 1)
        #expect(try rounds.play(world)?.unblessed.map(\.source) == [102])
        #expect(try rounds.state.lanes.map(\.source) == [101, 102])
    }

    @Test("a report that never lands is given up by agreed time, and its range reported again")
    func givenUp() throws {
        var world = World(sources: 1)
        try world.send(1)
        var rounds = Rounds(try world.configuration(timeout: 10_000))
        let lost = try #require(try rounds.play(world))
        for _ in 0..<50 { #expect(try rounds.play(world) == nil, "many rounds are no reason") }
        world.now += 9_999
        #expect(try rounds.play(world) == nil)
        world.now += 1
        #expect(try rounds.observer(0).hasWork(previousOutcome: rounds.outcome, snapshot: world.snapshot()))
        try rounds.play(world)
        #expect(rounds.has(.reportTransmissionFailed))
        let again = try rounds.play(world)
        #expect(again?.unblessed == lost.unblessed)
        // Whichever lands first, the second is refused.
        try world.commit(lost.encoded, sequenceNumber: 1, digest: world.digest)
        #expect(throws: Refusal.interval) {
            try world.commit(lost.encoded, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
        }
    }

    @Test("clocks that go back a day do not make a lane wait for ever")
    func clocksGoBack() throws {
        var world = World(sources: 1)
        try world.send(1)
        var rounds = Rounds(try world.configuration())
        try rounds.play(world)
        world.now -= 86_400_000
        try rounds.play(world)
        #expect(rounds.has(.reportTransmissionFailed))
    }

    @Test("an OffRamp that went back is noted, and the lane keeps waiting")
    func regression() throws {
        var world = World(sources: 1)
        try world.send(4)
        world.sources[0].next = 3
        var rounds = Rounds(try world.configuration())
        try rounds.play(world)
        world.sources[0].next = 2
        #expect(try rounds.play(world) == nil)
        #expect(rounds.has(.offRampRegression))
        #expect(try rounds.state.lanes.count == 1)
    }

    @Test("an OffRamp ahead of the OnRamp selects nothing", arguments: [0, 2])
    func ahead(messages: Int) throws {
        var world = World(sources: 1)
        try world.send(messages)
        world.sources[0].next = 7
        var rounds = Rounds(try world.configuration())
        #expect(try rounds.play(world) == nil)
        #expect(rounds.has(messages == 0 ? .onRampMaximumZero : .offRampAhead))
    }

    @Test("a range is cut at the size of a root", arguments: [true, false])
    func cut(buildsAtOnce: Bool) throws {
        var world = World(sources: 1)
        try world.send(10)
        var rounds = Rounds(try world.configuration(leavesPerRoot: 4, buildsAtOnce: buildsAtOnce))
        var ends: [UInt64] = []
        for _ in 0..<8 where !world.isEverythingCommitted {
            guard let report = try rounds.play(world) else { continue }
            ends += report.unblessed.map(\.last.rawValue)
            try world.commit(report.encoded, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
        }
        #expect(ends == [4, 8, 10])
        #expect(world.violations.isEmpty)
    }

    @Test("256 messages fit one root, 257 do not")
    func fullTree() throws {
        var world = World(sources: 1)
        try world.send(257)
        var rounds = Rounds(try world.configuration())
        let report = try #require(try rounds.play(world))
        #expect(rounds.has(.rangeTruncated))
        #expect(report.unblessed.map(\.last) == [256])
        try world.commit(report.encoded, sequenceNumber: 1, digest: world.digest)
        #expect(try rounds.play(world)?.unblessed.map(\.last) == [257])
    }

    @Test("a full report defers lanes, and all of them get their turn")
    func turns() throws {
        var world = World(sources: 5)
        for index in 0..<5 { try world.send(1, on: index) }
        var rounds = Rounds(try world.configuration(rootsPerReport: 2))
        var sizes: [Int] = []
        for _ in 0..<6 where !world.isEverythingCommitted {
            let report = try #require(try rounds.play(world))
            sizes.append(report.unblessed.count)
            #expect(report.unblessed.map(\.source) == report.unblessed.map(\.source).sorted())
            try world.commit(report.encoded, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
        }
        #expect(sizes == [2, 2, 1])
    }

    // MARK: Silence

    @Test("a disabled, cursed, halted or foreign lane is not committed, the other is", arguments: 0..<7)
    func silentLane(kind: Int) throws {
        var world = World()
        try world.send(1, on: 0)
        try world.send(1, on: 1)
        var rounds = Rounds(try world.configuration(disabled: kind == 0 ? [101] : []))
        if kind == 1 { world.curses = [ChainSelector(101).curseSubject] }
        if kind == 2 { world.sources[0].isEnabled = false }
        var snapshot = world.snapshot()
        if kind == 3 { snapshot.haltedSources = [101] }
        if kind == 4 { snapshot.destination?.sourceConfigs[101]?.onRamp[31] ^= 1 }
        if kind == 5 { snapshot.destination?.sourceConfigs[101]?.isRMNVerificationDisabled = false }
        if kind == 6 { snapshot.destination?.sourceConfigs[101] = nil }
        let report = try rounds.play([CommitSnapshot?](repeating: snapshot, count: 4))
        #expect(report?.unblessed.map(\.source) == [102])
    }

    @Test("a curse of the destination or of everything, or one that cannot be read, stops all roots", arguments: 0..<4)
    func silentDestination(kind: Int) throws {
        var world = World()
        try world.send(1, on: 0)
        if kind == 0 { world.curses = [destinationChain.curseSubject] }
        if kind == 1 { world.curses = [CurseSubject.global] }
        var snapshot = world.snapshot()
        if kind == 2 { snapshot.destination?.curse = .unknown }
        if kind == 3 { snapshot.destination = nil }
        var rounds = Rounds(try world.configuration())
        #expect(try rounds.play([CommitSnapshot?](repeating: snapshot, count: 4)) == nil)
        let notes = try rounds.observer(0).observe(previousOutcome: [], snapshot: snapshot).notes.map(\.kind)
        #expect(notes.contains([.destinationCursed, .destinationCursed, .curseUnknown, .destinationNotRead][kind]))
        // One that sees no curse does not help: 2f + 1 must name the OffRamp's number.
        world.curses = []
        let views = [snapshot, snapshot, world.snapshot(), world.snapshot()]
        #expect(try rounds.play(views) == nil)
    }

    @Test("a lifted curse lets the lane go on where it stopped")
    func lifted() throws {
        var world = World(sources: 1)
        try world.send(2)
        world.curses = [CurseSubject.global]
        var rounds = Rounds(try world.configuration())
        #expect(try rounds.play(world) == nil)
        world.curses = []
        #expect(try rounds.play(world)?.unblessed.map(\.last) == [2])
    }

    @Test("what an oracle is told to read follows the state of each lane")
    func needs() throws {
        var world = World()
        try world.send(3, on: 0)
        var rounds = Rounds(try world.configuration(readers: [102: [0, 1, 2, 3]]))
        let before = try rounds.observer(1).needs(previousOutcome: [])
        #expect(before.readsDestination && !before.readsPrices && !before.readsPriceSequenceNumber)
        #expect(before.lanes.map(\.want) == [.select(leavesMaximum: 256), .select(leavesMaximum: 256)])
        #expect(before.lanes.map(\.readsSource) == [true, true])
        try rounds.play(world)
        let range = try #require(SequenceRange(first: 1, last: 3))
        let after = try rounds.observer(1).needs(previousOutcome: rounds.outcome)
        #expect(after.lanes.map(\.want) == [.wait(pending: range, leavesMaximum: 256), .select(leavesMaximum: 256)])
    }
}

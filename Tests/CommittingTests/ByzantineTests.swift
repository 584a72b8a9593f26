// One oracle of four lies in every way that its observation can express. What comes out must be what comes out without
// it. Three liars can do anything: that shows that the checks of these tests can fail.

import CCIP
import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import Committing

@Suite("Byzantine observers")
struct ByzantineTests {
    typealias Lie = @Sendable (inout CommitObservation, inout SplitMix64) -> Void

    /// Lies about lanes that pass validation or not, as it comes.
    static let lies: [(String, Lie)] = [
        ("a next number far too high", { o, _ in o.lanes[0].next = 1_000_000 }),
        ("a next number too low", { o, _ in o.lanes[0].next = 1 }),
        ("no next number", { o, _ in o.lanes[0].next = nil }),
        ("an absurd maximum", { o, _ in o.lanes[0].maximum = .max }),
        ("a maximum of zero", { o, _ in o.lanes[0].maximum = 0 }),
        ("an invented leaf", { o, r in o.lanes[0].leaves?.leaves[0] = r.hash32() }),
        (
            "all leaves invented",
            { o, r in
                guard var votes = o.lanes[0].leaves else { return }
                votes.leaves = votes.leaves.map { _ in r.hash32() }
                o.lanes[0].leaves = votes
            }
        ),
        (
            "messages that do not exist",
            { o, r in
                o.lanes[0].maximum = 100
                o.lanes[0].leaves?.leaves.append(r.hash32())
            }
        ),
        ("leaves in another order", { o, _ in o.lanes[0].leaves?.leaves.reverse() }),
        ("leaves of another place", { o, _ in o.lanes[0].leaves?.first = 2 }),
        (
            "an invented root",
            { o, r in
                if let root = o.lanes[0].root { o.lanes[0].root = RootVote(range: root.range, root: r.hash32()) }
            }
        ),
        ("no lane at all", { o, _ in o.lanes = [] }),
        ("the first lane twice", { o, _ in o.lanes = [o.lanes[0]] + o.lanes }),
        ("a time in the far future", { o, _ in o.timestamp = 99_999_999_999_999 }),
        ("a time long ago", { o, _ in o.timestamp = 1 }),
    ]

    private func world() throws -> World {
        var world = World()
        try world.send(6, on: 0)
        try world.send(3, on: 1)
        world.sources[0].next = 3
        return world
    }

    /// The report after at most two rounds in which `liars` lie.
    private func report(_ liars: Set<Int>, _ lie: @escaping Lie, buildsAtOnce: Bool) throws -> CommitReport? {
        let world = try world()
        var random = SplitMix64(seed: 7)
        var rounds = Rounds(try world.configuration(buildsAtOnce: buildsAtOnce))
        for _ in 0..<2 {
            let snapshots = [CommitSnapshot?](repeating: world.snapshot(), count: 4)
            let report = try rounds.play(snapshots) { index, observation in
                if liars.contains(index), !observation.lanes.isEmpty { lie(&observation, &random) }
            }
            if let report { return report }
        }
        return nil
    }

    @Test("one liar changes nothing", arguments: lies.indices, [true, false])
    func oneLiar(index: Int, buildsAtOnce: Bool) throws {
        let honest = try #require(try report([], { _, _ in }, buildsAtOnce: buildsAtOnce))
        for liar in 0..<4 {
            let report = try report([liar], Self.lies[index].1, buildsAtOnce: buildsAtOnce)
            #expect(report == honest, "\(Self.lies[index].0), by oracle \(liar)")
        }
    }

    @Test("two liars of four can stop a lane, and cannot make a wrong root")
    func twoLiars() throws {
        let world = try world()
        let same = keccak256(text: "a leaf that does not exist")
        let together: (String, Lie) = ("the same invented leaf", { o, _ in o.lanes[0].leaves?.leaves[0] = same })
        for (name, lie) in Self.lies + [together] {
            // A liar with a broken observation is excluded; with two of them no round ends. That is allowed.
            let outcome: CommitReport?
            do { outcome = try report([0, 1], lie, buildsAtOnce: true) } catch is NoQuorum { continue }
            guard let report = outcome else { continue }
            for root in report.unblessed {
                let index = Int(root.source.rawValue - 101)
                guard let range = root.range, range.last.rawValue <= UInt64(world.sources[index].leaves.count) else {
                    Issue.record("\(name): a range of messages that do not exist")
                    continue
                }
                #expect(try root.root == world.trueRoot(index, range.first.rawValue, range.last.rawValue), "\(name)")
            }
        }
    }

    @Test("three liars of four do make a wrong root: this check can fail")
    func threeLiars() throws {
        let same = keccak256(text: "a leaf that does not exist")
        let honest = try report([], { _, _ in }, buildsAtOnce: true)
        let report = try report([0, 1, 2], { o, _ in o.lanes[0].leaves?.leaves[0] = same }, buildsAtOnce: true)
        #expect(report != nil && report != honest)
    }

    @Test("an oracle that speaks about chains it does not read is not heard")
    func notAReader() throws {
        let world = try world()
        let configuration = try world.configuration(
            readers: [destinationChain: [0, 1, 2, 3], 101: [3, 4, 5, 6]], faulty: 2)
        let rounds = Rounds(configuration)
        var observation = try rounds.observe(6, world.snapshot())
        #expect(observation.lane(101)?.next == nil && observation.lane(101)?.maximum == 6)
        let before = AttributedObservation(observer: 6, observation: observation.encoded)
        try rounds.plugin.validateObservation(before, in: rounds.context)
        observation.lanes[0].next = 3
        let lie = AttributedObservation(observer: 6, observation: observation.encoded)
        #expect { try rounds.plugin.validateObservation(lie, in: rounds.context) } throws: {
            ($0 as? CommittingError)?.code == .notAReader
        }
        // The same bytes from a reader of both are no offence of this kind.
        var both = try rounds.observe(3, world.snapshot())
        both.lanes[0].next = 3
        try rounds.plugin.validateObservation(
            AttributedObservation(observer: 3, observation: both.encoded), in: rounds.context)
    }

    @Test("an honest minority that lags does not lead to a second report of a landed range")
    func laggard() throws {
        var world = try world()
        var rounds = Rounds(try world.configuration())
        let first = try #require(try rounds.play(world))
        let old = world
        try world.commit(first.encoded, sequenceNumber: 1, digest: world.digest)
        let report = try rounds.play([world.snapshot(), world.snapshot(), old.snapshot(), world.snapshot()])
        #expect(report == nil)
        #expect(try rounds.state.lanes.isEmpty)
    }

    @Test("too few observations, or one observer twice, make no outcome")
    func quorum() throws {
        let world = try world()
        let rounds = Rounds(try world.configuration())
        let bytes = try rounds.observe(0, world.snapshot()).encoded
        let two = [0, 1].map { AttributedObservation(observer: $0, observation: bytes) }
        #expect(!rounds.plugin.observationQuorum(two, in: rounds.context))
        #expect(throws: CommittingError.self) { try rounds.plugin.outcome(two, in: rounds.context) }
        let twice = [0, 1, 1].map { AttributedObservation(observer: $0, observation: bytes) }
        #expect(!rounds.plugin.observationQuorum(twice, in: rounds.context))
        #expect(throws: CommittingError.self) { try rounds.plugin.outcome(twice, in: rounds.context) }
    }
}

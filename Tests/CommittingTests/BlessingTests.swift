// Roots that need signatures of RMN nodes: how sets open, fill, complete and dissolve; that nobody but signers counts;
// that lanes do not hold each other back.

import CCIP
import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import Committing

@Suite("Blessed roots")
struct BlessingTests {
    private func rounds(_ world: World, timeout: UInt64 = 10_000) throws -> Rounds {
        Rounds(try world.configuration(blessing: GuardModel.blessing, timeout: timeout))
    }

    @Test("a root that needs signatures waits for them, and its report is what the contract takes")
    func crossing() throws {
        var world = World(blessed: [1])
        try world.send(2, on: 0)
        try world.send(3, on: 1)
        var rounds = try rounds(world)
        let first = try #require(try rounds.play(world))
        #expect(first.unblessed.map(\.source) == [101] && first.blessed.isEmpty && first.rmnSignatures.isEmpty)
        try world.commit(first.encoded, sequenceNumber: 1, digest: world.digest)
        let set = try #require(try rounds.state.blessing)
        #expect(set.id == 1 && set.sources == [102] && set.signatures.isEmpty)
        let request = try #require(try rounds.request)
        #expect(try request.roots.map(\.root) == [world.trueRoot(1, 1, 3)])
        var waiting = world.snapshot()
        _ = try rounds.play(world)
        #expect(try !rounds.observer(0).hasWork(previousOutcome: rounds.outcome, snapshot: waiting))
        waiting.signatures = world.guards.votes(request, world)
        #expect(try rounds.observer(0).hasWork(previousOutcome: rounds.outcome, snapshot: waiting))
        let second = try #require(try rounds.playGuarded(world))
        #expect(second.unblessed.isEmpty && second.blessed.map(\.source) == [102])
        #expect(second.rmnSignatures.count == 2, "f + 1 and no more")
        let verdict = rounds.observer(1).shouldTransmit(
            try #require(rounds.lastReports.first), sequenceNumber: 3, configurationDigest: try rounds.digest,
            snapshot: world.snapshot())
        #expect(verdict == .accepted)
        try world.commit(second.encoded, sequenceNumber: 3, digest: world.digest)
        #expect(world.isEverythingCommitted && world.violations.isEmpty)
        #expect(try rounds.state.blessing == nil)
        #expect(try rounds.play(world) == nil)
        #expect(try rounds.state.lanes.isEmpty && rounds.state.blessed == nil)
    }

    @Test("one honest oracle that reached the guards is enough", arguments: 0..<4)
    func oneWitness(witness: Int) throws {
        var world = World(sources: 1, blessed: [0])
        try world.send(1)
        var rounds = try rounds(world)
        try rounds.play(world)
        var snapshots = [CommitSnapshot?](repeating: world.snapshot(), count: 4)
        snapshots[witness] = world.guardedSnapshot(try rounds.request)
        #expect(try rounds.play(snapshots)?.blessed.count == 1)
    }

    @Test("signatures that come one by one add up over rounds, each signer once")
    func addUp() throws {
        var world = World(sources: 1, blessed: [0])
        try world.send(1)
        var rounds = try rounds(world)
        try rounds.play(world)
        world.guards.silent = [1, 2]
        for _ in 0..<3 {
            #expect(try rounds.playGuarded(world) == nil)
            #expect(try rounds.state.blessing?.signatures.count == 1)
        }
        world.guards.silent = [0, 1]
        #expect(try rounds.playGuarded(world)?.rmnSignatures.count == 2)
    }

    @Test("more signatures than one observation holds come in several rounds")
    func manySigners() throws {
        var world = World(sources: 1, blessed: [0])
        world.guards = GuardModel(count: 41)
        world.rmn = world.guards.remote(faulty: 20)
        try world.send(1)
        var rounds = try rounds(world)
        try rounds.play(world)
        var played = 0
        while played < 4, try rounds.observer(0).hasWork(
            previousOutcome: rounds.outcome, snapshot: world.guardedSnapshot(try rounds.request))
        {
            played += 1
            guard let report = try rounds.playGuarded(world) else { continue }
            #expect(report.rmnSignatures.count == 21)
            try world.commit(report.encoded, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
        }
        #expect(played <= 3 && world.isEverythingCommitted)
    }

    // MARK: Liars

    /// Signatures without the keys of guards, or over something else.
    private func junk(_ request: BlessingRequest, _ random: inout SplitMix64, _ world: World) throws -> [RMNSignature] {
        var all: [RMNSignature] = []
        for _ in 0...random.below(12) {
            switch random.below(4) {
            case 0: all.append(RMNSignature(r: random.hash32(), s: random.hash32()))
            case 1:
                let stranger = try PrivateKey(bytes: keccak256(random.bytes(8)).bytes)
                all.append(GuardModel.sign(request.roots, request.remote, stranger))
            case 2:
                // A guard's, over another root: it would have signed nothing of the kind.
                var other = request.roots
                other[0].root = random.hash32()
                all.append(GuardModel.sign(other, request.remote, world.guards.keys[0]))
            default:
                // The one guard that lies along: it counts once.
                all.append(GuardModel.sign(request.roots, request.remote, world.guards.keys[2]))
            }
        }
        return Array(Set(all)).sorted { $0.precedes($1) }
    }

    @Test("oracles without guards' keys forge nothing, not even all of them together", arguments: 1...4)
    func forging(liars: Int) throws {
        var random = SplitMix64.forTest()
        for _ in 0..<8 {
            var world = World(blessed: [1])
            try world.send(1, on: 0)
            try world.send(1, on: 1)
            var rounds = try rounds(world)
            try rounds.play(world)
            let request = try #require(try rounds.request)
            for _ in 0..<4 {
                let snapshots = [CommitSnapshot?](repeating: world.snapshot(), count: 4)
                let lies = try (0..<liars).map { _ in try junk(request, &random, world) }
                let report = try rounds.play(snapshots) { index, observation in
                    guard index < liars else { return }
                    observation.signatures = BlessingVotes(setID: request.setID, signatures: lies[index])
                }
                #expect(report == nil && rounds.refused.isEmpty)
                let known = try rounds.state.blessing?.signatures ?? []
                #expect(known.count <= 1)
                #expect(known.allSatisfy { request.signer(of: $0) == world.guards.keys[2].address })
            }
            // An honest oracle's signatures complete the set all the same.
            var snapshots = [CommitSnapshot?](repeating: world.snapshot(), count: 4)
            snapshots[3] = world.guardedSnapshot(request)
            let lies = try junk(request, &random, world)
            let report = try #require(
                try rounds.play(snapshots) { index, observation in
                    guard index < min(liars, 3) else { return }
                    observation.signatures = BlessingVotes(setID: request.setID, signatures: lies)
                })
            try world.commit(report.encoded, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
            #expect(world.sources[1].next == 2 && world.violations.isEmpty)
        }
    }

    @Test("junk does not hold back a lane that needs no signature")
    func junkElsewhere() throws {
        var random = SplitMix64.forTest()
        var world = World(blessed: [1])
        try world.send(1, on: 1)
        var rounds = try rounds(world)
        try rounds.play(world)
        let request = try #require(try rounds.request)
        try world.send(1, on: 0)
        let lies = try junk(request, &random, world)
        let report = try rounds.play([CommitSnapshot?](repeating: world.snapshot(), count: 4)) { index, observation in
            if index < 2 { observation.signatures = BlessingVotes(setID: request.setID, signatures: lies) }
        }
        #expect(report?.unblessed.map(\.source) == [101] && report?.blessed.isEmpty == true)
    }

    @Test("votes for another set, unsorted votes and foreign configurations are refused", arguments: 0..<5)
    func rules(kind: Int) throws {
        var world = World(sources: 1, blessed: [0])
        try world.send(1)
        var rounds = try rounds(world)
        try rounds.play(world)
        let request = try #require(try rounds.request)
        var observation = try rounds.observe(0, world.guardedSnapshot(request))
        func refusal(_ value: CommitObservation, by observer: Int = 0, _ rounds: Rounds) -> CommittingError.Code? {
            do {
                try rounds.plugin.validateObservation(
                    AttributedObservation(observer: observer, observation: value.encoded), in: rounds.context)
                return nil
            } catch { return (error as? CommittingError)?.code }
        }
        #expect(refusal(observation, rounds) == nil)
        switch kind {
        case 0:
            observation.signatures?.setID += 1
            #expect(refusal(observation, rounds) == .unaskedPart)
        case 1:
            observation.signatures?.signatures.reverse()
            #expect(refusal(observation, rounds) == .implausibleValue)
        case 2:
            observation.signatures?.signatures = []
            #expect(refusal(observation, rounds) == .implausibleValue)
        case 3:
            rounds.outcome = []
            #expect(refusal(observation, rounds) == .unaskedPart)
        default:
            var plain = CommitObservation(timestamp: world.now)
            plain.rmn = world.rmn
            let other = Rounds(try world.configuration())
            #expect(refusal(plain, other) == .unaskedPart)
            let apart = Rounds(
                try world.configuration(
                    blessing: GuardModel.blessing, readers: [destinationChain: [0, 1, 2, 3]], faulty: 2))
            #expect(refusal(plain, by: 5, apart) == .notAReader)
            plain.rmn = nil
            plain.lanes = [LaneObservation(source: 101, requiresBlessing: true)]
            #expect(refusal(plain, by: 5, apart) == .notAReader)
        }
    }

    // MARK: Guards that fail

    @Test("a guard of three may be down", arguments: 0..<3)
    func guardDown(index: Int) throws {
        var world = World(sources: 1, blessed: [0])
        world.guards.silent = [index]
        try world.send(1)
        var rounds = try rounds(world)
        #expect(try rounds.commitNext(&world)?.rmnSignatures.count == 2)
        #expect(world.isEverythingCommitted)
    }

    @Test("two guards of three down stop blessed lanes alone, prices and others go on, and all goes on when they are back")
    func guardsDown() throws {
        var world = World(blessed: [1])
        world.gasPrices[101] = TimestampedPrice(value: .zero, timestamp: 0)
        world.guards.silent = [0, 1]
        var rounds = Rounds(
            try world.configuration(
                prices: PriceTests.prices(tokens: []), blessing: GuardModel.blessing, timeout: 10_000))
        try world.send(1, on: 1)
        for _ in 0..<80 {
            world.now += 1_000
            try world.send(1, on: 0)
            try rounds.playGuarded(world)
            for report in rounds.lastReports {
                #expect(try CommitReport(encoded: report.bytes).blessed.isEmpty)
                try world.commit(report.bytes, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
            }
        }
        #expect(world.sources[0].next > 70 && world.sources[1].next == 1)
        #expect(world.gasPrices[101]?.timestamp ?? 0 > 0)
        #expect(try rounds.state.suspects.map(\.source) == [102])
        world.guards.silent = []
        for _ in 0..<100 where world.sources[1].next == 1 {
            world.now += 1_000
            if let report = try rounds.playGuarded(world) {
                try world.commit(report.encoded, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
            }
        }
        #expect(world.sources[1].next == 2)
        #expect(try rounds.state.suspects.isEmpty)
    }

    @Test("a lane that guards refuse does not hold back the lanes that they sign")
    func refused() throws {
        var world = World(sources: 4, blessed: [0, 1, 2])
        world.guards.refused = [102]
        var rounds = try rounds(world)
        var sentAt: [Int: [UInt64]] = [0: [], 2: []]
        var slowest: UInt64 = 0
        var late = 0
        for step in 0..<1_500 {
            world.now += 200
            if step % 10 == 0 {
                for index in 0..<4 { try world.send(1, on: index) }
                for index in [0, 2] { sentAt[index]?.append(world.now) }
            }
            let before = world.sources.map(\.next)
            try rounds.playGuarded(world)
            for report in rounds.lastReports {
                try world.commit(report.bytes, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
            }
            for index in [0, 2] {
                for number in before[index]..<world.sources[index].next {
                    let waited = world.now - sentAt[index, default: []][Int(number - 1)]
                    slowest = max(slowest, waited)
                    if waited > 2_000 { late += 1 }
                }
            }
        }
        #expect(world.violations.isEmpty && world.sources[1].next == 1)
        #expect(world.sources[3].next >= 149, "a lane without signatures never waits")
        // One common timeout and one alone at first; later at most one alone, in pauses that double.
        #expect(slowest <= 33_000, "\(slowest) ms")
        #expect(late < 120, "\(late) of 300 messages waited longer than 2 s")
        world.guards.refused = []
        for _ in 0..<6_000 where !world.isEverythingCommitted {
            world.now += 200
            if let report = try rounds.playGuarded(world) {
                try world.commit(report.encoded, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
            }
        }
        #expect(world.isEverythingCommitted)
    }

    // MARK: What changes while a set is open

    @Test("another configuration of the RMNRemote dissolves the set, and new signatures are gathered for it")
    func rotation() throws {
        var world = World(sources: 1, blessed: [0])
        world.guards = GuardModel(count: 4)
        world.rotate(0)
        try world.send(2)
        var rounds = try rounds(world)
        try rounds.play(world)
        let old = try #require(try rounds.request)
        world.guards.silent = [0, 2, 3]
        try rounds.playGuarded(world)
        #expect(try rounds.state.blessing?.signatures.count == 1)
        world.rotate(1)
        #expect(try rounds.observer(0).hasWork(previousOutcome: rounds.outcome, snapshot: world.snapshot()))
        try rounds.play(world)
        #expect(rounds.has(.rmnConfigurationChanged))
        #expect(try rounds.state.blessing == nil)
        world.guards.silent = []
        #expect(try rounds.commitNext(&world) != nil)
        #expect(world.isEverythingCommitted && world.violations.isEmpty)
        // What was gathered for the old one no longer counts.
        let stale = try #require(world.guards.votes(old, world))
        let remote = try #require(world.rmn)
        let signers = stale.signatures.compactMap { GuardModel.digest(of: old.roots, remote).signer(of: $0) }
        #expect(!signers.contains { remote.signers.contains($0) })
    }

    @Test("a member that is cursed, disabled, committed elsewhere or freed dissolves its set at once", arguments: 0..<4)
    func dissolved(kind: Int) throws {
        var world = World(blessed: [0, 1])
        try world.send(1, on: 0)
        try world.send(1, on: 1)
        var rounds = try rounds(world)
        try rounds.play(world)
        #expect(try rounds.state.blessing?.sources == [101, 102])
        switch kind {
        case 0: world.curses = [ChainSelector(101).curseSubject]
        case 1: world.sources[0].isEnabled = false
        case 2: world.sources[0].next = 2
        default: world.sources[0].requiresBlessing = false
        }
        try rounds.play(world)
        #expect(rounds.has(.blessingDissolved))
        #expect(try rounds.state.blessing?.sources != [101, 102])
        let report = try #require(try rounds.commitNext(&world))
        if kind == 3 { #expect(report.unblessed.map(\.source) == [101]) }
        for _ in 0..<4 where world.sources[1].next == 1 { try rounds.commitNext(&world) }
        #expect(world.sources[1].next == 2, "the other lane goes on")
        #expect(world.sources[0].next == (kind < 2 ? 1 : 2))
    }

    @Test("an RMNRemote that verifies nothing, is not read or not agreed on opens no set", arguments: 0..<4)
    func unavailable(kind: Int) throws {
        var world = World(sources: 1, blessed: [0])
        try world.send(1)
        switch kind {
        case 0: world.rmn = world.guards.remote(version: 0, signers: [])
        case 1: world.rmn = nil
        case 2: world.rmn = world.guards.remote(faulty: 3)
        default: break
        }
        var rounds = try rounds(world)
        var snapshots = [CommitSnapshot?](repeating: world.snapshot(), count: 4)
        if kind == 3 {
            for index in 0..<2 { snapshots[index]?.destination?.rmn = world.guards.remote(version: UInt32(7 + index)) }
        }
        #expect(try rounds.play(snapshots) == nil)
        #expect(try rounds.state.blessing == nil)
        #expect(rounds.has(kind == 0 || kind == 2 ? .rmnUnavailable : .insufficientAgreement))
        guard case .blessing = try rounds.state.state(of: 101) else {
            Issue.record("the root is agreed on and waits")
            return
        }
        // A set opens as soon as the configuration is there, without building the root again.
        world.rmn = world.guards.remote()
        #expect(try rounds.observer(0).hasWork(previousOutcome: rounds.outcome, snapshot: world.snapshot()))
        #expect(try rounds.commitNext(&world) != nil)
    }

    @Test("a flag that too few agree on reports nothing of the lane")
    func flagAgreement() throws {
        var world = World(sources: 1, blessed: [])
        try world.send(1)
        var blessed = world
        blessed.sources[0].requiresBlessing = true
        var rounds = try rounds(world)
        let views = [world.snapshot(), world.snapshot(), blessed.snapshot(), blessed.snapshot()]
        #expect(try rounds.play(views) == nil)
        #expect(rounds.has(.insufficientAgreement))
        #expect(try rounds.play([world.snapshot(), world.snapshot(), world.snapshot(), blessed.snapshot()]) != nil)
    }

    @Test("a set holds what one request may: other lanes get their turn")
    func manyLanes() throws {
        var world = World(sources: 20, blessed: Set(0..<20))
        for index in 0..<20 { try world.send(1, on: index) }
        var rounds = try rounds(world)
        var sizes: [Int] = []
        for _ in 0..<8 where !world.isEverythingCommitted {
            guard let report = try rounds.commitNext(&world) else { continue }
            sizes.append(report.blessed.count)
            #expect(report.blessed.map(\.source) == report.blessed.map(\.source).sorted())
        }
        #expect(sizes == [16, 4])
    }

    @Test("without guards in the configuration a lane that needs signatures is silent, and nobody asks for rounds")
    func notConfigured() throws {
        var world = World(blessed: [1])
        try world.send(1, on: 1)
        var rounds = Rounds(try world.configuration())
        #expect(try rounds.play(world) == nil)
        #expect(try !rounds.observer(0).hasWork(previousOutcome: rounds.outcome, snapshot: world.snapshot()))
        let notes = try rounds.observer(0).observe(previousOutcome: [], snapshot: world.snapshot()).notes
        #expect(notes.contains(CommitNote(.blessingNotConfigured, 102)))
    }
}

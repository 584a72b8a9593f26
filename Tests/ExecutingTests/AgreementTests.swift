// F+1 agreement on every observed part: one liar changes nothing, and what lacks votes is named.

import CCIP
import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import Executing

@Suite("Agreement of a round")
struct AgreementTests {
    func world() throws -> World {
        var world = World(try configuration())
        world.send(sourceA, ordered: true)
        world.send(sourceA, from: 2)
        world.send(sourceB, from: 3, ordered: true)
        try world.commit(sourceA, 2)
        try world.commit(sourceB, 1)
        return world
    }

    @Test("when all know everything, one round ends in a report with all messages")
    func oneRound() throws {
        let world = try world()
        let outcome = try world.outcome(world.honest())
        #expect(try outcome.keys() == [key(sourceA, 1), key(sourceA, 2), key(sourceB, 1)])
        #expect(!outcome.wantsNextRound)
        #expect(outcome.pending.count == 2)
        #expect(outcome.wantedSenders.isEmpty)
    }

    @Test("the same observations give the same bytes")
    func deterministic() throws {
        let world = try world()
        let first = try world.outcome(world.honest()).encoded
        for _ in 0..<5 { #expect(try world.outcome(world.honest()).encoded == first) }
    }

    @Test("nothing known, then roots, then messages, then nonces: never more than three rounds")
    func threeRounds() throws {
        let world = try world()
        let full = world.honest()[0]
        let roots = ExecuteObservation(roots: full.roots)
        let first = try world.outcome([roots, roots, roots, roots], round: 7)
        #expect(first.pending.count == 2 && first.reports.isEmpty && first.wantsNextRound)
        #expect(first.verdicts(sourceA) == [.notObserved, .notObserved])
        let messages = ExecuteObservation(roots: full.roots, leaves: full.leaves)
        let second = try world.outcome([messages, messages, messages, messages], previous: first, round: 8)
        // The unordered one goes at once; ordered senders wait for their nonce.
        #expect(try second.keys() == [key(sourceA, 2)])
        #expect(second.wantedSenders.count == 2 && second.wantsNextRound)
        #expect(second.verdicts(sourceA) == [.nonceNotAgreed, .reported])
        let third = try world.outcome([full, full, full, full], previous: second, round: 9)
        #expect(try third.keys().contains(key(sourceB, 1)))
        #expect(third.pending.allSatisfy { $0.firstRound == 7 })
    }

    @Test("a root that lacks messages for long no longer hurries the rounds")
    func eagerness() throws {
        let world = try world()
        let roots = ExecuteObservation(roots: world.honest()[0].roots)
        var outcome = ExecuteOutcome.none
        var eager: [Bool] = []
        for round in UInt64(1)...5 {
            outcome = try world.outcome([roots, roots, roots], previous: outcome, round: round)
            eager.append(outcome.wantsNextRound)
        }
        #expect(eager == [true, true, false, false, false])
    }

    @Test("fewer than 2F+1 observations give no outcome")
    func quorum() throws {
        let world = try world()
        #expect(throws: ExecutingError.self) { try world.outcome(Array(world.honest().prefix(2))) }
    }

    @Test("votes below FChain + 1 leave a part out, and the verdict says which")
    func thresholds() throws {
        let world = try world()
        let full = world.honest()[0]
        let silent = ExecuteObservation()
        #expect(try world.outcome([full, silent, silent]).pending.isEmpty)
        var noMessages = full
        noMessages.leaves = []
        #expect(try world.outcome([full, noMessages, noMessages]).verdicts(sourceB) == [.notObserved])
        var noNonces = full
        noNonces.nonces = []
        #expect(try world.outcome([full, noNonces, noNonces]).verdicts(sourceB) == [.nonceNotAgreed])
        #expect(try world.outcome([full, full, silent]).keys().count == 3)
    }

    // MARK: One liar

    /// Every lie, told by one oracle in any place.
    static let lies = [
        "silent", "rootTimestamp", "rootRange", "inventedRoot", "allExecuted", "noneExecuted", "nonceHigh", "nonceLow",
        "leaf", "body", "tokenData", "otherLeaves", "onRamp",
    ]

    func lie(_ kind: String, _ honest: ExecuteObservation) throws -> ExecuteObservation {
        var lie = honest
        switch kind {
        case "silent": lie = ExecuteObservation()
        case "rootTimestamp": for i in lie.roots.indices { lie.roots[i].committed.timestamp += 1 }
        case "rootRange":
            for i in lie.roots.indices {
                lie.roots[i].committed.root.last = SequenceNumber(lie.roots[i].committed.root.last.rawValue + 1)
            }
        case "inventedRoot":
            var root = lie.roots[0]
            root.committed.root.root = keccak256([1, 2, 3])
            root.committed.root.first = 50
            root.committed.root.last = 51
            lie.roots.append(root)
        case "allExecuted":
            for i in lie.roots.indices {
                for index in 0..<(lie.roots[i].committed.root.checkedCount ?? 0) { lie.roots[i].executed.insert(index) }
            }
        case "noneExecuted": for i in lie.roots.indices { lie.roots[i].executed = MessageSet() }
        case "nonceHigh": for i in lie.nonces.indices { lie.nonces[i].nonce = 1_000_000 }
        case "nonceLow": for i in lie.nonces.indices { lie.nonces[i].nonce = 0 }
        case "leaf": for i in lie.leaves.indices { lie.leaves[i].leaves[0] = keccak256([9]) }
        case "body":
            for i in lie.leaves.indices {
                for j in lie.leaves[i].messages.indices {
                    var message = try Any2EVMRampMessage(encoded: lie.leaves[i].messages[j].encoded)
                    message.receiver = Address(truncating: U256(0xbad))
                    lie.leaves[i].messages[j].encoded = message.encoded
                }
            }
        case "tokenData":
            for i in lie.leaves.indices {
                for j in lie.leaves[i].messages.indices {
                    lie.leaves[i].messages[j].tokenData = lie.leaves[i].messages[j].tokenData.map { _ in [0xbd] }
                }
            }
        case "otherLeaves": for i in lie.leaves.indices { lie.leaves[i].leaves.append(keccak256([7])) }
        default: for i in lie.roots.indices { lie.roots[i].committed.root.onRamp = sender(77) }
        }
        return ExecuteObservation(roots: lie.roots, leaves: lie.leaves, nonces: lie.nonces)
    }

    @Test("one liar among four changes neither report nor pending roots", arguments: lies)
    func oneLiar(_ kind: String) throws {
        var world = World(try configuration())
        for _ in 0..<3 { world.send(sourceA, ordered: true, tokens: 1) }
        world.send(sourceB, from: 3)
        try world.commit(sourceA, 3)
        try world.commit(sourceB, 1)
        // The first message is executed, so that lies about states and nonces can show.
        world.offRamp.states[key(sourceA, 1)] = .success
        world.offRamp.nonces[SenderKey(source: sourceA, sender: sender(1))] = 1
        let honest = world.honest()
        let truth = try world.outcome(honest)
        #expect(try truth.keys() == [key(sourceA, 2), key(sourceA, 3), key(sourceB, 1)])
        for liar in 0..<4 {
            var observations = honest
            observations[liar] = try lie(kind, honest[liar])
            #expect(try world.outcome(observations) == truth, "\(kind) by \(liar)")
            // And with the smallest quorum, where the liar is one of three.
            let three = liar < 3 ? Array(observations.prefix(3)) : Array(observations.dropFirst())
            #expect(try world.outcome(three).keys() == truth.keys(), "\(kind) by \(liar) of three")
        }
    }

    @Test("two equal lies win where they must: the thresholds are not above FChain + 1")
    func twoLiars() throws {
        var world = World(try configuration())
        world.send(sourceA)
        try world.commit(sourceA, 1)
        var observations = world.honest()
        for liar in 0..<2 { observations[liar] = try lie("allExecuted", observations[liar]) }
        #expect(try world.outcome(observations).reports.isEmpty)
    }

    @Test("two tuples of one root that both have enough votes are both dropped")
    func split() throws {
        var world = World(try configuration())
        world.send(sourceA)
        try world.commit(sourceA, 1)
        var observations = world.honest()
        for liar in 0..<2 { observations[liar] = try lie("rootTimestamp", observations[liar]) }
        let outcome = try world.outcome(observations)
        #expect(outcome.pending.isEmpty && outcome.reports.isEmpty)
    }

    @Test("leaves that do not lead to the accepted root are never executed")
    func fraudulentRoot() throws {
        var world = World(try configuration())
        world.send(sourceA)
        world.send(sourceB)
        try world.commit(sourceA, 1)
        try world.commit(sourceB, 1)
        // Every oracle sees a root at the destination that its source does not bear out.
        var observations = world.honest()
        let false_ = keccak256([0xf])
        for i in observations.indices {
            observations[i].roots[0].committed.root.root = false_
            observations[i].leaves[0].key = RootKey(source: observations[i].leaves[0].key.source, root: false_)
        }
        let source = observations[0].leaves[0].key.source
        let outcome = try world.outcome(observations)
        #expect(outcome.verdicts(source) == [.rootMismatch])
        #expect(try outcome.keys() == [key(source == sourceA ? sourceB : sourceA, 1)])
    }

    @Test("a body that is not its leaf is never executed, however many vouch for it, and the others go")
    func forgedBody() throws {
        let world = try world()
        var observations = world.honest()
        for liar in 0..<3 {
            for i in observations[liar].leaves.indices where observations[liar].leaves[i].key.source == sourceA {
                var body = try Any2EVMRampMessage(encoded: observations[liar].leaves[i].messages[1].encoded)
                body.receiver = Address(truncating: U256(0xbad))
                observations[liar].leaves[i].messages[1].encoded = body.encoded
            }
        }
        let outcome = try world.outcome(observations)
        #expect(outcome.verdicts(sourceA) == [.reported, .rootMismatch])
        #expect(try outcome.keys() == [key(sourceA, 1), key(sourceB, 1)])
    }

    @Test(
        "nonces: an order statistic that no liar can push beyond the chain",
        arguments: [
            ([5], nil), ([5, 5], 5), ([5, 99], 5), ([0, 5], 0), ([5, 5, 99], 5), ([0, 5, 5], 5), ([5, 6, 7], 6),
            ([5, 5, 5, 99], 5), ([0, 5, 6, 7], 5),
        ] as [([UInt64], UInt64?)])
    func nonce(_ values: [UInt64], _ expected: UInt64?) {
        #expect(Agreement.nonce(values, faulty: 1) == expected)
    }

    // MARK: Roles

    @Test("an oracle is refused what its role does not allow, and every malformed shape")
    func roles() throws {
        let seven = try configuration(readersA: [0, 1, 2, 3], destinationReaders: [3, 4, 5, 6], oracles: 7, faulty: 2)
        var world = World(seven)
        world.send(sourceA, tokens: 1)
        try world.commit(sourceA, 1)
        let everything = ExecuteObserver(configuration: seven, ownIndex: 3)
            .observe(previous: .none, snapshot: world.snapshot(), now: 0)
        #expect(!everything.roots.isEmpty && !everything.leaves.isEmpty)
        try everything.validate(observer: 3, seven)
        #expect(throws: ExecutingError.self) { try everything.validate(observer: 0, seven) }
        #expect(throws: ExecutingError.self) { try everything.validate(observer: 5, seven) }
        try ExecuteObservation(leaves: everything.leaves).validate(observer: 0, seven)
        try ExecuteObservation(roots: everything.roots).validate(observer: 5, seven)
        let changes: [(String, (inout ExecuteObservation) -> Void)] = [
            ("root twice", { $0.roots.append($0.roots[0]) }),
            ("leaves twice", { $0.leaves.append($0.leaves[0]) }),
            ("inverted range", { $0.roots[0].committed.root.last = 0 }),
            ("zero root", { $0.roots[0].committed.root.root = .zero }),
            ("no on-ramp", { $0.roots[0].committed.root.onRamp = [] }),
            ("no time", { $0.roots[0].committed.timestamp = 0 }),
            ("unknown source", { $0.roots[0].committed.root.source = 5 }),
            ("bits beyond the range", { $0.roots[0].executed.insert(200) }),
            ("no leaves", { $0.leaves[0].leaves = [] }),
            ("index beyond", { $0.leaves[0].messages[0].index = 9 }),
            ("token data", { $0.leaves[0].messages[0].tokenData = [] }),
            ("garbage body", { $0.leaves[0].messages[0].encoded = [1, 2, 3] }),
            ("another place", { $0.leaves[0].first = 2 }),
            (
                "nonce of nobody",
                { $0.nonces = [ObservedNonce(sender: SenderKey(source: sourceA, sender: []), nonce: 1)] }
            ),
        ]
        for (name, change) in changes {
            var observation = everything
            change(&observation)
            #expect(throws: ExecutingError.self, "\(name)") { try observation.validate(observer: 3, seven) }
        }
        #expect(changes.count == 14)
    }

    @Test("source readers and destination readers that are not the same people still execute, in three rounds")
    func splitRoles() throws {
        let seven = try configuration(readersA: [0, 1, 2, 3], destinationReaders: [3, 4, 5, 6], oracles: 7, faulty: 2)
        var world = World(seven)
        world.send(sourceA, ordered: true)
        try world.commit(sourceA, 1)
        var outcome = ExecuteOutcome.none
        var rounds = 0
        while outcome.reports.isEmpty, rounds < 6 {
            rounds += 1
            let observations = world.observers().enumerated().map { index, observer in
                var snapshot = world.snapshot()
                if !seven.reads(index, sourceA) { snapshot.messages = [:] }
                if !seven.readsDestination(index) {
                    snapshot.roots = []
                    snapshot.states = [:]
                    snapshot.nonces = [:]
                    snapshot.curse = .unreadable
                }
                // What the oracle was not asked to read it does not know.
                let needs = observer.needs(previousOutcome: outcome.encoded, snapshot: snapshot, now: 0)
                snapshot.nonces = snapshot.nonces.filter { needs.nonces.contains($0.key) }
                return observer.observe(previous: outcome, snapshot: snapshot, now: 0)
            }
            outcome = try world.outcome(observations, previous: outcome, round: UInt64(rounds))
        }
        #expect(try outcome.keys() == [key(sourceA, 1)])
        #expect(rounds == 3)
    }
}

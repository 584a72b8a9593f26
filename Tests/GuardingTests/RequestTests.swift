// What a guard signs, and what it does not.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import CCIP
@testable import Guarding

@Suite("Requests for signatures")
struct RequestTests {
    let messages = (1...5 as ClosedRange<UInt64>).map { World.message($0, data: [UInt8($0)]) }

    @Test("a right root is recorded, then signed under the digest that the contract checks")
    func signs() throws {
        var watcher = try World.watching(messages)
        let root = try World.root(messages)
        let actions = watcher.ask(World.request([root]))
        guard case .record(let records)? = actions.first, case .sign(let id, 0, let digest)? = actions.last else {
            Issue.record("\(actions)")
            return
        }
        #expect(actions.count == 2 && id == [1])
        #expect(records.map(\.number) == [1, 2, 3, 4, 5])
        #expect(try records.map(\.leaf) == messages.map { try World.leaf($0) })
        #expect(
            digest
                == RMNReportDigest(
                    destinationChainID: U256(World.chainID), destination: World.destination, rmnRemote: World.remote,
                    offRamp: World.offRamp, rmnHomeDigest: Hash32(U256.one), roots: [root]))
        // The same again: nothing new to record.
        let again = watcher.ask(World.request([root], id: [2]), now: 20_000)
        #expect(again.count == 1 && again.signatures == [digest])
        #expect(watcher.tallies.signed == 2)
    }

    @Test("the destination is looked at before each signature, once for requests that come together")
    func looksFirst() throws {
        var watcher = try World.watching(messages)
        let request = World.request([try World.root(messages)])
        #expect(watcher.handle(.request(request, from: 0, now: 10_000)) == [.read(World.destination)])
        #expect(watcher.handle(.request(request, from: 1, now: 10_001)) == [])
        #expect(watcher.handle(.destination(World.facts(), now: 10_050)).signatures.count == 2)
        // Fresh enough for one that comes right after; later it is read again.
        #expect(watcher.handle(.request(request, from: 2, now: 10_100)).signatures.count == 1)
        #expect(watcher.handle(.request(request, from: 3, now: 12_000)) == [.read(World.destination)])
        #expect(watcher.handle(.destinationSilent(World.destination, reason: "no answer")).answers.count == 1)
    }

    @Test("each rule refuses under its name")
    func refusals() throws {
        let root = try World.root(messages)
        func codes(
            _ change: (inout SignatureRequest) -> Void = { _ in }, facts: DestinationFacts = World.facts()
        ) throws -> [RefusalCode] {
            var watcher = try World.watching(messages)
            var request = World.request([root])
            change(&request)
            let actions = watcher.ask(request, facts: facts)
            #expect(actions.signatures.isEmpty)
            return actions.refusalCodes
        }
        #expect(try codes { $0.chainID = 1 } == [.config])
        #expect(try codes { $0.destination = World.source } == [.config])
        #expect(try codes { $0.offRamp = World.pool } == [.config])
        #expect(try codes { $0.rmnRemote = World.pool } == [.config])
        #expect(try codes { $0.homeDigest = .zero } == [.config])
        #expect(try codes { $0.configVersion = 2 } == [.config])
        #expect(try codes { $0.updates = [] } == [.config])
        #expect(try codes { $0.updates += $0.updates } == [.config])
        #expect(try codes { $0.updates[0].root = Hash32(U256.one) } == [.rootMismatch])
        #expect(try codes { $0.updates[0].source = 5 } == [.unknownLane])
        #expect(try codes { $0.updates[0].onRamp = World.onRamp.bytes } == [.config])
        #expect(try codes { $0.updates[0].first = 2 } == [.interval])
        #expect(try codes { $0.updates[0].last = 0 } == [.interval])
        #expect(try codes { $0.updates[0].last = 257 } == [.interval])
        #expect(try codes(facts: World.facts(next: 2)) == [.interval])
        #expect(try codes(facts: World.facts(cursed: [World.source.curseSubject])) == [.cursed])
        #expect(try codes(facts: World.facts(cursed: [CurseSubject.global])) == [.cursed])
        #expect(try codes(facts: World.facts(cursed: [World.destination.curseSubject])) == [.cursed])
        #expect(try codes(facts: World.facts(requiresBlessing: false)) == [.config])
        #expect(try codes(facts: World.facts(version: 0)) == [.config])
        var stranger = World.facts()
        stranger.signers = [World.pool]
        #expect(try codes(facts: stranger) == [.config])
    }

    @Test("messages above the guard's own finality are waited for, never signed")
    func finality() throws {
        var watcher = try World.watching(Array(messages.prefix(3)))
        let request = World.request([try World.root(messages)])
        let actions = watcher.ask(request)
        guard case .waits(let waits)? = actions.answers.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(waits.map(\.finalizedThrough) == [3] && actions.count == 1)
        // The messages come: judged again without being asked again, after a fresh look, and answered once.
        let one = watcher.handle(.sourceLogs(World.source, World.logs([messages[3]]), through: 120, now: 11_000))
        #expect(one.last == .read(World.destination))
        #expect(watcher.handle(.destination(World.facts(), now: 11_001)) == [], "still too early, and told before")
        let all = watcher.handle(.sourceLogs(World.source, World.logs([messages[4]]), through: 121, now: 12_000))
        #expect(all.last == .read(World.destination))
        #expect(watcher.handle(.destination(World.facts(), now: 12_001)).signatures.count == 1)
        #expect(watcher.ask(request, now: 30_000).signatures.count == 1)
    }

    @Test("a request that came too early is forgotten when its set of roots must be closed")
    func forgotten() throws {
        var watcher = try World.watching([])
        #expect(watcher.ask(World.request([try World.root(messages)])).answers.count == 1)
        let late = watcher.handle(.sourceLogs(World.source, World.logs(messages), through: 120, now: 40_000))
        #expect(late.count == 1 && watcher.pendingCount == 0, "\(late)")
    }

    @Test("one refused lane withholds the signature over all")
    func allOrNone() throws {
        let other: ChainSelector = 10_344_971_235_874_465_080
        let configuration = try GuardConfiguration(
            sources: [
                .init(selector: World.source, onRamp: World.onRamp), .init(selector: other, onRamp: World.pool),
            ], destinations: [.init(selector: World.destination, chainID: World.chainID, offRamp: World.offRamp)],
            lanes: [World.lane, GuardLane(source: other, destination: World.destination)], signer: World.signer,
            relayerCount: 4)
        var watcher = try World.watching(messages, configuration)
        var facts = World.facts()
        facts.sources[other] = .init(isEnabled: true, requiresBlessing: true, nextNumber: 1, onRamp: World.pool.abiWord)
        let unseen = MerkleRoot(source: other, onRamp: World.pool.abiWord, first: 1, last: 1, root: Hash32(U256.one))
        let request = World.request([unseen, try World.root(messages)])
        let actions = watcher.ask(request, facts: facts)
        #expect(actions.signatures.isEmpty && actions.answers.count == 1 && actions.refusalCodes.isEmpty)
        facts.cursedSubjects = [other.curseSubject]
        #expect(watcher.ask(request, facts: facts, now: 20_000).refusalCodes == [.cursed])
    }

    @Test("value limits hold a root back, and tell it once")
    func limits() throws {
        let rich = [World.message(1, amount: U256(60 as UInt64)), World.message(2, amount: U256(60 as UInt64))]
        func watcher(_ perMessage: UInt64, _ perRoot: UInt64) throws -> Guard {
            try World.watching(
                rich,
                World.configuration(limits: [
                    .init(source: World.source, pool: World.pool, perMessage: U256(perMessage), perRoot: U256(perRoot))
                ]))
        }
        let request = World.request([try World.root(rich)])
        var tight = try watcher(59, 1_000)
        let first = tight.ask(request)
        #expect(first.refusalCodes == [.stopped] && first.anomalies == [.valueLimit] && first.stops.isEmpty)
        #expect(tight.ask(request, now: 20_000).anomalies.isEmpty)
        var sum = try watcher(60, 119)
        #expect(sum.ask(request).refusalCodes == [.stopped])
        var wide = try watcher(60, 120)
        #expect(wide.ask(request).signatures.count == 1)
    }

    @Test("floods are not answered")
    func floods() throws {
        var watcher = try World.watching(messages)
        let request = World.request([try World.root(messages)])
        for id in 0..<40 as Range<UInt8> { _ = watcher.handle(.request(World.request(request.updates, id: [id]), from: 2, now: 5_000)) }
        #expect(watcher.tallies.requests == 4 && watcher.tallies.throttled == 36 && watcher.pendingCount == 4)
        #expect(watcher.handle(.request(request, from: 9, now: 5_000)) == [])
        #expect(watcher.ask(request, from: 1, now: 5_000).isEmpty)
        #expect(watcher.handle(.destination(World.facts(), now: 5_100)).signatures.count == 5)
    }

    @Test("a second leaf for a number is never signed, also after a restart")
    func oneLeaf() throws {
        var first = try World.watching(messages)
        let actions = first.ask(World.request([try World.root(messages)]))
        guard case .record(let records)? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        // The source was rewritten, the messages were lost with it, the records were not.
        let forged = messages.map { World.message($0.header.sequenceNumber.rawValue, data: [0xee]) }
        var second = Guard(configuration: try World.configuration(), records: records)
        _ = second.handle(.sourceLogs(World.source, World.logs(forged), through: 100, now: 1))
        let refused = second.ask(World.request([try World.root(forged)]))
        #expect(refused.signatures.isEmpty && refused.refusalCodes == [.stopped])
        #expect(refused.stops.map(\.kind) == [.signedOtherwise])
        // Without the records it would have been signed: the check is the record's.
        var forgetful = Guard(configuration: try World.configuration())
        _ = forgetful.handle(.sourceLogs(World.source, World.logs(forged), through: 100, now: 1))
        #expect(forgetful.ask(World.request([try World.root(forged)])).signatures.count == 1)
    }

    @Test("a stop outlives a restart")
    func stops() throws {
        let stop = GuardStop(scope: World.lane.scope, kind: .doubleExecution, reason: "seen before")
        for scope in [stop.scope, GuardStop.everything, GuardStop.scope(World.source), GuardStop.scope(World.destination)] {
            var watcher = Guard(
                configuration: try World.configuration(),
                stops: [GuardStop(scope: scope, kind: stop.kind, reason: stop.reason)])
            _ = watcher.handle(.sourceLogs(World.source, World.logs(messages), through: 100, now: 1))
            #expect(watcher.ask(World.request([try World.root(messages)])).refusalCodes == [.stopped])
        }
    }

    @Test("a mistake in the relayers' hashing does not get a signature")
    func plantedFault() throws {
        var watcher = try World.watching(messages)
        let leaves = try messages.map { try World.leaf($0) }
        let honest = try World.root(messages)
        func root(_ leaves: [Hash32]) -> MerkleRoot {
            var root = honest
            root.root = try! MerkleTree(leaves: leaves).root
            return root
        }
        // Faults that a shared code path would sign: a forgotten pad, another order, a leaf hashed twice, a lost byte.
        let unpadded = try MerkleTree(leaves: leaves + [leaves[4]]).root
        var short = messages
        short[2].data = []
        let faults = [
            unpadded, root(leaves.reversed()).root, root(leaves.map { keccak256($0.bytes) }).root,
            try MerkleTree(
                leaves: short.map { message in
                    try Any2EVMRampMessage(converting: message).leafHash(onRamp: World.onRamp.abiWord)
                }
            ).root,
        ]
        for (position, fault) in faults.enumerated() {
            var update = honest
            update.root = fault
            let now = UInt64(20_000 + 2_000 * position)
            #expect(watcher.ask(World.request([update], id: [UInt8(position)]), now: now).refusalCodes == [.rootMismatch])
        }
        #expect(watcher.ask(World.request([honest]), now: 90_000).signatures.count == 1)
    }
}

// What a guard sees by itself, and that it acts by withholding only.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import CCIP
@testable import Guarding

@Suite("Anomalies")
struct AnomalyTests {
    let messages = (1...5 as ClosedRange<UInt64>).map { World.message($0, data: [UInt8($0)]) }

    private func accepted(_ root: MerkleRoot) -> GuardEvent {
        .accepted(AcceptedRoot(destination: World.destination, root: root, block: 60), now: 100)
    }

    @Test("right roots and executions raise nothing")
    func well() throws {
        var watcher = try World.watching(messages)
        #expect(watcher.handle(accepted(try World.root(messages))) == [])
        for message in messages {
            #expect(watcher.handle(.executed(try World.executed(message), isFinal: true, now: 100)) == [])
        }
        #expect(watcher.tallies.rootsVerified == 1 && watcher.tallies.executionsVerified == 5)
        #expect(watcher.handle(.tick(now: 1_000_000)) == [] && watcher.unverifiedCount == 0)
    }

    @Test("a committed root that is not the source's stops the lane, and curses only when told to")
    func rootMismatch() throws {
        var root = try World.root(messages)
        root.root = Hash32(U256.one)
        var watcher = try World.watching(messages)
        let actions = watcher.handle(accepted(root))
        #expect(actions.stops.map(\.kind) == [.committedRootMismatch] && actions.anomalies == [.committedRootMismatch])
        #expect(actions.count == 2, "the stop is written first: \(actions)")
        #expect(watcher.ask(World.request([try World.root(messages)])).refusalCodes == [.stopped])
        var cursing = try World.watching(messages, World.configuration(curses: true))
        let cursed = cursing.handle(accepted(root))
        guard case .raiseStop? = cursed.first, case .curse(World.source, on: World.destination, _)? = cursed.last else {
            Issue.record("\(cursed)")
            return
        }
        // Once: the second root says nothing new.
        #expect(cursing.handle(accepted(root)).count == 1)
    }

    @Test("an execution of other content stops the lane")
    func contentMismatch() throws {
        var watcher = try World.watching(messages)
        let other = try World.executed(messages[1], leaf: Hash32(U256.one))
        #expect(watcher.handle(.executed(other, isFinal: false, now: 5)).stops.map(\.kind) == [.executedContentMismatch])
    }

    @Test("what is ahead of the source's finality gets time, then it is an anomaly")
    func ahead() throws {
        var watcher = try World.watching(Array(messages.prefix(2)))
        #expect(watcher.handle(accepted(try World.root(messages))) == [])
        #expect(watcher.handle(.executed(try World.executed(messages[4]), isFinal: false, now: 100)) == [])
        #expect(watcher.handle(.tick(now: 1_100)) == [] && watcher.unverifiedCount == 2)
        let late = watcher.handle(.tick(now: 1_102))
        #expect(late.anomalies == [.unfinalizedRoot, .executedWithoutSource])
        #expect(late.stops.map(\.kind) == [.unfinalizedRoot], "one stop for one lane")
        // The same claims, and the messages come in time.
        var patient = try World.watching(Array(messages.prefix(2)))
        _ = patient.handle(accepted(try World.root(messages)))
        _ = patient.handle(.executed(try World.executed(messages[4]), isFinal: false, now: 100))
        _ = patient.handle(.sourceLogs(World.source, World.logs(Array(messages.suffix(3))), through: 101, now: 900))
        #expect(patient.unverifiedCount == 0 && patient.handle(.tick(now: 9_000)) == [])
        #expect(patient.tallies.rootsVerified == 1 && patient.tallies.executionsVerified == 1)
    }

    @Test("nothing is concluded while the source is still being read")
    func behind() throws {
        var watcher = Guard(configuration: try World.configuration())
        _ = watcher.handle(.head(World.source, finalized: 1_000, now: 1))
        _ = watcher.handle(.sourceLogs(World.source, [], through: 10, now: 1))
        _ = watcher.handle(accepted(try World.root(messages)))
        #expect(watcher.handle(.tick(now: 10_000_000)) == [] && !watcher.isCaughtUp(World.source))
        _ = watcher.handle(.sourceLogs(World.source, World.logs(messages), through: 990, now: 10_000_001))
        #expect(watcher.isCaughtUp(World.source) && watcher.unverifiedCount == 0)
    }

    @Test("success twice is an anomaly; failure and then success is manual execution")
    func doubleExecution() throws {
        var watcher = try World.watching(messages)
        func execute(_ state: MessageExecutionState, _ block: UInt64) throws -> [GuardAction] {
            watcher.handle(.executed(try World.executed(messages[0], state: state, block: block), isFinal: true, now: 1))
        }
        #expect(try execute(.failure, 60).isEmpty)
        #expect(try execute(.success, 61).isEmpty)
        #expect(try execute(.success, 61).isEmpty, "the same log once more")
        #expect(try execute(.success, 62).stops.map(\.kind) == [.doubleExecution])
    }

    @Test("a hidden message holds the cursor until it is shown")
    func gap() throws {
        var watcher = try World.watching(Array(messages.prefix(2)))
        let hidden = World.logs(Array(messages.suffix(2)))
        let actions = watcher.handle(.sourceLogs(World.source, hidden, through: 130, now: 5))
        #expect(actions.anomalies == [.missingMessage] && actions.stops.isEmpty)
        guard case .refuseLogs(World.source, _)? = actions.last else {
            Issue.record("\(actions)")
            return
        }
        // Told once; the next poll finds the message.
        #expect(watcher.handle(.sourceLogs(World.source, hidden, through: 130, now: 6)).count == 1)
        let whole = watcher.handle(.sourceLogs(World.source, World.logs(Array(messages.suffix(3))), through: 130, now: 7))
        guard case .keep(let kept)? = whole.first, whole.count == 1 else {
            Issue.record("\(whole)")
            return
        }
        #expect(kept.map(\.number) == [3, 4, 5])
    }

    @Test("an unreadable log holds the cursor too")
    func unreadable() throws {
        var watcher = try World.watching([])
        var logs = World.logs(messages)
        logs[1].log.data[40] ^= 1
        let actions = watcher.handle(.sourceLogs(World.source, logs, through: 130, now: 5))
        #expect(actions.anomalies == [.unreadableMessage])
        guard case .keep(let kept)? = actions.first, case .refuseLogs? = actions.last else {
            Issue.record("\(actions)")
            return
        }
        #expect(kept.map(\.number) == [1])
    }

    @Test("two messages of one number stop the lane")
    func contradiction() throws {
        var watcher = try World.watching(messages)
        let actions = watcher.handle(.sourceLogs(World.source, World.logs([World.message(3)]), through: 140, now: 5))
        #expect(actions.stops.map(\.kind) == [.contradictingMessage])
        #expect(watcher.ask(World.request([try World.root(messages)])).refusalCodes == [.stopped])
    }

    @Test("a finality violation stops every lane of the chain")
    func violation() throws {
        for chain in [World.source, World.destination] {
            var watcher = try World.watching(messages)
            let actions = watcher.handle(.finalityViolated(chain, reason: "block 7 changed"))
            #expect(actions.stops == [GuardStop(scope: "chain/\(chain)", kind: .finalityViolation, reason: "block 7 changed")])
            #expect(watcher.ask(World.request([try World.root(messages)])).refusalCodes == [.stopped])
        }
    }

    @Test("random histories: no second leaf, records before signatures, nothing after a stop", arguments: [UInt64(7), 8, 9, 10])
    func histories(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var watcher = Guard(configuration: try World.configuration())
        var disk: [UInt64: Hash32] = [:]
        var stopped = false
        var kept: [DerivedMessage] = []
        var signatures = 0
        var now: UInt64 = 1_000
        for step in 0..<600 {
            now += random.next() % 900
            let event = try Self.event(&random, now, next: (disk.keys.max() ?? 0) + 1, forges: step > 100)
            let actions = watcher.handle(event)
            var recorded = Set(disk.keys)
            for action in actions {
                switch action {
                case .keep(let messages): kept += messages
                case .record(let records):
                    for record in records {
                        #expect(disk[record.number] == nil || disk[record.number] == record.leaf, "seed \(seed)")
                        disk[record.number] = record.leaf
                        recorded.insert(record.number)
                    }
                case .raiseStop: stopped = true
                case .sign(_, _, let digest):
                    signatures += 1
                    #expect(!stopped, "seed \(seed): signed after a stop")
                    for number in digest.roots[0].first.rawValue...digest.roots[0].last.rawValue {
                        #expect(recorded.contains(number), "seed \(seed): signed before the record")
                    }
                default: break
                }
            }
            // A crash at any moment: what is on disk is all that is left.
            if random.next() % 40 == 0 {
                watcher = Guard(
                    configuration: try World.configuration(), messages: kept,
                    records: disk.keys.sorted().map { GuardRecord(lane: World.lane, number: $0, leaf: disk[$0] ?? .zero) },
                    stops: stopped ? [GuardStop(scope: World.lane.scope, kind: .doubleExecution, reason: "")] : [])
            }
        }
        #expect(signatures > 0, "seed \(seed)")
    }

    private static func event(_ random: inout SplitMix64, _ now: UInt64, next: UInt64, forges: Bool) throws -> GuardEvent {
        // Honest at first; then now and then a forged message or root.
        let number = random.next() % 12 + 1
        let isForged = random.next() % 60 == 0 && forges
        func message(_ number: UInt64) -> EVM2AnyRampMessage { World.message(number, data: isForged ? [0xff] : []) }
        switch random.next() % 6 {
        case 0, 1:
            let last = next + random.next() % 3
            return .sourceLogs(World.source, World.logs((1...last).map { message($0) }), through: now, now: now)
        case 2, 3:
            let last = next + random.next() % 2
            return .request(
                World.request([try World.root((next...last).map { message($0) })], id: Bytes(bigEndian: random.next())),
                from: Int(random.next() % 4), now: now)
        case 4: return .destination(World.facts(next: next), now: now)
        default: return .executed(try World.executed(message(number)), isFinal: false, now: now)
        }
    }
}

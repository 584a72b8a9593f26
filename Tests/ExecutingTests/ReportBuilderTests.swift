// What goes into a report: limits, nonces, fairness, and that a message that cannot go holds back no other.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import Executing

@Suite("Building execution reports")
struct ReportBuilderTests {
    @Test("the size of a report is known without encoding it, to the byte")
    func sizes() throws {
        var random = SplitMix64.forTest()
        for _ in 0..<60 {
            var world = World(try configuration())
            let count = 1 + random.below(40)
            for _ in 0..<count {
                world.send(sourceA, dataBytes: random.below(300), tokens: random.below(3))
            }
            let committed = try #require(try world.commit(sourceA, count))
            let messages = try #require(world.messages[sourceA])
            let tree = try MerkleTree(leaves: messages.map { $0.leafHash(onRamp: onRamp(sourceA)) })
            let indices = (0..<count).filter { _ in random.below(3) > 0 }
            guard !indices.isEmpty else { continue }
            let packable = messages.map { message in
                PackableMessage(
                    message, tokenData: message.tokenAmounts.map { _ in random.bytes(random.below(100)) },
                    encodedCount: message.encoded.count)
            }
            var packer = Packer(
                ExecuteLimits(gas: .max / 4), [PackableRoot(committed: committed, tree: tree, messages: packable)])
            #expect(packer.add(0, indices) == nil)
            let reports = try packer.finished()
            let proofs = reports[0].proofs.count
            let predicted = indices.reduce(ReportSize.empty + ReportSize.frame(proofs: proofs)) {
                $0 + packable[$1].bytes
            }
            #expect(reports.encodedReports.count == predicted)
        }
    }

    @Test("a batch never passes gas, size or count, and what is left goes next", arguments: ["gas", "size", "count"])
    func limits(_ which: String) throws {
        var limits = ExecuteLimits()
        switch which {
        case "gas": limits.batchGasLimit = 1_000_000
        case "size": limits.reportBytesMaximum = 3_000
        default: limits.reportMessagesMaximum = 3
        }
        var world = World(try configuration(limits: limits))
        for index in 0..<10 { world.send(sourceA, from: UInt64(index)) }
        try world.commit(sourceA, 10)
        var seen: [MessageKey] = []
        for round in UInt64(1)...10 {
            let outcome = try world.outcome(world.honest(), round: round)
            guard let report = outcome.reports.first else { break }
            let keys = try outcome.keys()
            #expect(!keys.isEmpty && keys.count <= 5)
            if seen.count + keys.count < 10 {
                #expect(outcome.verdicts(sourceA).contains(.batchFull) && outcome.wantsNextRound)
            }
            world.offRamp.execute(report, limits)
            seen += keys
        }
        #expect(seen.sorted() == (1...10).map { key(sourceA, $0) })
        #expect(world.offRamp.violations.isEmpty && world.offRamp.skippedExecuted == 0)
    }

    @Test("a message too large or too hungry for any batch is named, and the others go")
    func tooMuch() throws {
        var limits = ExecuteLimits()
        limits.reportBytesMaximum = 20_000
        var world = World(try configuration(limits: limits))
        world.send(sourceA, from: 1)
        world.send(sourceA, from: 2, gas: 7_000_000)
        world.send(sourceA, from: 3, dataBytes: 25_000)
        world.send(sourceA, from: 4)
        try world.commit(sourceA, 4)
        // As if observers had let them through.
        var snapshot = world.snapshot()
        let all = try ExecuteObservation(
            roots: world.honest()[0].roots,
            leaves: [
                ObservedLeaves(
                    key: #require(snapshot.roots.first).key, first: 1,
                    leaves: (1...4).map { try #require(snapshot.messages[key(sourceA, $0)]).leaf },
                    messages: (1...4).map {
                        ObservedMessage(
                            index: Int($0) - 1, encoded: try #require(snapshot.messages[key(sourceA, $0)]).encoded,
                            tokenData: [])
                    })
            ])
        let outcome = try world.outcome([all, all, all])
        #expect(outcome.verdicts(sourceA) == [.reported, .tooMuchGas, .tooLarge, .reported])
        // Observers do not let them through: they keep their place for those that can go.
        let honest = try world.outcome(world.honest())
        #expect(honest.verdicts(sourceA) == [.reported, .notObserved, .notObserved, .reported])
        let observer = world.observers()[0]
        snapshot = world.snapshot()
        let standings = observer.standings(previousOutcome: honest.encoded, snapshot: snapshot, now: 0)
        #expect(standings.map(\.standing.code) == ["ready", "too_much_gas", "too_large", "ready"])
    }

    @Test("ordered senders go in the order of their nonces, over roots, independent of each other")
    func ordered() throws {
        var world = World(try configuration())
        for _ in 0..<2 { for name in UInt64(1)...2 { world.send(sourceA, from: name, ordered: true) } }
        try world.commit(sourceA, 4)
        for name in UInt64(1)...2 { world.send(sourceA, from: name, ordered: true) }
        try world.commit(sourceA, 2)
        let outcome = try world.outcome(world.honest())
        world.offRamp.execute(try #require(outcome.reports.first), world.configuration.limits)
        #expect(world.offRamp.skippedNonces == 0 && world.offRamp.violations.isEmpty)
        #expect(world.offRamp.order.count == 6)
    }

    @Test("a sender whose predecessor cannot go waits, and nobody else does")
    func predecessor() throws {
        var world = World(try configuration())
        let stuck = world.send(sourceA, from: 1, ordered: true, tokens: 1)
        world.send(sourceA, from: 1, ordered: true)
        world.send(sourceA, from: 2, ordered: true)
        world.send(sourceA, from: 1)
        world.tokenNotReady = [stuck]
        try world.commit(sourceA, 4)
        let outcome = try world.outcome(world.honest())
        #expect(try outcome.keys() == [key(sourceA, 3), key(sourceA, 4)])
        let standings = world.observers()[1].standings(
            previousOutcome: outcome.encoded, snapshot: world.snapshot(), now: 0)
        #expect(
            standings.prefix(2).map(\.standing) == [
                .tokenDataNotReady(token: 0, reason: "pending"), .waitsForPredecessor(nonce: 1),
            ])
        // The model refuses what the builder avoids: the planted fault shows.
        var careless = world.offRamp
        careless.nonces[SenderKey(source: sourceA, sender: sender(2))] = 5
        careless.execute(try #require(outcome.reports.first), world.configuration.limits)
        #expect(careless.skippedNonces == 1)
    }

    @Test("two sources share a full batch, and a lone one takes all of it")
    func fairness() throws {
        var limits = ExecuteLimits()
        limits.batchGasLimit = 2_000_000
        var world = World(try configuration(limits: limits))
        for index in 0..<20 { world.send(sourceA, from: UInt64(index)) }
        try world.commit(sourceA, 20)
        let alone = try world.outcome(world.honest()).keys().count
        for index in 0..<20 { world.send(sourceB, from: UInt64(index)) }
        try world.commit(sourceB, 20)
        let keys = try world.outcome(world.honest()).keys()
        let fromB = keys.count { $0.source == sourceB }
        #expect(alone >= 5)
        #expect(fromB >= alone / 2 - 1 && fromB >= 2, "\(fromB) of \(keys.count)")
        #expect(keys.count - fromB >= 2)
    }

    @Test("with several reports only the first holds ordered messages")
    func severalReports() throws {
        var limits = ExecuteLimits()
        limits.reportsPerOutcome = 3
        limits.reportMessagesMaximum = 2
        var world = World(try configuration(limits: limits))
        for index in 0..<4 {
            world.send(sourceA, from: 1, ordered: true)
            world.send(sourceA, from: UInt64(index))
        }
        try world.commit(sourceA, 8)
        let outcome = try world.outcome(world.honest())
        let reports = try outcome.executionReports()
        #expect(reports.count == 3)
        for report in reports.dropFirst() { #expect(report.messages.allSatisfy { !$0.isOrdered }) }
        for bytes in outcome.reports.reversed() { world.offRamp.execute(bytes, limits) }
        #expect(world.offRamp.violations.isEmpty && world.offRamp.skippedNonces == 0)
    }

    @Test("a full root of 256 messages is executed with proofs over every cut")
    func largeRoot() throws {
        var world = World(try configuration())
        for index in 0..<256 { world.send(sourceA, from: UInt64(index % 7), ordered: index % 3 == 0) }
        try world.commit(sourceA, 256)
        var rounds = 0
        while world.offRamp.order.count < 256, rounds < 100 {
            rounds += 1
            let outcome = try world.outcome(world.honest(), round: UInt64(rounds))
            world.offRamp.execute(try #require(outcome.reports.first), world.configuration.limits)
        }
        #expect(world.offRamp.violations.isEmpty && world.offRamp.skippedNonces == 0)
        #expect(world.offRamp.successes.count == 256)
    }

    @Test("a message of 30,000 bytes goes through observation and report")
    func largestMessage() throws {
        var world = World(try configuration())
        world.send(sourceA, dataBytes: 30_000, gas: 3_000_000, tokens: 1)
        try world.commit(sourceA, 1)
        #expect(try world.outcome(world.honest()).keys().count == 1)
    }
}

extension ExecuteLimits {
    init(gas: UInt64) {
        self.init()
        batchGasLimit = gas
        transactionGasMaximum = gas
        reportBytesMaximum = 1 << 20
    }
}

// Many rounds with random faults against a model OffRamp: lagging views, a lying oracle, lost, delayed, doubled and
// reordered transactions, curses that come and go. One seed replays a run.

import CCIP
import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import Committing

@Suite("Random faults")
struct SimulationTests {
    private struct Transaction {
        let report: Report
        let sequenceNumber: UInt64
        var due: Int
    }

    private struct Run {
        var world: World
        var rounds: Rounds
        var random: SplitMix64
        var transactions: [Transaction] = []
        var isHealed = false
        var landed = 0
        var refusedOnChain = 0
        var refusedByCheck = 0
        var rotations = 0
        var blessed = 0
        /// The OffRamp as a lagging endpoint still shows it.
        var oldNext: [UInt64] = []
    }

    private func step(_ run: inout Run, _ number: Int, liar: Int?) throws {
        run.world.now += UInt64(50 + run.random.below(400))
        if !run.isHealed {
            for index in run.world.sources.indices where run.random.below(3) == 0 {
                try run.world.send(1 + run.random.below(6), on: index)
            }
            if run.random.below(12) == 0 {
                run.world.curses = run.world.curses.isEmpty ? [ChainSelector(101).curseSubject] : []
            }
            if run.random.below(10) == 0 { run.world.guards.silent = run.random.below(2) == 0 ? [] : [0, 1] }
            if run.random.below(25) == 0 {
                run.rotations += 1
                run.world.rotate(UInt32(run.rotations))
            }
            if run.random.below(40) == 0 { run.world.sources[1].requiresBlessing.toggle() }
        }
        try playRound(&run, number, liar: liar)
        run.oldNext = run.world.sources.map(\.next)
        let due = run.transactions.filter { $0.due <= number }
        run.transactions.removeAll { $0.due <= number }
        for transaction in due { try land(transaction, &run) }
    }

    private func playRound(_ run: inout Run, _ number: Int, liar: Int?) throws {
        var items: [(Int, Bytes)] = []
        let silent = run.random.below(8)
        for index in 0..<4 {
            let lag = run.world.sources.map { _ in run.isHealed ? 0 : run.random.below(3) }
            let isOld = !run.isHealed && run.random.below(5) == 0
            var snapshot = run.world.snapshot(lag: lag, next: isOld ? run.oldNext : nil)
            if run.isHealed || run.random.below(3) != 0 {
                snapshot.signatures = run.world.guards.votes(try run.rounds.request, run.world)
            }
            var observation = try run.rounds.observe(index, snapshot)
            if index == liar, !observation.lanes.isEmpty, run.random.below(3) != 0 {
                let lie = ByzantineTests.lies[run.random.below(ByzantineTests.lies.count)].1
                lie(&observation, &run.random)
            }
            var bytes = observation.encoded
            if index == liar, run.random.below(10) == 0 { bytes = run.random.bytes(run.random.below(200)) }
            // Only the liar may be missing beyond what the quorum bears.
            if index == liar ? run.random.below(6) != 0 : (liar != nil || run.isHealed || silent != index) {
                items.append((index, bytes))
            }
        }
        let before = run.rounds
        let report = try run.rounds.play(items)
        let reports = run.rounds.lastReports
        // The same observations give the same outcome on every oracle.
        var again = before
        let second = try again.play(items)
        #expect(again.outcome == run.rounds.outcome && report == second)
        for report in reports { queue(report, &run, number) }
    }

    private func queue(_ report: Report, _ run: inout Run, _ number: Int) {
        let copies = run.isHealed ? 1 : [0, 1, 1, 2][run.random.below(4)]
        for _ in 0..<copies {
            run.transactions.append(
                Transaction(
                    report: report, sequenceNumber: run.rounds.sequenceNumber,
                    due: number + (run.isHealed ? 1 : run.random.below(40))))
        }
    }

    private func land(_ transaction: Transaction, _ run: inout Run) throws {
        let digest = try run.rounds.digest
        let verdict = run.rounds.observer(run.random.below(4)).shouldTransmit(
            transaction.report, sequenceNumber: transaction.sequenceNumber, configurationDigest: digest,
            snapshot: run.world.snapshot())
        do {
            try run.world.commit(
                transaction.report.bytes, sequenceNumber: transaction.sequenceNumber, digest: run.world.digest)
            run.landed += 1
            if try CommitReport(encoded: transaction.report.bytes).blessed.isEmpty == false { run.blessed += 1 }
            #expect(verdict.isAccepted, "the check refuses what the contract takes: \(verdict)")
        } catch {
            run.refusedOnChain += 1
            run.refusedByCheck += verdict.isAccepted ? 0 : 1
            #expect(!verdict.isAccepted, "the check lets through what the contract refuses: \(error)")
        }
    }

    private func run(_ random: inout SplitMix64, liar: Int?, buildsAtOnce: Bool) throws -> Run {
        var world = World(sources: 3, blessed: [2])
        world.guards = GuardModel(count: 4)
        world.rotate(0)
        for index in 0..<3 {
            world.gasPrices[ChainSelector(UInt64(101 + index))] = TimestampedPrice(value: .zero, timestamp: 0)
        }
        let prices = PriceTests.prices(tokens: [])
        let configuration = try world.configuration(
            prices: prices, blessing: GuardModel.blessing, leavesPerRoot: 8, rootsPerReport: 2, buildsAtOnce: buildsAtOnce, timeout: 3_000)
        var run = Run(
            world: world, rounds: Rounds(configuration), random: SplitMix64(seed: random.next()),
            oldNext: world.sources.map(\.next))
        for number in 0..<120 { try step(&run, number, liar: liar) }
        run.isHealed = true
        run.world.curses = []
        run.world.guards.silent = []
        var number = 120
        while number < 700, !run.world.isEverythingCommitted || run.rounds.sequenceNumber < 140 {
            try step(&run, number, liar: nil)
            number += 1
        }
        return run
    }

    @Test("no gap, no repeat, no wrong root; and all messages cross once faults end", arguments: [true, false])
    func faults(buildsAtOnce: Bool) throws {
        var random = SplitMix64.forTest()
        var landed = 0
        var refused = 0
        var blessed = 0
        for round in 0..<12 {
            let liar: Int? = round % 3 == 0 ? nil : round % 4
            let run = try run(&random, liar: liar, buildsAtOnce: buildsAtOnce)
            #expect(run.world.violations.isEmpty)
            let state = try run.rounds.state
            #expect(run.world.isEverythingCommitted, "run \(round) stalls with \(state.lanes)")
            for source in run.world.sources {
                let ranges = source.accepted.compactMap(\.range)
                #expect(ranges.first?.first == 1 && ranges.last?.last.rawValue == UInt64(source.leaves.count))
                #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.last.next == $1.first })
            }
            landed += run.landed
            refused += run.refusedOnChain
            blessed += run.blessed
        }
        #expect(blessed > 20, "\(blessed) blessed reports landed")
        #expect(landed > 100 && refused > 20, "\(landed) landed, \(refused) refused: the faults reach the chain")
    }
}

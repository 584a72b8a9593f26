// Attestation by turn: an oracle checks what others signed when it is its turn, and not for what was delivered.

import Testing

@testable import OffchainReporting

@Suite("Attestation by turn")
struct TurnTests {
    /// A bench that has committed an outcome with two reports as sequence number 1, no later than it began its turns.
    private func committedBench(kept: UInt8? = nil) throws -> (Bench, [Report]) {
        var bench = try Bench(attestsByTurn: true, kept: kept)
        let outcome: [UInt8] = [1, 2, 3, 2]
        let certificate = bench.committed(1, outcome, signers: bench.peers)
        bench.deliver(bench.epochStart(.commit(certificate)), from: bench.leader)
        return (bench, try bench.plugin.reports(sequenceNumber: 1, outcome: outcome))
    }

    private func signatures(_ bench: Bench, _ oracle: Int, _ reports: [Report]) -> [[UInt8]] {
        reports.map { report in
            let digest = bench.plugin.attestationDigest(of: report, sequenceNumber: 1, configurationDigest: toyDigest)
            return ToyScheme(kind: 2, own: oracle).sign(digest.bytes)
        }
    }

    private func list(_ signatures: [[UInt8]]) -> Message {
        .reportSignatures(ReportSignatures(sequenceNumber: 1, signatures: signatures, resent: false))
    }

    private func asked(_ actions: [Action]) -> [ReportKey] {
        actions.compactMap { if case .askAcceptance(let key, _) = $0 { key } else { nil } }
    }

    private func delays(_ bench: Bench) throws -> [UInt64] {
        try (0..<2).map {
            let key = ReportKey(sequenceNumber: 1, index: $0)
            return try #require(bench.configuration.transmissionDelay(key, hashing: toyHashing))
        }
    }

    /// Goes through time stage by stage; what was asked at each.
    private func stages(_ bench: inout Bench) -> [UInt64: [ReportKey]] {
        let begin = bench.now
        var found: [UInt64: [ReportKey]] = [:]
        for stage in UInt64(0)...3 {
            bench.now = begin + stage * toyTiming().deltaStage
            found[stage * toyTiming().deltaStage] = asked(bench.handle(.timerFired(.attestation(1))))
        }
        return found
    }

    @Test("each report is attested when its turn comes, with exactly F+1 signatures, and then waits no more")
    func turns() throws {
        var (bench, reports) = try committedBench()
        let delays = try delays(bench)
        let atOnce = asked(bench.deliver(list(signatures(bench, bench.bystander, reports)), from: bench.bystander))
        #expect(atOnce.map(\.index) == (0..<2).filter { delays[$0] == 0 })
        var found = stages(&bench)
        found[0] = atOnce
        for (index, delay) in delays.enumerated() {
            #expect(found[delay]?.contains(ReportKey(sequenceNumber: 1, index: index)) == true, "\(delays), \(found)")
        }
        #expect(found.values.joined().count == 2, "each once")
        for index in 0..<2 {
            let key = ReportKey(sequenceNumber: 1, index: index)
            #expect(bench.handle(.acceptanceAnswered(key, true)) == [.askTransmission(key, reports[index])])
            guard case .transmit(let attested)? = bench.handle(.transmissionAnswered(key, true)).first else {
                Issue.record("not handed over")
                return
            }
            #expect(Set(attested.signatures.map(\.signer)) == [bench.own, bench.bystander])
        }
        let later = bench.deliver(list(signatures(bench, bench.leader, reports)), from: bench.leader)
        #expect(asked(later).isEmpty && stages(&bench).values.joined().isEmpty, "handed over once")
    }

    @Test("what every receiver has needs no turn; while some of it is missing, all of it has its turn")
    func delivered() throws {
        for count in 1...2 {
            var (bench, reports) = try committedBench()
            let waiting = try delays(bench).count { $0 > 0 }
            try #require(waiting > 0, "this bench is of no use")
            bench.deliver(list(signatures(bench, bench.bystander, reports)), from: bench.bystander)
            bench.handle(.reportsDelivered(sequenceNumber: 1, count: count))
            let later = stages(&bench).values.joined().count
            #expect(later == (count == 2 ? 0 : waiting))
        }
    }

    @Test("what every oracle itself needs is attested at once, whatever receivers say", arguments: [UInt8(0), 1])
    func kept(index: UInt8) throws {
        var (bench, reports) = try committedBench(kept: index)
        let key = ReportKey(sequenceNumber: 1, index: Int(index))
        bench.handle(.reportsDelivered(sequenceNumber: 1, count: 1_000))
        let actions = bench.deliver(list(signatures(bench, bench.bystander, reports)), from: bench.bystander)
        #expect(asked(actions) == [key])
        #expect(stages(&bench).values.joined().isEmpty)
    }

    @Test("a list whose bad signature is reached is left for another, and is not looked at again")
    func badSignature() throws {
        for bad in 0..<2 {
            var (bench, reports) = try committedBench()
            var list = signatures(bench, bench.bystander, reports)
            list[bad] = list[1 - bad]
            bench.deliver(self.list(list), from: bench.bystander)
            _ = stages(&bench)
            #expect(bench.refusals(.signatureListMismatch) == 1)
            let later = bench.deliver(self.list(signatures(bench, bench.leader, reports)), from: bench.leader)
            #expect(asked(later).contains(ReportKey(sequenceNumber: 1, index: bad)))
            #expect(bench.refusals(.signatureListMismatch) == 1)
        }
    }

    @Test("a list with a signature too few or too many is left at once", arguments: [1, 3])
    func wrongLength(count: Int) throws {
        var (bench, reports) = try committedBench()
        let good = signatures(bench, bench.bystander, reports)
        let actions = bench.deliver(list(Array((good + good).prefix(count))), from: bench.bystander)
        #expect(asked(actions).isEmpty && stages(&bench).values.joined().isEmpty)
        #expect(bench.refusals(.signatureListMismatch) == 1)
    }

    @Test("without receipts every oracle hands over every report, whatever the network does", arguments: [0, 10])
    func everybodySends(loss: UInt64) throws {
        for seed in 0..<10 as Range<UInt64> {
            var options = SimulationOptions()
            options.seed = seed
            options.attestsByTurn = true
            options.loss = loss
            let simulation = try Simulation(options)
            try simulation.run(until: 3_000)
            simulation.heal()
            // What was committed by now has its turns, and the lists that were lost are asked for.
            let settled = simulation.lowestCommitted
            try simulation.run(until: 6_000)
            #expect(simulation.checker.violations == [], "seed \(seed)")
            #expect(settled > 5)
            let keys = Set(simulation.nodes.flatMap(\.transmitted).map(\.key)).filter { $0.sequenceNumber <= settled }
            #expect(!keys.isEmpty)
            guard loss == 0 else { continue }
            for node in simulation.nodes {
                #expect(keys.isSubset(of: Set(node.transmitted.map(\.key))), "seed \(seed)")
            }
        }
    }
}

// Report signatures, F+1 lists, the window, and the order of transmission of a single instance (2.10, 2.11).

import Testing

@testable import OffchainReporting

@Suite("Attestation and transmission")
struct AttestationTests {
    /// A bench that has committed an outcome with two reports, as sequence number `certificate.sequenceNumber`.
    private func committedBench() throws -> (Bench, CertifiedCommit, [Report]) {
        var bench = try Bench()
        let outcome: [UInt8] = [1, 2, 3, 2]
        let certificate = bench.committed(1, outcome, signers: bench.peers)
        bench.deliver(
            bench.epochStart(.commit(certificate)), from: bench.leader)
        let reports = try bench.plugin.reports(sequenceNumber: 1, outcome: outcome)
        #expect(reports.count == 2)
        return (bench, certificate, reports)
    }

    private func list(_ bench: Bench, _ oracle: Int, _ reports: [Report], sequenceNumber: UInt64 = 1) -> [[UInt8]] {
        reports.map { report in
            let digest = bench.plugin.attestationDigest(
                of: report, sequenceNumber: sequenceNumber, configurationDigest: toyDigest)
            return ToyScheme(kind: 2, own: oracle).sign(digest.bytes)
        }
    }

    @Test("F+1 valid lists attest every report with exactly F+1 signatures")
    func attests() throws {
        var (bench, _, reports) = try committedBench()
        let signatures = list(bench, bench.bystander, reports)
        let actions = bench.deliver(
            .reportSignatures(ReportSignatures(sequenceNumber: 1, signatures: signatures, resent: false)),
            from: bench.bystander)
        let asked = actions.compactMap { action -> Report? in
            if case .askAcceptance(_, let report) = action { return report }
            return nil
        }
        #expect(asked == reports)
    }

    @Test("lists with a flaw attest nothing", arguments: 0..<5)
    func badLists(flaw: Int) throws {
        var (bench, _, reports) = try committedBench()
        let good = list(bench, bench.bystander, reports)
        let table: [[[UInt8]]] = [
            [good[0]], good + [good[0]], [good[0], [1, 2, 3]], [good[1], good[0]], list(bench, bench.leader, reports),
        ]
        let actions = bench.deliver(
            .reportSignatures(ReportSignatures(sequenceNumber: 1, signatures: table[flaw], resent: false)),
            from: bench.bystander)
        #expect(bench.refusals(.signatureListMismatch) == 1)
        #expect(!actions.contains { if case .askAcceptance = $0 { return true } else { return false } })
        // Another honest list still completes it.
        let more = bench.deliver(
            .reportSignatures(
                ReportSignatures(
                    sequenceNumber: 1, signatures: list(bench, bench.leader, reports), resent: false)),
            from: bench.leader)
        #expect(more.contains { if case .askAcceptance = $0 { return true } else { return false } })
    }

    @Test("a repeated list is answered with the own one, and the answer asks for nothing")
    func repeatedList() throws {
        var (bench, _, reports) = try committedBench()
        let signatures = list(bench, bench.bystander, reports)
        let message = ReportSignatures(sequenceNumber: 1, signatures: signatures, resent: true)
        let answer = bench.sent(bench.deliver(.reportSignatures(message), from: bench.bystander))
        guard case .reportSignatures(let own)? = answer.first else {
            Issue.record("no answer")
            return
        }
        #expect(own.signatures == list(bench, bench.own, reports))
        #expect(!own.resent)
    }

    @Test("sequence numbers far from what F+1 oracles report are not kept, so memory stays bounded")
    func windowBounds() throws {
        var bench = try Bench()
        for sequenceNumber in UInt64(1)...2_000 {
            bench.deliver(
                .reportSignatures(
                    ReportSignatures(
                        sequenceNumber: sequenceNumber * 7, signatures: [[1]], resent: false)), from: bench.bystander)
        }
        #expect(bench.instance.attestation.entries.count <= 10)
        #expect(bench.refusals(.outsideWindow) > 1_900)
        bench.deliver(
            .reportSignatures(ReportSignatures(sequenceNumber: 14_000, signatures: [[1]], resent: false)),
            from: bench.leader)
        #expect(bench.instance.attestation.entries.keys.sorted() == [14_000])
    }

    @Test("a missing outcome is fetched when F+1 oracles have reports of it, one request at a time")
    func missingOutcome() throws {
        var bench = try Bench()
        let outcome: [UInt8] = [1, 2, 3, 2]
        let certificate = bench.committed(1, outcome, signers: bench.peers)
        let reports = try bench.plugin.reports(sequenceNumber: 1, outcome: outcome)
        for peer in bench.peers.prefix(2) {
            bench.deliver(
                .reportSignatures(
                    ReportSignatures(
                        sequenceNumber: 1, signatures: list(bench, peer, reports), resent: false)), from: peer)
        }
        bench.now = 100
        let request = bench.handle(.timerFired(.certificateRequest))
        #expect(bench.sent(request) == [.certifiedCommitRequest(sequenceNumber: 1)])
        guard
            case .send(let peer, _)? = request.first(where: { if case .send = $0 { return true } else { return false } }
            )
        else {
            Issue.record("nobody asked")
            return
        }
        let actions = bench.deliver(.certifiedCommit(certificate), from: peer)
        #expect(actions.contains { if case .askAcceptance = $0 { return true } else { return false } })
        #expect(bench.instance.committedSequenceNumber == 1)
    }

    @Test("a report waits for its turn, is asked about again, and is handed over once")
    func transmission() throws {
        var (bench, _, reports) = try committedBench()
        bench.deliver(
            .reportSignatures(
                ReportSignatures(
                    sequenceNumber: 1, signatures: list(bench, bench.bystander, reports), resent: false)),
            from: bench.bystander)
        for index in 0..<2 {
            let key = ReportKey(sequenceNumber: 1, index: index)
            let delay = try #require(bench.configuration.transmissionDelay(key, hashing: toyHashing))
            var actions = bench.handle(.acceptanceAnswered(key, true))
            if delay > 0 {
                #expect(actions == [.setTimer(.transmission(key), deadline: bench.now + delay)])
                bench.now += delay
                actions = bench.handle(.timerFired(.transmission(key)))
            }
            #expect(actions == [.askTransmission(key, reports[index])])
            actions = bench.handle(.transmissionAnswered(key, index == 0))
            if index == 0 {
                guard case .transmit(let attested)? = actions.first else {
                    Issue.record("not transmitted")
                    return
                }
                #expect(attested.signatures.count == 2)
                #expect(attested.report == reports[0])
            } else {
                #expect(actions.isEmpty)
            }
            bench.handle(.transmissionAnswered(key, true))
        }
        #expect(bench.refusals(.stalePluginResult) == 2)
    }

    @Test("a report that the plugin does not accept is dropped")
    func notAccepted() throws {
        var (bench, _, reports) = try committedBench()
        bench.deliver(
            .reportSignatures(
                ReportSignatures(
                    sequenceNumber: 1, signatures: list(bench, bench.bystander, reports), resent: false)),
            from: bench.bystander)
        #expect(bench.handle(.acceptanceAnswered(ReportKey(sequenceNumber: 1, index: 0), false)).isEmpty)
        #expect(bench.instance.transmission.order == [ReportKey(sequenceNumber: 1, index: 1)])
    }
}

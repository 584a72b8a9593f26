// Follower and leader of a single instance against hostile messages (2.8, 2.9, 2.18 cases 4 to 19).

import Testing

@testable import OffchainReporting

@Suite("Outcome generation")
struct OutcomeGenerationTests {
    // MARK: EpochStart

    static let badStarts: [(String, @Sendable (Bench) -> Message)] = [
        ("q-1 timestamps", { $0.epochStart(timestamps: [$0.timestamp(0), $0.timestamp(1)]) }),
        ("q+1 timestamps", { bench in bench.epochStart(timestamps: (0..<4).map { bench.timestamp($0) }) }),
        ("the same signer twice", { bench in bench.epochStart(timestamps: [0, 1, 1].map { bench.timestamp($0) }) }),
        ("signers out of order", { bench in bench.epochStart(timestamps: [1, 0, 2].map { bench.timestamp($0) }) }),
        (
            "timestamps of another epoch",
            { bench in
                bench.epochStart(timestamps: (0..<3).map { bench.timestamp($0, epoch: 2) })
            }
        ),
        (
            "genesis although one timestamp is higher",
            { bench in
                let higher = bench.prepared(1, [1]).timestamp
                return bench.epochStart(timestamps: [
                    bench.timestamp(0), bench.timestamp(1, higher), bench.timestamp(2),
                ])
            }
        ),
        (
            "a certificate above every timestamp",
            { bench in
                bench.epochStart(.prepare(bench.prepared(1, [1])), timestamps: (0..<3).map { bench.timestamp($0) })
            }
        ),
        ("a certificate with q-1 signatures", { $0.epochStart(.commit($0.committed(1, [1], signers: [0, 1]))) }),
        ("a certificate with q+1 signatures", { $0.epochStart(.commit($0.committed(1, [1], signers: [0, 1, 2, 3]))) }),
        ("a certificate with a repeated signer", { $0.epochStart(.commit($0.committed(1, [1], signers: [0, 1, 1]))) }),
        (
            "a certificate with a forged signature",
            { bench in
                let good = bench.committed(1, [1])
                let forged = CertifiedCommit(
                    epoch: 1, sequenceNumber: 1, outcome: [2], signatures: good.signatures)
                return bench.epochStart(.commit(forged))
            }
        ),
    ]

    @Test("an EpochStart with a flaw is refused", arguments: badStarts.indices)
    func badEpochStart(index: Int) throws {
        var bench = try Bench()
        bench.deliver(OutcomeGenerationTests.badStarts[index].1(bench), from: bench.leader)
        #expect(bench.refusals(.badEpochStartProof) == 1, "\(OutcomeGenerationTests.badStarts[index].0)")
        #expect(bench.instance.follower.phase == .newEpoch)
        // The good one still works.
        bench.deliver(bench.epochStart(), from: bench.leader)
        #expect(bench.instance.follower.phase == .newRound)
    }

    @Test("an EpochStart that another oracle sends or signs is refused")
    func epochStartOfAnother() throws {
        var bench = try Bench()
        bench.deliver(bench.epochStart(by: bench.bystander), from: bench.bystander)
        #expect(bench.refusals(.notFromLeader) == 1)
        bench.deliver(bench.epochStart(by: bench.bystander), from: bench.leader)
        #expect(bench.refusals(.badSignature) == 1)
        #expect(bench.instance.follower.phase == .newEpoch)
    }

    @Test("a prepared outcome is voted for again with zero inputs, also when the own certificate is lower")
    func reproposal() throws {
        var bench = try Bench()
        let others = (0..<4).filter { $0 != bench.own }
        let actions = bench.deliver(
            bench.epochStart(.prepare(bench.prepared(3, [9], signers: others))), from: bench.leader)
        let vote = try #require(bench.votes(actions, .prepare).first)
        #expect(vote.sequenceNumber == 3)
        #expect(vote.inputsDigest == .zero)
        #expect(vote.outcomeDigest == toyHashing.digest([9]))
        #expect(bench.instance.follower.first == 4)
    }

    @Test("two EpochStarts of one leader are evidence")
    func epochStartEquivocation() throws {
        var bench = try Bench()
        bench.deliver(bench.epochStart(), from: bench.leader)
        let other = bench.epochStart(timestamps: [0, 1, 3].map { bench.timestamp($0) })
        let actions = bench.deliver(other, from: bench.leader)
        guard case .equivocation(let accused, _, _, _)? = actions.alarms.first else {
            Issue.record("no evidence")
            return
        }
        #expect(accused == bench.leader)
    }

    // MARK: Proposals

    static let badProposals: [(String, @Sendable (Bench) -> [SignedObservation])] = [
        ("permuted", { [$0.observations(1)[1], $0.observations(1)[0], $0.observations(1)[2]] }),
        ("one observer twice", { [$0.observations(1)[0], $0.observations(1)[0], $0.observations(1)[1]] }),
        ("fewer than the quorum", { Array($0.observations(1).prefix(2)) }),
        ("signed for another sequence number", { $0.observations(2) }),
        ("signed for another epoch", { bench in (0..<3).map { bench.observation($0, 1, [0xAA], epoch: 2) } }),
        ("signed for another query", { bench in (0..<3).map { bench.observation($0, 1, [0xAA], query: [1]) } }),
        (
            "attributed to another",
            { bench in
                let items = bench.observations(1)
                let stolen = SignedObservation(
                    observer: 3, observation: items[2].observation, signature: items[2].signature)
                return [items[0], items[1], stolen]
            }
        ),
        ("invalid for the plugin", { bench in (0..<3).map { bench.observation($0, 1, [0xBB]) } }),
    ]

    @Test("a proposal with a flaw gets no vote", arguments: badProposals.indices)
    func badProposal(index: Int) throws {
        var bench = try Bench()
        bench.deliver(bench.epochStart(), from: bench.leader)
        bench.deliver(bench.roundStart(1), from: bench.leader)
        let actions = bench.deliver(
            bench.proposal(1, OutcomeGenerationTests.badProposals[index].1(bench)), from: bench.leader)
        #expect(bench.refusals(.badProposal) == 1, "\(OutcomeGenerationTests.badProposals[index].0)")
        #expect(bench.votes(actions, .prepare).isEmpty)
    }

    @Test("a proposal before its round start is kept and used, from the leader only")
    func reorderedProposal() throws {
        var bench = try Bench()
        bench.deliver(bench.proposal(1, bench.observations(1)), from: bench.leader)
        bench.deliver(bench.proposal(1, bench.observations(1)), from: bench.bystander)
        #expect(bench.refusals(.notFromLeader) == 1)
        bench.deliver(bench.roundStart(1), from: bench.leader)
        let actions = bench.deliver(bench.epochStart(), from: bench.leader)
        #expect(bench.votes(actions, .prepare).count == 1)
    }

    // MARK: Votes

    @Test("a prepare vote is in the log before it is sent")
    func prepareIsDurable() throws {
        var bench = try Bench()
        let actions = bench.reachPrepare()
        #expect(bench.votes(actions, .prepare).count == 1)
        guard case .persist(let records)? = actions.first, case .vote(let vote)? = records.first else {
            Issue.record("the vote is not persisted first")
            return
        }
        #expect(vote.kind == .prepare)
    }

    @Test("certificate and commit vote are one transaction before the commit vote is sent")
    func commitIsDurable() throws {
        var bench = try Bench()
        let actions = bench.reachCommit()
        #expect(bench.votes(actions, .commit).count == 1)
        guard case .persist(let records)? = actions.first else {
            Issue.record("nothing persisted first")
            return
        }
        #expect(records.map(\.slot) == [.prepared, .commitVote])
    }

    @Test("after a crash the same proposal gets the same vote, and another proposal none")
    func voteAfterRestart() throws {
        for salt in [UInt8(0), 1] {
            var bench = try Bench()
            let first = try #require(bench.votes(bench.reachPrepare(), .prepare).first)
            try bench.restart()
            let second = bench.votes(bench.reachPrepare(salt: salt), .prepare)
            #expect(second == (salt == 0 ? [first] : []))
            #expect(bench.refusals(.voteConflictsWithLog) == (salt == 0 ? 0 : 1))
        }
    }

    @Test("with a forgotten vote log the same situation votes twice: the log is what prevents it")
    func voteLogMatters() throws {
        var bench = try Bench()
        let first = try #require(bench.votes(bench.reachPrepare(), .prepare).first)
        try bench.restart { $0.prepareVote = nil }
        let second = try #require(bench.votes(bench.reachPrepare(salt: 1), .prepare).first)
        #expect(!first.sameChoice(as: second))
    }

    @Test("after a crash behind the certificate the commit vote is the same")
    func commitAfterRestart() throws {
        var bench = try Bench()
        let first = try #require(bench.votes(bench.reachCommit(), .commit).first)
        try bench.restart()
        let second = try #require(bench.votes(bench.reachCommit(), .commit).first)
        #expect(first == second)
    }

    @Test("two votes of one oracle are evidence, and only the first counts")
    func doubleVote() throws {
        var bench = try Bench()
        let own = try #require(bench.votes(bench.reachPrepare(), .prepare).first)
        let peer = bench.bystander
        bench.deliver(bench.vote(peer, like: own, outcome: .zero), from: peer)
        let actions = bench.deliver(bench.vote(peer, like: own), from: peer)
        guard case .equivocation(let accused, _, _, _)? = actions.alarms.first else {
            Issue.record("no evidence")
            return
        }
        #expect(accused == peer)
        #expect(bench.instance.follower.phase == .sentPrepare)
    }

    @Test("wrong signatures do not count, and each is verified once")
    func wrongVoteSignatures() throws {
        var bench = try Bench()
        let own = try #require(bench.votes(bench.reachPrepare(), .prepare).first)
        for peer in bench.peers {
            let forged = VoteMessage(
                kind: .prepare, epoch: 1, sequenceNumber: 1, inputsDigest: own.inputsDigest,
                outcomeDigest: own.outcomeDigest, signature: [1], resent: false)
            for _ in 0..<3 { bench.deliver(.vote(forged), from: peer) }
        }
        #expect(bench.instance.follower.phase == .sentPrepare)
        // The own vote and two others look like a quorum once; the third alone is not worth a verification.
        #expect(bench.refusals(.badSignature) == 2)
    }

    @Test("commit votes of a quorum commit nothing for an oracle that does not know the outcome")
    func commitWithoutPrepare() throws {
        var bench = try Bench()
        bench.deliver(bench.epochStart(), from: bench.leader)
        bench.deliver(bench.roundStart(1), from: bench.leader)
        let message = VoteMessage(
            kind: .commit, epoch: 1, sequenceNumber: 1, inputsDigest: .zero, outcomeDigest: toyDigest, signature: [],
            resent: false)
        for peer in bench.peers { bench.deliver(bench.vote(peer, like: message), from: peer) }
        #expect(bench.instance.committedSequenceNumber == 0)
    }

    @Test("a commit is durable before it is announced, and survives a restart")
    func commitAnnounced() throws {
        var bench = try Bench()
        let actions = bench.reachCommitted()
        let announced = actions.index { action in
            if case .outcomeCommitted = action { return true }
            return false
        }
        #expect(actions.firstPersist < announced)
        #expect(announced != Int.max)
        try bench.restart()
        #expect(bench.instance.committedSequenceNumber == 1)
    }

    @Test("a vote of a lower epoch than entered is refused before it is looked at")
    func staleEpoch() throws {
        var bench = try Bench()
        for peer in bench.peers { bench.deliver(.newEpochWish(epoch: 3), from: peer) }
        bench.deliver(bench.roundStart(1), from: bench.leader)
        #expect(bench.refusals(.staleEpoch) == 1)
    }

    // MARK: Leader

    @Test("a leader starts the epoch with the highest honest certificate and refuses a mismatched timestamp")
    func leaderStartsEpoch() throws {
        var bench = try Bench(leads: true)
        let certificate = Certificate.commit(bench.committed(6, [6], signers: bench.peers))
        let liar = bench.peers[0]
        let lie = bench.timestamp(liar)
        bench.deliver(
            .epochStartRequest(
                EpochStartRequest(
                    epoch: 1, certificate: certificate, timestampSignature: lie.signature)), from: liar)
        #expect(bench.refusals(.timestampMismatch) == 1)
        let truthful = bench.timestamp(bench.peers[1], certificate.timestamp)
        bench.deliver(
            .epochStartRequest(
                EpochStartRequest(
                    epoch: 1, certificate: certificate, timestampSignature: truthful.signature)), from: bench.peers[1])
        let genesis = bench.timestamp(bench.peers[2])
        let actions = bench.deliver(
            .epochStartRequest(
                EpochStartRequest(
                    epoch: 1, certificate: .genesis, timestampSignature: genesis.signature)), from: bench.peers[2])
        let starts = bench.sent(actions).compactMap { message -> EpochStart? in
            if case .epochStart(let start, _) = message { return start }
            return nil
        }
        #expect(starts.first?.certificate == certificate)
        #expect(bench.instance.committedSequenceNumber == 6)
    }

    @Test("a leader does not count an invalid certificate, whatever its timestamp")
    func leaderRefusesBadCertificate() throws {
        var bench = try Bench(leads: true)
        let forged = Certificate.commit(bench.committed(6, [6], signers: [0, 1]))
        for (peer, certificate) in zip(bench.peers, [forged, .genesis, .genesis]) {
            let proof = bench.timestamp(peer, certificate.timestamp)
            bench.deliver(
                .epochStartRequest(
                    EpochStartRequest(
                        epoch: 1, certificate: certificate, timestampSignature: proof.signature)), from: peer)
        }
        #expect(bench.refusals(.badCertificate) == 1)
        #expect(bench.instance.follower.first == 1)
        #expect(bench.instance.leading?.phase == .observing)
    }

    // MARK: Catching up

    @Test("an unsolicited certificate is dropped; one that was asked for moves the oracle forward")
    func certificateOnRequest() throws {
        var bench = try Bench()
        let certificate = bench.committed(4, [4], signers: bench.peers)
        bench.deliver(.certifiedCommit(certificate), from: bench.leader)
        #expect(bench.refusals(.unsolicited) == 1)
        bench.deliver(bench.epochStart(), from: bench.leader)
        bench.deliver(bench.roundStart(5), from: bench.leader)
        bench.now = 100
        let request = bench.handle(.timerFired(.certificateRequest))
        let asked = request.compactMap { action -> Int? in
            if case .send(let to, _) = action { return to }
            return nil
        }
        #expect(bench.sent(request) == [.certifiedCommitRequest(sequenceNumber: 4)])
        let peer = try #require(asked.first)
        #expect(peer == (bench.own + 1) % 4)
        bench.deliver(
            .certifiedCommit(certificate), from: (peer + 1) % 4 == bench.own ? (peer + 2) % 4 : (peer + 1) % 4)
        #expect(bench.refusals(.unsolicited) == 2)
        let actions = bench.deliver(.certifiedCommit(certificate), from: peer)
        #expect(bench.instance.committedSequenceNumber == 4)
        #expect(
            actions.contains(
                .requestObservation(
                    RoundTag(epoch: 1, sequenceNumber: 5), previousOutcome: [4], query: [])))
    }

    @Test("certificates are served a bounded number of times to one peer")
    func certificateService() throws {
        var bench = try Bench()
        bench.reachCommitted()
        for _ in 0..<10 { bench.deliver(.certifiedCommitRequest(sequenceNumber: 1), from: bench.bystander) }
        #expect(bench.refusals(.servedEnough) == 6)
        bench.deliver(.certifiedCommitRequest(sequenceNumber: 2), from: bench.bystander)
        #expect(bench.refusals(.outsideWindow) == 1)
    }
}

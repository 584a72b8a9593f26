// Epochs, wishes and restarts of a single instance (2.7, 2.9, 2.13).

import Testing

@testable import OffchainReporting

@Suite("Pacemaker")
struct PacemakerTests {
    @Test("the first start stores epoch 1 before anything is sent")
    func firstStart() throws {
        let bench = try Bench()
        #expect(bench.actions.firstPersist < bench.actions.firstSend)
        #expect(bench.sent(bench.actions).contains(.newEpochWish(epoch: 1)))
        #expect(bench.instance.epoch == 1)
    }

    @Test("wishes of F oracles have no effect, however high or often", arguments: [2, 1_000, Limits.epochMaximum])
    func faultyWishes(epoch: UInt64) throws {
        var bench = try Bench()
        for step in UInt64(0)..<50 {
            let actions = bench.deliver(
                .newEpochWish(epoch: epoch - min(50, epoch - 2) + step % 2), from: bench.bystander)
            #expect(bench.sent(actions).isEmpty)
        }
        #expect(bench.instance.epoch == 1)
        #expect(bench.instance.durable.pacemaker.wish == 1)
    }

    @Test("a wish for 2^64-1 is refused")
    func hugeWish() throws {
        var bench = try Bench()
        bench.deliver(.newEpochWish(epoch: UInt64.max), from: bench.bystander)
        #expect(bench.refusals(.epochTooLarge) == 1)
    }

    @Test("F+1 wishes are amplified and 2F+1 enter the epoch, each durable before it is sent")
    func amplifyAndSwitch() throws {
        var bench = try Bench()
        #expect(bench.deliver(.newEpochWish(epoch: 9), from: bench.peers[0]).isEmpty)
        let actions = bench.deliver(.newEpochWish(epoch: 7), from: bench.peers[1])
        #expect(bench.sent(actions).contains(.newEpochWish(epoch: 7)))
        #expect(actions.firstPersist < actions.firstSend)
        // Two peers and itself are three wishes of at least 7.
        #expect(bench.instance.epoch == 7)
        let requests = bench.sent(actions).filter {
            if case .epochStartRequest = $0 { return true } else { return false }
        }
        #expect(requests.count == (bench.leader == bench.own ? 0 : 1))
    }

    @Test("without progress a wish for the next epoch is stored and sent")
    func noProgress() throws {
        var bench = try Bench()
        bench.now = 1_000
        let actions = bench.handle(.timerFired(.progress))
        #expect(actions.firstPersist < actions.firstSend)
        #expect(bench.sent(actions) == [.newEpochWish(epoch: 2)])
        #expect(bench.instance.epoch == 1)
    }

    @Test("a timer that fires before its deadline or after it was cancelled does nothing")
    func staleTimers() throws {
        var bench = try Bench()
        bench.now = 999
        #expect(bench.handle(.timerFired(.progress)).isEmpty)
        #expect(bench.handle(.timerFired(.grace)).isEmpty)
        #expect(bench.handle(.timerFired(.transmission(ReportKey(sequenceNumber: 1, index: 0)))).isEmpty)
    }

    @Test("a restart continues in the stored epoch with the stored wish")
    func restart() throws {
        var bench = try Bench()
        bench.deliver(.newEpochWish(epoch: 5), from: bench.peers[0])
        bench.deliver(.newEpochWish(epoch: 5), from: bench.peers[1])
        try bench.restart()
        #expect(bench.instance.epoch == 5)
        #expect(
            bench.sent(bench.actions).contains {
                if case .newEpochWish(let epoch) = $0 { return epoch >= 5 } else { return false }
            })
    }

    @Test("a leader that restarts in its own epoch gives it up instead of leading it twice")
    func leaderRestart() throws {
        var bench = try Bench(leads: true)
        try bench.restart()
        #expect(bench.sent(bench.actions).contains(.newEpochWish(epoch: 2)))
        for peer in bench.peers {
            let proof = bench.timestamp(peer)
            bench.deliver(
                .epochStartRequest(
                    EpochStartRequest(
                        epoch: 1, certificate: .genesis, timestampSignature: proof.signature)), from: peer)
        }
        let starts = bench.sent(bench.actions).filter { if case .epochStart = $0 { return true } else { return false } }
        #expect(starts.isEmpty)
    }

    @Test("messages of later epochs are kept in a ring of ten per sender")
    func laterEpochs() throws {
        var bench = try Bench()
        for epoch in UInt64(2)...30 { bench.deliver(.workHint(epoch: epoch), from: bench.bystander) }
        #expect(bench.refusals(.displaced) == 19)
        #expect(bench.instance.buffers[bench.bystander].items.map(\.epoch) == Array(21...30))
    }

    @Test("a lost store means listening: no vote, no timestamp, no observation, also over another restart")
    func lostStore() throws {
        var bench = try Bench(restored: .lost)
        #expect(bench.actions.alarms == [.listening])
        bench.reachPrepare()
        #expect(bench.votes(bench.actions, .prepare).isEmpty)
        #expect(bench.refusals(.voteWhileListening) == 1)
        try bench.restart()
        #expect(bench.actions.alarms == [.listening])
        #expect(!bench.instance.isVoting)
        for peer in bench.peers { bench.deliver(.newEpochWish(epoch: 1), from: peer) }
        #expect(bench.instance.durable.pacemaker.votingFloor == 3)
        #expect(!bench.instance.isVoting)
    }

    @Test("an oracle whose store was rolled back finds its own forgotten vote and stops voting for good")
    func rolledBackStore() throws {
        var bench = try Bench()
        let certificate = bench.committed(
            4, [1], epoch: 1, signers: [bench.own, bench.peers[0], bench.peers[1]].sorted())
        let actions = bench.deliver(bench.epochStart(.commit(certificate)), from: bench.leader)
        #expect(actions.alarms.contains { if case .votingHalted = $0 { return true } else { return false } })
        try bench.restart()
        #expect(!bench.instance.isVoting)
    }
}

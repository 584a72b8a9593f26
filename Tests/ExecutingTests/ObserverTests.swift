// One oracle: what it reads, observes, holds back and explains.

import CCIP
import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import Executing

@Suite("Observer of the execute plugin")
struct ObserverTests {
    func world(delays: ExecuteDelays = ExecuteDelays()) throws -> World {
        var world = World(try configuration(delays: delays))
        world.send(sourceA, from: 1, ordered: true)
        world.send(sourceA, from: 1, ordered: true)
        world.send(sourceA, from: 2)
        try world.commit(sourceA, 3)
        return world
    }

    func code(
        _ number: UInt64, _ world: World, _ snapshot: ExecuteSnapshot, _ outcome: ExecuteOutcome = .none,
        _ observer: ExecuteObserver? = nil, now: UInt64 = 0
    ) -> ExecutionStanding {
        (observer ?? world.observers()[0]).standing(
            of: key(sourceA, number), previousOutcome: outcome == .none ? [] : outcome.encoded, snapshot: snapshot,
            now: now
        ).standing
    }

    // MARK: Why a message waits

    @Test("every reason to wait is named, says whom it waits for, and holds back only what it must")
    func standings() throws {
        let world = try world()
        let whole = world.snapshot()
        #expect(code(1, world, whole) == .ready && code(2, world, whole) == .ready)
        #expect(code(9, world, whole) == .notCommitted)
        var table: [(String, UInt64, (inout ExecuteSnapshot) -> Void)] = []
        table.append(("curse_unread", 1, { $0.curse = .unreadable }))
        table.append(("destination_cursed", 1, { $0.curse = .known(CursedSubjects([CurseSubject.global])) }))
        table.append(
            ("destination_cursed", 1, { $0.curse = .known(CursedSubjects([destination.curseSubject])) }))
        table.append(("source_cursed", 1, { $0.curse = .known(CursedSubjects([sourceA.curseSubject])) }))
        table.append(("source_disabled", 1, { $0.sources[sourceA]?.isEnabled = false }))
        table.append(("source_disabled", 1, { $0.sources[sourceA] = nil }))
        table.append(("on_ramp_changed", 1, { $0.sources[sourceA]?.onRamp = sender(3) }))
        table.append(("beyond_horizon", 1, { $0.destinationTimestamp += 8 * 3_600 + 5 }))
        table.append(("state_unread", 2, { $0.states[key(sourceA, 1)] = nil }))
        table.append(("message_unread", 1, { $0.messages[key(sourceA, 2)] = nil }))
        table.append(("executed", 1, { $0.states[key(sourceA, 1)] = ExecutionRecord(.success) }))
        table.append(("failed_on_chain", 1, { $0.states[key(sourceA, 1)] = ExecutionRecord(.failure) }))
        table.append(("executing", 1, { $0.states[key(sourceA, 1)] = ExecutionRecord(.inProgress) }))
        table.append(("short_of_gas", 3, { $0.verdicts[key(sourceA, 3)] = SimulationRecord(.shortOfGas) }))
        table.append(("simulation_reverts", 3, { $0.verdicts[key(sourceA, 3)] = SimulationRecord(.reverts("TokenDataMismatch")) }))
        table.append(("ready", 3, { $0.verdicts[key(sourceA, 3)] = SimulationRecord(.fails(returnData: [], since: 0)) }))
        table.append(
            ("nonce_already_used", 1, { $0.nonces[SenderKey(source: sourceA, sender: sender(1))] = 7 }))
        table.append(("waits_for_predecessor", 2, { $0.verdicts[key(sourceA, 1)] = SimulationRecord(.shortOfGas) }))
        table.append(("wrong_instance", 1, { $0.installedDigest = .zero }))
        for (expected, number, change) in table {
            var snapshot = whole
            change(&snapshot)
            let standing = code(number, world, snapshot)
            #expect(standing.code == expected)
            #expect(!standing.waitsFor.isEmpty)
            if standing.standingClass == .stuck || standing.standingClass == .alarm {
                #expect(!standing.advice.isEmpty, "\(expected)")
            }
        }
        #expect(table.count == 19)
    }

    @Test("a disagreement of the cluster shows in what one oracle explains")
    func clusterReasons() throws {
        let world = try world()
        let full = world.honest()[0]
        let silent = ExecuteObservation(roots: full.roots)
        let missing = try world.outcome([full, silent, silent])
        #expect(code(3, world, world.snapshot(), missing) == .notAgreed(.notObserved))
        let noNonces = ExecuteObservation(roots: full.roots, leaves: full.leaves)
        let wanting = try world.outcome([noNonces, noNonces, noNonces])
        #expect(code(1, world, world.snapshot(), wanting) == .notAgreed(.nonceNotAgreed))
        var unread = world.snapshot()
        unread.nonces = [:]
        #expect(code(1, world, unread, wanting) == .nonceUnread)
    }

    @Test("since when: the time of the first snapshot in which the reason stood")
    func since() throws {
        let world = try world()
        var observer = world.observers()[0]
        var snapshot = world.snapshot()
        snapshot.curse = .known(CursedSubjects([sourceA.curseSubject]))
        observer.settle(previousOutcome: [], snapshot: snapshot, now: 500)
        observer.settle(previousOutcome: [], snapshot: snapshot, now: 900)
        let standing = observer.standing(of: key(sourceA, 1), previousOutcome: [], snapshot: snapshot, now: 950)
        #expect(standing.sinceMilliseconds == 500 && standing.committedAt == snapshot.roots[0].timestamp)
        let other = observer.standing(of: key(sourceA, 1), previousOutcome: [], snapshot: world.snapshot(), now: 950)
        #expect(other.standing == .ready && other.sinceMilliseconds == nil)
    }

    @Test("what waits near the end of the visibility window is named, what is done or left to people is not")
    func horizon() throws {
        var world = try world()
        world.offRamp.states[key(sourceA, 1)] = .success
        world.offRamp.states[key(sourceA, 2)] = .failure
        var snapshot = world.snapshot()
        let observer = world.observers()[0]
        func near() -> [MessageKey] {
            observer.nearHorizon(alarmSeconds: 6 * 3_600, previousOutcome: [], snapshot: snapshot, now: 0).map(\.key)
        }
        #expect(near().isEmpty)
        snapshot.destinationTimestamp += 6 * 3_600 + 1
        #expect(near() == [key(sourceA, 3)])
        snapshot.destinationTimestamp += 2 * 3_600
        #expect(near().isEmpty)
    }

    // MARK: Failures

    @Test("what failed on chain is ready for manual execution and never observed again; the sender's next goes on")
    func failed() throws {
        var world = try world()
        world.offRamp.failing = [key(sourceA, 1)]
        let first = try world.outcome(world.honest())
        world.offRamp.execute(try #require(first.reports.first), world.configuration.limits)
        #expect(world.offRamp.states[key(sourceA, 1)] == .failure)
        let snapshot = world.snapshot()
        let standing = code(1, world, snapshot)
        #expect(standing.needsManualExecution && standing.standingClass == .stuck)
        world.send(sourceA, from: 1, ordered: true)
        try world.commit(sourceA, 1)
        let next = try world.outcome(world.honest(first, now: 1 << 40), previous: first, round: 2)
        #expect(try next.keys() == [key(sourceA, 4)])
    }

    @Test("a receiver that fails in simulation waits as configured, and is then delivered all the same")
    func failingReceiver() throws {
        var delays = ExecuteDelays()
        delays.failingReceiverMilliseconds = 1_000
        let world = try world(delays: delays)
        var snapshot = world.snapshot()
        snapshot.verdicts[key(sourceA, 3)] = SimulationRecord(.fails(returnData: [1], since: 100))
        #expect(code(3, world, snapshot, now: 1_099) == .receiverFails(untilMilliseconds: 1_100))
        #expect(code(3, world, snapshot, now: 1_100) == .ready)
    }

    // MARK: In flight

    @Test("reported messages are held back until the expiry, and at once after an own failure")
    func inflight() throws {
        let world = try world()
        var observer = world.observers()[0]
        let outcome = try world.outcome(world.honest())
        observer.outcomeCommitted(outcome.encoded, installedDigest: testDigest, now: 1_000)
        let snapshot = world.snapshot()
        #expect(code(1, world, snapshot, outcome, observer, now: 60_999) == .inFlight(untilMilliseconds: 61_000))
        #expect(observer.observe(previous: outcome, snapshot: snapshot, now: 60_999).leaves.isEmpty)
        #expect(!observer.hasWork(previousOutcome: outcome.encoded, snapshot: snapshot, now: 60_999))
        #expect(observer.observe(previous: outcome, snapshot: snapshot, now: 61_000).leaves.count == 1)
        observer.transmissionFailed(report: outcome.reports[0])
        #expect(observer.hasWork(previousOutcome: outcome.encoded, snapshot: snapshot, now: 2_000))
    }

    @Test("a candidate instance holds nothing back")
    func candidate() throws {
        let world = try world()
        var observer = world.observers()[0]
        let outcome = try world.outcome(world.honest())
        observer.outcomeCommitted(outcome.encoded, installedDigest: .zero, now: 1_000)
        #expect(observer.observe(previous: outcome, snapshot: world.snapshot(), now: 1_001).leaves.count == 1)
    }

    @Test("an executed root is put away: finally, or for the snooze only")
    func settled() throws {
        var world = try world()
        for number in UInt64(1)...3 { world.offRamp.states[key(sourceA, number)] = .success }
        var snapshot = world.snapshot()
        var observer = world.observers()[0]
        observer.settle(previousOutcome: [], snapshot: snapshot, now: 0)
        #expect(observer.needs(previousOutcome: [], snapshot: snapshot, now: 3_600_000).executionStates.isEmpty)
        #expect(code(2, world, snapshot, .none, observer, now: 5) == .executed)
        for number in UInt64(1)...3 { snapshot.states[key(sourceA, number)]?.isFinal = false }
        observer = world.observers()[0]
        observer.settle(previousOutcome: [], snapshot: snapshot, now: 0)
        #expect(observer.needs(previousOutcome: [], snapshot: snapshot, now: 299_999).executionStates.isEmpty)
        // A reorganisation of the destination may have undone it.
        #expect(observer.needs(previousOutcome: [], snapshot: snapshot, now: 300_000).executionStates.count == 1)
    }

    // MARK: Reads and work

    @Test("needs names what is missing, as ranges, and nothing that a role forbids")
    func needs() throws {
        var world = try world()
        world.send(sourceB, tokens: 1)
        world.tokenNotReady = [key(sourceB, 1)]
        try world.commit(sourceB, 1)
        var snapshot = world.snapshot()
        snapshot.messages[key(sourceA, 1)] = nil
        snapshot.messages[key(sourceA, 2)] = nil
        let observer = world.observers()[0]
        let needs = observer.needs(previousOutcome: [], snapshot: snapshot, now: 0)
        #expect(needs.messages.map(\.description) == ["\(sourceA)/1...2"])
        #expect(needs.executionStates.count == 2 && needs.tokenData == [key(sourceB, 1)])
        #expect(needs.commitReportsFrom == snapshot.destinationTimestamp - 8 * 3_600)
        let complete = observer.needs(previousOutcome: [], snapshot: world.snapshot(), now: 0)
        #expect(complete.messages.isEmpty && complete.nonces == [SenderKey(source: sourceA, sender: sender(1))])
        #expect(complete.simulations.isEmpty)
    }

    @Test("there is work for a ready message and for a root the cluster does not know, and none for what waits")
    func work() throws {
        let world = try world()
        let observer = world.observers()[0]
        #expect(observer.hasWork(previousOutcome: [], snapshot: world.snapshot(), now: 0))
        var cursed = world.snapshot()
        cursed.curse = .known(CursedSubjects([sourceA.curseSubject]))
        #expect(!observer.hasWork(previousOutcome: [], snapshot: cursed, now: 0))
        var done = world.snapshot()
        for number in UInt64(1)...3 { done.states[key(sourceA, number)]?.state = .success }
        #expect(!observer.hasWork(previousOutcome: [], snapshot: done, now: 0))
        #expect(!observer.hasWork(previousOutcome: [], snapshot: ExecuteSnapshot(), now: 0))
        var unread = world.snapshot()
        unread.messages = [:]
        #expect(observer.hasWork(previousOutcome: [], snapshot: unread, now: 0))
    }

    @Test("an observation stays inside its budget, executable messages first, sources sharing it")
    func budget() throws {
        var limits = ExecuteLimits()
        limits.observationBytesMaximum = 256 << 10
        var world = World(try configuration(limits: limits))
        for index in 0..<200 { world.send(sourceA, from: UInt64(index), dataBytes: index < 50 ? 3_000 : 30) }
        try world.commit(sourceA, 100)
        try world.commit(sourceA, 100)
        for index in 0..<10 { world.send(sourceB, from: UInt64(index)) }
        try world.commit(sourceB, 10)
        for number in UInt64(1)...40 { world.offRamp.states[key(sourceA, number)] = .success }
        let observation = world.honest()[0]
        #expect(observation.encoded.count <= limits.observationBytesMaximum)
        let full = observation.leaves.reduce(0) { $0 + $1.messages.count }
        #expect(full == Executing.Limits.fullMessagesPerObservation)
        let fromB = observation.leaves.filter { $0.key.source == sourceB }.reduce(0) { $0 + $1.messages.count }
        #expect(fromB == 10)
        try observation.validate(observer: 0, world.configuration)
        for index in 200..<260 { world.send(sourceA, from: UInt64(index), dataBytes: 30_000) }
        try world.commit(sourceA, 60)
        #expect(world.honest()[0].encoded.count <= limits.observationBytesMaximum)
    }

    @Test("hundreds of roots that cannot go do not push out one that can")
    func crowd() throws {
        var world = World(try configuration())
        var stuck: Set<MessageKey> = []
        for _ in 0..<300 {
            stuck.insert(world.send(sourceA, tokens: 1))
            try world.commit(sourceA, 1)
        }
        world.tokenNotReady = stuck
        let good = world.send(sourceA, from: 5)
        try world.commit(sourceA, 1)
        let outcome = try world.outcome(world.honest())
        #expect(try outcome.keys() == [good])
        let again = try world.outcome(world.honest(outcome), previous: outcome, round: 2)
        #expect(try again.keys() == [good])
    }

    // MARK: Accept and transmit

    @Test("a report is dropped for every reason of 4.10, by its name")
    func judging() throws {
        let world = try world()
        let observer = world.observers()[0]
        let report = try world.outcome(world.honest()).reports[0]
        let whole = world.snapshot()
        #expect(observer.shouldAccept(report: report, snapshot: whole) == .proceed)
        let table: [(ReportJudgement.Reason, (inout ExecuteSnapshot) -> Void)] = [
            (.digestUnread, { $0.installedDigest = nil }),
            (.digestMismatch, { $0.installedDigest = .zero }),
            (.curseUnread, { $0.curse = .unreadable }),
            (.cursed, { $0.curse = .known(CursedSubjects([sourceA.curseSubject])) }),
            (.cursed, { $0.curse = .known(CursedSubjects([destination.curseSubject])) }),
            (.sourceDisabled, { $0.sources[sourceA]?.isEnabled = false }),
            (
                .alreadyExecuted,
                { snapshot in
                    for number in UInt64(1)...3 {
                        snapshot.states[key(sourceA, number)]?.state = number == 2 ? .failure : .success
                    }
                }
            ),
        ]
        for (reason, change) in table {
            var snapshot = whole
            change(&snapshot)
            #expect(observer.shouldTransmit(report: report, snapshot: snapshot) == .drop(reason))
        }
        // All or nothing: one message left is enough.
        var partly = whole
        partly.states[key(sourceA, 1)]?.state = .success
        #expect(observer.shouldTransmit(report: report, snapshot: partly) == .proceed)
        #expect(observer.shouldAccept(report: [1, 2], snapshot: whole) == .drop(.undecodable))
        #expect(observer.shouldAccept(report: [ExecutionReport]().encodedReports, snapshot: whole) == .drop(.empty))
        let seven = try configuration(destinationReaders: [3, 4, 5, 6], oracles: 7, faulty: 2)
        let outsider = ExecuteObserver(configuration: seven, ownIndex: 0)
        #expect(outsider.shouldAccept(report: report, snapshot: whole) == .drop(.destinationNotSupported))
    }

    @Test("the report of one message alone is proved against its root")
    func single() throws {
        let world = try world()
        let observer = world.observers()[0]
        let snapshot = world.snapshot()
        for number in UInt64(1)...3 {
            let report = try #require(
                observer.singleReport(key(sourceA, number), previousOutcome: [], snapshot: snapshot, now: 0))
            #expect(report.messages.count == 1)
            #expect(try report.root(onRamp: onRamp(sourceA)) == snapshot.roots[0].root.root)
        }
        #expect(observer.singleReport(key(sourceA, 4), previousOutcome: [], snapshot: snapshot, now: 0) == nil)
    }

    @Test("a message that its simulation says spoils the batch is left out by F+1, and the others go")
    func spoiler() throws {
        let world = try world()
        let observations = world.observers().map { observer in
            var snapshot = world.snapshot()
            // Three of four have found out, each by its own simulation.
            if observer.ownIndex != 3 { snapshot.verdicts[key(sourceA, 3)] = SimulationRecord(.reverts("TokenDataMismatch")) }
            return observer.observe(previous: .none, snapshot: snapshot, now: 0)
        }
        #expect(try world.outcome(observations).keys() == [key(sourceA, 1), key(sourceA, 2)])
    }
}

// Verdicts of simulations: how long they stand, what they hold back, and what says nothing about a message.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import Executing

@Suite("Simulations of execution")
struct SimulationTests {
    func world() throws -> World {
        var world = World(try configuration())
        for name in UInt64(1)...3 { world.send(sourceA, from: name) }
        try world.commit(sourceA, 3)
        return world
    }

    @Test("a message that reverts is asked for again after 1, 2, 4 ... 64 blocks and never sooner than 5 seconds")
    func expiry() {
        var record: SimulationRecord?
        var block: UInt64 = 100
        var now: UInt64 = 1_000
        for pause in [1, 2, 4, 8, 16, 32, 64, 64, 64] as [UInt64] {
            let next = SimulationRecord(.reverts("x"), block: block, at: now, after: record)
            #expect(next.pauseBlocks == pause && next.since == 1_000)
            #expect(!next.isDue(block: block + pause - 1, at: now + 1_000_000))
            #expect(!next.isDue(block: block + pause, at: now + 4_999))
            #expect(next.isDue(block: block + pause, at: now + 5_000))
            record = next
            block += pause
            now += 10_000
        }
        let other = SimulationRecord(.delivers, block: block, at: now, after: record)
        #expect(other.attempts == 1 && !other.isDue(block: .max, at: .max))
    }

    @Test("what is due is named for simulation, sixteen at most, and stays held back until it runs through")
    func due() throws {
        var world = World(try configuration())
        for name in UInt64(1)...20 { world.send(sourceA, from: name) }
        try world.commit(sourceA, 20)
        var snapshot = world.snapshot()
        snapshot.destinationBlock = 10
        for number in UInt64(1)...20 {
            snapshot.verdicts[key(sourceA, number)] = SimulationRecord(.reverts("TokenDataMismatch"), block: 9)
        }
        let observer = world.observers()[0]
        func wish(_ now: UInt64) -> [MessageKey] {
            observer.needs(previousOutcome: [], snapshot: snapshot, now: now).simulations
        }
        #expect(wish(4_999).isEmpty)
        #expect(wish(5_000).count == Executing.Limits.simulationsPerLook)
        #expect(observer.observe(previous: .none, snapshot: snapshot, now: 5_000).leaves.isEmpty)
        snapshot.verdicts[key(sourceA, 7)] = nil
        let leaves = observer.observe(previous: .none, snapshot: snapshot, now: 5_000).leaves
        #expect(leaves.flatMap(\.messages).map(\.index) == [6])
    }

    @Test(
        "only a revert that the message itself causes is held against it",
        arguments: [
            ("RootNotCommitted(uint64)", false), ("CursedByRMN(uint64)", false), ("SourceChainNotEnabled(uint64)", false),
            ("ConfigDigestMismatch(bytes32,bytes32)", false), ("UnauthorizedTransmitter()", false),
            ("ForkedChain(uint256,uint256)", false), ("TokenDataMismatch(uint64,uint64)", true),
            ("UnexpectedTokenData()", true), ("InvalidProof()", true), ("ReceiverError(bytes)", true),
        ])
    func about(_ signature: String, isAbout: Bool) {
        let data = Bytes(keccak256(text: signature).bytes.prefix(4)) + Bytes(repeating: 0, count: 64)
        let reason = RevertReason(data)
        #expect(reason.isAboutMessage == isAbout, "\(reason)")
    }

    @Test("each class of revert has its reaction, and only our own configuration halts the instance")
    func reactions() {
        func reactions(_ signature: String) -> [Reaction] {
            RevertReason(Bytes(keccak256(text: signature).bytes.prefix(4)) + Bytes(repeating: 0, count: 64)).reactions
        }
        for ours in ["ConfigDigestMismatch(bytes32,bytes32)", "UnauthorizedTransmitter()", "UnauthorizedSigner()"] {
            #expect(reactions(ours) == [.haltInstance, .alarm])
        }
        #expect(reactions("SourceChainNotEnabled(uint64)") == [.alarm, .retryLater])
        #expect(reactions("ForkedChain(uint256,uint256)") == [.stopChain, .alarm])
        #expect(reactions("StaleCommitReport()") == [.discard])
        #expect(reactions("CursedByRMN(uint64)") == [.retryLater])
        #expect(reactions("WrongMessageLength(uint256,uint256)") == [.alarm, .discard])
        #expect(reactions("InsufficientGasToCompleteTx(bytes4)") == [.raiseGas])
        #expect(RevertReason([]).reactions == [.retryLater])
    }

    @Test("an endpoint that cannot simulate leads to the computed limit, one that does not answer to nothing")
    func fallback() throws {
        var world = try world()
        world.send(sourceA)
        let reports = try #require(try world.outcome(world.honest()).executionReports().first)
        let context = ReportContext(configurationDigest: testDigest, sequenceNumber: 1)
        var plan = try #require(ExecutionGasPlan(reports: reports, context: context, maximum: 16_000_000))
        #expect(plan.next(after: .ranThrough) == .send)
        #expect(plan.next(after: .unanswered) == .unknown)
        #expect(plan.next(after: .refused("insufficient funds")) == .cannotSimulate("insufficient funds"))
        var raises = 0
        while case .simulateAgain(let next) = plan.next(after: .outOfGas) {
            #expect(next.transactionGasLimit > plan.transactionGasLimit)
            plan = next
            raises += 1
        }
        #expect(raises > 1 && raises <= Executing.Limits.gasRaisesMaximum)
        guard case .cannotSimulate = plan.next(after: .outOfGas) else {
            Issue.record("an endpoint's own cap is not lack of gas of the report")
            return
        }
        #expect(plan.atFloor.transactionGasLimit == plan.floor && plan.transactionGasLimit > plan.floor)
        #expect(plan.next(afterSimulation: []) == .tooMuchGas)
    }

    @Test("a paid attempt that came to nothing is repeated once at once, then after longer and longer pauses")
    func paidFailures() throws {
        let world = try world()
        var observer = world.observers()[0]
        let outcome = try world.outcome(world.honest())
        let report = try #require(outcome.reports.first)
        let snapshot = world.snapshot()
        func isHeld(_ now: UInt64) -> Bool { observer.observe(previous: .none, snapshot: snapshot, now: now).leaves.isEmpty }
        var now: UInt64 = 1_000
        observer.attemptFailed(report: report, now: now)
        #expect(!isHeld(now))
        for expiries in [1, 2, 4, 8, 16, 32, 64, 64] as [UInt64] {
            observer.attemptFailed(report: report, now: now)
            let pause = expiries * world.configuration.delays.inflightExpiryMilliseconds
            #expect(isHeld(now) && isHeld(now + pause - 1) && !isHeld(now + pause), "\(expiries)")
            now += pause
        }
        let standing = observer.standing(of: key(sourceA, 1), previousOutcome: [], snapshot: snapshot, now: now - 1).standing
        #expect(standing.code == "attempt_failed" && standing.standingClass == .waiting)
        // What is executed after all is forgotten, and begins anew.
        var done = snapshot
        done.states[key(sourceA, 1)]?.state = .success
        observer.settle(previousOutcome: [], snapshot: done, now: now)
        observer.attemptFailed(report: report, now: now)
        func code(_ number: UInt64) -> String {
            observer.standing(of: key(sourceA, number), previousOutcome: [], snapshot: snapshot, now: now).standing.code
        }
        #expect(code(1) == "ready" && code(2) == "attempt_failed")
    }

    /// Pitfalls 1, written down anew: 300 k + per message 350 k + 60 x data bytes + 66/63 x (gasLimit + sum(destGasAmount
    /// + 220 k)).
    static func formula(_ messages: [Any2EVMRampMessage]) -> UInt64 {
        messages.reduce(UInt64(300_000)) { total, message in
            let user = message.tokenAmounts.reduce(message.gasLimit.asUInt64 ?? 0) { $0 + UInt64($1.destinationGas) + 220_000 }
            return total + 350_000 + 60 * UInt64(message.data.count) + (user * 66 + 62) / 63
        }
    }

    @Test("no report is planned below the formula that never failed, whatever its messages are", arguments: 0..<200 as Range<UInt64>)
    func neverUnderGassed(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var limits = ExecuteLimits()
        limits.transactionGasMaximum = 16_777_216
        limits.batchGasLimit = [500_000, 3_000_000, 6_500_000, 16_000_000][random.below(4)]
        var world = World(try configuration(limits: limits))
        for name in 0..<UInt64(1 + random.below(12)) {
            world.send(
                random.below(2) == 0 ? sourceA : sourceB, from: name, ordered: random.below(3) == 0,
                dataBytes: random.below(4) == 0 ? random.below(30_000) : random.below(300),
                gas: random.below(5) == 0 ? UInt64(random.below(3_000_000)) : UInt64(random.below(400_000)),
                tokens: random.below(3) == 0 ? 1 + random.below(2) : 0)
        }
        try world.commit(sourceA, 12)
        try world.commit(sourceB, 12)
        let outcome = try world.outcome(world.honest())
        for bytes in outcome.reports {
            let reports = try [ExecutionReport](encodedReports: bytes)
            let context = ReportContext(configurationDigest: testDigest, sequenceNumber: 1)
            let plan = try #require(
                ExecutionGasPlan(reports: reports, context: context, maximum: limits.transactionGasMaximum),
                "a report that no transaction may carry")
            let call = context.executeCall(encodedReports: bytes)
            #expect(plan.floor >= Self.formula(reports.messages), "seed \(seed)")
            #expect(plan.floor >= ExecutionGas.callDataFloor(call) && plan.floor <= 16_777_216)
            // Whatever an endpoint answers, nothing is sent below it.
            var current = plan
            for _ in 0..<20 {
                let answers: [ExecutionGasPlan.Answer] = [
                    .ranThrough, .outOfGas, .reverted([]), .reverted([0x28, 0x82, 0x56, 0x9d]), .refused("no"), .unanswered,
                ]
                #expect(current.atFloor.transactionGasLimit == plan.floor)
                guard case .simulateAgain(let next) = current.next(after: answers[random.below(answers.count)]) else { continue }
                #expect(next.transactionGasLimit >= plan.floor && next.transactionGasLimit <= limits.transactionGasMaximum)
                current = next
            }
        }
    }
}

// What becomes of an attested execution report: judged, simulated, sent, followed. What is decided about gas and messages
// is decided in Executing.

import Agreement
import CCIP
import ChainAccess
import Ethereum
import Executing
import Logging
import OffchainReporting
import Synchronization

extension ExecuteEdge {
    // MARK: Whether

    /// A report that cannot be judged now is accepted: it is judged again when its turn has come, and the contract is the
    /// barrier (0.2). One that does not run through in simulation is not.
    func shouldAccept(_ report: Report, _ key: ReportKey) async -> Bool? {
        guard await judge(report, key, isTurn: false) != false else { return false }
        switch await simulates(report, key) {
        case .sends, .unread: return true
        case .dropped: return false
        }
    }

    func shouldTransmit(_ report: Report, _ key: ReportKey) async -> Bool? {
        if let reason = halt.reason {
            logger.warning("report held", metadata: ["report": "\(key.sequenceNumber)", "reason": "\(reason)"])
            release(report.bytes)
            return false
        }
        for attempt in 0..<Limits.transmissionTries {
            if attempt > 0 { try? await Task.sleep(for: .seconds(1)) }
            if let answer = await judge(report, key, isTurn: true) { return answer }
        }
        release(report.bytes)
        return false
    }

    /// Nil when nothing could be found out.
    private func judge(_ report: Report, _ key: ReportKey, isTurn: Bool) async -> Bool? {
        do {
            guard !keeper.isStopped(destination.settings.selector) else { return false }
            var snapshot = try await snapshot()
            let reports = (try? [ExecutionReport](encodedReports: report.bytes)) ?? []
            guard !reports.contains(where: { keeper.isStopped($0.source) }) else {
                logger.warning("report of a stopped chain dropped", metadata: ["report": "\(key.sequenceNumber)"])
                return false
            }
            try await readStates(of: reports, into: &snapshot)
            let judgement = memory.withLock { [snapshot] memory in
                isTurn
                    ? memory.observer.shouldTransmit(report: report.bytes, snapshot: snapshot)
                    : memory.observer.shouldAccept(report: report.bytes, snapshot: snapshot)
            }
            guard case .drop(let reason) = judgement else { return true }
            logger.info("report dropped", metadata: ["report": "\(key.sequenceNumber)", "reason": "\(reason)"])
            return false
        } catch {
            logger.warning("report not judged", metadata: ["report": "\(key.sequenceNumber)", "error": "\(error)"])
            return nil
        }
    }

    /// The contract's own word on the messages of a report: logs may be some blocks behind.
    private func readStates(of reports: [ExecutionReport], into snapshot: inout ExecuteSnapshot) async throws {
        let keys = reports.flatMap(\.messages).map(\.key)
        let calls = keys.map { OffRampCalls.executionState($0.source, $0.sequenceNumber) }
        let offRamp = destination.settings.contracts.offRamp
        let states = try await ContractReader(destination.endpoints).readAll(calls.map { ($0, offRamp) })
        for (key, state) in zip(keys, states) where snapshot.states[key]?.state.isTouched != true {
            snapshot.states[key] = ExecutionRecord(try state.get())
        }
    }

    // MARK: Simulation

    enum Simulated {
        /// With its gas, and whether an endpoint has simulated it.
        case sends(ExecutionGasPlan, isSimulated: Bool)
        case dropped
        /// No endpoint answered: nothing is known.
        case unread
    }

    /// Whether a report runs through, and with which gas; the culprits are taken out of the next reports when it does not.
    func simulates(_ report: Report, _ key: ReportKey) async -> Simulated {
        guard let reports = try? [ExecutionReport](encodedReports: report.bytes) else { return .dropped }
        let context = ReportContext(configurationDigest: digest, sequenceNumber: key.sequenceNumber)
        let callData = context.executeCall(encodedReports: report.bytes)
        let maximum = await gasMaximum()
        let now = InstanceRunner.now()
        guard let plan = ExecutionGasPlan(reports: reports, callData: callData, maximum: maximum) else {
            // More than a block of this chain takes: sending it would only use up a nonce, for money.
            logger.error("report exceeds the gas of a block", metadata: ["report": "\(key.sequenceNumber)", "maximum": "\(maximum)"])
            let until = now + configuration.delays.inflightExpiryMilliseconds
            memory.withLock { $0.observer.postpone(reports.messages.map(\.key), until: until, now: now) }
            return .dropped
        }
        switch await simulate(plan, callData) {
        case .sends(let plan, let isSimulated): return .sends(plan, isSimulated: isSimulated)
        case .unread: return .unread
        case .short:
            logger.warning("report is short of gas", metadata: ["report": "\(key.sequenceNumber)", "gas": "\(maximum)"])
            await takeOutCulprits(reports, context)
        case .refused(let reason):
            logger.warning("report does not run through", metadata: ["report": "\(key.sequenceNumber)", "why": "\(reason)"])
            react(to: reason)
            if reason.isAboutMessage {
                await takeOutCulprits(reports, context)
            } else {
                // The chain's state and not the messages: they are looked at again in a moment.
                let until = now + Executing.Limits.simulationPauseMilliseconds
                memory.withLock { $0.observer.postpone(reports.messages.map(\.key), until: until, now: now) }
            }
        }
        return .dropped
    }

    /// What the cluster allows, and never more than a block holds now.
    private func gasMaximum() async -> UInt64 {
        let block = await destination.heads.current?.latest.gasLimit ?? 0
        let own = configuration.limits.transactionGasMaximum
        return block > 0 ? min(own, block) : own
    }

    private enum Simulation {
        case sends(ExecutionGasPlan, isSimulated: Bool)
        case refused(RevertReason)
        case short
        case unread
    }

    private func simulate(_ first: ExecutionGasPlan, _ callData: Bytes) async -> Simulation {
        var plan = first
        while true {
            let answer = await ask(callData, from: ExecutionGasPlan.simulationSender, gas: plan.transactionGasLimit)
            switch plan.next(after: answer) {
            case .send: return .sends(plan, isSimulated: true)
            case .simulateAgain(let raised): plan = raised
            case .refuse(let reason): return .refused(reason)
            case .unknown: return .unread
            case .cannotSimulate(let why): return await unsimulated(plan.atFloor, callData, why)
            case .tooMuchGas:
                if await takesGas(plan.transactionGasLimit) != false { return .short }
                return await unsimulated(plan.atFloor, callData, "the endpoint caps the gas of calls")
            }
        }
    }

    private func ask(_ callData: Bytes, from: Address, gas: UInt64) async -> ExecutionGasPlan.Answer {
        let target = CallTarget(to: destination.settings.contracts.offRamp, data: callData, from: from, gas: gas)
        do throws(ChainAccessError) {
            switch try await destination.endpoints.calls([target], at: .latest).first {
            case .success: return .ranThrough
            case .failure(let error): return Self.answer(error)
            case nil: return .unanswered
            }
        } catch {
            return Self.answer(error)
        }
    }

    private static func answer(_ error: ChainAccessError) -> ExecutionGasPlan.Answer {
        switch error.code {
        case .reverted: .reverted(error.revertData ?? [])
        case .outOfGas: .outOfGas
        case .remote, .unsupported: .refused(error.message)
        default: .unanswered
        }
    }

    /// Whether the endpoint runs calls with all of this gas: a call without a target runs its data as code, and this code
    /// (GAS, MSTORE, RETURN) says what it was given. Nil when the endpoint does not answer that.
    private func takesGas(_ gas: UInt64) async -> Bool? {
        let probe = CallTarget(to: nil, data: [0x5a, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xf3], gas: gas)
        guard case .success(let word)? = try? await destination.endpoints.calls([probe], at: .latest).first,
            let left = U256(bigEndianBytes: word)?.asUInt64
        else { return nil }
        // 60,000 for the transaction, the creation and the code.
        return left.addingReportingOverflow(60_000).partialValue >= gas
    }

    /// No endpoint can simulate as the estimation sender: asked once as ourselves. There a lack of gas inside a message
    /// does not show, so that the computed limit is what protects the attempt; a revert of the whole shows.
    private func unsimulated(_ plan: ExecutionGasPlan, _ callData: Bytes, _ why: String) async -> Simulation {
        guard let sender else { return .sends(plan, isSimulated: false) }
        switch await ask(callData, from: sender.address, gas: plan.transactionGasLimit) {
        case .reverted(let data): return .refused(RevertReason(data))
        case .unanswered: return .unread
        case .ranThrough, .outOfGas, .refused: break
        }
        let isNews = memory.withLock { memory in
            defer { memory.saysUnsimulated = true }
            return !memory.saysUnsimulated
        }
        if isNews {
            logger.warning(
                "no endpoint simulates execution: reports go out with the computed gas limit", metadata: ["why": "\(why)"])
        }
        return .sends(plan, isSimulated: false)
    }

    /// Reports sent although no endpoint could simulate them.
    var unsimulatedReports: UInt64 { memory.withLock { $0.unsimulated } }

    // MARK: One bad message never holds back the others

    /// Simulates each message of a report alone and takes out those that revert by themselves. Where each alone runs
    /// through and all together do not, the second half waits, so that the first can go.
    private func takeOutCulprits(_ reports: [ExecutionReport], _ context: ReportContext) async {
        let keys = reports.messages.map(\.key)
        let found = await simulateAlone(keys, context)
        let now = InstanceRunner.now()
        memory.withLock { memory in
            memory.observer.transmissionFailed(report: reports.encodedReports)
            guard found == 0, keys.count > 1 else { return }
            let until = now + configuration.delays.inflightExpiryMilliseconds
            memory.observer.postpone(Array(keys.dropFirst((keys.count + 1) / 2)), until: until, now: now)
        }
    }

    /// Messages that earlier simulations hold back, where it is time to ask again.
    func simulateAgain(_ snapshot: ExecuteSnapshot, _ previous: Bytes) async {
        let now = InstanceRunner.now()
        let due = memory.withLock {
            $0.observer.needs(previousOutcome: previous, snapshot: snapshot, now: now).simulations
        }
        guard !due.isEmpty else { return }
        _ = await simulateAlone(due, ReportContext(configurationDigest: digest, sequenceNumber: 0))
    }

    /// Returns how many are held back now.
    private func simulateAlone(_ keys: [MessageKey], _ context: ReportContext) async -> Int {
        let previous = previousOutcome
        guard let snapshot = try? await snapshot() else { return 0 }
        let maximum = await gasMaximum()
        var held = 0
        for key in keys {
            let now = InstanceRunner.now()
            let single = memory.withLock {
                $0.observer.singleReport(key, previousOutcome: previous, snapshot: snapshot, now: now)
            }
            guard let single else { continue }
            let callData = context.executeCall(encodedReports: [single].encodedReports)
            guard let plan = ExecutionGasPlan(reports: [single], callData: callData, maximum: maximum) else { continue }
            let verdict: SimulationVerdict
            switch await simulate(plan, callData) {
            case .sends: verdict = .delivers
            case .short: verdict = .shortOfGas
            case .refused(let reason) where reason.isAboutMessage: verdict = .reverts("\(reason)")
            // The chain's state: nothing is said about the message, and what was said before stands.
            case .refused, .unread: continue
            }
            if verdict != .delivers {
                held += 1
                logger.error("message cannot be executed", metadata: ["message": "\(key)", "why": "\(verdict)"])
            }
            memory.withLock { memory in
                memory.records[key] =
                    verdict == .delivers
                    ? nil
                    : SimulationRecord(verdict, block: snapshot.destinationBlock, at: now, after: memory.records[key])
            }
        }
        return held
    }

    // MARK: Reactions (4.11, 6.6)

    private func react(to reason: RevertReason) {
        for reaction in reason.reactions {
            switch reaction {
            case .haltInstance: halt.raise("the OffRamp answers \(reason)")
            case .stopChain: keeper.halt(destination.settings, kind: "forkedChain", reason: "the OffRamp answers \(reason)")
            case .alarm: logger.error("the OffRamp refuses a report", metadata: ["reason": "\(reason)"])
            case .discard, .retryLater, .raiseGas: break
            }
        }
    }

    // MARK: Sending

    func transmit(_ attested: AttestedReport) async {
        let number = attested.key.sequenceNumber
        guard let sender, halt.reason == nil, !keeper.isStopped(destination.settings.selector) else {
            return release(attested.report.bytes)
        }
        guard let plan = await plan(attested) else { return }
        let context = ReportContext(configurationDigest: digest, sequenceNumber: number)
        let key = keccak256(
            Bytes("causeway.execute".utf8) + instance.bytes + Bytes(bigEndian: number)
                + Bytes(bigEndian: UInt64(attested.key.index)))
        do {
            memory.withLock { $0.underway[key] = attested.report.bytes }
            let status = try await sender.submit(
                key: key, to: destination.settings.contracts.offRamp,
                data: context.executeCall(encodedReports: attested.report.bytes), gasLimit: plan.transactionGasLimit
            ) { [weak self] in await self?.isWanted(attested.report.bytes) }
            if case .failed(let why) = status {
                // The outbox did not take it, so nothing was paid.
                logger.warning("execution report not taken", metadata: ["report": "\(number)", "why": "\(why)"])
                memory.withLock { $0.underway[key] = nil }
                return release(attested.report.bytes)
            }
            logger.info("execution report sent", metadata: ["report": "\(number)", "status": "\(status)"])
        } catch {
            logger.error("execution report not sent", metadata: ["report": "\(number)", "error": "\(error)"])
            memory.withLock { $0.underway[key] = nil }
            release(attested.report.bytes)
        }
    }

    private func plan(_ attested: AttestedReport) async -> ExecutionGasPlan? {
        for attempt in 0..<Limits.transmissionTries {
            if attempt > 0 { try? await Task.sleep(for: .seconds(1)) }
            switch await simulates(attested.report, attested.key) {
            case .sends(let plan, let isSimulated):
                if !isSimulated { memory.withLock { $0.unsimulated += 1 } }
                return plan
            case .dropped: return nil
            case .unread: continue
            }
        }
        logger.warning("no endpoint answers: report not sent", metadata: ["report": "\(attested.key.sequenceNumber)"])
        release(attested.report.bytes)
        return nil
    }

    /// Before a higher price is paid: false when every message is executed by now. Nil when that cannot be read.
    private func isWanted(_ report: Bytes) async -> Bool? {
        guard let reports = try? [ExecutionReport](encodedReports: report) else { return nil }
        let offRamp = destination.settings.contracts.offRamp
        let calls = reports.messages.map { (OffRampCalls.executionState($0.header.source, $0.header.sequenceNumber), offRamp) }
        guard let states = try? await ContractReader(destination.endpoints).readAll(calls) else { return nil }
        var isDone = true
        for state in states {
            guard let state = try? state.get() else { return nil }
            if !state.isTouched { isDone = false }
        }
        return !isDone
    }

    /// Its messages may be reported again at once.
    private func release(_ report: Bytes) { memory.withLock { $0.observer.transmissionFailed(report: report) } }

    /// Follows the sender. What reverted was paid for: its messages may be reported again, but not for ever.
    func followOutcomes() async {
        guard let sender else { return await untilCancelled() }
        for await outcome in await sender.outcomes() {
            guard let report = memory.withLock({ $0.underway[outcome.key] }) else { continue }
            let now = InstanceRunner.now()
            switch outcome.kind {
            case .reverted(_, _, let reason):
                react(to: reason)
                memory.withLock { memory in
                    memory.underway[outcome.key] = nil
                    memory.observer.attemptFailed(report: report, now: now)
                }
            case .failed(let why):
                logger.warning("execution report failed", metadata: ["why": "\(why)"])
                memory.withLock { memory in
                    memory.underway[outcome.key] = nil
                    memory.observer.attemptFailed(report: report, now: now)
                }
            case .confirmed: break
            case .finalized: memory.withLock { $0.underway[outcome.key] = nil }
            }
        }
    }

    private func untilCancelled() async {
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
    }
}

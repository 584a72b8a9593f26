// The streams' side of agreement towards the world: observes what the desk has, and hands signed reports to the courier.

import Agreement
import Ethereum
import Glibc
import Logging
import OffchainReporting
import PriceStreams
import Synchronization

final class StreamsEdge: ImmediateEdge {
    struct Standing: Sendable {
        var stage = LifeCycleStage.staging
        var sequenceNumber: UInt64 = 0
        var observationTimestampNanoseconds: UInt64 = 0
        /// Wall clock, nanoseconds.
        var committedAt: UInt64 = 0
        var channels = 0
        /// Streams of the last observation that had a value, and those that were asked for.
        var observed = 0
        var wanted = 0
        var reports: UInt64 = 0
        var malformed: UInt64 = 0
        /// Whether this oracle may vote by its clock.
        var clock = ClockWatch()
        /// What this clock is ahead of the others' median now; nanoseconds.
        var clockSkewNanoseconds: Int64 { clock.skewNanoseconds(at: .now()) }
        /// What the life cycle wants of the next observation.
        var shouldRetire = false
        var retirement: AttestedRetirement?
        /// What was told of the life cycle.
        var toldStage: LifeCycleStage?
        var toldRetirement = false
    }

    /// What others learn of the life cycle, in order. Called from the instance's own thread: must not wait.
    struct LifeCycle: Sendable {
        var entered: @Sendable (LifeCycleStage) -> Void = { _ in }
        var retired: @Sendable (AttestedRetirement) -> Void = { _ in }
    }

    private let observer: StreamsObserver
    private let desk: SourceDesk
    private let courier: ReportCourier
    private let lifeCycle: LifeCycle
    private let logger: Logger
    private let shared = Mutex(Standing())

    init(
        configuration: StreamsConfiguration, desk: SourceDesk, courier: ReportCourier, lifeCycle: LifeCycle,
        logger: Logger
    ) {
        observer = StreamsObserver(configuration: configuration)
        self.lifeCycle = lifeCycle
        self.desk = desk
        self.courier = courier
        self.logger = logger
    }

    var standing: Standing { shared.withLock { $0 } }

    /// From the next observation on; what stands on disk already.
    func order(shouldRetire: Bool, retirement: AttestedRetirement?) {
        shared.withLock { ($0.shouldRetire, $0.retirement) = (shouldRetire, retirement) }
    }

    func observe(previousOutcome: [UInt8], sequenceNumber: UInt64) async throws -> [UInt8] {
        let now = GatewayNode.now()
        let values = desk.values(at: now)
        let wanted = try observer.streamsWanted(after: previousOutcome)
        shared.withLock { state in
            state.wanted = wanted.count
            state.observed = wanted.count { values[$0] != nil }
        }
        // The clock is read after the sources have answered (5.4).
        let clock = ClockReading.now()
        let (isFit, shouldRetire, retirement) = shared.withLock { state in
            state.clock.observe(sequenceNumber, at: clock)
            return (state.clock.isFit(at: clock), state.shouldRetire, state.retirement)
        }
        guard isFit else {
            throw StreamsNodeError(
                .notReady, "this clock is more than a second from the other oracles'", hint: "set it right: see chronyc")
        }
        return try observer.observation(
            after: previousOutcome,
            StreamsSnapshot(clockNanoseconds: clock.wall, values: values, shouldRetire: shouldRetire, retirement: retirement))
    }

    func accepts(_ report: Report, _ key: ReportKey) -> Bool { true }

    func carry(_ report: AttestedReport) {
        do {
            let label = try ReportLabel(encoded: report.report.metadata)
            if label.format == .retirement { return try keep(retirement: report) }
            guard label.feedID != nil else { return }
            let context = try ReportContext(
                configurationDigest: observer.configuration.configurationDigest,
                sequenceNumber: report.key.sequenceNumber, donID: observer.configuration.donID)
            let full = try FullReport(
                context: context, blob: report.report.bytes,
                signatures: try report.signatures.map { try Signature(bytes: $0.signature) })
            shared.withLock { $0.reports += 1 }
            courier.carry(
                ReportBatch.Item(
                    fullReport: full.encoded,
                    observationsTimestampNanoseconds: label.observationTimestampNanoseconds))
        } catch {
            shared.withLock { $0.malformed += 1 }
            logger.error("a signed report cannot be sent", metadata: ["error": "\(error)"])
        }
    }

    /// For the successor; every further one of this instance says the same.
    private func keep(retirement report: AttestedReport) throws {
        let isFirst = shared.withLock { state in
            defer { state.toldRetirement = true }
            return !state.toldRetirement
        }
        guard isFirst else { return }
        let signatures = try report.signatures.map { item in
            AttestedRetirement.SignerSignature(
                signer: UInt8(item.signer), signature: try Signature(bytes: item.signature))
        }
        lifeCycle.retired(
            AttestedRetirement(
                report: report.report.bytes, sequenceNumber: report.key.sequenceNumber, signatures: signatures))
    }

    func restored(outcome: [UInt8]) { note(0, outcome) }

    func committed(sequenceNumber: UInt64, outcome: [UInt8]) { note(sequenceNumber, outcome) }

    private func note(_ sequenceNumber: UInt64, _ bytes: [UInt8]) {
        guard !bytes.isEmpty,
            let outcome = try? StreamsOutcome(encoded: bytes, known: observer.configuration.channels)
        else { return }
        shared.withLock { state in
            state.stage = outcome.stage
            state.sequenceNumber = sequenceNumber
            state.observationTimestampNanoseconds = outcome.observationTimestampNanoseconds
            // A round of before the restart makes nobody ready: peers may not be connected yet.
            if sequenceNumber > 0 { state.committedAt = GatewayNode.now() }
            state.channels = outcome.definitions.count
            // An outcome that was restored says nothing of this clock: nothing was observed for it in this process.
            if sequenceNumber > 0 {
                state.clock.committed(sequenceNumber, median: outcome.observationTimestampNanoseconds)
            }
        }
        let isNews = shared.withLock { state in
            defer { state.toldStage = outcome.stage }
            return state.toldStage != outcome.stage
        }
        if isNews { lifeCycle.entered(outcome.stage) }
    }
}

extension ClockReading {
    static func now() -> ClockReading {
        // The steady clock goes on while the machine sleeps, as the other one does.
        var steady = timespec()
        clock_gettime(CLOCK_BOOTTIME, &steady)
        return ClockReading(
            wall: GatewayNode.now(), steady: UInt64(steady.tv_sec) * 1_000_000_000 + UInt64(steady.tv_nsec))
    }
}

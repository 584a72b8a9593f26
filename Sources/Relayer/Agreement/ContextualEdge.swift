// The edge of a shelled plugin: takes the shell off what agreement says, and puts it on what is observed.

import Agreement
import OffchainReporting
import Synchronization

/// The base of sequence numbers in report contexts of one instance: 0 until the cluster has agreed on it.
final class ContextBase: Sendable {
    private let shared = Mutex<UInt64>(0)

    var value: UInt64 { shared.withLock { $0 } }
    func set(_ value: UInt64) { shared.withLock { $0 = value } }

    /// The sequence number of the chain as one of agreement; 0 for those of earlier instances.
    func relative(_ onChain: UInt64) -> UInt64 {
        let base = value
        return onChain > base ? onChain - base : 0
    }
}

final class ContextualEdge: PluginEdge {
    private let inner: any PluginEdge
    private let base: ContextBase
    /// `getLatestPriceSequenceNumber` of the OffRamp.
    private let latest: @Sendable () async throws -> UInt64

    init(_ inner: any PluginEdge, base: ContextBase, latest: @escaping @Sendable () async throws -> UInt64) {
        self.inner = inner
        self.base = base
        self.latest = latest
    }

    private func opened(_ outcome: [UInt8]) -> [UInt8] {
        guard let outcome = ContextualOutcome(encoded: outcome) else { return [] }
        base.set(outcome.base)
        return outcome.inner
    }

    func observe(previousOutcome: [UInt8], sequenceNumber: UInt64) async throws -> [UInt8] {
        let previous = opened(previousOutcome)
        let number = previousOutcome.isEmpty ? try await latest() : nil
        let own = try await inner.observe(previousOutcome: previous, sequenceNumber: sequenceNumber)
        return ContextualObservation(latest: number, inner: own).encoded
    }

    func shouldAccept(_ report: Report, _ key: ReportKey) async -> Bool? {
        await inner.shouldAccept(Self.opened(report), key)
    }

    func shouldTransmit(_ report: Report, _ key: ReportKey) async -> Bool? {
        await inner.shouldTransmit(Self.opened(report), key)
    }

    /// The report with the metadata that its own plugin gave it.
    private static func opened(_ report: Report) -> Report {
        Report(bytes: report.bytes, metadata: Array(report.metadata.dropFirst(8)))
    }

    func transmit(_ report: AttestedReport) async { await inner.transmit(report) }
    func restored(outcome: [UInt8]) { inner.restored(outcome: opened(outcome)) }

    func committed(sequenceNumber: UInt64, outcome: [UInt8]) {
        inner.committed(sequenceNumber: sequenceNumber, outcome: opened(outcome))
    }
}

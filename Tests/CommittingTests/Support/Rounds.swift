// Plays rounds of one cluster by hand: observations of all oracles in, outcome and report out.

import CCIP
import Committing
import Ethereum
import OffchainReporting
import Testing

@testable import Committing

/// Too many observations were refused or missing.
struct NoQuorum: Error { let refused: [Int: String] }

struct Rounds {
    let configuration: CommitConfiguration
    let plugin: CommitPlugin
    var sequenceNumber: UInt64 = 0
    var outcome: Bytes = []
    var notes: [CommitNote] = []
    var lastReports: [Report] = []
    /// Observations that were refused in the last round, by observer.
    var refused: [Int: String] = [:]

    init(_ configuration: CommitConfiguration) {
        self.configuration = configuration
        plugin = CommitPlugin(configuration: configuration)
    }

    var state: CommitOutcome { get throws { try CommitOutcome(encoded: outcome) } }
    var context: RoundContext {
        RoundContext(sequenceNumber: sequenceNumber + 1, previousOutcome: outcome, query: [])
    }
    var digest: Digest { get throws { try #require(Digest(keccak256(text: "configuration").bytes)) } }

    func observer(_ index: Int) -> CommitObserver { CommitObserver(configuration: configuration, ownIndex: index) }

    func observe(_ index: Int, _ snapshot: CommitSnapshot) throws -> CommitObservation {
        let (observation, notes) = try observer(index).observe(previousOutcome: outcome, snapshot: snapshot)
        #expect(notes.allSatisfy { $0.isWellFormed && $0.kind.stage == .observation }, "\(notes)")
        return observation
    }

    /// One round in which each oracle sees its snapshot and may change what it says.
    @discardableResult
    mutating func play(
        _ snapshots: [CommitSnapshot?], lie: (Int, inout CommitObservation) -> Void = { _, _ in }
    ) throws -> CommitReport? {
        var items: [(Int, Bytes)] = []
        for (index, snapshot) in snapshots.enumerated() {
            guard let snapshot else { continue }
            var observation = try observe(index, snapshot)
            lie(index, &observation)
            items.append((index, observation.encoded))
        }
        return try play(items)
    }

    /// All see the same.
    @discardableResult
    mutating func play(_ world: World) throws -> CommitReport? {
        try play([CommitSnapshot?](repeating: world.snapshot(), count: configuration.oracleCount))
    }

    mutating func play(_ items: [(Int, Bytes)]) throws -> CommitReport? {
        refused = [:]
        var accepted: [AttributedObservation] = []
        for (observer, bytes) in items {
            let item = AttributedObservation(observer: observer, observation: bytes)
            do {
                try plugin.validateObservation(item, in: context)
                accepted.append(item)
            } catch { refused[observer] = "\(error)" }
        }
        guard plugin.observationQuorum(accepted, in: context) else { throw NoQuorum(refused: refused) }
        notes = try plugin.progress(accepted, in: context).notes
        #expect(notes.allSatisfy { $0.isWellFormed && $0.kind.stage == .outcome }, "\(notes)")
        outcome = try plugin.outcome(accepted, in: context)
        sequenceNumber += 1
        let reports = try plugin.reports(sequenceNumber: sequenceNumber, outcome: outcome)
        #expect(reports.count <= 1 || (reports.count == 2 && (try? state.priceTrouble) != nil))
        lastReports = reports
        return try reports.first.map { try CommitReport(encoded: $0.bytes) }
    }

    func has(_ kind: CommitNote.Kind) -> Bool { notes.contains { $0.kind == kind } }
}

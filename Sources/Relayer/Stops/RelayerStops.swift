// The stops of one relayer from outside its processes: what stands still, and how a person lifts it. Looking needs no lock;
// lifting takes the lock of each store, so that no process goes on from a memory that its store no longer has.

import CCIP
import ChainAccess
import Configuration
import Ethereum
import Foundation
import Logging
import Storage

/// Behind `causeway relayer stops` and `causeway relayer resume`.
package struct RelayerStops: Sendable {
    package struct Entry: Equatable, Sendable {
        package let role: RelayerRole
        package let stop: Stop
    }

    package struct Contradiction: Equatable, Sendable {
        package let role: RelayerRole
        package let evidence: Evidence
        /// By the cluster file.
        package let accused: String
    }

    package struct Overview: Sendable {
        /// Every stop there ever was, oldest first within a store.
        package let entries: [Entry]
        package let contradictions: [Contradiction]

        package var standing: [Entry] { entries.filter(\.stop.stands) }
    }

    package let settings: RelayerSettings
    /// Processes whose stores are looked at.
    package let roles: [RelayerRole]

    package init(settings: RelayerSettings, role: RelayerRole = .both) {
        self.settings = settings
        roles = role == .both ? [.committing, .executing] : [role]
    }

    // MARK: Looking

    /// Beside a running process, too. Throws `store` when the relayer has never run here.
    package func overview() throws -> Overview {
        var entries: [Entry] = []
        var contradictions: [Contradiction] = []
        for (role, path) in try stores() {
            let report = try StopReport(reading: path)
            entries += report.stops.map { Entry(role: role, stop: $0) }
            contradictions += report.evidence.map { evidence in
                let names = settings.cluster.relayers.map(\.name)
                let isKnown = names.indices.contains(evidence.accused)
                return Contradiction(
                    role: role, evidence: evidence,
                    accused: isKnown ? names[evidence.accused] : "oracle \(evidence.accused)")
            }
        }
        return Overview(entries: entries, contradictions: contradictions)
    }

    private func stores() throws(RelayerError) -> [(role: RelayerRole, path: String)] {
        let all = roles.map { ($0, RelayerNode.storePath(settings, $0)) }
        let found = all.filter { FileManager.default.fileExists(atPath: $0.1) }
        guard !found.isEmpty else {
            throw RelayerError(
                .store, "\(settings.relayer) has no store in \(settings.dataDirectory)",
                hint: "a store is made by the first `causeway relayer --config FILE --role ROLE`; is this the right file?")
        }
        return found
    }

    // MARK: Lifting

    /// Lifts every stop of that name in all stores, or throws and lifts none: `storeHeld`, `unknownStop`, `settings`.
    /// The record of each stays, with name, time and reason.
    package func resume(
        _ name: String, by operatorName: String, why: String, logger: Logger
    ) throws -> [Entry] {
        let why = why.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !why.isEmpty, why.utf8.count <= Storage.Limits.stopReasonBytesMaximum else {
            throw RelayerError(
                .settings, "a reason of 1 to \(Storage.Limits.stopReasonBytesMaximum) bytes is needed",
                hint: "say what was found out, and why going on is safe: it is kept with the stop")
        }
        var opened: [(role: RelayerRole, store: Store)] = []
        defer { for item in opened { try? item.store.close() } }
        for (role, path) in try stores() { opened.append((role, try open(path, role, logger))) }
        let scope = scope(of: name)
        let standing = try opened.map { ($0.role, $0.store, try $0.store.activeStops()) }
        let wanted = standing.map { ($0.0, $0.1, $0.2.filter { $0.scope == name || $0.scope == scope }) }
        guard wanted.contains(where: { !$0.2.isEmpty }) else {
            throw unknown(name, standing.flatMap(\.2).map(\.scope))
        }
        var lifted: [Entry] = []
        for (role, store, stops) in wanted {
            for stop in stops {
                guard try store.clearStop(scope: stop.scope, kind: stop.kind, by: operatorName, why: why) else { continue }
                let record = try store.stopHistory().last { $0.scope == stop.scope && $0.kind == stop.kind }
                lifted.append(Entry(role: role, stop: record ?? stop))
            }
        }
        return lifted
    }

    private func open(_ path: String, _ role: RelayerRole, _ logger: Logger) throws -> Store {
        do { return try Store(path: path, role: "\(settings.relayer) resume", logger: logger) } catch {
            guard error.code == .locked else { throw error }
            throw RelayerError(
                .storeHeld, "the \(role.rawValue) process of \(settings.relayer) runs: \(error.message)",
                hint: "end it (SIGTERM), lift the stop, and start it again: a running process keeps what it has stopped")
        }
    }

    private func unknown(_ name: String, _ scopes: [String]) -> RelayerError {
        let known = Set(scopes).sorted()
        let hint =
            if known.isEmpty {
                "nothing is stopped: `causeway relayer stops --config FILE --all` shows what was lifted before"
            } else if let nearest = Nearest.of(name, among: known) {
                "did you mean '\(nearest)'?"
            } else {
                "stopped are: \(known.joined(separator: ", "))"
            }
        return RelayerError(.unknownStop, "no stop stands under '\(name)'", hint: hint)
    }

    /// Chains may be named as anywhere: `lane/ethereum/jovay`, `chain/945045181441419236`.
    func scope(of name: String) -> String? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        func chain(_ text: String) -> ClusterSettings.Chain? {
            settings.cluster.chains.first {
                $0.name == text || "\($0.chainID)" == text || "\($0.selector)" == text
            }
        }
        switch (parts.first, parts.count) {
        case ("lane", 3):
            guard let source = chain(parts[1]), let destination = chain(parts[2]) else { return nil }
            return LaneStops.scope(LaneKey(source: source.selector, destination: destination.selector))
        case ("chain", 2): return chain(parts[1]).map { LogPoller.stopScope(chainID: $0.chainID) }
        default: return nil
        }
    }
}

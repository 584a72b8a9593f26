// causeway relayer stops: what a relayer does not go on with, since when, and why.

import ArgumentParser
import Configuration
import Ethereum
import Foundation
import Relayer
import Storage

/// Whose stores are meant.
struct RelayerStoreOptions: ParsableArguments {
    @Option(name: .long, help: "The relayer's file.")
    var config: String

    @Option(name: .long, help: "committing, executing or both: whose store.")
    var role = RelayerRole.both.rawValue

    func validate() throws {
        if RelayerRole(rawValue: role) == nil {
            throw ValidationError("--role is committing, executing or both, not '\(role)'")
        }
    }

    func stops() throws -> RelayerStops {
        var entries: [ConfigurationEntry] = []
        let settings = try RelayerSettings.load(
            path: config, environment: ProcessInfo.processInfo.environment, entries: &entries)
        return RelayerStops(settings: settings, role: RelayerRole(rawValue: role) ?? .both)
    }
}

struct RelayerStopsCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "stops",
        abstract: "List what a relayer has stopped: what, since when, why.",
        discussion: """
            A stop is written when something was seen that must not be: a finalized block that changed (chain/ID), guards that
            derive another root (lane/SOURCE/DESTINATION). It outlives restarts until a person lifts it with
            `causeway relayer resume`. Contradictory statements of other relayers are listed below; they stop nothing.

            Also works while the relayer runs. --all shows lifted stops, too, with who lifted them and why.

            Examples:
              causeway relayer stops --config relayer-0.yaml
              causeway relayer stops --config relayer-0.yaml --all --json
            """)
    static var path: String { "relayer stops" }

    @OptionGroup var store: RelayerStoreOptions

    @Flag(name: .long, help: "Lifted stops, too.")
    var all = false

    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let stops = try store.stops()
        let overview = try stops.overview()
        let shown = all ? overview.entries : overview.standing
        let json: JSON = [
            "relayer": .string(stops.settings.relayer), "stops": .array(shown.map(\.json)),
            "evidence": .array(overview.contradictions.map(\.json)),
        ]
        out.data(json) { text(shown, overview) }
        return .done
    }

    private func text(_ shown: [RelayerStops.Entry], _ overview: RelayerStops.Overview) -> String {
        var text = ""
        if shown.isEmpty {
            text = "nothing is stopped\n"
        } else {
            var table = Table(["stop", "process", "kind", "since", "why"] + (all ? ["lifted"] : []))
            for entry in shown {
                let row = [
                    entry.stop.scope, entry.role.rawValue, entry.stop.kind, StopText.time(entry.stop.raisedAt),
                    entry.stop.reason,
                ]
                table.add(row + (all ? [StopText.lifted(entry.stop)] : []))
            }
            text = table.text()
        }
        if let first = overview.standing.first {
            text += "\nlift one when you know why it stands:\n"
                + "  causeway relayer resume \(first.stop.scope) --config \(store.config) --reason TEXT\n"
        }
        if !overview.contradictions.isEmpty {
            var table = Table(["evidence against", "process", "kind", "seen"])
            for item in overview.contradictions {
                table.add(item.accused, item.role.rawValue, item.evidence.kind, StopText.time(item.evidence.seenAt))
            }
            text += "\n" + table.text()
        }
        return text
    }
}

enum StopText {
    static func time(_ seconds: UInt64) -> String {
        Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }

    static func lifted(_ stop: Stop) -> String {
        guard let at = stop.clearedAt else { return "stands" }
        return "\(time(at)) by \(stop.clearedBy ?? "somebody")" + (stop.clearedWhy.map { ": \($0)" } ?? "")
    }
}

extension RelayerStops.Entry {
    var json: JSON {
        let lifted: JSON = stop.clearedAt.map { at -> JSON in
            [
                "at": .integer(at), "by": stop.clearedBy.map { .string($0) } ?? .null,
                "why": stop.clearedWhy.map { .string($0) } ?? .null,
            ]
        } ?? .null
        return [
            "stop": .string(stop.scope), "role": .string(role.rawValue), "kind": .string(stop.kind),
            "why": .string(stop.reason), "since": .integer(stop.raisedAt), "lifted": lifted,
        ]
    }
}

extension RelayerStops.Contradiction {
    var json: JSON {
        [
            "relayer": .string(accused), "role": .string(role.rawValue), "kind": .string(evidence.kind),
            "instance": .data(evidence.instance), "seen": .integer(evidence.seenAt),
        ]
    }
}

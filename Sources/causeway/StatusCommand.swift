// causeway status: what of a local network runs, and whether it is ready.

import ArgumentParser
import Ethereum
import Localnet

struct StatusCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show which processes of a local network run and are ready.",
        discussion: """
            Exits with 0 when every process is ready, with 6 when one is not.

            Examples:
              causeway status
              causeway status --json --network ./data
            """)

    @OptionGroup var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    struct Entry: Sendable {
        let name: String
        let role: String
        let pid: Int?
        let port: Int
        let log: String
        /// running, notReady or down
        var state: String
        var detail: String
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let document = try network.known()
        let isSupervised = document.isSupervised
        var entries: [Entry] = []
        for entry in Self.entries(document) { entries.append(await Self.probe(entry)) }
        let isWell = isSupervised && document.state == .running && entries.allSatisfy { $0.state == "running" }
        out.data(json(document, entries, isSupervised, isWell)) { text(document, entries, isSupervised) }
        return isWell ? .done : .checkFailed
    }

    private static func entries(_ document: NetworkDocument) -> [Entry] {
        // The chains of a cluster are somebody else's.
        let chains = document.kind == .cluster ? [] : document.chains
        var entries = chains.map { chain in
            Entry(
                name: chain.name, role: "chain", pid: chain.pid,
                port: chain.rpc.split(separator: ":").last.flatMap { Int($0) } ?? 0, log: chain.log, state: "down",
                detail: "")
        }
        for relayer in document.relayers {
            for role in NetworkDocument.roles {
                entries.append(
                    Entry(
                        name: relayer.name, role: role, pid: relayer.pids[role], port: relayer.ports.http(role),
                        log: relayer.logs[role] ?? "", state: "down", detail: ""))
            }
        }
        entries += document.guards.map { node in
            Entry(
                name: node.name, role: "guard", pid: node.pid, port: node.ports.http, log: node.log, state: "down",
                detail: "")
        }
        if let attester = document.attester {
            entries.append(
                Entry(
                    name: "attester", role: "attestations", pid: attester.pid,
                    port: attester.api.split(separator: ":").last.flatMap { Int($0) } ?? 0, log: attester.log,
                    state: "down", detail: ""))
        }
        entries += (document.streams?.processes ?? []).map { role, process in
            Entry(
                name: process.name, role: role, pid: process.pid, port: process.http, log: process.log, state: "down",
                detail: "")
        }
        return entries
    }

    private static func probe(_ entry: Entry) async -> Entry {
        var entry = entry
        guard let pid = entry.pid, ProcessTable.isRunning(pid) else {
            entry.detail = "no such process"
            return entry
        }
        let answer = await HTTPProbe.get(port: entry.port, path: "/ready")
        entry.state = answer?.status == 200 ? "running" : "notReady"
        if answer?.status != 200 {
            entry.detail = answer.map { "\($0.status) \($0.body.split(separator: "\n").first ?? "")" } ?? "no answer"
        }
        return entry
    }

    private func json(
        _ document: NetworkDocument, _ entries: [Entry], _ isSupervised: Bool, _ isWell: Bool
    ) -> JSON {
        [
            "well": .bool(isWell),
            "supervised": .bool(isSupervised),
            "state": .string(document.state.rawValue),
            "dataDirectory": .string(document.dataDirectory),
            "pid": .integer(document.pid),
            "processes": .array(
                entries.map { entry in
                    [
                        "name": .string(entry.name), "role": .string(entry.role),
                        "pid": entry.pid.map { .integer($0) } ?? .null, "port": .integer(entry.port),
                        "state": .string(entry.state), "detail": .string(entry.detail), "log": .string(entry.log),
                    ]
                }),
        ]
    }

    private func text(_ document: NetworkDocument, _ entries: [Entry], _ isSupervised: Bool) -> String {
        var table = Table(["name", "role", "pid", "port", "state", ""])
        for entry in entries {
            let state = Terminal.data.paint(entry.state, entry.state == "running" ? .green : .red)
            table.add(
                entry.name, entry.role, entry.pid.map { "\($0)" } ?? "-", "\(entry.port)", state, entry.detail)
        }
        let head = isSupervised ? "process \(document.pid)" : "its supervisor is gone"
        return "network in \(document.dataDirectory), \(head)\n\n" + table.text()
    }
}

// causeway relayer run: one process of a relayer, until it is told to end.

import ArgumentParser
import Configuration
import Ethereum
import Foundation
import Localnet
import Logging
import Relayer

struct RelayerRunCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run one process of a relayer from its configuration file.",
        discussion: """
            Writes one line to stdout for each node when its HTTP port is bound, and logs to stderr. SIGTERM and SIGINT end it
            in order. The word run may be left out.

            Examples:
              causeway relayer run --config relayer-0.yaml --role committing
              causeway relayer --config relayer-0.yaml --role both
            """)
    static var path: String { "relayer" }

    @Option(name: .long, help: "The relayer's file.")
    var config: String

    @Option(name: .long, help: "committing, executing or both.")
    var role: String

    @Flag(name: .long, help: "The store of this oracle is lost: listen without voting until it is safe to vote again.")
    var storeLost = false

    @Option(name: .long, help: "Least log level; the file's when not given.")
    var logLevel: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if RelayerRole(rawValue: role) == nil {
            throw ValidationError("--role is committing, executing or both, not '\(role)'")
        }
        if let logLevel, Logger.Level(rawValue: logLevel) == nil {
            throw ValidationError("'\(logLevel)' is no log level: \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
        }
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        guard let role = RelayerRole(rawValue: role) else { return .usage }
        var entries: [ConfigurationEntry] = []
        let settings = try RelayerSettings.load(
            path: config, environment: ProcessInfo.processInfo.environment, entries: &entries)
        var log = LogOptions()
        log.logLevel = logLevel ?? settings.logLevel.rawValue
        let process = try RelayerProcess(settings: settings, role: role, logger: log.bootstrap())
        let signals = Signals()
        let isStoreLost = storeLost
        let running = Task {
            try await process.run(isStoreLost: isStoreLost) { role, port in
                let line: JSON = [
                    "listening": true, "relayer": .string(settings.relayer), "role": .string(role.rawValue),
                    "port": .integer(port), "pid": .integer(ProcessInfo.processInfo.processIdentifier),
                ]
                Terminal.writeData(line.text + "\n")
            }
        }
        let ending = Task {
            let number = await signals.first()
            out.talk("\(Signals.name(number)): ending")
            running.cancel()
        }
        defer { ending.cancel() }
        do {
            try await running.value
        } catch is CancellationError {
            return .done
        }
        return .done
    }
}

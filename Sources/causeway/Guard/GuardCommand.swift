// causeway guard: one guard of a cluster, until it is told to end.

import ArgumentParser
import Configuration
import Ethereum
import Foundation
import Logging
import Watcher

struct GuardCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "guard",
        abstract: "Run one guard: it watches both ends of every lane and signs the roots that it finds right itself.",
        discussion: """
            A guard reads the chains through endpoints of its own, derives ids, leaves and roots by code of its own, and signs
            what relayers ask for only when it agrees. It can withhold, and nothing else. docs/operate/guard.md tells how to run
            one, docs/reference/guard-config.md explains the file.

            --resume lifts the stops of a scope in your name (/status lists them), --reason is kept with their record; --reread
            reads all logs again, what was signed stays.

            Examples:
              causeway guard --config guard-0.yaml
              causeway guard --config guard-0.yaml --resume lane/16015286601757825753/945045181441419236 --reason "..."
              causeway guard --config guard-0.yaml --reread --log-level debug
            """)

    @Option(name: .long, help: ArgumentHelp("The guard's file.", valueName: "guard.yaml"))
    var config: String

    @Option(name: .long, help: ArgumentHelp("Lift the stops of this scope first; may be given several times.", valueName: "scope"))
    var resume: [String] = []

    @Option(name: .long, help: ArgumentHelp("Why it is safe to lift them.", valueName: "text"))
    var reason: String?

    @Flag(name: .long, help: "Read all logs again from the start block of each chain.")
    var reread = false

    @Option(name: .long, help: "Least log level; the file's when not given.")
    var logLevel: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if reason != nil, resume.isEmpty { throw ValidationError("--reason belongs to --resume") }
        if let logLevel, Logger.Level(rawValue: logLevel) == nil {
            throw ValidationError("'\(logLevel)' is no log level: \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
        }
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        var entries: [ConfigurationEntry] = []
        let settings = try GuardSettings.load(
            path: config, environment: ProcessInfo.processInfo.environment, entries: &entries)
        var log = LogOptions()
        log.logLevel = logLevel ?? settings.logLevel.rawValue
        let process = try GuardProcess(
            settings: settings, rereads: reread, resumed: resume, operatorName: NSUserName(), reason: reason,
            logger: log.bootstrap())
        let signals = Signals()
        let running = Task {
            try await process.run { port in
                let line: JSON = [
                    "listening": true, "guard": .string(settings.name), "port": .integer(port),
                    "pid": .integer(ProcessInfo.processInfo.processIdentifier),
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
        do { try await running.value } catch is CancellationError { return .done }
        return .done
    }
}

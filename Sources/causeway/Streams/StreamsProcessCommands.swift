// causeway streams oracle and gateway: one process of a DON, until it is told to end.

import ArgumentParser
import Configuration
import Ethereum
import Foundation
import Logging
import MessageBus
import StreamsNode

struct StreamsProcessOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The process's file.", valueName: "file.yaml"))
    var config: String

    @Option(name: .long, help: "Least log level; the file's when not given.")
    var logLevel: String?

    func validate() throws {
        if let logLevel, Logger.Level(rawValue: logLevel) == nil {
            throw ValidationError("'\(logLevel)' is no log level: \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
        }
    }

    func logger(_ settings: ProcessSettings) -> Logger {
        var log = LogOptions()
        log.logLevel = logLevel ?? settings.logLevel.rawValue
        return log.bootstrap()
    }

    /// Runs until a signal comes.
    func run(_ out: CommandOutput, _ body: @escaping @Sendable () async throws -> Void) async throws -> ExitStatus {
        let signals = Signals()
        let running = Task { try await body() }
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

struct StreamsOracleCommand: CausewayCommand {
    static let path = "streams oracle"
    static let configuration = CommandConfiguration(
        commandName: "oracle",
        abstract: "Run one oracle of a DON from its file.",
        discussion: """
            An oracle reads its sources, agrees with the others on every value, and signs reports that contracts can verify.
            docs/reference/streams-config.md explains the files, docs/operate/streams.md how a DON is run.

            Examples:
              causeway streams oracle --config oracle-0.yaml
              causeway streams oracle --config oracle-0.yaml --store-lost
            """)

    @OptionGroup var process: StreamsProcessOptions
    @Flag(name: .long, help: "The store of this oracle is lost: listen without voting until it is safe to vote again.")
    var storeLost = false
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        var entries: [ConfigurationEntry] = []
        let settings = try OracleSettings.load(
            path: process.config, environment: ProcessInfo.processInfo.environment, entries: &entries)
        let oracle = try OracleProcess(settings: settings, logger: process.logger(settings.process))
        let isStoreLost = storeLost
        return try await process.run(out) {
            try await oracle.run(isStoreLost: isStoreLost) { port in
                let line: JSON = [
                    "listening": true, "oracle": .string(settings.process.name), "port": .integer(port),
                    "pid": .integer(ProcessInfo.processInfo.processIdentifier),
                ]
                Terminal.writeData(line.text + "\n")
            }
        }
    }
}

struct StreamsGatewayCommand: CausewayCommand {
    static let path = "streams gateway"
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Run one gateway of a DON from its file.",
        discussion: """
            A gateway checks every report once, publishes it over ZeroMQ, serves it over REST and WebSocket, and keeps its
            history. It holds no signing key. docs/reference/price-feed.md tells how to subscribe, docs/reference/streams-api.md
            what the API answers.

            Examples:
              causeway streams gateway --config gateway-east.yaml
            """)

    @OptionGroup var process: StreamsProcessOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        var entries: [ConfigurationEntry] = []
        let settings = try GatewaySettings.load(
            path: process.config, environment: ProcessInfo.processInfo.environment, entries: &entries)
        let gateway = try GatewayProcess(settings: settings, logger: process.logger(settings.process))
        return try await process.run(out) {
            try await gateway.run { port in
                let line: JSON = [
                    "listening": true, "gateway": .string(settings.process.name), "port": .integer(port),
                    "feed": .string("\(gateway.node.publisher.feedEndpoint)"),
                    "requests": .string("\(gateway.node.publisher.requestEndpoint)"),
                    "pid": .integer(ProcessInfo.processInfo.processIdentifier),
                ]
                Terminal.writeData(line.text + "\n")
            }
        }
    }
}

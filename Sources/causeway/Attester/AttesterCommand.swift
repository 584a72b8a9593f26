// causeway attester: a stand-in for Circle's attestation service, until it is told to end.

import ArgumentParser
import Configuration
import Ethereum
import Foundation
import Localnet

struct AttesterCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "attester",
        abstract: "Run a stand-in for Circle's attestation service, with keys that everyone knows.",
        discussion: """
            Watches the MessageTransmitters that its file names up to each chain's finalized block, and answers as the real
            service: GET /v1/attestations/HASH, GET /v2/messages/DOMAIN?transactionHash=HASH, POST /v2/reattest/NONCE,
            GET /v2/publicKeys. GET /faults shows how it misbehaves, POST /faults sets it. `causeway up --tokens all` starts
            one. docs/operate/attester.md explains file and faults.

            Examples:
              causeway attester --config attester.yaml
              causeway attester --config attester.yaml --addresses
              curl -d '{"delayMilliseconds": 5000, "lostQuestions": 3}' http://127.0.0.1:19100/faults
            """)

    @Option(name: .long, help: ArgumentHelp("The service's file.", valueName: "attester.yaml"))
    var config: String

    @Flag(name: .long, help: "Only print the attesters' addresses, as a deployment file wants them.")
    var addresses = false

    @OptionGroup var log: LogOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        guard let bytes = Files.read(config, maximum: 1 << 20) else {
            throw CommandFailure("fileMissing", "no readable file \(config)", hint: "causeway up --tokens all writes one")
        }
        let settings = try AttesterSettings(
            yaml: String(decoding: bytes, as: UTF8.self), file: config, environment: ProcessInfo.processInfo.environment)
        let process = try AttesterProcess(settings: settings, logger: log.bootstrap())
        let list = process.addresses.map(\.checksummed)
        if addresses {
            out.data(["attesters": .array(list.map { .string($0) }), "threshold": .integer(settings.threshold)]) {
                list.map { $0 + "\n" }.joined()
            }
            return .done
        }
        let signals = Signals()
        let running = Task {
            try await process.run { port in
                let line: JSON = [
                    "listening": true, "port": .integer(port),
                    "pid": .integer(ProcessInfo.processInfo.processIdentifier),
                    "attesters": .array(list.map { .string($0) }),
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

// What `causeway check` says of the price streams: the files of oracles and gateways, whether their keys are those of
// streams.yaml, and whether all of them read the same one.

import Configuration
import Ethereum
import Foundation
import Localnet
import MessageBus
import PriceStreams
import StreamsNode

struct StreamsChecks {
    /// One file of an oracle or a gateway.
    let file: String
    let kind: ConfigurationKind
    /// The digest that the others have; nil when this is the first.
    let digest: Hash32?

    /// Nil for a file of another kind.
    init?(file: String, digest: Hash32? = nil) {
        guard let text = try? SettingsFile.read(file),
            let kind = try? ConfigurationFiles.kind(of: text, file: file), kind == .oracle || kind == .gateway
        else { return nil }
        self.file = file
        self.kind = kind
        self.digest = digest
    }

    private var environment: [String: String] { ProcessInfo.processInfo.environment }

    func run() -> (results: [CheckResult], digest: Hash32?) {
        do {
            var entries: [ConfigurationEntry] = []
            if kind == .oracle {
                let settings = try OracleSettings.load(path: file, environment: environment, entries: &entries)
                let told = try configuration(settings.process, "\(settings.sources.count) sources")
                return ([told.0, keys(settings.process) { try "signer \(OracleKeys.open(settings).reportSigner.address)" }], told.1)
            }
            let settings = try GatewaySettings.load(path: file, environment: environment, entries: &entries)
            let told = try configuration(settings.process, "\(settings.retentionDays) days of history")
            return ([told.0, keys(settings.process) { try "CURVE \(StreamsKeyFile.gateway(settings).publicKey.z85)" }], told.1)
        } catch {
            let failure = CommandFailure(error)
            return ([.bad(file, "configuration", failure.message, hint: failure.hint)], nil)
        }
    }

    private func configuration(_ process: ProcessSettings, _ more: String) throws -> (CheckResult, Hash32) {
        let streams = process.streams
        let own = try streams.configurationDigest()
        if let digest, digest != own {
            return (
                .bad(
                    process.name, "configuration", "\(file): the digest is \(own), that of the others \(digest)",
                    hint: "give all processes of a DON the same streams.yaml"), own
            )
        }
        let words = "\(file): \(streams.oracles.count) oracles, \(streams.feeds.count) feeds, \(more)"
        return (.good(process.name, "configuration", words), own)
    }

    private func keys(_ process: ProcessSettings, _ open: () throws -> String) -> CheckResult {
        do { return .good(process.name, "streams keys", try open()) } catch {
            let failure = CommandFailure(error)
            return .bad(process.name, "streams keys", failure.message, hint: failure.hint)
        }
    }

    /// All files of a network, each held against the first one.
    static func all(_ files: [String]) -> [CheckResult] {
        var results: [CheckResult] = []
        var digest: Hash32?
        for file in files {
            guard let checks = StreamsChecks(file: file, digest: digest) else {
                results.append(.bad(file, "configuration", "no file of an oracle or a gateway", hint: "causeway up writes it"))
                continue
            }
            let (found, own) = checks.run()
            results += found
            digest = digest ?? own
        }
        return results
    }
}

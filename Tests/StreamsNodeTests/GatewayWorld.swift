// A whole gateway in this process with oracles whose keys the test holds, and what a client of it was told.

import Configuration
import Ethereum
import Foundation
import JSONRPC
import Logging
import MessageBus
import PriceStreams
import Synchronization
import Testing

@testable import StreamsNode

/// Says nothing.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A gateway in a folder of its own, whose reports the test signs for the oracles.
final class GatewayWorld: Sendable {
    static let password = "gateway"
    let directory = APILimitsTests.folder()
    let signers = (0..<4).map { _ in PrivateKey.random() }
    let settings: GatewaySettings
    let ether: FeedID
    let bitcoin: FeedID
    let start = GatewayNode.now() / 1_000_000_000 - 100
    let key = APIKeyStore.random(user: "desk", feeds: nil, nowMilliseconds: 1)

    init() throws {
        let curve = try CurveKeyPair.generate()
        let secret = Secret(Bytes(Self.password.utf8))
        try SettingsFile.makeDirectory("\(directory)/keys")
        let sealed = try KeyFile.sealed(Secret(curve.secretKey.exposedBytes()), password: secret, work: .light).encoded
        #expect(
            FileManager.default.createFile(
                atPath: "\(directory)/keys/curve-streams.json", contents: Data(sealed), attributes: [.posixPermissions: 0o600]))
        var yaml = SourcesFixture.streamsYAML
            .replacing(String(repeating: "2", count: 40) + "\"", with: "PLACE\"")
            .replacing("\"PLACE\"", with: "'\(curve.publicKey.z85)'")
            .replacing("tcp://127.0.0.1:9600", with: "tcp://127.0.0.1:0")
        for (index, signer) in signers.enumerated() {
            yaml = yaml.replacing("0x00000000000000000000000000000000000000b\(index)", with: "\(signer.address)")
        }
        let own = """
            streams: streams.yaml
            gateway: g1
            dataDirectory: data
            keys: {directory: keys}
            http: 127.0.0.1:0
            feed: tcp://127.0.0.1:0
            requests: tcp://127.0.0.1:0
            plaintext: true
            """
        var entries: [ConfigurationEntry] = []
        settings = try GatewaySettings.load(
            path: "\(directory)/gateway.yaml", environment: ["CAUSEWAY_KEYS_PASSWORD": Self.password], entries: &entries
        ) { [yaml] path throws(ConfigurationError) in path.hasSuffix("streams.yaml") ? yaml : own }
        let feeds = settings.process.streams.feeds
        ether = try #require(feeds.first { $0.symbol == "ETH/USD" }).feedID
        bitcoin = try #require(feeds.first { $0.symbol == "BTC/USD" }).feedID
        try APIKeyStore.add(key, directory: settings.process.dataDirectory, password: secret, work: .light)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Both feeds' reports of one second, as two oracles sign them.
    func batch(_ second: UInt64) throws -> Bytes {
        let digest = try settings.process.streams.configurationDigest()
        let items = try [ether, bitcoin].map { feedID in
            let report = try PriceReport(
                header: ReportHeader(
                    feedID: feedID, validFrom: start + second, observations: start + second, expiresAt: start + 90_000),
                body: .v3(benchmarkPrice: Int192(3_000_000), bid: Int192(2_999_999), ask: Int192(3_000_001)))
            let context = try ReportContext(configurationDigest: digest, sequenceNumber: second + 1, donID: 1)
            let signed = signingDigest(blob: report.blob, context: context)
            let full = try FullReport(
                context: context, report: report, signatures: signers.prefix(2).map { $0.sign(digest: signed) })
            return ReportBatch.Item(
                fullReport: full.encoded, observationsTimestampNanoseconds: (start + second) * 1_000_000_000)
        }
        return ReportBatch(items).encoded
    }

    func withhold(_ feeds: [FeedID], _ isWithheld: Bool = true) throws {
        _ = try WithheldStore.change(
            feeds, isWithheld: isWithheld, directory: settings.process.dataDirectory, by: "ann", why: "a test",
            nowMilliseconds: 1)
    }

    /// Runs a gateway while `body` does.
    func run(_ body: (GatewayProcess, Int) async throws -> Void) async throws {
        let gateway = try GatewayProcess(settings: settings, logger: quiet)
        let port = Mutex(0)
        let running = Task { try await gateway.run { found in port.withLock { $0 = found } } }
        #expect(await soon { port.withLock { $0 } != 0 })
        do { try await body(gateway, port.withLock { $0 }) } catch {
            running.cancel()
            _ = try? await running.value
            throw error
        }
        running.cancel()
        _ = try? await running.value
    }

    func get(_ target: String, _ port: Int) async throws -> (status: Int, text: String) {
        let request = SignedRequest(
            method: "GET", target: target, key: key.key, timestamp: "\(GatewayNode.now() / 1_000_000)")
        let headers = [
            (SignedRequest.keyHeader, request.key), (SignedRequest.timestampHeader, request.timestamp),
            (SignedRequest.signatureHeader, request.signature(secret: key.secret)),
        ]
        let answer = try await HTTPFetch(timeoutMilliseconds: 10_000, logger: quiet).send(
            HTTPFetch.Request(headers: headers.map { .init($0.0, $0.1) }),
            to: try EndpointURL.parse("http://127.0.0.1:\(port)\(target)"))
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    func client(
        _ gateway: GatewayProcess, _ heard: Heard, feeds: [FeedID] = [],
        _ adjust: (inout StreamClientConfiguration) -> Void = { _ in }
    ) throws -> StreamClient {
        var configuration = StreamClientConfiguration(gateways: [
            .init(
                name: "g1", feed: gateway.node.publisher.feedEndpoint, requests: gateway.node.publisher.requestEndpoint,
                curve: nil)
        ])
        configuration.feeds = feeds
        configuration.verifier = try settings.process.streams.verifier()
        adjust(&configuration)
        return try StreamClient(configuration: configuration, logger: quiet) { heard.add($0) }
    }
}

func soon(_ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < end {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return condition()
}

/// What a client was told, a line each: the feed's number where one is meant.
final class Heard: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    func add(_ update: StreamUpdate) {
        let line: String? =
            switch update {
            case .report(let delivery): "report \(delivery.report.feedID.text.prefix(10)) \(delivery.report.header.observations)"
            case .withheld(let feed, let gateway): "withheld \(feed.text.prefix(10)) \(gateway)"
            case .released(let feed, let gateway): "released \(feed.text.prefix(10)) \(gateway)"
            case .uncovered(let feed, _, _): "uncovered \(feed.text.prefix(10))"
            case .refused(let reason, _): "refused \(reason)"
            default: nil
            }
        if let line { lines.withLock { $0.append(line) } }
    }
}

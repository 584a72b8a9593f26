// The kill switch of a feed: its file, and a whole gateway whose operator uses it: what subscribers, REST, metrics and a
// restart say of it.

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

private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

@Suite("Withheld feeds: the file")
struct WithheldFileTests {
    @Test("what is withheld is found by a running gateway, survives, and is told with who, when and why")
    func store() throws {
        let directory = APILimitsTests.folder()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func change(_ feeds: [FeedID], _ isWithheld: Bool, at time: UInt64) throws -> [FeedID] {
            try WithheldStore.change(
                feeds, isWithheld: isWithheld, directory: directory, by: "ann", why: "because \(time)", nowMilliseconds: time)
        }
        #expect(try WithheldStore.list(directory: directory).isEmpty)
        let store = try WithheldStore(directory: directory, logger: quiet)
        #expect(store.standing.isEmpty)
        #expect(try change([APIWorld.ether, APIWorld.gold], true, at: 1) == [APIWorld.ether, APIWorld.gold])
        #expect(try change([APIWorld.ether, APIWorld.fast], true, at: 2) == [APIWorld.fast], "withheld once")
        #expect(try store.refresh().map(\.feedID) == [APIWorld.ether, APIWorld.gold, APIWorld.fast])
        #expect(store.standing == [APIWorld.ether, APIWorld.gold, APIWorld.fast])
        #expect(try store.refresh().isEmpty)
        #expect(try change([APIWorld.gold, APIWorld.silent], false, at: 3) == [APIWorld.gold])
        let news = try store.refresh()
        #expect(news.map(\.feedID) == [APIWorld.gold])
        #expect(news.first?.released == .init(at: 3, by: "ann", why: "because 3") && news.first?.why == "because 1")
        #expect(store.standing == [APIWorld.ether, APIWorld.fast])
        #expect(try WithheldStore(directory: directory, logger: quiet).standing == store.standing, "after a restart")
        #expect(try WithheldStore.list(directory: directory).count == 3)
        let mode = try FileManager.default.attributesOfItem(atPath: store.path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)

        // Damaged, open to others, or gone: what is withheld stays so, and no gateway starts on a damaged file.
        let good = try Data(contentsOf: URL(fileURLWithPath: store.path))
        try Data("{".utf8).write(to: URL(fileURLWithPath: store.path), options: [])
        #expect(throws: StreamsNodeError.self) { _ = try store.refresh() }
        #expect(throws: StreamsNodeError.self) { _ = try WithheldStore(directory: directory, logger: quiet) }
        #expect(throws: StreamsNodeError.self) { _ = try change([APIWorld.gold], true, at: 4) }
        try good.write(to: URL(fileURLWithPath: store.path), options: [])
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: store.path)
        #expect(throws: ConfigurationError.self) { _ = try store.refresh() }
        try FileManager.default.removeItem(atPath: store.path)
        #expect(throws: StreamsNodeError.self) { _ = try store.refresh() }
        #expect(store.standing == [APIWorld.ether, APIWorld.fast])
    }

    @Test("a file of other contents is refused, and a full one forgets what is over")
    func malformed() throws {
        let good = """
            {"feed":"\(APIWorld.ether)","since":1,"by":"a","why":"b","released":null}
            """
        func file(_ items: String, version: Int = 1) throws -> WithheldFile {
            try WithheldFile(decoding: Bytes("{\"version\":\(version),\"withheld\":[\(items)]}".utf8))
        }
        #expect(try file(good).standing == [APIWorld.ether])
        #expect(try file("").entries.isEmpty)
        for items in [
            good + "," + good, "7", "{}", good.replacing("0x0003", with: "0x"), good.replacing("\"since\":1,", with: ""),
            good.replacing("null", with: "{}"), good.replacing(",\"released\":null", with: ""),
        ] {
            #expect(throws: StreamsNodeError.self) { _ = try file(items) }
        }
        #expect(throws: StreamsNodeError.self) { _ = try file(good, version: 2) }
        for text in ["", "[]", "{}", "{\"version\":1}"] {
            #expect(throws: StreamsNodeError.self) { _ = try WithheldFile(decoding: Bytes(text.utf8)) }
        }
        var full = WithheldFile()
        var news = full.withhold(APIWorld.gold, by: "a", why: String(repeating: "x", count: 5_000), at: 0)
        for time in UInt64(1)...(UInt64(Limits.withheldEntriesMaximum) + 50) {
            news = full.withhold(APIWorld.ether, by: "a", why: "b", at: time) && news
            news = full.release(APIWorld.ether, by: "a", why: "b", at: time) && news
        }
        #expect(news)
        #expect(full.entries.count == Limits.withheldEntriesMaximum)
        #expect(full.standing == [APIWorld.gold], "what stands is not forgotten")
        #expect(full.entries.first?.why.count == Limits.withheldTextCharacters)
        #expect(try WithheldFile(decoding: full.encoded) == full)
    }
}

/// A gateway in a folder of its own, whose reports the test signs for the oracles.
private final class GatewayWorld: Sendable {
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

    func client(_ gateway: GatewayProcess, _ heard: Heard, feeds: [FeedID] = []) throws -> StreamClient {
        var configuration = StreamClientConfiguration(gateways: [
            .init(
                name: "g1", feed: gateway.node.publisher.feedEndpoint, requests: gateway.node.publisher.requestEndpoint,
                curve: nil)
        ])
        configuration.feeds = feeds
        configuration.verifier = try settings.process.streams.verifier()
        return try StreamClient(configuration: configuration, logger: quiet) { heard.add($0) }
    }
}

private func soon(_ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < end {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return condition()
}

/// What a client was told, a line each: the feed's number where one is meant.
private final class Heard: Sendable {
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

@Suite("Withheld feeds: a gateway", .serialized, .timeLimit(.minutes(2)))
struct WithholdingTests {
    @Test("a withheld feed is published to nobody, subscribers are told, the past stays, and a release lets it go on")
    func gateway() async throws {
        let world = try GatewayWorld()
        let (ether, bitcoin) = (world.ether.text.prefix(10), world.bitcoin.text.prefix(10))
        let latest = "/api/v1/reports/latest?feedID=\(world.ether)"
        try await world.run { gateway, port in
            let node = gateway.node
            let heard = Heard()
            let client = try world.client(gateway, heard)
            defer { client.stop() }
            #expect(await soon { node.publisher.statistics.subscriptions == 2 })
            node.take(try world.batch(1), receivedAt: GatewayNode.now())
            #expect(await soon { heard.all.count == 2 })
            let before = try await world.get(latest, port)
            #expect(before.status == 200)

            try world.withhold([world.ether])
            #expect(await soon { node.withheldFeeds == [world.ether] })
            node.take(try world.batch(2), receivedAt: GatewayNode.now())
            node.take(try world.batch(3), receivedAt: GatewayNode.now())
            #expect(await soon { heard.all.contains("report \(bitcoin) \(world.start + 3)") })
            #expect(await soon { heard.all.contains("withheld \(ether) g1") })
            #expect(node.counts.withheld == 2 && node.counts.published == 4)
            #expect(heard.all.filter { $0.hasPrefix("report \(ether)") }.count == 1)
            #expect(heard.all.filter { $0.hasPrefix("withheld") }.count == 1, "told once, though heartbeats repeat it")
            #expect(!heard.all.contains { $0.hasPrefix("withheld \(bitcoin)") })

            let refused = try await world.get(latest, port)
            #expect(refused.status == 404 && refused.text.contains("withheld by its operator"))
            #expect(await soon { node.counts.stored == 4 })
            let past = try await world.get("/api/v1/reports/page?feedID=\(world.ether)&startTimestamp=1", port)
            #expect(past.status == 200 && past.text.contains("\(world.start + 1)") && !past.text.contains("\(world.start + 2)"))
            let bulk = try await world.get(
                "/api/v1/reports/bulk?feedIDs=\(world.ether),\(world.bitcoin)&timestamp=\(world.start + 3)", port)
            #expect(bulk.status == 206 && !bulk.text.contains(world.ether.text) && bulk.text.contains(world.bitcoin.text))
            let metrics = try await world.get("/metrics", port)
            #expect(metrics.text.contains("causeway_gateway_withheld_feeds 1\n"))
            #expect(metrics.text.contains("causeway_gateway_feed_withheld{feed=\"ETH/USD\",schema=\"v3\"} 1\n"))
            #expect(metrics.text.contains("causeway_gateway_feed_withheld{feed=\"BTC/USD\",schema=\"v3\"} 0\n"))
            #expect(!node.staleFeeds.contains(world.ether), "what is withheld is not stale")

            // Who comes late gets no newest report of it, and hears why.
            let late = Heard()
            let second = try world.client(gateway, late, feeds: [world.ether])
            defer { second.stop() }
            #expect(await soon { late.all == ["withheld \(ether) g1"] }, "\(late.all)")
        }
        // The gateway is started again: it is still withheld, before the first report comes.
        try await world.run { gateway, port in
            let node = gateway.node
            #expect(node.withheldFeeds == [world.ether])
            let heard = Heard()
            let client = try world.client(gateway, heard)
            defer { client.stop() }
            #expect(await soon { node.publisher.statistics.subscriptions == 2 })
            node.take(try world.batch(4), receivedAt: GatewayNode.now())
            #expect(await soon { heard.all.contains("report \(bitcoin) \(world.start + 4)") })
            #expect(await soon { heard.all.contains("withheld \(ether) g1") })
            #expect(node.counts.withheld == 1)
            let refused = try await world.get(latest, port)
            #expect(refused.status == 404)

            try world.withhold([world.ether], false)
            #expect(await soon { node.withheldFeeds.isEmpty })
            #expect(await soon { heard.all.contains("released \(ether) g1") })
            node.take(try world.batch(5), receivedAt: GatewayNode.now())
            #expect(await soon { heard.all.contains("report \(ether) \(world.start + 5)") })
            let after = try await world.get(latest, port)
            #expect(after.status == 200 && after.text.contains("\(world.start + 5)"))
            #expect(heard.all.filter { $0.hasPrefix("released") }.count == 1)
        }
    }
}

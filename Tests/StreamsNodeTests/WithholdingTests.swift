// The kill switch of a feed: its file, and a whole gateway whose operator uses it: what subscribers, REST, metrics and a
// restart say of it.

import Configuration
import Ethereum
import Foundation
import MessageBus
import PriceStreams
import Testing

@testable import StreamsNode

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

// The files: what a cluster says of its streams, what a relayer says of its gateways, the file of its key, and every
// mistake in them.

import Configuration
import Ethereum
import Foundation
import PriceStreams
import Testing

@testable import Relayer

@Suite("Prices of streams: settings")
struct StreamPriceSettingsTests {
    private static let link = StreamDON.link

    private static func read(_ text: String) throws -> ClusterSettings { try ClusterSettings(yaml: text, file: "cluster.yaml") }

    @Test("a token and a coin take their prices from streams; what is not said has defaults")
    func plain() throws {
        let don = try StreamDON()
        let cluster = try StreamClusters.cluster(
            don, link: "stream: \"\(Self.link)\", decimals: 18", native: "{stream: \"\(StreamDON.ether)\", maximumAgeSeconds: 90}")
        let (source, decimals) = try #require(cluster.linkSource)
        #expect(source == .init(feed: Self.link, maximumAgeSeconds: 60) && decimals == 18)
        #expect(cluster.chains[0].nativePrice == .init(feed: StreamDON.ether, maximumAgeSeconds: 90))
        #expect(cluster.chains[1].nativePrice == nil)
        let streams = try #require(cluster.priceStreams)
        #expect(streams.configurations.map(\.signers) == [don.keys.map(\.address)])
        #expect(streams.configurations.map(\.digest) == [don.digest] && streams.configurations[0].faulty == 1)
        #expect(streams.feeds.map(\.id) == [Self.link, StreamDON.ether].sorted())
        let feed = try #require(streams.feed(Self.link))
        #expect(feed.decimals == 18 && feed.hours == .always && feed.donID == 7 && feed.priceAgeMaximumSeconds == nil)
        #expect(feed.bounds == U256.one...U256.max && feed.spreadMaximumPPM == nil)
        #expect(cluster.takesStreamPrices && cluster.chains[0].tokenPrices[1].text.contains("\(Self.link)"))
        let without = try Self.read(try SettingsTests.cluster())
        #expect(without.priceStreams == nil && !without.takesStreamPrices)
    }

    @Test("everything about a feed can be said")
    func whole() throws {
        let share = StreamDON.share
        let cluster = try StreamClusters.cluster(
            try StreamDON(), link: StreamClusters.stream(share),
            feeds: [
                "id: \"\(share)\", don: 7, decimals: 18, hours: equities24x5, maximumPriceAgeSeconds: 20, "
                    + "spreadMaximumPPM: 5000, minimum: 10, maximum: \"1000000000000000000000000\""
            ])
        let feed = try #require(cluster.priceStreams?.feed(share))
        #expect(feed.hours == .equities24x5 && feed.priceAgeMaximumSeconds == 20 && feed.spreadMaximumPPM == 5_000)
        #expect(feed.bounds.lowerBound == 10 && feed.bounds.upperBound.decimal == "1000000000000000000000000")
    }

    private static func id(_ version: String) -> String { "\"0x\(version)\(String(repeating: "a", count: 60))\"" }

    /// The price of LINK, lines for the feeds, and what the error must say.
    static let wrong: [(String, [String], [String])] = [
        ("", [], ["usd", "aggregator", "stream"]),
        ("usd: 1, stream: \"\(link)\", decimals: 18", [], ["'stream'", "exactly one"]),
        ("stream: \"\(link)\", aggregator: \"\(StreamClusters.weth)\", decimals: 18", [], ["'stream'", "exactly one"]),
        ("usd: 1, aggregator: \"\(StreamClusters.weth)\", decimals: 18", [], ["'aggregator'", "exactly one"]),
        ("stream: \"\(link)\"", [], ["decimals"]), ("stream: \"\(link)\", decimals: 37", [], ["decimals", "0 to 36"]),
        ("stream: \"\(link)\", decimals: 18, maximumAgeSeconds: 29", [], ["maximumAgeSeconds", "30 to 86400"]),
        ("stream: \"\(link)\", decimals: 18, maximumAgeSeconds: 86401", [], ["maximumAgeSeconds"]),
        ("stream: \"0x0003\", decimals: 18", [], ["stream", "64 hex digits"]),
        ("stream: LINK/USD, decimals: 18", [], ["stream", "64 hex digits"]),
        ("usd: 1, decimals: 18", [], ["decimals"]),
        ("stream: \(id("0001")), decimals: 18", [], ["no single price"]),
        ("stream: \(id("0005")), decimals: 18", [], ["no single price"]),
        ("stream: \(id("0006")), decimals: 18", [], ["no single price"]),
        ("stream: \(id("0007")), decimals: 18", [], ["no single price"]),
        ("stream: \(id("000a")), decimals: 18", [], ["no single price"]),
        ("stream: \(id("000d")), decimals: 18", [], ["no single price"]),
        ("stream: \(id("00ff")), decimals: 18", [], ["no single price"]),
        ("stream: \(id("0004")), decimals: 18", [], ["hours: standard", "priceStreams.feeds"]),
        ("stream: \(id("000b")), decimals: 18", [], ["equities24x5"]),
        ("usd: 1", ["id: \(id("0008"))"], ["hours"]), ("usd: 1", ["id: \(id("0008")), hours: always"], ["standard or equities24x5"]),
        ("usd: 1", ["id: \(id("0003")), hours: standard"], ["no market status"]),
        ("usd: 1", ["id: \(id("0008")), hours: standard, decimals: 8"], ["decimals", "18"]),
        ("usd: 1", ["id: \(id("0003")), decimals: 37"], ["0 to 36"]),
        ("usd: 1", ["id: \(id("0003")), maximumPriceAgeSeconds: 5"], ["unknown key", "maximumPriceAgeSeconds"]),
        ("usd: 1", ["id: \(id("0002")), spreadMaximumPPM: 5"], ["unknown key", "spreadMaximumPPM"]),
        ("usd: 1", ["id: \(id("0003")), spreadMaximumPPM: 0"], ["spreadMaximumPPM"]),
        ("usd: 1", ["id: \(id("0003")), minimum: 0"], ["minimum", "zero is no price"]),
        ("usd: 1", ["id: \(id("0003")), minimum: 5, maximum: 4"], ["maximum", "at least 'minimum'"]),
        ("usd: 1", ["id: \(id("0003")), don: 8"], ["don", "one of the DONs 7"]),
        ("usd: 1", ["id: \(id("0003"))", "id: \(id("0003"))"], ["each feed once"]),
        ("usd: 1", ["id: \(id("0006"))"], ["no single price"]),
        ("usd: 1", ["id: \(id("0003")), colour: red"], ["colour"]),
        ("usd: 1", (0..<65).map { "id: \"0x0003\(String(repeating: "0", count: 57))\(100 + $0)\"" }, ["at most 64"]),
    ]

    @Test("what is wrong with a price or a feed is named, with what would be right", arguments: wrong.indices)
    func refusals(_ index: Int) throws {
        let (link, feeds, words) = Self.wrong[index]
        let text = try StreamClusters.text(
            link: link.isEmpty ? "deviationPPB: 1" : link, tail: StreamClusters.section([try StreamDON()], feeds: feeds))
        let error = try #require(throws: ConfigurationError.self) { _ = try Self.read(text) }
        for word in words { #expect(error.description.contains(word), "\(error)") }
        #expect(error.description.contains("cluster.yaml"))
    }

    /// What is replaced in a good section, by what, and what the error must say.
    static let wrongSections: [(String, String, [String])] = [
        ("faulty: 1, signers", "faulty: 2, signers", ["4 signers with f = 2"]),
        ("faulty: 1, signers", "faulty: 0, signers", ["faulty", "1 to 10"]),
        ("don: 7", "don: 0", ["don"]), ("signers: [\"0x", "signers: [\"0x00", ["signers", "40 hex digits"]),
        ("digest: \"0x0009", "digest: \"0x09", ["digest", "64 hex digits"]),
        ("digest: \"0x0009", "digets: \"0x0009", ["did you mean 'digest'"]),
        ("priceStreams:", "priceStream:", ["did you mean 'priceStreams'"]),
        ("configurations:", "configuration:", ["did you mean 'configurations'"]),
        ("priceStreams:", "priceStreams:\n  gateway: x", ["gateway"]),
    ]

    @Test("what is wrong with a configuration is named", arguments: wrongSections)
    func sections(old: String, new: String, says: [String]) throws {
        let good = try StreamClusters.text(link: StreamClusters.stream(Self.link), tail: StreamClusters.section([try StreamDON()]))
        let tail = try #require(good.range(of: "\npriceStreams:", options: .backwards))
        let changed = good.replacingOccurrences(of: old, with: new, range: tail.lowerBound..<good.endIndex)
        #expect(changed != good)
        let error = try #require(throws: ConfigurationError.self) { _ = try Self.read(changed) }
        for word in says { #expect(error.description.contains(word), "\(error)") }
    }

    @Test("prices of streams need somebody who is believed, each once, and a DON for each feed")
    func whole2() throws {
        func refusal(_ tail: String) throws -> String {
            let text = try StreamClusters.text(link: StreamClusters.stream(Self.link), tail: tail)
            return try #require(throws: ConfigurationError.self) { _ = try Self.read(text) }.description
        }
        let don = try StreamDON()
        let none = try refusal("")
        #expect(none.contains("priceStreams") && none.contains("whose reports are believed") && none.contains("on ethereum"))
        #expect(try refusal(StreamClusters.section([don, don])).contains("each configuration once"))
        #expect(try refusal("priceStreams:\n  configurations: []\n").contains("1 to 16"))
        let two = [don, try StreamDON(id: 8, digest: Hash32(4))]
        #expect(try refusal(StreamClusters.section(two)).contains("which of the DONs [7, 8]"))
        #expect(try refusal(StreamClusters.section(two, feeds: ["id: \"\(Self.link)\""])).contains("don"))
    }

    // MARK: A relayer's own file

    private static func load(_ own: String, cluster: String) throws -> RelayerSettings {
        let example = try String(contentsOfFile: SettingsTests.folder + "/relayer-0.yaml", encoding: .utf8)
        var entries: [ConfigurationEntry] = []
        return try RelayerSettings.load(path: "/etc/causeway/relayer-0.yaml", environment: [:], entries: &entries) {
            path throws(ConfigurationError) in path.hasSuffix("cluster.yaml") ? cluster : example + own
        }
    }

    private static func streamCluster() throws -> String {
        try StreamClusters.text(link: StreamClusters.stream(link), tail: StreamClusters.section([try StreamDON()]))
    }

    @Test("a relayer says where it asks and with which key; without it prices of streams are refused")
    func access() throws {
        let cluster = try Self.streamCluster()
        let own = "priceStreams:\n  origins: [\"https://Streams.example\", \"http://127.0.0.1:9600/\"]\n  keyFile: streams.json\n"
        let settings = try Self.load(own, cluster: cluster)
        #expect(settings.streams == StreamsAccessSettings(
            origins: ["https://streams.example", "http://127.0.0.1:9600"], keyFile: "/etc/causeway/streams.json",
            timeoutMilliseconds: 3_000))
        // Own files may come before the cluster's.
        #expect(try Self.load(own, cluster: try SettingsTests.cluster()).streams != nil)
        #expect(try Self.load("", cluster: try SettingsTests.cluster()).streams == nil)
        let error = try #require(throws: ConfigurationError.self) { _ = try Self.load("", cluster: cluster) }
        #expect(error.description.contains("missing key 'priceStreams'") && error.hint?.contains("where to ask") == true)
    }

    @Test("what is wrong with the access is named, and no secret of a URL is shown", arguments: [
        ("origins: []\n  keyFile: a", "1 to 8"), ("keyFile: a", "origins"), ("origins: [\"http://a\"]", "keyFile"),
        ("origins: [\"ws://a\"]\n  keyFile: a", "http:// or https://"), ("origins: [\"http://a/secret\"]\n  keyFile: a", "nothing behind"),
        ("origins: [\"http://u:secret@a\"]\n  keyFile: a", "nothing behind"), ("origins: [\"a:80\"]\n  keyFile: a", "http://"),
        ("origins: [\"http://a\", \"http://A:80\"]\n  keyFile: a", "each origin once"),
        ("origins: [\"http://a\"]\n  keyFile: a\n  timeoutMilliseconds: 99", "timeoutMilliseconds"),
        ("origins: [\"http://a\"]\n  keyFile: a\n  timeoutMilliseconds: 10001", "timeoutMilliseconds"),
        ("origins: [\"http://a\"]\n  keyFile: a\n  secret: x", "secret"),
        ("origins: [\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\"]\n  keyFile: a", "origins"),
    ])
    func wrongAccess(text: String, says: String) throws {
        let cluster = try Self.streamCluster()
        let error = try #require(throws: ConfigurationError.self) { _ = try Self.load("priceStreams:\n  \(text)\n", cluster: cluster) }
        #expect(error.description.contains(says) && error.description.contains("relayer-0.yaml"), "\(error)")
        #expect(!error.description.contains("u:secret") && !error.description.contains("/secret"))
    }

    // MARK: The key

    private static func withFile(_ text: String, mode: Int = 0o600, _ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("streams-\(UUID().uuidString).json").path
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test("a key is read as the commands write it", arguments: [
        "{\"key\": \"b7e2\", \"secret\": \"s3cr3t\"}",
        "{\"ok\": true, \"command\": \"streams keys create\", \"data\": {\"key\": \"b7e2\", \"secret\": \"s3cr3t\", \"user\": \"relayer-0\"}}",
    ])
    func key(text: String) throws {
        try Self.withFile(text) { path in
            let credential = try StreamsCredential.open(path)
            #expect(credential == StreamsCredential(key: "b7e2", secret: Secret(Bytes("s3cr3t".utf8))))
            #expect(!"\(credential)".contains("s3cr3t"))
        }
    }

    @Test("a file that holds no key, or that others can read, is refused without a word of it", arguments: [
        ("{\"key\": \"b7e2\", \"secret\": \"s3cr3t\"}", 0o640, ConfigurationError.Code.keyPermissions), ("s3cr3t", 0o600, .keyUnreadable),
        ("{\"secret\": \"s3cr3t\"}", 0o600, .keyUnreadable), ("{\"key\": \"b7e2\", \"secret\": \"\"}", 0o600, .keyUnreadable),
        ("{\"key\": \"b7\\ne2\", \"secret\": \"s3cr3t\"}", 0o600, .keyUnreadable),
        ("{\"key\": \"b7e2\", \"secret\": \"s3cr3t\", \"x\": \"\(String(repeating: "x", count: 5_000))\"}", 0o600, .keyUnreadable),
    ])
    func wrongKey(text: String, mode: Int, code: ConfigurationError.Code) throws {
        try Self.withFile(text, mode: mode) { path in
            let error = try #require(throws: ConfigurationError.self) { _ = try StreamsCredential.open(path) }
            #expect(error.code == code && !error.description.contains("s3cr3t"), "\(error)")
        }
        let error = try #require(throws: ConfigurationError.self) { _ = try StreamsCredential.open("/nowhere/key.json") }
        #expect(error.code == .keyMissing && error.hint?.contains("streams keys create") == true)
    }
}

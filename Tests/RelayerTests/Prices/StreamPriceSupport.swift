// What the tests of stream prices share: a DON of four with feeds of its own, clusters that take prices from them, and a
// gateway on a real socket that answers as it is told.

import Configuration
import Ethereum
import Foundation
import JSONRPC
import Logging
import PriceStreams
import Synchronization
import TestSupport

@testable import Relayer

/// Four oracles that sign whatever a test wants.
struct StreamDON {
    static let ether = FeedID(version: 3, symbol: "ETH/USD", segment: "spot")
    static let link = FeedID(version: 3, symbol: "LINK/USD", segment: "spot")
    static let oil = FeedID(version: 8, symbol: "WTI/USD", segment: "spot")
    static let share = FeedID(version: 11, symbol: "AAPL/USD", segment: "RegularHours")
    static let fund = FeedID(version: 9, symbol: "FUND/USD", segment: "nav")
    static let plain = FeedID(version: 4, symbol: "EUR/USD", segment: "spot")

    /// Whole seconds since 1970, and the same in nanoseconds.
    static let second: UInt64 = 1_767_225_600
    static let now = second * 1_000_000_000
    static let dollar: Int192 = 1_000_000_000_000_000_000

    let id: UInt32
    let digest: Hash32
    let keys: [PrivateKey]

    init(id: UInt32 = 7, digest: Hash32 = Hash32(U256(9) << 240 | 7), first: Int = 0) throws {
        self.id = id
        self.digest = digest
        keys = try (0..<4).map { try PrivateKey(bytes: keccak256(text: "stream oracle \(first + $0)").bytes) }
    }

    /// As cluster.yaml tells it.
    var line: String {
        let signers = keys.map { "\"\($0.address.checksummed)\"" }.joined(separator: ", ")
        return "    - {digest: \"\(digest)\", don: \(id), faulty: 1, signers: [\(signers)]}\n"
    }

    static func body(_ feed: FeedID, _ price: Int192, at second: UInt64, status: UInt32 = 2) -> ReportBody {
        let nanoseconds = second * 1_000_000_000
        return switch feed.version {
        case 8: .v8(lastUpdateNanoseconds: nanoseconds, midPrice: price, marketStatus: status)
        case 9: .v9(navPerShare: price, navDateMilliseconds: second * 1_000, aum: 1, ripcord: status == 2 ? 0 : 1)
        case 11:
            .v11(
                mid: price, lastSeenNanoseconds: nanoseconds, bid: price, bidVolume: 1, ask: price, askVolume: 1,
                lastTradedPrice: price, marketStatus: status)
        case 4: .v4(benchmarkPrice: price, marketStatus: status)
        default: .v3(benchmarkPrice: price, bid: price, ask: price)
        }
    }

    /// The bytes that oracles sign.
    static func report(
        _ feed: FeedID, _ price: Int192, at second: UInt64 = second, expires: UInt64? = nil, body: ReportBody? = nil
    ) throws -> PriceReport {
        try PriceReport(
            header: ReportHeader(
                feedID: feed, validFrom: second, observations: second, expiresAt: expires ?? second + 2_592_000),
            body: body ?? Self.body(feed, price, at: second))
    }

    func full(_ report: PriceReport, signers: [Int] = [0, 1]) throws -> Bytes {
        let context = try ReportContext(configurationDigest: digest, sequenceNumber: 77, donID: id)
        let signed = signingDigest(blob: report.blob, context: context)
        return try FullReport(
            context: context, blob: report.blob, signatures: signers.map { keys[$0].sign(digest: signed) }
        ).encoded
    }

    /// What a gateway answers with it.
    func answer(_ report: PriceReport, signers: [Int] = [0, 1]) throws -> Bytes {
        ReportJSON(report: report, fullReport: try full(report, signers: signers)).single
    }

    func answer(_ feed: FeedID, _ price: Int192, at second: UInt64 = second) throws -> Bytes {
        try answer(try Self.report(feed, price, at: second))
    }
}

enum StreamClusters {
    static let weth = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    static let linkToken = "0x610178dA211FEF7D417bC0e6FeD39F05609AD788"
    static let ethereum = Address.zero

    /// The example cluster; LINK on ethereum costs what `link` says, and `tail` stands at the end.
    static func text(link: String, native: String? = nil, tail: String) throws -> String {
        var text = try SettingsTests.cluster()
        let fixed = "{token: \"\(linkToken)\", usd: \"15000000000000000000\"}"
        guard text.contains(fixed) else { throw RelayerError(.settings, "the example has another LINK") }
        text = text.replacingOccurrences(of: fixed, with: "{token: \"\(linkToken)\", \(link)}")
        if let native {
            text = text.replacingOccurrences(
                of: "wrappedNative: \"\(weth)\"", with: "wrappedNative: \"\(weth)\"\n    nativePrice: \(native)")
        }
        return text + tail
    }

    static func stream(_ feed: FeedID, decimals: Int = 18, age: Int = 60) -> String {
        "stream: \"\(feed)\", decimals: \(decimals), maximumAgeSeconds: \(age)"
    }

    static func section(_ dons: [StreamDON], feeds: [String] = []) -> String {
        "priceStreams:\n  configurations:\n" + dons.map(\.line).joined()
            + (feeds.isEmpty ? "" : "  feeds:\n" + feeds.map { "    - {\($0)}\n" }.joined())
    }

    static func cluster(
        _ don: StreamDON, link: String, native: String? = nil, feeds: [String] = []
    ) throws -> ClusterSettings {
        try ClusterSettings(
            yaml: try text(link: link, native: native, tail: section([don], feeds: feeds)), file: "cluster.yaml")
    }
}

extension ClusterSettings {
    /// The place where the tests' token takes its price.
    var linkSource: (StreamSource, UInt8)? {
        for item in chains[0].tokenPrices {
            if case .stream(let source, let decimals) = item.source { return (source, decimals) }
        }
        return nil
    }
}

/// A gateway that answers as it is told.
final class ScriptedGateway: Sendable {
    typealias Script = @Sendable (HTTPQuestion) async -> HTTPAnswer

    private let server: RPCServer
    private let script: Mutex<Script>
    private let asked = Mutex<[HTTPQuestion]>([])
    let origin: String

    static func start(_ script: @escaping Script) async throws -> ScriptedGateway {
        let box = Box()
        var configuration = RPCServer.Configuration()
        configuration.everyRequest = { question in await box.gateway.withLock { $0 }?.answer(question) ?? .text("", status: 500) }
        let server = RPCServer(configuration: configuration, service: nil, logger: quietLogger)
        let gateway = ScriptedGateway(server, try await server.start(), script)
        box.gateway.withLock { $0 = gateway }
        return gateway
    }

    private final class Box: Sendable { let gateway = Mutex<ScriptedGateway?>(nil) }

    private init(_ server: RPCServer, _ port: Int, _ script: @escaping Script) {
        self.server = server
        self.script = Mutex(script)
        origin = "http://127.0.0.1:\(port)"
    }

    private func answer(_ question: HTTPQuestion) async -> HTTPAnswer {
        asked.withLock { $0.append(question) }
        return await script.withLock { $0 }(question)
    }

    var questions: [HTTPQuestion] { asked.withLock { $0 } }
    func answer(with new: @escaping Script) { script.withLock { $0 = new } }
    func stop() async { await server.stop() }
}

let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension HTTPAnswer {
    static func report(_ body: Bytes) -> HTTPAnswer { HTTPAnswer(contentType: "application/json", body: body) }
}

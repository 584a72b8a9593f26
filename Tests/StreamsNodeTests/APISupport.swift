// What the tests of the compatible interface share: feeds, a history in memory, signed requests, a clock that is set.

import Ethereum
import JSONRPC
import Logging
import PriceStreams
import Synchronization
import TestSupport
import Testing

@testable import StreamsNode

/// Letters of the vectors.
enum APIWorld {
    static let key = "b7e2d6a0-4c1f-4f52-9d3a-6f0f5a1c2e34"
    static let secret = "s3cr3t-for-tests-only"
    static let now: UInt64 = 1_767_225_600_123
    static let second: UInt64 = 1_767_225_600

    static let ether = FeedID(version: 3, symbol: "ETH/USD", segment: "spot")
    static let gold = FeedID(version: 8, symbol: "XAU/USD", segment: "spot")
    static let fast = FeedID(version: 0x0f03, symbol: "ETH/USD", segment: "spot")
    static let fund = FeedID(version: 9, symbol: "FUND/USD", segment: "nav")
    /// In the catalogue; nothing was ever published.
    static let silent = FeedID(version: 4, symbol: "EUR/USD", segment: "spot")
    static let unknown = FeedID(version: 3, symbol: "DOGE/USD", segment: "spot")

    static let feeds: [CatalogueFeed] = [
        CatalogueFeed(feedID: ether, symbol: "ETH/USD"),
        CatalogueFeed(feedID: gold, symbol: "XAU/USD", feedClass: .commodity, hours: .standard),
        CatalogueFeed(feedID: fast, symbol: "ETH/USD"),
        CatalogueFeed(feedID: fund, symbol: "FUND/USD", segment: "nav", feedClass: .netAssetValue),
        CatalogueFeed(feedID: silent, symbol: "EUR/USD", feedClass: .currency),
    ]

    static func catalogue() throws -> FeedCatalogue {
        let signers = try (1...4).map { try PrivateKey(bytes: Bytes(repeating: UInt8($0), count: 32)).address }
        let set = try OracleSet(digest: keccak256(text: "digest"), faulty: 1, signers: signers, donID: 42)
        return FeedCatalogue(feeds: feeds, origins: ["east", "west"], don: [set], donName: "test")
    }

    static func secret(_ text: String) -> Secret { Secret(Bytes(text.utf8)) }

    /// One key for everything, one for ether alone, one that is disabled.
    static let keys = APIKeys([
        APIKey(key: key, user: "desk", secret: secret(secret)),
        APIKey(key: "narrow", user: "narrow", secret: secret("other"), feeds: [ether]),
        APIKey(key: "off", user: "gone", secret: secret(secret), isDisabled: true),
    ])

    static func signed(
        _ method: String, _ target: String, key: String = key, secret: String = secret, at time: UInt64 = now,
        body: Bytes = [], more: [HTTPQuestion.Header] = []
    ) -> HTTPQuestion {
        let request = SignedRequest(method: method, target: target, body: body, key: key, timestamp: String(time))
        return HTTPQuestion(
            method: method, target: target,
            headers: [
                .init("Authorization", key), .init("X-Authorization-Timestamp", String(time)),
                .init("X-Authorization-Signature-SHA256", request.signature(secret: Self.secret(secret))),
            ] + more, body: body)
    }

    /// Not signed by anybody: these tests are about what stands around a report.
    static func report(_ feedID: FeedID, milliseconds: UInt64, previous: UInt64? = nil) -> APIReport {
        let unit: UInt64 = feedID.version >= 0x0f00 ? 1 : 1_000
        let at = milliseconds / unit * unit
        let from = previous.map { $0 / unit * unit + unit } ?? at
        return APIReport(
            feedID: feedID, validFromNanoseconds: from * 1_000_000, observationsNanoseconds: at * 1_000_000,
            sequenceNumber: milliseconds / 100, fullReport: feedID.bytes + Bytes(bigEndian: at) + Bytes(repeating: 0x5a, count: 700))
    }
}

final class MemoryHistory: ReportHistory {
    private let reports = Mutex<[FeedID: [APIReport]]>([:])
    private let isBroken = Mutex(false)
    private let withheld = Mutex<Set<FeedID>>([])

    init() {
        let second = APIWorld.second * 1_000
        // Ether: a report each second, but for the third and fourth, which one report covers.
        for offset: UInt64 in [0, 1, 2, 5, 6] {
            add(APIWorld.report(APIWorld.ether, milliseconds: second + offset * 1_000, previous: offset == 5 ? second + 2_000 : nil))
        }
        for offset: UInt64 in [0, 1] { add(APIWorld.report(APIWorld.gold, milliseconds: second + offset * 1_000)) }
        for step: UInt64 in 0..<25 {
            let previous = step == 0 ? nil : second + (step - 1) * 100
            add(APIWorld.report(APIWorld.fast, milliseconds: second + step * 100, previous: previous))
        }
    }

    func add(_ report: APIReport) { reports.withLock { $0[report.feedID, default: []].append(report) } }
    func fail(_ fails: Bool = true) { isBroken.withLock { $0 = fails } }

    private func rows(_ feedID: FeedID) throws -> [APIReport] {
        if isBroken.withLock({ $0 }) { throw StreamsNodeError(.store, "the disk is gone") }
        return reports.withLock { $0[feedID] ?? [] }
    }

    func withhold(_ feeds: Set<FeedID>) { withheld.withLock { $0 = feeds } }
    func isWithheld(_ feedID: FeedID) -> Bool { withheld.withLock { $0.contains(feedID) } }
    func latest(of feedID: FeedID) throws -> APIReport? { isWithheld(feedID) ? nil : try rows(feedID).last }

    func covering(second: UInt64, of feedID: FeedID) throws -> APIReport? {
        let rows = try rows(feedID)
        return rows.last { $0.second == second } ?? rows.first { $0.firstSecond <= second && second <= $0.second }
    }

    func page(of feedID: FeedID, from: UInt64, to end: UInt64, limit: Int) throws -> [APIReport] {
        try rows(feedID).filter { $0.observationsNanoseconds >= from && $0.observationsNanoseconds <= end }
            .prefix(limit).map { $0 }
    }
}

/// A gateway's interface without a gateway.
final class TestAPI: Sendable {
    let history = MemoryHistory()
    let api: GatewayAPI
    private let clock: Mutex<UInt64>
    private let keys: Mutex<APIKeys>
    private let trouble = Mutex<[String]>([])

    init(_ adjust: (inout GatewayAPISettings) -> Void = { _ in }, at time: UInt64? = APIWorld.now) throws {
        var settings = GatewayAPISettings()
        adjust(&settings)
        let box = Box()
        clock = Mutex(time ?? 0)
        keys = Mutex(APIWorld.keys)
        let isReal = time == nil
        api = GatewayAPI(
            settings: settings, catalogue: try APIWorld.catalogue(), history: history,
            keys: { box.test.withLock { $0?.value?.keys.withLock { $0 } } ?? APIKeys() },
            obstacles: { box.test.withLock { $0?.value?.trouble.withLock { $0 } } ?? [] },
            now: { isReal ? GatewayNode.now() / 1_000_000 : box.test.withLock { $0?.value?.clock.withLock { $0 } } ?? 0 },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        box.test.withLock { $0 = Weak(value: self) }
    }

    private struct Weak: Sendable { weak var value: TestAPI? }
    private final class Box: Sendable { let test = Mutex<Weak?>(nil) }

    func setClock(_ time: UInt64) { clock.withLock { $0 = time } }
    func setKeys(_ new: APIKeys) { keys.withLock { $0 = new } }
    func setTrouble(_ text: [String]) { trouble.withLock { $0 = text } }

    /// A signed GET by the key that may everything, each in a second of its own.
    func get(_ target: String) async -> HTTPAnswer {
        let time = clock.withLock { time in
            time += 1_000
            return time
        }
        return await api.answer(APIWorld.signed("GET", target, at: time))
    }
}

func text(_ answer: HTTPAnswer) -> String { String(decoding: answer.body, as: UTF8.self) }
func message(_ answer: HTTPAnswer) -> String? { (try? JSON.parse(answer.body))?["message"]?.asString }

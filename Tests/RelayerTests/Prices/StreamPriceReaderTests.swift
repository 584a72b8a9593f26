// Gateways on real sockets that are away, slow, strange or wrong: what a relayer knows then, whom it asks next, and what it
// tells about it.

import Ethereum
import JSONRPC
import Logging
import PriceStreams
import Synchronization
import Testing

@testable import Relayer

@Suite("Prices of streams: reading them from gateways")
struct StreamPriceReaderTests {
    static let link = StreamDON.link
    static let secret = "a secret that no log may show"
    static let credential = StreamsCredential(key: "b7e2d6a0-4c1f-4f52-9d3a-6f0f5a1c2e34", secret: Secret(Bytes(secret.utf8)))

    /// A wall clock that tests move by hand.
    final class Clock: Sendable {
        private let time = Mutex<UInt64>(StreamDON.now)
        var now: UInt64 { time.withLock { $0 } }
        func pass(seconds: UInt64) { time.withLock { $0 += seconds * 1_000_000_000 } }
    }

    private struct World {
        let don: StreamDON
        let cluster: ClusterSettings
        let clock = Clock()

        init(age: Int = 60, native: Bool = false) throws {
            don = try StreamDON()
            cluster = try StreamClusters.cluster(
                don, link: StreamClusters.stream(link, age: age), native: native ? "{stream: \"\(StreamDON.ether)\"}" : nil)
        }

        func reader(_ origins: [String], timeout: Int = 3_000, logger: Logger = quietLogger) -> StreamPriceReader {
            StreamPriceReader(
                cluster: cluster,
                access: StreamsAccessSettings(origins: origins, keyFile: "", timeoutMilliseconds: timeout),
                credential: credential, now: { [clock] in clock.now }, logger: logger)
        }

        func price(_ reader: StreamPriceReader) -> U256? {
            cluster.linkSource.flatMap { reader.price($0.0, tokenDecimals: $0.1) }
        }

        /// Answers each question with a report of its feed.
        func honest(_ price: Int192, secondsAgo: UInt64 = 1) -> ScriptedGateway.Script {
            { [don, clock] question in
                let feed = question.query("feedID").flatMap { try? FeedID(text: $0) } ?? link
                let second = clock.now / 1_000_000_000 - secondsAgo
                return .report((try? don.answer(feed, price, at: second)) ?? [])
            }
        }
    }

    private static func stop(_ gateways: ScriptedGateway...) async { for gateway in gateways { await gateway.stop() } }

    @Test("the newest report is asked for with a signed request, and its price is known")
    func good() async throws {
        let world = try World()
        let gateway = try await ScriptedGateway.start(world.honest(15))
        let reader = world.reader([gateway.origin])
        #expect(world.price(reader) == nil)
        await reader.refresh()
        #expect(world.price(reader) == 15)
        let question = try #require(gateway.questions.first)
        #expect(question.target == "/api/v1/reports/latest?feedID=\(Self.link)" && question.method == "GET")
        let signed = SignedRequest(
            method: "GET", target: question.target, key: try #require(question.values("Authorization").first),
            timestamp: try #require(question.values("X-Authorization-Timestamp").first))
        #expect(signed.key == Self.credential.key && signed.timestamp == "\(world.clock.now / 1_000_000)")
        let signature = try #require(question.values("X-Authorization-Signature-SHA256").first)
        #expect(signed.isSigned(signature, secret: Self.credential.secret))
        #expect(!signed.isSigned(signature, secret: Secret(Bytes("another".utf8))))
        let statistics = reader.statistics
        #expect(statistics.ages.map(\.milliseconds) == [1_000] && statistics.refused.isEmpty && statistics.failures.isEmpty)
        await Self.stop(gateway)
    }

    /// How a gateway misbehaves, and the name under which that is counted.
    enum Fault: String, CaseIterable, Sendable {
        case stale, wrongFeed, wrongDigest, underSigned, expired, html, emptyReport, unauthorized, throttled, missing
        case broken, clockSkew, tooLarge, slow, closed

        var reason: String {
            switch self {
            case .stale: "staleReport"
            case .wrongFeed: "feedMismatch"
            case .wrongDigest: "unknownDigest"
            case .underSigned: "badSignature"
            case .expired: "expired"
            case .html, .emptyReport: "malformed"
            case .unauthorized: "unauthorized"
            case .throttled: "throttled"
            case .missing: "noReport"
            case .broken: "badStatus"
            case .clockSkew: "badRequest"
            case .tooLarge: "tooLarge"
            case .slow: "timeout"
            case .closed: "refused"
            }
        }

        func answer(_ don: StreamDON) async throws -> HTTPAnswer {
            let (feed, second) = (link, StreamDON.second)
            switch self {
            case .stale: return .report(try don.answer(feed, 666, at: second - 61))
            case .wrongFeed: return .report(try don.answer(StreamDON.ether, 666))
            case .wrongDigest: return .report(try StreamDON(digest: Hash32(3)).answer(feed, 666))
            case .underSigned: return .report(try don.answer(try StreamDON.report(feed, 666), signers: [1]))
            case .expired: return .report(try don.answer(try StreamDON.report(feed, 666, at: second - 9, expires: second - 1)))
            case .html: return .html("<html>welcome</html>")
            case .emptyReport: return .json("{\"report\":{}}")
            case .unauthorized: return .json("{\"message\":\"no\"}", status: 401)
            case .throttled: return .json("{\"message\":\"slower\"}", status: 429)
            case .missing: return .json("{\"message\":\"none\"}", status: 404)
            case .broken: return .text("oh", status: 500)
            case .clockSkew: return .json("{\"message\":\"more than 5000 ms from the server's clock\"}", status: 400)
            case .tooLarge: return .text(String(repeating: "x", count: 1 << 17))
            case .slow:
                try await Task.sleep(for: .seconds(4))
                return .report(try don.answer(feed, 666))
            case .closed: return .text("nobody hears this")
            }
        }
    }

    @Test("of a gateway that misbehaves nothing is believed; the next one is asked, and first from then on", arguments: Fault.allCases)
    func faults(_ fault: Fault) async throws {
        let world = try World()
        let don = world.don
        let bad = try await ScriptedGateway.start { _ in (try? await fault.answer(don)) ?? .text("", status: 418) }
        let good = try await ScriptedGateway.start(world.honest(15))
        if fault == .closed { await bad.stop() }
        // By itself: no price, and its name is counted.
        let alone = world.reader([bad.origin], timeout: fault == .slow ? 500 : 5_000)
        await alone.refresh()
        #expect(world.price(alone) == nil)
        #expect(Self.counted(alone, bad.origin, fault.reason) == 1, "\(alone.statistics)")
        #expect(alone.statistics.ages.isEmpty)
        // Beside another one: the price of that one.
        let both = world.reader([bad.origin, good.origin], timeout: fault == .slow ? 1_500 : 5_000)
        await both.refresh()
        #expect(world.price(both) == 15)
        #expect(Self.counted(both, bad.origin, fault.reason) == 1)
        let asked = bad.questions.count
        world.clock.pass(seconds: 1)
        await both.refresh()
        #expect(bad.questions.count == asked, "the good one is asked first")
        #expect(good.questions.count == 2 && world.price(both) == 15)
        await Self.stop(bad, good)
    }

    private static func counted(_ reader: StreamPriceReader, _ origin: String, _ reason: String) -> UInt64 {
        let statistics = reader.statistics
        let refused = statistics.refused[.init(feed: link, reason: RefusalReason(rawValue: reason))] ?? 0
        return refused + (statistics.failures[.init(origin: origin, reason: reason)] ?? 0)
    }

    @Test("every reason that can be counted has its series from the start")
    func reasons() {
        let known = Set(RefusalReason.ofStreamPrices.map(\.rawValue) + StreamPriceReader.Failure.reasons)
        for fault in Fault.allCases { #expect(known.contains(fault.reason), "\(fault)") }
        #expect(StreamPriceReader.Failure.reasons.contains(StreamPriceReader.reason(503)))
    }

    @Test("a price stays known while no gateway answers, until it is too old; then it is unknown, and comes back")
    func away() async throws {
        let world = try World(age: 30)
        let gateway = try await ScriptedGateway.start(world.honest(15))
        let reader = world.reader([gateway.origin])
        await reader.refresh()
        gateway.answer { _ in .text("", status: 503) }
        world.clock.pass(seconds: 29)
        await reader.refresh()
        #expect(world.price(reader) == 15)
        world.clock.pass(seconds: 1)
        await reader.refresh()
        #expect(world.price(reader) == nil, "31 seconds")
        #expect(reader.statistics.ages.map(\.milliseconds) == [31_000], "its age goes on growing")
        gateway.answer(with: world.honest(17))
        await reader.refresh()
        #expect(world.price(reader) == 17)
        await Self.stop(gateway)
    }

    @Test("a gateway that replays what was is not believed, and the other one is asked")
    func replay() async throws {
        let world = try World()
        let (first, second) = (
            try await ScriptedGateway.start(world.honest(20)), try await ScriptedGateway.start(world.honest(30))
        )
        let reader = world.reader([first.origin, second.origin])
        await reader.refresh()
        #expect(world.price(reader) == 20)
        first.answer(with: world.honest(10, secondsAgo: 9))
        world.clock.pass(seconds: 2)
        await reader.refresh()
        #expect(world.price(reader) == 30 && Self.counted(reader, first.origin, "replayed") == 1)
        second.answer(with: world.honest(10, secondsAgo: 9))
        await reader.refresh()
        #expect(world.price(reader) == 30, "the newest that was seen")
        #expect(Self.counted(reader, first.origin, "replayed") == 3)
        await Self.stop(first, second)
    }

    /// Keeps every line.
    private struct Keeper: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { lines.add("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }

    private final class Lines: Sendable {
        private let kept = Mutex<[String]>([])
        func add(_ line: String) { kept.withLock { $0.append(line) } }
        var all: [String] { kept.withLock { $0 } }
    }

    @Test("trouble is told once by name, and its end; no line shows the secret or a signature")
    func told() async throws {
        let world = try World()
        let gateway = try await ScriptedGateway.start { _ in .json("{\"message\":\"go away\"}", status: 401) }
        let lines = Lines()
        let logger = Logger(label: "test") { _ in Keeper(lines: lines) }
        let reader = world.reader([gateway.origin], logger: logger)
        for _ in 0..<3 { await reader.refresh() }
        let warnings = lines.all.filter { $0.hasPrefix("warning") }
        #expect(warnings.count == 1, "\(warnings)")
        for word in ["\(Self.link)", "unauthorized", gateway.origin, "401", "go away"] {
            #expect(warnings.first?.contains(word) == true, "\(word)")
        }
        gateway.answer(with: world.honest(1))
        await reader.refresh()
        #expect(lines.all.filter { $0.hasPrefix("info") }.count == 1)
        let signatures = gateway.questions.flatMap { $0.values("X-Authorization-Signature-SHA256") }
        #expect(signatures.count == 4)
        for secret in signatures + [Self.secret] {
            #expect(!lines.all.contains { $0.contains(secret) })
            #expect(!"\(Self.credential)".contains(secret) && !"\(reader.statistics)".contains(secret))
        }
        await Self.stop(gateway)
    }

    @Test("the board has fixed prices at once, and those of streams as soon as a gateway is there")
    func board() async throws {
        let world = try World()
        let gateway = try await ScriptedGateway.start { _ in .text("not yet", status: 503) }
        let reader = world.reader([gateway.origin])
        let board = PriceBoard(
            cluster: world.cluster, watches: [], streams: reader, now: { world.clock.now / 1_000_000 }, logger: quietLogger)
        let chain = world.cluster.chains[0]
        let token = try Address(hex: StreamClusters.linkToken)
        await reader.refresh()
        #expect(board.tokens(of: chain.selector).count == 2, "without the one that is not known")
        #expect(board.tokens(of: chain.selector)[token] == nil)
        gateway.answer(with: world.honest(15))
        let loop = Task { await board.run() }
        let deadline = ContinuousClock.now + .seconds(20)
        while board.tokens(of: chain.selector)[token] == nil, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(10))
        }
        loop.cancel()
        await loop.value
        #expect(board.tokens(of: chain.selector)[token] == 15)
        #expect(board.tokens(of: chain.selector).count == 3)
        #expect(board.tokens(of: world.cluster.chains[1].selector).count == 3, "fixed ones elsewhere")
        await Self.stop(gateway)
    }

    @Test("a coin whose price comes from a stream has no other one, and others have what their FeeQuoter tells")
    func native() async throws {
        let world = try World(native: true)
        let gateway = try await ScriptedGateway.start(world.honest(3_000))
        let reader = world.reader([gateway.origin])
        let board = PriceBoard(
            cluster: world.cluster, watches: [], streams: reader, now: { world.clock.now / 1_000_000 }, logger: quietLogger)
        let (ethereum, jovay) = (world.cluster.chains[0].selector, world.cluster.chains[1].selector)
        #expect(board.native(of: ethereum, told: 5) == nil && board.native(of: jovay, told: 5) == 5)
        await reader.refresh()
        #expect(board.native(of: ethereum, told: 5) == 3_000 && board.native(of: ethereum, told: nil) == 3_000)
        #expect(board.native(of: jovay, told: 5) == 5 && board.native(of: jovay, told: nil) == nil)
        #expect(gateway.questions.count == 2, "each feed once")
        await Self.stop(gateway)
    }
}

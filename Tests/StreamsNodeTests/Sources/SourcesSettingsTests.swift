// The section `sources`: what is read, and every way in which it can be wrong.

import Configuration
import Ethereum
import JSONRPC
import Logging
import OffchainReporting
import PriceStreams
import Testing

@testable import StreamsNode

@Suite struct SourcesSettingsTests {
    @Test("every key of every kind is read")
    func everything() throws {
        let sources = try SourcesFixture.sources(
            """
              - kind: simulator
                name: local
                seed: 9
                noise: 0.5%
                closedDays: [2026-12-24]
                only: [ETH/USD, native, link]
                streams:
                  - {stream: native, market: ETH/USD, role: price}
                markets:
                  - name: ETH/USD
                    start: 1234.5
                    volatility: 80%
                    spread: 0.1%
                    jumpsPerDay: 3
                    jumpSize: 2%
                    outagesPerDay: 4
                    ownOutagesPerDay: 5
                    outageSeconds: 60
                    group: g
                    correlation: 50%
                    hours: usEquities
                    tickMilliseconds: 200
              - kind: http
                url: https://user:pass@example.com/v1?key=k
                method: POST
                body: ask
                pollMilliseconds: 700
                timeoutMilliseconds: 800
                answerBytes: 9000
                trustedCertificates: ca.pem
                headers: [{name: X-Token, file: key}]
                values:
                  - {stream: BTC/USD, benchmark: m, bid: b, ask: a, scale: 0.01, minimum: 1, maximum: 9, timePath: t, timeUnit: us}
                  - {stream: SPY/USD.status, path: s, words: [open=2, closed=1], when: "kind=status"}
              - kind: websocket
                url: wss://example.com
                subscribe: [a, b]
                staleMilliseconds: 900
                timeoutMilliseconds: 1000
                messageBytes: 8000
                values: [{stream: SPY/USD.price, path: p, timePath: t}]
              - kind: calendar
                closedDays: [2026-12-31]
                streams: [{stream: AAPL/USD.status, hours: usEquities24x5}]
              - {kind: simulator, name: rest}
            """, files: ["/f/key": "tok\n"])
        guard case .simulator(let simulator) = sources[0].make else { return #expect(Bool(false)) }
        #expect(sources[0].name == "local")
        #expect(sources[0].streams == [1, 2, 10].map { StreamID($0) })
        #expect(simulator.seed == 9 && simulator.noise == 5_000_000)
        #expect(simulator.closedDays == [CivilDay(2026, 12, 24)])
        let market = try #require(simulator.markets.first { $0.name == "ETH/USD" })
        #expect(
            market
                == SimulatedMarket(
                    name: "ETH/USD", start: SourcesFixture.decimal("1234.5").level, volatility: 800_000_000,
                    spread: 1_000_000, jumpsPerDay: 3, jumpSize: 20_000_000, outagesPerDay: 4, ownOutagesPerDay: 5,
                    outageSeconds: 60, group: "g", correlation: 500_000_000, hours: .usEquities,
                    tickNanoseconds: 200_000_000, isDaily: false))
        #expect(simulator.streams.first { $0.id == StreamID(1) }?.market == simulator.markets.firstIndex(of: market))

        guard case .http(let http) = sources[1].make else { return #expect(Bool(false)) }
        #expect(http.body == "ask" && http.pollMilliseconds == 700 && http.timeoutMilliseconds == 800)
        #expect(http.answerBytesMaximum == 9_000 && http.trustedCertificatesFile == "/f/ca.pem")
        #expect(http.headers == [AdapterHeader(name: "X-Token", value: Secret(Bytes("tok".utf8)))])
        #expect(http.values[0].path?.description == "m" && http.values[0].bid?.description == "b")
        #expect(http.values[0].scale == SourcesFixture.decimal("0.01").level && http.values[0].timeUnit == .us)
        #expect(http.values[1].words["open"] == Decimal(2) && http.values[1].when?.text == "status")
        #expect(!"\(http)".contains("tok") && !"\(http)".contains("pass") && !"\(http)".contains("key=k"))

        guard case .websocket(let socket) = sources[2].make else { return #expect(Bool(false)) }
        #expect(socket.subscribe == ["a", "b"] && socket.staleMilliseconds == 900 && socket.messageBytesMaximum == 8_000)
        guard case .calendar(let calendar) = sources[3].make else { return #expect(Bool(false)) }
        #expect(calendar.entries.map(\.numbering) == [.sessions])
    }

    @Test("one line is enough, and its defaults follow the feeds")
    func oneLine() throws {
        let settings = try SourcesFixture.simulator()
        #expect(settings.seed == 7 && settings.noise == 10_000)
        #expect(settings.streams.count == 19)
        let markets = Dictionary(settings.markets.map { ($0.name, $0) }) { first, _ in first }
        #expect(markets["SPY/USD"]?.hours == .usEquities)
        #expect(markets["AAPL/USD"]?.hours == .usEquities24x5)
        #expect(markets["XAU/USD"]?.hours == .always, "its feed has no hours")
        #expect(markets["FUND"]?.isDaily == true)
        #expect(markets["ETH/USD"]?.volatility == 600_000_000 && markets["USDC/USD"]?.volatility == 5_000_000)
        let roles = Dictionary(settings.streams.map { ($0.id.rawValue, $0.role) }) { first, _ in first }
        #expect(roles[32] == .bidVolume && roles[34] == .lastTraded && roles[41] == .navDate && roles[43] == .ripcord)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        var yaml: String
        var expected: String
        var testDescription: String { expected }

        init(_ yaml: String, _ expected: String) {
            self.yaml = yaml
            self.expected = expected
        }
    }

    static let http = "  - {kind: http, url: http://h/, values: [{stream: native, path: p}]"
    static let socket = "  - {kind: websocket, url: ws://h/, values: [{stream: native, path: p}]"

    static let wrong: [Wrong] = [
        Wrong("  - {kind: simulater}", "expected one of simulator, calendar, replay, http, websocket"),
        Wrong("  - {seed: 7}", "missing key 'sources[0].kind'"),
        Wrong("  - {kind: simulator, sed: 7}", "did you mean 'seed'?"),
        Wrong("  - {kind: simulator, seed: -7}", "'sources[0].seed' is '-7'"),
        Wrong("  - {kind: simulator, noise: much}", "'sources[0].noise' is 'much'"),
        Wrong("  - {kind: simulator, only: [nothing]}", "expected names of streams"),
        Wrong("  - {kind: simulator, closedDays: [2026-02-29]}", "'2026-02-29'"),
        Wrong("  - {kind: simulator, markets: [{name: DOGE}]}", "expected one of the markets"),
        Wrong("  - {kind: simulator, markets: [{name: ETH/USD}, {name: ETH/USD}]}", "stands here once"),
        Wrong("  - {kind: simulator, markets: [{name: ETH/USD, start: 0}]}", "'0', expected a number from"),
        Wrong("  - {kind: simulator, markets: [{name: ETH/USD, start: -3}]}", "'-3'"),
        Wrong("  - {kind: simulator, markets: [{name: ETH/USD, volatility: 1001%}]}", "at most 1000%"),
        Wrong("  - {kind: simulator, markets: [{name: ETH/USD, spread: 51%}]}", "at most 50%"),
        Wrong("  - {kind: simulator, markets: [{name: ETH/USD, outageSeconds: 100, outagesPerDay: 865}]}", "from 0 to 864"),
        Wrong("  - {kind: simulator, markets: [{name: ETH/USD, hours: nyse}]}", "expected one of always"),
        Wrong("  - {kind: simulator, markets: [{name: ETH/USD, tickMilliseconds: 9}]}", "from 10 to 60000"),
        Wrong("  - {kind: simulator, markets: [{name: ETH/USD, volatilty: 1%}]}", "did you mean 'volatility'?"),
        Wrong("  - {kind: simulator, streams: [{stream: nope}]}", "expected one of the streams"),
        Wrong("  - {kind: simulator, streams: [{stream: native, role: boss}]}", "expected one of price"),
        Wrong("  - {kind: simulator}\n  - {kind: simulator}", "a name that no other source has"),
        Wrong("  - {kind: calendar, streams: [{stream: native}]}", "missing key 'sources[0].streams[0].hours'"),
        Wrong("  - {kind: calendar, streams: [{stream: ETH/USD, hours: always}]}", "a stream of kind status"),
        Wrong("  - {kind: replay}", "missing key 'sources[0].file'"),
        Wrong("  - {kind: replay, file: nowhere.jsonl}", "expected a file that can be read"),
        Wrong("  - {kind: replay, file: /dev/null, speed: 0}", "from 0.001 to 1000"),
        Wrong("  - {kind: replay, file: /dev/null, speed: -1}", "from 0.001 to 1000"),
        Wrong("  - {kind: http, values: [{stream: native, path: p}]}", "missing key 'sources[0].url'"),
        Wrong("  - {kind: http, url: ws://h/, values: [{stream: native, path: p}]}", "expected http://HOST or https://HOST"),
        Wrong("  - {kind: websocket, url: http://h/, values: [{stream: native, path: p}]}", "expected ws://HOST"),
        Wrong("  - {kind: http, url: http://h/}", "missing key 'sources[0].values'"),
        Wrong("  - {kind: http, url: http://h/, values: []}", "0 values"),
        Wrong("  - {kind: http, url: http://h/, values: [{stream: native}]}", "name its path"),
        Wrong("  - {kind: http, url: http://h/, values: [{stream: native, path: a..b}]}", "expected a path like"),
        Wrong("  - {kind: http, url: http://h/, values: [{stream: native, path: p}, {stream: native, path: p}]}", "stands here once"),
        Wrong("  - {kind: http, url: http://h/, values: [{stream: ETH/USD, bid: b}]}", "name bid and ask"),
        Wrong("  - {kind: http, url: http://h/, values: [{stream: native, path: p, bid: b}]}", "unknown key"),
        Wrong("  - {kind: http, url: http://h/, values: [{stream: SPY/USD.price, path: p}]}", "missing key 'timePath'"),
        Wrong("  - {kind: http, url: http://h/, values: [{stream: native, path: p, scale: 0}]}", "not zero"),
        Wrong("  - {kind: http, url: http://h/, values: [{stream: native, path: p, scale: x}]}", "a decimal number"),
        Wrong("  - {kind: http, url: http://h/, values: [{stream: native, path: p, timeUnit: h}]}", "one of s, ms, us, ns"),
        Wrong("  - {kind: http, url: http://h/, values: [{stream: native, path: p, words: [open]}]}", "WORD=NUMBER"),
        Wrong("  - {kind: http, url: http://h/, values: [{stream: native, path: p, when: x}]}", "PATH=TEXT"),
        Wrong(http + ", pollMilliseconds: 49}", "from 50 to 86400000"),
        Wrong(http + ", poll: 50}", "unknown key 'sources[0].poll'"),
        Wrong(http + ", method: PUT}", "GET or POST"),
        Wrong(http + ", body: x}", "method: POST"),
        Wrong(http + ", headers: [{name: Host, value: x}]}", "not host"),
        Wrong(http + ", headers: [{name: X}]}", "needs one of value, environment and file"),
        Wrong(http + ", headers: [{name: X, value: a, file: b}]}", "needs one of value, environment and file"),
        Wrong(http + ", headers: [{name: X-Api-Key, value: s3cret}]}", "so that no key is shown"),
        Wrong(http + ", headers: [{name: X, environment: NOT_SET}]}", "a variable that is set"),
        Wrong(http + ", headers: [{name: X, file: missing}]}", "no such file"),
        Wrong(http + ", headers: [{name: X, file: evil}]}", "no plain text"),
        Wrong(http + ", headers: [{name: X, value: a}, {name: x, value: b}]}", "stands here once"),
        Wrong(socket + ", staleMilliseconds: 0}", "from 50"),
        Wrong(socket + ", subscribe: hello}", "must be a list"),
    ]

    @Test("what is wrong is refused with its place and what would be right", arguments: wrong)
    func refused(_ wrong: Wrong) throws {
        let rest = wrong.yaml.contains("kind: simulat") || wrong.yaml.contains("seed") ? "" : "\n  - {kind: simulator, name: rest}"
        do {
            _ = try SourcesFixture.sources(wrong.yaml + rest, files: ["/f/evil": "a\r\nX-Evil: b"])
            Issue.record("taken: \(wrong.yaml)")
        } catch {
            let text = "\(error)"
            #expect(text.contains(wrong.expected), "\(text)")
            #expect(!text.contains("s3cret"))
        }
    }

    @Test("a stream without enough sources is refused before anything starts")
    func unserved() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try SourcesFixture.sources("  - {kind: simulator, only: [native]}")
        }
        #expect(error.description.contains("stream link has 0 sources and needs 1"))
        let streams = try SourcesFixture.streams(
            SourcesFixture.streamsYAML.replacing(
                "{name: native, id: 1, class: crypto, sources: 1}", with: "{name: native, id: 1, class: crypto, sources: 2}"))
        #expect(throws: ConfigurationError.self) {
            try SourcesFixture.sources("  - {kind: simulator}", streams: streams)
        }
        let two = try SourcesFixture.sources("  - {kind: simulator}\n  - {kind: simulator, name: b}", streams: streams)
        #expect(two.count == 2)
    }

    @Test("a URL that cannot stand is not repeated in the refusal")
    func secretURL() {
        for url in ["ftp://user:hunter2@host/", "http://host/?key=hunter2 x", "ws://host/hunter2"] {
            let error = #expect(throws: ConfigurationError.self) {
                try SourcesFixture.sources("  - {kind: http, url: \"\(url)\", values: [{stream: native, path: p}]}")
            }
            #expect(error?.description.contains("hunter2") == false, "\(error?.description ?? "")")
        }
    }

    @Test("shares below one percent keep their digits as defaults")
    func shares() throws {
        let reader = try ConfigurationReader(text: "a: 1", file: "f")
        var root = reader.root
        #expect(try root.share("missing", default: 2_000) == 2_000)
        #expect(try root.share("other", default: 123_456_789) == 123_456_789)
    }
}

@Suite struct SourcesDeskTests {
    @Test("a desk with the simulator has a value for every stream, and tells each tick that it took")
    func lives() async throws {
        let streams = try SourcesFixture.streams()
        let seen = SourceLog()
        let desk = SourceDesk(
            settings: try SourcesFixture.sources("  - {kind: simulator, seed: 7}"), streams: streams, oracle: 1,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, onTick: { seen.add($0) })
        let task = Task { await desk.run() }
        let end = ContinuousClock.now + .seconds(20)
        while desk.values(at: WallTime.nanoseconds()).count < 19, ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(10))
        }
        let now = WallTime.nanoseconds()
        #expect(desk.values(at: now).count == 19)
        let health = desk.health(at: now)
        #expect(health.map(\.id) == health.map(\.id).sorted())
        // The status streams were asked for before their first tick, perhaps; nothing else may be refused but for that.
        for stream in health {
            #expect(stream.sourcesInUse == 1 && stream.reason == nil, "\(stream)")
            #expect(stream.refused.keys.allSatisfy { $0 == .noSource }, "\(stream)")
        }
        #expect(desk.sourceHealth.first?.isConnected == true)
        #expect(seen.ticks.count >= 19)
        task.cancel()
        await task.value
        // Nobody speaks any more: crypto goes after two seconds.
        #expect(desk.values(at: now + 10_000_000_000)[StreamID(1)] == nil)
    }

    @Test("what has many venues needs three sources unless its file says otherwise")
    func sourcesByClass() throws {
        func least(_ line: String) throws -> Int? {
            let yaml = SourcesFixture.streamsYAML.replacing("feeds:", with: "  - {name: X, id: 900, \(line)}\nfeeds:")
            return try SourcesFixture.streams(yaml).streams.first { $0.name == "X" }?.sourcesMinimum
        }
        #expect(try least("class: crypto") == 3)
        #expect(try least("class: crypto, sources: 1") == 1)
        #expect(try least("class: currency") == 1)
    }

    /// Says what it is told to say, and ends.
    private struct Scripted: PriceSource {
        let name: String
        let ticks: [SourceTick]
        let reports: [SourceReport]

        func run(
            _ deliver: @escaping @Sendable (SourceTick) -> Void, _ report: @escaping @Sendable (SourceReport) -> Void
        ) async {
            for tick in ticks { deliver(tick) }
            for word in reports { report(word) }
        }
    }

    @Test("of each source is known whether it answers, when it last said something of use, and what went wrong by kind")
    func sourceHealth() async throws {
        func tick(_ value: String, _ time: UInt64) -> SourceTick {
            SourceTick(stream: StreamID(1), value: SourcesFixture.decimal(value), madeAt: nil, receivedAt: time)
        }
        let sources = [
            Scripted(
                name: "good", ticks: [tick("3000", 5), tick("3001", 7), tick("-1", 9)],
                reports: [.failed(reason: "status", message: "503"), .connected]),
            Scripted(
                name: "bad", ticks: [],
                reports: [
                    .connected, .unusable(reason: "garbage", message: "no JSON"), .unusable(reason: "garbage", message: "no JSON"),
                    .failed(reason: "closed", message: "ended"),
                ]),
        ]
        let desk = SourceDesk(
            sources: sources, streams: try SourcesFixture.streams(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        #expect(desk.sourceHealth.map(\.isConnected) == [false, false])
        #expect(desk.sourceHealth.allSatisfy { $0.tickedAt == nil && OracleMetrics.errors($0).isEmpty })
        await desk.run()
        let health = desk.sourceHealth
        #expect(health.map(\.name) == ["good", "bad"])
        #expect(health.map(\.isConnected) == [true, false])
        #expect(health.map(\.tickedAt) == [7, nil], "a refused tick is no news")
        #expect(health.map(\.ticks) == [3, 0])
        let errors = health.map { source in OracleMetrics.errors(source).map { "\($0.kind) \($0.count)" } }
        #expect(errors == [["nonPositive 1", "status 1"], ["closed 1", "garbage 2"]])
    }

    @Test("three hundred streams of three sources are all answered")
    func many() throws {
        let extra = (0..<281).map { "  - {name: X\($0), id: \(1_000 + $0), kind: quote, class: crypto, sources: 1}" }
        let yaml = SourcesFixture.streamsYAML.replacing("feeds:", with: extra.joined(separator: "\n") + "\nfeeds:")
        let streams = try SourcesFixture.streams(yaml)
        #expect(streams.streams.count == 300)
        let sources = try SourcesFixture.sources("  - {kind: simulator}", streams: streams)
        guard case .simulator(let settings)? = sources.first?.make else { return #expect(Bool(false)) }
        let simulator = MarketSimulator(settings, oracle: 0)
        let now = WallTime.nanoseconds()
        let full = SourceDesk(
            sources: (0..<3).map { SteadySource(name: "s\($0)", intervals: [], make: { _, _ in [] }) },
            streams: streams, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let ticks = simulator.intervals.flatMap { simulator.ticks(every: $0, at: now) }
        for source in 0..<3 { for tick in ticks { full.take(tick, from: source) } }
        #expect(full.values(at: now).count == 300)
    }

    @Test("the stage of an oracle that stands in follows from the cadence, and no interval is longer than a day")
    func timing() throws {
        func settings(_ timing: String) throws -> StreamsSettings {
            try SourcesFixture.streams(SourcesFixture.streamsYAML + "\ntiming: {\(timing)}\n")
        }
        let usual = try SourcesFixture.streams()
        #expect(usual.timing.deltaStage == 75 && usual.timing.deltaIdle == 100 && usual.reportPatienceMilliseconds == 135)
        let slow = try settings("deltaRound: 400")
        #expect(slow.timing.deltaStage == 240 && slow.timing.deltaIdle == 400 && slow.reportPatienceMilliseconds == 300)
        for key in ["deltaRound", "deltaProgress", "deltaGrace"] {
            let error = #expect(throws: ConfigurationError.self) { try settings("\(key): 86400001") }
            #expect(error?.code == .invalidValue && error?.message.contains(key) == true, "\(error?.message ?? "")")
        }
    }
}

// Sources of other houses over real sockets: slow, stale, garbage, 429, wrong units, a clock ahead, silence, floods.

import Ethereum
import JSONRPC
import Logging
import PriceStreams
import Testing

@testable import StreamsNode

@Suite struct SourcesAdapterTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func make(_ yaml: String, environment: [String: String] = [:]) throws -> any PriceSource {
        // The simulator serves the other streams, so that the settings are whole.
        let sources = try SourcesFixture.sources(
            yaml + "\n  - {kind: simulator, name: rest}", environment: environment,
            files: ["/f/key": "from a file\n"])
        switch sources[0].make {
        case .http(let settings): return HTTPSource("h", settings, logger: quiet)
        case .websocket(let settings): return WebSocketSource("w", settings, logger: quiet)
        default: throw StreamsNodeError(.settings, "no adapter")
        }
    }

    /// Limits are wide, for machines that have other things to do; narrow where waiting is the matter of a test.
    static func http(
        _ port: Int, _ more: String = "", values: String = "{stream: native, path: price}", timeout: Int = 4_000
    ) -> String {
        """
          - kind: http
            url: "http://127.0.0.1:\(port)/v1/SECRET?key=SECRET"
            pollMilliseconds: 50
            timeoutMilliseconds: \(timeout)
            \(more)
            values:
              - \(values)
        """
    }

    static func webSocket(
        _ port: Int, _ more: String = "", values: String = "{stream: native, path: price}", stale: Int = 5_000
    ) -> String {
        """
          - kind: websocket
            url: "ws://127.0.0.1:\(port)/SECRET"
            staleMilliseconds: \(stale)
            timeoutMilliseconds: 4000
            \(more)
            values:
              - \(values)
        """
    }

    // MARK: HTTP

    @Test("an answer is read exactly, with more digits than a float has, and scaled")
    func exact() async throws {
        let body = #"{"data":[{"price":"0.123456789012345678901234567890","t":1800000000.123456789}]}"#
        let server = try await MisbehavingServer.http { _, _ in [.answer(body)] }
        try await withServer(server) { server in
            let values = "{stream: native, path: data.0.price, scale: 0.01, timePath: /data/0/t, timeUnit: s}"
            let source = try Self.make(Self.http(server.port, values: values))
            let log = SourceLog()
            await log.run(source) { $0.ticks.count >= 2 && $0.reports.contains(.connected) }
            let tick = try #require(log.ticks.first)
            #expect(tick.value == SourcesFixture.decimal("0.0012345678901234567890123456789"))
            #expect(tick.madeAt == 1_800_000_000_123_456_789)
            #expect(log.reasons.isEmpty)
        }
    }

    @Test("headers come from the environment and files, a body is posted, and no secret is printed")
    func request() async throws {
        let server = try await MisbehavingServer.http { _, _ in [.answer(#"{"price":1}"#)] }
        try await withServer(server) { server in
            let more = """
                method: POST
                    body: '{"pair":"ETH"}'
                    headers:
                      - {name: X-Api-Key, environment: SOURCE_KEY}
                      - {name: Authorization, file: key}
                      - {name: X-Plain, value: plain}
                """
            let source = try Self.make(Self.http(server.port, more), environment: ["SOURCE_KEY": "s3cret"])
            let log = SourceLog()
            await log.run(source) { !$0.ticks.isEmpty }
            let request = try #require(server.requests.first)
            #expect(request.hasPrefix("POST /v1/SECRET?key=SECRET HTTP/1.1\r\n"))
            for line in ["X-Api-Key: s3cret", "Authorization: from a file", "X-Plain: plain", "content-length: 14"] {
                #expect(request.contains("\r\n\(line)\r\n"), "\(line) in \(request)")
            }
            #expect(request.hasSuffix(#"{"pair":"ETH"}"#))
        }
    }

    @Test("429 is left alone for as long as it asks")
    func throttled() async throws {
        let server = try await MisbehavingServer.http { number, _ in
            number == 0
                ? [.answer("slow down", status: "429 Too Many Requests", headers: "Retry-After: 2\r\n")]
                : [.answer(#"{"price":1}"#)]
        }
        try await withServer(server) { server in
            let log = SourceLog()
            await log.run(try Self.make(Self.http(server.port))) { !$0.ticks.isEmpty }
            #expect(log.reasons == ["throttled"])
            let times = server.times
            try #require(times.count >= 2)
            #expect(times[0].duration(to: times[1]) >= .milliseconds(1_990))
        }
    }

    struct Trouble: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var reason: String
        var steps: [ServerStep]
    }

    static let troubles: [Trouble] = [
        Trouble(testDescription: "slow", reason: "timeout", steps: [.pause(milliseconds: 5_000), .answer("{}")]),
        Trouble(
            testDescription: "slow in the middle", reason: "timeout",
            steps: [.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"pri"), .pause(milliseconds: 5_000)]),
        Trouble(testDescription: "garbage", reason: "garbage", steps: [.answer("<html>sorry</html>")]),
        Trouble(testDescription: "no HTTP", reason: "garbage", steps: [.send("SSH-2.0-OpenSSH\r\n\r\n")]),
        Trouble(testDescription: "hangs up", reason: "closed", steps: [.close]),
        Trouble(
            testDescription: "half an answer", reason: "closed",
            steps: [.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"price\":1"), .close]),
        Trouble(testDescription: "500", reason: "badStatus", steps: [.answer("{}", status: "500 Oh no")]),
        Trouble(
            testDescription: "redirect", reason: "badStatus",
            steps: [.answer("", status: "302 Found", headers: "Location: /elsewhere\r\n")]),
        Trouble(testDescription: "no value", reason: "missingValue", steps: [.answer(#"{"prices":1}"#)]),
        Trouble(testDescription: "null", reason: "missingValue", steps: [.answer(#"{"price":null}"#)]),
        Trouble(testDescription: "word", reason: "badNumber", steps: [.answer(#"{"price":"n/a"}"#)]),
        Trouble(testDescription: "not a number", reason: "garbage", steps: [.answer(#"{"price":NaN}"#)]),
        Trouble(testDescription: "object", reason: "badNumber", steps: [.answer(#"{"price":{"usd":1}}"#)]),
        Trouble(testDescription: "too many digits", reason: "badNumber", steps: [.answer(#"{"price":1e99999}"#)]),
        Trouble(testDescription: "wrong units", reason: "outOfRange", steps: [.answer(#"{"price":300000}"#)]),
        Trouble(
            testDescription: "flood", reason: "tooLarge",
            steps: [.answer("{\"price\":1,\"x\":\"" + String(repeating: "x", count: 20_000) + "\"}")]),
    ]

    @Test("trouble is named, backed off from, and overcome", arguments: troubles)
    func trouble(_ trouble: Trouble) async throws {
        let server = try await MisbehavingServer.http { number, _ in
            number < 2 ? trouble.steps : [.answer(#"{"price":2999.5}"#)]
        }
        try await withServer(server) { server in
            let values = "{stream: native, path: price, minimum: 100, maximum: 100000}"
            let log = SourceLog()
            let timeout = trouble.reason == "timeout" ? 300 : 4_000
            let yaml = Self.http(server.port, "answerBytes: 10000", values: values, timeout: timeout)
            await log.run(try Self.make(yaml)) {
                !$0.ticks.isEmpty && $0.reports.contains(.connected)
            }
            #expect(log.reasons == [trouble.reason, trouble.reason])
            #expect(log.ticks.first?.value == SourcesFixture.decimal("2999.5"))
            for report in log.reports { #expect(!"\(report)".contains("SECRET"), "\(report)") }
            let times = server.times
            try #require(times.count >= 3)
            #expect(times[1].duration(to: times[2]) >= .milliseconds(200), "the second pause is longer")
        }
    }

    @Test("nobody listening is told as refused")
    func refused() async throws {
        let server = try await MisbehavingServer.http { _, _ in [] }
        let port = server.port
        await server.stop()
        let log = SourceLog()
        await log.run(try Self.make(Self.http(port))) { !$0.reports.isEmpty }
        #expect(log.reasons.first == "refused")
    }

    @Test("one bad value among good ones is told, and the good ones are used")
    func partly() async throws {
        let server = try await MisbehavingServer.http { _, _ in [.answer(#"{"a":1,"b":"x"}"#)] }
        try await withServer(server) { server in
            let values = "{stream: native, path: a}\n      - {stream: link, path: b}"
            let log = SourceLog()
            await log.run(try Self.make(Self.http(server.port, values: values))) { $0.ticks.count >= 2 && $0.reports.count >= 2 }
            #expect(Set(log.ticks.map(\.stream)) == [StreamID(1)])
            #expect(Set(log.reasons) == ["badNumber"])
            #expect(log.reports.contains(.connected))
        }
    }

    @Test("a source whose clock is ahead, whose values are old, or whose unit is wrong never reaches an observation")
    func throughTheDesk() async throws {
        let second: UInt64 = 1_000_000_000
        let server = try await MisbehavingServer.http { _, request in
            let now = WallTime.nanoseconds()
            if request.contains("GET /ahead") { return [.answer(#"{"price":3000,"t":\#(now + 300 * second)}"#)] }
            if request.contains("GET /stale") { return [.answer(#"{"price":3000,"t":\#(now - 300 * second)}"#)] }
            if request.contains("GET /cents") { return [.answer(#"{"price":300000,"t":\#(now)}"#)] }
            if request.contains("GET /minus") { return [.answer(#"{"price":-3000,"t":\#(now)}"#)] }
            return [.answer(#"{"price":3000.5,"t":\#(now)}"#)]
        }
        try await withServer(server) { server in
            func yaml(_ paths: [String]) -> String {
                paths.enumerated().map { index, path in
                    """
                      - kind: http
                        name: s\(index)
                        url: "http://127.0.0.1:\(server.port)/\(path)"
                        pollMilliseconds: 50
                        values:
                          - {stream: native, path: price, timePath: t, timeUnit: ns}
                    """
                }.joined(separator: "\n")
            }
            let streams = try SourcesFixture.streams()
            let rest = "\n  - {kind: calendar, streams: [{stream: SPY/USD.status, hours: usEquities}]}"
            func settings(_ paths: [String]) throws -> [SourceSettings] {
                let others = streams.streams.map(\.name).filter { $0 != "native" }.joined(separator: ", ")
                return try SourcesFixture.sources(
                    yaml(paths) + rest + "\n  - {kind: simulator, only: [\(others)]}")
            }
            func desk(_ paths: [String], _ isEnough: @Sendable (SourceDesk) -> Bool) async throws -> SourceDesk {
                let desk = SourceDesk(
                    settings: try settings(paths), streams: streams, oracle: 0, logger: Self.quiet)
                let task = Task { await desk.run() }
                let end = ContinuousClock.now + .seconds(15)
                while !isEnough(desk), ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(10)) }
                #expect(isEnough(desk))
                task.cancel()
                await task.value
                return desk
            }
            @Sendable func native(_ desk: SourceDesk) -> SourceDesk.StreamHealth? {
                desk.health(at: WallTime.nanoseconds()).first { $0.name == "native" }
            }
            for (path, reason) in [("ahead", SourceRefusal.clockAhead), ("minus", .nonPositive)] {
                let found = try await desk([path]) { (native($0)?.refused[reason] ?? 0) >= 2 }
                #expect(found.values(at: WallTime.nanoseconds())[StreamID(1)] == nil, "\(path)")
            }
            let stale = try await desk(["stale"]) { (native($0)?.ticks ?? 0) >= 1 }
            #expect(stale.values(at: WallTime.nanoseconds())[StreamID(1)] == nil)
            #expect(native(stale)?.reason == .stale)
            // Alone, cents pass; among honest sources they do not.
            let many = try await desk(["good", "cents", "good"]) { (native($0)?.reason) == .deviates && native($0)?.sourcesInUse == 2 }
            #expect(many.values(at: WallTime.nanoseconds())[StreamID(1)] == SourcesFixture.decimal("3000.5"))
            #expect(many.sourceHealth.prefix(3).allSatisfy { $0.isConnected })
        }
    }

    // MARK: WebSocket

    @Test("a WebSocket is subscribed to and its messages are read; those about other things are passed over")
    func pushed() async throws {
        let server = try await MisbehavingServer.webSocket { _, _ in
            [
                .send(#"{"type":"welcome"}"#), .send(#"{"product":"BTC-USD","price":"95000"}"#),
                .send(#"{"product":"ETH-USD","price":"3000.1","bid":"3000","ask":"3000.4"}"#),
            ]
        }
        try await withServer(server) { server in
            let more = "subscribe: ['{\"op\":\"subscribe\"}', second]\n    headers: [{name: X-Plain, value: yes-please}]"
            let values = """
                {stream: native, path: price, when: product=ETH-USD}
                      - {stream: ETH/USD, bid: bid, ask: ask, when: product=ETH-USD}
                """
            let log = SourceLog()
            await log.run(try Self.make(Self.webSocket(server.port, more, values: values))) { $0.ticks.count >= 2 }
            #expect(log.ticks.first?.value == SourcesFixture.decimal("3000.1"))
            let quote = try #require(log.ticks.dropFirst().first?.value.quote)
            #expect(quote.benchmark == SourcesFixture.decimal("3000.2").level)
            #expect(server.messages == [#"{"op":"subscribe"}"#, "second"])
            #expect(server.requests.first?.contains("X-Plain: yes-please") == true)
            #expect(log.reports == [.connected])
        }
    }

    static let disorders: [Trouble] = [
        Trouble(testDescription: "silent", reason: "silent", steps: []),
        Trouble(
            testDescription: "chatters", reason: "silent",
            steps: (0..<100).flatMap { _ in [.send(#"{"type":"heartbeat"}"#), .pause(milliseconds: 50)] }),
        Trouble(testDescription: "hangs up", reason: "closed", steps: [.send(#"{"type":"welcome"}"#), .close]),
        Trouble(
            testDescription: "garbage", reason: "garbage",
            steps: (0..<Limits.garbageMessagesMaximum).map { _ in .send("<html>") }),
        Trouble(testDescription: "flood", reason: "tooLarge", steps: [.send(String(repeating: "1", count: 20_000))]),
    ]

    @Test("a WebSocket in disorder is left and joined again", arguments: disorders)
    func disorder(_ trouble: Trouble) async throws {
        let server = try await MisbehavingServer.webSocket { number, _ in
            number < 1 ? trouble.steps : [.send(#"{"price":5}"#)]
        }
        try await withServer(server) { server in
            let log = SourceLog()
            let stale = trouble.reason == "silent" ? 500 : 5_000
            let yaml = Self.webSocket(server.port, "messageBytes: 10000", stale: stale)
            await log.run(try Self.make(yaml)) { !$0.ticks.isEmpty }
            #expect(log.reasons.last == trouble.reason, "\(log.reasons)")
            #expect(server.requests.count == 2)
            for report in log.reports { #expect(!"\(report)".contains("SECRET"), "\(report)") }
        }
    }

    @Test("a server that speaks no WebSocket, or wants to be left alone, is named")
    func handshake() async throws {
        let server = try await MisbehavingServer.http { number, _ in
            number == 0
                ? [.answer("", status: "429 Too Many Requests", headers: "Retry-After: 1\r\n")]
                : [.answer("{}")]
        }
        try await withServer(server) { server in
            let log = SourceLog()
            await log.run(try Self.make(Self.webSocket(server.port))) { $0.reports.count >= 2 }
            #expect(log.reasons.prefix(2) == ["throttled", "badStatus"])
            let times = server.times
            #expect(times[0].duration(to: times[1]) >= .milliseconds(990))
        }
    }

    // MARK: Pure parts

    @Test("times of other houses are read exactly, or not at all")
    func times() {
        func read(_ text: String) -> UInt64? { AdapterValue.instant(rfc3339: text) }
        let second: UInt64 = 1_000_000_000
        #expect(read("1970-01-01T00:00:00Z") == 0)
        #expect(read("2026-11-27T14:30:00Z") == 1_795_789_800 * second)
        #expect(read("2026-11-27T14:30:00.5Z") == 1_795_789_800 * second + second / 2)
        #expect(read("2026-11-27T14:30:00.123456789123Z") == 1_795_789_800 * second + 123_456_789)
        #expect(read("2026-11-27T14:30:00+09:00") == 1_795_757_400 * second)
        #expect(read("2026-11-27 09:30:00-05:00") == 1_795_789_800 * second)
        for text in [
            "", "2026-11-27", "2026-11-27T14:30:00", "2026-02-30T14:30:00Z", "2026-11-27T24:30:00Z",
            "2026-11-27T14:30:00.Z", "2026-11-27T14:30:00Zulu", "2026-11-27T14:30:00+0900", "1960-01-01T00:00:00Z",
            "2999-01-01T00:00:00Z", "2026-11-27T14:30:00+99:00",
        ] {
            #expect(read(text) == nil, "\(text)")
        }
    }

    @Test("paths lead through objects and arrays, and nowhere else")
    func paths() throws {
        let document = try JSON.parse(#"{"a":[{"b.c":{"d/e":"x","~":1}},7],"0":true,"n":null}"#)
        func found(_ path: String) -> JSON? { ValuePath(path)?.value(in: document) }
        #expect(found("a.1") == .number("7"))
        #expect(found("/a/0/b.c/d~1e") == .string("x"))
        #expect(found("/a/0/b.c/~0") == .number("1"))
        #expect(found("0") == .bool(true))
        for path in ["n", "a.2", "a.-1", "a.x", "a.1.b", "b", "/a/"] { #expect(found(path) == nil, "\(path)") }
        for path in ["", ".", "a.", "a..b", "/a~2", "/a~", String(repeating: "a", count: 201)] {
            #expect(ValuePath(path) == nil, "\(path)")
        }
    }

    @Test("pauses grow, are bounded, and obey the source within reason")
    func backoff() {
        var backoff = Backoff(usualMilliseconds: 100)
        let pauses = (0..<20).map { _ in backoff.failed(draw: 0) }
        #expect(pauses.prefix(5) == [200, 400, 800, 1_600, 3_200])
        #expect(pauses.last == Limits.sourcePauseMillisecondsMaximum)
        #expect(backoff.succeeded() == 100)
        #expect(backoff.failed(retryAfterSeconds: 7, draw: 0) == 7_000)
        #expect(backoff.failed(retryAfterSeconds: .max, draw: 0) == 3_600_000)
        #expect(backoff.failed(retryAfterSeconds: 0, draw: 0) == 800)
        #expect(backoff.failed(draw: .max) <= 1_920)
        var slow = Backoff(usualMilliseconds: 86_400_000)
        #expect(slow.failed(draw: 0) == 86_400_000)
    }
}

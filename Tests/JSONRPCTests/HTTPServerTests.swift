// The server over HTTP, with real sockets: what is answered, in which order, and what a hostile peer gets.

import Ethereum
import NIOCore
import NIOPosix
import Testing

@testable import JSONRPC

@Suite(.timeLimit(.minutes(2)))
struct HTTPServerTests {
    private static func post(_ body: String, headers: String = "", path: String = "/") -> String {
        "POST \(path) HTTP/1.1\r\nHost: x\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private static func call(_ id: Int, _ method: String = "echo", _ parameters: String = "[]") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(parameters)}"#
    }

    /// Sends raw text and returns everything that came when the part was seen (or the connection ended).
    private static func talk(_ port: Int, _ sent: String, until part: String, count: Int = 1) async throws -> String {
        let peer = try await RawPeer(port: port)
        await peer.send(sent)
        _ = await eventually {
            peer.isClosed || text(peer.received).split(separator: part, omittingEmptySubsequences: false).count > count
        }
        return text(peer.received)
    }

    @Test("a call by POST is answered, and the connection is kept") func keepAlive() async throws {
        try await withServer { server in
            let peer = try await RawPeer(port: server.port)
            for id in 1...3 {
                await peer.send(Self.post(Self.call(id, "transport"), path: "/any?where"))
                #expect(await peer.waits(for: #"{"jsonrpc":"2.0","id":\#(id),"result":"http"}"#))
            }
            let answer = text(peer.received)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("content-type: application/json\r\n"))
            #expect(answer.contains("access-control-allow-origin: *\r\n"))
            #expect(!peer.isClosed)
            #expect(server.counters.calls.value == 3)
        }
    }

    @Test("pipelined requests are answered in order, however they are cut", arguments: [1, 7, 64, 100_000])
    func pipelining(_ size: Int) async throws {
        try await withServer { server in
            let peer = try await RawPeer(port: server.port)
            let all = Array((0..<150).map { Self.post(Self.call($0, $0 % 3 == 0 ? "yield" : "echo")) }.joined().utf8)
            for start in stride(from: 0, to: all.count, by: size) {
                peer.sendWithoutWaiting(Array(all[start..<min(start + size, all.count)]))
            }
            #expect(await peer.waits(for: #""id":149,"#))
            let ids = text(peer.received).split(separator: #""id":"#).dropFirst().compactMap { Int($0.prefix { $0.isNumber }) }
            #expect(ids == Array(0..<150))
        }
    }

    @Test("chunked bodies, with trailers, and cut anywhere, are put together") func chunked() async throws {
        try await withServer { server in
            let peer = try await RawPeer(port: server.port)
            let body = Array(Self.call(5, "echo", #"["0x1234"]"#).utf8)
            await peer.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for byte in body { await peer.send([0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a]) }
            await peer.send("0\r\nX-Trailer: 1\r\n\r\n")
            #expect(await peer.waits(for: #"{"jsonrpc":"2.0","id":5,"result":["0x1234"]}"#))
        }
    }

    @Test("a notification gets 204 and nothing else") func notification() async throws {
        try await withServer { server in
            let answer = try await Self.talk(
                server.port, Self.post(#"{"jsonrpc":"2.0","method":"echo"}"#), until: "\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 204 No Content\r\n") && answer.hasSuffix("\r\n\r\n"))
            #expect(!answer.contains("content-length"))
            #expect(server.service.calls == ["echo"])
        }
    }

    @Test("browsers are told what they may send") func preflight() async throws {
        try await withServer { server in
            let answer = try await Self.talk(
                server.port,
                "OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Headers: content-type, x-key\r\n\r\n",
                until: "\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 204 "))
            #expect(answer.contains("access-control-allow-methods: GET, HEAD, OPTIONS, POST\r\n"))
            #expect(answer.contains("access-control-allow-headers: content-type, x-key\r\n"))
        }
        try await withServer { $0.allowedOrigin = nil } _: { server in
            let answer = try await Self.talk(server.port, "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n", until: "\r\n\r\n")
            #expect(!answer.contains("access-control"))
        }
    }

    @Test("routes are answered by path; HEAD without the body; others are not there") func routes() async throws {
        let registry = MetricsRegistry()
        try await withServer {
            $0.metrics = registry
            $0.routes["/metrics"] = { .metrics(registry) }
            $0.routes["/"] = { .html("<p>hello") }
        } _: { server in
            let page = try await Self.talk(server.port, "GET /?a=b HTTP/1.1\r\nHost: x\r\n\r\n", until: "<p>hello")
            #expect(page.contains("content-type: text/html; charset=utf-8\r\ncontent-length: 8\r\n"))
            let head = try await Self.talk(
                server.port, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", until: "never")
            #expect(head.contains("content-length: 8\r\n") && head.hasSuffix("\r\n\r\n"))
            let metrics = try await Self.talk(server.port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", until: "websockets{")
            #expect(metrics.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            #expect(metrics.contains("causeway_rpc_server_cut_connections_total{reason=\"slow_reader\",server=\"rpc\"} 0\n"))
            let missing = try await Self.talk(server.port, "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n", until: "\r\n\r\n")
            #expect(missing.hasPrefix("HTTP/1.1 404 "))
            let wrong = try await Self.talk(server.port, "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", until: "\r\n\r\n")
            #expect(wrong.hasPrefix("HTTP/1.1 405 ") && wrong.contains("allow: GET, HEAD, OPTIONS, POST\r\n"))
        }
    }

    @Test("a server without methods answers routes only") func routesOnly() async throws {
        try await withServer({ $0.routes["/health"] = { .text("ok") } }, hasService: false) { server in
            let answer1 = try await Self.talk(server.port, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", until: "ok")
            #expect(answer1.contains("200 OK"))
            let answer2 = try await Self.talk(server.port, Self.post("{}"), until: "\r\n\r\n")
            #expect(answer2.hasPrefix("HTTP/1.1 405 "))
            let answer3 = try await Self.talk(server.port, RawPeer.handshake, until: "\r\n\r\n")
            #expect(answer3.hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test("a handler gets path, query and body of what no route answers, and may ask for patience") func handler() async throws {
        try await withServer({
            $0.routes["/health"] = { .text("ok") }
            $0.handler = { question in
                var answer = HTTPAnswer.text(
                    "\(question.method) \(question.path) \(question.query("a") ?? "-") \(question.body.count).", status: 429)
                answer.retryAfterSeconds = 7
                return answer
            }
        }, hasService: false) { server in
            let route = try await Self.talk(server.port, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", until: "ok")
            #expect(route.contains("200 OK"))
            let get = try await Self.talk(server.port, "GET /v/1?b=2&a=3#x HTTP/1.1\r\nHost: x\r\n\r\n", until: "0.")
            #expect(get.hasPrefix("HTTP/1.1 429 ") && get.contains("retry-after: 7\r\n") && get.hasSuffix("GET /v/1 3 0."))
            let post = try await Self.talk(server.port, Self.post("{}"), until: "2.")
            #expect(post.hasSuffix("POST / - 2."))
        }
        #expect(HTTPQuestion(method: "GET", target: "/p?a=&b").query("a") == "")
        #expect(HTTPQuestion(method: "GET", target: "/p?ab=1&b").query("b") == nil)
    }

    @Test("HTTP/1.0 and connection: close end the connection after the answer") func closing() async throws {
        try await withServer { server in
            let old = try await Self.talk(
                server.port, "POST / HTTP/1.0\r\nContent-Length: \(Self.call(1).utf8.count)\r\n\r\n" + Self.call(1), until: "never")
            #expect(old.contains(#""result":[]"#))
            let asked = try await Self.talk(server.port, Self.post(Self.call(1), headers: "Connection: close\r\n"), until: "never")
            #expect(asked.contains("connection: close\r\n") && asked.contains(#""result":[]"#))
        }
    }

    @Test("a client that asks first is told to continue") func expectContinue() async throws {
        try await withServer { server in
            let peer = try await RawPeer(port: server.port)
            let body = Self.call(1)
            await peer.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
            #expect(await peer.waits(for: "HTTP/1.1 100 Continue\r\n\r\n"))
            await peer.send(body)
            #expect(await peer.waits(for: #""result":[]"#))
        }
    }

    @Test("a request that offers another protocol is answered as it stands") func otherUpgrade() async throws {
        try await withServer { $0.routes["/"] = { .text("plain") } } _: { server in
            let get = try await Self.talk(
                server.port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
                until: "never")
            #expect(get.hasPrefix("HTTP/1.1 200 OK\r\n") && get.hasSuffix("plain") && get.contains("connection: close"))
            let post = try await Self.talk(
                server.port, Self.post(Self.call(1), headers: "Connection: Upgrade\r\nUpgrade: h2c\r\n"), until: "never")
            #expect(post.contains(#""result":[]"#))
        }
    }

    // MARK: Hostile

    static let refusals: [(name: String, sent: String, status: String)] = [
        ("announced body too large", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", "413"),
        ("chunked body too large", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n"
            + String(repeating: "x", count: 2_000) + "\r\n", "413"),
        ("no HTTP", "hello there\r\n\r\n", "400"),
        ("TLS to a plain port", "\u{16}\u{3}\u{1}\u{2}\r\n\r\n", "400"),
        ("two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "400"),
        ("length and chunks", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
        ("negative length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", "400"),
        ("large header", "GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 40_000) + "\r\n\r\n", "4"),
        ("many headers", "GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 200) + "\r\n", "4"),
        ("many bytes of headers", "GET / HTTP/1.1\r\n" + String(repeating: "X: \(String(repeating: "y", count: 900))\r\n", count: 100) + "\r\n", "4"),
        ("long target", "GET /" + String(repeating: "a", count: 9_000) + " HTTP/1.1\r\nHost: x\r\n\r\n", "414"),
        ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
        ("compressed body", "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx", "415"),
        ("handshake of another version", RawPeer.handshake.replacing("Version: 13", with: "Version: 8"), "426"),
        ("handshake without a key", RawPeer.handshake.replacing("Sec-WebSocket-Key", with: "X-Key"), "400"),
        ("handshake with a short key", RawPeer.handshake.replacing("dGhlIHNhbXBsZSBub25jZQ==", with: "dGhl"), "400"),
        ("handshake by POST", RawPeer.handshake.replacing("GET", with: "POST"), "400"),
    ]

    @Test("what is malformed or too large is refused by status, closed, and the server lives on", arguments: 0..<17)
    func refusing(_ row: Int) async throws {
        let (name, sent, status) = Self.refusals[row]
        try await withServer { $0.requestBytesMaximum = 1_000 } _: { server in
            let peer = try await RawPeer(port: server.port)
            await peer.send(sent)
            #expect(await peer.waitsForClose(), "\(name) is not closed")
            let answer = text(peer.received)
            #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(name): \(answer.prefix(200))")
            #expect(server.service.calls.isEmpty)
            let answer4 = try await Self.talk(server.port, Self.post(Self.call(1)), until: #""result""#)
            #expect(answer4.contains(#""id":1"#))
        }
    }

    @Test("the table of refusals is complete") func refusalCount() { #expect(Self.refusals.count == 17) }

    @Test("a peer that sends its head or body drop by drop is cut off in time") func slowLoris() async throws {
        try await withServer {
            $0.idleMilliseconds = 2_000
            $0.requestMilliseconds = 300
        } _: { server in
            let silent = try await RawPeer(port: server.port)
            let head = try await RawPeer(port: server.port)
            let body = try await RawPeer(port: server.port)
            await head.send("GET / HTTP/1.1\r\nX: ")
            await body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
            for _ in 0..<1_000 where !(head.isClosed && body.isClosed && silent.isClosed) {
                await head.send("a")
                await body.send("a")
                try await Task.sleep(nanoseconds: 5_000_000)
            }
            #expect(silent.isClosed && head.isClosed && body.isClosed)
            #expect(text(body.received).hasPrefix("HTTP/1.1 408 "))
            #expect(server.counters.cutCount(.idle) == 2)
            #expect(server.counters.cutCount(.slowRequest) == 1)
        }
    }

    @Test("a client that does not read its answers is cut off, and does not fill the memory") func slowReader() async throws {
        try await withServer { $0.stalledWriteMilliseconds = 300 } _: { server in
            let peer = try await RawPeer(port: server.port, reads: false)
            peer.sendWithoutWaiting(
                Array(String(repeating: Self.post(Self.call(1, "big", "[4000000]")), count: 50).utf8))
            #expect(await eventually { server.counters.cutCount(.slowReader) == 1 })
            #expect(server.service.calls.count < 10, "answers were made though nobody takes them")
            #expect(await eventually { server.counters.connections.value == 0 })
        }
    }

    @Test("connections beyond the bound are closed and counted; the others go on") func tooManyConnections() async throws {
        try await withServer { $0.connectionsMaximum = 2 } _: { server in
            let first = try await RawPeer(port: server.port)
            let second = try await RawPeer(port: server.port)
            #expect(await eventually { server.counters.connections.value == 2 })
            let third = try await RawPeer(port: server.port)
            #expect(await third.waitsForClose())
            #expect(server.counters.cutCount(.tooManyConnections) == 1)
            for peer in [first, second] {
                await peer.send(Self.post(Self.call(1)))
                #expect(await peer.waits(for: #""result":[]"#))
            }
            await first.close()
            #expect(await eventually { server.counters.connections.value == 1 })
            let fourth = try await RawPeer(port: server.port)
            await fourth.send(Self.post(Self.call(1)))
            #expect(await fourth.waits(for: #""result":[]"#))
        }
    }

    // MARK: Starting and stopping

    @Test("a port in use is an error that names it, unless the next one may be taken") func portInUse() async throws {
        try await withServer { server in
            var configuration = RPCServer.Configuration(port: server.port)
            let second = RPCServer(configuration: configuration, service: nil, logger: quiet)
            let error = await #expect(throws: RPCServerError.self) { _ = try await second.start() }
            #expect(error?.code == .portInUse)
            #expect(error?.message.contains("port \(server.port)") == true)
            #expect(error?.hint.contains("\(server.port)") == true)
            configuration.triesNextPorts = 20
            let third = RPCServer(configuration: configuration, service: nil, logger: quiet)
            let port = try await third.start()
            #expect(port > server.port && port <= server.port + 20)
            await third.stop()
        }
    }

    @Test("addresses that are not ours and nonsense are refused by name") func badAddresses() async {
        for (configuration, code) in [
            (RPCServer.Configuration(host: "192.0.2.1"), RPCServerError.Code.addressNotAvailable),
            (RPCServer.Configuration(host: "no-such-host.invalid"), .addressNotAvailable),
            (RPCServer.Configuration(port: 70_000), .invalidConfiguration),
        ] {
            let server = RPCServer(configuration: configuration, service: nil, logger: quiet)
            let error = await #expect(throws: RPCServerError.self) { _ = try await server.start() }
            #expect(error?.code == code)
        }
    }

    @Test("stop lets a running answer finish, closes the rest, and frees the port") func stopping() async throws {
        let service = TestService()
        let server = RPCServer(configuration: RPCServer.Configuration(), service: service, logger: quiet)
        let port = try await server.start()
        let idle = try await RawPeer(port: port)
        let busy = try await RawPeer(port: port)
        await busy.send(Self.post(Self.call(1, "gate")))
        #expect(await eventually { service.calls == ["gate"] })
        async let stopped: Void = server.stop()
        #expect(await idle.waitsForClose())
        service.openGate()
        await stopped
        #expect(await busy.waitsForClose())
        #expect(text(busy.received).contains(#""result":true"#))
        await server.stop()
        let again = RPCServer(configuration: RPCServer.Configuration(port: port), service: nil, logger: quiet)
        let answer5 = try await again.start()
        #expect(answer5 == port)
        await again.stop()
    }
}

// The client against our own server and against nodes that misbehave, with real sockets.

import Ethereum
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import JSONRPC

@Suite(.timeLimit(.minutes(2)))
struct RPCClientTests {
    // MARK: Good weather

    @Test("calls and batches work alike over HTTP and WebSocket", arguments: ["http", "ws"])
    func calls(_ scheme: String) async throws {
        try await withServer { server in
            try await withClient(server.endpoint(scheme)) { client in
                let transport = try await client.call("transport", [])
                #expect(transport == (scheme == "http" ? "http" : "websocket"))
                let echoed = try await client.call("echo", [["a": [1, nil, "x\"y"]], "0x1"])
                #expect(echoed == [["a": [1, nil, "x\"y"]], "0x1"])
                let results = try await client.batch([("echo", [1]), ("nope", []), ("fail", []), ("echo", [2])])
                #expect(results.count == 4)
                #expect(results[0] == .success([1]) && results[3] == .success([2]))
                #expect(results[1] == .failure(.methodNotFound("nope")))
                #expect(results[2] == .failure(.executionReverted(data: "0x08c379a0")))
                let nothing = try await client.batch([])
                #expect(nothing.isEmpty)
                let error = await #expect(throws: RPCClientError.self) { try await client.call("fail", []) }
                #expect(error?.remote == .executionReverted(data: "0x08c379a0"))
                #expect(error?.retry == .never)
            }
        }
    }

    @Test("many calls at once share few connections, and each gets its own answer", arguments: ["http", "ws"])
    func concurrent(_ scheme: String) async throws {
        try await withServer { server in
            try await withClient(server.endpoint(scheme), connections: 3) { client in
                let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<400 {
                        group.addTask { try await client.call("echo", [.integer(number)]) != [.integer(number)] }
                    }
                    return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(wrong == 0)
                #expect(server.counters.connections.value <= (scheme == "ws" ? 1 : 3))
            }
        }
    }

    @Test("subscriptions deliver in order, beside calls; leaving one unsubscribes; closing ends them") func subscriptions() async throws {
        try await withServer { server in
            try await withClient(server.endpoint("ws")) { client in
                let seen = try await Self.firstFive(client)
                #expect(seen == [0, 1, 2, 3, 4])
                #expect(await eventually { server.service.calls.last == "eth_unsubscribe" })
                let second = try await client.subscribe([1])
                let connection = try #require(server.service.connections.last)
                connection.notify("eth_subscription", ["subscription": "0x1", "result": 1])
                let reader = Task { await second.reduce(into: [JSON]()) { $0.append($1) } }
                await server.server.stop()
                #expect(await reader.value == [0, 1])
            }
        }
    }

    private static func firstFive(_ client: RPCClient) async throws -> [JSON] {
        var seen: [JSON] = []
        for await value in try await client.subscribe([5]) {
            seen.append(value)
            if seen.count == 5 { break }
            _ = try await client.call("echo", [])
        }
        return seen
    }

    @Test("HTTP endpoints cannot subscribe, by name") func noSubscription() async throws {
        try await withClient(EndpointURL.parse("http://127.0.0.1:1")) { client in
            let error = await #expect(throws: RPCClientError.self) { try await client.subscribe([]) }
            #expect(error?.code == .unsupportedScheme && error?.retry == .never)
        }
    }

    // MARK: Bad weather over HTTP

    static let misbehaviours: [(name: String, code: RPCClientError.Code, retry: RPCClientError.Retry, script: ScriptServer.Script)] = [
        ("no JSON", .garbage, .later, { _, _, _ in [.answer("<html>")] }),
        ("no JSON-RPC", .garbage, .later, { _, _, _ in [.answer("[]")] }),
        ("neither result nor error", .garbage, .later, { _, _, text in [.answer(#"{"jsonrpc":"2.0","id":\#(ScriptServer.id(text))}"#)] }),
        ("error without a code", .garbage, .later, { _, _, text in [.answer(#"{"jsonrpc":"2.0","id":\#(ScriptServer.id(text)),"error":{}}"#)] }),
        ("another id", .garbage, .later, { _, _, _ in [.answer(#"{"jsonrpc":"2.0","id":999,"result":1}"#)] }),
        ("the id as text", .garbage, .later, { _, _, text in [.answer(#"{"jsonrpc":"2.0","id":"\#(ScriptServer.id(text))","result":1}"#)] }),
        ("no HTTP", .garbage, .later, { _, _, _ in [.text("hello\r\n\r\n")] }),
        ("compressed", .garbage, .never, { _, _, _ in [.answer("xx", headers: "Content-Encoding: gzip\r\n")] }),
        ("announced too large", .tooLarge, .never, { _, _, _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")] }),
        ("chunks too large", .tooLarge, .never, { _, _, _ in
            [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + String(repeating: "x", count: 2_000) + "\r\n")] }),
        ("endless without a length", .tooLarge, .never, { _, _, _ in
            [.text("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 2_000))] }),
        ("401", .badStatus(401), .never, { _, _, _ in [.answer("who?", status: "401 Unauthorized")] }),
        ("404", .badStatus(404), .never, { _, _, _ in [.answer("", status: "404 Not Found")] }),
        ("429", .badStatus(429), .later, { _, _, _ in [.answer("slow", status: "429 Too Many Requests")] }),
        ("503", .badStatus(503), .later, { _, _, _ in [.answer("", status: "503 Service Unavailable")] }),
        ("a redirect", .badStatus(301), .never, { _, _, _ in [.answer("", status: "301 Moved", headers: "Location: http://x/\r\n")] }),
        ("closing at once", .closed, .now, { _, _, _ in [.close] }),
        ("closing inside the head", .closed, .now, { _, _, _ in [.text("HTTP/1.1 200 O"), .close] }),
        ("closing inside the body", .closed, .now, { _, _, _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc"), .close] }),
        ("saying nothing", .timeout, .later, { _, _, _ in [] }),
        ("an answer drop by drop", .timeout, .later, { _, _, _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n")] + (0..<40).flatMap { _ in [ScriptStep.text(" "), .pause(milliseconds: 50)] } }),
    ]

    @Test("every misbehaviour of a node has its name, and the next call is fine", arguments: 0..<21)
    func misbehaving(_ row: Int) async throws {
        let (name, code, retry, script) = Self.misbehaviours[row]
        try await withScript({ connection, request, text in
            text.contains("eth_good") ? [.echo(text)] : script(connection, request, text)
        }) { server in
            try await withClient(server.endpoint(), timeoutMilliseconds: 1_000, connections: 1, answerBytesMaximum: 1_000) { client in
                let error = await #expect(throws: RPCClientError.self, "\(name)") { try await client.call("eth_chainId", []) }
                #expect(error?.code == code, "\(name)")
                #expect(error?.retry == retry, "\(name)")
                #expect(error?.description.contains("SECRET") == false)
                let good = try await client.call("eth_good", [])
                #expect(good == true, "\(name)")
            }
        }
    }

    @Test("the table of misbehaviours is complete") func count() { #expect(Self.misbehaviours.count == 21) }

    @Test("a JSON-RPC error under a bad status is the node's own answer") func errorWithStatus() async throws {
        try await withScript({ _, _, text in
            [.answer(#"{"jsonrpc":"2.0","id":\#(ScriptServer.id(text)),"error":{"code":-32000,"message":"nonce too low"}}"#, status: "400 Bad Request")]
        }) { server in
            try await withClient(server.endpoint()) { client in
                let error = await #expect(throws: RPCClientError.self) { try await client.call("eth_sendRawTransaction", []) }
                #expect(error?.remote == JSONRPCError(code: -32000, message: "nonce too low"))
            }
        }
    }

    @Test("the request is well-formed: target, host, length, credentials") func requestShape() async throws {
        try await withScript({ _, _, text in [.echo(text)] }) { server in
            let endpoint = try EndpointURL.parse("http://me:pw@127.0.0.1:\(server.port)/v3/k?x=1")
            try await withClient(endpoint) { client in _ = try await client.call("m", ["0x"]) }
            let request = try #require(server.requests.first)
            #expect(request.hasPrefix("POST /v3/k?x=1 HTTP/1.1\r\n"))
            #expect(request.contains("host: 127.0.0.1:\(server.port)\r\n"))
            #expect(request.contains("authorization: Basic bWU6cHc=\r\n"))
            #expect(request.hasSuffix(#"{"jsonrpc":"2.0","id":1,"method":"m","params":["0x"]}"#))
        }
    }

    @Test("answers of a batch are put in order; missing, double and foreign ones are garbage") func batches() async throws {
        let answers: [(body: String, isGood: Bool)] = [
            (#"[{"id":2,"result":"b"},{"id":1,"result":"a"}]"#, true),
            (#"[{"id":1,"result":"a"}]"#, false),
            (#"[{"id":1,"result":"a"},{"id":1,"result":"a"}]"#, false),
            (#"[{"id":1,"result":"a"},{"id":3,"result":"a"}]"#, false),
            (#"[{"id":1,"result":"a"},{"id":2,"result":"a"},{"id":3,"result":"a"}]"#, false),
            (#"[{"id":1,"result":"a"},7]"#, false),
            (#"{"id":1,"result":"a"}"#, false),
        ]
        for (body, isGood) in answers {
            try await withScript({ _, _, _ in [.answer(body)] }) { server in
                try await withClient(server.endpoint()) { client in
                    do throws(RPCClientError) {
                        let results = try await client.batch([("x", []), ("y", [])])
                        #expect(isGood && results == [.success("a"), .success("b")])
                    } catch {
                        #expect(!isGood && error.code == .garbage, "\(body)")
                    }
                }
            }
        }
        try await withScript({ _, _, _ in [.answer(#"{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"too many"}}"#)] }) { server in
            try await withClient(server.endpoint()) { client in
                let error = await #expect(throws: RPCClientError.self) { try await client.batch([("x", []), ("y", [])]) }
                #expect(error?.remote?.code == -32005 && error?.retry == .later)
            }
        }
    }

    @Test("a dead kept-alive connection costs a read nothing: it is sent again, once") func staleRead() async throws {
        try await withScript({ _, request, text in request == 0 ? [.echo(text)] : [.close] }) { server in
            try await withClient(server.endpoint(), connections: 1) { client in
                for _ in 0..<3 {
                    let value = try await client.call("eth_blockNumber", [])
                    #expect(value == true)
                }
                #expect(server.requests.count == 5, "two of three calls were sent twice")
                #expect(server.connectionCount == 3)
            }
        }
    }

    @Test("a transaction is never sent again by itself", arguments: ["eth_sendRawTransaction", "eth_sendTransaction", "unknown_method"])
    func staleWrite(_ method: String) async throws {
        try await withScript({ _, request, text in request == 0 ? [.echo(text)] : [.close] }) { server in
            try await withClient(server.endpoint(), connections: 1) { client in
                _ = try await client.call("eth_blockNumber", [])
                let error = await #expect(throws: RPCClientError.self) { try await client.call(method, ["0x02"]) }
                #expect(error?.code == .closed && error?.retry == .later)
                #expect(server.requests.filter { $0.contains(method) }.count == 1)
                let mixed = await #expect(throws: RPCClientError.self) {
                    _ = try await client.call("eth_blockNumber", [])
                    _ = try await client.batch([("eth_call", []), (method, [])])
                }
                #expect(mixed?.code == .closed)
                #expect(server.requests.filter { $0.contains(method) }.count == 2)
            }
        }
    }

    @Test("once a byte of the answer came, nothing is sent again") func partialAnswer() async throws {
        try await withScript({ _, request, text in request == 0 ? [.echo(text)] : [.text("H"), .close] }) { server in
            try await withClient(server.endpoint(), connections: 1) { client in
                _ = try await client.call("eth_blockNumber", [])
                let error = await #expect(throws: RPCClientError.self) { try await client.call("eth_blockNumber", []) }
                #expect(error?.code == .closed && server.requests.count == 2)
            }
        }
    }

    @Test("nobody there, and no such host, are refused", arguments: ["http", "ws"])
    func refused(_ scheme: String) async throws {
        let gone = try await ScriptServer.start { _, _, _ in [] }
        await gone.stop()
        for host in ["127.0.0.1", "no-such-host.invalid"] {
            try await withClient(gone.endpoint(scheme, host: host)) { client in
                for _ in 0..<2 {
                    let error = await #expect(throws: RPCClientError.self) { try await client.call("eth_chainId", []) }
                    #expect(error?.code == .refused && error?.retry == .later, "\(host): \(String(describing: error))")
                }
            }
        }
    }

    @Test("a cancelled task stops waiting", arguments: ["http", "ws"]) func cancelling(_ scheme: String) async throws {
        try await withServer { server in
            try await withClient(server.endpoint(scheme), timeoutMilliseconds: 60_000) { client in
                let task = Task { try await client.call("gate", []) }
                #expect(await eventually { server.service.calls == ["gate"] })
                task.cancel()
                let error = await #expect(throws: RPCClientError.self) { try await task.value }
                #expect(error?.code == .cancelled)
                let early = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return try await client.call("gate", [])
                }
                let earlyError = await #expect(throws: RPCClientError.self) { try await early.value }
                #expect(earlyError?.code == .cancelled)
                server.service.openGate()
            }
        }
    }

    @Test("a closed client fails what waits and what comes", arguments: ["http", "ws"]) func closing(_ scheme: String) async throws {
        try await withServer { server in
            try await withClient(server.endpoint(scheme), connections: 1) { client in
                let running = Task { try await client.call("gate", []) }
                #expect(await eventually { server.service.calls == ["gate"] })
                let waiting = Task { try await client.call("gate", []) }
                await client.close()
                for task in [running, waiting] {
                    let error = await #expect(throws: RPCClientError.self) { try await task.value }
                    #expect(error?.code == .stopped)
                }
                let late = await #expect(throws: RPCClientError.self) { try await client.call("echo", []) }
                #expect(late?.code == .stopped)
                server.service.openGate()
            }
            #expect(await eventually { server.counters.connections.value == 0 })
        }
    }

    // MARK: Bad weather over WebSocket

    @Test("after a restart of the node the next call connects anew; the stream of before has ended") func reconnecting() async throws {
        let service = TestService()
        let first = RPCServer(configuration: RPCServer.Configuration(), service: service, logger: quiet)
        let port = try await first.start()
        try await withClient(EndpointURL.parse("ws://127.0.0.1:\(port)")) { client in
            let stream = try await client.subscribe([1])
            await first.stop()
            let values = await stream.reduce(into: [JSON]()) { $0.append($1) }
            #expect(values == [0])
            let error = await #expect(throws: RPCClientError.self) { try await client.call("echo", []) }
            #expect(error?.code == .refused)
            let second = RPCServer(configuration: RPCServer.Configuration(port: port), service: service, logger: quiet)
            _ = try await second.start()
            let value = try await client.call("echo", [1])
            #expect(value == [1])
            await second.stop()
        }
    }

    static let handshake = """
        HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n
        """
    static let handshakes: [(name: String, code: RPCClientError.Code, answer: [ScriptStep])] = [
        ("the answer to another key", .handshake, [.text(handshake)]),
        ("101 without an upgrade", .handshake, [.text("HTTP/1.1 101 Sure\r\n\r\n")]),
        ("200", .badStatus(200), [.answer("hello")]),
        ("401", .badStatus(401), [.answer("", status: "401 No")]),
        ("closing", .closed, [.close]),
        ("no HTTP", .garbage, [.text("hello\r\n\r\n")]),
        ("silence", .timeout, []),
    ]

    @Test("a handshake that fails has its name", arguments: 0..<7) func failingHandshake(_ row: Int) async throws {
        let (name, code, steps) = Self.handshakes[row]
        try await withScript({ _, _, _ in steps }) { server in
            try await withClient(server.endpoint("ws"), timeoutMilliseconds: 500) { client in
                let error = await #expect(throws: RPCClientError.self, "\(name)") { try await client.call("eth_chainId", []) }
                #expect(error?.code == code, "\(name)")
            }
        }
    }

    @Test("a call that is not answered times out alone; the WebSocket goes on") func webSocketTimeout() async throws {
        try await withServer { server in
            try await withClient(server.endpoint("ws"), timeoutMilliseconds: 1_500) { client in
                let error = await #expect(throws: RPCClientError.self) { try await client.call("gate", []) }
                #expect(error?.code == .timeout)
                server.service.openGate()
                let value = try await client.call("echo", [2])
                #expect(value == [2])
                #expect(server.counters.webSockets.value == 1)
            }
        }
    }

    @Test("an answer above the limit ends the WebSocket by name, and the next call works") func webSocketTooLarge() async throws {
        try await withServer { server in
            try await withClient(server.endpoint("ws"), answerBytesMaximum: 10_000) { client in
                let error = await #expect(throws: RPCClientError.self) { try await client.call("big", [20_000]) }
                #expect(error?.code == .tooLarge)
                let value = try await client.call("echo", [2])
                #expect(value == [2])
            }
        }
    }

    // MARK: TLS

    @Test("https and wss need a certificate that is trusted and names the host") func encryption() async throws {
        let file = "\(FilePaths.temporary)/jsonrpc-test-\(UInt64.random(in: .min ... .max)).pem"
        try FilePaths.write(TestCertificate.pem, to: file)
        defer { FilePaths.remove(file) }
        try await withScript(encrypted: TestCertificate.serverContext(), { _, _, text in [.echo(text)] }) { server in
            for host in ["127.0.0.1", "localhost"] {
                try await withClient(server.endpoint("https", host: host), trusting: file) { client in
                    let value = try await client.call("eth_chainId", [])
                    #expect(value == true)
                }
                try await withClient(server.endpoint("https", host: host)) { client in
                    let error = await #expect(throws: RPCClientError.self) { try await client.call("eth_chainId", []) }
                    #expect(error?.code == .encryption, "an unknown issuer was trusted")
                }
            }
            try await withClient(server.endpoint("wss"), timeoutMilliseconds: 2_000) { client in
                let error = await #expect(throws: RPCClientError.self) { try await client.call("eth_chainId", []) }
                #expect(error?.code == .encryption)
            }
            // Trusted, but the node behind it speaks no WebSocket: past TLS, the handshake's answer counts.
            try await withClient(server.endpoint("wss"), timeoutMilliseconds: 2_000, trusting: file) { client in
                let error = await #expect(throws: RPCClientError.self) { try await client.call("eth_chainId", []) }
                #expect(error?.code == .badStatus(200))
            }
        }
    }

    @Test("a trusted certificate for another host is refused") func wrongHost() async throws {
        let file = "\(FilePaths.temporary)/jsonrpc-test-\(UInt64.random(in: .min ... .max)).pem"
        try FilePaths.write(TestCertificate.pem, to: file)
        defer { FilePaths.remove(file) }
        try await withScript(host: "127.0.0.2", encrypted: TestCertificate.serverContext(), { _, _, text in [.echo(text)] }) { server in
            try await withClient(server.endpoint("https", host: "127.0.0.2"), trusting: file) { client in
                let error = await #expect(throws: RPCClientError.self) { try await client.call("eth_chainId", []) }
                #expect(error?.code == .encryption)
                #expect(server.requests.isEmpty, "the call went out before the certificate was checked")
            }
        }
    }

    @Test("https to a plain port fails as encryption, in time") func encryptedToPlain() async throws {
        try await withServer { server in
            try await withClient(server.endpoint("https"), timeoutMilliseconds: 5_000) { client in
                let error = await #expect(throws: RPCClientError.self) { try await client.call("eth_chainId", []) }
                #expect(error?.code == .encryption)
            }
        }
    }
}

// Several calls to nodes that take arrays, refuse them in every way seen, or stumble over them.

import Ethereum
import Testing

@testable import JSONRPC

@Suite("Batches to nodes of others")
struct BatchTests {
    static func body(_ request: String) -> String {
        request.firstRange(of: "\r\n\r\n").map { String(request[$0.upperBound...]) } ?? ""
    }

    static func isArray(_ request: String) -> Bool { body(request).hasPrefix("[") }

    /// The right answer to an array: each result is the method's name.
    static func array(_ request: String) -> String {
        let calls = (try? JSON.parse(Array(body(request).utf8)))?.asArray ?? []
        let answers = calls.map { call in
            #"{"jsonrpc":"2.0","id":\#(call["id"]?.asInt ?? 0),"result":"\#(call["method"]?.asString ?? "")"}"#
        }
        return "[" + answers.joined(separator: ",") + "]"
    }

    static func single(_ request: String) -> ScriptStep {
        let call = try? JSON.parse(Array(body(request).utf8))
        return .echo(body(request), result: #""\#(call?["method"]?.asString ?? "")""#)
    }

    static func calls(_ count: Int, _ prefix: String = "eth_get") -> [RPCClient.Call] {
        (0..<count).map { (method: "\(prefix)\($0)", parameters: []) }
    }

    static func values(_ results: [Result<JSON, JSONRPCError>]) -> [String] {
        results.map { (try? $0.get().asString) ?? "?" }
    }

    static func error(_ code: Int, _ message: String) -> String {
        #"{"jsonrpc":"2.0","id":null,"error":{"code":\#(code),"message":"\#(message)"}}"#
    }

    @Test("a node that takes arrays gets one request")
    func taken() async throws {
        try await withScript({ _, _, request in [.answer(Self.array(request))] }) { server in
            try await withClient(try server.endpoint()) { client in
                let results = try await client.callAll(Self.calls(20))
                #expect(Self.values(results) == (0..<20).map { "eth_get\($0)" })
                #expect(server.requests.count == 1 && client.takesBatches)
                #expect(try await client.callAll([]).isEmpty && server.requests.count == 1)
            }
        }
    }

    static let refusals: [(String, [ScriptStep])] = [
        ("invalid request", [.answer(error(-32_600, "Invalid Request"))]),
        ("unknown method", [.answer(error(-32_601, "method not found"))]),
        ("named", [.answer(error(-32_000, "batch requests are not supported"))]),
        ("no array", [.answer(#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#)]),
        ("page", [.answer("<html><body>Bad</body></html>")]),
        ("empty array", [.answer("[]")]), ("nothing", [.answer("")]),
        ("400", [.answer("list indices", status: "400 Bad Request")]), ("404", [.answer("", status: "404 Not Found")]),
        ("405", [.answer("", status: "405 Method Not Allowed")]), ("413", [.answer("", status: "413 Too Large")]),
        ("415", [.answer("", status: "415 Unsupported")]), ("501", [.answer("", status: "501 Not Implemented")]),
    ]

    @Test("a node that refuses arrays gets single calls, and no array any more", arguments: refusals.indices)
    func refused(index: Int) async throws {
        let steps = Self.refusals[index].1
        try await withScript({ _, _, request in Self.isArray(request) ? steps : [Self.single(request)] }) { server in
            try await withClient(try server.endpoint()) { client in
                let all = Self.values(try await client.callAll(Self.calls(12)))
                #expect(all == (0..<12).map { "eth_get\($0)" })
                #expect(!client.takesBatches)
                let before = server.requests.count
                let more = Self.values(try await client.callAll(Self.calls(5)))
                #expect(more == (0..<5).map { "eth_get\($0)" })
                #expect(server.requests.dropFirst(before).allSatisfy { !Self.isArray($0) })
                #expect(server.requests.count == before + 5)
            }
        }
    }

    static let stumbles: [(String, [ScriptStep])] = [
        ("500", [.answer("<h1>Internal Server Error</h1>", status: "500 Internal Server Error")]),
        ("closes", [.close]), ("internal error", [.answer(error(-32_603, "list indices must be integers"))]),
    ]

    @Test("a node that breaks at every array gets single calls after a few", arguments: stumbles.indices)
    func stumbled(index: Int) async throws {
        let steps = Self.stumbles[index].1
        try await withScript({ _, _, request in Self.isArray(request) ? steps : [Self.single(request)] }) { server in
            try await withClient(try server.endpoint()) { client in
                for _ in 0..<Limits.batchRefusalsMaximum {
                    #expect(client.takesBatches, "one fault proves nothing")
                    let answers = Self.values(try await client.callAll(Self.calls(3)))
                    #expect(answers == (0..<3).map { "eth_get\($0)" })
                }
                #expect(!client.takesBatches)
            }
        }
    }

    @Test("faults that single calls meet too do not change the way of asking")
    func faults() async throws {
        let script: ScriptServer.Script = { _, number, request in
            number % 2 == 0 ? [.answer("", status: "500 Internal Server Error")] : [.answer(Self.array(request))]
        }
        try await withScript(script) { server in
            try await withClient(try server.endpoint(), connections: 1) { client in
                // Nothing is known of it yet, and single calls fail as well: an error, and no lesson.
                for _ in 0..<8 { _ = try? await client.callAll(Self.calls(4)) }
                #expect(client.takesBatches)
            }
        }
    }

    @Test("too large arrays are halved until they fit", arguments: [
        error(-32_005, "batch size too large, at most 7"), error(-32_600, "batch limit 7 exceeded"),
    ])
    func halved(refusal: String) async throws {
        let script: ScriptServer.Script = { _, _, request in
            guard Self.isArray(request) else { return [Self.single(request)] }
            let count = Self.body(request).split(separator: "\"method\"").count - 1
            return [.answer(count > 7 ? refusal : Self.array(request))]
        }
        try await withScript(script) { server in
            try await withClient(try server.endpoint()) { client in
                let first = Self.values(try await client.callAll(Self.calls(40)))
                #expect(first == (0..<40).map { "eth_get\($0)" })
                #expect(client.takesBatches)
                let before = server.requests.count
                let second = Self.values(try await client.callAll(Self.calls(40)))
                #expect(second == (0..<40).map { "eth_get\($0)" })
                #expect(server.requests.count - before <= 8, "what was learnt is kept")
            }
        }
    }

    @Test("single calls keep their order, each with its own answer, also when the node takes its time")
    func order() async throws {
        let script: ScriptServer.Script = { _, number, request in
            if Self.isArray(request) { return [.answer("", status: "400 Bad Request")] }
            if request.contains("eth_get3\"") {
                let id = ScriptServer.id(Self.body(request))
                return [.answer(Self.error(-32_000, "no such thing").replacing("null", with: id))]
            }
            return [.pause(milliseconds: Int64(number % 3) * 7), Self.single(request)]
        }
        try await withScript(script) { server in
            try await withClient(try server.endpoint()) { client in
                let results = try await client.callAll(Self.calls(30))
                for (index, result) in results.enumerated() where index != 3 {
                    #expect((try? result.get().asString) == "eth_get\(index)")
                }
                #expect(throws: JSONRPCError.self) { try results[3].get() }
            }
        }
    }

    @Test("a lost answer to a single read is asked for again, one to anything else is not", arguments: [true, false])
    func lost(isRead: Bool) async throws {
        let script: ScriptServer.Script = { connection, _, request in
            connection == 0 ? [.close] : [Self.single(request)]
        }
        try await withScript(script) { server in
            let client = RPCClient(try server.endpoint(), batchMode: .off, logger: quiet)
            let results = try? await client.callAll(Self.calls(1, isRead ? "eth_get" : "eth_sendRawTransaction"))
            #expect((results?.count == 1) == isRead)
            #expect(server.requests.count == (isRead ? 2 : 1))
            await client.close()
        }
    }

    @Test("the mode can be told: never arrays, or arrays and nothing else")
    func told() async throws {
        try await withScript({ _, _, request in
            Self.isArray(request) ? [.answer("", status: "400 Bad Request")] : [Self.single(request)]
        }) { server in
            let off = RPCClient(try server.endpoint(), batchMode: .off, logger: quiet)
            #expect(try await off.callAll(Self.calls(3)).count == 3)
            #expect(server.requests.allSatisfy { !Self.isArray($0) })
            let on = RPCClient(try server.endpoint(), batchMode: .on, logger: quiet)
            await #expect(throws: RPCClientError.self) { try await on.callAll(Self.calls(3)) }
            await off.close()
            await on.close()
        }
    }

    @Test("a pause that the node asks for comes with the error", arguments: [
        ("429 Too Many Requests", "Retry-After: 2\r\n", Optional(2_000)), ("429 Too Many Requests", "", nil),
        ("503 Busy", "Retry-After: 0.5\r\n", 500), ("429 Too Many Requests", "Retry-After: soon\r\n", nil),
        ("429 Too Many Requests", "Retry-After: 99999999\r\n", Limits.retryAfterMillisecondsMaximum),
        ("500 Broken", "Retry-After: 2\r\n", nil),
    ])
    func pause(status: String, headers: String, expected: Int?) async throws {
        let body = #"{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"slow down"}}"#
        try await withScript({ _, _, _ in
            [.answer(status.hasPrefix("429") ? body : "", status: status, headers: headers)]
        }) { server in
            try await withClient(try server.endpoint()) { client in
                do throws(RPCClientError) {
                    _ = try await client.call("eth_getThing", [])
                    Issue.record("no error")
                } catch { #expect(error.retryAfterMilliseconds == expected && error.retry == .later) }
            }
        }
    }

    @Test("what is learnt of an address is forgotten when nobody listens there any more")
    func forgets() {
        var state = BatchState(.auto)
        state.refused(isClear: true)
        #expect(!state.takesBatches)
        state.connectionLost()
        #expect(state.takesBatches)
        var proven = BatchState(.auto)
        proven.answered()
        proven.refused(isClear: true)
        #expect(proven.takesBatches, "it took arrays before")
    }
}

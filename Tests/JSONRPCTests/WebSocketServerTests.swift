// The server over WebSocket, with real sockets and frames made by hand.

import Ethereum
import NIOCore
import TestSupport
import Testing

@testable import JSONRPC

@Suite(.timeLimit(.minutes(2)))
struct WebSocketServerTests {
    private static func call(_ id: Int, _ method: String = "echo", _ parameters: String = "[]") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(parameters)}"#
    }

    @Test("calls, batches and notifications are answered at any path, in order") func calls() async throws {
        try await withServer { server in
            let peer = try await RawPeer.webSocket(port: server.port)
            await peer.sendText(Self.call(1, "transport"))
            await peer.sendText(#"{"jsonrpc":"2.0","method":"echo"}"#)
            await peer.sendText("[\(Self.call(2, "yield")),\(Self.call(3))]")
            await peer.sendText("{")
            await peer.send(RawPeer.frame(Array(Self.call(4).utf8), opcode: 2))
            #expect(await eventually { peer.texts.count == 4 })
            #expect(peer.texts[0] == #"{"jsonrpc":"2.0","id":1,"result":"websocket"}"#)
            #expect(peer.texts[1] == #"[{"jsonrpc":"2.0","id":2,"result":[]},{"jsonrpc":"2.0","id":3,"result":[]}]"#)
            #expect(peer.texts[2].contains("-32700"))
            #expect(peer.texts[3].contains(#""id":4"#))
            #expect(server.service.calls == ["transport", "echo", "yield", "echo", "echo"])
        }
    }

    @Test("frames that come with the handshake, behind pipelined requests, are not lost") func earlyFrames() async throws {
        try await withServer { server in
            let peer = try await RawPeer(port: server.port)
            let body = Self.call(1, "yield")
            let post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            await peer.send(Array((post + post + RawPeer.handshake).utf8) + RawPeer.frame(Array(Self.call(7).utf8)))
            #expect(await peer.waits(for: #"{"jsonrpc":"2.0","id":7,"result":[]}"#))
            #expect(await peer.waits(for: #"{"jsonrpc":"2.0","id":1,"result":[]}"#, count: 2))
        }
    }

    @Test("five thousand calls at once are answered in the order of the calls") func manyCalls() async throws {
        try await withServer { server in
            let peer = try await RawPeer.webSocket(port: server.port)
            var all: [UInt8] = []
            for id in 0..<5_000 { all += RawPeer.frame(Array(Self.call(id, id % 50 == 0 ? "yield" : "echo").utf8)) }
            peer.sendWithoutWaiting(all)
            #expect(await peer.waits(for: #""id":4999,"#))
            let ids = try peer.texts.compactMap { try JSON.parse($0)["id"]?.asInt }
            #expect(ids == Array(0..<5_000))
        }
    }

    @Test("a message in fragments, with a ping between, is one message") func fragments() async throws {
        try await withServer { server in
            let peer = try await RawPeer.webSocket(port: server.port)
            let message = Array(Self.call(9, "echo", #"["ä"]"#).utf8)
            await peer.send(RawPeer.frame(Array(message[..<20]), isFinal: false))
            await peer.send(RawPeer.frame([1, 2, 3], opcode: 9))
            for byte in message[20...].dropLast() { await peer.send(RawPeer.frame([byte], opcode: 0, isFinal: false)) }
            await peer.send(RawPeer.frame(Array(message.suffix(1)), opcode: 0))
            #expect(await eventually { peer.frames.count == 2 })
            #expect(peer.frames.first?.opcode == 10 && peer.frames.first?.payload == [1, 2, 3])
            #expect(peer.texts == [#"{"jsonrpc":"2.0","id":9,"result":["ä"]}"#])
        }
    }

    @Test("large messages and answers go through") func large() async throws {
        try await withServer { server in
            let peer = try await RawPeer.webSocket(port: server.port)
            await peer.sendText(Self.call(1, "big", "[3000000]"))
            await peer.sendText(Self.call(2, "echo", #"["\#(String(repeating: "y", count: 2_000_000))"]"#))
            #expect(await eventually { peer.texts.count == 2 })
            #expect(peer.texts.map(\.utf8.count) == [3_000_036, 2_000_038])
        }
    }

    // MARK: Notifications

    @Test("a subscriber sees its id before the first notification, and all in order") func subscribing() async throws {
        try await withServer { server in
            let peer = try await RawPeer.webSocket(port: server.port)
            await peer.sendText(Self.call(1, "eth_subscribe", "[3]"))
            #expect(await eventually { peer.texts.count == 4 })
            #expect(peer.texts[0] == #"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#)
            let numbers = try peer.texts.dropFirst().compactMap { try JSON.parse($0)["params"]?["result"]?.asInt }
            #expect(numbers == [0, 1, 2])
            let connection = try #require(server.service.connections.first)
            #expect(connection.notify("eth_subscription", ["subscription": "0x1", "result": 3]))
            #expect(await eventually { peer.texts.count == 5 })
            #expect(server.counters.notifications.value == 4)
        }
    }

    @Test("the service hears once that a connection closed, after its running answer; later notifications are refused")
    func connectionClosed() async throws {
        try await withServer { server in
            let peer = try await RawPeer.webSocket(port: server.port)
            await peer.sendText(Self.call(1, "eth_subscribe", "[0]"))
            await peer.sendText(Self.call(2, "gate"))
            await peer.sendText(Self.call(3, "echo"))
            #expect(await eventually { server.service.calls.last == "gate" })
            await peer.close()
            #expect(await eventually { server.counters.webSockets.value == 0 })
            let connection = try #require(server.service.connections.first)
            #expect(!connection.notify("eth_subscription", []))
            #expect(server.service.closed.isEmpty, "an answer of that connection still runs")
            server.service.openGate()
            #expect(await eventually { server.service.closed == [connection.id] })
            #expect(server.service.calls == ["eth_subscribe", "gate"], "a call of a closed connection was run")
        }
    }

    @Test("a subscriber that does not read is cut off and counted; others are not disturbed") func slowSubscriber() async throws {
        try await withServer { $0.outboundBytesMaximum = 1 << 20 } _: { server in
            let slow = try await RawPeer.webSocket(port: server.port, reads: false)
            slow.sendWithoutWaiting(RawPeer.frame(Array(Self.call(1, "eth_subscribe", "[0]").utf8)))
            #expect(await eventually { server.service.connections.count == 1 })
            let good = try await RawPeer.webSocket(port: server.port)
            await good.sendText(Self.call(1, "eth_subscribe", "[0]"))
            #expect(await eventually { server.service.connections.count == 2 })
            let text = JSON.string(String(repeating: "z", count: 10_000))
            let connections = server.service.connections
            var sent = 0
            while connections[0].notify("eth_subscription", ["subscription": "0x1", "result": text]), sent < 5_000 { sent += 1 }
            #expect(sent < 5_000 && sent > 50)
            #expect(server.counters.cutCount(.slowReader) == 1)
            #expect(await eventually { server.service.closed == [connections[0].id] })
            #expect(connections[1].notify("eth_subscription", ["subscription": "0x1", "result": 1]))
            #expect(await good.waits(for: #""result":1}"#))
        }
    }

    @Test("a client that calls and never reads is made to wait, then cut off") func slowCaller() async throws {
        try await withServer { $0.stalledWriteMilliseconds = 300 } _: { server in
            let peer = try await RawPeer.webSocket(port: server.port, reads: false)
            for id in 0..<100 { peer.sendWithoutWaiting(RawPeer.frame(Array(Self.call(id, "big", "[2000000]").utf8))) }
            #expect(await eventually { server.counters.cutCount(.slowReader) == 1 })
            #expect(server.service.calls.count < 20, "answers were made though nobody takes them")
            #expect(await eventually { server.service.closed.count == 1 })
        }
    }

    @Test("a client that stopped reading for a while gets every answer when it reads again") func pausedReader() async throws {
        try await withServer { server in
            try await withClient(server.endpoint("ws"), answerBytesMaximum: 4 << 20) { client in
                let sizes = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<40 {
                        group.addTask { try await client.call("big", [1_000_000]).asString?.utf8.count ?? 0 }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(sizes == 40_000_000)
            }
        }
    }

    // MARK: Rules

    static let violations: [(name: String, bytes: [UInt8], code: UInt16)] = [
        ("a frame without a mask", RawPeer.frame([0x7b], mask: nil), 1002),
        ("a reserved bit", [0xc1, 0x80, 0, 0, 0, 0], 1002),
        ("an unknown opcode", RawPeer.frame([], opcode: 3), 1002),
        ("a continuation of nothing", RawPeer.frame([1], opcode: 0), 1002),
        ("a fragmented ping", RawPeer.frame([1], opcode: 9, isFinal: false), 1002),
        ("a ping of 126 bytes", RawPeer.frame(Array(repeating: 1, count: 126), opcode: 9), 1002),
        ("text that is no UTF-8", RawPeer.frame([0x22, 0xff, 0xfe, 0x22]), 1007),
        ("a frame above the limit", RawPeer.frame(Array(repeating: 0x20, count: 1_001)), 1009),
        ("an absurd length", [0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], 1009),
        ("fragments above the limit", RawPeer.frame(Array(repeating: 0x20, count: 600), isFinal: false)
            + RawPeer.frame(Array(repeating: 0x20, count: 600), opcode: 0), 1009),
        ("a flood of pings", (0..<1_100).flatMap { _ in RawPeer.frame([], opcode: 9) }, 1008),
        ("a close frame", RawPeer.frame([0x0f, 0xa1], opcode: 8), 4001),
        ("an empty close frame", RawPeer.frame([], opcode: 8), 1000),
        ("a close frame of one byte", RawPeer.frame([3], opcode: 8), 1002),
    ]

    @Test("every broken rule is answered with its close code, then the connection ends", arguments: 0..<14)
    func closing(_ row: Int) async throws {
        let (name, bytes, code) = Self.violations[row]
        try await withServer { $0.requestBytesMaximum = 1_000 } _: { server in
            let peer = try await RawPeer.webSocket(port: server.port)
            await peer.sendText(Self.call(1))
            #expect(await eventually { peer.texts.count == 1 })
            peer.sendWithoutWaiting(bytes)
            #expect(await peer.waitsForClose(), "\(name) does not end the connection")
            #expect(peer.closeCode == code, "\(name)")
            #expect(await eventually { server.service.closed.count == 1 })
        }
    }

    @Test("the table of rules is complete") func violationCount() { #expect(Self.violations.count == 14) }

    @Test("a silent client is asked, and cut off when it does not answer; one that answers stays") func silence() async throws {
        try await withServer { $0.pingMilliseconds = 200 } _: { server in
            let dead = try await RawPeer.webSocket(port: server.port)
            try await withClient(server.endpoint("ws")) { client in
                let answer6 = try await client.call("transport", [])
                #expect(answer6 == "websocket")
                #expect(await dead.waitsForClose())
                #expect(dead.frames.contains { $0.opcode == 9 })
                #expect(server.counters.cutCount(.silent) == 1)
                #expect(server.counters.webSockets.value == 1, "the client answers pings by itself")
                let answer7 = try await client.call("transport", [])
                #expect(answer7 == "websocket")
            }
        }
    }

    @Test("stopping says goodbye with 1001") func stopping() async throws {
        try await withServer { server in
            let peer = try await RawPeer.webSocket(port: server.port)
            await server.server.stop()
            #expect(peer.isClosed)
            #expect(peer.closeCode == 1001)
            #expect(server.service.closed.count == 1)
        }
    }

    @Test("random bytes after the handshake never trap the server") func noise() async throws {
        try await withServer { $0.requestBytesMaximum = 10_000 } _: { server in
            var generator = SplitMix64.forTest()
            for _ in 0..<60 {
                let peer = try await RawPeer.webSocket(port: server.port)
                let bytes = (0..<300).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
                await peer.send(bytes)
                await peer.close()
            }
            let peer = try await RawPeer.webSocket(port: server.port)
            await peer.sendText(Self.call(1))
            #expect(await eventually { peer.texts.count == 1 })
            #expect(await eventually { server.service.closed.count == 60 })
        }
    }
}

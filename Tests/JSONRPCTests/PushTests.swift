// Requests as values, and WebSockets that only give, over real sockets and frames made by hand.

import Ethereum
import NIOCore
import NIOWebSocket
import Synchronization
import Testing

@testable import JSONRPC

/// Gives what it is filled with.
final class TestSource: PushSource {
    private struct State {
        var messages: [[UInt8]] = []
        var connection: PushConnection?
        var ends: [PushEnd] = []
        var isEndless = false
        var given = 0
    }
    private let state = Mutex(State())

    init(_ messages: [[UInt8]] = [], isEndless: Bool = false) {
        state.withLock {
            $0.messages = messages
            $0.isEndless = isEndless
        }
    }

    var ends: [PushEnd] { state.withLock { $0.ends } }
    var connection: PushConnection? { state.withLock { $0.connection } }
    var given: Int { state.withLock { $0.given } }

    func put(_ message: [UInt8]) {
        let connection = state.withLock { state in
            state.messages.append(message)
            return state.connection
        }
        connection?.wake()
    }

    func opened(_ connection: PushConnection) { state.withLock { $0.connection = connection } }

    func nextMessage() -> [UInt8]? {
        state.withLock { state in
            state.given += 1
            if state.isEndless { return [UInt8](repeating: 0x61, count: 3_000) }
            return state.messages.isEmpty ? nil : state.messages.removeFirst()
        }
    }

    func closed(_ end: PushEnd) { state.withLock { $0.ends.append(end) } }
}

@Suite("Handlers and pushing", .timeLimit(.minutes(2)))
struct PushTests {
    @Test("a handler sees method, raw target, every header and the body, and its headers are written")
    func handler() async throws {
        let seen = Mutex<[HTTPQuestion]>([])
        try await withServer({
            $0.everyRequest = { request in
                seen.withLock { $0.append(request) }
                return HTTPAnswer(status: 206, contentType: "application/json", body: [0x7b, 0x7d], headers: ["retry-after": "7"])
            }
            $0.finishing = { answer in
                var answer = answer
                answer.headers["x-all"] = "{a,b}"
                return answer
            }
            $0.allowedOrigin = nil
        }) { server in
            let peer = try await RawPeer(port: server.port)
            let target = "/a%2Cb,c?x=%2c&&y=+#z"
            await peer.send("POST \(target) HTTP/1.1\r\nHost: x\r\nX-Two: 1\r\nx-two: 2\r\nContent-Length: 3\r\n\r\nabc")
            #expect(await peer.waits(for: "{}"))
            #expect(text(peer.received).hasPrefix("HTTP/1.1 206 Partial Content\r\n"))
            for line in ["retry-after: 7\r\n", "x-all: {a,b}\r\n", "content-length: 2\r\n"] {
                #expect(text(peer.received).contains(line))
            }
            #expect(!text(peer.received).contains("access-control"))
            let request = try #require(seen.withLock { $0.first })
            #expect(request.method == "POST" && request.target == target && request.body == Array("abc".utf8))
            #expect(request.values("X-TWO") == ["1", "2"])
            await peer.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await peer.waits(for: "x-all", count: 2))
            await peer.send("DELETE /d HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await peer.waits(for: "{}", count: 2))
            #expect(seen.withLock { $0.map(\.method) } == ["POST", "HEAD", "DELETE"])
            let long = try await RawPeer(port: server.port)
            await long.send("GET /\(String(repeating: "x", count: 9_000)) HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await long.waits(for: "HTTP/1.1 414"))
            #expect(await long.waits(for: "x-all: {a,b}"))
        }
    }

    @Test("a gate refuses with an answer, or lets in a client that gets binary frames, unmasked, each whole")
    func gate() async throws {
        let source = TestSource([Array("one".utf8), [UInt8](repeating: 0x62, count: 70_000)])
        try await withServer({
            $0.pushGate = { request in
                request.target == "/any/path?key=1"
                    ? .accepted(source, headers: ["x-cll-available-origins": "{a}"])
                    : .refused(HTTPAnswer(status: 401, contentType: "application/json", body: Array(#"{"message":"no"}"#.utf8)))
            }
        }) { server in
            let refused = try await RawPeer(port: server.port)
            await refused.send(RawPeer.handshake.replacing("/any/path", with: "/other"))
            #expect(await refused.waits(for: #"{"message":"no"}"#))
            #expect(text(refused.received).hasPrefix("HTTP/1.1 401 "))
            #expect(await refused.waitsForClose())

            let peer = try await RawPeer(port: server.port)
            // The offer of compression is not taken up.
            await peer.send(RawPeer.handshake.replacing(
                "Sec-WebSocket-Version", with: "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nSec-WebSocket-Version"))
            #expect(await peer.waits(for: "\r\n\r\n"))
            let head = text(peer.received).lowercased()
            #expect(head.hasPrefix("http/1.1 101 ") && head.contains("x-cll-available-origins: {a}"))
            #expect(!head.contains("sec-websocket-extensions"))
            peer.forgetHead()
            #expect(await eventually { peer.frames.count == 2 })
            #expect(peer.received.first == 0x82, "final, binary")
            #expect(peer.frames.map(\.opcode) == [2, 2] && peer.frames[1].payload.count == 70_000)
            source.put(Array("three".utf8))
            #expect(await eventually { peer.frames.count == 3 })
            #expect(peer.frames[2].payload == Array("three".utf8))
            // What the client says means nothing; its ping is answered.
            await peer.sendText(#"{"subscribe":"x"}"#)
            await peer.send(RawPeer.frame([7, 7], opcode: 9))
            #expect(await eventually { peer.frames.count == 4 })
            #expect(peer.frames[3].opcode == 10 && peer.frames[3].payload == [7, 7])
            await peer.send(RawPeer.frame([0x03, 0xe8], opcode: 8))
            #expect(await peer.waitsForClose())
            #expect(peer.closeCode == 1000)
            #expect(await eventually { source.ends == [.gone] })
        }
    }

    @Test("thousands of pings over the hours are no flood, a thousand at once are")
    func pings() async throws {
        var assembler = MessageAssembler(role: .server, messageBytesMaximum: 100)
        func ping() -> WebSocketFrameBox { .init() }
        for _ in 0..<5 {
            for _ in 0..<Limits.controlFramesMaximum { #expect(assembler.handle(ping().frame) == .ping([])) }
            assembler.forgetControlFrames()
        }
        for _ in 0..<Limits.controlFramesMaximum { _ = assembler.handle(ping().frame) }
        guard case .violation(1008, _) = assembler.handle(ping().frame) else { return #expect(Bool(false), "a flood") }
    }

    @Test("a client that reads nothing is told 'slow consumer' and cut off; its pings are answered ahead of the queue")
    func slow() async throws {
        let source = TestSource(isEndless: true)
        try await withServer({
            $0.pushGate = { _ in .accepted(source, headers: [:]) }
            $0.push.stalledMilliseconds = 300
        }) { server in
            let peer = try await RawPeer.webSocket(port: server.port, reads: false)
            #expect(await eventually { source.ends == [.slow] })
            #expect(server.counters.cutCount(.slowReader) == 1)
            // What was taken from the source is the window and what the kernel holds, not an endless queue.
            #expect(source.given < 5_000)
            await peer.close()
        }
        let reading = TestSource([[UInt8](repeating: 1, count: 100_000)])
        try await withServer({ $0.pushGate = { _ in .accepted(reading, headers: [:]) } }) { server in
            let peer = try await RawPeer.webSocket(port: server.port)
            for index in 0..<200 { reading.put([UInt8](repeating: UInt8(index), count: 20_000)) }
            await peer.send(RawPeer.frame([9], opcode: 9))
            #expect(await eventually { peer.frames.filter { $0.opcode == 2 }.count == 201 && peer.frames.contains { $0.opcode == 10 } })
        }
    }

    @Test("a silent client is pinged, then dropped; one that answers stays")
    func silence() async throws {
        let (silent, living) = (TestSource(), TestSource())
        var kept: RawPeer?
        try await withServer({
            $0.pushGate = { request in .accepted(request.target.contains("key=1") ? silent : living, headers: [:]) }
            $0.push.pingMilliseconds = 100
            $0.push.silenceMilliseconds = 600
        }) { server in
            let peer = try await RawPeer.webSocket(port: server.port)
            let other = try await RawPeer(port: server.port)
            await other.send(RawPeer.handshake.replacing("key=1", with: "key=2"))
            #expect(await other.waits(for: "\r\n\r\n"))
            other.forgetHead()
            kept = other
            var answered = 0
            #expect(await eventually {
                while other.frames.count > answered {
                    answered += 1
                    other.sendWithoutWaiting(RawPeer.frame([], opcode: 10))
                }
                return peer.isClosed && answered > 8
            })
            #expect(peer.frames.filter { $0.opcode == 9 }.count >= 3)
            #expect(silent.ends == [.silent])
            #expect(living.ends.isEmpty && !other.isClosed)
        }
        #expect(await eventually { living.ends == [.closed(1001)] })
        #expect(kept?.closeCode == 1001)
    }

    @Test("a connection is closed with the code and reason it is given, and at a stop with 1001")
    func closing() async throws {
        let (first, second) = (TestSource(), TestSource())
        var peer: RawPeer?
        try await withServer({
            $0.pushGate = { request in .accepted(request.target.contains("key=1") ? first : second, headers: [:]) }
        }) { server in
            let revoked = try await RawPeer.webSocket(port: server.port)
            #expect(await eventually { first.connection != nil })
            first.connection?.close(4401, reason: "key revoked")
            #expect(await eventually { revoked.closeCode == 4401 })
            #expect(revoked.frames.first { $0.opcode == 8 }.map { text(Array($0.payload.dropFirst(2))) } == "key revoked")
            await revoked.close()
            #expect(await eventually { first.ends == [.closed(4401)] })
            let standing = try await RawPeer(port: server.port)
            await standing.send(RawPeer.handshake.replacing("key=1", with: "key=2"))
            #expect(await standing.waits(for: "\r\n\r\n"))
            standing.forgetHead()
            peer = standing
        }
        #expect(peer?.closeCode == 1001)
        #expect(await eventually { second.ends == [.closed(1001)] })
    }

    @Test("who is gone before the gate has decided is still told once that it is closed")
    func goneEarly() async throws {
        let source = TestSource()
        let mayDecide = Mutex(false)
        try await withServer({
            $0.pushGate = { _ in
                while !mayDecide.withLock({ $0 }) { try? await Task.sleep(nanoseconds: 1_000_000) }
                return .accepted(source, headers: [:])
            }
        }) { server in
            let peer = try await RawPeer(port: server.port)
            await peer.send(RawPeer.handshake)
            await peer.close()
            try await Task.sleep(nanoseconds: 50_000_000)
            mayDecide.withLock { $0 = true }
            #expect(await eventually { source.ends == [.gone] })
            #expect(source.connection == nil)
        }
    }
}

private struct WebSocketFrameBox {
    let frame = WebSocketFrame(fin: true, opcode: .ping, maskKey: WebSocketMaskingKey([1, 2, 3, 4]), data: ByteBuffer())
}

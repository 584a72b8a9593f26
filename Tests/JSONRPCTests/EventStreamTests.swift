// Event streams over real sockets: the head, chunks, comments, closing, slow readers.

import Ethereum
import Synchronization
import Testing

@testable import JSONRPC

@Suite("Event streams", .timeLimit(.minutes(2)))
struct EventStreamTests {
    private static let request = "GET /stream?a=1 HTTP/1.1\r\nHost: x\r\n\r\n"

    private func event(_ text: String) -> [UInt8] { Array("data: \(text)\n\n".utf8) }

    @Test("a GET of the path is answered with events as they come, in chunks, and every other request as before")
    func flow() async throws {
        let source = TestSource([event("one")])
        try await withServer({
            $0.eventStream = ("/stream", { request in
                request.target == "/stream?a=1"
                    ? .accepted(source, headers: ["x-cll-available-origins": "{a}"])
                    : .refused(HTTPAnswer(status: 401, contentType: "application/json", body: Array(#"{"message":"no"}"#.utf8)))
            })
            $0.everyRequest = { _ in .text("plain") }
            $0.allowedOrigin = nil
        }) { server in
            let peer = try await RawPeer(port: server.port)
            await peer.send(Self.request)
            #expect(await peer.waits(for: "data: one\n\n"))
            let head = text(peer.received).lowercased()
            #expect(head.hasPrefix("http/1.1 200 ok\r\n"))
            for line in [
                "content-type: text/event-stream", "cache-control: no-store", "transfer-encoding: chunked",
                "x-cll-available-origins: {a}",
            ] { #expect(head.contains(line + "\r\n"), "\(line)") }
            source.put(event("two"))
            #expect(await peer.waits(for: "b\r\ndata: two\n\n\r\n"))
            #expect(server.counters.eventStreams.value == 1 && server.counters.webSockets.value == 0)
            // What the client says now means nothing.
            await peer.send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n" + String(repeating: "x", count: 100_000))
            source.put(event("three"))
            #expect(await peer.waits(for: "data: three"))
            #expect(!text(peer.received).contains("plain"))
            await peer.close()
            #expect(await eventually { source.ends == [.gone] })
            #expect(await eventually { server.counters.eventStreams.value == 0 })

            let other = try await RawPeer(port: server.port)
            await other.send("GET /stream?a=2 HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await other.waits(for: #"{"message":"no"}"#))
            #expect(text(other.received).hasPrefix("HTTP/1.1 401 "))
            await other.send("HEAD /stream?a=1 HTTP/1.1\r\nHost: x\r\n\r\nGET /streams HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await other.waits(for: "plain"), "another method, another path")
        }
    }

    @Test("comments keep an idle stream alive")
    func comments() async throws {
        let source = TestSource()
        try await withServer({
            $0.eventStream = ("/stream", { _ in .accepted(source, headers: [:]) })
            $0.push.commentMilliseconds = 50
            $0.idleMilliseconds = 5_000
        }) { server in
            let peer = try await RawPeer(port: server.port)
            await peer.send(Self.request)
            #expect(await peer.waits(for: "3\r\n:\n\n\r\n", count: 110), "longer than an idle connection lives")
            #expect(source.ends.isEmpty && !peer.isClosed)
        }
    }

    @Test("a stream that is closed says why and ends whole; so it does at a stop")
    func closing() async throws {
        let (first, second) = (TestSource(), TestSource())
        var peer: RawPeer?
        try await withServer({
            $0.eventStream = ("/stream", { request in .accepted(request.target.contains("a=1") ? first : second, headers: [:]) })
        }) { server in
            let revoked = try await RawPeer(port: server.port)
            await revoked.send(Self.request)
            #expect(await eventually { first.connection != nil })
            first.connection?.close(4401, reason: "key revoked")
            let last = "event: close\ndata: {\"code\":4401,\"reason\":\"key revoked\"}\n\n\r\n0\r\n\r\n"
            #expect(await revoked.waits(for: last))
            await revoked.close()
            #expect(await eventually { first.ends == [.closed(4401)] })
            let standing = try await RawPeer(port: server.port)
            await standing.send(Self.request.replacing("a=1", with: "a=2"))
            #expect(await eventually { second.connection != nil })
            peer = standing
        }
        #expect(await eventually { second.ends == [.closed(1001)] })
        #expect(peer.map { text($0.received).contains("\"code\":1001") } == true)
        #expect(peer.map { text($0.received).hasSuffix("0\r\n\r\n") } == true)
    }

    @Test("a client that reads nothing is cut off, and what was taken for it is bounded")
    func slow() async throws {
        let source = TestSource(isEndless: true)
        try await withServer({
            $0.eventStream = ("/stream", { _ in .accepted(source, headers: [:]) })
            $0.push.stalledMilliseconds = 300
        }) { server in
            let peer = try await RawPeer(port: server.port, reads: false)
            await peer.send(Self.request)
            #expect(await eventually { source.ends == [.slow] })
            #expect(server.counters.cutCount(.slowReader) == 1)
            #expect(source.given < 5_000)
            await peer.close()
        }
    }

    @Test("who is gone before the gate has decided is still told once that it is closed")
    func goneEarly() async throws {
        let source = TestSource()
        let mayDecide = Mutex(false)
        try await withServer({
            $0.eventStream = ("/stream", { _ in
                while !mayDecide.withLock({ $0 }) { try? await Task.sleep(nanoseconds: 1_000_000) }
                return .accepted(source, headers: [:])
            })
        }) { server in
            let peer = try await RawPeer(port: server.port)
            await peer.send(Self.request)
            await peer.close()
            try await Task.sleep(nanoseconds: 50_000_000)
            mayDecide.withLock { $0 = true }
            #expect(await eventually { source.ends == [.gone] })
            #expect(source.connection == nil)
        }
    }
}

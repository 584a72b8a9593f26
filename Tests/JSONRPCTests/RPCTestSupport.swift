// What the tests of this room share: a service, a server that is stopped for sure, a hand-driven peer, deadlines.

import Ethereum
import Logging
import NIOCore
import NIOPosix
import NIOWebSocket
import Synchronization
import Testing

@testable import JSONRPC

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// Waits until a condition holds; false when the deadline passed first.
func eventually(seconds: Double = 20, _ condition: () throws -> Bool) async rethrows -> Bool {
    let deadline = NIODeadline.now() + .milliseconds(Int64(seconds * 1000))
    while NIODeadline.now() < deadline {
        if try condition() { return true }
        try? await Task.sleep(nanoseconds: 2_000_000)
    }
    return try condition()
}

/// Methods that show what reached them.
final class TestService: JSONRPCService {
    private struct Seen {
        var calls: [String] = []
        var closed: [UInt64] = []
        var connections: [JSONRPCConnection] = []
        var gateIsOpen = false
    }
    private let seen = Mutex(Seen())

    var calls: [String] { seen.withLock { $0.calls } }
    var closed: [UInt64] { seen.withLock { $0.closed } }
    var connections: [JSONRPCConnection] { seen.withLock { $0.connections } }
    func openGate() { seen.withLock { $0.gateIsOpen = true } }

    func answer(
        _ method: String, _ parameters: JSON, on connection: JSONRPCConnection?
    ) async throws(JSONRPCError) -> JSON {
        seen.withLock { $0.calls.append(method) }
        switch method {
        case "echo": return parameters
        case "transport": return connection == nil ? "http" : "websocket"
        case "yield":
            await Task.yield()
            return parameters
        case "gate":
            while !seen.withLock({ $0.gateIsOpen }) { try? await Task.sleep(nanoseconds: 1_000_000) }
            return true
        case "big": return .string(String(repeating: "x", count: parameters[0]?.asInt ?? 0))
        case "fail": throw .executionReverted(data: "0x08c379a0")
        case "eth_subscribe":
            guard let connection else { throw .methodNotFound(method) }
            seen.withLock { $0.connections.append(connection) }
            for number in 0..<(parameters[0]?.asInt ?? 0) {
                connection.notify("eth_subscription", ["subscription": "0x1", "result": .integer(number)])
            }
            return "0x1"
        default: throw .methodNotFound(method)
        }
    }

    func connectionClosed(_ connection: JSONRPCConnection) { seen.withLock { $0.closed.append(connection.id) } }
}

struct TestServer {
    let service: TestService
    let server: RPCServer
    let port: Int
    let counters: ServerCounters

    func endpoint(_ scheme: String) throws -> EndpointURL { try EndpointURL.parse("\(scheme)://127.0.0.1:\(port)/") }
}

/// Runs a body against a server and stops it whatever happens.
func withServer(
    _ adjust: (inout RPCServer.Configuration) -> Void = { _ in }, hasService: Bool = true,
    _ body: (TestServer) async throws -> Void
) async throws {
    var configuration = RPCServer.Configuration()
    adjust(&configuration)
    let service = TestService()
    let server = RPCServer(configuration: configuration, service: hasService ? service : nil, logger: quiet)
    let port = try await server.start()
    let counters = ServerCounters(registry: configuration.metrics, label: configuration.label)
    do {
        try await body(TestServer(service: service, server: server, port: port, counters: counters))
    } catch {
        await server.stop()
        throw error
    }
    await server.stop()
}

/// Runs a body with a client and closes it.
func withClient(
    _ endpoint: EndpointURL, timeoutMilliseconds: Int = 10_000, connections: Int = 4, answerBytesMaximum: Int = 1 << 20,
    trusting file: String? = nil, _ body: (RPCClient) async throws -> Void
) async throws {
    let client = RPCClient(
        endpoint, timeoutMilliseconds: timeoutMilliseconds, connections: connections,
        answerBytesMaximum: answerBytesMaximum, trustedCertificatesFile: file, logger: quiet)
    do { try await body(client) } catch {
        await client.close()
        throw error
    }
    await client.close()
}

/// A plain TCP connection driven by hand: sends any bytes, keeps what comes.
final class RawPeer: Sendable {
    private struct State {
        var received: [UInt8] = []
        var isClosed = false
    }
    private let state = Mutex(State())
    private let channel: any Channel

    private final class Keeper: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let keep: @Sendable ([UInt8]?) -> Void
        init(_ keep: @escaping @Sendable ([UInt8]?) -> Void) { self.keep = keep }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            keep(Array(unwrapInboundIn(data).readableBytesView))
        }
        func channelInactive(context: ChannelHandlerContext) { keep(nil) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private final class Box: Sendable {
        let sink = Mutex<(@Sendable ([UInt8]?) -> Void)?>(nil)
        let early = Mutex<[[UInt8]?]>([])
    }

    /// - Parameter reads: false makes a peer that never takes anything from its socket.
    init(port: Int, reads: Bool = true) async throws {
        let box = Box()
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelOption(.socketOption(.so_rcvbuf), value: reads ? 1 << 20 : 4096)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Keeper { bytes in
                            if let sink = box.sink.withLock({ $0 }) { sink(bytes) } else {
                                box.early.withLock { $0.append(bytes) }
                            }
                        })
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let sink: @Sendable ([UInt8]?) -> Void = { [weak self] bytes in
            self?.state.withLock { state in
                if let bytes { state.received += bytes } else { state.isClosed = true }
            }
        }
        try await channel.eventLoop.submit {
            box.sink.withLock { $0 = sink }
            for bytes in box.early.withLock({ $0 }) { sink(bytes) }
        }.get()
    }

    deinit { channel.close(promise: nil) }

    var received: [UInt8] { state.withLock { $0.received } }
    var isClosed: Bool { state.withLock { $0.isClosed } }
    /// Drops what stands before the first blank line, and the line.
    func forgetHead() {
        state.withLock { state in
            guard let end = state.received.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
            state.received.removeSubrange(..<end.upperBound)
        }
    }

    func send(_ text: String) async { await send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) async { try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get() }
    func sendWithoutWaiting(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
    func close() async { try? await channel.close().get() }

    /// Waits for text among what came.
    func waits(for part: String, count: Int = 1, seconds: Double = 20) async -> Bool {
        await eventually(seconds: seconds) { text(received).split(separator: part, omittingEmptySubsequences: false).count > count }
    }

    func waitsForClose(seconds: Double = 20) async -> Bool { await eventually(seconds: seconds) { isClosed } }

    // MARK: WebSocket by hand

    static func webSocket(port: Int, reads: Bool = true) async throws -> RawPeer {
        let peer = try await RawPeer(port: port, reads: reads)
        await peer.send(handshake)
        if reads {
            #expect(await peer.waits(for: "\r\n\r\n"))
            #expect(text(peer.received).hasPrefix("HTTP/1.1 101 "))
            #expect(text(peer.received).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "RFC 6455 section 1.3")
            peer.forgetHead()
        }
        return peer
    }

    static let handshake = """
        GET /any/path?key=1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n
        """

    static func frame(_ payload: [UInt8], opcode: UInt8 = 1, isFinal: Bool = true, mask: UInt32? = 0x1234_5678) -> [UInt8] {
        var out = ByteBuffer()
        FrameWriter.append(payload, .text, mask: mask, to: &out)
        var bytes = Array(out.readableBytesView)
        bytes[0] = (isFinal ? 0x80 : 0) | opcode
        return bytes
    }

    func sendText(_ text: String) async { await send(Self.frame(Array(text.utf8))) }

    /// The whole, unmasked frames that came so far.
    var frames: [(opcode: UInt8, payload: [UInt8])] {
        let bytes = received
        var at = 0
        var frames: [(opcode: UInt8, payload: [UInt8])] = []
        while at + 2 <= bytes.count {
            var length = Int(bytes[at + 1] & 0x7f)
            var start = at + 2
            let wide = length == 126 ? 2 : length == 127 ? 8 : 0
            guard start + wide <= bytes.count else { break }
            if wide > 0 { length = bytes[start..<start + wide].reduce(0) { $0 << 8 | Int($1) } }
            start += wide
            guard start + length <= bytes.count else { break }
            frames.append((bytes[at] & 0x0f, Array(bytes[start..<start + length])))
            at = start + length
        }
        return frames
    }

    var texts: [String] { frames.filter { $0.opcode == 1 }.map { text($0.payload) } }
    var closeCode: UInt16? {
        frames.first { $0.opcode == 8 && $0.payload.count >= 2 }.map { UInt16($0.payload[0]) << 8 | UInt16($0.payload[1]) }
    }
}

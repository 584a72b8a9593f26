// A server of prices that misbehaves on purpose, over real sockets: plain HTTP by script, and WebSocket by script.

import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization

enum ServerStep: Sendable {
    case send(String)
    case pause(milliseconds: Int64)
    case close

    /// A whole HTTP answer.
    static func answer(_ body: String, status: String = "200 OK", headers: String = "") -> ServerStep {
        .send("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }
}

final class MisbehavingServer: Sendable {
    /// Request number from 0, and its head and body; of a WebSocket the number of the connection, and its head.
    typealias Script = @Sendable (_ number: Int, _ request: String) -> [ServerStep]

    struct Log: Sendable {
        var requests: [String] = []
        var times: [ContinuousClock.Instant] = []
        /// Text messages of WebSocket clients.
        var messages: [String] = []
        var channels: [any Channel] = []
    }

    private let listener: any Channel
    private let log: LogBox
    let port: Int

    fileprivate final class LogBox: Sendable {
        let content = Mutex(Log())
        func begin(_ request: String) -> Int {
            content.withLock { log in
                log.requests.append(request)
                log.times.append(.now)
                return log.requests.count - 1
            }
        }
    }

    var requests: [String] { log.content.withLock { $0.requests } }
    var times: [ContinuousClock.Instant] { log.content.withLock { $0.times } }
    var messages: [String] { log.content.withLock { $0.messages } }

    static func http(_ script: @escaping Script) async throws -> MisbehavingServer {
        try await start { channel, log in
            try channel.pipeline.syncOperations.addHandler(ScriptedHTTP(script, log))
        }
    }

    static func webSocket(_ script: @escaping Script) async throws -> MisbehavingServer {
        try await start { channel, log in
            let upgrader = NIOWebSocketServerUpgrader(
                shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
                upgradePipelineHandler: { channel, head in
                    channel.eventLoop.makeCompletedFuture {
                        let headers = head.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
                        let handler = ScriptedWebSocket(script, log, head: headers)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                })
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
        }
    }

    private static func start(
        _ equip: @escaping @Sendable (any Channel, LogBox) throws -> Void
    ) async throws -> MisbehavingServer {
        let log = LogBox()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    log.content.withLock { $0.channels.append(channel) }
                    try equip(channel, log)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return MisbehavingServer(listener, log)
    }

    private init(_ listener: any Channel, _ log: LogBox) {
        self.listener = listener
        self.log = log
        port = listener.localAddress?.port ?? 0
    }

    func stop() async {
        try? await listener.close().get()
        for channel in log.content.withLock({ $0.channels }) { try? await channel.close().get() }
    }
}

private final class ScriptedHTTP: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let script: MisbehavingServer.Script
    private let log: MisbehavingServer.LogBox
    private var text = ""

    init(_ script: @escaping MisbehavingServer.Script, _ log: MisbehavingServer.LogBox) {
        self.script = script
        self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        text += String(buffer: unwrapInboundIn(data))
        guard let end = text.firstRange(of: "\r\n\r\n") else { return }
        if let range = text.lowercased().firstRange(of: "content-length: ") {
            let length = Int(text.lowercased()[range.upperBound...].prefix { $0.isNumber }) ?? 0
            guard text[end.upperBound...].utf8.count >= length else { return }
        }
        let number = log.begin(text)
        let request = text
        text = ""
        play(script(number, request)[...], context) { context, text in
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

private final class ScriptedWebSocket: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame
    private let script: MisbehavingServer.Script
    private let log: MisbehavingServer.LogBox
    private let head: String

    init(_ script: @escaping MisbehavingServer.Script, _ log: MisbehavingServer.LogBox, head: String) {
        self.script = script
        self.log = log
        self.head = head
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let number = log.begin(head)
        play(script(number, head)[...], context) { context, text in
            let frame = WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: text))
            context.writeAndFlush(self.wrapOutboundOut(frame), promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        guard frame.opcode == .text else { return }
        log.content.withLock { $0.messages.append(String(buffer: frame.unmaskedData)) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

private func play(
    _ steps: ArraySlice<ServerStep>, _ context: ChannelHandlerContext,
    _ send: @escaping (ChannelHandlerContext, String) -> Void
) {
    guard let step = steps.first else { return }
    let rest = steps.dropFirst()
    switch step {
    case .send(let text):
        send(context, text)
        play(rest, context, send)
    case .close: context.close(promise: nil)
    case .pause(let milliseconds):
        let bound = NIOLoopBound((context, send), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(milliseconds)) {
            play(rest, bound.value.0, bound.value.1)
        }
    }
}

func withServer(
    _ server: MisbehavingServer, _ body: (MisbehavingServer) async throws -> Void
) async throws {
    do { try await body(server) } catch {
        await server.stop()
        throw error
    }
    await server.stop()
}

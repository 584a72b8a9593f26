// A node over real sockets that does to its clients what nodes of others do: error pages, 429, connections that end
// before, inside or instead of an answer, requests that hang, transactions that are taken without a word.

import Ethereum
import NIOCore
import NIOPosix
import Synchronization

@testable import ChainAccess

final class FaultyNode: Sendable {
    struct Manners: Sendable {
        var takesBatches = true
        /// Each in a thousand requests.
        var errors = 0
        var pages = 0
        var limited = 0
        var unavailable = 0
        var drops = 0
        var cut = 0
        var hangs = 0
        var lost = 0
        var nulls = 0

        static let all = Manners(
            errors: 40, pages: 20, limited: 20, unavailable: 20, drops: 20, cut: 20, hangs: 8, lost: 30, nulls: 20)
    }

    let port: Int
    private let listener: any Channel
    private let shared: Shared

    final class Shared: Sendable {
        let endpoint: FakeEndpoint
        let manners: Manners
        let random: Mutex<UInt64>
        let faults = Mutex<[String: Int]>([:])
        let channels = Mutex<[any Channel]>([])

        init(_ endpoint: FakeEndpoint, _ manners: Manners, _ seed: UInt64) {
            self.endpoint = endpoint
            self.manners = manners
            random = Mutex(seed)
        }

        func roll() -> Int {
            random.withLock { state in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int((state >> 33) % 1_000)
            }
        }

        func note(_ fault: String) { faults.withLock { $0[fault, default: 0] += 1 } }
    }

    /// Faults that happened, by name.
    var faults: [String: Int] { shared.faults.withLock { $0 } }

    static func start(_ endpoint: FakeEndpoint, _ manners: Manners, seed: UInt64) async throws -> FaultyNode {
        let shared = Shared(endpoint, manners, seed)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    shared.channels.withLock { $0.append(channel) }
                    try channel.pipeline.syncOperations.addHandler(Handler(shared))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return FaultyNode(listener, shared)
    }

    private init(_ listener: any Channel, _ shared: Shared) {
        self.listener = listener
        self.shared = shared
        port = listener.localAddress?.port ?? 0
    }

    func stop() async {
        try? await listener.close().get()
        for channel in shared.channels.withLock({ $0 }) { try? await channel.close().get() }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let shared: Shared
        private var text = ""

        init(_ shared: Shared) { self.shared = shared }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
            guard let end = text.firstRange(of: "\r\n\r\n") else { return }
            let head = text[..<end.lowerBound].lowercased()
            let length = head.firstRange(of: "content-length: ").flatMap { range in
                Int(head[range.upperBound...].prefix { $0.isNumber })
            }
            let body = text[end.upperBound...]
            guard let length, body.utf8.count >= length else { return }
            text = ""
            serve(Array(body.utf8), context)
        }

        private func serve(_ body: Bytes, _ context: ChannelHandlerContext) {
            let manners = shared.manners
            var dice = shared.roll()
            func hits(_ name: String, _ chance: Int) -> Bool {
                defer { dice -= chance }
                guard dice >= 0, dice < chance else { return false }
                shared.note(name)
                return true
            }
            if hits("error", manners.errors) {
                return answer("<h1>Internal Server Error</h1>", "500 Internal Server Error", context)
            }
            if hits("page", manners.pages) { return answer("<html>Please log in</html>", "200 OK", context) }
            if hits("limited", manners.limited) {
                return answer("slow down", "429 Too Many Requests", context, headers: "Retry-After: 0.05\r\n")
            }
            if hits("unavailable", manners.unavailable) { return answer("", "503 Service Unavailable", context) }
            if hits("drop", manners.drops) { return context.close(promise: nil) }
            if hits("hang", manners.hangs) { return }
            let result = respond(body, nulls: hits("null", manners.nulls))
            if hits("lost", manners.lost) { return context.close(promise: nil) }
            if hits("cut", manners.cut) {
                let half = String(decoding: Array(result.utf8.prefix(result.utf8.count / 2)), as: UTF8.self)
                write("HTTP/1.1 200 OK\r\nContent-Length: \(result.utf8.count)\r\n\r\n\(half)", context)
                return context.close(promise: nil)
            }
            answer(result, "200 OK", context)
        }

        private func respond(_ body: Bytes, nulls: Bool) -> String {
            guard let request = try? JSON.parse(body) else {
                return #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}"#
            }
            guard case .array(let calls) = request else { return one(request, nulls).text }
            guard shared.manners.takesBatches else {
                return #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request"}}"#
            }
            return JSON.array(calls.map { one($0, nulls) }).text
        }

        private func one(_ call: JSON, _ isNull: Bool) -> JSON {
            let id = call["id"] ?? .null
            let method = call["method"]?.asString ?? ""
            switch shared.endpoint.respond(RPCCall(method, call["params"]?.asArray ?? [])) {
            case .result(let value): return ["jsonrpc": "2.0", "id": id, "result": isNull ? .null : value]
            case .error(let code, let message, _):
                return ["jsonrpc": "2.0", "id": id, "error": ["code": .integer(code), "message": .string(message)]]
            }
        }

        private func answer(
            _ body: String, _ status: String, _ context: ChannelHandlerContext, headers: String = ""
        ) {
            write("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)", context)
        }

        private func write(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

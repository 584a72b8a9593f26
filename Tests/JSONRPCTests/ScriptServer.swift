// A node that misbehaves on purpose: answers each request with whatever bytes a test writes down, plain or over TLS.

import Ethereum
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

@testable import JSONRPC

/// What the node does with a request.
enum ScriptStep: Sendable {
    case send([UInt8])
    case close
    case pause(milliseconds: Int64)

    static func text(_ text: String) -> ScriptStep { .send(Array(text.utf8)) }
    /// A whole HTTP answer.
    static func answer(_ body: String, status: String = "200 OK", headers: String = "") -> ScriptStep {
        .text("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }
    /// The right answer to the call in a request.
    static func echo(_ request: String, result: String = "true") -> ScriptStep { .answer(Self.result(of: request, result)) }

    static func result(of request: String, _ result: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(ScriptServer.id(request)),"result":\#(result)}"#
    }
}

final class ScriptServer: Sendable {
    /// - Parameters: connection number from 0, request number within it from 0, head and body.
    typealias Script = @Sendable (_ connection: Int, _ request: Int, _ text: String) -> [ScriptStep]

    private let listener: any Channel
    let port: Int
    private let log: Log

    final class Log: Sendable {
        let requests = Mutex<[String]>([])
        let connections = Mutex<[any Channel]>([])
    }

    var requests: [String] { log.requests.withLock { $0 } }
    var connectionCount: Int { log.connections.withLock { $0.count } }

    /// The id of the first call in a request.
    static func id(_ request: String) -> String {
        let tail = request.split(separator: #""id":"#, maxSplits: 1, omittingEmptySubsequences: false).last ?? ""
        return String(tail.prefix { $0.isNumber })
    }

    static func start(
        host: String = "127.0.0.1", encrypted: NIOSSLContext? = nil, _ script: @escaping Script
    ) async throws -> ScriptServer {
        let log = Log()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let number = log.connections.withLock { connections in
                        connections.append(channel)
                        return connections.count - 1
                    }
                    if let encrypted {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: encrypted))
                    }
                    try channel.pipeline.syncOperations.addHandler(Player(number: number, script: script, log: log))
                }
            }
            .bind(host: host, port: 0).get()
        return ScriptServer(listener, log)
    }

    private init(_ listener: any Channel, _ log: Log) {
        self.listener = listener
        self.log = log
        port = listener.localAddress?.port ?? 0
    }

    func endpoint(_ scheme: String = "http", host: String = "127.0.0.1", path: String = "/SECRET") throws -> EndpointURL {
        try EndpointURL.parse("\(scheme)://\(host):\(port)\(path)")
    }

    func closeConnections() async {
        for channel in log.connections.withLock({ $0 }) { try? await channel.close().get() }
    }

    func stop() async {
        try? await listener.close().get()
        await closeConnections()
    }

    private final class Player: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let number: Int
        let script: Script
        let log: Log
        var text = ""
        var count = 0

        init(number: Int, script: @escaping Script, log: Log) {
            self.number = number
            self.script = script
            self.log = log
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
            guard let request = whole() else { return }
            text = ""
            log.requests.withLock { $0.append(request) }
            play(script(number, count, request)[...], context)
            count += 1
        }

        /// One request at a time is enough for these tests.
        private func whole() -> String? {
            guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
            let lower = text.lowercased()
            guard let range = lower.firstRange(of: "content-length: ") else { return text }
            let length = Int(lower[range.upperBound...].prefix { $0.isNumber }) ?? 0
            return text[end.upperBound...].utf8.count >= length ? text : nil
        }

        private func play(_ steps: ArraySlice<ScriptStep>, _ context: ChannelHandlerContext) {
            guard let step = steps.first else { return }
            let rest = steps.dropFirst()
            switch step {
            case .send(let bytes):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
                play(rest, context)
            case .close: context.close(promise: nil)
            case .pause(let milliseconds):
                let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
                context.eventLoop.scheduleTask(in: .milliseconds(milliseconds)) {
                    bound.value.0.play(rest, bound.value.1)
                }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

func withScript(
    host: String = "127.0.0.1", encrypted: NIOSSLContext? = nil, _ script: @escaping ScriptServer.Script, _ body: (ScriptServer) async throws -> Void
) async throws {
    let server = try await ScriptServer.start(host: host, encrypted: encrypted, script)
    do { try await body(server) } catch {
        await server.stop()
        throw error
    }
    await server.stop()
}

/// An issuer made for these tests, for localhost and 127.0.0.1, valid from 2020 to 2120. It protects nothing.
enum TestCertificate {
    static let certificate =
        "MIIBeDCCAR+gAwIBAgIBATAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJ0ZXN0IG9mIHRoZSBjbGllbnQwIBcNMjAwMT"
        + "AxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMB0xGzAZBgNVBAMMEnRlc3Qgb2YgdGhlIGNsaWVudDBZMBMGByqGSM49"
        + "AgEGCCqGSM49AwEHA0IABOWwuPcd5UskjHSM1nJu2tabJLnFRBkXtwoiXKHGQAeb8nFZ5J2ddagHVZDiahKr3E3NfH"
        + "iZJ4B7I1LZllUiZZyjTjBMMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMB0GA1Ud"
        + "DgQWBBRsaVSEU2cNunYlB8KMhFR28obgxDAKBggqhkjOPQQDAgNHADBEAiBWbQouhoa/06WgHQnOkDmw96K3Pnwuf1"
        + "o9rn1nTyY3ggIgbXNrcKlsg2gFeDpW2zAldvxGIk6Nofz78LHGymartkA="
    static let key =
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYhV5NSlsiQmVXplIF9ngsRZwe5LRJ/iUtENQk1LQeH"
        + "6hRANCAATlsLj3HeVLJIx0jNZybtrWmyS5xUQZF7cKIlyhxkAHm/JxWeSdnXWoB1WQ4moSq9xNzXx4mSeAeyNS2ZZV"
        + "ImWc"

    static func serverContext() throws -> NIOSSLContext {
        let certificate = try NIOSSLCertificate(bytes: decode(certificate), format: .der)
        let key = try NIOSSLPrivateKey(bytes: decode(key), format: .der)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: [.certificate(certificate)], privateKey: .privateKey(key)))
    }

    static var pem: String {
        var lines = ""
        var rest = certificate[...]
        while !rest.isEmpty {
            lines += rest.prefix(64) + "\n"
            rest = rest.dropFirst(64)
        }
        return "-----BEGIN CERTIFICATE-----\n\(lines)-----END CERTIFICATE-----\n"
    }

    private static func decode(_ text: String) -> [UInt8] {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var out: [UInt8] = []
        var word: UInt32 = 0
        var bits = 0
        for character in text.utf8 {
            guard let digit = letters.firstIndex(of: character) else { break }
            word = word << 6 | UInt32(digit)
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
            }
        }
        return out
    }
}

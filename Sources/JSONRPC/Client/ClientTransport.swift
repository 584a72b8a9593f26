// What the two transports share: their interface, connecting (with TLS), and the naming of failures.

import Glibc
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Carries requests to one endpoint. May be called from any thread.
protocol ClientTransport: Sendable {
    func exchange(_ request: OutgoingRequest) -> EventLoopFuture<RawAnswer>
    /// Gives up on the operation with this first id.
    func cancel(_ id: UInt64)
    /// Fails what waits, closes all connections.
    func close() -> EventLoopFuture<Void>
}

/// How to reach an endpoint, and how to speak of it when that fails.
struct Dialer: Sendable {
    let endpoint: EndpointURL
    let trustedCertificatesFile: String?
    let eventLoop: any EventLoop
    let timeoutMilliseconds: Int
    let answerBytesMaximum: Int
    let logger: Logger

    /// Connects; `equip` adds the protocol's handlers behind TLS.
    func connect(
        deadline: NIODeadline, _ equip: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        let remaining = max(.milliseconds(1), deadline - .now())
        return ClientBootstrap(group: eventLoop)
            .connectTimeout(remaining)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if endpoint.isEncrypted { try channel.pipeline.syncOperations.addHandler(encryption()) }
                    try equip(channel)
                }
            }
            .connect(host: endpoint.host, port: endpoint.port)
    }

    private func encryption() throws -> NIOSSLClientHandler {
        let context = try TLSContexts.shared.context(trusting: trustedCertificatesFile)
        // A certificate for an address is checked against the address itself; SNI takes names only.
        let isAddress = (try? SocketAddress(ipAddress: endpoint.host, port: 0)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : endpoint.host)
    }

    // MARK: Failures

    func error(_ code: RPCClientError.Code, _ message: String, retry: RPCClientError.Retry) -> RPCClientError {
        RPCClientError(code, endpoint: endpoint.description, message, retry: retry)
    }

    var timeout: RPCClientError {
        error(.timeout, "no answer within \(timeoutMilliseconds) ms", retry: .later)
    }

    var stopped: RPCClientError { error(.stopped, "this client was closed", retry: .never) }

    var overloaded: RPCClientError {
        error(.overloaded, "more than \(Limits.waitingCallsMaximum) calls wait already", retry: .later)
    }

    var cancelled: RPCClientError { error(.cancelled, "the task that asked was cancelled", retry: .never) }

    var tooLarge: RPCClientError {
        error(.tooLarge, "the answer exceeds \(answerBytesMaximum) bytes; ask for less at once", retry: .never)
    }

    /// - Parameter request: decides whether asking again is harmless.
    func closed(_ request: OutgoingRequest, _ why: String = "the connection ended before the answer") -> RPCClientError {
        request.isRead
            ? error(.closed, why, retry: .now)
            : error(.closed, why + "; whether the call had an effect is unknown: look before sending again", retry: .later)
    }

    func status(_ status: Int, retryAfter: Int? = nil) -> RPCClientError {
        let (why, retry): (String, RPCClientError.Retry) =
            switch status {
            case 401, 403: ("the endpoint wants another key or account", .never)
            case 404, 405: ("no JSON-RPC at this path", .never)
            case 413: ("the request is too large for the endpoint", .never)
            case 429: ("the endpoint's rate limit is used up", .later)
            case 300..<400: ("the endpoint moved; redirects are not followed, name the new address", .never)
            case 500...: ("the endpoint is in trouble", .later)
            default: ("the endpoint refuses", .never)
            }
        return RPCClientError(
            .badStatus(status), endpoint: endpoint.description, "HTTP status \(status): \(why)", retry: retry,
            retryAfterMilliseconds: status == 429 || status == 503 ? retryAfter : nil)
    }

    /// Names what went wrong while connecting or on a connection.
    func explained(_ failure: any Error) -> RPCClientError {
        switch failure {
        case let error as RPCClientError: return error
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            return error(
                .encryption, "TLS failed: \(failure); check the certificate, its host name and its issuer", retry: .never)
        case let failure as NIOConnectionError:
            if let inner = failure.connectionErrors.first?.error { return explained(inner) }
            return error(.refused, "the host name does not resolve", retry: .later)
        case is SocketAddressError, is SocketAddressError.UnknownHost: return error(.refused, "the host name does not resolve", retry: .later)
        case let failure as ChannelError:
            if case .connectTimeout = failure { return timeout }
            return error(.closed, "the connection ended", retry: .later)
        case let failure as IOError:
            switch failure.errnoCode {
            case ECONNREFUSED: return error(.refused, "nobody listens there", retry: .later)
            case ENETUNREACH, EHOSTUNREACH: return error(.refused, "the network cannot be reached", retry: .later)
            case ETIMEDOUT: return timeout
            default: return error(.closed, "the connection broke (errno \(failure.errnoCode))", retry: .later)
            }
        default: return error(.closed, "the connection broke: \(type(of: failure))", retry: .later)
        }
    }
}

/// Contexts are costly (they read the system's trust store), so there is one for each trust setting.
final class TLSContexts: Sendable {
    static let shared = TLSContexts()
    private let contexts = Mutex<[String: NIOSSLContext]>([:])

    func context(trusting file: String?) throws -> NIOSSLContext {
        try contexts.withLock { contexts in
            if let known = contexts[file ?? ""] { return known }
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = .fullVerification
            if let file { configuration.additionalTrustRoots = [.file(file)] }
            let made = try NIOSSLContext(configuration: configuration)
            contexts[file ?? ""] = made
            return made
        }
    }
}

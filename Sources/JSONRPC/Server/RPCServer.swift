// One port that speaks HTTP and WebSocket. Binds, accepts, stops; sessions do the rest.

import Glibc
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A JSON-RPC server: HTTP/1.1 POST, plain GET routes and WebSocket at any path, all on one port.
package final class RPCServer: Sendable {
    private enum State {
        case idle
        case starting
        case listening(any Channel)
        case stopped
    }

    private let shared: ServerShared
    private let state = Mutex(State.idle)

    /// - Parameter service: nil makes a server of routes only, as a metrics port is.
    package init(configuration: Configuration, service: (any JSONRPCService)?, logger: Logger) {
        shared = ServerShared(configuration: configuration, service: service, logger: logger)
    }

    /// Binds and listens.
    /// - Returns: the port.
    /// - Throws: `portInUse` with the port and what to do; a stopped server does not start again.
    package func start() async throws(RPCServerError) -> Int {
        try validate()
        let mayStart = state.withLock { state in
            guard case .idle = state else { return false }
            state = .starting
            return true
        }
        guard mayStart else {
            throw RPCServerError(.alreadyStarted, "this server was started before", hint: "make a new one")
        }
        let configuration = shared.configuration
        var port = configuration.port
        while true {
            do {
                return try await listening(bind(port))
            } catch {
                let lastPort = min(configuration.port + configuration.triesNextPorts, 65_535)
                guard error.code == .portInUse, port != 0, port < lastPort else {
                    state.withLock { $0 = .idle }
                    throw error
                }
                port += 1
            }
        }
    }

    /// Stops listening, says goodbye to WebSockets (close 1001), lets running HTTP answers finish for a moment, and
    /// returns when every connection is closed.
    package func stop() async {
        let listener = state.withLock { state -> (any Channel)? in
            defer { state = .stopped }
            if case .listening(let channel) = state { return channel }
            return nil
        }
        guard let listener else { return }
        try? await listener.close().get()
        let channels = shared.openChannels
        for channel in channels {
            channel.eventLoop.execute { channel.pipeline.fireUserInboundEventTriggered(ServerStopping()) }
            channel.eventLoop.scheduleTask(in: .milliseconds(Int64(Limits.stopMillisecondsDefault))) {
                channel.close(promise: nil)
            }
        }
        for channel in channels { try? await channel.closeFuture.get() }
    }

    private func listening(_ channel: any Channel) async throws(RPCServerError) -> Int {
        let isStopped = state.withLock { state in
            if case .stopped = state { return true }
            state = .listening(channel)
            return false
        }
        if isStopped {
            channel.close(promise: nil)
            throw RPCServerError(.alreadyStarted, "the server was stopped while it started", hint: "make a new one")
        }
        return channel.localAddress?.port ?? shared.configuration.port
    }

    private func validate() throws(RPCServerError) {
        let configuration = shared.configuration
        guard (0...65_535).contains(configuration.port), configuration.triesNextPorts >= 0 else {
            throw RPCServerError(
                .invalidConfiguration, "\(configuration.port) is no port", hint: "take 1 to 65535, or 0 for any free one")
        }
        guard configuration.requestBytesMaximum > 0, configuration.requestBytesMaximum <= 1 << 30,
            configuration.connectionsMaximum > 0, configuration.outboundBytesMaximum > 0,
            configuration.pingMilliseconds > 0, configuration.idleMilliseconds > 0,
            configuration.requestMilliseconds > 0, configuration.stalledWriteMilliseconds > 0
        else {
            throw RPCServerError(
                .invalidConfiguration, "a limit of the server is not positive or above its bound",
                hint: "leave the limits at their defaults")
        }
    }

    private func bind(_ port: Int) async throws(RPCServerError) -> any Channel {
        let shared = shared
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: Limits.acceptBacklog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard shared.admit(channel) else { throw ChannelError.operationUnsupported }
                    try Self.equip(channel, shared)
                }
            }
        do {
            return try await bootstrap.bind(host: shared.configuration.host, port: port).get()
        } catch {
            throw Self.explained(error, host: shared.configuration.host, port: port)
        }
    }

    private static func equip(_ channel: any Channel, _ shared: ServerShared) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = Limits.headBytesMaximum
        limits.maxHeaderListSize = Limits.headBytesMaximum
        limits.maxHeaderFieldCount = Limits.headerFieldsMaximum
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
        try channel.pipeline.syncOperations.addHandlers([
            encoder, decoder, HTTPSession(shared: shared, encoder: encoder, decoder: decoder),
        ])
    }

    private static func explained(_ error: any Error, host: String, port: Int) -> RPCServerError {
        let place = "\(host):\(port)"
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            return RPCServerError(
                .portInUse, "port \(port) of \(host) is in use by another process",
                hint: "find it with `ss -ltnp 'sport = :\(port)'` and stop it, or take another port")
        case EADDRNOTAVAIL:
            return RPCServerError(
                .addressNotAvailable, "no interface of this machine has the address of \(place)",
                hint: "listen on 127.0.0.1, on an address that `ip addr` shows, or on 0.0.0.0 for all")
        case EACCES, EPERM:
            return RPCServerError(
                .permissionDenied, "\(place) may not be opened by this user",
                hint: "ports below 1024 need a privilege; take a higher one")
        default:
            if error is SocketAddressError || error is SocketAddressError.UnknownHost {
                return RPCServerError(
                    .addressNotAvailable, "the host name '\(host)' does not resolve",
                    hint: "listen on 127.0.0.1, or on 0.0.0.0 for all")
            }
            return RPCServerError(.system, "\(place) cannot be opened: \(error)", hint: "see the system's reason above")
        }
    }
}

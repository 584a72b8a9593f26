// One WebSocket of a client: handshake, frames, pings. Whole messages go up, bytes go down.
// Ids and subscriptions are WebSocketTransport's.

import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Speaks HTTP until the server has agreed, then makes way for WebSocketLink.
final class WebSocketHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let dialer: Dialer
    private let encoder: HTTPRequestEncoder
    private let decoder: ByteToMessageHandler<HTTPResponseDecoder>
    private let link: WebSocketLink
    private let headers: [HTTPFetch.Request.Header]
    private let upgrader: NIOWebSocketClientUpgrader
    private let key = NIOWebSocketClientUpgrader.randomRequestKey()
    private var done: ((Result<Void, RPCClientError>) -> Void)?
    private var isBegun = false

    init(
        dialer: Dialer, encoder: HTTPRequestEncoder, decoder: ByteToMessageHandler<HTTPResponseDecoder>,
        link: WebSocketLink, headers: [HTTPFetch.Request.Header],
        done: @escaping (Result<Void, RPCClientError>) -> Void
    ) {
        self.dialer = dialer
        self.encoder = encoder
        self.decoder = decoder
        self.link = link
        self.headers = headers
        self.done = done
        upgrader = NIOWebSocketClientUpgrader(requestKey: key, automaticErrorHandling: false) { channel, _ in
            channel.eventLoop.makeSucceededVoidFuture()
        }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard !isBegun else { return }
        isBegun = true
        var headers: HTTPHeaders = [
            "host": dialer.endpoint.authority, "upgrade": "websocket", "connection": "Upgrade",
            "sec-websocket-version": "13", "sec-websocket-key": key, "user-agent": "causeway",
        ]
        if let user = dialer.endpoint.userInfo {
            headers.add(name: "authorization", value: "Basic " + Base64.encode(Array(user.utf8)))
        }
        for header in self.headers { headers.replaceOrAdd(name: header.name, value: header.value) }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: dialer.endpoint.target, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head) where head.status == .switchingProtocols:
            let agreed = head.headers.first(name: "upgrade")?.lowercased() == "websocket"
            guard agreed, upgrader.shouldAllowUpgrade(upgradeResponse: head) else {
                return fail(context, dialer.error(.handshake, "the WebSocket handshake was answered wrongly", retry: .later))
            }
        case .head(let head):
            let seconds = head.headers.first(name: "retry-after").flatMap { UInt32($0) }
            fail(context, dialer.status(Int(head.status.code), retryAfter: seconds.map { Int($0) * 1_000 }))
        case .body: break
        case .end: if done != nil { open(context) }
        }
    }

    /// The 101 is complete: what follows on the wire are frames.
    private func open(_ context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        let frames = WebSocketFrameDecoder(maxFrameSize: min(dialer.answerBytesMaximum, Int(UInt32.max)))
        do {
            try pipeline.addHandlers([ByteToMessageHandler(frames), link])
        } catch {
            return fail(context, dialer.explained(error))
        }
        pipeline.removeHandler(context: context, promise: nil)
        pipeline.removeHandler(encoder, promise: nil)
        // The decoder leaves a turn later, and until then it takes every write for HTTP.
        let done = done.take()
        let left = context.eventLoop.makePromise(of: Void.self)
        pipeline.removeHandler(decoder, promise: left)
        left.futureResult.assumeIsolated().whenComplete { _ in done?(.success(())) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(
            context,
            error is HTTPParserError
                ? dialer.error(.garbage, "the handshake's answer is no HTTP", retry: .later) : dialer.explained(error))
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(context, dialer.error(.closed, "the connection ended inside the handshake", retry: .later))
    }

    private func fail(_ context: ChannelHandlerContext, _ error: RPCClientError) {
        let done = done.take()
        done?(.failure(error))
        context.close(promise: nil)
    }
}

extension Dialer {
    /// Connects and shakes hands. Called on the event loop, and so are `prepare`, before anything can come over the
    /// link, and `done`, once. A server may speak, or end, in the same breath in which it agrees.
    func openWebSocket(
        headers: [HTTPFetch.Request.Header] = [], deadline: NIODeadline,
        prepare: @escaping (WebSocketLink) -> Void = { _ in },
        _ done: @escaping (Result<WebSocketLink, RPCClientError>) -> Void
    ) {
        let done = NIOLoopBound(done, eventLoop: eventLoop)
        let prepare = NIOLoopBound(prepare, eventLoop: eventLoop)
        connect(deadline: deadline) { channel in
            let encoder = HTTPRequestEncoder()
            let decoder = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes))
            let link = WebSocketLink(dialer: self)
            prepare.value(link)
            let expiry = NIOLoopBoundBox<Scheduled<Void>?>(nil, eventLoop: channel.eventLoop)
            let handshake = WebSocketHandshake(
                dialer: self, encoder: encoder, decoder: decoder, link: link, headers: headers
            ) { result in
                expiry.value?.cancel()
                done.value(result.map { link })
            }
            try channel.pipeline.syncOperations.addHandlers([encoder, decoder, handshake])
            expiry.value = channel.eventLoop.scheduleTask(deadline: deadline) {
                channel.pipeline.fireErrorCaught(timeout)
            }
        }.assumeIsolated().whenFailure { error in
            done.value(.failure(explained(error)))
        }
    }
}

final class WebSocketLink: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = ByteBuffer

    private let dialer: Dialer
    private var assembler: MessageAssembler
    private var context: ChannelHandlerContext?
    private var pending = ByteBuffer()
    private var isFlushScheduled = false
    private var lastHeard = NIODeadline.now()
    private var tick: RepeatedTask?
    private var failure: RPCClientError?
    var onMessage: (([UInt8]) -> Void)?
    /// Called once, with the reason.
    var onClose: ((RPCClientError) -> Void)?

    init(dialer: Dialer) {
        self.dialer = dialer
        assembler = MessageAssembler(role: .client, messageBytesMaximum: dialer.answerBytesMaximum)
    }

    var isOpen: Bool { context?.channel.isActive ?? false }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        lastHeard = .now()
        let interval = TimeAmount.milliseconds(Int64(Limits.clientPingMilliseconds))
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        tick = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            bound.value.look(interval)
        }
    }

    /// Sends a message; all of one turn of the loop go out together.
    func send(_ payload: [UInt8], _ opcode: WebSocketOpcode = .text) {
        guard let context else { return }
        FrameWriter.append(payload, opcode, mask: UInt32.random(in: .min ... .max), to: &pending)
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { bound.value.flush() }
    }

    private func flush() {
        isFlushScheduled = false
        guard let context, pending.readableBytes > 0 else { return }
        let buffer = pending
        pending = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    func close() {
        guard let context else { return }
        FrameWriter.appendClose(MessageAssembler.normalClosure, mask: UInt32.random(in: .min ... .max), to: &pending)
        flush()
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastHeard = .now()
        switch assembler.handle(unwrapInboundIn(data)) {
        case .nothing, .pong: break
        case .message(let bytes, _): onMessage?(bytes)
        case .ping(let payload): send(payload, .pong)
        case .close(let code):
            failure = dialer.error(.closed, "the node closed the WebSocket (code \(code))", retry: .now)
            close()
        case .violation(MessageAssembler.messageTooBig, _): fail(dialer.tooLarge)
        case .violation(_, let why):
            fail(dialer.error(.garbage, "the node breaks the WebSocket protocol: \(why)", retry: .later))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error as? NIOWebSocketError {
        case nil: fail(dialer.explained(error))
        case .invalidFrameLength: fail(dialer.tooLarge)
        default: fail(dialer.error(.garbage, "the node sent a malformed frame", retry: .later))
        }
    }

    func channelInactive(context: ChannelHandlerContext) { ended() }
    func handlerRemoved(context: ChannelHandlerContext) { ended() }

    private func look(_ interval: TimeAmount) {
        let silence = NIODeadline.now() - lastHeard
        if silence > interval * 3 {
            fail(dialer.error(.closed, "the node gives no sign of life", retry: .now))
        } else if silence >= interval {
            send([], .ping)
        }
    }

    private func fail(_ error: RPCClientError) {
        if failure == nil { failure = error }
        context?.close(promise: nil)
    }

    private func ended() {
        guard context != nil else { return }
        context = nil
        tick?.cancel()
        let onClose = onClose.take()
        self.onMessage = nil
        onClose?(failure ?? dialer.error(.closed, "the connection ended", retry: .now))
    }
}

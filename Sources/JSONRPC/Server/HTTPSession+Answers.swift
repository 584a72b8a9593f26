// Which answer a request gets: JSON-RPC by POST, routes by GET, foreign origins by OPTIONS, WebSocket by upgrade.

import NIOCore
import NIOHTTP1
import NIOWebSocket

extension HTTPSession {
    func answer(_ request: Request, _ context: ChannelHandlerContext) {
        if let refusal = request.refusal { return write(refusal, context) }
        if Self.asksForWebSocket(request.head) { return upgrade(request, context) }
        if let stream = shared.configuration.eventStream, request.head.method == .GET, request.value.path == stream.path {
            let value = request.value
            return afterwards(context) {
                await stream.gate(value)
            } finish: { session, context, verdict in
                session.stream(verdict, context)
            }
        }
        if let handler = shared.configuration.everyRequest {
            let value = request.value
            return afterwards(context) {
                await handler(value)
            } finish: { session, context, answer in
                session.write(answer, context)
            }
        }
        switch request.head.method {
        case .POST: answerCall(request, context)
        case .GET, .HEAD: answerRoute(request, context)
        case .OPTIONS: answerOptions(request, context)
        default:
            write(
                .text("only GET, HEAD, OPTIONS and POST are answered here\n", status: 405),
                headers: ["allow": "GET, HEAD, OPTIONS, POST"], context)
        }
    }

    private func answerCall(_ request: Request, _ context: ChannelHandlerContext) {
        guard let answering = shared.answering else {
            if let handler = shared.configuration.handler { return ask(handler, "POST", request, context) }
            return write(
                .text("no JSON-RPC here\n", status: 405), headers: ["allow": "GET, HEAD, OPTIONS"], context)
        }
        if let encoding = request.head.headers.first(name: "content-encoding"), encoding.lowercased() != "identity" {
            return write(.text("compressed bodies are not taken\n", status: 415), context)
        }
        let bytes = Array(request.body.readableBytesView)
        let limit = shared.configuration.batchCallsMaximum
        afterwards(context) {
            await answering.reply(to: IncomingMessage.read(bytes, batchCallsMaximum: limit), on: nil)
        } finish: { session, context, reply in
            switch reply {
            case .nothing: session.write(nil, context)
            case .body(let body): session.write(HTTPAnswer(contentType: "application/json", body: body), context)
            case .plain(let answer, let seconds):
                let headers: HTTPHeaders = seconds.map { ["retry-after": String($0)] } ?? [:]
                session.write(answer, headers: headers, context)
            case .silence(let closes): if closes { context.close(promise: nil) }
            }
        }
    }

    private func answerRoute(_ request: Request, _ context: ChannelHandlerContext) {
        let path = String(request.head.uri.prefix { $0 != "?" && $0 != "#" })
        guard let route = shared.configuration.routes[path] else {
            if let handler = shared.configuration.handler { return ask(handler, "GET", request, context) }
            let hint = shared.answering == nil ? "" : "; JSON-RPC is answered by POST and over WebSocket"
            return write(.text("nothing stands at this path\(hint)\n", status: 404), context)
        }
        afterwards(context) {
            await route()
        } finish: { session, context, answer in
            session.write(answer, context)
        }
    }

    private func ask(
        _ handler: @escaping @Sendable (HTTPQuestion) async -> HTTPAnswer, _ method: String, _ request: Request,
        _ context: ChannelHandlerContext
    ) {
        let value = request.value
        let question = HTTPQuestion(method: method, target: value.target, headers: value.headers, body: value.body)
        afterwards(context) {
            await handler(question)
        } finish: { session, context, answer in
            let headers: HTTPHeaders = answer.retryAfterSeconds.map { ["retry-after": String($0)] } ?? [:]
            session.write(answer, headers: headers, context)
        }
    }

    private func answerOptions(_ request: Request, _ context: ChannelHandlerContext) {
        var headers: HTTPHeaders = ["allow": "GET, HEAD, OPTIONS, POST"]
        if shared.configuration.allowedOrigin != nil {
            headers.add(name: "access-control-allow-methods", value: "GET, HEAD, OPTIONS, POST")
            let asked = request.head.headers.first(name: "access-control-request-headers")
            headers.add(name: "access-control-allow-headers", value: asked ?? "content-type")
            headers.add(name: "access-control-max-age", value: "86400")
        }
        write(nil, headers: headers, context)
    }

    /// Runs something off the event loop and finishes on it.
    private func afterwards<Value: Sendable>(
        _ context: ChannelHandlerContext, _ work: @escaping @Sendable () async -> Value,
        finish: @escaping @Sendable (HTTPSession, ChannelHandlerContext, Value) -> Void
    ) {
        let eventLoop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: eventLoop)
        Task {
            let value = await work()
            eventLoop.execute {
                let (session, context) = bound.value
                finish(session, context, value)
            }
        }
    }

    // MARK: Event streams

    /// Whatever happens from here on, an accepted source hears once that it is closed.
    private func stream(_ verdict: PushVerdict, _ context: ChannelHandlerContext) {
        switch verdict {
        case .refused(let answer): write(answer, context)
        case .accepted(let source, let more):
            guard !isGone, context.channel.isActive else { return source.closed(.gone) }
            var headers: HTTPHeaders = ["content-type": "text/event-stream", "cache-control": "no-store"]
            // A proxy that collects answers would hold events back.
            headers.add(name: "x-accel-buffering", value: "no")
            if let origin = shared.configuration.allowedOrigin {
                headers.add(name: "access-control-allow-origin", value: origin)
            }
            for (name, value) in more.sorted(by: { $0.key < $1.key }) { headers.add(name: name, value: value) }
            // The encoder stays: it cuts the answer into chunks, for a client that knows them.
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            do {
                try context.pipeline.syncOperations.addHandler(
                    EventStreamSession(source: source, shared: shared, channel: context.channel))
            } catch {
                source.closed(.gone)
                return context.close(promise: nil)
            }
            leave(context, keepsEncoder: true)
        }
    }

    // MARK: WebSocket

    static func asksForWebSocket(_ head: HTTPRequestHead) -> Bool {
        head.headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
            && head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
    }

    private func upgrade(_ request: Request, _ context: ChannelHandlerContext) {
        let head = request.head
        let gate = shared.configuration.pushGate
        guard gate != nil || shared.answering != nil else {
            return write(.text("no JSON-RPC here\n", status: 404), context)
        }
        guard head.headers.first(name: "sec-websocket-version") == "13" else {
            return write(
                .text("only WebSocket version 13 is spoken here\n", status: 426),
                headers: ["sec-websocket-version": "13", "upgrade": "websocket"], context)
        }
        guard head.method == .GET, head.version == .http1_1, head.headers["sec-websocket-key"].count == 1,
            head.headers["sec-websocket-key"][0].utf8.count == 24
        else { return write(.text("a malformed WebSocket handshake\n", status: 400), context) }
        guard let gate else {
            return shakeHands(head, [:], context) { [shared] channel in
                guard let answering = shared.answering else { preconditionFailure("it was there before") }
                let lane = WebSocketLane(channel: channel, answering: answering, limits: shared.configuration)
                return WebSocketSession(lane: lane, shared: shared)
            } refused: {}
        }
        let value = request.value
        afterwards(context) {
            await gate(value)
        } finish: { session, context, verdict in
            session.enter(verdict, head, context)
        }
    }

    /// Whatever happens from here on, an accepted source hears once that it is closed.
    private func enter(_ verdict: PushVerdict, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        switch verdict {
        case .refused(let answer): write(answer, context)
        case .accepted(let source, let headers):
            guard !isGone, context.channel.isActive else { return source.closed(.gone) }
            shakeHands(head, HTTPHeaders(headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }), context) {
                [shared] channel in
                PushSession(source: source, shared: shared, channel: channel)
            } refused: {
                source.closed(.gone)
            }
        }
    }

    /// Answers the client's key and hands the connection to its next handler.
    private func shakeHands(
        _ head: HTTPRequestHead, _ more: HTTPHeaders, _ context: ChannelHandlerContext,
        next: @escaping (any Channel) -> any ChannelHandler, refused: @escaping () -> Void
    ) {
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: Int(UInt32.max), automaticErrorHandling: false,
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(more) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
        // Only the answer to the client's key is taken from NIO's upgrader; the pipeline is ours.
        upgrader.buildUpgradeResponse(channel: context.channel, upgradeRequest: head, initialResponseHeaders: [:])
            .assumeIsolated().whenComplete { result in
                switch result {
                case .success(let headers):
                    if !self.switchToWebSocket(headers, context, next) { refused() }
                case .failure:
                    refused()
                    self.write(.text("a malformed WebSocket handshake\n", status: 400), context)
                }
            }
    }

    /// - Returns: false when there is nobody any more to hand the connection to.
    private func switchToWebSocket(
        _ headers: HTTPHeaders, _ context: ChannelHandlerContext, _ next: (any Channel) -> any ChannelHandler
    ) -> Bool {
        guard context.channel.isActive, !isGone else { return false }
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        let frames = WebSocketFrameDecoder(
            maxFrameSize: min(max(shared.configuration.requestBytesMaximum, 125), Int(UInt32.max)))
        do {
            try context.pipeline.syncOperations.addHandlers([
                ByteToMessageHandler(frames), next(context.channel),
            ])
        } catch {
            context.close(promise: nil)
            return false
        }
        leave(context)
        return true
    }
}

extension HTTPSession.Request {
    var value: HTTPQuestion {
        HTTPQuestion(
            method: head.method.rawValue, target: head.uri, headers: head.headers.map { .init($0.name, $0.value) },
            body: Array(body.readableBytesView))
    }
}

// The NIO handler of one HTTP/1.1 connection: bounded request bodies, answers in order, deadlines, upgrade.
// Which answer a request gets is decided in HTTPSession+Answers. Runs on its event loop only.

import Logging
import NIOCore
import NIOHTTP1

final class HTTPSession: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    struct Request {
        let head: HTTPRequestHead
        var body = ByteBuffer()
        /// Set when it is refused before it was complete; nothing is read after it.
        var refusal: HTTPAnswer?
    }

    /// What the connection waits for; decides which deadline applies.
    private enum Waiting { case request, rest, service, client, end }

    let shared: ServerShared
    let encoder: HTTPResponseEncoder
    let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private var receiving: Request?
    private var queue = CircularBuffer<Request>()
    private(set) var answering: Request?
    /// Nothing further is taken from the peer: the answer in the queue is the last.
    private var isLast = false
    private var isRemoved = false
    private var waiting = Waiting.request
    private var waitingSince = NIODeadline.now()
    private var tick: RepeatedTask?

    init(shared: ServerShared, encoder: HTTPResponseEncoder, decoder: ByteToMessageHandler<HTTPRequestDecoder>) {
        self.shared = shared
        self.encoder = encoder
        self.decoder = decoder
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        let configuration = shared.configuration
        let shortest = min(
            configuration.idleMilliseconds, configuration.requestMilliseconds, configuration.stalledWriteMilliseconds)
        let interval = TimeAmount.milliseconds(Int64(max(10, min(shortest / 4, 1_000))))
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        tick = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let (session, context) = bound.value
            session.look(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    var isGone: Bool { isRemoved }

    private func end() {
        isRemoved = true
        tick?.cancel()
        queue.removeAll()
        receiving = nil
    }

    private func wait(_ next: Waiting) {
        waiting = next
        waitingSince = .now()
    }

    private func look(_ context: ChannelHandlerContext) {
        let configuration = shared.configuration
        let (allowed, reason): (Int, CutReason?) =
            switch waiting {
            case .request: (configuration.idleMilliseconds, .idle)
            case .rest: (configuration.requestMilliseconds, .slowRequest)
            case .service: (Int.max / 2_000_000, nil)
            case .client: (configuration.stalledWriteMilliseconds, .slowReader)
            case .end: (Int(Limits.lingerMilliseconds), nil)
            }
        guard NIODeadline.now() - waitingSince > .milliseconds(Int64(allowed)) else { return }
        tick?.cancel()
        if let reason { shared.counters.cut(reason) }
        if waiting == .rest, answering == nil {
            refuseConnection(context, .text("the request did not arrive in time\n", status: 408))
        } else {
            context.close(promise: nil)
        }
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isLast else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let part):
            guard var request = receiving else { return }
            receiving = nil
            guard request.body.readableBytes + part.readableBytes <= shared.configuration.requestBytesMaximum else {
                return refuse(request, tooLarge, context)
            }
            if request.body.readableBytes == 0 {
                request.body = part
            } else {
                var part = part
                request.body.writeBuffer(&part)
            }
            receiving = request
        case .end:
            guard let request = receiving.take() else { return }
            // An upgrade, taken or not, ends what the parser understands.
            if !request.head.isKeepAlive || request.head.headers.contains(name: "upgrade") { isLast = true }
            enqueue(request, context)
        }
    }

    private var tooLarge: HTTPAnswer {
        .text("a body of more than \(shared.configuration.requestBytesMaximum) bytes is not taken\n", status: 413)
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let request = Request(head: head)
        if waiting == .request { wait(.rest) }
        guard head.uri.utf8.count <= shared.configuration.targetBytesMaximum else {
            return refuse(request, .text("the request target is too long\n", status: 414), context)
        }
        if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }),
            length > shared.configuration.requestBytesMaximum
        {
            return refuse(request, tooLarge, context)
        }
        receiving = request
        if answering == nil, queue.isEmpty, head.version == .http1_1,
            head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" })
        {
            context.writeAndFlush(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
    }

    private func refuse(_ request: Request, _ answer: HTTPAnswer, _ context: ChannelHandlerContext) {
        shared.counters.cut(.tooLarge)
        isLast = true
        var refused = Request(head: request.head)
        refused.refusal = answer
        enqueue(refused, context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError, !isLast else {
            if !(error is HTTPParserError) { context.close(promise: nil) }
            return
        }
        shared.counters.cut(.malformed)
        let status =
            switch error as? HTTPParserError {
            case .headerOverflow: 431
            case .invalidVersion: 505
            default: 400
            }
        refuseConnection(context, .text("the request is no HTTP/1.1 that is understood here\n", status: status))
    }

    /// Answers without a request, after those that are complete, and closes.
    private func refuseConnection(_ context: ChannelHandlerContext, _ answer: HTTPAnswer) {
        isLast = true
        receiving = nil
        var refused = Request(head: HTTPRequestHead(version: .http1_1, method: .GET, uri: "/"))
        refused.refusal = answer
        enqueue(refused, context)
    }

    private func enqueue(_ request: Request, _ context: ChannelHandlerContext) {
        queue.append(request)
        answerNext(context)
    }

    /// Reading stops while too much waits: the peer feels it through TCP.
    func read(context: ChannelHandlerContext) {
        if queue.count < Limits.pipelinedRequestsMaximum { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ServerStopping {
            isLast = true
            receiving = nil
            if answering == nil, queue.isEmpty { context.close(promise: nil) }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Out

    private func answerNext(_ context: ChannelHandlerContext) {
        guard answering == nil, !isRemoved else { return }
        guard let request = queue.popFirst() else {
            if isLast, receiving == nil { return finish(context) }
            return wait(receiving == nil ? .request : .rest)
        }
        answering = request
        wait(.service)
        answer(request, context)
        if queue.count == Limits.pipelinedRequestsMaximum - 1 { context.read() }
    }

    /// Writes the answer to the request being answered, then turns to the next one.
    func write(_ answer: HTTPAnswer?, headers extra: HTTPHeaders = [:], _ context: ChannelHandlerContext) {
        guard let request = answering, !isRemoved else { return }
        let answer = answer.map { shared.configuration.finishing?($0) ?? $0 }
        let isClosing = isLast && queue.isEmpty
        var headers = extra
        let body = answer?.body ?? []
        if let answer {
            headers.add(name: "content-type", value: answer.contentType)
            headers.add(name: "content-length", value: String(body.count))
            for (name, value) in answer.headers.sorted(by: { $0.key < $1.key }) { headers.add(name: name, value: value) }
        }
        if let origin = shared.configuration.allowedOrigin {
            headers.add(name: "access-control-allow-origin", value: origin)
        }
        if isClosing {
            headers.add(name: "connection", value: "close")
        } else if request.head.version != .http1_1 {
            headers.add(name: "connection", value: "keep-alive")
        }
        let status = HTTPResponseStatus(statusCode: answer?.status ?? 204)
        wait(.client)
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        if request.head.method != .HEAD, !body.isEmpty {
            var rest = ByteBuffer(bytes: body)
            while let piece = rest.readSlice(length: min(rest.readableBytes, Limits.writePieceBytes)),
                piece.readableBytes > 0
            {
                context.write(wrapOutboundOut(.body(.byteBuffer(piece)))).assumeIsolated().whenSuccess {
                    self.waitingSince = .now()
                }
            }
        }
        let context = context
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            self.answering = nil
            self.answerNext(context)
        }
    }

    /// The last answer is out: waits a moment for the peer to stop sending, so that no reset destroys the answer.
    private func finish(_ context: ChannelHandlerContext) {
        guard waiting != .end else { return }
        wait(.end)
        context.close(mode: .output, promise: nil)
    }

    /// Hands the connection over to its next protocol: this handler and the HTTP codec leave the pipeline.
    /// - Parameter keepsEncoder: what follows is the body of an answer.
    func leave(_ context: ChannelHandlerContext, keepsEncoder: Bool = false) {
        end()
        answering = nil
        let pipeline = context.pipeline.syncOperations
        pipeline.removeHandler(context: context, promise: nil)
        if !keepsEncoder { pipeline.removeHandler(encoder, promise: nil) }
        pipeline.removeHandler(decoder, promise: nil)
    }
}

// One kept-alive HTTP connection of a client: one request at a time, one bounded answer.
// Which request goes where is decided in HTTPTransport.

import NIOCore
import NIOHTTP1

/// Notes whether the peer sent anything: decides whether a request may be sent again.
final class ByteWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    var sawBytes = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        sawBytes = true
        context.fireChannelRead(data)
    }
}

final class HTTPLink: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// How a request on this link ended.
    enum Outcome {
        /// `retryAfter` in milliseconds, when the head said so.
        case answered([UInt8], status: Int, retryAfter: Int?)
        case failed(RPCClientError)
        /// The connection was dead before the request: not a byte came back, and it had served before.
        case stale
    }

    private let dialer: Dialer
    private let watch: ByteWatch
    private let authorization: String?
    private var context: ChannelHandlerContext?
    private var completion: ((Outcome) -> Void)?
    private var requestsServed = 0
    private var status = 0
    private var retryAfter: Int?
    private var body = ByteBuffer()
    private var isReusable = true
    private(set) var idleSince = NIODeadline.now()
    /// Called once, when the connection is gone.
    var onClose: (() -> Void)?

    var isOpen: Bool { context?.channel.isActive ?? false }

    init(dialer: Dialer, watch: ByteWatch) {
        self.dialer = dialer
        self.watch = watch
        authorization = dialer.endpoint.userInfo.map { "Basic " + Base64.encode(Array($0.utf8)) }
    }

    func send(_ request: OutgoingRequest, _ completion: @escaping (Outcome) -> Void) {
        guard let context, context.channel.isActive else {
            return completion(requestsServed > 0 ? .stale : .failed(dialer.closed(request)))
        }
        assert(self.completion == nil)
        self.completion = completion
        status = 0
        body = ByteBuffer()
        watch.sawBytes = false
        var headers: HTTPHeaders = [
            "host": dialer.endpoint.authority, "content-type": "application/json", "accept": "application/json",
            "content-length": String(request.body.count), "user-agent": "causeway",
        ]
        if let authorization { headers.add(name: "authorization", value: authorization) }
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: dialer.endpoint.target, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: request.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func close() {
        isReusable = false
        context?.close(promise: nil)
    }

    var canServeAgain: Bool { isReusable && isOpen && completion == nil }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard completion != nil else { return close() }
            status = Int(head.status.code)
            retryAfter = head.headers.first(name: "retry-after").flatMap(Self.milliseconds)
            if !head.isKeepAlive { isReusable = false }
            let encoding = head.headers.first(name: "content-encoding")?.lowercased() ?? "identity"
            guard encoding == "identity" else {
                return fail(dialer.error(.garbage, "the answer is compressed though nobody asked", retry: .never))
            }
            if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }),
                length > dialer.answerBytesMaximum
            {
                fail(dialer.tooLarge)
            }
        case .body(var part):
            guard completion != nil else { return }
            guard body.readableBytes + part.readableBytes <= dialer.answerBytesMaximum else {
                return fail(dialer.tooLarge)
            }
            body.writeBuffer(&part)
        case .end:
            guard completion != nil else { return }
            requestsServed += 1
            idleSince = .now()
            let bytes = Array(body.readableBytesView)
            body = ByteBuffer()
            complete(.answered(bytes, status: status, retryAfter: retryAfter))
            if !isReusable { context.close(promise: nil) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError {
            fail(
                context.channel.isActive
                    ? dialer.error(.garbage, "the answer is no HTTP", retry: .later)
                    : dialer.error(.closed, "the connection ended inside the answer", retry: .later))
        } else if !isStale {
            fail(dialer.explained(error))
        }
        close()
    }

    func channelInactive(context: ChannelHandlerContext) {
        isReusable = false
        if isStale {
            complete(.stale)
        } else {
            complete(.failed(dialer.error(.closed, "the connection ended before the answer", retry: .later)))
        }
        self.context = nil
        let onClose = onClose.take()
        onClose?()
    }

    /// RFC 9110 section 10.2.3: seconds. The other form, a date, is left to our own pauses: it needs both clocks right.
    private static func milliseconds(_ text: String) -> Int? {
        guard let seconds = Double(text), seconds.isFinite, seconds >= 0 else { return nil }
        return Int(min(seconds * 1_000, Double(Limits.retryAfterMillisecondsMaximum)))
    }

    private var isStale: Bool { requestsServed > 0 && !watch.sawBytes }

    private func fail(_ error: RPCClientError) {
        isReusable = false
        complete(.failed(error))
        context?.close(promise: nil)
    }

    private func complete(_ outcome: Outcome) {
        let completion = completion.take()
        completion?(outcome)
    }
}

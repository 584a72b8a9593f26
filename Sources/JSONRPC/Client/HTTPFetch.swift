// One plain HTTP or HTTPS request for a service that speaks no JSON-RPC. A connection for each: such services are asked
// a few times a minute, and a fresh connection has no history to go wrong.

import Logging
import NIOCore
import NIOHTTP1
import NIOPosix

package struct HTTPFetch: Sendable {
    package struct Answer: Sendable, Equatable {
        package var status: Int
        /// Of a `Retry-After` in seconds; dates are not read.
        package var retryAfterSeconds: UInt64?
        package var body: [UInt8]

        package init(status: Int, retryAfterSeconds: UInt64? = nil, body: [UInt8]) {
            self.status = status
            self.retryAfterSeconds = retryAfterSeconds
            self.body = body
        }
    }

    package struct Request: Sendable, Equatable {
        package struct Header: Sendable, Equatable {
            package var name: String
            package var value: String

            package init(_ name: String, _ value: String) {
                self.name = name
                self.value = value
            }
        }

        /// Besides host, accept, user agent and length, which are there anyhow.
        package var headers: [Header]
        /// Sent with POST; nil is a GET.
        package var body: [UInt8]?

        package init(headers: [Header] = [], body: [UInt8]? = nil) {
            self.headers = headers
            self.body = body
        }
    }

    package let timeoutMilliseconds: Int
    package let answerBytesMaximum: Int
    /// PEM file of issuers trusted besides those of the system.
    package let trustedCertificatesFile: String?
    private let logger: Logger

    package init(
        timeoutMilliseconds: Int, answerBytesMaximum: Int = 1 << 20, trustedCertificatesFile: String? = nil,
        logger: Logger
    ) {
        self.timeoutMilliseconds = timeoutMilliseconds
        self.answerBytesMaximum = answerBytesMaximum
        self.trustedCertificatesFile = trustedCertificatesFile
        self.logger = logger
    }

    /// Any status is an answer; redirects are not followed. Throws when there is none within the time.
    package func get(_ url: EndpointURL) async throws(RPCClientError) -> Answer { try await send(Request(), to: url) }

    package func send(_ request: Request, to url: EndpointURL) async throws(RPCClientError) -> Answer {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let dialer = Dialer(
            endpoint: url, trustedCertificatesFile: trustedCertificatesFile, eventLoop: loop,
            timeoutMilliseconds: timeoutMilliseconds, answerBytesMaximum: answerBytesMaximum, logger: logger)
        let promise = loop.makePromise(of: Answer.self)
        let deadline = NIODeadline.now() + .milliseconds(Int64(timeoutMilliseconds))
        let alarm = loop.scheduleTask(deadline: deadline) { promise.fail(dialer.timeout) }
        dialer.connect(deadline: deadline) { channel in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHTTPClientHandlers()
            try pipeline.addHandler(FetchHandler(dialer: dialer, request: request, promise: promise))
            promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
        }.whenFailure { promise.fail(dialer.explained($0)) }
        do {
            let answer = try await promise.futureResult.get()
            alarm.cancel()
            return answer
        } catch {
            alarm.cancel()
            throw dialer.explained(error)
        }
    }
}

private final class FetchHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let dialer: Dialer
    private let request: HTTPFetch.Request
    private let promise: EventLoopPromise<HTTPFetch.Answer>
    private var answer = HTTPFetch.Answer(status: 0, body: [])

    init(dialer: Dialer, request: HTTPFetch.Request, promise: EventLoopPromise<HTTPFetch.Answer>) {
        self.dialer = dialer
        self.request = request
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        var headers: HTTPHeaders = [
            "host": dialer.endpoint.authority, "accept": "application/json", "user-agent": "causeway",
            "connection": "close",
        ]
        if let user = dialer.endpoint.userInfo {
            headers.add(name: "authorization", value: "Basic " + Base64.encode(Array(user.utf8)))
        }
        if let body = request.body { headers.add(name: "content-length", value: "\(body.count)") }
        for header in request.headers { headers.replaceOrAdd(name: header.name, value: header.value) }
        let method = request.body == nil ? HTTPMethod.GET : .POST
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: dialer.endpoint.target, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let body = request.body { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            answer.status = Int(head.status.code)
            answer.retryAfterSeconds = head.headers.first(name: "retry-after").flatMap { UInt64($0) }
        case .body(let part):
            guard answer.body.count + part.readableBytes <= dialer.answerBytesMaximum else {
                return promise.fail(dialer.tooLarge)
            }
            answer.body += part.readableBytesView
        case .end: promise.succeed(answer)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .invalidEOFState? = error as? HTTPParserError { return promise.fail(cutOff) }
        promise.fail(
            error is HTTPParserError
                ? dialer.error(.garbage, "the answer is no HTTP", retry: .later) : dialer.explained(error))
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(cutOff)
    }

    private var cutOff: RPCClientError {
        dialer.error(.closed, "the connection ended before the answer", retry: .later)
    }
}

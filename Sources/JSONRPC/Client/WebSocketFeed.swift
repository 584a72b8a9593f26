// A WebSocket that is listened to: what a server pushes, message by message, until it ends. It does not connect again;
// who listens knows when that makes sense.

import Logging
import NIOCore
import NIOPosix

package struct WebSocketFeed: Sendable {
    package let timeoutMilliseconds: Int
    package let messageBytesMaximum: Int
    /// PEM file of issuers trusted besides those of the system.
    package let trustedCertificatesFile: String?
    private let logger: Logger

    package init(
        timeoutMilliseconds: Int, messageBytesMaximum: Int = 1 << 20, trustedCertificatesFile: String? = nil,
        logger: Logger
    ) {
        self.timeoutMilliseconds = timeoutMilliseconds
        self.messageBytesMaximum = messageBytesMaximum
        self.trustedCertificatesFile = trustedCertificatesFile
        self.logger = logger
    }

    /// Connects, sends `first`, and gives what comes. Ends with an `RPCClientError` that says why. A reader that stops
    /// closes the connection; one that is slow loses the oldest messages.
    package func messages(
        _ url: EndpointURL, headers: [HTTPFetch.Request.Header] = [], first: [String] = []
    ) -> AsyncThrowingStream<[UInt8], any Error> {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let dialer = Dialer(
            endpoint: url, trustedCertificatesFile: trustedCertificatesFile, eventLoop: loop,
            timeoutMilliseconds: timeoutMilliseconds, answerBytesMaximum: messageBytesMaximum, logger: logger)
        let deadline = NIODeadline.now() + .milliseconds(Int64(timeoutMilliseconds))
        let policy = AsyncThrowingStream<[UInt8], any Error>.Continuation.BufferingPolicy
            .bufferingNewest(Limits.feedBufferMaximum)
        return AsyncThrowingStream([UInt8].self, bufferingPolicy: policy) { continuation in
            loop.execute {
                let open = NIOLoopBoundBox<WebSocketLink?>(nil, eventLoop: loop)
                let isOver = NIOLoopBoundBox(false, eventLoop: loop)
                continuation.onTermination = { _ in
                    loop.execute {
                        isOver.value = true
                        open.value?.close()
                        open.value = nil
                    }
                }
                let prepare: (WebSocketLink) -> Void = { link in
                    link.onMessage = { continuation.yield($0) }
                    link.onClose = { continuation.finish(throwing: $0) }
                }
                dialer.openWebSocket(headers: headers, deadline: deadline, prepare: prepare) { result in
                    switch result {
                    case .failure(let error): continuation.finish(throwing: error)
                    case .success(let link) where isOver.value: link.close()
                    case .success(let link):
                        open.value = link
                        for text in first { link.send(Array(text.utf8)) }
                    }
                }
            }
        }
    }
}

// What is on its way to a client that only listens, over a WebSocket or as an event stream: asks the source for messages
// while the socket has room, and knows whether the client takes them. What comes in is the sessions'. On its event loop only.

import Logging
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// The handler of one connection, as its lane and its handle see it.
protocol PushOutlet: AnyObject {
    func pump()
    /// Looks after liveness.
    func look()
    func close(_ code: UInt16, _ reason: String, as end: PushEnd)
}

final class PushLane {
    /// How a message looks on the wire.
    enum Wire { case webSocket, events }

    let channel: any Channel
    private let source: any PushSource
    private let shared: ServerShared
    private let wire: Wire
    /// Bytes that the socket has not taken yet.
    private(set) var outstandingBytes = 0
    private var lastProgress = NIODeadline.now()
    private(set) var isClosing = false
    private var end: PushEnd?
    private var tick: RepeatedTask?

    init(_ wire: Wire, source: any PushSource, shared: ServerShared, channel: any Channel) {
        self.wire = wire
        self.source = source
        self.shared = shared
        self.channel = channel
    }

    // MARK: Life

    func begin(_ outlet: any PushOutlet) {
        gauge.add(1)
        // What waits in the kernel grows old there: little more than is on its way (TCP_NOTSENT_LOWAT of Linux).
        let notSent = ChannelOptions.Types.SocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: 25))
        channel.setOption(notSent, value: SocketOptionValue(Limits.pushWindowBytes)).whenFailure { _ in }
        let times = shared.configuration.push
        let shortest = min(
            times.pingMilliseconds, times.stalledMilliseconds, times.silenceMilliseconds, times.commentMilliseconds)
        let interval = TimeAmount.milliseconds(Int64(max(10, min(shortest / 5, 1_000))))
        let bound = NIOLoopBound(outlet, eventLoop: channel.eventLoop)
        tick = channel.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in bound.value.look() }
        let connection = PushConnection(outlet: outlet, eventLoop: channel.eventLoop)
        source.opened(connection)
        // After the answer to the request, which is on its way already.
        connection.wake()
    }

    /// Any number of times; the source hears it once.
    func finish() {
        guard let tick else { return }
        tick.cancel()
        self.tick = nil
        isClosing = true
        gauge.add(-1)
        source.closed(end ?? .gone)
    }

    private var gauge: MetricGauge {
        switch wire {
        case .webSocket: shared.counters.webSockets
        case .events: shared.counters.eventStreams
        }
    }

    // MARK: Out

    /// Takes messages while there is room for them.
    func pump() {
        guard !isClosing, channel.isActive else { return }
        while outstandingBytes < Limits.pushWindowBytes {
            var piece = ByteBuffer()
            while piece.readableBytes < Limits.pushPieceBytes, let message = source.nextMessage() {
                switch wire {
                case .webSocket: FrameWriter.append(message, .binary, mask: nil, to: &piece)
                case .events: piece.writeBytes(message)
                }
                shared.counters.notifications.add()
            }
            guard piece.readableBytes > 0 else { break }
            put(piece)
        }
        channel.flush()
    }

    func put(_ piece: ByteBuffer) {
        if outstandingBytes == 0 { lastProgress = .now() }
        let count = piece.readableBytes
        outstandingBytes += count
        write(piece).assumeIsolated().whenSuccess {
            self.outstandingBytes -= count
            self.lastProgress = .now()
            if self.outstandingBytes < Limits.pushWindowBytes / 2 { self.pump() }
        }
    }

    private func write(_ piece: ByteBuffer) -> EventLoopFuture<Void> {
        switch wire {
        case .webSocket: channel.write(piece)
        case .events: channel.write(HTTPServerResponsePart.body(.byteBuffer(piece)))
        }
    }

    /// The last words; what waits is not sent any more.
    func close(_ farewell: ByteBuffer, as end: PushEnd) {
        guard !isClosing, channel.isActive else { return }
        isClosing = true
        self.end = end
        let channel = channel
        let last: EventLoopFuture<Void>
        switch wire {
        case .webSocket: last = channel.writeAndFlush(farewell)
        case .events:
            channel.write(HTTPServerResponsePart.body(.byteBuffer(farewell)), promise: nil)
            last = channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        }
        // Half closed first: a reset would take the last words from a client that is still sending.
        last.whenSuccess { channel.close(mode: .output, promise: nil) }
        channel.eventLoop.scheduleTask(in: .milliseconds(Limits.lingerMilliseconds)) { channel.close(promise: nil) }
    }

    /// Without a word.
    func drop(as end: PushEnd) {
        self.end = end
        channel.close(promise: nil)
    }

    /// Whether the client takes nothing of what waits for it.
    func isStuck(at now: NIODeadline) -> Bool {
        outstandingBytes > 0
            && now - lastProgress > .milliseconds(Int64(shared.configuration.push.stalledMilliseconds))
    }
}

// The NIO handler of one WebSocket that is pushed to: asks its source for messages while the socket has room, answers
// pings ahead of what waits, looks after liveness. Runs on its event loop only.

import Logging
import NIOCore
import NIOWebSocket

final class PushSession: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let source: any PushSource
    private let shared: ServerShared
    private let channel: any Channel
    private var assembler = MessageAssembler(role: .server, messageBytesMaximum: Limits.pushInboundBytesMaximum)
    /// Bytes that the socket has not taken yet.
    private var outstandingBytes = 0
    private var lastProgress = NIODeadline.now()
    private var lastHeard = NIODeadline.now()
    private var pingedAt = NIODeadline.now()
    private var controlFramesSince = NIODeadline.now()
    private var isClosing = false
    private var end: PushEnd?
    private var tick: RepeatedTask?

    init(source: any PushSource, shared: ServerShared, channel: any Channel) {
        self.source = source
        self.shared = shared
        self.channel = channel
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        shared.counters.webSockets.add(1)
        // What waits in the kernel grows old there: little more than is on its way (TCP_NOTSENT_LOWAT of Linux).
        let notSent = ChannelOptions.Types.SocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: 25))
        channel.setOption(notSent, value: SocketOptionValue(Limits.pushWindowBytes)).whenFailure { _ in }
        let times = shared.configuration.push
        let shortest = min(times.pingMilliseconds, times.stalledMilliseconds, times.silenceMilliseconds)
        let interval = TimeAmount.milliseconds(Int64(max(10, min(shortest / 5, 1_000))))
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        tick = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in bound.value.look() }
        let connection = PushConnection(session: self, eventLoop: context.eventLoop)
        source.opened(connection)
        // After the answer to the handshake, which is on its way already.
        connection.wake()
    }

    func handlerRemoved(context: ChannelHandlerContext) { finish() }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    private func finish() {
        guard let tick else { return }
        tick.cancel()
        self.tick = nil
        isClosing = true
        shared.counters.webSockets.add(-1)
        source.closed(end ?? .gone)
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        lastHeard = .now()
        switch assembler.handle(unwrapInboundIn(data)) {
        // A message of the client means nothing here: there is nothing to subscribe to.
        case .nothing, .pong, .message: break
        case .ping(let payload):
            // A client that pings and reads nothing must not fill our memory.
            guard outstandingBytes < 2 * Limits.pushWindowBytes else { return cut(.slow, .slowReader) }
            send(payload, .pong)
        case .close(let code): close(code, "", as: .gone)
        case .violation(let code, let why):
            shared.counters.cut(code == MessageAssembler.messageTooBig ? .tooLarge : .protocolViolation)
            shared.logger.debug("a WebSocket broke a rule", metadata: [LogKey.reason: "\(why)"])
            close(code, "", as: .closed(code))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error as? NIOWebSocketError {
        case nil: context.close(promise: nil)
        case .invalidFrameLength: close(MessageAssembler.messageTooBig, "", as: .closed(MessageAssembler.messageTooBig))
        default: close(MessageAssembler.protocolError, "", as: .closed(MessageAssembler.protocolError))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ServerStopping {
            close(MessageAssembler.goingAway, "", as: .closed(MessageAssembler.goingAway))
        } else if let event = event as? ChannelEvent, event == .inputClosed {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Out

    /// Takes messages while there is room for them.
    func pump() {
        guard !isClosing, channel.isActive else { return }
        while outstandingBytes < Limits.pushWindowBytes {
            var piece = ByteBuffer()
            while piece.readableBytes < Limits.pushPieceBytes, let message = source.nextMessage() {
                FrameWriter.append(message, .binary, mask: nil, to: &piece)
                shared.counters.notifications.add()
            }
            guard piece.readableBytes > 0 else { break }
            put(piece)
        }
        channel.flush()
    }

    private func send(_ payload: [UInt8], _ opcode: WebSocketOpcode) {
        var frame = ByteBuffer()
        FrameWriter.append(payload, opcode, mask: nil, to: &frame)
        put(frame)
        channel.flush()
    }

    private func put(_ piece: ByteBuffer) {
        if outstandingBytes == 0 { lastProgress = .now() }
        let count = piece.readableBytes
        outstandingBytes += count
        channel.write(piece).assumeIsolated().whenSuccess {
            self.outstandingBytes -= count
            self.lastProgress = .now()
            if self.outstandingBytes < Limits.pushWindowBytes / 2 { self.pump() }
        }
    }

    func close(_ code: UInt16, _ reason: String, as end: PushEnd) {
        guard !isClosing, channel.isActive else { return }
        isClosing = true
        self.end = end
        var frame = ByteBuffer()
        FrameWriter.appendClose(code, reason: reason, mask: nil, to: &frame)
        let channel = channel
        // Half closed first: a reset would take the close frame from a client that is still sending.
        channel.writeAndFlush(frame).whenSuccess { channel.close(mode: .output, promise: nil) }
        channel.eventLoop.scheduleTask(in: .milliseconds(Limits.lingerMilliseconds)) { channel.close(promise: nil) }
    }

    // MARK: Liveness

    private func look() {
        let now = NIODeadline.now()
        let times = shared.configuration.push
        if now - controlFramesSince > .seconds(Limits.controlFrameSeconds) {
            controlFramesSince = now
            assembler.forgetControlFrames()
        }
        guard !isClosing else { return }
        if outstandingBytes > 0, now - lastProgress > .milliseconds(Int64(times.stalledMilliseconds)) {
            return cut(.slow, .slowReader)
        }
        if now - lastHeard > .milliseconds(Int64(times.silenceMilliseconds)) { return cut(.silent, .silent) }
        if now - pingedAt >= .milliseconds(Int64(times.pingMilliseconds)) {
            pingedAt = now
            send([], .ping)
        }
    }

    private func cut(_ end: PushEnd, _ reason: CutReason) {
        shared.counters.cut(reason)
        shared.logger.info("a WebSocket was cut off", metadata: [LogKey.reason: "\(reason.rawValue)"])
        guard end == .slow else {
            self.end = end
            return channel.close(promise: nil)
        }
        close(MessageAssembler.policyViolation, "slow consumer", as: .slow)
    }
}

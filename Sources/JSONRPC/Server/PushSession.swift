// The NIO handler of one WebSocket that is pushed to: answers pings ahead of what waits, looks after liveness. What goes
// out is PushLane's. Runs on its event loop only.

import Logging
import NIOCore
import NIOWebSocket

final class PushSession: ChannelDuplexHandler, PushOutlet {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let lane: PushLane
    private let shared: ServerShared
    private var assembler = MessageAssembler(role: .server, messageBytesMaximum: Limits.pushInboundBytesMaximum)
    private var lastHeard = NIODeadline.now()
    private var pingedAt = NIODeadline.now()
    private var controlFramesSince = NIODeadline.now()

    init(source: any PushSource, shared: ServerShared, channel: any Channel) {
        lane = PushLane(.webSocket, source: source, shared: shared, channel: channel)
        self.shared = shared
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) { lane.begin(self) }
    func handlerRemoved(context: ChannelHandlerContext) { lane.finish() }

    func channelInactive(context: ChannelHandlerContext) {
        lane.finish()
        context.fireChannelInactive()
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !lane.isClosing else { return }
        lastHeard = .now()
        switch assembler.handle(unwrapInboundIn(data)) {
        // A message of the client means nothing here: there is nothing to subscribe to.
        case .nothing, .pong, .message: break
        case .ping(let payload):
            // A client that pings and reads nothing must not fill our memory.
            guard lane.outstandingBytes < 2 * Limits.pushWindowBytes else { return cut(.slow, .slowReader) }
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

    func pump() { lane.pump() }

    private func send(_ payload: [UInt8], _ opcode: WebSocketOpcode) {
        var frame = ByteBuffer()
        FrameWriter.append(payload, opcode, mask: nil, to: &frame)
        lane.put(frame)
        lane.channel.flush()
    }

    func close(_ code: UInt16, _ reason: String, as end: PushEnd) {
        var frame = ByteBuffer()
        FrameWriter.appendClose(code, reason: reason, mask: nil, to: &frame)
        lane.close(frame, as: end)
    }

    // MARK: Liveness

    func look() {
        let now = NIODeadline.now()
        let times = shared.configuration.push
        if now - controlFramesSince > .seconds(Limits.controlFrameSeconds) {
            controlFramesSince = now
            assembler.forgetControlFrames()
        }
        guard !lane.isClosing else { return }
        if lane.isStuck(at: now) { return cut(.slow, .slowReader) }
        if now - lastHeard > .milliseconds(Int64(times.silenceMilliseconds)) { return cut(.silent, .silent) }
        if now - pingedAt >= .milliseconds(Int64(times.pingMilliseconds)) {
            pingedAt = now
            send([], .ping)
        }
    }

    private func cut(_ end: PushEnd, _ reason: CutReason) {
        shared.counters.cut(reason)
        shared.logger.info("a WebSocket was cut off", metadata: [LogKey.reason: "\(reason.rawValue)"])
        guard end == .slow else { return lane.drop(as: end) }
        close(MessageAssembler.policyViolation, "slow consumer", as: .slow)
    }
}

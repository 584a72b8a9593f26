// The NIO handler of one upgraded connection: frames to messages, pings, closing, liveness.
// Runs on its event loop only; queues are WebSocketLane's.

import Logging
import NIOCore
import NIOWebSocket

/// Sent down every pipeline when the server stops.
struct ServerStopping: Sendable {}

final class WebSocketSession: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let lane: WebSocketLane
    private let shared: ServerShared
    private var assembler: MessageAssembler
    private var lastHeard = NIODeadline.now()
    private var pingedAt: NIODeadline?
    private var isClosing = false
    private var tick: RepeatedTask?
    private var controlFramesSince = NIODeadline.now()

    init(lane: WebSocketLane, shared: ServerShared) {
        self.lane = lane
        self.shared = shared
        assembler = MessageAssembler(
            role: .server, messageBytesMaximum: shared.configuration.requestBytesMaximum)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        lane.begin(id: shared.nextConnectionID())
        shared.counters.webSockets.add(1)
        let configuration = shared.configuration
        let shortest = min(configuration.pingMilliseconds, configuration.stalledWriteMilliseconds)
        let interval = TimeAmount.milliseconds(Int64(max(10, shortest / 4)))
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

    private func end() {
        guard let tick else { return }
        tick.cancel()
        self.tick = nil
        shared.counters.webSockets.add(-1)
        lane.gone()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        lastHeard = .now()
        pingedAt = nil
        switch assembler.handle(unwrapInboundIn(data)) {
        case .nothing, .pong: break
        case .message(let bytes, let isText): lane.receive(bytes, isText: isText)
        case .ping(let payload):
            if !lane.send(payload, .pong) { cut(context, .slowReader, "the client does not read") }
        case .close(let code):
            isClosing = true
            lane.close(code)
        case .violation(let code, let why): refuse(code, why)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error as? NIOWebSocketError {
        case nil: context.close(promise: nil)
        case .invalidFrameLength: refuse(MessageAssembler.messageTooBig, "a frame above the limit")
        default: refuse(MessageAssembler.protocolError, "a malformed frame")
        }
    }

    func read(context: ChannelHandlerContext) {
        if !lane.isReadPaused { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ServerStopping {
            isClosing = true
            lane.close(MessageAssembler.goingAway)
        } else if let event = event as? ChannelEvent, event == .inputClosed {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func refuse(_ code: UInt16, _ why: String) {
        guard !isClosing else { return }
        isClosing = true
        shared.counters.cut(code == MessageAssembler.messageTooBig ? .tooLarge : .protocolViolation)
        shared.logger.debug("a WebSocket broke a rule", metadata: [LogKey.reason: "\(why)"])
        lane.close(code)
    }

    /// Looks after liveness.
    private func look(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        if now - controlFramesSince > .seconds(Limits.controlFrameSeconds) {
            controlFramesSince = now
            assembler.forgetControlFrames()
        }
        if lane.isStuck(at: now) { return cut(context, .slowReader, "the client takes nothing of what waits for it") }
        // While we do not read on purpose, silence says nothing about the client.
        if lane.isReadPaused {
            lastHeard = now
            pingedAt = nil
        }
        let patience = TimeAmount.milliseconds(Int64(shared.configuration.pingMilliseconds))
        if let pingedAt {
            if now - pingedAt > patience { cut(context, .silent, "no sign of life") }
        } else if now - lastHeard > patience, !isClosing {
            pingedAt = now
            _ = lane.send([], .ping)
        }
    }

    private func cut(_ context: ChannelHandlerContext, _ reason: CutReason, _ why: String) {
        shared.counters.cut(reason)
        shared.logger.info("a WebSocket was cut off", metadata: [LogKey.reason: "\(why)"])
        tick?.cancel()
        context.close(promise: nil)
    }
}

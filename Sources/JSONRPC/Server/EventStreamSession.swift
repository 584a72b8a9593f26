// The NIO handler of one event stream (text/event-stream of the HTML standard): the answer to a GET that does not end.
// Events come from a source as finished text; comments keep the connection alive. Runs on its event loop only.

import Ethereum
import Logging
import NIOCore
import NIOHTTP1

final class EventStreamSession: ChannelInboundHandler, PushOutlet {
    typealias InboundIn = Never

    private let lane: PushLane
    private let shared: ServerShared
    private var spokeAt = NIODeadline.now()

    init(source: any PushSource, shared: ServerShared, channel: any Channel) {
        lane = PushLane(.events, source: source, shared: shared, channel: channel)
        self.shared = shared
    }

    func handlerAdded(context: ChannelHandlerContext) { lane.begin(self) }
    func handlerRemoved(context: ChannelHandlerContext) { lane.finish() }

    func channelInactive(context: ChannelHandlerContext) {
        lane.finish()
        context.fireChannelInactive()
    }

    /// Whatever a client sends after its request means nothing here.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ServerStopping {
            close(MessageAssembler.goingAway, "going away", as: .closed(MessageAssembler.goingAway))
        } else if let event = event as? ChannelEvent, event == .inputClosed {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func pump() { lane.pump() }

    /// The last event says why, in the codes of WebSockets.
    func close(_ code: UInt16, _ reason: String, as end: PushEnd) {
        let data = JSON.object(JSONObject([("code", .integer(Int(code))), ("reason", .string(reason))])).text
        lane.close(ByteBuffer(string: "event: close\ndata: \(data)\n\n"), as: end)
    }

    func look() {
        let now = NIODeadline.now()
        guard !lane.isClosing else { return }
        if lane.isStuck(at: now) {
            shared.counters.cut(.slowReader)
            shared.logger.info("an event stream was cut off", metadata: [LogKey.reason: "\(CutReason.slowReader.rawValue)"])
            return close(MessageAssembler.policyViolation, "slow consumer", as: .slow)
        }
        if now - spokeAt >= .milliseconds(Int64(shared.configuration.push.commentMilliseconds)) {
            spokeAt = now
            lane.put(ByteBuffer(string: ":\n\n"))
            lane.channel.flush()
        }
    }
}

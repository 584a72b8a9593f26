// The queues of one WebSocket: messages in, answered one after the other by one task; frames out, bounded.
// Frames are understood in WebSocketSession, methods in Answering.

import Ethereum
import NIOCore
import NIOWebSocket
import Synchronization

final class WebSocketLane: Sendable {
    private struct State {
        var connection: JSONRPCConnection?
        var inbound = CircularBuffer<(bytes: [UInt8], isText: Bool)>()
        var inboundBytes = 0
        var isRunning = false
        /// Waits for the client to take what lies there before it answers more.
        var isStalled = false
        var isReadPaused = false

        var outbound = ByteBuffer()
        /// Bytes in `outbound` and in the channel.
        var outstandingBytes = 0
        var isDrainScheduled = false
        /// Frames held back until the answer of the subscribing call stands in `outbound`.
        var held: ByteBuffer?
        var lastProgress = NIODeadline.now()
        /// A close frame stands last in `outbound`: nothing may follow.
        var isClosing = false
        var isGone = false
    }

    private let state: Mutex<State>
    private let channel: any Channel
    private let answering: Answering
    private let limits: RPCServer.Configuration

    init(channel: any Channel, answering: Answering, limits: RPCServer.Configuration) {
        self.channel = channel
        self.answering = answering
        self.limits = limits
        state = Mutex(State())
    }

    func begin(id: UInt64) {
        let connection = JSONRPCConnection(id: id) { [weak self] method, parameters in
            self?.notify(method, parameters) ?? false
        }
        state.withLock { $0.connection = connection }
    }

    // MARK: In

    var isReadPaused: Bool { state.withLock { $0.isReadPaused } }

    /// Queues a message for answering.
    func receive(_ bytes: [UInt8], isText: Bool) {
        let mustRun = state.withLock { state in
            guard !state.isClosing, !state.isGone else { return false }
            state.inbound.append((bytes, isText))
            state.inboundBytes += bytes.count
            if state.inbound.count >= Limits.queuedMessagesMaximum
                || state.inboundBytes >= Limits.queuedMessageBytesMaximum
            {
                state.isReadPaused = true
            }
            if state.isRunning || state.isStalled { return false }
            state.isRunning = true
            return true
        }
        if mustRun { run() }
    }

    private func run() {
        Task {
            while let (message, connection) = next() { await answer(message, connection) }
        }
    }

    private func next() -> (message: (bytes: [UInt8], isText: Bool), JSONRPCConnection)? {
        var mustRead = false
        var gone: JSONRPCConnection?
        let result: (message: (bytes: [UInt8], isText: Bool), JSONRPCConnection)? = state.withLock { state in
            assert(state.isRunning)
            if state.isGone {
                state.isRunning = false
                gone = state.connection.take()
                return nil
            }
            if state.outstandingBytes > Limits.outboundPauseBytes {
                state.isRunning = false
                state.isStalled = true
                return nil
            }
            guard !state.isClosing, let connection = state.connection, let message = state.inbound.popFirst() else {
                state.isRunning = false
                return nil
            }
            state.inboundBytes -= message.bytes.count
            if state.isReadPaused, state.inbound.count < Limits.queuedMessagesMaximum / 2,
                state.inboundBytes < Limits.queuedMessageBytesMaximum / 2
            {
                state.isReadPaused = false
                mustRead = true
            }
            return (message, connection)
        }
        if mustRead { channel.read() }
        if let gone { answering.service.connectionClosed(gone) }
        return result
    }

    private func answer(_ message: (bytes: [UInt8], isText: Bool), _ connection: JSONRPCConnection) async {
        let incoming = IncomingMessage.read(message.bytes, batchCallsMaximum: limits.batchCallsMaximum)
        if case .refused = incoming, message.isText, String(validating: message.bytes, as: UTF8.self) == nil {
            answering.counters.cut(.protocolViolation)
            return close(MessageAssembler.invalidPayload)
        }
        let holds = incoming.isSubscribing
        if holds { state.withLock { $0.held = ByteBuffer() } }
        let reply = await answering.reply(to: incoming, on: connection)
        if case .silence(closes: true) = reply { return channel.close(promise: nil) }
        let mustDrain = state.withLock { state in
            var changed = false
            if case .body(let bytes) = reply { changed = Self.append(bytes, .text, to: &state) }
            if var held = state.held.take(), holds {
                changed = changed || held.readableBytes > 0
                state.outbound.writeBuffer(&held)
            }
            return changed && Self.schedulesDrain(&state)
        }
        if mustDrain { drainSoon() }
    }

    // MARK: Out

    private func notify(_ method: String, _ parameters: JSON) -> Bool {
        let text = WireText.notification(method, parameters)
        enum Outcome { case refused, cut, queued(mustDrain: Bool) }
        let outcome: Outcome = state.withLock { state in
            guard !state.isClosing, !state.isGone else { return .refused }
            guard state.outstandingBytes + text.count <= limits.outboundBytesMaximum else {
                state.isClosing = true
                return .cut
            }
            if var held = state.held.take() {
                let before = held.readableBytes
                FrameWriter.append(text, .text, mask: nil, to: &held)
                state.outstandingBytes += held.readableBytes - before
                state.held = held
                return .queued(mustDrain: false)
            }
            _ = Self.append(text, .text, to: &state)
            return .queued(mustDrain: Self.schedulesDrain(&state))
        }
        switch outcome {
        case .refused: return false
        case .cut:
            answering.counters.cut(.slowReader)
            channel.close(promise: nil)
            return false
        case .queued(let mustDrain):
            answering.counters.notifications.add()
            if mustDrain { drainSoon() }
            return true
        }
    }

    /// Queues a control frame. False when too much waits already.
    func send(_ payload: [UInt8], _ opcode: WebSocketOpcode) -> Bool {
        let (fits, mustDrain) = state.withLock { state in
            guard state.outstandingBytes <= limits.outboundBytesMaximum else { return (false, false) }
            return (true, Self.append(payload, opcode, to: &state) && Self.schedulesDrain(&state))
        }
        if mustDrain { drainSoon() }
        return fits
    }

    /// Queues a close frame; the channel is closed once it is written.
    func close(_ code: UInt16) {
        let mustDrain = state.withLock { state in
            guard !state.isClosing, !state.isGone else { return false }
            let before = state.outbound.readableBytes
            FrameWriter.appendClose(code, mask: nil, to: &state.outbound)
            state.outstandingBytes += state.outbound.readableBytes - before
            state.isClosing = true
            state.inbound.removeAll()
            return Self.schedulesDrain(&state)
        }
        if mustDrain { drainSoon() }
    }

    private static func append(_ payload: [UInt8], _ opcode: WebSocketOpcode, to state: inout State) -> Bool {
        guard !state.isClosing, !state.isGone else { return false }
        let before = state.outbound.readableBytes
        FrameWriter.append(payload, opcode, mask: nil, to: &state.outbound)
        state.outstandingBytes += state.outbound.readableBytes - before
        return true
    }

    private static func schedulesDrain(_ state: inout State) -> Bool {
        defer { state.isDrainScheduled = true }
        return !state.isDrainScheduled
    }

    private func drainSoon() { channel.eventLoop.execute { self.drain() } }

    private func drain() {
        var (buffer, isClosing) = state.withLock { state in
            state.isDrainScheduled = false
            let buffer = state.outbound
            state.outbound = ByteBuffer()
            if state.outstandingBytes == buffer.readableBytes { state.lastProgress = .now() }
            return (buffer, state.isClosing)
        }
        while let piece = buffer.readSlice(length: min(buffer.readableBytes, Limits.writePieceBytes)),
            piece.readableBytes > 0
        {
            let count = piece.readableBytes
            let promise = channel.eventLoop.makePromise(of: Void.self)
            promise.futureResult.whenSuccess { self.wrote(count) }
            channel.write(piece, promise: promise)
        }
        channel.flush()
        if isClosing {
            let channel = channel
            // Half closed first: a reset would take the close frame from a client that is still sending.
            channel.writeAndFlush(ByteBuffer()).whenComplete { _ in
                channel.close(mode: .output, promise: nil)
                channel.eventLoop.scheduleTask(in: .milliseconds(Limits.lingerMilliseconds)) {
                    channel.close(promise: nil)
                }
            }
        }
    }

    private func wrote(_ count: Int) {
        let mustRun = state.withLock { state in
            state.outstandingBytes -= count
            assert(state.outstandingBytes >= 0)
            state.lastProgress = .now()
            guard state.isStalled, state.outstandingBytes <= Limits.outboundPauseBytes / 2 else { return false }
            state.isStalled = false
            state.isRunning = true
            return true
        }
        if mustRun { run() }
    }

    /// Whether something waits that the client did not take for too long.
    func isStuck(at now: NIODeadline) -> Bool {
        state.withLock { state in
            state.outstandingBytes > 0
                && now - state.lastProgress > .milliseconds(Int64(limits.stalledWriteMilliseconds))
        }
    }

    /// The channel is gone. The service hears of it once the running answer has ended.
    func gone() {
        let connection = state.withLock { state in
            guard !state.isGone else { return nil as JSONRPCConnection? }
            state.isGone = true
            state.inbound.removeAll()
            state.outbound = ByteBuffer()
            state.held = nil
            return state.isRunning ? nil : state.connection.take()
        }
        if let connection { answering.service.connectionClosed(connection) }
    }
}

// The pair link on its bus thread. The dialling side has one routing id that is always the same, and the listening
// ROUTER lets its newest connection take that id over: a restarted process is reachable the moment it is back.

import CZeroMQ
import Logging
import Synchronization

final class PairService: BusService {
    private enum End {
        case listening(Listener, AdmissionHandler)
        case dialling(Dialer)
    }

    private static let domain = "causeway.pair"
    private static let userID = "pair"
    /// Fixed, so that the listening side can address it; safe, because only one key is let in at all.
    private static let routingID = Array("causeway-pair".utf8)

    private let shared: PairShared
    private let end: End
    private var handler: MessageHandler?
    private var onChange: LinkHandler?
    private var isConnected = false
    private var toldConnected = false
    private var inFlight: OutboundMessage?
    private var lastHeard: UInt64 = 0
    private var keepAliveAt: UInt64
    private var suspectUntil: UInt64 = 0
    private var timings: LinkTimings { shared.configuration.timings }

    init(shared: PairShared, context: ZeroMQContext) throws(MessageBusError) {
        self.shared = shared
        let configuration = shared.configuration
        let now = monotonicMilliseconds()
        keepAliveAt = now
        let frameBytes = shared.framing.frameBytesMaximum
        func applyLink(_ socket: ZeroMQSocket, _ endpoint: Endpoint) throws(MessageBusError) {
            try socket.applyLink(
                timings: configuration.timings, frameBytesMaximum: frameBytes,
                sendHighWaterMark: Limits.pairHighWaterMark, receiveHighWaterMark: Limits.pairHighWaterMark,
                lingerMilliseconds: Limits.linkLingerMilliseconds, isIPv6: endpoint.isIPv6)
        }
        switch configuration.role {
        case .listening(let endpoint, let peer):
            let admission = try AdmissionHandler(
                context: context, domain: Self.domain, policy: .listed([peer: Self.userID]))
            let listener = try Listener(context: context, kind: ZMQ_ROUTER, endpoint: endpoint) {
                socket throws(MessageBusError) in
                try applyLink(socket, endpoint)
                try socket.set(ZMQ_ROUTER_MANDATORY, 1)
                try socket.set(ZMQ_ROUTER_HANDOVER, 1)
                try socket.applyCurveServer(configuration.keyPair, domain: Self.domain)
            }
            end = .listening(listener, admission)
            let bound = listener.endpoint
            shared.bound.withLock { $0 = bound }
            shared.logger.info("pair link listens", metadata: [LogKey.endpoint: "\(bound)"])
        case .dialling(let endpoint, let peer):
            end = .dialling(try Dialer(
                context: context, kind: ZMQ_DEALER, endpoint: endpoint, timings: configuration.timings, now: now
            ) { socket throws(MessageBusError) in
                try applyLink(socket, endpoint)
                try socket.set(ZMQ_IMMEDIATE, 1)
                try socket.set(ZMQ_ROUTING_ID, bytes: Self.routingID)
                try socket.applyCurveClient(configuration.keyPair, server: peer)
            })
        }
    }

    private var socket: ZeroMQSocket {
        switch end {
        case .listening(let listener, _): listener.socket
        case .dialling(let dialer): dialer.socket
        }
    }

    func register(_ poll: inout PollSet) {
        switch end {
        case .listening(let listener, let admission):
            poll.add(admission.socket, ZMQ_POLLIN)
            listener.register(&poll, wantsToReceive: handler != nil, wantsToSend: isConnected && inFlight != nil)
        case .dialling(let dialer): dialer.register(&poll, wantsToSend: inFlight != nil)
        }
    }

    func turn(now: UInt64) throws(MessageBusError) -> Int {
        if handler == nil { (handler, onChange) = shared.state.withLock { ($0.handler, $0.onChange) } }
        try observe(now: now)
        let batch = try receive(now: now)
        if now >= keepAliveAt { try keepAlive(now: now) }
        let sentAll = try flush(now: now)
        try publishCounters()
        tellChange()
        if !batch.messages.isEmpty { handler?(batch.messages) }
        if batch.isCutShort || !sentAll { return 0 }
        let pause = isConnected ? Limits.settledTurnMilliseconds : Limits.unsettledTurnMilliseconds
        return min(pause, Int(clamping: keepAliveAt > now ? keepAliveAt - now : 1))
    }

    private func observe(now: UInt64) throws(MessageBusError) {
        switch end {
        case .listening(let listener, let admission):
            shared.logger.denied(try admission.serve(), link: "pair")
            // Whose connection was lost is not said, and the ROUTER learns of it a little later than we do:
            // for a while signs of life go out at short intervals, until one cannot be addressed.
            if try listener.observe() {
                keepAliveAt = now
                suspectUntil = now + UInt64(Limits.suspectMilliseconds)
            }
        case .dialling(let dialer):
            let change = try dialer.observe(now: now)
            if change == .up { keepAliveAt = now }
            isConnected = dialer.isReady
        }
    }

    /// Sends frames to the other side, with its routing id where that is needed.
    private func put(_ frames: [[UInt8]]) throws(MessageBusError) -> SendOutcome {
        switch end {
        case .listening(let listener, _):
            let outcome = try listener.socket.send([Self.routingID] + frames)
            if outcome == .unreachable { isConnected = false }
            return outcome
        case .dialling(let dialer): return try dialer.socket.send(frames)
        }
    }

    private func keepAlive(now: UInt64) throws(MessageBusError) {
        let interval = UInt64(timings.heartbeatIntervalMilliseconds)
        switch end {
        case .listening:
            let outcome = try put(LinkFraming.keepAlive)
            // A ROUTER that must address and could has the peer, and has it admitted.
            if outcome == .sent { isConnected = true }
            let isBrief = outcome != .sent || now < suspectUntil
            keepAliveAt = now + (isBrief ? UInt64(Limits.absentPeerRetryMilliseconds) : interval)
        case .dialling(let dialer):
            guard dialer.isReady else {
                keepAliveAt = now + interval
                return
            }
            let isSent = try put(LinkFraming.keepAlive) == .sent
            keepAliveAt = now + (isSent ? interval : UInt64(Limits.absentPeerRetryMilliseconds))
        }
    }

    /// False when the budget of a turn ended it and not the socket or the queue.
    private func flush(now: UInt64) throws(MessageBusError) -> Bool {
        for _ in 0..<Limits.sendsPerTurnMaximum {
            if inFlight == nil, isConnected { inFlight = shared.state.withLock { $0.queue.popFirst() } }
            guard let message = inFlight else { return true }
            guard try put(shared.framing.frames(of: message)) == .sent else { return true }
            inFlight = nil
            shared.state.withLock { state in
                state.statistics.sentMessages += 1
                state.statistics.sentBytes += UInt64(message.byteCount)
            }
        }
        return false
    }

    private func receive(now: UInt64) throws(MessageBusError) -> (messages: [InboundMessage], isCutShort: Bool) {
        guard handler != nil else { return ([], false) }
        var batch: [InboundMessage] = []
        var drops = DropCounters()
        var (bytes, accepted, isCutShort) = (0, 0, true)
        for _ in 0..<Limits.batchMessagesMaximum where bytes < Limits.batchBytesMaximum {
            let frameBytes = shared.framing.frameBytesMaximum
            guard let parts = try socket.receive(framesMaximum: 3, frameBytesMaximum: frameBytes) else {
                isCutShort = false
                break
            }
            bytes += parts.byteCount
            var frames = parts.frames[...]
            if case .listening = end {
                guard parts.userID == Self.userID else {
                    drops[.unauthenticated] += 1
                    continue
                }
                guard frames.popFirst() == Self.routingID else {
                    drops[.malformed] += 1
                    continue
                }
                isConnected = true
            }
            lastHeard = now
            switch shared.framing.judge(frames, of: parts) {
            case .message(let channel, let payload):
                accepted += channel.count + payload.count
                batch.append(InboundMessage(peer: 0, channel: channel, payload: payload, receivedAtMilliseconds: now))
            case .keepAlive: break
            case .refused(let reason): drops[reason] += 1
            }
        }
        if bytes > 0 || drops.total > 0 || lastHeard == now {
            let (count, size, lost, heard) = (UInt64(batch.count), UInt64(accepted), drops, lastHeard)
            shared.state.withLock { state in
                state.statistics.receivedMessages += count
                state.statistics.receivedBytes += size
                state.statistics.lastHeardMilliseconds = heard
                for (reason, number) in lost.byReason { state.statistics.drops[reason] += number }
            }
        }
        return (batch, isCutShort)
    }

    private func publishCounters() throws(MessageBusError) {
        let connected = isConnected
        let isFresh = connected && !toldConnected
        let failures: UInt64
        var seen = AdmissionStatistics()
        switch end {
        case .listening(let listener, let admission): (failures, seen) = (listener.handshakeFailures, admission.statistics)
        case .dialling(let dialer): failures = dialer.handshakeFailures
        }
        let admitted = seen
        shared.state.withLock { state in
            state.statistics.isConnected = connected
            state.statistics.connections += isFresh ? 1 : 0
            state.statistics.handshakeFailures = failures
            state.statistics.admission = admitted
        }
    }

    private func tellChange() {
        guard isConnected != toldConnected else { return }
        toldConnected = isConnected
        shared.logger.changed(isConnected ? .up : .down, peer: "pair", endpoint: shared.configuration.endpoint)
        onChange?(isConnected)
    }

    func close() {
        switch end {
        case .listening(let listener, let admission):
            listener.close()
            admission.socket.close()
        case .dialling(let dialer): dialer.close()
        }
    }
}

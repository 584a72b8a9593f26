// The mesh on its bus thread: a ROUTER that listens, a DEALER for each peer, the admission handler.
// Bounded work a turn; nothing here waits.

import CZeroMQ
import Logging
import Synchronization

final class MeshService: BusService {
    private struct Link {
        let index: Int
        var dialer: Dialer
        /// Taken from the queue and not yet accepted by the socket.
        var inFlight: OutboundMessage?
        var keepAliveAt: UInt64
    }

    private struct Commands: Sendable {
        var handler: MessageHandler?
        var redirects: [(index: Int, endpoint: Endpoint)] = []
        var toSelf: [InboundMessage] = []
    }

    private let shared: MeshShared
    private let context: ZeroMQContext
    private let admission: AdmissionHandler
    private let listener: Listener
    private var links: [Link?]
    private var gates: [RateGate?]
    private var handler: MessageHandler?
    private var configuration: PeerMeshConfiguration { shared.configuration }

    init(shared: MeshShared, context: ZeroMQContext) throws(MessageBusError) {
        self.shared = shared
        self.context = context
        let configuration = shared.configuration
        var members: [CurvePublicKey: String] = [:]
        // Our own key is not among them: who comes with it is not us.
        for (index, peer) in configuration.peers.enumerated() where index != configuration.ownIndex {
            members[peer.publicKey] = "\(index)"
        }
        let domain = "causeway.mesh"
        admission = try AdmissionHandler(context: context, domain: domain, policy: .listed(members))
        let endpoint = configuration.bindEndpoint ?? configuration.peers[configuration.ownIndex].endpoint
        let frameBytes = shared.framing.frameBytesMaximum
        listener = try Listener(context: context, kind: ZMQ_ROUTER, endpoint: endpoint) {
            socket throws(MessageBusError) in
            try socket.applyLink(
                timings: configuration.timings, frameBytesMaximum: frameBytes,
                sendHighWaterMark: Limits.sendHighWaterMark, receiveHighWaterMark: Limits.receiveHighWaterMark,
                lingerMilliseconds: Limits.meshLingerMilliseconds, isIPv6: endpoint.isIPv6)
            try socket.applyCurveServer(configuration.keyPair, domain: domain)
        }
        links = configuration.peers.map { _ in nil }
        let now = monotonicMilliseconds()
        gates = configuration.peers.map { _ in configuration.inboundRate.map { RateGate($0, now: now) } }
        let bound = listener.endpoint
        shared.bound.withLock { $0 = bound }
        shared.logger.info("mesh listens", metadata: [LogKey.endpoint: "\(bound)"])
    }

    func register(_ poll: inout PollSet) {
        poll.add(admission.socket, ZMQ_POLLIN)
        listener.register(&poll, wantsToReceive: handler != nil)
        for link in links { link?.dialer.register(&poll, wantsToSend: link?.inFlight != nil) }
    }

    func turn(now: UInt64) throws(MessageBusError) -> Int {
        shared.logger.denied(try admission.serve(), link: "mesh")
        _ = try listener.observe()
        let commands = shared.state.withLock { state in
            // Before start everything stays where it is.
            guard state.handler != nil else { return Commands() }
            defer { (state.redirects, state.toSelf) = ([], []) }
            return Commands(handler: state.handler, redirects: state.redirects, toSelf: state.toSelf)
        }
        try apply(redirects: commands.redirects, now: now)
        if handler == nil, let fresh = commands.handler {
            handler = fresh
            for (index, peer) in configuration.peers.enumerated() where peer.endpoint.port != 0 && links[index] == nil {
                try dial(index, at: peer.endpoint, now: now)
            }
        }
        var isHurried = false
        var isSettled = true
        for index in links.indices { try serve(index, now: now, isHurried: &isHurried, isSettled: &isSettled) }
        try handOut(toSelf: commands.toSelf, now: now, isHurried: &isHurried)
        let (seen, failures) = (admission.statistics, listener.handshakeFailures)
        shared.state.withLock { state in
            state.statistics.admission = seen
            state.statistics.inboundHandshakeFailures = failures
        }
        if isHurried { return 0 }
        let pause = isSettled ? Limits.settledTurnMilliseconds : Limits.unsettledTurnMilliseconds
        return min(pause, configuration.timings.heartbeatIntervalMilliseconds)
    }

    private func apply(redirects: [(index: Int, endpoint: Endpoint)], now: UInt64) throws(MessageBusError) {
        for (index, endpoint) in redirects {
            if let link = links[index] {
                try link.dialer.redirect(to: endpoint, now: now)
                shared.state.withLock { $0.statistics.peers[index].isConnected = false }
            } else {
                try dial(index, at: endpoint, now: now)
            }
        }
    }

    private func dial(_ index: Int, at endpoint: Endpoint, now: UInt64) throws(MessageBusError) {
        guard index != configuration.ownIndex else { return }
        let (keyPair, timings) = (configuration.keyPair, configuration.timings)
        let peer = configuration.peers[index]
        let dialer = try Dialer(
            context: context, kind: ZMQ_DEALER, endpoint: endpoint, timings: timings, now: now
        ) { socket throws(MessageBusError) in
            try socket.applyLink(
                timings: timings, frameBytesMaximum: Limits.controlFrameBytesMaximum,
                sendHighWaterMark: Limits.sendHighWaterMark, receiveHighWaterMark: Limits.receiveHighWaterMark,
                lingerMilliseconds: Limits.meshLingerMilliseconds, isIPv6: endpoint.isIPv6)
            // Only a finished handshake makes room: until then messages stay in our queue, bounded and counted.
            try socket.set(ZMQ_IMMEDIATE, 1)
            try socket.applyCurveClient(keyPair, server: peer.publicKey)
        }
        links[index] = Link(index: index, dialer: dialer, keepAliveAt: now)
    }

    /// One peer's connection: its events, a sign of life when due, what is queued for it.
    private func serve(_ index: Int, now: UInt64, isHurried: inout Bool, isSettled: inout Bool) throws(MessageBusError) {
        guard var link = links[index] else { return }
        defer { links[index] = link }
        let change = try link.dialer.observe(now: now)
        if change != .none {
            let (isReady, failures) = (link.dialer.isReady, link.dialer.handshakeFailures)
            shared.state.withLock { state in
                state.statistics.peers[index].isConnected = isReady
                state.statistics.peers[index].connections += change == .up ? 1 : 0
                state.statistics.peers[index].handshakeFailures = failures
            }
            shared.logger.changed(change, peer: configuration.peers[index].name, endpoint: link.dialer.endpoint)
            if change == .up { link.keepAliveAt = now }
        }
        if link.dialer.isReady, now >= link.keepAliveAt, link.inFlight == nil,
            try link.dialer.socket.send(LinkFraming.keepAlive) == .sent
        {
            link.keepAliveAt = now + UInt64(configuration.timings.heartbeatIntervalMilliseconds)
        }
        isSettled = isSettled && link.dialer.isReady && link.keepAliveAt > now
        isHurried = try flush(&link) || isHurried
        try discardReplies(of: link)
    }

    /// True when the budget of a turn ended it and not the socket or the queue.
    private func flush(_ link: inout Link) throws(MessageBusError) -> Bool {
        let index = link.index
        for _ in 0..<Limits.sendsPerTurnMaximum {
            // Until the link is up all stays in the queue, where the oldest can give way.
            if link.inFlight == nil, link.dialer.isReady {
                link.inFlight = shared.state.withLock { $0.queues[index].popFirst() }
            }
            guard let message = link.inFlight else { return false }
            guard try link.dialer.socket.send(shared.framing.frames(of: message)) == .sent else { return false }
            link.inFlight = nil
            shared.state.withLock { state in
                state.statistics.peers[index].sentMessages += 1
                state.statistics.peers[index].sentBytes += UInt64(message.byteCount)
            }
        }
        return true
    }

    /// Nobody answers on a connection we dialled; who does is counted.
    private func discardReplies(of link: Link) throws(MessageBusError) {
        var count: UInt64 = 0
        while count < UInt64(Limits.sendsPerTurnMaximum),
            try link.dialer.socket.receive(framesMaximum: 1, frameBytesMaximum: 0) != nil
        { count += 1 }
        guard count > 0 else { return }
        shared.state.withLock { $0.statistics.peers[link.index].drops[.malformed] += count }
    }

    private func handOut(toSelf: [InboundMessage], now: UInt64, isHurried: inout Bool) throws(MessageBusError) {
        guard let handler else { return }
        var batch = toSelf
        var bytes = 0
        var tally = MeshTally(peers: links.count, now: now)
        for message in toSelf { tally.received(message.peer, message.channel.count + message.payload.count) }
        while true {
            if batch.count >= Limits.batchMessagesMaximum || bytes >= Limits.batchBytesMaximum
                || tally.read >= Limits.batchMessagesMaximum
            {
                isHurried = true
                break
            }
            let frameBytes = shared.framing.frameBytesMaximum
            guard let parts = try listener.socket.receive(framesMaximum: 3, frameBytesMaximum: frameBytes) else { break }
            tally.read += 1
            bytes += parts.byteCount
            guard let peer = sender(of: parts) else {
                tally.anonymous += 1
                continue
            }
            if gates[peer]?.admit(byteCount: parts.byteCount, now: now) == false {
                tally.drop(peer, .rateLimited)
                continue
            }
            switch shared.framing.judge(parts.frames.dropFirst(), of: parts) {
            case .message(let channel, let payload):
                tally.received(peer, channel.count + payload.count)
                batch.append(InboundMessage(
                    peer: peer, channel: channel, payload: payload, receivedAtMilliseconds: now))
            case .keepAlive: tally.heard[peer] = true
            case .refused(let reason): tally.drop(peer, reason)
            }
        }
        if tally.read > 0 || !toSelf.isEmpty {
            let done = tally
            shared.state.withLock { done.merge(into: &$0.statistics) }
        }
        if !batch.isEmpty { handler(batch) }
    }

    /// The member whose key the connection proved; never taken from the message.
    private func sender(of parts: ReceivedParts) -> Int? {
        guard let text = parts.userID, let index = Int(text), links.indices.contains(index),
            index != configuration.ownIndex
        else { return nil }
        return index
    }

    func close() {
        for link in links { link?.dialer.close() }
        listener.close()
        admission.socket.close()
    }
}

/// What one turn counted, merged under the lock once.
private struct MeshTally: Sendable {
    let now: UInt64
    var read = 0
    var anonymous: UInt64 = 0
    var heard: [Bool]
    private var messages: [UInt64]
    private var bytes: [UInt64]
    private var drops: [(peer: Int, reason: DropReason)] = []

    init(peers: Int, now: UInt64) {
        self.now = now
        heard = Array(repeating: false, count: peers)
        messages = Array(repeating: 0, count: peers)
        bytes = messages
    }

    mutating func received(_ peer: Int, _ count: Int) {
        heard[peer] = true
        messages[peer] += 1
        bytes[peer] += UInt64(count)
    }

    mutating func drop(_ peer: Int, _ reason: DropReason) {
        heard[peer] = true
        drops.append((peer, reason))
    }

    func merge(into statistics: inout MeshStatistics) {
        statistics.unattributedDrops[.unauthenticated] += anonymous
        for peer in heard.indices where heard[peer] {
            statistics.peers[peer].lastHeardMilliseconds = now
            statistics.peers[peer].receivedMessages += messages[peer]
            statistics.peers[peer].receivedBytes += bytes[peer]
        }
        for (peer, reason) in drops { statistics.peers[peer].drops[reason] += 1 }
    }
}

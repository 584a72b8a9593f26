// A connecting socket that is kept connected: watches its handshakes and dials afresh when libzmq has given up.
// What travels over it is its owner's affair.

import CZeroMQ

enum LinkChange: Equatable { case none, up, down }

final class Dialer {
    private let context: ZeroMQContext
    private let kind: Int32
    private let timings: LinkTimings
    private let configure: (ZeroMQSocket) throws(MessageBusError) -> Void
    private(set) var endpoint: Endpoint
    private(set) var socket: ZeroMQSocket
    private var monitor: SocketMonitor
    private(set) var isReady = false
    private(set) var handshakeFailures: UInt64 = 0
    private var lastSignOfLife: UInt64

    init(
        context: ZeroMQContext, kind: Int32, endpoint: Endpoint, timings: LinkTimings, now: UInt64,
        configure: @escaping (ZeroMQSocket) throws(MessageBusError) -> Void
    ) throws(MessageBusError) {
        self.context = context
        self.kind = kind
        self.endpoint = endpoint
        self.timings = timings
        self.configure = configure
        lastSignOfLife = now
        socket = try context.socket(kind)
        monitor = try SocketMonitor(of: socket, in: context)
        try open()
    }

    private func open() throws(MessageBusError) {
        try configure(socket)
        try socket.connect(endpoint.description)
    }

    private func redial(now: UInt64) throws(MessageBusError) {
        close()
        lastSignOfLife = now
        isReady = false
        socket = try context.socket(kind)
        monitor = try SocketMonitor(of: socket, in: context)
        try open()
    }

    /// Dials another place from now on; what was inside libzmq for the old one is lost.
    func redirect(to endpoint: Endpoint, now: UInt64) throws(MessageBusError) {
        self.endpoint = endpoint
        try redial(now: now)
    }

    /// Reads the connection's events and dials afresh where that is due.
    func observe(now: UInt64) throws(MessageBusError) -> LinkChange {
        let before = isReady
        var budget = Limits.monitorEventsPerTurnMaximum
        while budget > 0, let event = try monitor.next() {
            budget -= 1
            lastSignOfLife = now
            switch event.kind {
            case .ready: isReady = true
            case .disconnected: isReady = false
            case .handshakeFailed, .denied:
                isReady = false
                handshakeFailures += 1
            case .attempted: break
            }
        }
        if !isReady, now >= lastSignOfLife + UInt64(timings.redialAfterMilliseconds) { try redial(now: now) }
        return before == isReady ? .none : isReady ? .up : .down
    }

    func register(_ poll: inout PollSet, wantsToSend: Bool) {
        poll.add(socket, ZMQ_POLLIN | (wantsToSend ? ZMQ_POLLOUT : 0))
        poll.add(monitor.socket, ZMQ_POLLIN)
    }

    func close() {
        monitor.close()
        socket.close()
    }
}

// A bound socket with its monitor: knows where it ended up and counts handshakes that failed.
// What travels over it is its owner's affair.

import CZeroMQ

final class Listener {
    let socket: ZeroMQSocket
    let endpoint: Endpoint
    private let monitor: SocketMonitor
    private(set) var handshakeFailures: UInt64 = 0
    private(set) var handshakes: UInt64 = 0

    init(
        context: ZeroMQContext, kind: Int32, endpoint: Endpoint,
        configure: (ZeroMQSocket) throws(MessageBusError) -> Void
    ) throws(MessageBusError) {
        socket = try context.socket(kind)
        monitor = try SocketMonitor(of: socket, in: context)
        try configure(socket)
        try socket.bind(endpoint.bindText)
        // The address as configured, so that `*` and names read the same in logs; the port as it came out.
        self.endpoint = endpoint.path != nil ? endpoint : endpoint.withPort(try Endpoint(socket.lastEndpoint()).port)
    }

    /// Reads the events. Returns whether a connection was lost, of whomever.
    func observe() throws(MessageBusError) -> Bool {
        var lost = false
        var budget = Limits.monitorEventsPerTurnMaximum
        while budget > 0, let event = try monitor.next() {
            budget -= 1
            switch event.kind {
            case .ready: handshakes += 1
            case .disconnected: lost = true
            case .handshakeFailed, .denied: handshakeFailures += 1
            case .attempted: break
            }
        }
        return lost
    }

    func register(_ poll: inout PollSet, wantsToReceive: Bool, wantsToSend: Bool = false) {
        let events = (wantsToReceive ? ZMQ_POLLIN : 0) | (wantsToSend ? ZMQ_POLLOUT : 0)
        if events != 0 { poll.add(socket, events) }
        poll.add(monitor.socket, ZMQ_POLLIN)
    }

    func close() {
        monitor.close()
        socket.close()
    }
}

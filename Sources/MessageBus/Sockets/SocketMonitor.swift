// Reads what libzmq says about a socket's connections: handshakes that succeeded or failed, connections lost.
// Interpretation is up to who owns the socket.

import CZeroMQ

struct SocketEvent: Equatable {
    enum Kind: Equatable { case ready, disconnected, attempted, handshakeFailed, denied }
    let kind: Kind
}

final class SocketMonitor {
    private static let events =
        ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_DELAYED
        | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
        | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH

    private let observed: ZeroMQSocket
    let socket: ZeroMQSocket

    init(of observed: ZeroMQSocket, in context: ZeroMQContext) throws(MessageBusError) {
        let name = context.freshName("monitor")
        self.observed = observed
        try observed.monitor(at: name, events: Self.events)
        socket = try context.socket(ZMQ_PAIR)
        // No bound here: at a bound the library would hold its I/O thread until we read.
        try socket.set(ZMQ_RCVHWM, 0)
        try socket.connect(name)
    }

    /// The next event, or nil when there is none now.
    func next() throws(MessageBusError) -> SocketEvent? {
        while let parts = try socket.receive(framesMaximum: 2, frameBytesMaximum: Limits.controlFrameBytesMaximum) {
            guard let head = parts.frames.first, head.count == 6 else { continue }
            let number = Int32(UInt16(head[0]) | UInt16(head[1]) << 8)
            switch number {
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return SocketEvent(kind: .ready)
            case ZMQ_EVENT_DISCONNECTED: return SocketEvent(kind: .disconnected)
            case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return SocketEvent(kind: .denied)
            case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
                return SocketEvent(kind: .handshakeFailed)
            case ZMQ_EVENT_CONNECT_DELAYED, ZMQ_EVENT_CONNECT_RETRIED, ZMQ_EVENT_CONNECTED:
                return SocketEvent(kind: .attempted)
            default: continue
            }
        }
        return nil
    }

    func close() {
        if observed.handle != nil { try? observed.monitor(at: nil, events: 0) }
        socket.close()
    }
}

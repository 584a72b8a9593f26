// One libzmq socket as a plain, non-Sendable class: the compiler then proves that it stays on its thread.
// All calls are non-blocking. No protocol of ours is known here.

import CZeroMQ

/// What came off a socket at once, bounded: frames beyond the bound are read and thrown away.
struct ReceivedParts {
    var frames: [[UInt8]] = []
    /// More frames than asked for.
    var hasExcessFrames = false
    /// A frame above the byte bound; its bytes were not copied and an empty frame stands in its place.
    var hasOversizeFrame = false
    /// What the admission handler answered for this connection: the proof of who sent it.
    var userID: String?
    var byteCount = 0
}

enum SendOutcome: Equatable { case sent, wouldBlock, unreachable }

/// A frame that libzmq holds.
private final class SharedFrame: Sendable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
}

final class ZeroMQSocket {
    private(set) var handle: UnsafeMutableRawPointer?
    /// A zmq_msg_t must not move between init and close, so it has its own memory.
    private let message: UnsafeMutablePointer<zmq_msg_t>
    private let outgoing: UnsafeMutablePointer<zmq_msg_t>

    init(_ handle: UnsafeMutableRawPointer) {
        self.handle = handle
        message = .allocate(capacity: 1)
        message.initialize(to: zmq_msg_t())
        _ = zmq_msg_init(message)
        outgoing = .allocate(capacity: 1)
        outgoing.initialize(to: zmq_msg_t())
        // Never the library's default, which is to wait for ever at close.
        var linger: Int32 = 0
        _ = zmq_setsockopt(handle, ZMQ_LINGER, &linger, MemoryLayout<Int32>.size)
    }

    deinit {
        close()
        _ = zmq_msg_close(message)
        message.deallocate()
        outgoing.deallocate()
    }

    func close() {
        guard let open = handle else { return }
        handle = nil
        _ = zmq_close(open)
    }

    func set(_ option: Int32, _ value: Int32) throws(MessageBusError) {
        var value = value
        guard zmq_setsockopt(handle, option, &value, MemoryLayout<Int32>.size) == 0 else {
            throw .lastCall("set option \(option)")
        }
    }

    func set(_ option: Int32, wide value: Int64) throws(MessageBusError) {
        var value = value
        guard zmq_setsockopt(handle, option, &value, MemoryLayout<Int64>.size) == 0 else {
            throw .lastCall("set option \(option)")
        }
    }

    func set(_ option: Int32, bytes: [UInt8]) throws(MessageBusError) {
        guard zmq_setsockopt(handle, option, bytes, bytes.count) == 0 else { throw .lastCall("set option \(option)") }
    }

    func bind(_ endpoint: String) throws(MessageBusError) {
        guard zmq_bind(handle, endpoint) == 0 else { throw .lastCall("bind", endpoint: endpoint) }
    }

    func connect(_ endpoint: String) throws(MessageBusError) {
        guard zmq_connect(handle, endpoint) == 0 else { throw .lastCall("connect", endpoint: endpoint) }
    }

    /// Where `bind` ended up: the way to learn a port the system chose.
    func lastEndpoint() throws(MessageBusError) -> String {
        var text = [CChar](repeating: 0, count: 512)
        var length = text.count
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &text, &length) == 0 else { throw .lastCall("last endpoint") }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Sends all frames or none. `unreachable` comes only from a ROUTER that has no such peer.
    func send(_ frames: [[UInt8]]) throws(MessageBusError) -> SendOutcome {
        for (position, frame) in frames.enumerated() {
            let more = position + 1 < frames.count ? ZMQ_SNDMORE : 0
            while zmq_send(handle, frame, frame.count, ZMQ_DONTWAIT | more) < 0 {
                switch zmq_errno() {
                case EINTR: continue
                case EAGAIN: return .wouldBlock
                case EHOSTUNREACH: return .unreachable
                default: throw .lastCall("send")
                }
            }
        }
        return .sent
    }

    /// A message of one frame.
    func send(_ frame: [UInt8]) throws(MessageBusError) -> SendOutcome {
        while zmq_send(handle, frame, frame.count, ZMQ_DONTWAIT) < 0 {
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case EHOSTUNREACH: return .unreachable
            default: throw .lastCall("send")
            }
        }
        return .sent
    }

    /// A message of one frame that libzmq reads where it stands: for frames that are kept anyway and go to many.
    func send(shared frame: [UInt8]) throws(MessageBusError) -> SendOutcome {
        // Below this a copy costs less than the bookkeeping.
        guard frame.count >= 256 else { return try send(frame) }
        let held = Unmanaged.passRetained(SharedFrame(frame))
        // The array is held until libzmq lets go of it. Whoever writes into another holder of it meanwhile gets a copy, so these
        // bytes stay where and as they are.
        let bytes = held.takeUnretainedValue().bytes.withUnsafeBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress) }
        let release: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Void = { _, hint in
            if let hint { Unmanaged<SharedFrame>.fromOpaque(hint).release() }
        }
        guard zmq_msg_init_data(outgoing, bytes, frame.count, release, held.toOpaque()) == 0 else {
            held.release()
            throw .lastCall("send")
        }
        while zmq_msg_send(outgoing, handle, ZMQ_DONTWAIT) < 0 {
            let error = zmq_errno()
            if error == EINTR { continue }
            defer { _ = zmq_msg_close(outgoing) }
            guard error == EAGAIN else { throw .lastCall("send") }
            return .wouldBlock
        }
        return .sent
    }

    /// The next whole message, or nil when there is none now.
    func receive(framesMaximum: Int, frameBytesMaximum: Int) throws(MessageBusError) -> ReceivedParts? {
        var parts = ReceivedParts()
        var isFirst = true
        while true {
            if zmq_msg_recv(message, handle, ZMQ_DONTWAIT) < 0 {
                switch zmq_errno() {
                case EINTR: continue
                case EAGAIN where isFirst: return nil
                default: throw .lastCall("receive")
                }
            }
            isFirst = false
            let size = zmq_msg_size(message)
            parts.byteCount += size
            if parts.frames.count == framesMaximum {
                parts.hasExcessFrames = true
            } else if size > frameBytesMaximum {
                parts.hasOversizeFrame = true
                parts.frames.append([])
            } else {
                parts.frames.append(Array(UnsafeRawBufferPointer(start: zmq_msg_data(message), count: size)))
            }
            if parts.userID == nil, let text = zmq_msg_gets(message, "User-Id") { parts.userID = String(cString: text) }
            if zmq_msg_more(message) == 0 { return parts }
        }
    }

    /// Publishes chosen events of this socket at an inproc name; nil ends it. Ends before `close`, always.
    func monitor(at name: String?, events: Int32) throws(MessageBusError) {
        guard zmq_socket_monitor(handle, name, events) == 0 else { throw .lastCall("monitor") }
    }
}

extension ZeroMQSocket {
    /// The options every TCP socket of ours has.
    func applyLink(
        timings: LinkTimings, frameBytesMaximum: Int, sendHighWaterMark: Int32, receiveHighWaterMark: Int32,
        lingerMilliseconds: Int32, isIPv6: Bool
    ) throws(MessageBusError) {
        try set(ZMQ_LINGER, lingerMilliseconds)
        try set(ZMQ_SNDHWM, sendHighWaterMark)
        try set(ZMQ_RCVHWM, receiveHighWaterMark)
        try set(ZMQ_MAXMSGSIZE, wide: Int64(frameBytesMaximum))
        try set(ZMQ_HEARTBEAT_IVL, Int32(clamping: timings.heartbeatIntervalMilliseconds))
        try set(ZMQ_HEARTBEAT_TIMEOUT, Int32(clamping: timings.heartbeatTimeoutMilliseconds))
        try set(ZMQ_HEARTBEAT_TTL, Int32(clamping: timings.heartbeatTimeoutMilliseconds))
        try set(ZMQ_HANDSHAKE_IVL, Int32(clamping: timings.handshakeTimeoutMilliseconds))
        try set(ZMQ_RECONNECT_IVL, Int32(clamping: timings.reconnectIntervalMilliseconds))
        try set(ZMQ_RECONNECT_IVL_MAX, Int32(clamping: timings.reconnectIntervalMaximumMilliseconds))
        try set(ZMQ_BACKLOG, Limits.acceptBacklog)
        if isIPv6 { try set(ZMQ_IPV6, 1) }
    }

    /// The accepting half of CURVE. Enforcing the domain refuses everybody should the handler be missing.
    func applyCurveServer(_ keys: CurveKeyPair, domain: String) throws(MessageBusError) {
        try set(ZMQ_CURVE_SERVER, 1)
        try set(ZMQ_CURVE_SECRETKEY, bytes: keys.secretKey.exposedBytes())
        try set(ZMQ_ZAP_DOMAIN, bytes: Array(domain.utf8))
        try set(causeway_zap_enforce_domain(), 1)
    }

    /// The dialling half of CURVE: proves who we are, and talks to nobody but the owner of `server`.
    func applyCurveClient(_ keys: CurveKeyPair, server: CurvePublicKey) throws(MessageBusError) {
        try set(ZMQ_CURVE_SERVERKEY, bytes: server.bytes)
        try set(ZMQ_CURVE_PUBLICKEY, bytes: keys.publicKey.bytes)
        try set(ZMQ_CURVE_SECRETKEY, bytes: keys.secretKey.exposedBytes())
    }
}

// libzmq as it is, without this project's layer: what the fan-out is measured against, and what reads from both.

import CZeroMQ
import Glibc

struct WireError: Error, CustomStringConvertible {
    let description: String

    init(_ call: String) { description = "\(call): \(String(cString: zmq_strerror(zmq_errno())))" }
}

/// A context with one I/O thread, as each of ours has.
final class WireContext: @unchecked Sendable {
    private let pointer: UnsafeMutableRawPointer

    init() throws {
        guard let pointer = zmq_ctx_new() else { throw WireError("zmq_ctx_new") }
        self.pointer = pointer
        _ = zmq_ctx_set(pointer, ZMQ_MAX_SOCKETS, 20_000)
    }

    func socket(_ kind: Int32) throws -> WireSocket {
        guard let raw = zmq_socket(pointer, kind) else { throw WireError("zmq_socket") }
        return try WireSocket(raw)
    }

    /// After its sockets are closed.
    func close() { while zmq_ctx_term(pointer) != 0, zmq_errno() == EINTR {} }
}

/// Handed from the thread that makes it to the one that uses it.
final class WireSocket: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer
    private let message = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)

    init(_ handle: UnsafeMutableRawPointer) throws {
        self.handle = handle
        _ = zmq_msg_init(message)
        for option in [ZMQ_LINGER, ZMQ_SNDHWM, ZMQ_RCVHWM] { try set(option, 0) }
        try set(ZMQ_BACKLOG, 1_024)
    }

    func set(_ option: Int32, _ value: Int32) throws {
        var value = value
        guard zmq_setsockopt(handle, option, &value, 4) == 0 else { throw WireError("option \(option)") }
    }

    func set(_ option: Int32, bytes: [UInt8]) throws {
        guard zmq_setsockopt(handle, option, bytes, bytes.count) == 0 else { throw WireError("option \(option)") }
    }

    func bind(_ endpoint: String) throws -> String {
        guard zmq_bind(handle, endpoint) == 0 else { throw WireError("bind \(endpoint)") }
        var text = [CChar](repeating: 0, count: 512)
        var length = text.count
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &text, &length) == 0 else { throw WireError("last endpoint") }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func connect(_ endpoint: String) throws {
        guard zmq_connect(handle, endpoint) == 0 else { throw WireError("connect \(endpoint)") }
    }

    /// Becomes readable when there is something to ask for; says so once.
    var descriptor: Int32 {
        var descriptor: Int32 = -1
        var length = MemoryLayout<Int32>.size
        _ = zmq_getsockopt(handle, ZMQ_FD, &descriptor, &length)
        return descriptor
    }

    func send(_ bytes: UnsafeRawBufferPointer) throws {
        while zmq_send(handle, bytes.baseAddress, bytes.count, 0) < 0 {
            guard zmq_errno() == EINTR else { throw WireError("zmq_send") }
        }
    }

    /// The next message, valid inside `body`; false when there is none now.
    func receive(_ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        guard zmq_msg_recv(message, handle, ZMQ_DONTWAIT) >= 0 else { return false }
        body(UnsafeRawBufferPointer(start: zmq_msg_data(message), count: zmq_msg_size(message)))
        return true
    }

    func close() {
        _ = zmq_msg_close(message)
        message.deallocate()
        _ = zmq_close(handle)
    }
}

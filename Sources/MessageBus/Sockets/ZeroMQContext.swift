// Owns a libzmq context: its I/O threads and the names of its inproc endpoints. Thread-safe, as libzmq promises.
// Sockets made from it are not: each stays on the thread that made it.

import CZeroMQ
import Synchronization

package final class ZeroMQContext: @unchecked Sendable {
    /// Nil once terminated. The library's context calls are thread-safe; the lock guards only the pointer's life.
    private let handle: Mutex<UInt?>
    private let names = Atomic<UInt64>(0)

    package init(ioThreads: Int32 = 1) throws(MessageBusError) {
        guard let context = zmq_ctx_new() else { throw .lastCall("zmq_ctx_new") }
        _ = zmq_ctx_set(context, ZMQ_IO_THREADS, ioThreads)
        handle = Mutex(UInt(bitPattern: context))
    }

    /// A socket for the calling thread.
    func socket(_ kind: Int32) throws(MessageBusError) -> ZeroMQSocket {
        let raw = handle.withLock { address in
            address.flatMap { UnsafeMutableRawPointer(bitPattern: $0) }.flatMap { zmq_socket($0, kind) }
                .map { UInt(bitPattern: $0) }
        }
        guard let raw, let pointer = UnsafeMutableRawPointer(bitPattern: raw) else { throw .lastCall("zmq_socket") }
        return ZeroMQSocket(pointer)
    }

    /// An inproc name nobody else in this context has.
    func freshName(_ purpose: String) -> String {
        "inproc://\(purpose)-\(names.wrappingAdd(1, ordering: .relaxed).newValue)"
    }

    /// Makes every blocking call on its sockets return; the sockets must still be closed by their threads.
    package func shutdown() {
        handle.withLock { address in
            if let pointer = address.flatMap({ UnsafeMutableRawPointer(bitPattern: $0) }) { _ = zmq_ctx_shutdown(pointer) }
        }
    }

    /// Waits for every socket to be closed and its linger time to pass, then frees the context. Once is enough.
    package func terminate() {
        let taken = handle.withLock { address -> UInt? in
            defer { address = nil }
            return address
        }
        guard let pointer = taken.flatMap({ UnsafeMutableRawPointer(bitPattern: $0) }) else { return }
        while zmq_ctx_term(pointer) != 0, zmq_errno() == EINTR {}
    }

    deinit { terminate() }
}

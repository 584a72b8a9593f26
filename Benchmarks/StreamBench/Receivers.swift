// Bare SUB sockets on one thread: what reads from libzmq's publisher and from ours alike.

import CZeroMQ
import Dispatch
import Foundation
import MessageBus
import Synchronization

/// Nanoseconds of a clock that nobody sets.
func monotonic() -> UInt64 { DispatchTime.now().uptimeNanoseconds }

/// Publisher's key and the pair that all receivers share.
struct CurveEnds: Sendable {
    let server = try! CurveKeyPair.generate()
    let client = try! CurveKeyPair.generate()
}

final class Receivers: @unchecked Sendable {
    typealias OnFrame = (UnsafeRawBufferPointer) -> Void

    private let context: WireContext
    private let sockets: [WireSocket]
    private let thread: Thread
    private let state: State

    private final class State: Sendable {
        let received = Atomic<Int>(0)
        let target = Atomic<Int>(Int.max)
        let reachedAt = Atomic<UInt64>(0)
        let isStopping = Atomic<Bool>(false)
        let reached = DispatchSemaphore(value: 0)
        let ended = DispatchSemaphore(value: 0)
    }

    /// - Parameters:
    ///   - topics: of each socket.
    ///   - onFrame: on the receivers' thread.
    init(
        _ count: Int, of endpoint: String, curve: CurveEnds?, topics: (Int) -> [[UInt8]] = { _ in [[0x52]] },
        onFrame: @escaping OnFrame = { _ in }
    ) throws {
        let context = try WireContext()
        var sockets: [WireSocket] = []
        for index in 0..<count {
            let socket = try context.socket(ZMQ_SUB)
            if let curve {
                try socket.set(ZMQ_CURVE_SERVERKEY, bytes: curve.server.publicKey.bytes)
                try socket.set(ZMQ_CURVE_PUBLICKEY, bytes: curve.client.publicKey.bytes)
                try socket.set(ZMQ_CURVE_SECRETKEY, bytes: curve.client.secretKey.exposedBytes())
            }
            for topic in topics(index) { try socket.set(ZMQ_SUBSCRIBE, bytes: topic) }
            try socket.connect(endpoint)
            sockets.append(socket)
        }
        let state = State()
        (self.context, self.sockets, self.state) = (context, sockets, state)
        let made = sockets
        nonisolated(unsafe) let handler = onFrame
        thread = Thread { Self.loop(made, state, handler) }
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Asks only the sockets whose descriptors say that something came: asking all costs a system call each. A
    /// descriptor speaks once, so a socket is read until it is empty.
    private static func loop(_ sockets: [WireSocket], _ state: State, _ onFrame: OnFrame) {
        var items = sockets.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: Int16(POLLIN)) }
        while !state.isStopping.load(ordering: .acquiring) {
            var got = 0
            for index in items.indices where items[index].revents != 0 {
                while got < 4_096, sockets[index].receive(onFrame) { got += 1 }
                if got < 4_096 { items[index].revents = 0 }
            }
            if got > 0 {
                let total = state.received.wrappingAdd(got, ordering: .releasing).newValue
                if total >= state.target.load(ordering: .acquiring) {
                    state.reachedAt.store(monotonic(), ordering: .releasing)
                    state.target.store(.max, ordering: .releasing)
                    state.reached.signal()
                }
            }
            // After a full round some may have been left unread.
            if got >= 4_096 { continue }
            if poll(&items, nfds_t(items.count), 50) == 0 { for index in items.indices { items[index].revents = 1 } }
        }
        for socket in sockets { socket.close() }
        state.ended.signal()
    }

    var received: Int { state.received.load(ordering: .acquiring) }

    /// Before the frames are sent.
    func expect(_ more: Int) {
        state.target.store(received + more, ordering: .releasing)
    }

    /// When the last of them came; nil when they did not come in time.
    func wait(seconds: Int) -> UInt64? {
        guard state.reached.wait(timeout: .now() + .seconds(seconds)) == .success else { return nil }
        return state.reachedAt.load(ordering: .acquiring)
    }

    func close() {
        state.isStopping.store(true, ordering: .releasing)
        state.ended.wait()
        context.close()
    }
}

/// Memory that one thread fills and another reads when the first is done.
final class Samples: @unchecked Sendable {
    private let values: UnsafeMutablePointer<UInt64>
    private let capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        values = .allocate(capacity: capacity)
        values.initialize(repeating: 0, count: capacity)
    }

    deinit { values.deallocate() }

    func append(_ value: UInt64) {
        guard count < capacity else { return }
        values[count] = value
        count += 1
    }

    subscript(_ index: Int) -> UInt64 {
        get { index < capacity ? values[index] : 0 }
        set { if index < capacity { values[index] = newValue } }
    }

    /// In milliseconds.
    func percentiles(_ parts: [Double]) -> [Double] {
        let sorted = UnsafeBufferPointer(start: values, count: count).sorted()
        return parts.map { part in
            sorted.isEmpty ? .nan : Double(sorted[min(sorted.count - 1, Int(part * Double(sorted.count)))]) / 1e6
        }
    }
}

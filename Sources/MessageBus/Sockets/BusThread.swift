// The thread that owns sockets: sleeps in zmq_poll over them and an eventfd, and gives its service a turn at each
// wake-up. The service is made, used and closed on this thread only. No protocol of ours is known here.

import CZeroMQ
import Glibc
import Synchronization

func monotonicMilliseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
}

/// An eventfd that other threads ring; many rings before one wake-up cost one system call.
final class WakeUp: Sendable {
    let descriptor: Int32
    private let isPending = Atomic<Bool>(false)

    init() throws(MessageBusError) {
        descriptor = causeway_eventfd()
        guard descriptor >= 0 else { throw .lastCall("eventfd") }
    }

    func ring() {
        guard !isPending.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Before the work is looked at, so that a ring during the work is not lost.
    func drain() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
        isPending.store(false, ordering: .sequentiallyConsistent)
    }

    deinit { _ = Glibc.close(descriptor) }
}

/// A gate that opens once and stays open.
final class Latch: Sendable {
    private let descriptor: Int32

    init() throws(MessageBusError) {
        descriptor = causeway_eventfd()
        guard descriptor >= 0 else { throw .lastCall("eventfd") }
    }

    func open() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// False when the time passed first.
    func wait(milliseconds: Int) -> Bool {
        let deadline = monotonicMilliseconds() + UInt64(max(0, milliseconds))
        while true {
            let now = monotonicMilliseconds()
            var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let result = poll(&item, 1, Int32(clamping: deadline > now ? deadline - now : 0))
            if result > 0 { return true }
            if result == 0 { return false }
            if errno != EINTR { return false }
        }
    }

    deinit { _ = Glibc.close(descriptor) }
}

/// What one zmq_poll waits for; rebuilt at each turn, its memory kept.
struct PollSet {
    private(set) var items: [zmq_pollitem_t] = []

    mutating func clear() { items.removeAll(keepingCapacity: true) }

    mutating func add(_ socket: ZeroMQSocket, _ events: Int32) {
        guard let handle = socket.handle else { return }
        items.append(zmq_pollitem_t(socket: handle, fd: 0, events: Int16(events), revents: 0))
    }

    mutating func add(descriptor: Int32) {
        items.append(zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
    }

    mutating func wait(milliseconds: Int) throws(MessageBusError) {
        guard zmq_poll(&items, Int32(items.count), milliseconds) < 0 else { return }
        if zmq_errno() != EINTR { throw .lastCall("zmq_poll") }
    }
}

/// The owner of sockets on a bus thread. Not Sendable: it is made and dies there.
protocol BusService: AnyObject {
    func register(_ poll: inout PollSet)
    /// Does what can be done without waiting. Returns milliseconds until it wants a turn unasked.
    func turn(now: UInt64) throws(MessageBusError) -> Int
    func close()
}

/// The handle other threads have on a bus thread.
final class BusThread: Sendable {
    let wake: WakeUp
    private let finished: Latch
    private let isStopping = Atomic<Bool>(false)
    private let outcome = Mutex<Outcome>(Outcome())

    private struct Outcome {
        var thread: pthread_t?
        var failure: MessageBusError?
    }

    private final class Launch {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts the thread and waits until its service is open; what `open` throws is thrown here.
    init(
        name: String, wake: WakeUp, open: @escaping @Sendable (ZeroMQContext) throws(MessageBusError) -> any BusService
    ) throws(MessageBusError) {
        self.wake = wake
        finished = try Latch()
        let opened = try Latch()
        let launch = Launch { [self] in
            run(name: name, opened: opened, open: open)
            finished.open()
        }
        let pointer = Unmanaged.passRetained(launch).toOpaque()
        var thread = pthread_t()
        let status = pthread_create(&thread, nil, { raw in
            if let raw { Unmanaged<Launch>.fromOpaque(raw).takeRetainedValue().body() }
            return nil
        }, pointer)
        guard status == 0 else {
            Unmanaged<Launch>.fromOpaque(pointer).release()
            throw MessageBusError(
                .resourcesExhausted, "no thread can be started (error \(status))", retry: .later, fault: .user)
        }
        pthread_detach(thread)
        _ = opened.wait(milliseconds: Limits.intervalMillisecondsMaximum)
        if let failure { throw failure }
    }

    /// What ended the thread other than `stop`; nil while it runs and after a clean end.
    var failure: MessageBusError? { outcome.withLock { $0.failure } }
    var isRunning: Bool { !finished.wait(milliseconds: 0) && !isStopping.load(ordering: .acquiring) }

    /// Asks the thread to close its sockets and end, and waits for it unless called on it.
    /// - Returns: whether it has ended.
    func stop(deadlineMilliseconds: Int) -> Bool {
        isStopping.store(true, ordering: .releasing)
        wake.ring()
        let isInside = outcome.withLock { state in state.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
        return isInside ? false : finished.wait(milliseconds: deadlineMilliseconds)
    }

    /// The same without waiting, for a deinit.
    func requestStop() {
        isStopping.store(true, ordering: .releasing)
        wake.ring()
    }

    private func run(
        name: String, opened: Latch, open: @Sendable (ZeroMQContext) throws(MessageBusError) -> any BusService
    ) {
        causeway_thread_name(name)
        // Signals are for the main thread.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        outcome.withLock { $0.thread = pthread_self() }
        do throws(MessageBusError) {
            let context = try ZeroMQContext()
            defer { context.terminate() }
            let service = try open(context)
            defer { service.close() }
            opened.open()
            try loop(service)
        } catch {
            outcome.withLock { $0.failure = error }
            opened.open()
        }
        outcome.withLock { $0.thread = nil }
    }

    private func loop(_ service: any BusService) throws(MessageBusError) {
        var polled = PollSet()
        var pause = 0
        while !isStopping.load(ordering: .acquiring) {
            polled.clear()
            polled.add(descriptor: wake.descriptor)
            service.register(&polled)
            try polled.wait(milliseconds: pause)
            wake.drain()
            pause = max(0, try service.turn(now: monotonicMilliseconds()))
        }
    }
}

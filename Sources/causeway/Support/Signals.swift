// The wish to end, as a stream: SIGINT, SIGTERM and SIGHUP in the order in which they came.

import Dispatch
import Glibc
import Synchronization

final class Signals: Sendable {
    private let sources: Mutex<[any DispatchSourceSignal]>
    /// For one consumer.
    let received: AsyncStream<Int32>

    /// From now on these signals do not end the process by themselves; the third one does.
    init() {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        received = stream
        let count = Mutex(0)
        let shared = Shared(count: count)
        var list: [any DispatchSourceSignal] = []
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if shared.next() >= 3 { _exit(128 + number) }
                continuation.yield(number)
            }
            source.resume()
            list.append(source)
        }
        sources = Mutex(list)
    }

    private final class Shared: Sendable {
        private let count: Mutex<Int>
        init(count: consuming Mutex<Int>) { self.count = count }
        func next() -> Int { count.withLock { $0 += 1; return $0 } }
    }

    static func name(_ number: Int32) -> String {
        switch number {
        case SIGINT: "SIGINT"
        case SIGTERM: "SIGTERM"
        case SIGHUP: "SIGHUP"
        default: "signal \(number)"
        }
    }

    /// Waits for the first one.
    func first() async -> Int32 {
        for await number in received { return number }
        return SIGTERM
    }
}

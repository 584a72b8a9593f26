// A connection that only gives: the server sends binary messages over a WebSocket, or events as the answer to a GET; the
// client listens. What is sent comes from a source, which is asked when the socket has room, so that what waits is the
// source's to choose. Sockets are PushSession's and EventStreamSession's.

import NIOCore
import Synchronization

/// How a gate answers a handshake, or the request for an event stream.
package enum PushVerdict: Sendable {
    case refused(HTTPAnswer)
    /// - Parameter headers: further headers of the answer.
    case accepted(any PushSource, headers: [String: String])
}

/// Why a connection ended.
package enum PushEnd: Sendable, Equatable {
    /// The client went, or was gone before it was let in.
    case gone
    /// Took nothing of what waited for it.
    case slow
    /// Gave no sign of life.
    case silent
    /// We closed it with this code.
    case closed(UInt16)
}

/// What one client is given. Called on the connection's event loop: answer at once.
package protocol PushSource: AnyObject, Sendable {
    /// The handshake is answered.
    func opened(_ connection: PushConnection)
    /// The next message, or nothing: then it is asked again after `wake`.
    func nextMessage() -> [UInt8]?
    /// Called once for every accepted source, also when it was never opened.
    func closed(_ end: PushEnd)
}

/// The handle of an open connection. Safe from any thread; never waits.
package final class PushConnection: Sendable {
    private let isWoken = Atomic<Bool>(false)
    private let eventLoop: any EventLoop
    private let outlet: NIOLoopBound<WeakOutlet>

    struct WeakOutlet { weak var outlet: (any PushOutlet)? }

    init(outlet: any PushOutlet, eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.outlet = NIOLoopBound(WeakOutlet(outlet: outlet), eventLoop: eventLoop)
    }

    /// There is something to take. Any number of calls before it is taken count as one.
    package func wake() {
        guard !isWoken.exchange(true, ordering: .acquiringAndReleasing) else { return }
        eventLoop.execute { [self] in
            isWoken.store(false, ordering: .releasing)
            outlet.value.outlet?.pump()
        }
    }

    /// Says goodbye and closes; nothing that waits is sent any more.
    package func close(_ code: UInt16, reason: String) {
        eventLoop.execute { [self] in outlet.value.outlet?.close(code, reason, as: .closed(code)) }
    }
}

/// When a client that only listens is asked for a sign of life, and when it is given up.
package struct PushTimes: Sendable {
    package var pingMilliseconds = 15_000
    package var silenceMilliseconds = 30_000
    /// Between two comments of an event stream, which no client has to answer.
    package var commentMilliseconds = 5_000
    /// Bytes that stay unsent for so long end the connection.
    package var stalledMilliseconds = 5_000

    package init() {}
}

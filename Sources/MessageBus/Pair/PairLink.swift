// The link between the committing and the executing process of one relayer, as other rooms use it.
// Sockets are touched only by PairService on the bus thread.

import Logging
import Synchronization

package struct PairLinkConfiguration: Sendable {
    /// One side listens, the other dials; messages go both ways alike.
    package enum Role: Sendable {
        /// `peer` is the only key that is let in.
        case listening(at: Endpoint, peer: CurvePublicKey)
        /// `peer` is the only key that is talked to.
        case dialling(to: Endpoint, peer: CurvePublicKey)
    }

    package var role: Role
    package var keyPair: CurveKeyPair
    package var payloadBytesMaximum = Limits.payloadBytesDefault
    package var queue = QueuePolicy.pair
    package var timings = LinkTimings()

    package init(role: Role, keyPair: CurveKeyPair) {
        self.role = role
        self.keyPair = keyPair
    }

    var endpoint: Endpoint {
        switch role {
        case .listening(let endpoint, _), .dialling(let endpoint, _): endpoint
        }
    }

    package func validate() throws(MessageBusError) {
        let peer: CurvePublicKey
        switch role {
        case .listening(_, let key): peer = key
        case .dialling(let endpoint, let key):
            peer = key
            guard endpoint.port != 0, endpoint.host != "*" else {
                throw MessageBusError(
                    .malformedEndpoint, "\(endpoint) names no place to dial", context: ["endpoint": "\(endpoint)"],
                    hint: "give a host and a port")
            }
        }
        guard peer != keyPair.publicKey else {
            throw MessageBusError(
                .keyMismatch, "both sides of the pair link have the same key",
                hint: "each process of a relayer needs its own key pair; give here the public key of the other one")
        }
        try LinkFraming.validate(payloadBytesMaximum: payloadBytesMaximum)
        try queue.validate(payloadBytesMaximum: payloadBytesMaximum)
        try timings.validate()
    }
}

package struct PairStatistics: Equatable, Sendable {
    package var isConnected = false
    /// How often the link came up; above 1 the other side, or the way to it, was away in between.
    package var connections: UInt64 = 0
    /// Monotonic clock of the last message or sign of life.
    package var lastHeardMilliseconds: UInt64?
    package var sentMessages: UInt64 = 0
    package var sentBytes: UInt64 = 0
    package var receivedMessages: UInt64 = 0
    package var receivedBytes: UInt64 = 0
    package var queuedMessages = 0
    package var queuedBytes = 0
    package var drops = DropCounters()
    package var handshakeFailures: UInt64 = 0
    package var admission = AdmissionStatistics()
    package var isRunning = true
    /// What ended the bus thread other than `stop`.
    package var failure: MessageBusError?
}

/// Told when the link comes up or goes down, so that a side can ask again for what it missed. Runs on the bus thread.
package typealias LinkHandler = @Sendable (_ isConnected: Bool) -> Void

final class PairShared: Sendable {
    struct State: Sendable {
        var handler: MessageHandler?
        var onChange: LinkHandler?
        var queue: OutboundQueue
        var statistics = PairStatistics()
        var isStopped = false
    }

    let configuration: PairLinkConfiguration
    let framing: LinkFraming
    let logger: Logger
    let wake: WakeUp
    let state: Mutex<State>
    let bound = Mutex<Endpoint?>(nil)

    init(configuration: PairLinkConfiguration, logger: Logger) throws(MessageBusError) {
        self.configuration = configuration
        self.logger = logger
        framing = LinkFraming(payloadBytesMaximum: configuration.payloadBytesMaximum)
        wake = try WakeUp()
        state = Mutex(State(queue: OutboundQueue(policy: configuration.queue)))
    }
}

/// Two processes, both keys proven on both sides, messages both ways; survives the restart of either.
/// Best effort: what was inside libzmq or TCP when a side died is gone, so the sides resynchronise on `onChange(true)`.
package final class PairLink: Sendable {
    private let shared: PairShared
    private let thread: BusThread
    /// Where the listening side listens, with the port the system chose; where the dialling side dials.
    package let endpoint: Endpoint

    /// Opens the socket: a port in use is known here. Nothing is read yet.
    package init(
        configuration: PairLinkConfiguration, logger: Logger = Logger(label: "causeway.bus.pair")
    ) throws(MessageBusError) {
        try configuration.validate()
        let shared = try PairShared(configuration: configuration, logger: logger)
        thread = try BusThread(name: "bus-pair", wake: shared.wake) { context throws(MessageBusError) in
            try PairService(shared: shared, context: context)
        }
        self.shared = shared
        endpoint = shared.bound.withLock { $0 } ?? configuration.endpoint
    }

    deinit { thread.requestStop() }

    package func start(
        onMessages handler: @escaping MessageHandler, onChange: LinkHandler? = nil
    ) throws(MessageBusError) {
        let refusal = shared.state.withLock { state -> MessageBusError? in
            if state.isStopped { return MessageBusError(.stopped, "the pair link was stopped", fault: .ours) }
            if state.handler != nil { return MessageBusError(.alreadyStarted, "the pair link is started", fault: .ours) }
            (state.handler, state.onChange) = (handler, onChange)
            return nil
        }
        if let refusal { throw refusal }
        shared.wake.ring()
    }

    /// Queues a message for the other side; from any thread, never waits.
    package func send(channel: [UInt8], payload: [UInt8]) -> SendResult {
        let isRunning = thread.isRunning
        let result = shared.state.withLock { state -> SendResult in
            guard !state.isStopped, isRunning else {
                state.statistics.drops[.notRunning] += 1
                return .dropped(.notRunning)
            }
            if let reason = shared.framing.refusal(channel: channel, payload: payload) {
                state.statistics.drops[reason] += 1
                return .dropped(reason)
            }
            let outcome = state.queue.append(OutboundMessage(channel: channel, payload: payload))
            state.statistics.drops[.queueFull] += UInt64(outcome.dropped)
            return outcome.result
        }
        if result.isQueued { shared.wake.ring() }
        return result
    }

    package var statistics: PairStatistics {
        var snapshot = shared.state.withLock { state in
            state.statistics.queuedMessages = state.queue.count
            state.statistics.queuedBytes = state.queue.byteCount
            return state.statistics
        }
        snapshot.isRunning = thread.isRunning
        snapshot.failure = thread.failure
        return snapshot
    }

    /// Closes the socket and ends the thread; what is queued is dropped.
    /// - Returns: whether it has ended in time; false at once when called from one of its handlers.
    @discardableResult
    package func stop(deadlineMilliseconds: Int = Limits.stopMillisecondsDefault) -> Bool {
        shared.state.withLock { $0.isStopped = true }
        return thread.stop(deadlineMilliseconds: deadlineMilliseconds)
    }
}

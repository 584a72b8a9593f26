// The authenticated full mesh between relayer processes, as other rooms use it: queues, counters, start and stop.
// Sockets are touched only by MeshService on the bus thread.

import Logging
import Synchronization

/// What callers and the bus thread share.
final class MeshShared: Sendable {
    struct State: Sendable {
        var handler: MessageHandler?
        var queues: [OutboundQueue]
        var toSelf: [InboundMessage] = []
        var redirects: [(index: Int, endpoint: Endpoint)] = []
        var statistics: MeshStatistics
        var isStopped = false
    }

    let configuration: PeerMeshConfiguration
    let framing: LinkFraming
    let logger: Logger
    let wake: WakeUp
    let state: Mutex<State>
    /// Set once by the service before the mesh is handed out.
    let bound = Mutex<Endpoint?>(nil)

    init(configuration: PeerMeshConfiguration, logger: Logger) throws(MessageBusError) {
        self.configuration = configuration
        self.logger = logger
        framing = LinkFraming(payloadBytesMaximum: configuration.payloadBytesMaximum)
        wake = try WakeUp()
        let peers = configuration.peers.enumerated().map { MeshPeerStatistics(index: $0.offset, name: $0.element.name) }
        state = Mutex(State(
            queues: configuration.peers.map { _ in OutboundQueue(policy: configuration.queue) },
            statistics: MeshStatistics(peers: peers)))
    }
}

/// Connects N processes, each with each: one listening socket, and one dialling socket a peer. Both ends prove their
/// CURVE keys; the sender of a message is the owner of the key it came with, whatever its bytes say.
/// Delivery is best effort and in order per sender; losses are counted. (Specification 2.14, 2.16.)
///
/// Known bound of libzmq 4.3: the number of frames of one message and the number of connections of one *admitted*
/// key are not bounded by it; a member that abuses this has to be taken off the list.
package final class PeerMesh: Sendable {
    private let shared: MeshShared
    private let thread: BusThread
    /// Where it listens, with the port the system chose if the configuration said 0.
    package let boundEndpoint: Endpoint

    /// Opens the listening socket, so a port in use is known here. Nobody is dialled and nothing is read yet.
    package init(
        configuration: PeerMeshConfiguration, logger: Logger = Logger(label: "causeway.bus.mesh")
    ) throws(MessageBusError) {
        try configuration.validate()
        let shared = try MeshShared(configuration: configuration, logger: logger)
        thread = try BusThread(name: "bus-mesh", wake: shared.wake) { context throws(MessageBusError) in
            try MeshService(shared: shared, context: context)
        }
        self.shared = shared
        let own = configuration.bindEndpoint ?? configuration.peers[configuration.ownIndex].endpoint
        boundEndpoint = shared.bound.withLock { $0 } ?? own
    }

    deinit { thread.requestStop() }

    /// Dials the peers and begins to hand out messages.
    package func start(onMessages handler: @escaping MessageHandler) throws(MessageBusError) {
        let refusal = shared.state.withLock { state -> MessageBusError? in
            if state.isStopped { return MessageBusError(.stopped, "the mesh was stopped", fault: .ours) }
            if state.handler != nil { return MessageBusError(.alreadyStarted, "the mesh is started", fault: .ours) }
            state.handler = handler
            return nil
        }
        if let refusal { throw refusal }
        shared.wake.ring()
    }

    /// Dials one peer at another place from now on.
    package func redirect(_ index: Int, to endpoint: Endpoint) throws(MessageBusError) {
        let configuration = shared.configuration
        guard configuration.peers.indices.contains(index), index != configuration.ownIndex else {
            throw .configuration("member \(index) is not one that can be dialled")
        }
        guard endpoint.port != 0, endpoint.host != "*" else {
            throw MessageBusError(
                .malformedEndpoint, "\(endpoint) names no place to dial", context: ["endpoint": "\(endpoint)"],
                hint: "give a host and a port")
        }
        shared.state.withLock { state in
            state.redirects.removeAll { $0.index == index }
            state.redirects.append((index, endpoint))
        }
        shared.wake.ring()
    }

    /// Queues a message for one member; from any thread, never waits. To ourselves it comes back in the next batch.
    package func send(to index: Int, channel: [UInt8], payload: [UInt8]) -> SendResult {
        let now = index == shared.configuration.ownIndex ? monotonicMilliseconds() : 0
        let result = shared.state.withLock { queue(index, channel, payload, now, &$0) }
        if result.isQueued { shared.wake.ring() }
        return result
    }

    /// Queues a message for every other member.
    /// - Returns: the result for each index; nil at our own.
    package func broadcast(channel: [UInt8], payload: [UInt8]) -> [SendResult?] {
        let own = shared.configuration.ownIndex
        let results = shared.state.withLock { state in
            shared.configuration.peers.indices.map { $0 == own ? nil : queue($0, channel, payload, 0, &state) }
        }
        if results.contains(where: { $0?.isQueued == true }) { shared.wake.ring() }
        return results
    }

    private func queue(
        _ index: Int, _ channel: [UInt8], _ payload: [UInt8], _ now: UInt64, _ state: inout MeshShared.State
    ) -> SendResult {
        guard state.queues.indices.contains(index) else {
            state.statistics.unattributedDrops[.unknownPeer] += 1
            return .dropped(.unknownPeer)
        }
        func drop(_ reason: DropReason, _ count: Int = 1) {
            state.statistics.peers[index].drops[reason] += UInt64(count)
        }
        guard !state.isStopped, thread.isRunning else {
            drop(.notRunning)
            return .dropped(.notRunning)
        }
        if let reason = shared.framing.refusal(channel: channel, payload: payload) {
            drop(reason)
            return .dropped(reason)
        }
        guard index != shared.configuration.ownIndex else {
            var result = SendResult.queued
            if state.toSelf.count >= shared.configuration.queuedForSelfMaximum {
                state.toSelf.removeFirst()
                drop(.queueFull)
                result = .queuedDisplacingOldest
            }
            state.toSelf.append(InboundMessage(
                peer: index, channel: channel, payload: payload, receivedAtMilliseconds: now))
            return result
        }
        let outcome = state.queues[index].append(OutboundMessage(channel: channel, payload: payload))
        if outcome.dropped > 0 { drop(.queueFull, outcome.dropped) }
        return outcome.result
    }

    package var statistics: MeshStatistics {
        var snapshot = shared.state.withLock { state in
            for index in state.queues.indices {
                state.statistics.peers[index].queuedMessages = state.queues[index].count
                state.statistics.peers[index].queuedBytes = state.queues[index].byteCount
            }
            return state.statistics
        }
        snapshot.isRunning = thread.isRunning
        snapshot.failure = thread.failure
        return snapshot
    }

    /// Closes the sockets and ends the thread; what is queued is dropped.
    /// - Returns: whether it has ended in time. Called from the message handler it returns false at once, and it ends
    ///   after the handler has returned.
    @discardableResult
    package func stop(deadlineMilliseconds: Int = Limits.stopMillisecondsDefault) -> Bool {
        shared.state.withLock { $0.isStopped = true }
        return thread.stop(deadlineMilliseconds: deadlineMilliseconds)
    }
}

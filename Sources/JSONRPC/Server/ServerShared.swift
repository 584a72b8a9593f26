// What all sessions of one server share. No session state.

import Logging
import NIOCore
import Synchronization

final class ServerShared: Sendable {
    let configuration: RPCServer.Configuration
    let answering: Answering?
    let counters: ServerCounters
    let logger: Logger
    private let lastID = Atomic<UInt64>(0)
    private let children = Mutex<[ObjectIdentifier: any Channel]>([:])

    init(configuration: RPCServer.Configuration, service: (any JSONRPCService)?, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        let counters = ServerCounters(registry: configuration.metrics, label: configuration.label)
        self.counters = counters
        answering = service.map {
            Answering(
                service: $0, batchAnswerBytesMaximum: configuration.batchAnswerBytesMaximum, counters: counters)
        }
    }

    func nextConnectionID() -> UInt64 { lastID.wrappingAdd(1, ordering: .relaxed).newValue }

    /// Takes a new connection into the books. False when there are too many.
    func admit(_ channel: any Channel) -> Bool {
        let admitted = children.withLock { children in
            guard children.count < configuration.connectionsMaximum else { return false }
            children[ObjectIdentifier(channel)] = channel
            return true
        }
        guard admitted else {
            counters.cut(.tooManyConnections)
            return false
        }
        counters.connections.add(1)
        channel.closeFuture.whenComplete { _ in
            self.children.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) }
            self.counters.connections.add(-1)
        }
        return true
    }

    var openChannels: [any Channel] { children.withLock { Array($0.values) } }
}

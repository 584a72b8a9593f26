// The message lifecycle feed: what goes onto the PUB socket (docs/reference/event-feed.md). Delivery is the bus's business.

import CCIP
import Ethereum
import Foundation
import Logging
import MessageBus
import Storage
import SwiftProtobuf

typealias FeedStage = Causeway_Feed_V1_Stage
typealias LifecycleEvent = Causeway_Feed_V1_LifecycleEvent

/// Topics are `message/SOURCE/DESTINATION/STAGE`, selectors in decimal: a subscriber chooses by prefix.
package final class LifecycleFeed: Sendable {
    private let publisher: EventPublisher
    private let relayer: String

    package init(endpoint: Endpoint, relayer: String, logger: Logger) throws(MessageBusError) {
        self.relayer = relayer
        publisher = try EventPublisher(configuration: EventPublisherConfiguration(endpoint: endpoint), logger: logger)
    }

    package var endpoint: Endpoint { publisher.boundEndpoint }
    package var statistics: PublisherStatistics { publisher.statistics }

    package func stop() { publisher.stop() }

    func publish(_ event: LifecycleEvent) {
        var event = event
        event.relayer = relayer
        guard let payload: [UInt8] = try? event.serializedBytes() else { return }
        _ = publisher.publish(topic: Self.topic(event), payload: payload)
    }

    static func topic(_ event: LifecycleEvent) -> String {
        "message/\(event.sourceSelector)/\(event.destinationSelector)/\(name(event.stage))"
    }

    static func name(_ stage: FeedStage) -> String {
        switch stage {
        case .sent: "sent"
        case .committed: "committed"
        case .executed: "executed"
        case .failed: "failed"
        case .readyForManualExecution: "ready"
        case .unspecified, .UNRECOGNIZED: "unknown"
        }
    }
}

extension LifecycleEvent {
    static func sent(_ message: EVM2AnyRampMessage, at place: Place, now: UInt64) -> LifecycleEvent {
        var event = LifecycleEvent(
            .sent, message.header.messageID, message.header.source, message.header.destination,
            message.header.sequenceNumber.rawValue, place, now)
        event.sender = Data(message.sender.bytes)
        event.receiver = Data(message.receiver)
        return event
    }

    /// One event for each message of the root that is known; the id of one that is not is left empty.
    static func committed(
        _ root: MerkleRoot, _ number: UInt64, _ id: MessageID?, on destination: ChainSelector, at place: Place,
        now: UInt64
    ) -> LifecycleEvent {
        var event = LifecycleEvent(.committed, id, root.source, destination, number, place, now)
        event.merkleRoot = Data(root.root.bytes)
        return event
    }

    /// Success gives `executed`; failure gives `failed` and then `readyForManualExecution`.
    static func executed(
        _ change: ExecutionStateChange, on destination: ChainSelector, at place: Place, now: UInt64
    ) -> [LifecycleEvent] {
        func event(_ stage: FeedStage) -> LifecycleEvent {
            LifecycleEvent(
                stage, change.messageID, change.source, destination, change.sequenceNumber.rawValue, place, now)
        }
        switch change.state {
        case .success: return [event(.executed)]
        case .failure:
            var failed = event(.failed)
            failed.returnData = Data(Bytes(change.returnData.prefix(1024)))
            var ready = event(.readyForManualExecution)
            ready.reason = RevertReason(change.returnData).description
            return [failed, ready]
        case .untouched, .inProgress: return []
        }
    }

    /// Relayers will not execute it, or cannot, and nothing failed on chain.
    static func ready(
        _ id: MessageID, _ source: ChainSelector, _ destination: ChainSelector, _ number: UInt64, reason: String,
        timestamp: UInt64, now: UInt64
    ) -> LifecycleEvent {
        let place = Place(block: 0, blockHash: .zero, transaction: .zero, logIndex: 0, timestamp: timestamp)
        var event = LifecycleEvent(.readyForManualExecution, id, source, destination, number, place, now)
        event.transactionHash = Data()
        event.reason = reason
        return event
    }

    private init(
        _ stage: FeedStage, _ id: MessageID?, _ source: ChainSelector, _ destination: ChainSelector, _ number: UInt64,
        _ place: Place, _ now: UInt64
    ) {
        self.init()
        self.stage = stage
        messageID = Data(id?.bytes ?? [])
        sourceSelector = source.rawValue
        destinationSelector = destination.rawValue
        sequenceNumber = number
        transactionHash = Data(place.transaction.bytes)
        blockNumber = place.block
        blockTimestamp = place.timestamp
        observedAtMilliseconds = now
    }
}

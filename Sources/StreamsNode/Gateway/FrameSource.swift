// The publisher's book behind the fan-out: numbers frames and answers subscribers, on the bus thread alone.

import Ethereum
import MessageBus
import PriceStreams

/// What a gateway hands to its fan-out.
package enum StreamItem: Sendable {
    case report(PublishableReport)
    /// The operator stops a feed, or lets it go on.
    case withheld(FeedID, Bool)
}

package final class FrameSource: FanOutSource {
    package typealias Item = StreamItem

    private var book: PublisherBook

    package init(bootID: UInt64) { book = PublisherBook(bootID: bootID) }

    package func frame(for item: StreamItem) -> [UInt8]? {
        switch item {
        case .report(let report): frame(for: report)
        case .withheld(let feedID, let isWithheld): book.withhold(feedID, isWithheld, at: GatewayNode.now())
        }
    }

    package func frame(for report: PublishableReport) -> [UInt8]? { book.publish(report, at: GatewayNode.now()) }
    package func heartbeat() -> [UInt8] { book.heartbeat(at: GatewayNode.now()) }

    package func answer(_ request: [UInt8], client: String?) -> [[UInt8]] {
        book.answer(encoded: request).map(\.encoded)
    }

    package func refusal() -> [UInt8] {
        StreamReply.error("slow down: at most ten requests a second; ask for SNAP and go on from there").encoded
    }
}

extension FanOutPublisher where Source == FrameSource {
    @discardableResult
    package func publish(_ report: PublishableReport) -> SendResult { publish(.report(report)) }
}

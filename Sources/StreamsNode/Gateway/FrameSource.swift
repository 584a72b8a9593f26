// The publisher's book behind the fan-out: numbers frames and answers subscribers, on the bus thread alone.

import Ethereum
import MessageBus
import PriceStreams

package final class FrameSource: FanOutSource {
    private var book: PublisherBook

    package init(bootID: UInt64) { book = PublisherBook(bootID: bootID) }

    package func frame(for item: PublishableReport) -> [UInt8]? { book.publish(item, at: GatewayNode.now()) }
    package func heartbeat() -> [UInt8] { book.heartbeat(at: GatewayNode.now()) }

    package func answer(_ request: [UInt8], client: String?) -> [[UInt8]] {
        book.answer(encoded: request).map(\.encoded)
    }

    package func refusal() -> [UInt8] {
        StreamReply.error("slow down: at most ten requests a second; ask for SNAP and go on from there").encoded
    }
}

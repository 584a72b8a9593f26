// Where an oracle's values come from: a source delivers ticks for as long as it runs. What a tick is worth is decided by
// the panel of its stream.

import Ethereum
import PriceStreams

/// One value from one source. Times are nanoseconds since 1970.
package struct SourceTick: Equatable, Sendable {
    package var stream: StreamID
    package var value: StreamValue
    /// When the source says that it made the value; nil when it does not say.
    package var madeAt: UInt64?
    /// When it came in, by the clock of this machine.
    package var receivedAt: UInt64

    package init(stream: StreamID, value: StreamValue, madeAt: UInt64?, receivedAt: UInt64) {
        self.stream = stream
        self.value = value
        self.madeAt = madeAt
        self.receivedAt = receivedAt
    }
}

/// Runs until its task is cancelled; outages are its own business, and are told through `report`.
package protocol PriceSource: Sendable {
    var name: String { get }
    func run(_ deliver: @escaping @Sendable (SourceTick) -> Void, _ report: @escaping @Sendable (SourceReport) -> Void) async
}

/// What a source says of itself, for logs and metrics.
package enum SourceReport: Equatable, Sendable {
    case connected
    /// Nothing came, or nothing of use: a stable reason, and words.
    case failed(reason: String, message: String)
    /// It answers, but some of what came was of no use.
    case unusable(reason: String, message: String)
}

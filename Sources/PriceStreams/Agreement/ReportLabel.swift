// What travels with a report inside the process, as its metadata: derived from the same outcome, covered by no
// signature.

import Ethereum

package struct ReportLabel: Hashable, Sendable {
    package let channelID: ChannelID
    package let format: ReportFormat
    package let feedID: FeedID?
    package let observationTimestampNanoseconds: UInt64

    package init(
        channelID: ChannelID, format: ReportFormat, feedID: FeedID?, observationTimestampNanoseconds: UInt64
    ) {
        self.channelID = channelID
        self.format = format
        self.feedID = feedID
        self.observationTimestampNanoseconds = observationTimestampNanoseconds
    }

    package var encoded: Bytes {
        var writer = CanonicalWriter(reserving: 49)
        writer.u32(channelID.rawValue)
        writer.u32(format.rawValue)
        writer.u64(observationTimestampNanoseconds)
        writer.flag(feedID != nil)
        if let feedID { writer.raw(feedID.bytes) }
        return writer.bytes
    }

    package init(encoded: Bytes) throws(PriceStreamsError) {
        var reader = CanonicalReader(encoded, .malformedLabel)
        channelID = ChannelID(try reader.u32())
        format = ReportFormat(rawValue: try reader.u32())
        observationTimestampNanoseconds = try reader.u64()
        feedID = try reader.flag() ? Hash32(bytes: reader.raw(32)).map(FeedID.init(_:)) : nil
        try reader.finish()
    }
}

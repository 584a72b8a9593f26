// All channels that an oracle wants, after the admission checks (5.2). A set that fails is not voted for.

import Ethereum

package struct ChannelSet: Equatable, Sendable {
    /// Ascending by id.
    package let channels: [Channel]

    package static let empty = ChannelSet(checked: [])

    private init(checked channels: [Channel]) { self.channels = channels }

    /// Throws by name: options that do not fit, a feed id in two channels, calculated streams that clash, too many
    /// channels or streams.
    package init(_ definitions: [ChannelID: ChannelDefinition]) throws(PriceStreamsError) {
        var channels: [Channel] = []
        for id in definitions.keys.sorted() {
            if let definition = definitions[id] { channels.append(try Channel(id, definition)) }
        }
        try ChannelSet.admit(channels)
        self.channels = channels
    }

    package subscript(id: ChannelID) -> Channel? {
        position(of: UInt64(id.rawValue), in: channels) { UInt64($0.id.rawValue) }.map { channels[$0] }
    }

    /// Rules over a whole set. `channels` ascend by id.
    static func admit(_ channels: [Channel]) throws(PriceStreamsError) {
        guard channels.count <= AgreementLimits.channelsMaximum else {
            throw PriceStreamsError(
                .tooLarge, "\(channels.count) channels", hint: "at most \(AgreementLimits.channelsMaximum)")
        }
        var feeds: [FeedID: ChannelID] = [:]
        var calculated: [StreamID: ChannelID] = [:]
        var keys: Set<AggregateKey> = []
        var bytes = 0
        for channel in channels {
            try channel.checkSchema()
            bytes += 4 + channel.definition.encodedCount
            keys.formUnion(channel.values)
            if let feed = channel.feedID, let other = feeds.updateValue(channel.id, forKey: feed) {
                throw PriceStreamsError(
                    .feedIDTwice, "feed \(feed) in channels \(other) and \(channel.id)",
                    hint: "a feed id belongs to one channel")
            }
            for stream in channel.options.calculated {
                if let other = calculated.updateValue(channel.id, forKey: stream.streamID) {
                    throw PriceStreamsError(
                        .calculatedStreamTwice, "stream \(stream.streamID) in channels \(other) and \(channel.id)",
                        hint: "give every expression a stream id of its own")
                }
            }
        }
        for channel in channels {
            for key in channel.observed where calculated[key.streamID] != nil {
                throw PriceStreamsError(
                    .calculatedStreamTwice, "stream \(key.streamID) is observed in channel \(channel.id)",
                    hint: "a calculated stream is not observed")
            }
        }
        guard keys.count <= AgreementLimits.streamsMaximum, bytes <= AgreementLimits.definitionsBytesMaximum else {
            throw PriceStreamsError(
                .tooLarge, "\(keys.count) aggregates, definitions of \(bytes) bytes",
                hint: "at most \(AgreementLimits.streamsMaximum) aggregates and "
                    + "\(AgreementLimits.definitionsBytesMaximum) bytes")
        }
    }
}

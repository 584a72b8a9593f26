// Makes this oracle's observation from the last outcome and what the edge has at hand. Pure; the edge reads the clock
// after its sources have answered (5.4).

import Ethereum

/// What the edge knows at the moment of an observation.
package struct StreamsSnapshot: Sendable {
    /// Nanoseconds since 1970, read at the end.
    package var clockNanoseconds: UInt64
    /// Values that passed the node's own checks (12.5); a stream that failed is simply absent.
    package var values: [StreamID: StreamValue]
    /// Whether the owner has promoted the successor.
    package var shouldRetire: Bool
    /// The predecessor's proof, once the edge has it.
    package var retirement: AttestedRetirement?
    /// A set that was loaded after the start; nil for the configuration's.
    package var channels: ChannelSet?

    package init(
        clockNanoseconds: UInt64, values: [StreamID: StreamValue], shouldRetire: Bool = false,
        retirement: AttestedRetirement? = nil, channels: ChannelSet? = nil
    ) {
        self.clockNanoseconds = clockNanoseconds
        self.values = values
        self.shouldRetire = shouldRetire
        self.retirement = retirement
        self.channels = channels
    }
}

package struct StreamsObserver: Sendable {
    package let configuration: StreamsConfiguration

    package init(configuration: StreamsConfiguration) { self.configuration = configuration }

    /// Streams that the round after `previousOutcome` asks for, ascending; none of a retired instance.
    package func streamsWanted(after previousOutcome: Bytes) throws(PriceStreamsError) -> [StreamID] {
        wanted(try StreamsOutcome.previous(previousOutcome, configuration))
    }

    private func wanted(_ previous: StreamsOutcome) -> [StreamID] {
        guard previous.stage != .retired else { return [] }
        var found: Set<StreamID> = []
        for item in previous.definitions where !item.definition.isTombstone {
            for key in item.definition.streams where key.aggregator != .calculated { found.insert(key.streamID) }
        }
        return found.sorted()
    }

    /// The observation's bytes. Values that would pass the size limit are left out from the highest stream down.
    package func observation(
        after previousOutcome: Bytes, _ snapshot: StreamsSnapshot
    ) throws(PriceStreamsError) -> Bytes {
        let previous = try StreamsOutcome.previous(previousOutcome, configuration)
        var observation = StreamsObservation(
            timestampNanoseconds: min(snapshot.clockNanoseconds, AgreementLimits.timestampMaximum),
            shouldRetire: previous.stage == .production && snapshot.shouldRetire)
        if previous.stage == .staging, let predecessor = configuration.predecessor, let proof = snapshot.retirement,
            (try? proof.verified(by: predecessor)) != nil
        {
            observation.retirement = proof
        }
        if previous.stage != .retired { vote(previous, snapshot.channels ?? configuration.channels, &observation) }
        let others = observation.encoded.count
        var room = AgreementLimits.observationBytesMaximum - others
        for stream in wanted(previous).prefix(AgreementLimits.streamsMaximum) {
            guard let value = snapshot.values[stream] else { continue }
            room -= 4 + value.encodedCount
            guard room >= 0 else { break }
            observation.values.append(StreamReading(stream, value))
        }
        return observation.encoded
    }

    private func vote(_ previous: StreamsOutcome, _ own: ChannelSet, _ observation: inout StreamsObservation) {
        for item in previous.definitions where own[item.channelID] == nil {
            guard observation.removals.count < AgreementLimits.removalsPerObservationMaximum else { break }
            observation.removals.append(item.channelID)
        }
        var bytes = 0
        for channel in own.channels where previous.definition(channel.id) != channel.definition {
            bytes += 4 + channel.definition.encodedCount
            guard observation.updates.count < AgreementLimits.updatesPerObservationMaximum,
                bytes <= AgreementLimits.updatesBytesPerObservationMaximum
            else { break }
            observation.updates.append(ChannelUpdate(channel.id, channel.definition))
        }
    }
}

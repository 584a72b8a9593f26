// Which channels have a report in a round (5.5), and what goes into it.

import Ethereum

package enum Reportability {
    /// The time rules: the interval, and never two reports within one unit of a header in seconds, whatever the codec.
    /// Upstream leaves format 7 out of the second rule, which would make reports with validFrom behind observations.
    package static func isDue(
        validAfterNanoseconds: UInt64, observationTimestampNanoseconds: UInt64, resolution: TimeResolution,
        protocolVersion: UInt32, reportIntervalNanoseconds: UInt64
    ) -> Bool {
        if protocolVersion >= 1 {
            let (due, overflow) = validAfterNanoseconds.addingReportingOverflow(reportIntervalNanoseconds)
            guard !overflow, observationTimestampNanoseconds >= due else { return false }
        }
        let unit = protocolVersion == 0 ? TimeResolution.seconds.nanoseconds : resolution.nanoseconds
        return validAfterNanoseconds / unit < observationTimestampNanoseconds / unit
    }

    /// The input of the channel's codec when it is to be reported, whether or not the codec takes it.
    static func input(
        _ channel: Channel, in outcome: StreamsOutcome, _ configuration: StreamsConfiguration, sequenceNumber: UInt64
    ) -> ReportInput? {
        guard outcome.stage != .retired, channel.isLive, let validAfter = outcome.validAfter(channel.id),
            isDue(
                validAfterNanoseconds: validAfter,
                observationTimestampNanoseconds: outcome.observationTimestampNanoseconds,
                resolution: channel.options.resolution, protocolVersion: configuration.protocolVersion,
                reportIntervalNanoseconds: configuration.reportIntervalNanoseconds)
        else { return nil }
        var values: [StreamValue?] = []
        values.reserveCapacity(channel.values.count)
        for key in channel.values {
            let value = outcome.aggregate(key)
            if value == nil, channel.definition.disablesNilValues { return nil }
            values.append(value)
        }
        return ReportInput(
            channelID: channel.id, validAfterNanoseconds: validAfter,
            observationTimestampNanoseconds: outcome.observationTimestampNanoseconds, values: values,
            sequenceNumber: sequenceNumber, configurationDigest: configuration.configurationDigest,
            isSpecimen: outcome.stage == .staging)
    }

    /// Whether the channel's time moves on after this outcome. Upstream moves it even when the codec fails, which
    /// leaves a hole in coverage (pitfall 30); ours only with a report. In staging nothing is published, so nothing can
    /// be missed.
    static func isCovered(
        _ channel: Channel, by outcome: StreamsOutcome, _ configuration: StreamsConfiguration
    ) -> Bool {
        guard let input = input(channel, in: outcome, configuration, sequenceNumber: 0) else { return false }
        return (try? channel.encoded(input)) != nil
    }
}

// What one instance is started with. The parts that change a result are the same on all oracles: `pinned` encodes them,
// so that a configuration digest can bind them.

import Ethereum

package struct StreamsConfiguration: Equatable, Sendable {
    package let configurationDigest: Hash32
    package let donID: UInt32
    /// N and F.
    package let oracleCount: Int
    package let faulty: Int
    /// 0: reports by the second; 1: by `reportIntervalNanoseconds`.
    package let protocolVersion: UInt32
    /// Least distance of two reports of a channel (5.5).
    package let reportIntervalNanoseconds: UInt64
    package let rules: StreamRules
    /// The channels that this oracle wants. Votes decide; oracles may differ for a while.
    package let channels: ChannelSet
    /// The instance that publishes until it retires; nil when this one begins in production.
    package let predecessor: OracleSet?

    /// Throws `badConfiguration` with the value that is wrong.
    package init(
        configurationDigest: Hash32, donID: UInt32, oracleCount: Int, faulty: Int, protocolVersion: UInt32 = 1,
        reportIntervalNanoseconds: UInt64, rules: StreamRules = .none, channels: ChannelSet = .empty,
        predecessor: OracleSet? = nil
    ) throws(PriceStreamsError) {
        self.configurationDigest = configurationDigest
        self.donID = donID
        self.oracleCount = oracleCount
        self.faulty = faulty
        self.protocolVersion = protocolVersion
        self.reportIntervalNanoseconds = reportIntervalNanoseconds
        self.rules = rules
        self.channels = channels
        self.predecessor = predecessor
        try validate()
    }

    private func validate() throws(PriceStreamsError) {
        func bad(_ what: String, _ hint: String) -> PriceStreamsError {
            PriceStreamsError(.badConfiguration, what, hint: hint)
        }
        guard faulty >= 1, oracleCount == 3 * faulty + 1, oracleCount <= AgreementLimits.oraclesMaximum else {
            throw bad("N = \(oracleCount), F = \(faulty)", "N is 3F + 1, F at least 1, N at most 31")
        }
        guard protocolVersion <= 1, (protocolVersion == 1) == (reportIntervalNanoseconds > 0),
            reportIntervalNanoseconds <= AgreementLimits.reportIntervalMaximum
        else {
            throw bad(
                "protocol version \(protocolVersion), interval \(reportIntervalNanoseconds) ns",
                "version 0 has no interval, version 1 has one, at most a day")
        }
        for rule in rules.rules {
            if let least = rule.minObservations, !(faulty + 1...oracleCount).contains(least) {
                throw bad(
                    "minObservations \(least) of stream \(rule.streamID)",
                    "F + 1 = \(faulty + 1) to N = \(oracleCount): fewer could all be faulty")
            }
        }
        guard predecessor?.digest != configurationDigest else {
            throw bad("an instance that succeeds itself", "name the digest of the instance before")
        }
    }

    /// Observations that a round needs: 2F+1.
    package var observationQuorum: Int { 2 * faulty + 1 }

    /// Everything that changes a result and is not already in the configuration digest's own fields: protocol,
    /// interval, rules. Goes into the off-chain configuration, and so into the digest.
    package var pinned: Bytes {
        var writer = CanonicalWriter()
        writer.raw(Bytes("causeway-streams-1".utf8))
        writer.u32(protocolVersion)
        writer.u64(reportIntervalNanoseconds)
        writer.string(rules.encoded)
        return writer.bytes
    }

    /// The parsed form of a definition: this oracle's own when it is equal, which it nearly always is.
    func channel(_ item: ChannelUpdate) -> Channel? {
        if let own = channels[item.channelID], own.definition == item.definition { return own }
        return try? Channel(item.channelID, item.definition)
    }

    /// Usable channels of an outcome, ascending.
    func channels(of outcome: StreamsOutcome) -> [Channel] { outcome.definitions.compactMap(channel) }
}

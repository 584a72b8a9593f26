// streams.yaml: what all oracles and gateways of a DON share. Public data; strict; checked as a whole before anything
// starts. The digest of its signers, fault bound and rules names the DON in every report.

import Configuration
import Ethereum
import MessageBus
import OffchainReporting
import PriceStreams

/// One DON: its oracles, gateways, streams and feeds. docs/reference/streams-config.md explains every key.
package struct StreamsSettings: Sendable, Equatable {
    /// Where the DON's configuration is registered: what the digest binds besides the oracles.
    package struct Configurator: Sendable, Equatable {
        package var chainID: UInt64
        package var address: Address
        package var count: UInt64
    }

    package struct Oracle: Sendable, Equatable {
        package var name: String
        /// secp256k1: signs reports.
        package var signer: Address
        /// Ed25519, 32 bytes: signs observations and votes.
        package var offchainPublicKey: Bytes
        package var curvePublicKey: CurvePublicKey
        package var endpoint: Endpoint
    }

    package struct Gateway: Sendable, Equatable {
        /// Also the name of its origin for clients.
        package var name: String
        package var curvePublicKey: CurvePublicKey
        /// Where oracles send reports.
        package var ingress: Endpoint
        /// Where subscribers find it; nil where it is told to them in another way.
        package var access: Access?
    }

    /// The public doors of a gateway.
    package struct Access: Sendable, Equatable {
        package var feed: Endpoint
        package var requests: Endpoint
        /// `http://HOST:PORT` of the API.
        package var api: String
        package var isPlaintext: Bool
    }

    package var name: String
    package var donID: UInt32
    package var faulty: Int
    package var configurator: Configurator
    /// The configuration from which this one takes over; it then starts in staging.
    package var predecessor: Hash32?
    package var reportIntervalNanosecondsMinimum: UInt64
    package var timing: Timing
    package var oracles: [Oracle]
    package var gateways: [Gateway]
    package var streams: [StreamSettings]
    package var feeds: [FeedSettings]

    package func stream(_ id: StreamID) -> StreamSettings? { streams.first { $0.id == id } }
    package func feed(_ id: FeedID) -> FeedSettings? { feeds.first { $0.feedID == id } }
}

extension StreamsSettings {
    /// Reads and validates. Throws `ConfigurationError` that names file, line, key and what was expected.
    package init(yaml text: String, file: String) throws(ConfigurationError) {
        let reader = try ConfigurationReader(text: text, file: file, environment: [:])
        var root = reader.root
        _ = try root.integer("version", in: 1...1, default: 1)
        name = try root.string("name")
        var don = try root.section("don")
        donID = UInt32(try don.integer("id", in: 1...Int(UInt32.max)))
        faulty = try don.integer("faulty", in: 1...10)
        var configurator = try don.section("configurator")
        self.configurator = Configurator(
            chainID: try configurator.number("chainId"), address: try configurator.address("address"),
            count: try configurator.number("count", default: "1"))
        try configurator.finish()
        predecessor = don.has("predecessor") ? try don.hash("predecessor") : nil
        reportIntervalNanosecondsMinimum = try don.milliseconds("minimumReportInterval", default: 50)
        try don.finish()
        var intervals = try root.section("timing")
        timing = try Self.timing(&intervals)
        var oracles: [Oracle] = []
        for var section in try root.sections("oracles", required: true) { oracles.append(try Self.oracle(&section)) }
        self.oracles = oracles
        var gateways: [Gateway] = []
        for var section in try root.sections("gateways", required: true) { gateways.append(try Self.gateway(&section)) }
        self.gateways = gateways
        var streams: [StreamSettings] = []
        for var section in try root.sections("streams", required: true) { streams.append(try StreamSettings(&section)) }
        self.streams = streams
        var fees = try root.section("fees")
        let names = streams.map(\.name).joined(separator: ", ")
        func feeStream(_ key: String) throws(ConfigurationError) -> StreamSettings {
            try fees.value(key, expected: "one of the streams \(names)") { name in streams.first { $0.name == name } }
        }
        let feeStreams = FeeStreams(native: try feeStream("native"), link: try feeStream("link"))
        try fees.finish()
        var feeds: [FeedSettings] = []
        for var section in try root.sections("feeds", required: true) {
            feeds.append(try FeedSettings(&section, streams: streams, fees: feeStreams))
        }
        self.feeds = feeds.sorted { $0.channel < $1.channel }
        try root.finish()
        try reader.finish()
        try validate(file)
    }

    private static func oracle(_ section: inout ConfigurationSection) throws(ConfigurationError) -> Oracle {
        let oracle = Oracle(
            name: try section.string("name"), signer: try section.address("signer"),
            offchainPublicKey: try section.value("offchainPublicKey", expected: "32 bytes as hex (Ed25519)") { text in
                (try? Hex.decode(text)).flatMap { $0.count == 32 ? $0 : nil }
            },
            curvePublicKey: try section.curveKey("curvePublicKey"), endpoint: try section.endpoint("endpoint"))
        try section.finish()
        return oracle
    }

    private static func gateway(_ section: inout ConfigurationSection) throws(ConfigurationError) -> Gateway {
        let gateway = Gateway(
            name: try section.value("name", expected: "1 to 32 of a-z, 0-9 and '-', not beginning with ws") { text in
                isOrigin(text) ? text : nil
            },
            curvePublicKey: try section.curveKey("curvePublicKey"), ingress: try section.endpoint("ingress"),
            access: section.has("access") ? try access(&section) : nil)
        try section.finish()
        return gateway
    }

    private static func access(_ section: inout ConfigurationSection) throws(ConfigurationError) -> Access {
        var doors = try section.section("access")
        let access = Access(
            feed: try doors.endpoint("feed"), requests: try doors.endpoint("requests"),
            api: try doors.value("api", expected: "http:// or https:// with host and port") { text in
                text.hasPrefix("http://") || text.hasPrefix("https://") ? text : nil
            },
            isPlaintext: try doors.bool("plaintext", default: false))
        try doors.finish()
        return access
    }

    /// The name of an origin (10.1).
    static func isOrigin(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count) && !text.hasPrefix("ws")
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x2d
            }
    }

    private static func timing(_ section: inout ConfigurationSection) throws(ConfigurationError) -> Timing {
        func interval(_ key: String, default builtIn: UInt64) throws(ConfigurationError) -> UInt64 {
            UInt64(try section.integer(key, in: 0...Limits.intervalMillisecondsMaximum, default: Int(builtIn)))
        }
        var timing = Timing()
        timing.deltaProgress = try interval("deltaProgress", default: 600)
        timing.deltaResend = try interval("deltaResend", default: 500)
        timing.deltaInitial = try interval("deltaInitial", default: 300)
        timing.deltaRound = try interval("deltaRound", default: 100)
        timing.deltaIdle = try interval("deltaIdle", default: timing.deltaRound)
        timing.deltaGrace = try interval("deltaGrace", default: 15)
        timing.deltaCertifiedCommitRequest = try interval("deltaCertifiedCommitRequest", default: 200)
        // Time for a gateway to check a round, to write it down and to say so, before the next oracle stands in. Less would
        // make a busy machine do everything twice.
        timing.deltaStage = max(75, timing.deltaRound * 6 / 10)
        timing.rMax = try section.number("rMax", default: "1000000")
        try section.finish()
        return timing
    }

    /// How long a gateway keeps a report back for the one before it: until the last oracle that may have to stand in for F
    /// others has done so, and a moment for its way.
    var reportPatienceMilliseconds: UInt64 { timing.deltaStage * UInt64(faulty) + Limits.patienceMilliseconds }

    /// What no single key can show.
    private func validate(_ file: String) throws(ConfigurationError) {
        func refuse(_ text: String, _ hint: String) -> ConfigurationError {
            ConfigurationError(.invalidValue, "\(file): \(text)", hint: hint)
        }
        func distinct(_ what: String, _ values: [String]) throws(ConfigurationError) {
            var seen: Set<String> = []
            for value in values where !seen.insert(value).inserted {
                throw refuse("the \(what) \(value) is there twice", "each has its own")
            }
        }
        guard oracles.count == 3 * faulty + 1, oracles.count <= Limits.oraclesMaximum else {
            throw refuse(
                "\(oracles.count) oracles with faulty: \(faulty)",
                "N must be 3F+1, that is \(3 * faulty + 1), and at most \(Limits.oraclesMaximum)")
        }
        guard (1...Limits.gatewaysMaximum).contains(gateways.count) else {
            throw refuse("\(gateways.count) gateways", "1 to \(Limits.gatewaysMaximum)")
        }
        try distinct("name", oracles.map(\.name) + gateways.map(\.name))
        try distinct("signer", oracles.map { "\($0.signer)" })
        try distinct("off-chain public key", oracles.map { Hex.encode($0.offchainPublicKey) })
        try distinct("CURVE key", oracles.map(\.curvePublicKey.z85) + gateways.map(\.curvePublicKey.z85))
        try distinct("stream name", streams.map(\.name))
        try distinct("stream id", streams.map { "\($0.id)" })
        try distinct("channel", feeds.map { "\($0.channel)" })
        for stream in streams {
            guard let least = stream.rule.minObservations else { continue }
            guard (faulty + 1...oracles.count).contains(least) else {
                throw refuse("minObservations \(least) of stream \(stream.name)", "\(faulty + 1) to \(oracles.count)")
            }
        }
        do {
            _ = try channels()
            _ = try configurationDigest()
        } catch { throw refuse("\(error)", "correct the feeds, streams or the DON") }
    }
}

// MARK: - What follows from it

extension StreamsSettings {
    /// All channels after the admission checks.
    package func channels() throws(PriceStreamsError) -> ChannelSet {
        try ChannelSet(Dictionary(feeds.map { ($0.channel, $0.definition) }) { first, _ in first })
    }

    package func rules() throws(PriceStreamsError) -> StreamRules { try StreamRules(streams.map(\.rule)) }

    package func donConfiguration() throws(PriceStreamsError) -> DONConfiguration {
        guard let faulty = UInt8(exactly: faulty) else { preconditionFailure("F is at most 10") }
        return DONConfiguration(
            donID: donID, chainID: configurator.chainID, address: configurator.address, count: configurator.count,
            oracles: oracles.map {
                .init(signer: $0.signer, offchainPublicKey: Hash32(bytes: $0.offchainPublicKey) ?? .zero)
            },
            faulty: faulty, predecessor: predecessor, reportIntervalNanosecondsMinimum: reportIntervalNanosecondsMinimum,
            rules: try rules())
    }

    /// The digest in every report and in the Verifier contract (3.3).
    package func configurationDigest() throws(PriceStreamsError) -> Hash32 { try donConfiguration().digest() }

    /// Who may sign this DON's reports.
    package func oracleSet() throws(PriceStreamsError) -> OracleSet {
        try OracleSet(
            digest: try configurationDigest(), faulty: faulty, signers: oracles.map(\.signer), donID: donID)
    }

    /// As the Configurator has it, or will have it.
    package func registered() throws(PriceStreamsError) -> RegisteredConfiguration {
        RegisteredConfiguration(
            digest: try configurationDigest(), count: configurator.count, signers: oracles.map(\.signer),
            faulty: UInt8(clamping: faulty), predecessor: predecessor)
    }

    /// What agreement is started with. `predecessor` are the oracles of the configuration of that name.
    package func configuration(predecessor: OracleSet? = nil) throws(PriceStreamsError) -> StreamsConfiguration {
        guard predecessor?.digest == self.predecessor else {
            throw PriceStreamsError(
                .badConfiguration, "the oracles of the predecessor \(self.predecessor?.hex ?? "") are not known",
                hint: "put its file into the folder of configurations")
        }
        return try StreamsConfiguration(
            configurationDigest: try configurationDigest(), donID: donID, oracleCount: oracles.count, faulty: faulty,
            reportIntervalNanoseconds: reportIntervalNanosecondsMinimum, rules: try rules(), channels: try channels(),
            predecessor: predecessor)
    }

    /// Believes this configuration's oracles, and those of `others`, in the feeds that any of them has.
    package func verifier(_ others: [StreamsSettings] = []) throws(PriceStreamsError) -> ReportVerifier {
        var sets: [OracleSet] = []
        var feeds: [UInt32: Set<FeedID>] = [:]
        for settings in others + [self] {
            sets.append(try settings.oracleSet())
            feeds[settings.donID, default: []].formUnion(settings.feeds.map(\.feedID))
        }
        return ReportVerifier(sets, feeds: feeds)
    }
}

// MARK: - Values

extension ConfigurationSection {
    mutating func endpoint(_ key: String) throws(ConfigurationError) -> Endpoint {
        try value(key, expected: "an endpoint like tcp://127.0.0.1:9500") { try? Endpoint($0) }
    }

    mutating func curveKey(_ key: String) throws(ConfigurationError) -> CurvePublicKey {
        try value(key, expected: "40 letters of Z85") { try? CurvePublicKey(z85: $0) }
    }
}

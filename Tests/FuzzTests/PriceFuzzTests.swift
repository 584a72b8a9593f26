// Reports, full reports, configurations and JSON of the price streams: what decodes must encode to the same bytes, and
// no bytes may trap the rules of the contracts.

import Ethereum
import PriceStreams
import TestSupport
import Testing

@Suite("Fuzz: price reports")
struct PriceFuzzTests {
    private static func blobs() -> [Bytes] {
        let versions = Array(ReportSchema.versions) + Array(ReportSchema.privateVersions)
        return versions.compactMap { version in
            ReportSchema(version: version).map {
                Bytes(bigEndian: version) + Bytes(repeating: 0, count: $0.byteCount - 2)
            }
        }
    }

    private static func fullReports() throws -> [Bytes] {
        let vectors = try #require(try Vectors.load("data-streams.json")["envelopes"]?.asArray)
        return try vectors.map { try Hex.decode(try #require($0["fullReport"]?.asString)) }
    }

    @Test("reports: what decodes encodes to the same bytes, and all that is asked of it has an answer")
    func reports() throws {
        var corpus = Self.blobs()
        corpus += try Self.fullReports().map { try FullReport(encoded: $0).blob }
        try Fuzz("price-report", corpus: corpus).run { input in
            guard let report = try? PriceReport(blob: input) else { return false }
            try hold(report.blob == input, "decoding is the inverse of encoding")
            let again = try? PriceReport(header: report.header, body: report.body)
            try hold(again == report, "the parts make the same report")
            try hold(report.fields.count == report.schema.wordCount, "every word has a name")
            for hours in TradingHours.allCases { _ = report.session(hours: hours) }
            for feedClass in FeedClass.allCases {
                var policy = ConsumerPolicy(feedID: report.feedID, class: feedClass, hours: .standard)
                policy.spreadMaximum = .max
                policy.jumpMaximum = 1
                _ = policy.refusals(report, now: report.observationsNanoseconds, last: .init(report))
            }
            return true
        }
    }

    @Test("full reports: what decodes encodes to the same bytes; verifiers and contracts have an answer to anything")
    func fullReports() throws {
        let keys = try (0..<4).map { try PrivateKey(bytes: keccak256(text: "fuzz \($0)").bytes) }
        let corpus = try Self.fullReports()
        let digest = try FullReport(encoded: corpus[0]).context.configurationDigest
        let set = try OracleSet(digest: digest, faulty: 1, signers: keys.map(\.address), donID: 42)
        let verifier = ReportVerifier([set])
        try Fuzz("full-report", corpus: corpus).run { input in
            for generation in VerifierGeneration.allCases {
                let verdict = OnchainRules.verdict(input, generation: generation, sets: [set])
                try hold(verdict != .accepted, "nobody signed this")
            }
            guard let full = try? FullReport(encoded: input) else { return false }
            try hold(full.encoded == input, "decoding is the inverse of encoding")
            try hold((try? verifier.verify(full)) == nil, "nobody signed this")
            return true
        }
    }

    @Test("configurations: what decodes encodes to the same bytes")
    func configurations() throws {
        let corpus: [Bytes] = [
            OnchainConfiguration(predecessor: nil).encoded, OnchainConfiguration(predecessor: Hash32(7)).encoded,
            try OffchainConfiguration(
                protocolVersion: 1, reportIntervalNanosecondsMinimum: 100_000_000, compressesObservations: true
            ).encoded, [],
        ]
        try Fuzz("price-configuration", corpus: corpus).run { input in
            if let configuration = try? OnchainConfiguration(encoded: input) {
                try hold(configuration.encoded == input, "an on-chain configuration is kept")
                return true
            }
            guard let configuration = try? OffchainConfiguration(encoded: input) else { return false }
            try hold(configuration.encoded == input, "an off-chain configuration is kept")
            return true
        }
    }

    @Test("JSON of reports: what is read is written so that it is read again")
    func json() throws {
        let feed = FeedID(version: 3, symbol: "ETH/USD", segment: "spot")
        let report = ReportJSON(
            feedID: feed, validFromTimestamp: 1, observationsTimestamp: 2, fullReport: [1, 2, 3])
        try Fuzz("report-json", corpus: [report.single]).run { input in
            _ = RequestTime(header: String(decoding: input, as: UTF8.self), nowMilliseconds: 7)
            guard let report = try? ReportJSON(single: input) else { return false }
            try hold((try? ReportJSON(single: report.single)) == report, "writing is the inverse of reading")
            return true
        }
    }
}

// Validation of the instance configuration, leader order and transmission order.

import Testing

@testable import OffchainReporting

@Suite("Instance configuration")
struct ConfigurationTests {
    typealias Change = @Sendable (inout Draft) -> Void

    struct Draft {
        var oracles = (0..<4).map { OracleIdentity(offchainPublicKey: [1, $0], onchainSigner: [2, $0]) }
        var faulty = 1
        var ownIndex = 0
        var transmitters: [Int]? = nil
        var timing = Timing()
        var sizes = SizeLimits()
        var plugin = "commit"

        func make() throws -> InstanceConfiguration {
            try InstanceConfiguration(
                label: InstanceLabel(destinationSelector: 1, plugin: plugin), digest: toyDigest, oracles: oracles,
                faulty: faulty, ownIndex: ownIndex, transmitters: transmitters, timing: timing, sizes: sizes)
        }
    }

    @Test("the defaults are valid and give q = 2F+1")
    func defaults() throws {
        let configuration = try Draft().make()
        #expect(configuration.count == 4)
        #expect(configuration.quorum == 3)
        #expect(configuration.oneHonest == 2)
        #expect(configuration.transmitters == [0, 1, 2, 3])
    }

    static let flaws: [(OffchainReportingError.Code, Change)] = [
        (
            .noFaultsTolerated,
            {
                $0.faulty = 0
                $0.oracles = [$0.oracles[0]]
            }
        ),
        (.oracleCountNotThreeFPlusOne, { $0.oracles.removeLast() }),
        (.oracleCountNotThreeFPlusOne, { $0.faulty = 2 }),
        (
            .tooManyOracles,
            { draft in
                draft.faulty = 11
                draft.oracles = (0..<34).map { OracleIdentity(offchainPublicKey: [1, $0], onchainSigner: [2, $0]) }
            }
        ),
        (.emptyKey, { $0.oracles[2] = OracleIdentity(offchainPublicKey: [], onchainSigner: [9]) }),
        (.duplicateOffchainKey, { $0.oracles[3] = OracleIdentity(offchainPublicKey: [1, 0], onchainSigner: [9]) }),
        (.duplicateOnchainSigner, { $0.oracles[3] = OracleIdentity(offchainPublicKey: [9], onchainSigner: [2, 1]) }),
        (.ownIndexOutOfRange, { $0.ownIndex = 4 }),
        (.ownIndexOutOfRange, { $0.ownIndex = -1 }),
        (.badTransmitters, { $0.transmitters = [] }),
        (.badTransmitters, { $0.transmitters = [1, 1] }),
        (.badTransmitters, { $0.transmitters = [2, 1] }),
        (.badTransmitters, { $0.transmitters = [0, 4] }),
        (.badInterval, { $0.timing.deltaProgress = 99 }),
        (.badInterval, { $0.timing.deltaResend = 0 }),
        (.badInterval, { $0.timing.deltaInitial = 5 }),
        (.badInterval, { $0.timing.deltaCertifiedCommitRequest = 1 }),
        (.badInterval, { $0.timing.deltaRound = 30_000 }),
        (.badInterval, { $0.timing.deltaGrace = 30_000 }),
        (.badInterval, { $0.timing.deltaIdle = 30_000 }),
        (.badInterval, { $0.timing.deltaIdle = 1_000 }),
        (.badInterval, { $0.timing.deltaStage = 100_000_000 }),
        (.badInterval, { $0.timing.rMax = 0 }),
        (.badSizeLimit, { $0.sizes.observation = 2 << 20 }),
        (.badSizeLimit, { $0.sizes.outcome = -1 }),
        (.badSizeLimit, { $0.sizes.reportsPerOutcome = 2_001 }),
        (.badLabel, { $0.plugin = "" }),
    ]

    @Test("each flaw is refused by name", arguments: flaws.indices)
    func flaw(index: Int) throws {
        let (code, change) = ConfigurationTests.flaws[index]
        var draft = Draft()
        change(&draft)
        let error = #expect(throws: OffchainReportingError.self) { try draft.make() }
        #expect(error?.code == code)
    }

    @Test("every oracle leads exactly once in N consecutive epochs", arguments: [1, 2, 10])
    func leaders(faulty: Int) throws {
        let configuration = try toyConfiguration(faulty: faulty)
        let count = UInt64(configuration.count)
        for span in UInt64(0)..<20 {
            let leaders = (span * count..<(span + 1) * count).map { configuration.leader(of: $0, hashing: toyHashing) }
            #expect(leaders.sorted() == Array(0..<configuration.count))
        }
    }

    @Test("the transmitters of a report have distinct turns, one stage apart, and agree on them")
    func transmissionOrder() throws {
        for sequenceNumber in UInt64(1)...20 {
            let key = ReportKey(sequenceNumber: sequenceNumber, index: 0)
            let delays = try (0..<7).map { own in
                try #require(try toyConfiguration(faulty: 2, own: own).transmissionDelay(key, hashing: toyHashing))
            }
            #expect(delays.sorted() == (0..<7).map { UInt64($0) * 50 })
        }
    }

    @Test("an oracle that is no transmitter has no turn")
    func noTransmitter() throws {
        var draft = Draft()
        draft.transmitters = [1, 3]
        let delay = try draft.make().transmissionDelay(ReportKey(sequenceNumber: 1, index: 0), hashing: toyHashing)
        #expect(delay == nil)
    }
}

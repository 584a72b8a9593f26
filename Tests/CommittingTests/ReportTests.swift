// Reports: their bytes, what is signed, and the checks before they go on.

import CCIP
import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import Committing

@Suite("Reports")
struct ReportTests {
    @Test("the attestation digest is the one of 25 commits that real contracts took")
    func digests() throws {
        let world = World()
        let plugin = CommitPlugin(configuration: try world.configuration())
        let file = try Vectors.load("ccip-1.6.json")
        let vectors = try #require(file["ocr3CommitSignatures"]?.asArray)
        #expect(vectors.count == 25)
        for vector in vectors {
            func bytes(_ name: String) throws -> Bytes { try Hex.decode(try #require(vector[name]?.asString)) }
            let report = Report(bytes: try bytes("report"))
            let digest = plugin.attestationDigest(
                of: report, sequenceNumber: try #require(vector["sequenceNumber"]?.asUInt256?.asUInt64),
                configurationDigest: try #require(Digest(try bytes("configDigest"))))
            #expect(try digest.bytes == bytes("digest"))
        }
    }

    @Test("a report is exactly the contract's CommitReport, all roots unblessed, no RMN signature")
    func bytes() throws {
        var world = World()
        try world.send(2, on: 0)
        var rounds = Rounds(try world.configuration())
        try rounds.play(world)
        let reports = try rounds.plugin.reports(sequenceNumber: 1, outcome: rounds.outcome)
        let expected = CommitReport(unblessed: [
            MerkleRoot(
                source: 101, onRamp: world.sources[0].lane.onRamp.abiWord, first: 1, last: 2,
                root: try world.trueRoot(0, 1, 2))
        ])
        #expect(reports == [Report(bytes: expected.encoded)])
        #expect(rounds.plugin.transmitsSignatures)
        // The same outcome under another number has nothing new to report.
        #expect(try rounds.plugin.reports(sequenceNumber: 2, outcome: rounds.outcome).isEmpty)
        #expect(try rounds.plugin.reports(sequenceNumber: 1, outcome: []).isEmpty)
    }

    // MARK: Checks

    /// A report over both lanes with a price, and a snapshot that accepts it.
    private func good() throws -> (CommitObserver, CommitReport, CommitSnapshot, Digest) {
        var world = World()
        try world.send(2, on: 0)
        try world.send(1, on: 1)
        let rounds = Rounds(try world.configuration())
        let report = CommitReport(
            prices: PriceUpdates(gas: [GasPriceUpdate(destination: 101, usdPerUnitGas: UInt224(5))]),
            unblessed: try (0..<2).map { index in
                let last = UInt64(world.sources[index].leaves.count)
                return MerkleRoot(
                    source: world.sources[index].lane.source, onRamp: world.sources[index].lane.onRampBytes, first: 1,
                    last: SequenceNumber(last), root: try world.trueRoot(index, 1, last))
            })
        return (rounds.observer(1), report, world.snapshot(), try rounds.digest)
    }

    typealias Spoil = @Sendable (inout CommitReport, inout CommitSnapshot) -> Void

    static let spoils: [(CommitRejection, Spoil)] = [
        (.emptyReport, { r, _ in r = CommitReport() }),
        (.emptyRoot, { r, _ in r.unblessed[1].root = .zero }),
        (.emptyRoot, { r, _ in r.unblessed[1].onRamp = [] }),
        (.invalidRange, { r, _ in r.unblessed[0].last = 0 }),
        (.invalidRange, { r, _ in r.unblessed[0].last = 257 }),
        (.invalidRange, { r, _ in r.unblessed[0].first = 0 }),
        (.blessingMismatch, { r, _ in (r.blessed, r.unblessed) = (r.unblessed, []) }),
        (
            .blessingMismatch,
            { r, _ in
                (r.blessed, r.unblessed) = (r.unblessed, [])
                r.rmnSignatures = [RMNSignature(r: .zero, s: .zero)]
            }
        ),
        (.blessingMismatch, { r, _ in r.rmnSignatures = [RMNSignature(r: .zero, s: .zero)] }),
        (.blessingMismatch, { _, s in s.destination?.sourceConfigs[101]?.isRMNVerificationDisabled = false }),
        (.destinationNotRead, { _, s in s.destination = nil }),
        (.curseUnknown, { _, s in s.destination?.curse = .unknown }),
        (.cursed, { _, s in s.destination?.curse = .known(CursedSubjects([CurseSubject.global])) }),
        (.cursed, { _, s in s.destination?.curse = .known(CursedSubjects([destinationChain.curseSubject])) }),
        (.cursed, { _, s in s.destination?.curse = .known(CursedSubjects([ChainSelector(102).curseSubject])) }),
        (.configurationDigestUnknown, { _, s in s.destination?.configurationDigest = nil }),
        (.configurationDigestMismatch, { _, s in s.destination?.configurationDigest = .zero }),
        (.stale, { _, s in s.destination?.sourceConfigs[101]?.minSequenceNumber = 2 }),
        (.stale, { r, _ in r.unblessed[0].first = 2 }),
        (.stale, { r, _ in r.unblessed = [r.unblessed[0], r.unblessed[0]] }),
        (
            .stale,
            { r, s in
                r.unblessed = []
                s.destination?.latestPriceSequenceNumber = 9
            }
        ),
        (
            .staleUnknown,
            { r, s in
                r.unblessed = []
                s.destination?.latestPriceSequenceNumber = nil
            }
        ),
        (.staleUnknown, { _, s in s.destination?.sourceConfigs[101] = nil }),
        (
            .unknownLane,
            { r, s in
                r.unblessed[1].source = 777
                let config = s.destination?.sourceConfigs[102]
                s.destination?.sourceConfigs[777] = config
            }
        ),
        (.sourceHalted, { _, s in s.haltedSources = [102] }),
        (.laneNotLive, { _, s in s.destination?.sourceConfigs[102]?.isEnabled = false }),
        (.onRampMismatch, { _, s in s.destination?.sourceConfigs[102]?.onRamp[31] ^= 1 }),
        (.onRampMismatch, { r, _ in r.unblessed[1].onRamp[31] ^= 1 }),
        (.rootMismatch, { r, _ in r.unblessed[0].root = keccak256([]) }),
    ]

    @Test("a good report is accepted, and each spoiled one is refused by its name")
    func checks() throws {
        let (observer, report, snapshot, digest) = try good()
        func verdict(_ report: CommitReport, _ snapshot: CommitSnapshot) -> CommitVerdict {
            let bytes = Report(bytes: report.encoded)
            let accepted = observer.shouldAccept(
                bytes, sequenceNumber: 9, configurationDigest: digest, snapshot: snapshot)
            let transmitted = observer.shouldTransmit(
                bytes, sequenceNumber: 9, configurationDigest: digest, snapshot: snapshot)
            #expect(accepted == transmitted)
            return accepted
        }
        #expect(verdict(report, snapshot) == .accepted)
        for (index, (rejection, spoil)) in Self.spoils.enumerated() {
            var (report, snapshot) = (report, snapshot)
            spoil(&report, &snapshot)
            #expect(verdict(report, snapshot) == .rejected(rejection), "spoil \(index)")
        }
        // Those of blessed roots are met in BlessedReportTests.
        let covered = Set(Self.spoils.map(\.0)).union([
            .decodeReport, .destinationNotSupported, .rmnConfigurationUnknown, .rmnConfigurationChanged, .rmnSignatures,
        ])
        #expect(covered == Set(CommitRejection.allCases), "every rejection has a report that meets it")
    }

    @Test("a price-only report is accepted only above the stored number")
    func priceOnly() throws {
        var (observer, report, snapshot, digest) = try good()
        report.unblessed = []
        snapshot.destination?.latestPriceSequenceNumber = 8
        for (number, isAccepted) in [(UInt64(9), true), (8, false), (7, false)] {
            let verdict = observer.shouldAccept(
                Report(bytes: report.encoded), sequenceNumber: number, configurationDigest: digest, snapshot: snapshot)
            #expect(verdict.isAccepted == isAccepted)
        }
    }

    @Test("bytes that are no report, and a destination that is not read")
    func others() throws {
        let (observer, report, snapshot, digest) = try good()
        for bytes in [[], [1], report.encoded + [0], Bytes(report.encoded.dropLast())] {
            let verdict = observer.shouldAccept(
                Report(bytes: bytes), sequenceNumber: 9, configurationDigest: digest, snapshot: snapshot)
            #expect(verdict == .rejected(.decodeReport))
        }
        let configuration = try World().configuration(readers: [destinationChain: [0, 1, 2, 3]], faulty: 2)
        let verdict = CommitObserver(configuration: configuration, ownIndex: 5).shouldAccept(
            Report(bytes: report.encoded), sequenceNumber: 9, configurationDigest: digest, snapshot: snapshot)
        #expect(verdict == .rejected(.destinationNotSupported))
    }
}

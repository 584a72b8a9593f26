// Stored records and wire messages: round trips, strictness, and seeded fuzz of both decoders.

import Testing

@testable import OffchainReporting

@Suite("Durable records and wire messages")
struct EncodingTests {
    let configuration: InstanceConfiguration
    let codec: WireCodec

    init() throws {
        configuration = try toyConfiguration(queryBytes: 8)
        codec = WireCodec(configuration: configuration)
    }

    static func signatures(_ signers: [Int]) -> [AttributedSignature] {
        signers.map { AttributedSignature(signer: $0, signature: [UInt8](repeating: UInt8($0), count: 32)) }
    }

    static let prepared = CertifiedPrepare(
        epoch: 3, sequenceNumber: 9, inputsDigest: toyDigest, outcome: [1, 2, 3], signatures: signatures([0, 1, 3]))
    static let committed = CertifiedCommit(
        epoch: 3, sequenceNumber: 8, outcome: [4, 5], signatures: signatures([0, 2, 3]))

    static let records: [DurableRecord] = [
        .pacemaker(PacemakerRecord(epoch: 3, wish: 5, votingFloor: 2, learningFloor: true, halted: false)),
        .vote(
            VoteRecord(
                kind: .prepare, epoch: 3, sequenceNumber: 9, inputsDigest: toyDigest, outcomeDigest: .zero,
                signature: [7, 7])),
        .vote(
            VoteRecord(
                kind: .commit, epoch: 3, sequenceNumber: 9, inputsDigest: .zero, outcomeDigest: toyDigest, signature: []
            )),
        .prepared(prepared),
        .committed(committed),
    ]

    @Test(
        "every record survives encoding, and no prefix, extension or other configuration is accepted",
        arguments: records)
    func recordRoundTrip(record: DurableRecord) throws {
        let bytes = record.encoded(for: toyDigest)
        #expect(try DurableRecord(decoding: bytes, for: toyDigest) == record)
        for length in 0..<bytes.count {
            #expect(throws: OffchainReportingError.self) {
                try DurableRecord(decoding: Array(bytes.prefix(length)), for: toyDigest)
            }
        }
        let longer = #expect(throws: OffchainReportingError.self) {
            try DurableRecord(decoding: bytes + [0], for: toyDigest)
        }
        #expect(longer?.code == .recordTrailingBytes)
        let other = #expect(throws: OffchainReportingError.self) { try DurableRecord(decoding: bytes, for: .zero) }
        #expect(other?.code == .recordOfAnotherConfiguration)
    }

    @Test("rows give back the state in any order")
    func stateRoundTrip() throws {
        let rows = EncodingTests.records.map { $0.encoded(for: toyDigest) }
        let state = try #require(try DurableState.restoring(rows.reversed(), for: toyDigest))
        #expect(state.records == EncodingTests.records)
        #expect(state.highestCertificate == .prepare(EncodingTests.prepared))
        #expect(try DurableState.restoring([], for: toyDigest) == nil)
    }

    @Test("rows that contradict each other are refused", arguments: [[1, 3], [0, 0, 3], [0, 2]])
    func inconsistentRows(indices: [Int]) throws {
        let rows = indices.map { EncodingTests.records[$0].encoded(for: toyDigest) }
        let error = #expect(throws: OffchainReportingError.self) { try DurableState.restoring(rows, for: toyDigest) }
        #expect(error?.code == .recordsInconsistent)
    }

    @Test("a vote above the entered epoch is refused")
    func voteAboveEpoch() throws {
        let pacemaker = DurableRecord.pacemaker(
            PacemakerRecord(epoch: 2, wish: 2, votingFloor: 0, learningFloor: false, halted: false))
        let rows = [pacemaker, EncodingTests.records[1]].map { $0.encoded(for: toyDigest) }
        #expect(throws: OffchainReportingError.self) { try DurableState.restoring(rows, for: toyDigest) }
    }

    @Test("a mutated record is refused or is another valid record, never a crash; seed 7")
    func recordFuzz() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<20_000 {
            var bytes = EncodingTests.records[Int(random.below(5))].encoded(for: toyDigest)
            for _ in 0...random.below(4) {
                bytes[Int(random.below(UInt64(bytes.count)))] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.chance(30) { bytes = Array(bytes.prefix(Int(random.below(UInt64(bytes.count))))) }
            if let record = try? DurableRecord(decoding: bytes, for: toyDigest) {
                #expect(record.encoded(for: toyDigest) == bytes, "not canonical, seed 7")
            }
        }
    }

    // MARK: Wire

    var messages: [Message] {
        let start = EpochStart(
            epoch: 3, certificate: .commit(EncodingTests.committed),
            timestamps: [SignedTimestamp(oracle: 2, timestamp: EncodingTests.committed.timestamp, signature: [5])])
        let round = RoundStart(epoch: 3, sequenceNumber: 9, query: [1])
        let proposal = Proposal(
            epoch: 3, sequenceNumber: 9,
            observations: [SignedObservation(observer: 1, observation: [0xAA], signature: [6])])
        return [
            .newEpochWish(epoch: 4),
            .epochStartRequest(EpochStartRequest(epoch: 3, certificate: .genesis, timestampSignature: [1])),
            .epochStartRequest(
                EpochStartRequest(
                    epoch: 3, certificate: .prepare(EncodingTests.prepared), timestampSignature: [2])),
            .epochStart(start, Seal(body: codec.body(start), signature: [3])),
            .roundStart(round, Seal(body: codec.body(round), signature: [3])),
            .observation(ObservationMessage(epoch: 3, sequenceNumber: 9, observation: [0xAA, 1], signature: [4])),
            .proposal(proposal, Seal(body: codec.body(proposal), signature: [3])),
            .vote(
                VoteMessage(
                    kind: .prepare, epoch: 3, sequenceNumber: 9, inputsDigest: toyDigest, outcomeDigest: toyDigest,
                    signature: [9], resent: true)),
            .vote(
                VoteMessage(
                    kind: .commit, epoch: 3, sequenceNumber: 9, inputsDigest: .zero, outcomeDigest: toyDigest,
                    signature: [9], resent: false)),
            .reportSignatures(ReportSignatures(sequenceNumber: 9, signatures: [[1], [2]], resent: false)),
            .reportSignatures(ReportSignatures(sequenceNumber: 9, signatures: [], resent: true)),
            .certifiedCommitRequest(sequenceNumber: 9),
            .certifiedCommit(EncodingTests.committed),
            .workHint(epoch: 3),
        ]
    }

    @Test("every message survives the wire")
    func messageRoundTrip() throws {
        for message in messages { #expect(try codec.decode(codec.encode(message)) == message) }
    }

    @Test("a message of another configuration is refused")
    func otherConfiguration() throws {
        let other = WireCodec(configuration: try toyConfiguration(digest: .zero))
        for message in messages {
            let error = #expect(throws: WireError.self) { try other.decode(codec.encode(message)) }
            #expect(error?.code == .wrongConfiguration)
        }
    }

    @Test("values out of bounds are refused by name")
    func bounds() throws {
        let table: [(Message, Refusal.Code)] = [
            (.newEpochWish(epoch: UInt64.max), .epochTooLarge),
            (.newEpochWish(epoch: 0), .epochTooLarge),
            (.workHint(epoch: UInt64.max), .epochTooLarge),
            (.certifiedCommitRequest(sequenceNumber: 0), .malformed),
            (
                .observation(
                    ObservationMessage(
                        epoch: 1, sequenceNumber: 1, observation: [UInt8](repeating: 0, count: 1_025), signature: [])),
                .observationTooLarge
            ),
            (
                .reportSignatures(
                    ReportSignatures(
                        sequenceNumber: 1, signatures: [[UInt8]](repeating: [1], count: 101), resent: false)), .tooLarge
            ),
            (
                .reportSignatures(
                    ReportSignatures(
                        sequenceNumber: 1, signatures: [[UInt8](repeating: 1, count: 97)], resent: false)), .malformed
            ),
            (
                .certifiedCommit(
                    CertifiedCommit(
                        epoch: 1, sequenceNumber: 1, outcome: [], signatures: EncodingTests.signatures([0, 1, 4]))),
                .malformed
            ),
            (
                .certifiedCommit(
                    CertifiedCommit(
                        epoch: 1, sequenceNumber: 1, outcome: [UInt8](repeating: 0, count: 4_097), signatures: [])),
                .tooLarge
            ),
            (
                .vote(
                    VoteMessage(
                        kind: .commit, epoch: 1, sequenceNumber: 1, inputsDigest: toyDigest, outcomeDigest: .zero,
                        signature: [], resent: false)), .malformed
            ),
        ]
        for (message, code) in table {
            let error = #expect(throws: WireError.self) { try codec.decode(codec.encode(message)) }
            #expect(error?.code == code, "\(message)")
        }
        let flood = [UInt8](repeating: 0, count: configuration.messageBytesMaximum + 1)
        #expect(throws: WireError.self) { try codec.decode(flood) }
        #expect(throws: WireError.self) { try codec.decode([]) }
    }

    @Test("the largest certificate and proposal that the configuration allows fit the message bound")
    func largestMessagesFit() throws {
        let signature = [UInt8](repeating: 7, count: Limits.signatureBytesMaximum)
        let prepared = CertifiedPrepare(
            epoch: Limits.epochMaximum, sequenceNumber: Limits.sequenceNumberMaximum, inputsDigest: toyDigest,
            outcome: [UInt8](repeating: 1, count: 4_096),
            signatures: (0..<3).map { AttributedSignature(signer: $0, signature: signature) })
        let start = EpochStart(
            epoch: Limits.epochMaximum, certificate: .prepare(prepared),
            timestamps: (0..<3).map { SignedTimestamp(oracle: $0, timestamp: prepared.timestamp, signature: signature) }
        )
        let proposal = Proposal(
            epoch: Limits.epochMaximum, sequenceNumber: Limits.sequenceNumberMaximum,
            observations: (0..<4).map {
                SignedObservation(observer: $0, observation: [UInt8](repeating: 2, count: 1_024), signature: signature)
            })
        for message in [
            Message.epochStart(start, Seal(body: codec.body(start), signature: signature)),
            Message.proposal(proposal, Seal(body: codec.body(proposal), signature: signature)),
        ] {
            #expect(try codec.decode(codec.encode(message)) == message)
        }
    }

    @Test("mutated messages never crash the decoder or a running instance; seed 11")
    func wireFuzz() throws {
        var random = SeededRandom(seed: 11)
        let plugin = ToyPlugin(quorum: 3)
        var instance = Instance(configuration: configuration, plugin: plugin, crypto: toyCryptography(0))
        _ = instance.handle(.started(.fresh), at: 0)
        let samples = messages.map(codec.encode)
        for round in 0..<20_000 {
            var bytes = samples[Int(random.below(UInt64(samples.count)))]
            for _ in 0...random.below(3) {
                bytes[Int(random.below(UInt64(bytes.count)))] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.chance(20) { bytes = Array(bytes.prefix(Int(random.below(UInt64(bytes.count))))) }
            if random.chance(10) { bytes += random.bytes(5) }
            _ = instance.handle(.message(from: Int(random.below(6)) - 1, bytes: bytes), at: UInt64(round))
        }
        #expect((instance.refusals[.malformed] ?? 0) > 1_000)
    }
}

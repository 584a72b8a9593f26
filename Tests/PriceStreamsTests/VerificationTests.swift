// Hostile full reports, and what a verifier lets pass.

import Ethereum
import PriceStreams
import TestSupport
import Testing

/// A DON of four with reports of its own.
struct TestDON {
    let keys: [PrivateKey]
    let set: OracleSet
    let feed = FeedID(version: 3, symbol: "ETH/USD", segment: "spot")

    init(digest: Hash32 = Hash32(U256(9) << 240 | 7), activatedAt: UInt64 = 0, first: Int = 0) throws {
        keys = try (0..<4).map { try PrivateKey(bytes: keccak256(text: "oracle \(first + $0)").bytes) }
        set = try OracleSet(
            digest: digest, faulty: 1, signers: keys.map(\.address), donID: 42, activatedAt: activatedAt)
    }

    func report(
        feed: FeedID? = nil, validFrom: UInt64 = 1_000, observations: UInt64 = 1_000, expiresAt: UInt64 = 2_000,
        price: Int192 = 100
    ) throws -> PriceReport {
        try PriceReport(
            header: ReportHeader(
                feedID: feed ?? self.feed, validFrom: validFrom, observations: observations, expiresAt: expiresAt),
            body: .v3(benchmarkPrice: price, bid: price, ask: price))
    }

    func full(_ blob: Bytes, signers: [Int] = [0, 1], sequenceNumber: UInt64 = 77) throws -> FullReport {
        let context = try ReportContext(configurationDigest: set.digest, sequenceNumber: sequenceNumber, donID: 42)
        let digest = signingDigest(blob: blob, context: context)
        return try FullReport(context: context, blob: blob, signatures: signers.map { keys[$0].sign(digest: digest) })
    }
}

@Suite("Hostile full reports")
struct HostileFullReportTests {
    @Test("canonical bytes of any size decode and encode to themselves")
    func roundTrip() throws {
        var random = SplitMix64.forTest()
        for _ in 0..<500 {
            let context = try ReportContext(
                configurationDigest: random.hash32(), sequenceNumber: random.next() >> 24, extraHash: random.hash32())
            let signatures = (0..<random.below(32)).map { _ in
                Signature(r: random.word(), s: random.word(), yParity: UInt8(random.below(2)))
            }
            let full = try FullReport(
                context: context, blob: random.bytes(32 * (1 + random.below(20))), signatures: signatures)
            #expect(full.encoded.count == full.byteCount)
            #expect(try FullReport(encoded: full.encoded) == full)
        }
    }

    @Test("damaged bytes are refused, or are the bytes of what they decode to; no contract's rules trap on them")
    func damage() throws {
        var random = SplitMix64.forTest()
        let don = try TestDON()
        let verifier = ReportVerifier([don.set])
        let valid = try don.full(don.report().blob).encoded
        var taken = 0
        for _ in 0..<4_000 {
            var bytes = valid
            switch random.below(6) {
            case 0: bytes.removeLast(1 + random.below(bytes.count))
            case 1: bytes += random.bytes(1 + random.below(64))
            case 2: bytes = random.bytes(random.below(900))
            case 3:
                // A length or an offset.
                let place = 32 * [3, 4, 5, 7, 17, 20][random.below(6)]
                bytes.replaceSubrange(place..<place + 32, with: random.word().bytes)
            default: bytes[random.below(bytes.count)] ^= UInt8(1 + random.below(255))
            }
            if let full = try? FullReport(encoded: bytes) {
                #expect(full.encoded == bytes)
                taken += 1
            }
            guard bytes != valid else { continue }
            #expect(throws: VerificationRefusal.self) { try verifier.verify(bytes) }
            for generation in VerifierGeneration.allCases {
                let verdict = OnchainRules.verdict(bytes, generation: generation, sets: [don.set])
                // Only bytes that the contract does not look at may change.
                if verdict == .accepted {
                    #expect(
                        bytes.count > valid.count || bytes.suffix(96) != valid.suffix(96)
                            || bytes.prefix(256) != valid.prefix(256))
                }
            }
        }
        #expect(taken > 500)
    }

    @Test("each part of the layout has a refusal of its own")
    func named() throws {
        let don = try TestDON()
        let valid = try don.full(don.report().blob).encoded
        func change(_ word: Int, _ value: U256) -> Bytes {
            var bytes = valid
            bytes.replaceSubrange(32 * word..<32 * word + 32, with: value.bytes)
            return bytes
        }
        let cases: [(Bytes, PriceStreamsError.Code)] = [
            ([], .envelopeTruncated), (Bytes(valid.dropLast()), .envelopeTruncated),
            (valid + [0], .envelopeTrailingBytes), (change(1, U256.one << 40), .malformedContext),
            (change(3, 225), .envelopeOffset), (change(4, 0), .envelopeOffset), (change(5, .max), .envelopeOffset),
            (change(6, U256.one << 8), .unusedParity), (change(6, U256(27) << 248), .signatureParity),
            (change(7, 0), .blobLength), (change(7, 287), .blobLength), (change(7, .max), .envelopeTruncated),
            (change(17, 3), .envelopeOffset), (change(17, 32), .tooManySignatures),
            (change(20, 1), .signatureCountMismatch), (Bytes(repeating: 0, count: 1 << 20), .envelopeTooLarge),
        ]
        for (index, (bytes, code)) in cases.enumerated() {
            expectError(code, "case \(index)") { () throws(PriceStreamsError) in _ = try FullReport(encoded: bytes) }
        }
        let context = try ReportContext(words: (.zero, .zero, .zero))
        for count in [0, 31, 33, Limits.reportBytesMaximum + 32] {
            expectError(.blobLength) { () throws(PriceStreamsError) in
                _ = try FullReport(context: context, blob: Bytes(repeating: 0, count: count), signatures: [])
            }
        }
        expectError(.tooManySignatures) { () throws(PriceStreamsError) in
            _ = try FullReport(
                context: context, blob: U256.one.bytes, signatures: Array(repeating: .none, count: 32))
        }
    }
}

@Suite("Verification")
struct VerificationTests {
    private func refusal(_ verifier: ReportVerifier, _ full: FullReport) -> VerificationRefusal? {
        do {
            _ = try verifier.verify(full)
            return nil
        } catch {
            return error
        }
    }

    @Test("any two of four oracles in either order are enough; none, one, three or the same twice are not")
    func pairs() throws {
        let don = try TestDON()
        let verifier = ReportVerifier([don.set])
        let blob = try don.report().blob
        for a in 0..<4 {
            for b in 0..<4 where a != b {
                #expect(try verifier.verify(don.full(blob, signers: [a, b])).signers == [a, b])
            }
            let twice = VerificationRefusal.duplicateSigner(don.set.signers[a])
            #expect(try refusal(verifier, don.full(blob, signers: [a, a])) == twice)
        }
        for signers in [[], [2], [0, 1, 2]] {
            let full = try don.full(blob, signers: signers)
            #expect(refusal(verifier, full) == .signatureCount(signers.count, wanted: 2))
        }
    }

    @Test("a report of other oracles, of another or an old configuration is refused by name")
    func strangers() throws {
        let don = try TestDON()
        let others = try TestDON(first: 10)
        let blob = try don.report().blob
        #expect(
            try refusal(ReportVerifier([don.set]), others.full(blob)) == .unknownSigner(others.set.signers[0]))
        let green = try TestDON(digest: Hash32(5))
        #expect(try refusal(ReportVerifier([don.set]), green.full(blob)) == .unknownDigest(Hash32(5)))
        var old = don.set
        old.isActive = false
        #expect(try refusal(ReportVerifier([old]), don.full(blob)) == .inactiveDigest(don.set.digest))
        #expect(try refusal(ReportVerifier([]), don.full(blob)) == .unknownDigest(don.set.digest))
    }

    @Test("what F+1 oracles signed must still be a report, with its times in order, of a feed of this DON")
    func contents() throws {
        let don = try TestDON()
        let verifier = ReportVerifier([don.set], feeds: [42: [don.feed]])
        #expect(try refusal(verifier, don.full(don.report().blob)) == nil)
        let unordered = [
            try don.report(validFrom: 1_001), try don.report(expiresAt: 999),
        ]
        for report in unordered {
            #expect(try refusal(verifier, don.full(report.blob)) == .timesOutOfOrder(don.feed))
        }
        let foreign = FeedID(version: 3, symbol: "BTC/USD", segment: "spot")
        let report = try don.report(feed: foreign)
        #expect(try refusal(verifier, don.full(report.blob)) == .unregisteredFeed(foreign, donID: 42))
        let elsewhere = ReportVerifier([don.set], feeds: [43: [don.feed]])
        #expect(try refusal(elsewhere, don.full(don.report().blob)) == .unregisteredFeed(don.feed, donID: 42))
        let cut = try don.full(Bytes(don.report().blob.dropLast(32)))
        #expect(refusal(verifier, cut)?.code == "reportLength")
        #expect(refusal(verifier, cut)?.reason == .malformed)
    }

    @Test("v0.4 goes by the time of the report and takes more signatures; v0.3 wants the feed's configuration")
    func generations() throws {
        let first = try TestDON(digest: Hash32(1), activatedAt: 500)
        let second = try TestDON(digest: Hash32(2), activatedAt: 1_000, first: 10)
        let v04 = ReportVerifier([second.set, first.set], generation: .v04)
        func full(_ don: TestDON, _ time: UInt64, _ signers: [Int] = [0, 1]) throws -> FullReport {
            try don.full(don.report(validFrom: time, observations: time).blob, signers: signers)
        }
        #expect(try refusal(v04, full(first, 999)) == nil)
        #expect(try refusal(v04, full(first, 999, [3, 1, 0])) == nil)
        #expect(try refusal(v04, full(first, 999, [3])) == .signatureCount(1, wanted: 2))
        #expect(try refusal(v04, full(second, 1_000)) == nil)
        #expect(try refusal(v04, full(first, 1_000)) == .unknownSigner(first.set.signers[0]))
        #expect(try refusal(v04, full(first, 499)) == .unknownDigest(Hash32(1)))
        for (don, time, verdict) in [
            (first, UInt64(999), OnchainVerdict.accepted), (first, 1_000, .badVerification),
            (first, 499, .badVerification),
        ] {
            let bytes = try full(don, time).encoded
            #expect(OnchainRules.verdict(bytes, generation: .v04, sets: [second.set, first.set]) == verdict)
        }

        let perFeed = try OracleSet(
            digest: Hash32(1), faulty: 1, signers: first.set.signers, donID: 42, feedID: first.feed)
        let v03 = ReportVerifier([perFeed], generation: .v03)
        #expect(try refusal(v03, full(first, 999)) == nil)
        let foreign = FeedID(version: 3, symbol: "BTC/USD", segment: "spot")
        let other = try first.full(first.report(feed: foreign).blob)
        #expect(refusal(v03, other) == .unknownDigest(Hash32(1)))
        #expect(
            OnchainRules.verdict(other.encoded, generation: .v03, sets: [perFeed]) == .digestInactive(Hash32(1)))
    }

    @Test("a set that a contract would refuse is no set")
    func sets() throws {
        let don = try TestDON()
        let signers = don.set.signers
        let bad: [(Hash32, Int, [Address])] = [
            (.zero, 1, signers), (Hash32(1), 0, signers), (Hash32(1), 1, Array(signers.prefix(3))),
            (Hash32(1), 2, signers), (Hash32(1), .max, signers), (Hash32(1), 1, []),
            (Hash32(1), 1, signers.dropLast() + [.zero]),
            (Hash32(1), 1, signers.dropLast() + [signers[0]]),
            (Hash32(1), 1, (1...32).map { Address(truncating: U256(UInt64($0))) }),
        ]
        for (digest, faulty, list) in bad {
            expectError(.invalidOracleSet, "\(list.count), \(faulty)") { () throws(PriceStreamsError) in
                _ = try OracleSet(digest: digest, faulty: faulty, signers: list, donID: 1)
            }
        }
    }

    @Test("every refusal has a code, words, a hint and a reason for consumers")
    func texts() {
        let error = PriceStreamsError(.blobLength, "m", hint: "h")
        let all: [VerificationRefusal] = [
            .malformed(error), .unknownDigest(.zero), .inactiveDigest(.zero), .signatureCount(1, wanted: 2),
            .highS(index: 0), .invalidSignature(index: 0), .unknownSigner(.zero), .duplicateSigner(.zero),
            .malformedReport(error), .timesOutOfOrder(FeedID(.zero)), .unregisteredFeed(FeedID(.zero), donID: 1),
        ]
        for refusal in all {
            #expect(refusal.description == "\(refusal.code): \(refusal.message) (\(refusal.hint))")
            #expect(!refusal.message.isEmpty && !refusal.hint.isEmpty)
        }
        #expect(Set(all.map(\.reason)).count == 4)
    }
}

// The second line of defence: a report with blessed roots is checked against the chain's own configuration before it
// goes on, whatever the outcome holds.

import CCIP
import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import Committing

@Suite("Checks of blessed reports")
struct BlessedReportTests {
    /// A good report with a blessed and an unblessed root, as an outcome makes it.
    private func good() throws -> (rounds: Rounds, world: World, outcome: CommitOutcome, number: UInt64) {
        var world = World(blessed: [1])
        try world.send(2, on: 0)
        try world.send(2, on: 1)
        var rounds = Rounds(try world.configuration(blessing: GuardModel.blessing))
        try rounds.play(world)
        let report = try rounds.playGuarded(world)
        #expect(report?.blessed.count == 1)
        return (rounds, world, try rounds.state, rounds.sequenceNumber)
    }

    private func verdict(
        _ outcome: CommitOutcome, _ rounds: Rounds, _ snapshot: CommitSnapshot
    ) throws -> CommitVerdict {
        let report = try #require(
            try rounds.plugin.reports(sequenceNumber: rounds.sequenceNumber, outcome: outcome.encoded).last)
        return rounds.observer(2).shouldAccept(
            report, sequenceNumber: rounds.sequenceNumber, configurationDigest: try rounds.digest, snapshot: snapshot)
    }

    private func with(_ signatures: [RMNSignature], _ outcome: CommitOutcome) throws -> CommitOutcome {
        let blessed = try #require(outcome.blessed)
        return CommitOutcome(
            lanes: outcome.lanes, prices: outcome.prices, inflightPrices: outcome.inflightPrices,
            blessed: BlessedRoots(remote: blessed.remote, sources: blessed.sources, signatures: signatures))
    }

    @Test("an outcome that took a stranger's signature is caught before its report goes on", arguments: 0..<6)
    func plantedFault(kind: Int) throws {
        let (rounds, world, outcome, _) = try good()
        let snapshot = world.snapshot()
        #expect(try verdict(outcome, rounds, snapshot) == .accepted)
        var signatures = try #require(outcome.blessed).signatures
        let report = try #require(
            try rounds.plugin.commitReports(sequenceNumber: rounds.sequenceNumber, outcome: outcome).first)
        let remote = try #require(world.rmn)
        let stranger = try PrivateKey(bytes: keccak256(text: "stranger").bytes)
        switch kind {
        case 0: signatures[0] = GuardModel.sign(report.blessed, remote, stranger)
        case 1: signatures.removeLast()
        case 2: signatures.reverse()
        case 3: signatures[1] = signatures[0]
        case 4: signatures[1] = RMNSignature(r: .zero, s: .zero)
        default:
            var other = report.blessed
            other[0].root = keccak256(text: "another root")
            signatures = world.guards.keys.prefix(2).map { GuardModel.sign(other, remote, $0) }
        }
        let spoiled = try with(signatures, outcome)
        #expect(try verdict(spoiled, rounds, snapshot) == .rejected(.rmnSignatures))
        // The contract refuses the same.
        let bytes = try #require(
            try rounds.plugin.reports(sequenceNumber: rounds.sequenceNumber, outcome: spoiled.encoded).last)
        var chain = world
        #expect(throws: Refusal.self) {
            try chain.commit(bytes.bytes, sequenceNumber: rounds.sequenceNumber, digest: chain.digest)
        }
    }

    @Test("a configuration that changed since, one that is not read, and a switched flag", arguments: 0..<5)
    func freshness(kind: Int) throws {
        let (rounds, world, outcome, _) = try good()
        var snapshot = world.snapshot()
        let expected: CommitVerdict
        switch kind {
        case 0:
            snapshot.destination?.rmn = nil
            expected = .rejected(.rmnConfigurationUnknown)
        case 1:
            let others = try (0..<3).map { try PrivateKey(bytes: keccak256(text: "other \($0)").bytes).address }
            snapshot.destination?.rmn = world.guards.remote(version: 2, signers: others)
            expected = .rejected(.rmnConfigurationChanged)
        case 2:
            // The contract takes it all the same: another version of the same signers and digest.
            snapshot.destination?.rmn = world.guards.remote(version: 2)
            expected = .accepted
        case 3:
            snapshot.destination?.sourceConfigs[102]?.isRMNVerificationDisabled = true
            expected = .rejected(.blessingMismatch)
        default:
            snapshot.destination?.sourceConfigs[101]?.isRMNVerificationDisabled = false
            // 101 landed with the first report here; its root is not in this one.
            expected = .accepted
        }
        #expect(try verdict(outcome, rounds, snapshot) == expected)
    }

    @Test("an instance without guards accepts no blessed root")
    func withoutGuards() throws {
        let (rounds, world, outcome, _) = try good()
        let report = try #require(
            try rounds.plugin.reports(sequenceNumber: rounds.sequenceNumber, outcome: outcome.encoded).last)
        let plain = CommitObserver(configuration: try world.configuration(), ownIndex: 0)
        let verdict = plain.shouldAccept(
            report, sequenceNumber: rounds.sequenceNumber, configurationDigest: try rounds.digest,
            snapshot: world.snapshot())
        #expect(verdict == .rejected(.blessingMismatch))
    }

    @Test("the 22 reports that real contracts verified: digest, signers and order")
    func vectors() throws {
        let file = try Vectors.load("ccip-1.6.json")
        let vectors = try #require(file["rmnReports"]?.asArray)
        #expect(vectors.count == 22)
        var signatures = 0
        for vector in vectors {
            func bytes(_ name: String) throws -> Bytes { try Hex.decode(try #require(vector[name]?.asString)) }
            func number(_ value: JSON?) throws -> UInt64 {
                let text = try #require(value?.asString)
                return try #require(UInt64(text))
            }
            let signers = try #require(vector["configuredSigners"]?.asArray).map {
                try Address(hex: try #require($0.asString))
            }
            let remote = RMNRemoteConfiguration(
                version: 1, homeDigest: try #require(Hash32(bytes: try bytes("rmnHomeContractConfigDigest"))),
                rmnRemote: try Address(hex: try #require(vector["rmnRemoteContractAddress"]?.asString)),
                faultySigners: Int(try number(vector["fSign"])), signers: signers)
            let roots = try #require(vector["merkleRoots"]?.asArray).map { root in
                MerkleRoot(
                    source: ChainSelector(try number(root["sourceChainSelector"])),
                    onRamp: try Hex.decode(try #require(root["onRampAddress"]?.asString)),
                    first: SequenceNumber(try number(root["minSeqNr"])), last: SequenceNumber(try number(root["maxSeqNr"])),
                    root: try Hash32(hex: try #require(root["merkleRoot"]?.asString)))
            }
            let blessing = BlessingConfiguration(
                destinationChainID: try number(vector["destChainId"]),
                offRamp: try Address(hex: try #require(vector["offrampAddress"]?.asString)))
            let destination = ChainSelector(try number(vector["destChainSelector"]))
            let digest = blessing.digest(of: roots, to: destination, remote)
            #expect(try digest.digest.bytes == bytes("digest"))
            let request = BlessingRequest(
                setID: 1, since: 1, remote: remote, roots: roots, digest: digest, signatures: [])
            let listed = try #require(vector["signaturesSortedBySigner"]?.asArray)
            #expect(remote.isUsable && listed.count >= remote.signaturesNeeded)
            var found: [Address] = []
            for item in listed {
                let signature = RMNSignature(
                    r: try Hash32(hex: try #require(item["r"]?.asString)),
                    s: try Hash32(hex: try #require(item["s"]?.asString)))
                let signer = try #require(request.signer(of: signature))
                #expect(try signer == Address(hex: try #require(item["signer"]?.asString)))
                found.append(signer)
                signatures += 1
            }
            #expect(strictlyAscending(found))
        }
        #expect(signatures > 22)
    }
}

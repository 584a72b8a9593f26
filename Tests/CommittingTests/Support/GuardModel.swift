// Guards for the tests: keys, honest signatures over true roots, and an RMNRemote that lists them.

import CCIP
import Committing
import Ethereum

struct GuardModel {
    static let chainID: UInt64 = 31_337
    static let offRamp = Address(truncating: U256(0xFF00))
    static let rmnRemote = Address(truncating: U256(0xA7))
    static let blessing = BlessingConfiguration(
        destinationChainID: chainID, offRamp: offRamp, timeoutMilliseconds: 15_000)

    let keys: [PrivateKey]
    /// Guards that answer nothing.
    var silent: Set<Int> = []
    /// Lanes that no guard signs for.
    var refused: Set<ChainSelector> = []

    init(count: Int = 3) {
        keys = (0..<count).compactMap { index in
            try? PrivateKey(bytes: keccak256(text: "guard \(index)").bytes)
        }
        precondition(keys.count == count)
    }

    /// f = 1 of three by default.
    func remote(version: UInt32 = 1, faulty: Int = 1, signers: [Address]? = nil) -> RMNRemoteConfiguration {
        RMNRemoteConfiguration(
            version: version, homeDigest: keccak256(text: "rmn home"), rmnRemote: Self.rmnRemote, faultySigners: faulty,
            signers: signers ?? keys.map(\.address))
    }

    static func digest(of roots: [MerkleRoot], _ remote: RMNRemoteConfiguration) -> RMNReportDigest {
        RMNReportDigest(
            destinationChainID: U256(chainID), destination: destinationChain, rmnRemote: remote.rmnRemote,
            offRamp: offRamp, rmnHomeDigest: remote.homeDigest, roots: roots)
    }

    static func sign(_ roots: [MerkleRoot], _ remote: RMNRemoteConfiguration, _ key: PrivateKey) -> RMNSignature {
        RMNSignature(key.sign(digest: digest(of: roots, remote).digest))
    }

    /// What honest guards answer to the question of an outcome: nothing about roots that are not true.
    func votes(_ request: BlessingRequest?, _ world: World) -> BlessingVotes? {
        guard let request, !request.roots.contains(where: { refused.contains($0.source) }),
            request.roots.allSatisfy({ isTrue($0, world) })
        else { return nil }
        let signatures = keys.indices.filter { !silent.contains($0) }.map {
            Self.sign(request.roots, request.remote, keys[$0])
        }
        return signatures.isEmpty ? nil : BlessingVotes(setID: request.setID, signatures: signatures)
    }

    private func isTrue(_ root: MerkleRoot, _ world: World) -> Bool {
        guard let index = world.sources.firstIndex(where: { $0.lane.source == root.source }),
            root.last.rawValue <= UInt64(world.sources[index].leaves.count)
        else { return false }
        return (try? world.trueRoot(index, root.first.rawValue, root.last.rawValue)) == root.root
    }
}

extension World {
    /// Sources of which those named require signatures, with three guards of which one may lie.
    init(sources count: Int = 2, blessed: Set<Int>) {
        self.init(sources: count)
        for index in blessed { sources[index].requiresBlessing = true }
        rmn = guards.remote()
    }

    /// `setConfig` with another digest of the home chain and another three of four guards.
    mutating func rotate(_ number: UInt32) {
        let listed = guards.keys.indices.filter { $0 != Int(number) % guards.keys.count }.map { guards.keys[$0].address }
        rmn = RMNRemoteConfiguration(
            version: number + 1, homeDigest: keccak256(text: "rmn home \(number)"), rmnRemote: GuardModel.rmnRemote,
            faultySigners: 1, signers: listed)
    }

    /// What an oracle sees that has heard the guards.
    func guardedSnapshot(_ request: BlessingRequest?) -> CommitSnapshot {
        var snapshot = snapshot()
        snapshot.signatures = guards.votes(request, self)
        return snapshot
    }
}

extension Rounds {
    var request: BlessingRequest? {
        get throws { try observer(0).needs(previousOutcome: outcome).blessing }
    }

    /// All see the same, and all have heard the guards.
    @discardableResult
    mutating func playGuarded(_ world: World) throws -> CommitReport? {
        let snapshot = world.guardedSnapshot(try request)
        return try play([CommitSnapshot?](repeating: snapshot, count: configuration.oracleCount))
    }

    /// Rounds until a report comes, at most so many; the report lands.
    @discardableResult
    mutating func commitNext(_ world: inout World, rounds maximum: Int = 4) throws -> CommitReport? {
        for _ in 0..<maximum {
            guard let report = try playGuarded(world) else { continue }
            try world.commit(report.encoded, sequenceNumber: sequenceNumber, digest: world.digest)
            return report
        }
        return nil
    }
}

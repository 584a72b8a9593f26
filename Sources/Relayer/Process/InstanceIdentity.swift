// What makes two instances the same: everything that oracles must have alike to agree. The digest that the OffRamp has
// installed is one part of it and no more.

import CCIP
import Ethereum
import OffchainReporting

package enum InstancePlugin: String, Sendable, CaseIterable {
    case commit, execute
}

/// The digest by which oracles name an instance to each other: the channel of the mesh, the rows of the vote log, the
/// order of leaders and transmitters, the domain of off-chain signatures, the keys of transactions.
///
/// The contract treats its digest as an opaque constant (10.1 of the on-chain specification): whoever deploys it may
/// install one value on every chain and for both plugins, and may leave it when timing or prices change. Oracles that
/// differ in anything that decides must not share a vote log (3.12 of the off-chain specification). So the identity is
/// SHA-256 over all of it, and reports alone are attested with the digest of the contract.
package struct InstanceIdentity: Sendable {
    package let digest: Digest

    package init(
        cluster: ClusterSettings, destination: ClusterSettings.Chain, plugin: InstancePlugin, pinned: Bytes
    ) {
        var writer = CanonicalWriter()
        writer.string(Bytes("causeway.instance/1".utf8))
        writer.string(Bytes(plugin.rawValue.utf8))
        writer.selector(destination.selector)
        writer.u64(destination.chainID)
        writer.address(destination.contracts.offRamp)
        writer.hash(plugin == .commit ? destination.commitDigest : destination.executeDigest)
        writer.string(pinned)
        writer.u32(UInt32(cluster.faulty))
        writer.list(cluster.relayers) { writer, relayer in
            writer.string(relayer.offchainPublicKey)
            writer.address(relayer.reportSigner)
        }
        writer.list(cluster.transmitters(on: destination.selector, plugin)) { $0.u32(UInt32($1)) }
        let timing = cluster.timing
        for value in [
            timing.deltaProgress, timing.deltaResend, timing.deltaInitial, timing.deltaRound, timing.deltaIdle,
            timing.deltaGrace, timing.deltaCertifiedCommitRequest, timing.deltaStage, timing.rMax,
        ] { writer.u64(value) }
        guard let digest = Digest(sha256(writer.bytes).bytes) else { preconditionFailure("a hash has 32 bytes") }
        self.digest = digest
    }
}

extension ClusterSettings {
    /// Oracles that the OffRamp of a chain lets transmit for a plugin, ascending: a subset where the deployment lists
    /// fewer transmitters than signers.
    package func transmitters(on chain: ChainSelector, _ plugin: InstancePlugin) -> [Int] {
        relayers.indices.filter { index in
            relayers[index].transmitters.contains { row in
                row.chain == chain && (plugin == .commit ? row.committing : row.executing) != nil
            }
        }
    }
}

// The signature schemes of a relayer, over its own keys and those that the cluster file names.

import Agreement
import Ethereum
import OffchainReporting

extension Cryptography {
    static func production(_ keys: RelayerKeys, _ cluster: ClusterSettings) -> Cryptography {
        Cryptography(
            hashing: Hashing { sha256($0).bytes },
            offchain: OffchainScheme(key: keys.offchain, publicKeys: cluster.relayers.map(\.offchainPublicKey)),
            attestation: ReportScheme(key: keys.reportSigner, signers: cluster.relayers.map(\.reportSigner)))
    }
}

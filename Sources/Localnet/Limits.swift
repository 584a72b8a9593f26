// Every bound of this room, each with its reason.

import Ethereum

package enum Limits {
    /// Largest artifact file in bytes: an ABI of the OffRamp's size and 49,152 bytes of init code in hexadecimal.
    package static let artifactBytesMaximum = 4 << 20
    /// Largest state or localnet.json file: 31 relayers on 20 chains need about 200 kB.
    package static let stateBytesMaximum = 8 << 20
    /// Raw transactions sent in one request: most nodes refuse bodies above 5 MB, and creations have up to 100 kB of text.
    package static let broadcastBytesMaximum = 1 << 20
    /// Receipts asked for in one request: public endpoints refuse batches above 100.
    package static let receiptsPerRequest = 50
    /// Gas that pays for the constructor's own work, past what its code costs: storage of a lane and its checks.
    package static let constructorGas: UInt64 = 2_500_000
    /// EIP-170, and so what a creation pays for at most.
    package static let runtimeCodeBytesMaximum: UInt64 = 24_576
    /// Chains of one deployment: each one is wired to every other.
    package static let chainsMaximum = 32
    /// Relayers of one cluster, as the agreement bounds it.
    package static let relayersMaximum = 31
    /// Guards of one cluster, as a guard reads its file.
    package static let guardsMaximum = 32
    /// How long a public chain may take to include a deployment; a block of Ethereum takes 12 s, a full pool minutes.
    package static let deploymentSecondsDefault = 600
    /// Between the first nonces of the deployer on two local chains: more than one deployment sends.
    static let nonceDistance: UInt64 = 1_000
    /// From the first port of relayers to the first of price streams, which are started before them.
    static let streamsPortDistance = 200
    /// How long the whole local network may take to be ready; it takes about five seconds on two cores.
    package static let readySecondsMaximum = 60
    /// How long a process may take to end after SIGTERM before it is killed.
    package static let stopMilliseconds = 3_000
    /// Ports tried from the wanted one on.
    package static let portsTriedMaximum = 2_000
    /// Bytes of a log file's end that are shown when a process dies.
    package static let logTailBytes = 4_096
    /// Lines of a log file's end that are shown when a process dies.
    package static let logTailLines = 12
    /// Tries of one request to a chain before it counts as unreachable: one in five may fail, and a review of 300 reads
    /// still passes 999 times of 1,000.
    package static let requestAttempts = 8
    /// Calls on their way at once to a node that takes no lists of them.
    package static let callsAtOnce = 8
    /// Newest blocks whose distances tell how often a chain makes them.
    package static let cadenceBlocks: UInt64 = 8
    /// Further tries of a read that was answered with null.
    package static let nullAttempts = 6
    /// Tries of a connection that nobody takes.
    package static let connectAttempts = 4
    /// How long one read of a review may take.
    package static let reviewMilliseconds = 5_000
    /// Tokens of one registry that a review looks at.
    package static let tokensMaximum: UInt64 = 64
    /// Blocks of one log query that a review tries first.
    package static let logBlocksProbed: UInt64 = 1_000
    /// Chains shorter than this are read from their first block on.
    package static let shortChainBlocks: UInt64 = 5_000
    /// EIP-7825: gas that one transaction may ask for on Osaka chains.
    package static let transactionGasMaximum: UInt64 = 16_777_216
    /// Sum of the gas estimates of one execute transaction.
    package static let batchGasLimit: UInt64 = 6_500_000
    /// A hundredth of a coin: some dozen reports at the prices of test chains.
    package static let adoptedBalanceMinimum = U256(10_000_000_000_000_000)
    /// What a deployment pays a block's maker for one gas where the node tells no price: a gwei, as most chains want.
    static let tipWei = U256(1_000_000_000)
    /// Messages that a local attestation service keeps: hours of a busy network, some megabytes.
    static let attesterMessagesMaximum = 65_536
    /// An hour: what is longer is withheld.
    static let attesterDelayMaximum: UInt64 = 3_600_000
    /// Questions or blocks that a fault of the attestation service lasts.
    static let attesterQuestionsMaximum: UInt64 = 1_000_000
    /// Blocks of one log query of the attestation service; public nodes allow a thousand.
    static let attesterBlocksPerQuery: UInt64 = 1_000
    /// Bytes of a question to the attestation service.
    static let attesterRequestBytes = 65_536
}

// Turns the cluster file into the configurations of plugins and agreement instances.

import CCIP
import Committing
import Ethereum
import Executing
import OffchainReporting

struct InstanceFactory {
    let settings: RelayerSettings
    let crypto: Cryptography

    private var cluster: ClusterSettings { settings.cluster }
    private var everybody: [Int] { Array(cluster.relayers.indices) }

    func commitConfiguration(_ destination: ClusterSettings.Chain) throws -> CommitConfiguration {
        let sources = cluster.sources(into: destination.selector).compactMap(cluster.chain)
        let chains = ([destination] + sources).sorted { $0.selector < $1.selector }
        return try CommitConfiguration(
            destination: destination.selector, oracleCount: cluster.relayers.count, faulty: cluster.faulty,
            chains: chains.map { Committing.ChainReaders(chain: $0.selector, faulty: $0.faulty, readers: everybody) },
            lanes: sources.map { source in
                CommitLane(
                    lane: MessageLane(
                        source: source.selector, destination: destination.selector, onRamp: source.contracts.onRamp))
            },
            prices: prices(destination, sources), transmissionTimeoutMilliseconds: transmissionTimeout)
    }

    /// Long enough for every transmitter to have had its turn, and for inclusion (3.3.3).
    private var transmissionTimeout: UInt64 {
        max(10_000, cluster.timing.deltaStage * UInt64(cluster.relayers.count) + 5_000)
    }

    private func prices(_ destination: ClusterSettings.Chain, _ sources: [ClusterSettings.Chain]) -> PriceConfiguration {
        let rules = cluster.prices
        return PriceConfiguration(
            gas: sources.map { source in
                GasPriceRule(
                    chain: source.selector, executionDeviationPPB: rules.gasDeviationPPB,
                    dataAvailabilityDeviationPPB: rules.gasDeviationPPB)
            },
            gasHeartbeatSeconds: rules.gasHeartbeatSeconds,
            tokens: destination.tokenPrices.map(\.token).sorted().map { token in
                TokenPriceRule(token: token, deviationPPB: rules.tokenDeviationPPB)
            },
            tokenHeartbeatSeconds: rules.tokenHeartbeatSeconds, feedChain: destination.selector,
            inflightTimeoutMilliseconds: transmissionTimeout)
    }

    func executeConfiguration(_ destination: ClusterSettings.Chain) throws -> ExecuteConfiguration {
        var limits = ExecuteLimits()
        limits.transactionGasMaximum = max(limits.transactionGasMaximum, destination.batchGasLimit)
        limits.batchGasLimit = min(limits.batchGasLimit, destination.batchGasLimit)
        var delays = ExecuteDelays()
        delays.inflightExpiryMilliseconds = transmissionTimeout
        return try ExecuteConfiguration(
            oracleCount: cluster.relayers.count, faulty: cluster.faulty,
            destination: Executing.ChainReaders(
                selector: destination.selector, readers: everybody, faulty: destination.faulty),
            sources: cluster.sources(into: destination.selector).compactMap(cluster.chain).map {
                Executing.ChainReaders(selector: $0.selector, readers: everybody, faulty: $0.faulty)
            },
            configurationDigest: destination.executeDigest, limits: limits, delays: delays)
    }

    func instance(
        _ destination: ClusterSettings.Chain, plugin: String, digest: Hash32, sizes: SizeLimits
    ) throws -> InstanceConfiguration {
        guard let digest = Digest(digest.bytes) else { preconditionFailure("a hash has 32 bytes") }
        return try InstanceConfiguration(
            label: InstanceLabel(destinationSelector: destination.selector.rawValue, plugin: plugin), digest: digest,
            oracles: cluster.relayers.map { relayer in
                OracleIdentity(
                    offchainPublicKey: relayer.offchainPublicKey, onchainSigner: relayer.reportSigner.bytes)
            },
            faulty: cluster.faulty, ownIndex: settings.ownIndex, timing: cluster.timing, sizes: sizes)
    }
}

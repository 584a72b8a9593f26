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
        var chains = ([destination] + sources).sorted { $0.selector < $1.selector }
        if let feeds = cluster.chain(destination.feedChain), !chains.contains(where: { $0.selector == feeds.selector }) {
            chains = (chains + [feeds]).sorted { $0.selector < $1.selector }
        }
        return try CommitConfiguration(
            destination: destination.selector, oracleCount: cluster.relayers.count, faulty: cluster.faulty,
            chains: chains.map { Committing.ChainReaders(chain: $0.selector, faulty: $0.faulty, readers: everybody) },
            lanes: sources.map { source in
                CommitLane(
                    lane: MessageLane(
                        source: source.selector, destination: destination.selector, onRamp: source.contracts.onRamp))
            },
            prices: prices(destination, sources), blessing: blessing(destination),
            transmissionTimeoutMilliseconds: transmissionTimeout)
    }

    /// Long enough for every transmitter to have had its turn, and for inclusion (3.3.3).
    private var transmissionTimeout: UInt64 {
        max(10_000, cluster.timing.deltaStage * UInt64(cluster.relayers.count) + 5_000)
    }

    /// Nil without guards: then sources that require signatures are not served.
    private func blessing(_ destination: ClusterSettings.Chain) -> BlessingConfiguration? {
        guard !cluster.guards.isEmpty else { return nil }
        return BlessingConfiguration(
            destinationChainID: destination.chainID, offRamp: destination.contracts.offRamp,
            timeoutMilliseconds: cluster.guardTimeoutMilliseconds)
    }

    /// Nil when this destination is told no prices at all.
    private func prices(
        _ destination: ClusterSettings.Chain, _ sources: [ClusterSettings.Chain]
    ) -> PriceConfiguration? {
        let rules = destination.prices
        let tokens = rules.reportsTokens ? destination.tokenPrices : []
        guard rules.reportsGas || !tokens.isEmpty else { return nil }
        return PriceConfiguration(
            gas: (rules.reportsGas ? sources : []).map { source in
                GasPriceRule(
                    chain: source.selector, executionDeviationPPB: rules.gasDeviationPPB,
                    dataAvailabilityDeviationPPB: rules.gasDeviationPPB)
            },
            gasHeartbeatSeconds: rules.gasHeartbeatSeconds,
            tokens: tokens.sorted { $0.token < $1.token }.map { item in
                TokenPriceRule(token: item.token, deviationPPB: item.deviationPPB ?? rules.tokenDeviationPPB)
            },
            tokenHeartbeatSeconds: rules.tokenHeartbeatSeconds, feedChain: destination.feedChain,
            inflightTimeoutMilliseconds: transmissionTimeout)
    }

    func executeConfiguration(_ destination: ClusterSettings.Chain) throws -> ExecuteConfiguration {
        var limits = ExecuteLimits()
        limits.transactionGasMaximum = destination.transactionGasMaximum
        limits.batchGasLimit = destination.batchGasLimit
        var delays = ExecuteDelays()
        delays.inflightExpiryMilliseconds = transmissionTimeout
        return try ExecuteConfiguration(
            oracleCount: cluster.relayers.count, faulty: cluster.faulty,
            destination: Executing.ChainReaders(
                selector: destination.selector, readers: everybody, faulty: destination.faulty),
            sources: cluster.sources(into: destination.selector).compactMap(cluster.chain).map {
                Executing.ChainReaders(selector: $0.selector, readers: everybody, faulty: $0.faulty)
            },
            configurationDigest: destination.executeDigest, limits: limits, delays: delays,
            tokenData: cluster.tokenData?.rules ?? TokenDataRules())
    }

    /// The agreement instance of one plugin on one destination. `pinned` are the canonical bytes of the plugin's
    /// configuration.
    func instance(
        _ destination: ClusterSettings.Chain, plugin: InstancePlugin, pinned: Bytes, sizes: SizeLimits
    ) throws -> InstanceConfiguration {
        try InstanceConfiguration(
            label: InstanceLabel(destinationSelector: destination.selector.rawValue, plugin: plugin.rawValue),
            digest: InstanceIdentity(cluster: cluster, destination: destination, plugin: plugin, pinned: pinned).digest,
            oracles: cluster.relayers.map { relayer in
                OracleIdentity(
                    offchainPublicKey: relayer.offchainPublicKey, onchainSigner: relayer.reportSigner.bytes)
            },
            faulty: cluster.faulty, ownIndex: settings.ownIndex,
            transmitters: cluster.transmitters(on: destination.selector, plugin), timing: cluster.timing, sizes: sizes)
    }
}

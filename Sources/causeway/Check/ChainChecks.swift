// What `causeway check` takes for granted of the chains: the cluster file's side of the checks that Localnet's
// ClusterChecks makes.

import CCIP
import ChainAccess
import Configuration
import Ethereum
import JSONRPC
import Localnet
import Relayer

struct ChainChecks: Sendable {
    let settings: RelayerSettings
    /// Balance below which a transmitter is reported, in wei.
    let balanceMinimum: U256
    /// Relayers whose transmitters are looked at.
    let relayers: [ClusterSettings.Relayer]

    private var cluster: ClusterSettings { settings.cluster }

    func run() async -> [CheckResult] {
        var targets: [DiscoveryTarget] = []
        for chain in cluster.chains {
            let accounts = relayers.flatMap { relayer in
                relayer.transmitters.filter { $0.chain == chain.selector }.flatMap { [$0.committing, $0.executing].compactMap(\.self) }
            }
            targets.append(
                DiscoveryTarget(
                    name: chain.name,
                    endpoints: DiscoveryTarget.endpoints(
                        settings.endpoints.first { $0.chain == chain.name }?.urls ?? []),
                    selector: chain.selector, contracts: chain.roles, tokens: chain.tokens.map(\.address),
                    accounts: accounts, startBlock: chain.startBlock))
        }
        let facts = await ChainDiscovery.run(targets)
        // The balances of other relayers' transmitters are theirs to watch.
        let own = Set(relayers.map(\.name))
        return ClusterChecks(expectation, facts: facts).run().filter { result in
            guard result.check == "balance" else { return true }
            return own.contains { result.subject.hasPrefix($0 + " on ") }
        }
    }

    private var expectation: ClusterExpectation {
        func name(_ selector: ChainSelector) -> String { cluster.chain(selector)?.name ?? "\(selector)" }
        return ClusterExpectation(
            faulty: cluster.faulty,
            chains: cluster.chains.map { chain in
                ClusterExpectation.Chain(
                    name: chain.name, chainID: chain.chainID, selector: chain.selector, contracts: chain.roles,
                    finality: AdoptionFile.Finality(chain.finality), transactionGasMaximum: chain.transactionGasMaximum,
                    commitDigest: chain.commitDigest, executeDigest: chain.executeDigest)
            },
            lanes: cluster.lanes.map { AdoptionFile.Lane(from: name($0.source), to: name($0.destination)) },
            relayers: cluster.relayers.map { relayer in
                var transmitters: [String: (committing: Address, executing: Address)] = [:]
                for pair in relayer.transmitters {
                    guard let committing = pair.committing, let executing = pair.executing else { continue }
                    transmitters[name(pair.chain)] = (committing, executing)
                }
                return ClusterExpectation.Relayer(
                    name: relayer.name, signer: relayer.reportSigner, transmitters: transmitters)
            }, guards: cluster.guards.map { ($0.name, $0.signer) }, balanceMinimum: balanceMinimum)
    }
}

extension ClusterSettings.Chain {
    /// Addresses that must be those that the chain tells.
    var roles: [ContractRole: Address] {
        [
            .router: contracts.router, .onRamp: contracts.onRamp, .offRamp: contracts.offRamp,
            .feeQuoter: contracts.feeQuoter, .nonceManager: contracts.nonceManager, .rmnRemote: contracts.rmnRemote,
            .rmnProxy: contracts.rmnProxy, .tokenAdminRegistry: contracts.tokenAdminRegistry,
            .wrappedNative: wrappedNative,
        ]
    }
}

extension AdoptionFile.Finality {
    init(_ rule: FinalityRule) {
        switch rule {
        case .tag(let offset): self = .tag(offset: offset)
        case .depth(let depth, let offset): self = .depth(depth + offset)
        }
    }
}

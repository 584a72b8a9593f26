// The checks of one cluster that read chains: endpoints, contracts, OCR3 configurations, lanes, balances.

import CCIP
import ChainAccess
import Ethereum
import JSONRPC
import Localnet
import Relayer

struct ChainChecks: Sendable {
    let cluster: ClusterSettings
    let network: BridgeNetwork
    /// Balance below which a transmitter is reported, in wei.
    let balanceMinimum: U256
    /// Relayers whose transmitters are looked at.
    let relayers: [ClusterSettings.Relayer]

    func run() async -> [CheckResult] {
        var results: [CheckResult] = []
        var reachable: Set<ChainSelector> = []
        for chain in cluster.chains {
            let endpoints = await endpoints(chain)
            results += endpoints
            if endpoints.contains(where: \.isGood) { reachable.insert(chain.selector) }
        }
        for chain in cluster.chains where reachable.contains(chain.selector) {
            results += await contracts(chain)
            results += await plugins(chain)
            results += await balances(chain)
        }
        for lane in cluster.lanes where reachable.contains(lane.source) && reachable.contains(lane.destination) {
            results += await self.lane(lane)
        }
        return results
    }

    // MARK: Endpoints

    private func endpoints(_ chain: ClusterSettings.Chain) async -> [CheckResult] {
        guard let bridge = network.chain(chain.selector) else {
            return [.bad(chain.name, "endpoint", "no endpoint for this chain", hint: "add endpoints.\(chain.name).urls")]
        }
        return await bridge.endpoints.verify().map { status in
            switch status.state {
            case .ready, .behind: .good(chain.name, "endpoint", "\(status.label) serves chain \(chain.chainID)")
            case .refused:
                .bad(
                    chain.name, "endpoint", status.lastError ?? "\(status.label) serves another chain",
                    hint: "correct the endpoint or the chain id")
            case .failing, .unverified:
                .bad(
                    chain.name, "endpoint", "\(status.label): \(status.lastError ?? "no answer")",
                    hint: "does it run, and is it reached from here?")
            }
        }
    }

    // MARK: Contracts

    private func contracts(_ chain: ClusterSettings.Chain) async -> [CheckResult] {
        guard let bridge = network.chain(chain.selector) else { return [] }
        let addresses = Dictionary(bridge.contracts.named.map { ($0.name, $0.address) }, uniquingKeysWith: { a, _ in a })
        var wrong: [String] = []
        for (name, expected) in Findings.versions {
            guard let address = addresses[name] else { continue }
            switch await read(TokenCalls.typeAndVersion(), from: address, on: bridge) {
            case .success(let text):
                if !text.hasPrefix(expected) { wrong.append("\(name) \(address) is '\(text)', not \(expected)x") }
            case .failure(let error): wrong.append("\(name) \(address): \(error.message)")
            }
        }
        let versions = CheckResult.of(
            chain.name, "contracts", wrong, good: "\(Findings.versions.count) contracts of the right type and version",
            hint: "correct the addresses under contracts in the cluster file")
        return [versions, await identity(chain, bridge), await curse(chain, bridge)]
    }

    /// The ramps know which chain they are on, and belong together.
    private func identity(_ chain: ClusterSettings.Chain, _ bridge: BridgeChain) async -> CheckResult {
        var wrong: [String] = []
        switch await read(OffRampCalls.staticConfig(), from: chain.contracts.offRamp, on: bridge) {
        case .success(let config):
            if config.chainSelector != chain.selector { wrong.append("the OffRamp is of chain \(config.chainSelector)") }
            if config.nonceManager != chain.contracts.nonceManager {
                wrong.append("the OffRamp uses NonceManager \(config.nonceManager)")
            }
            if config.rmnRemote != chain.contracts.rmnProxy && config.rmnRemote != chain.contracts.rmnRemote {
                wrong.append("the OffRamp asks RMN \(config.rmnRemote)")
            }
        case .failure(let error): wrong.append("OffRamp: \(error.message)")
        }
        switch await read(OnRampCalls.staticConfig(), from: chain.contracts.onRamp, on: bridge) {
        case .success(let config):
            if config.chainSelector != chain.selector { wrong.append("the OnRamp is of chain \(config.chainSelector)") }
        case .failure(let error): wrong.append("OnRamp: \(error.message)")
        }
        return .of(
            chain.name, "ramps", wrong, good: "OnRamp and OffRamp of selector \(chain.selector)",
            hint: "correct the addresses under contracts in the cluster file")
    }

    private func curse(_ chain: ClusterSettings.Chain, _ bridge: BridgeChain) async -> CheckResult {
        switch await read(RMNRemoteCalls.cursedSubjects(), from: chain.contracts.rmnRemote, on: bridge) {
        case .success(let curse):
            let cursed = cluster.chains.filter { curse.covers($0.selector) }.map(\.name)
            return .of(
                chain.name, "curse", cursed.isEmpty ? [] : ["cursed: \(cursed.joined(separator: ", "))"], good: "none",
                hint: "ask who runs the RMN contracts of this chain")
        case .failure(let error): return .bad(chain.name, "curse", error.message)
        }
    }

    private func plugins(_ chain: ClusterSettings.Chain) async -> [CheckResult] {
        guard let bridge = network.chain(chain.selector),
            cluster.destinations.contains(where: { $0.selector == chain.selector })
        else { return [] }
        var results: [CheckResult] = []
        for plugin in PluginType.allCases {
            switch await read(OffRampCalls.latestConfigDetails(plugin), from: chain.contracts.offRamp, on: bridge) {
            case .success(let installed):
                results.append(Findings.plugin(plugin, installed: installed, chain: chain, cluster: cluster))
            case .failure(let error):
                results.append(.bad(chain.name, "\(plugin) configuration", error.message))
            }
        }
        return results
    }

    // MARK: Lanes

    private func lane(_ lane: ClusterSettings.Lane) async -> [CheckResult] {
        guard let from = cluster.chain(lane.source), let to = cluster.chain(lane.destination),
            let source = network.chain(lane.source), let destination = network.chain(lane.destination)
        else { return [] }
        let subject = "\(from.name) -> \(to.name)"
        var departure: [String] = []
        switch await read(RouterCalls.onRamp(to.selector), from: from.contracts.router, on: source) {
        case .success(let onRamp):
            if onRamp != from.contracts.onRamp {
                departure.append(onRamp.isZero ? "the Router has no OnRamp for it" : "the Router sends to OnRamp \(onRamp)")
            }
        case .failure(let error): departure.append("Router: \(error.message)")
        }
        switch await read(OnRampCalls.destination(to.selector), from: from.contracts.onRamp, on: source) {
        case .success(let config):
            if config.router != from.contracts.router { departure.append("the OnRamp obeys Router \(config.router)") }
        case .failure(let error): departure.append("OnRamp: \(error.message)")
        }
        var arrival: [String] = []
        switch await read(OffRampCalls.sourceChainConfig(from.selector), from: to.contracts.offRamp, on: destination) {
        case .success(let config):
            arrival = Findings.source(config, onRamp: from.contracts.onRamp, router: to.contracts.router)
        case .failure(let error): arrival.append("OffRamp: \(error.message)")
        }
        return [
            .of(subject, "departure", departure, good: "Router and OnRamp belong together"),
            .of(subject, "arrival", arrival, good: "the OffRamp takes this OnRamp"),
        ]
    }

    // MARK: Balances

    private func balances(_ chain: ClusterSettings.Chain) async -> [CheckResult] {
        guard let bridge = network.chain(chain.selector) else { return [] }
        var results: [CheckResult] = []
        for relayer in relayers {
            guard let own = relayer.transmitters.first(where: { $0.chain == chain.selector }) else { continue }
            var wrong: [String] = []
            var amounts: [String] = []
            for (role, address) in [("committing", own.committing), ("executing", own.executing)] {
                do {
                    let balance = try await bridge.endpoints.balance(address)
                    let text = DecimalText.format(balance, decimals: 18)
                    amounts.append("\(role) \(text)")
                    if balance < balanceMinimum { wrong.append("\(role) transmitter \(address) has \(text)") }
                } catch { wrong.append("\(role) transmitter \(address): \(error)") }
            }
            results.append(
                .of(
                    "\(relayer.name) on \(chain.name)", "balance", wrong, good: amounts.joined(separator: ", "),
                    hint: "send at least \(DecimalText.format(balanceMinimum, decimals: 18)) of the chain's coin there"))
        }
        return results
    }

    private func read<Answer: Sendable>(
        _ call: ContractCall<Answer>, from address: Address, on chain: BridgeChain
    ) async -> Result<Answer, CommandFailure> {
        do { return .success(try await chain.reader.read(call, from: address)) } catch {
            return .failure(CommandFailure(error))
        }
    }
}

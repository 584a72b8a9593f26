// From a request to transactions: which contracts at which addresses, and the calls that wire them. Pure: the same request,
// artifacts and first nonces give the same plan, byte for byte. Sending is Deployer.swift.

import CCIP
import Ethereum

/// Contracts of one chain under the names of localnet.json.
package struct ChainContracts: Sendable, Equatable {
    package struct Token: Sendable, Equatable {
        package var symbol: String
        package var token: Address
        package var pool: Address
    }

    package var wrappedNative = Address.zero
    package var rmnRemote = Address.zero
    package var rmnProxy = Address.zero
    package var router = Address.zero
    package var tokenAdminRegistry = Address.zero
    package var registryModule = Address.zero
    package var nonceManager = Address.zero
    package var feeQuoter = Address.zero
    package var onRamp = Address.zero
    package var offRamp = Address.zero
    package var receiver: Address?
    package var revertingReceiver: Address?
    /// In the order of the versions; empty where no token crosses by CCTP.
    package var cctp: [CCTPContracts] = []
    /// Nil where no reports of price streams are verified.
    package var streams: StreamContracts?
    package var tokens: [Token] = []

    package init() {}

    package func token(_ symbol: String) -> Token? { tokens.first { $0.symbol == symbol } }
    package func cctp(_ version: CCTPVersion) -> CCTPContracts? { cctp.first { $0.version == version } }
}

/// What one chain is sent, in order; creations come first, so that their nonces are fixed.
package struct ChainPlan: Sendable, Equatable {
    package let chain: DeploymentRequest.Chain
    package let firstNonce: UInt64
    package let contracts: ChainContracts
    package let steps: [DeploymentStep]
    package let commitDigest: Hash32
    package let executeDigest: Hash32

    package var creations: Int { steps.count(where: \.isCreation) }
}

package struct DeploymentPlan: Sendable, Equatable {
    package let request: DeploymentRequest
    /// In the order of the request.
    package let chains: [ChainPlan]

    /// `firstNonces` are the deployers' next nonces by chain name. Throws `invalidRequest` or `artifactMissing`.
    package init(
        request: DeploymentRequest, artifacts: ContractArtifacts, firstNonces: [String: UInt64]
    ) throws(LocalnetError) {
        try request.validate()
        self.request = request
        var addresses: [String: ChainContracts] = [:]
        for chain in request.chains {
            addresses[chain.name] = ContractAddresses.planned(request, chain, firstNonce: firstNonces[chain.name] ?? 0)
        }
        var plans: [ChainPlan] = []
        for (position, chain) in request.chains.enumerated() {
            var builder = ChainPlanBuilder(
                request: request, artifacts: artifacts, chain: chain, position: position, contracts: addresses,
                firstNonce: firstNonces[chain.name] ?? 0)
            plans.append(try builder.build())
        }
        chains = plans
    }

    package func chain(_ name: String) -> ChainPlan? { chains.first { $0.chain.name == name } }

    /// Names a plan: another request, other contracts or other nonces give another one.
    package var digest: Hash32 {
        var text = Bytes()
        for plan in chains {
            text += U256(plan.chain.chainID).bytes + U256(plan.firstNonce).bytes + plan.chain.deployer.abiWord
            for step in plan.steps {
                text += keccak256(text: step.label).bytes + keccak256(step.data).bytes
                text += (step.target ?? .zero).abiWord + step.value.bytes
            }
        }
        return keccak256(text)
    }
}

/// The creations of a chain, in the one order that fixes their addresses.
enum ContractAddresses {
    /// Which artifact, under which name; tokens and pools carry their symbol.
    static func order(_ request: DeploymentRequest, _ chain: String) -> [(artifact: String, name: String)] {
        var order = [
            ("weth9", "weth"), ("rmn_remote", "rmnRemote"), ("arm_proxy", "rmnProxy"), ("router", "router"),
            ("token_admin_registry", "tokenAdminRegistry"), ("registry_module_owner_custom", "registryModule"),
            ("nonce_manager", "nonceManager"), ("fee_quoter", "feeQuoter"), ("on_ramp", "onRamp"),
            ("off_ramp", "offRamp"),
        ]
        for version in request.cctpVersions {
            let names = CCTPContracts.names(version)
            order += [
                ("cctp_message_transmitter" + version.artifactSuffix, names.transmitter),
                ("cctp_token_messenger" + version.artifactSuffix, names.messenger),
                ("cctp_message_transmitter_proxy", names.proxy),
            ]
        }
        for token in request.tokens {
            order.append(("burn_mint_erc20", "token \(token.symbol)"))
            order.append((token.poolKind(on: chain).artifact, "pool \(token.symbol)"))
        }
        if request.receivers {
            order += [("storing_receiver", "receiver"), ("reverting_receiver", "revertingReceiver")]
        }
        if request.streams != nil { order += StreamContracts.order }
        return order
    }

    static func planned(
        _ request: DeploymentRequest, _ chain: DeploymentRequest.Chain, firstNonce: UInt64
    ) -> ChainContracts {
        var byName: [String: Address] = [:]
        for (position, entry) in order(request, chain.name).enumerated() {
            byName[entry.name] = .created(by: chain.deployer, nonce: firstNonce + UInt64(position))
        }
        func at(_ name: String) -> Address { byName[name] ?? .zero }
        var contracts = ChainContracts()
        contracts.wrappedNative = at("weth")
        contracts.rmnRemote = at("rmnRemote")
        contracts.rmnProxy = at("rmnProxy")
        contracts.router = at("router")
        contracts.tokenAdminRegistry = at("tokenAdminRegistry")
        contracts.registryModule = at("registryModule")
        contracts.nonceManager = at("nonceManager")
        contracts.feeQuoter = at("feeQuoter")
        contracts.onRamp = at("onRamp")
        contracts.offRamp = at("offRamp")
        contracts.receiver = byName["receiver"]
        contracts.revertingReceiver = byName["revertingReceiver"]
        contracts.cctp = request.cctpVersions.compactMap { CCTPContracts($0) { byName[$0] } }
        contracts.streams = StreamContracts { byName[$0] }
        contracts.tokens = request.tokens.map {
            .init(symbol: $0.symbol, token: at("token \($0.symbol)"), pool: at("pool \($0.symbol)"))
        }
        return contracts
    }
}

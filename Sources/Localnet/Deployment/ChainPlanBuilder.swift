// The steps of one chain: creations with their constructor arguments, then the calls of the wiring checklist. What the
// fee tables hold is LaneDefaults.swift.

import CCIP
import Ethereum

struct ChainPlanBuilder {
    let request: DeploymentRequest
    let artifacts: ContractArtifacts
    let chain: DeploymentRequest.Chain
    /// Of the chain in the request; names its DON.
    let position: Int
    /// Planned addresses of every chain, by name.
    let contracts: [String: ChainContracts]
    let firstNonce: UInt64

    var own: ChainContracts { contracts[chain.name] ?? ChainContracts() }
    var remotes: [DeploymentRequest.Chain] { request.chains.filter { $0.name != chain.name } }
    private var steps: [DeploymentStep] = []

    init(
        request: DeploymentRequest, artifacts: ContractArtifacts, chain: DeploymentRequest.Chain, position: Int,
        contracts: [String: ChainContracts], firstNonce: UInt64
    ) {
        self.request = request
        self.artifacts = artifacts
        self.chain = chain
        self.position = position
        self.contracts = contracts
        self.firstNonce = firstNonce
    }

    mutating func build() throws(LocalnetError) -> ChainPlan {
        do {
            try create()
            try setPrices()
            try wireRamps()
            try wireCCTP()
            for token in request.tokens { try wire(token) }
            let digests = try configureOracles()
            try configureGuards()
            try configureStreams()
            try mint()
            fund()
            return ChainPlan(
                chain: chain, firstNonce: firstNonce, contracts: own, steps: steps, commitDigest: digests.commit,
                executeDigest: digests.execute)
        } catch let error as LocalnetError {
            throw error
        } catch {
            // Values of a validated request fit their types.
            throw LocalnetError(.invalidRequest, "chain \(chain.name): \(error)")
        }
    }

    // MARK: Creations

    private mutating func create() throws {
        for (offset, entry) in ContractAddresses.order(request, chain.name).enumerated() {
            let (values, types) = try constructor(entry.artifact, entry.name)
            let code = try artifacts.artifact(entry.artifact).bytecode + ABI.encode(values, as: types)
            let address = Address.created(by: chain.deployer, nonce: firstNonce + UInt64(offset))
            steps.append(
                DeploymentStep(
                    label: "create \(entry.name)", kind: .create(contract: entry.name, address: address), data: code,
                    gasLimit: StepGas.creation(initCodeBytes: code.count)))
        }
    }

    private func constructor(_ artifact: String, _ name: String) throws -> ([ABIValue], [ABIType]) {
        switch artifact {
        case "rmn_remote":
            return ([.uint(chain.selector.rawValue), .address(.zero)], ContractConstructors.rmnRemote)
        case "arm_proxy": return ([.address(own.rmnRemote)], ContractConstructors.armProxy)
        case "router": return ([.address(own.wrappedNative), .address(own.rmnProxy)], ContractConstructors.router)
        case "registry_module_owner_custom":
            return ([.address(own.tokenAdminRegistry)], ContractConstructors.registryModule)
        case "nonce_manager":
            return ([.array([.address(own.onRamp), .address(own.offRamp)])], ContractConstructors.nonceManager)
        case "fee_quoter": return (feeQuoter(), ContractConstructors.feeQuoter)
        case "on_ramp": return (onRamp(), ContractConstructors.onRamp)
        case "off_ramp": return (offRamp(), ContractConstructors.offRamp)
        case "burn_mint_erc20":
            let token = try token(of: name)
            return (
                [
                    .string(token.name), .string(token.symbol), .uint(UInt64(token.decimals(on: chain.name))),
                    .uint(U256.zero), .uint(U256.zero), .address(chain.deployer),
                ], [.string, .string, .uint(8), .uint(256), .uint(256), .address]
            )
        case "storing_receiver", "reverting_receiver": return ([.address(own.router)], [.address])
        default:
            if name.hasPrefix("pool ") { return try pool(try token(of: name)) }
            return try streamsConstructor(name) ?? cctpConstructor(name) ?? ([], [])
        }
    }

    /// The token of a creation named `token SYMBOL` or `pool SYMBOL`.
    func token(of name: String) throws(LocalnetError) -> DeploymentRequest.Token {
        let symbol = name.split(separator: " ", maxSplits: 1).last.map(String.init) ?? name
        guard let token = request.tokens.first(where: { $0.symbol == symbol }) else {
            throw LocalnetError(.invalidRequest, "no token is called '\(symbol)'")
        }
        return token
    }

    private func feeQuoter() -> [ABIValue] {
        let link = own.token(request.tokens.first(where: \.isLink)?.symbol ?? "")?.token ?? .zero
        return [
            .tuple([.uint(LaneDefaults.maxFeeJuelsPerMessage), .address(link), .uint(LaneDefaults.tokenPriceStaleSeconds)]),
            // The deployer writes the first prices and is then taken off the list.
            .array([.address(own.offRamp), .address(chain.deployer)]),
            .array([.address(link), .address(own.wrappedNative)]),
            .array([]), .array([]),
            .array([
                .tuple([.address(link), .uint(LaneDefaults.linkPremium)]),
                .tuple([.address(own.wrappedNative), .uint(LaneDefaults.nativePremium)]),
            ]),
            .array(remotes.map { .tuple([.uint($0.selector.rawValue), LaneDefaults.destination]) }),
        ]
    }

    private func onRamp() -> [ABIValue] {
        [
            .tuple([
                .uint(chain.selector.rawValue), .address(own.rmnProxy), .address(own.nonceManager),
                .address(own.tokenAdminRegistry),
            ]),
            .tuple([
                .address(own.feeQuoter), .bool(false), .address(.zero), .address(chain.deployer), .address(.zero),
            ]),
            .array(remotes.map { .tuple([.uint($0.selector.rawValue), .address(own.router), .bool(false)]) }),
        ]
    }

    private func offRamp() -> [ABIValue] {
        [
            .tuple([
                .uint(chain.selector.rawValue), .uint(LaneDefaults.gasForCallExactCheck), .address(own.rmnProxy),
                .address(own.tokenAdminRegistry), .address(own.nonceManager),
            ]),
            .tuple([
                .address(own.feeQuoter), .uint(UInt64(request.manualExecutionSeconds)), .address(.zero),
            ]),
            .array(
                remotes.map { remote in
                    .tuple([
                        .address(own.router), .uint(remote.selector.rawValue), .bool(true),
                        .bool(request.isUnblessed(from: remote.name, to: chain.name)),
                        .bytes(contracts[remote.name]?.onRamp.abiWord ?? []),
                    ])
                }),
        ]
    }

    // MARK: Wiring

    mutating func call(
        _ label: String, _ target: Address, _ function: ABIFunction, _ arguments: [ABIValue], gas: UInt64
    ) throws {
        steps.append(
            DeploymentStep(
                label: label, kind: .call(to: target), data: try function.encodeCall(arguments), gasLimit: gas))
    }

    private mutating func setPrices() throws {
        var prices = [(own.wrappedNative, chain.nativePriceUSD18)]
        for token in request.tokens {
            prices.append((own.token(token.symbol)?.token ?? .zero, token.priceUSD18(on: chain.name) ?? token.priceUSD18))
        }
        let update = ABIValue.tuple([
            .array(prices.map { .tuple([.address($0.0), .uint($0.1)]) }),
            .array(remotes.map { .tuple([.uint($0.selector.rawValue), .uint($0.gasPriceUSD18)]) }),
        ])
        try call(
            "set first prices", own.feeQuoter, FeeQuoterInterface.updatePrices, [update],
            gas: StepGas.prices(prices.count + remotes.count))
        try call(
            "leave prices to the off-ramp", own.feeQuoter, FeeQuoterInterface.applyAuthorizedCallerUpdates,
            [.tuple([.array([]), .array([.address(chain.deployer)])])], gas: StepGas.administer)
    }

    private mutating func wireRamps() throws {
        let onRamps = remotes.map { ABIValue.tuple([.uint($0.selector.rawValue), .address(own.onRamp)]) }
        let offRamps = remotes.map { ABIValue.tuple([.uint($0.selector.rawValue), .address(own.offRamp)]) }
        try call(
            "open lanes", own.router, RouterInterface.applyRampUpdates,
            [.array(onRamps), .array([]), .array(offRamps)], gas: StepGas.lanes(remotes.count))
        try call(
            "admit registry module", own.tokenAdminRegistry, TokenAdminRegistryInterface.addRegistryModule,
            [.address(own.registryModule)], gas: StepGas.administer)
    }

    private var home: OCRConfiguration.Home {
        .init(chainID: request.chains[0].chainID, contract: request.chains[0].deployer, donID: UInt32(position + 1))
    }

    private mutating func configureOracles() throws -> (commit: Hash32, execute: Hash32) {
        var digests: [Hash32] = []
        var arguments: [ABIValue] = []
        for plugin in [PluginType.commit, .execution] {
            let nodes = request.oracles.map { oracle in
                OCRConfiguration.Node(
                    peerID: oracle.peerID, signer: oracle.signer,
                    transmitter: (plugin == .commit ? oracle.committing : oracle.executing)[chain.name] ?? .zero)
            }
            let configuration = OCRConfiguration(
                plugin: plugin, destination: chain.selector, offRamp: own.offRamp, faulty: UInt8(request.faulty),
                nodes: nodes)
            let digest = try configuration.digest(home: home)
            digests.append(digest)
            arguments.append(configuration.argument(digest: digest))
        }
        try call(
            "configure oracles", own.offRamp, OffRampInterface.setOCR3Configs, [.array(arguments)],
            gas: StepGas.oracles(request.oracles.count))
        return (digests[0], digests[1])
    }

    /// On every chain, also where no lane needs it yet: the OffRamp's owner can ask for blessed roots later.
    private mutating func configureGuards() throws {
        guard let blessing = request.blessing else { return }
        try call(
            "configure guards", own.rmnRemote, RMNRemoteInterface.setConfig,
            [blessing.argument(digest: try blessing.homeDigest(home))], gas: StepGas.guards(blessing.signers.count))
    }

    // MARK: Test balances

    private mutating func mint() throws {
        for token in request.tokens {
            guard let amount = token.minted[chain.name], !amount.isZero, let here = own.token(token.symbol) else { continue }
            for (index, holder) in request.holders.enumerated() {
                try call(
                    "mint \(token.symbol) for holder \(index)", here.token, ERC20Interface.mint,
                    [.address(holder), .uint(amount)], gas: StepGas.mint)
            }
        }
    }

    private mutating func fund() {
        guard !request.transmitterFunding.isZero else { return }
        for (index, oracle) in request.oracles.enumerated() {
            let accounts = [("committing", oracle.committing[chain.name]), ("executing", oracle.executing[chain.name])]
            for (role, account) in accounts {
                guard let account else { continue }
                steps.append(
                    DeploymentStep(
                        label: "fund \(role) relayer \(index)",
                        kind: .transfer(to: account, wei: request.transmitterFunding), data: [],
                        gasLimit: StepGas.transfer))
            }
        }
    }
}

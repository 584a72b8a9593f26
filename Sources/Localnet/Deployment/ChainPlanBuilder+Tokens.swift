// How tokens, their pools and the contracts of Circle's transfer protocol are made and wired (19 and 20 of the on-chain
// specification). Which kind asks for what is said in TokenKind.swift.

import CCIP
import Ethereum

extension ChainPlanBuilder {
    /// Where tokens of `burn-to-address` pools go: no key is known for it, and explorers know it by sight.
    static let burnAddress = Address(truncating: U256(0xdEaD))

    // MARK: Constructors

    func pool(_ token: DeploymentRequest.Token) throws -> ([ABIValue], [ABIType]) {
        let kind = token.poolKind(on: chain.name)
        let address = ABIValue.address(own.token(token.symbol)?.token ?? .zero)
        let surroundings: [ABIValue] = [.array([]), .address(own.rmnProxy), .address(own.router)]
        if let version = kind.cctp {
            let cctp = try self.cctp(version, on: chain.name)
            let common: [ABIValue] = [.address(cctp.messenger), .address(cctp.proxy), address] + surroundings
            let types = try Self.types("(address,address,address,address[],address,address)")
            // Version 1 also names an earlier pool, whose messages it still delivers; there is none.
            return version == .v1 ? (common + [.address(.zero)], types + [.address]) : (common, types)
        }
        let common: [ABIValue] = [address, .uint(UInt64(token.decimals(on: chain.name)))] + surroundings
        guard kind == .burnToAddress else { return (common, ContractConstructors.tokenPool) }
        return (common + [.address(Self.burnAddress)], ContractConstructors.tokenPool + [.address])
    }

    /// Nil for what is no contract of CCTP.
    func cctpConstructor(_ name: String) throws -> ([ABIValue], [ABIType])? {
        for cctp in own.cctp {
            let names = CCTPContracts.names(cctp.version)
            switch name {
            case names.transmitter:
                let first = request.attesters?.addresses.first ?? .zero
                return ([.uint(UInt64(try domain(chain))), .address(first)], [.uint(32), .address])
            case names.messenger: return ([.address(cctp.transmitter)], [.address])
            case names.proxy: return ([.address(cctp.messenger)], [.address])
            default: continue
            }
        }
        return nil
    }

    private static func types(_ text: String) throws -> [ABIType] {
        if case .tuple(let members) = try ABIType(text) { return members }
        return []
    }

    private func cctp(_ version: CCTPVersion, on name: String) throws(LocalnetError) -> CCTPContracts {
        guard let cctp = contracts[name]?.cctp(version) else {
            throw LocalnetError(.invalidRequest, "chain \(name) has no CCTP v\(version.rawValue)")
        }
        return cctp
    }

    private func domain(_ chain: DeploymentRequest.Chain) throws(LocalnetError) -> UInt32 {
        guard let domain = chain.cctpDomain else {
            throw LocalnetError(.invalidRequest, "chain \(chain.name) has no CCTP domain")
        }
        return domain
    }

    // MARK: Tokens

    mutating func wire(_ token: DeploymentRequest.Token) throws {
        guard let here = own.token(token.symbol) else { return }
        let symbol = token.symbol
        let kind = token.poolKind(on: chain.name)
        try call(
            "register \(symbol)", own.registryModule, TokenAdminRegistryInterface.registerAdminViaGetCCIPAdmin,
            [.address(here.token)], gas: StepGas.administer)
        try call(
            "administer \(symbol)", own.tokenAdminRegistry, TokenAdminRegistryInterface.acceptAdminRole,
            [.address(here.token)], gas: StepGas.administer)
        try call(
            "set pool of \(symbol)", own.tokenAdminRegistry, TokenAdminRegistryInterface.setPool,
            [.address(here.token), .address(here.pool)], gas: StepGas.administer)
        if kind.mints {
            try call(
                "let pool mint \(symbol)", here.token, ABIFunction("grantMintAndBurnRoles(address)"),
                [.address(here.pool)], gas: StepGas.administer)
        }
        let updates = remotes.compactMap { remote -> ABIValue? in
            guard let there = contracts[remote.name]?.token(symbol) else { return nil }
            let outbound = LaneDefaults.rateLimit(token.rateLimit(in: chain.name))
            // Siloed pools are of the older rules: what arrives is counted in the source's unit.
            let inbound = kind == .siloedLockRelease ? LaneDefaults.rateLimit(token.rateLimit(in: remote.name)) : outbound
            return .tuple([
                .uint(remote.selector.rawValue), .array([.bytes(there.pool.abiWord)]), .bytes(there.token.abiWord),
                outbound, inbound,
            ])
        }
        try call(
            "connect pool of \(symbol)", here.pool, TokenPoolInterface.applyChainUpdates,
            [.array([]), .array(updates)], gas: StepGas.poolChains(updates.count))
        if kind == .siloedLockRelease { try makeSilos(symbol, here.pool) }
        if let version = kind.cctp { try wireUSDC(symbol, here, version) }
    }

    /// A silo for each remote chain; the deployer may fill and empty them.
    private mutating func makeSilos(_ symbol: String, _ pool: Address) throws {
        let silos = remotes.map { ABIValue.tuple([.uint($0.selector.rawValue), .address(chain.deployer)]) }
        try call(
            "make silos of \(symbol)", pool, ABIFunction("updateSiloDesignations(uint64[],(uint64,address)[])"),
            [.array([]), .array(silos)], gas: StepGas.lanes(remotes.count))
    }

    // MARK: Circle's transfer protocol

    /// Messengers believe each other, and transmitters the attesters.
    mutating func wireCCTP() throws {
        for cctp in own.cctp {
            let name = "CCTP v\(cctp.version.rawValue)"
            for remote in remotes {
                let there = try self.cctp(cctp.version, on: remote.name)
                try call(
                    "believe messenger of \(remote.name) (\(name))", cctp.messenger,
                    ABIFunction("addRemoteTokenMessenger(uint32,bytes32)"),
                    [.uint(UInt64(try domain(remote))), .bytes(there.messenger.abiWord)], gas: StepGas.administer)
            }
            guard let attesters = request.attesters else { continue }
            for (index, attester) in attesters.addresses.enumerated().dropFirst() {
                try call(
                    "enable attester \(index) (\(name))", cctp.transmitter, ABIFunction("enableAttester(address)"),
                    [.address(attester)], gas: StepGas.administer)
            }
            // One signature is enough from the start on, and setting the same again is refused.
            if attesters.threshold > 1 {
                try call(
                    "require \(attesters.threshold) attesters (\(name))", cctp.transmitter,
                    ABIFunction("setSignatureThreshold(uint256)"), [.uint(UInt64(attesters.threshold))],
                    gas: StepGas.administer)
            }
        }
    }

    private mutating func wireUSDC(_ symbol: String, _ here: ChainContracts.Token, _ version: CCTPVersion) throws {
        let cctp = try self.cctp(version, on: chain.name)
        try call(
            "let messenger mint \(symbol)", here.token, ABIFunction("grantMintAndBurnRoles(address)"),
            [.address(cctp.messenger)], gas: StepGas.administer)
        var domains: [ABIValue] = []
        for remote in remotes {
            let there = try self.cctp(version, on: remote.name)
            let number = try domain(remote)
            try call(
                "pair \(symbol) with \(remote.name)", cctp.messenger,
                ABIFunction("linkTokenPair(address,uint32,bytes32)"),
                [
                    .address(here.token), .uint(UInt64(number)),
                    .bytes((contracts[remote.name]?.token(symbol)?.token ?? .zero).abiWord),
                ], gas: StepGas.administer)
            // Only the other end's proxy may deliver, and CCTP mints to the receiver of the message itself.
            domains.append(
                .tuple([
                    .bytes(there.proxy.abiWord), .bytes(Address.zero.abiWord), .uint(UInt64(number)),
                    .uint(remote.selector.rawValue), .bool(true),
                ]))
        }
        try call(
            "set domains of \(symbol)", here.pool,
            ABIFunction("setDomains((bytes32,bytes32,uint32,uint64,bool)[])"), [.array(domains)],
            gas: StepGas.lanes(remotes.count))
        try call(
            "let pool deliver \(symbol)", cctp.proxy, ABIFunction("configureAllowedCallers((address,bool)[])"),
            [.array([.tuple([.address(here.pool), .bool(true)])])], gas: StepGas.administer)
        if version == .v2 {
            // Pools of version 2 ask a list and not the router.
            try call(
                "let ramps call pool of \(symbol)", here.pool,
                ABIFunction("applyAuthorizedCallerUpdates((address[],address[]))"),
                [.tuple([.array([.address(own.onRamp), .address(own.offRamp)]), .array([])])], gas: StepGas.administer)
        }
        try chargeUSDC(symbol, here.token)
    }

    /// Deliveries check signatures, and pool data is longer than 32 bytes: what is charged for must cover both.
    private mutating func chargeUSDC(_ symbol: String, _ token: Address) throws {
        // The FeeQuoter takes lists for this many destinations at a time.
        let most = 8
        for start in stride(from: 0, to: remotes.count, by: most) {
            let part = remotes[start..<min(start + most, remotes.count)]
            let lists = part.map { remote in
                ABIValue.tuple([
                    .uint(remote.selector.rawValue),
                    .array([.tuple([.address(token), LaneDefaults.usdcTransferFee])]),
                ])
            }
            try call(
                "charge transfers of \(symbol)" + (start == 0 ? "" : " from chain \(start) on"), own.feeQuoter,
                FeeQuoterInterface.applyTokenTransferFeeConfigUpdates, [.array(lists), .array([])],
                gas: StepGas.lanes(part.count))
        }
    }
}

// What is to be deployed: chains, tokens, the cluster's on-chain keys, prices. Plain values, checked before anything is
// planned. How it comes about is DeploymentPlan.swift.

import CCIP
import Ethereum

/// A whole deployment: every chain is wired to every other one, both ways.
package struct DeploymentRequest: Sendable, Equatable {
    /// One chain, with what the others must know of it.
    package struct Chain: Sendable, Equatable {
        package var name: String
        package var chainID: UInt64
        package var selector: ChainSelector
        /// Account that deploys, owns everything and collects fees.
        package var deployer: Address
        /// US dollars with 18 decimals for 1e18 wei.
        package var nativePriceUSD18: U256
        /// What senders elsewhere pay for one gas here: US dollars with 18 decimals.
        package var gasPriceUSD18: U256
        /// The chain's number in Circle's transfer protocol; tokens of its pools need one.
        package var cctpDomain: UInt32?

        package init(
            name: String, chainID: UInt64, selector: ChainSelector, deployer: Address, nativePriceUSD18: U256,
            gasPriceUSD18: U256, cctpDomain: UInt32? = nil
        ) {
            self.name = name
            self.chainID = chainID
            self.selector = selector
            self.deployer = deployer
            self.nativePriceUSD18 = nativePriceUSD18
            self.gasPriceUSD18 = gasPriceUSD18
            self.cctpDomain = cctpDomain
        }
    }

    /// Token bucket of a pool for each remote chain, in the token's smallest unit; nil for no limit.
    package struct RateLimit: Sendable, Equatable {
        package var capacity: U256
        /// Refilled each second.
        package var rate: U256

        package init(capacity: U256, rate: U256) {
            self.capacity = capacity
            self.rate = rate
        }
    }

    /// One token, which exists on every chain under the same symbol. Amounts and price are those of `decimals`.
    package struct Token: Sendable, Equatable {
        package var name: String
        package var symbol: String
        package var decimals: UInt8
        /// US dollars with 18 decimals for 1e18 of the smallest unit.
        package var priceUSD18: U256
        /// Exactly one token is LINK: fees are accounted in it.
        package var isLink: Bool
        /// Of chains that neither `pools` nor `lockedOn` names.
        package var pool: PoolKind
        /// By chain name.
        package var pools: [String: PoolKind]
        /// Chains where the pool locks.
        package var lockedOn: Set<String>
        /// By chain name, where they are not `decimals`.
        package var decimalsOn: [String: UInt8]
        package var rateLimit: RateLimit?
        /// Given to each of `holders` on these chains, in the smallest unit, by chain name.
        package var minted: [String: U256]

        package init(
            name: String, symbol: String, decimals: UInt8 = 18, priceUSD18: U256, isLink: Bool = false,
            lockedOn: Set<String> = [], rateLimit: RateLimit? = nil, minted: [String: U256] = [:],
            pool: PoolKind = .burnMint, pools: [String: PoolKind] = [:], decimalsOn: [String: UInt8] = [:]
        ) {
            self.name = name
            self.symbol = symbol
            self.decimals = decimals
            self.priceUSD18 = priceUSD18
            self.isLink = isLink
            self.lockedOn = lockedOn
            self.rateLimit = rateLimit
            self.minted = minted
            self.pool = pool
            self.pools = pools
            self.decimalsOn = decimalsOn
        }

        package func poolKind(on chain: String) -> PoolKind {
            pools[chain] ?? (lockedOn.contains(chain) ? .lockRelease : pool)
        }
    }

    /// The public keys of one relayer that contracts know.
    package struct Oracle: Sendable, Equatable {
        /// 32 bytes that name the relayer among its peers.
        package var peerID: Bytes
        /// Signs reports.
        package var signer: Address
        /// Sends commit reports, by chain name.
        package var committing: [String: Address]
        /// Sends execution reports, by chain name.
        package var executing: [String: Address]

        package init(peerID: Bytes, signer: Address, committing: [String: Address], executing: [String: Address]) {
            self.peerID = peerID
            self.signer = signer
            self.committing = committing
            self.executing = executing
        }
    }

    package var chains: [Chain]
    package var tokens: [Token]
    package var oracles: [Oracle]
    /// F: how many faulty relayers are tolerated.
    package var faulty: Int
    /// Who gets test tokens.
    package var holders: [Address]
    /// Wei that each transmitter is sent; zero for none.
    package var transmitterFunding: U256
    /// After so many seconds anyone may execute a committed message by hand.
    package var manualExecutionSeconds: UInt32
    /// Deploys the example receivers.
    package var receivers: Bool
    /// Nil: RMNRemotes without a configuration, and no lane whose roots need signatures of guards.
    package var blessing: Blessing?
    /// Of the CCTP that tokens need; nil where none does.
    package var attesters: Attesters?
    /// The DON whose reports contracts verify; nil for none.
    package var streams: Streams?

    package init(
        chains: [Chain], tokens: [Token], oracles: [Oracle], faulty: Int, holders: [Address] = [],
        transmitterFunding: U256 = .zero, manualExecutionSeconds: UInt32 = 3600, receivers: Bool = true,
        blessing: Blessing? = nil,
        attesters: Attesters? = nil, streams: Streams? = nil
    ) {
        self.chains = chains
        self.tokens = tokens
        self.oracles = oracles
        self.faulty = faulty
        self.holders = holders
        self.transmitterFunding = transmitterFunding
        self.manualExecutionSeconds = manualExecutionSeconds
        self.receivers = receivers
        self.blessing = blessing
        self.attesters = attesters
        self.streams = streams
    }
}

// MARK: - Validation

extension DeploymentRequest {
    /// Throws `invalidRequest` that names the first thing that cannot stand.
    package func validate() throws(LocalnetError) {
        try require((2...Limits.chainsMaximum).contains(chains.count), "\(chains.count) chains", "at least two chains")
        try unique(chains.map(\.name), "chain name")
        try unique(chains.map { "\($0.chainID)" }, "chain id")
        try unique(chains.map { "\($0.selector)" }, "chain selector")
        for chain in chains {
            try require(chain.selector.rawValue != 0, "chain \(chain.name) has selector 0", "the chain's CCIP selector")
            try require(!chain.nativePriceUSD18.isZero, "chain \(chain.name) has no native price", "a price above zero")
            try require(chain.gasPriceUSD18.bitWidth <= 112, "gas price of \(chain.name) is past 112 bits", "check units")
        }
        try require(tokens.count(where: \.isLink) == 1, "\(tokens.count(where: \.isLink)) tokens are LINK", "exactly one")
        try unique(tokens.map(\.symbol), "token symbol")
        for token in tokens { try validate(token) }
        try validateAttesters()
        try validateOracles()
        try validateBlessing()
        try validateStreams()
    }

    private func validate(_ token: Token) throws(LocalnetError) {
        let names = Set(chains.map(\.name))
        let foreign = token.lockedOn.union(token.minted.keys).union(token.pools.keys).union(token.decimalsOn.keys)
            .subtracting(names).sorted()
        try require(foreign.isEmpty, "token \(token.symbol) names the unknown chain '\(foreign.first ?? "")'", "a chain of this file")
        try require(!token.priceUSD18.isZero, "token \(token.symbol) has no price", "a price above zero")
        try require(token.priceUSD18.bitWidth <= 224, "the price of \(token.symbol) is past 224 bits", "check units")
        if let limit = token.rateLimit {
            try require(
                limit.rate <= limit.capacity && limit.capacity.bitWidth <= 128 && !limit.capacity.isZero,
                "the rate limit of \(token.symbol) does not stand", "0 < capacity < 2^128, rate at most the capacity")
        }
        try validatePools(token)
    }

    private func validateOracles() throws(LocalnetError) {
        try require((1...85).contains(faulty), "F is \(faulty)", "F of at least 1")
        try require(oracles.count <= Limits.relayersMaximum, "\(oracles.count) relayers", "at most \(Limits.relayersMaximum)")
        try require(
            oracles.count == 3 * faulty + 1, "\(oracles.count) relayers with F = \(faulty)", "N = 3F + 1 relayers")
        try unique(oracles.map { Hex.encode($0.peerID) }, "peer id")
        try unique(oracles.map(\.signer.hex), "report signing key")
        for chain in chains {
            for (index, oracle) in oracles.enumerated() {
                try require(
                    oracle.committing[chain.name] != nil && oracle.executing[chain.name] != nil,
                    "relayer \(index) has no transmitter on \(chain.name)", "one for commits, one for executions")
                try require(oracle.peerID.count == 32, "the peer id of relayer \(index) has \(oracle.peerID.count) bytes", "32")
            }
            // A key that signs and sends under one plugin is refused by the OffRamp (10.1).
            try unique(
                oracles.map(\.signer.hex) + oracles.compactMap { $0.committing[chain.name]?.hex },
                "committing key on \(chain.name)")
            try unique(oracles.compactMap { $0.executing[chain.name]?.hex }, "executing key on \(chain.name)")
        }
    }

    func require(_ condition: Bool, _ message: String, _ expected: String) throws(LocalnetError) {
        if !condition { throw LocalnetError(.invalidRequest, message, hint: "expected: \(expected)") }
    }

    func unique(_ texts: [String], _ what: String) throws(LocalnetError) {
        var seen: Set<String> = []
        for text in texts where !seen.insert(text).inserted {
            throw LocalnetError(.invalidRequest, "the \(what) \(text) stands twice", hint: "each one must differ")
        }
    }
}

// The kinds of token pools that a deployment knows, and what each of them asks for. Values only; the steps that make and
// wire a pool are ChainPlanBuilder+Tokens.swift.

import CCIP
import Ethereum

/// A version of Circle's transfer protocol.
package enum CCTPVersion: Int, Sendable, CaseIterable, Comparable {
    case v1 = 1
    case v2 = 2

    package static func < (a: CCTPVersion, b: CCTPVersion) -> Bool { a.rawValue < b.rawValue }

    /// Behind the names of its contracts.
    var suffix: String { self == .v1 ? "" : "V2" }
    var artifactSuffix: String { self == .v1 ? "" : "_v2" }
}

extension DeploymentRequest {
    /// What becomes of tokens that leave, and where those that arrive come from. Raw values stand in localnet.json.
    package enum PoolKind: String, Sendable, Equatable, CaseIterable {
        case burnMint
        /// For tokens that burn by `burnFrom(address,uint256)` only.
        case burnFrom
        /// For tokens that burn by `burn(address,uint256)` only.
        case burnWithFrom
        /// For tokens that cannot be burned: what leaves goes to an address that nobody holds.
        case burnToAddress
        case lockRelease
        /// Locks, with the liquidity of each remote chain apart from that of all others.
        case siloedLockRelease
        /// Circle's transfer protocol, version 1: deliveries need an attestation.
        case usdcV1
        case usdcV2

        /// As deployment files write it: `siloed-lock-release`.
        package var name: String {
            switch self {
            case .burnMint: "burn-mint"
            case .burnFrom: "burn-from"
            case .burnWithFrom: "burn-with-from"
            case .burnToAddress: "burn-to-address"
            case .lockRelease: "lock-release"
            case .siloedLockRelease: "siloed-lock-release"
            case .usdcV1: "usdc-v1"
            case .usdcV2: "usdc-v2"
            }
        }

        package init?(name: String) {
            guard let kind = Self.allCases.first(where: { $0.name == name }) else { return nil }
            self = kind
        }

        package static var names: String { allCases.map(\.name).joined(separator: ", ") }

        /// For people, in a few words.
        package var words: String {
            switch self {
            case .burnMint: "burned and minted"
            case .burnFrom: "burned by burnFrom and minted"
            case .burnWithFrom: "burned by burn(from) and minted"
            case .burnToAddress: "sent to a dead address and minted"
            case .lockRelease: "locked here"
            case .siloedLockRelease: "locked here, a silo for each chain"
            case .usdcV1: "burned and minted by CCTP v1"
            case .usdcV2: "burned and minted by CCTP v2"
            }
        }

        package var cctp: CCTPVersion? {
            switch self {
            case .usdcV1: .v1
            case .usdcV2: .v2
            default: nil
            }
        }

        var locks: Bool { self == .lockRelease || self == .siloedLockRelease }
        /// Whether the pool itself mints; with CCTP its messenger does.
        var mints: Bool { !locks && cctp == nil }

        var artifact: String {
            switch self {
            case .burnMint: "burn_mint_token_pool"
            case .burnFrom: "burn_from_mint_token_pool"
            case .burnWithFrom: "burn_with_from_mint_token_pool"
            case .burnToAddress: "burn_to_address_token_pool"
            case .lockRelease: "lock_release_token_pool"
            case .siloedLockRelease: "siloed_lock_release_token_pool"
            case .usdcV1: "usdc_token_pool"
            case .usdcV2: "usdc_token_pool_cctp_v2"
            }
        }
    }

    /// Who attests the messages of CCTP that this deployment brings with it.
    package struct Attesters: Sendable, Equatable {
        package var addresses: [Address]
        /// How many of them must sign.
        package var threshold: Int

        package init(addresses: [Address], threshold: Int) {
            self.addresses = addresses
            self.threshold = threshold
        }
    }

    /// The versions of CCTP that tokens of this deployment need.
    package var cctpVersions: [CCTPVersion] {
        CCTPVersion.allCases.filter { version in
            tokens.contains { token in chains.contains { token.poolKind(on: $0.name).cctp == version } }
        }
    }
}

/// Contracts of one version of CCTP on one chain.
package struct CCTPContracts: Sendable, Equatable {
    package var version: CCTPVersion
    package var transmitter: Address
    package var messenger: Address
    /// The one caller that messages between pools name.
    package var proxy: Address

    package init(version: CCTPVersion, transmitter: Address, messenger: Address, proxy: Address) {
        self.version = version
        self.transmitter = transmitter
        self.messenger = messenger
        self.proxy = proxy
    }

    static func names(_ version: CCTPVersion) -> (transmitter: String, messenger: String, proxy: String) {
        let suffix = version.suffix
        return ("cctpMessageTransmitter" + suffix, "cctpTokenMessenger" + suffix, "cctpTransmitterProxy" + suffix)
    }

    /// Under their names in localnet.json.
    var named: [(name: String, address: Address)] {
        let names = Self.names(version)
        return [(names.transmitter, transmitter), (names.messenger, messenger), (names.proxy, proxy)]
    }

    /// `at` answers the address of a contract by its name; nil when one is missing.
    init?(_ version: CCTPVersion, at: (String) -> Address?) {
        let names = Self.names(version)
        guard let transmitter = at(names.transmitter), let messenger = at(names.messenger), let proxy = at(names.proxy)
        else { return nil }
        self.init(version: version, transmitter: transmitter, messenger: messenger, proxy: proxy)
    }
}

// MARK: - Amounts on chains with different decimals

extension DeploymentRequest.Token {
    package func decimals(on chain: String) -> UInt8 { decimalsOn[chain] ?? decimals }

    /// US dollars with 18 decimals for 1e18 of the smallest unit there: fewer decimals make a unit dearer. Nil past 256 bits.
    package func priceUSD18(on chain: String) -> U256? {
        Self.scaled(priceUSD18, from: decimals(on: chain), to: decimals)
    }

    /// The rate limit in the smallest unit of `chain`. Nil without one, and past 256 bits.
    func rateLimit(in chain: String) -> DeploymentRequest.RateLimit? {
        guard let rateLimit, let capacity = Self.scaled(rateLimit.capacity, from: decimals, to: decimals(on: chain)),
            let rate = Self.scaled(rateLimit.rate, from: decimals, to: decimals(on: chain))
        else { return nil }
        return DeploymentRequest.RateLimit(capacity: capacity, rate: rate)
    }

    /// `amount` of a unit with `from` decimals in one with `to`, rounded down; nil past 256 bits.
    static func scaled(_ amount: U256, from: UInt8, to: UInt8) -> U256? {
        var value = amount
        for _ in 0..<(Int(max(from, to)) - Int(min(from, to))) {
            if to < from {
                value = value.quotientAndRemainder(dividingBy: 10).quotient
            } else {
                let (product, overflow) = value.multipliedReportingOverflow(by: 10)
                guard !overflow else { return nil }
                value = product
            }
        }
        return value
    }
}

// MARK: - Validation

extension DeploymentRequest {
    /// Decimals of USDC on every chain: its pools never translate amounts.
    static let usdcDecimals: UInt8 = 6
    /// As the transmitters bound it.
    static let attestersMaximum = 16

    /// Throws `invalidRequest` that names the first thing about a token's pools that cannot stand.
    func validatePools(_ token: Token) throws(LocalnetError) {
        let symbol = token.symbol
        for chain in chains {
            let name = chain.name
            try require(
                token.pools[name] == nil || !token.lockedOn.contains(name),
                "token \(symbol) names a pool and a lock on \(name)", "one of 'pools' and 'lockedOn'")
            try require(
                token.decimals(on: name) <= 36, "token \(symbol) has \(token.decimals(on: name)) decimals on \(name)",
                "at most 36")
            let price = token.priceUSD18(on: name)
            try require(
                price.map { !$0.isZero && $0.bitWidth <= 224 } ?? false,
                "the price of \(symbol) does not fit its \(token.decimals(on: name)) decimals on \(name)",
                "a price for 10^18 of the smallest unit above 0 and below 2^224")
            guard let base = token.rateLimit else { continue }
            let limit = token.rateLimit(in: name)
            try require(
                limit.map { $0.capacity.bitWidth <= 128 && !$0.capacity.isZero && (!$0.rate.isZero || base.rate.isZero) }
                    ?? false,
                "the rate limit of \(symbol) does not fit its \(token.decimals(on: name)) decimals on \(name)",
                "capacity and rate above 0 in the smallest unit of every chain")
        }
        try validateUSDC(token)
    }

    private func validateUSDC(_ token: Token) throws(LocalnetError) {
        let kinds = Set(chains.map { token.poolKind(on: $0.name) })
        guard kinds.contains(where: { $0.cctp != nil }) else { return }
        let symbol = token.symbol
        try require(kinds.count == 1, "token \(symbol) crosses by CCTP on some chains only", "the same usdc pool on every chain")
        for chain in chains {
            try require(
                token.decimals(on: chain.name) == Self.usdcDecimals,
                "token \(symbol) has \(token.decimals(on: chain.name)) decimals on \(chain.name)", "6: USDC pools never scale")
            try require(
                chain.cctpDomain != nil, "chain \(chain.name) has no CCTP domain, which \(symbol) needs", "'cctpDomain'")
        }
        try require(attesters != nil, "token \(symbol) needs attesters", "'attestation' with their addresses")
    }

    func validateAttesters() throws(LocalnetError) {
        try unique(chains.compactMap { $0.cctpDomain.map { "\($0)" } }, "CCTP domain")
        guard let attesters else { return }
        try require(
            (1...Self.attestersMaximum).contains(attesters.addresses.count), "\(attesters.addresses.count) attesters",
            "1 to \(Self.attestersMaximum)")
        try require(!attesters.addresses.contains(.zero), "an attester is the zero address", "the address of its key")
        try unique(attesters.addresses.map(\.hex), "attester")
        try require(
            (1...attesters.addresses.count).contains(attesters.threshold),
            "\(attesters.threshold) of \(attesters.addresses.count) attesters must sign", "a threshold from 1 to their number")
    }
}

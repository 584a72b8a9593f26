// Tokens as the registries of the chains list them: pools, remote ends, limits. Reads only.

import CCIP
import ChainAccess
import Ethereum
import Localnet

/// One token on one chain, with its pool.
struct TokenEnd: Sendable {
    let chain: BridgeChain
    let token: Address
    let symbol: String
    let decimals: Int
    let pool: Address
    /// `LockReleaseTokenPool 1.6.1`, or what stands in its place.
    let poolType: String
    let administrator: Address
    /// By chain of the network that the pool serves, in the order of the network.
    var remotes: [RemoteEnd]

    /// Holds what is away, instead of burning it.
    var isLocking: Bool { poolType.lowercased().contains("lock") }
    /// Keeps what is away on some chains apart.
    var isSiloed: Bool { poolType.lowercased().contains("silo") }

    func remote(_ selector: ChainSelector) -> RemoteEnd? { remotes.first { $0.selector == selector } }
    func text(_ amount: U256) -> String { DecimalText.format(amount, decimals: decimals) }
}

struct RemoteEnd: Sendable {
    let selector: ChainSelector
    /// Nil when it is no account in 32 bytes.
    let token: Address?
    /// Byte for byte as configured.
    let pools: [Bytes]
    let outbound: TokenBucket?
    let inbound: TokenBucket?
}

struct TokenReader: Sendable {
    let network: BridgeNetwork

    /// Registry entries asked for in one call, and at most.
    private static let page: UInt64 = 100
    private static let tokensMaximum: UInt64 = 1_000

    /// Tokens of one chain that have a pool, in the registry's order.
    func tokens(of chain: BridgeChain) async throws -> [TokenEnd] {
        var ends: [TokenEnd] = []
        for token in try await addresses(chain) {
            let pool = try await chain.reader.read(TokenCalls.pool(of: token), from: chain.contracts.tokenAdminRegistry)
            guard !pool.isZero else { continue }
            ends.append(try await end(chain, token, pool))
        }
        return ends
    }

    private func addresses(_ chain: BridgeChain) async throws -> [Address] {
        var found: [Address] = []
        while UInt64(found.count) < Self.tokensMaximum {
            let answer = try await ask(
                chain, chain.contracts.tokenAdminRegistry, TokenAdminRegistryInterface.getAllConfiguredTokens,
                [.uint(UInt64(found.count)), .uint(Self.page)])
            guard case .array(let items)? = answer.first, !items.isEmpty else { break }
            found += items.compactMap(\.asAddress)
            if items.count < Self.page { break }
        }
        return found
    }

    private func end(_ chain: BridgeChain, _ token: Address, _ pool: Address) async throws -> TokenEnd {
        let known = chain.token(at: token)
        // Symbols and decimals are manners of a token, not duties.
        let symbol = try? await chain.reader.read(TokenCalls.symbol(), from: token)
        let decimals = try? await chain.reader.read(TokenCalls.decimals(), from: token)
        let type = try? await chain.reader.read(TokenCalls.typeAndVersion(), from: pool)
        let config = try? await ask(
            chain, chain.contracts.tokenAdminRegistry, TokenAdminRegistryInterface.getTokenConfig, [.address(token)])
        var administrator = Address.zero
        if case .tuple(let fields)? = config?.first, let first = fields.first?.asAddress { administrator = first }
        var remotes: [RemoteEnd] = []
        for other in network.chains where other.selector != chain.selector {
            if let remote = try await remote(chain, pool, other.selector) { remotes.append(remote) }
        }
        return TokenEnd(
            chain: chain, token: token, symbol: symbol ?? known?.symbol ?? token.checksummed,
            decimals: decimals.map(Int.init) ?? known?.decimals ?? 18, pool: pool, poolType: type ?? "unknown",
            administrator: administrator, remotes: remotes)
    }

    /// Nil where the pool does not serve the chain.
    private func remote(_ chain: BridgeChain, _ pool: Address, _ selector: ChainSelector) async throws -> RemoteEnd? {
        let argument: [ABIValue] = [.uint(selector.rawValue)]
        guard try await ask(chain, pool, TokenPoolInterface.isSupportedChain, argument).first?.asBool == true else { return nil }
        let token = try await ask(chain, pool, TokenPoolInterface.getRemoteToken, argument).first?.asBytes ?? []
        var pools: [Bytes] = []
        if case .array(let items)? = try await ask(chain, pool, TokenPoolInterface.getRemotePools, argument).first {
            pools = items.compactMap(\.asBytes)
        }
        return RemoteEnd(
            selector: selector, token: Address(word: token), pools: pools,
            outbound: try? await chain.reader.read(TokenPoolCalls.outboundRateLimit(selector), from: pool),
            inbound: try? await chain.reader.read(TokenPoolCalls.inboundRateLimit(selector), from: pool))
    }

    private func ask(
        _ chain: BridgeChain, _ contract: Address, _ function: ABIFunction, _ arguments: [ABIValue]
    ) async throws -> [ABIValue] {
        let answer = try await chain.endpoints.call(to: contract, data: try function.encodeCall(arguments))
        return try function.decodeOutput(answer)
    }
}

// What a deployment does for each kind of pool, as steps; and what cannot stand.

import CCIP
import Ethereum
@testable import Localnet
import Testing

@Suite("the kinds of token pools in a deployment")
struct TokenKindTests {
    static let attesters = DeploymentRequest.Attesters(
        addresses: [Samples.key("a").address, Samples.key("b").address, Samples.key("c").address], threshold: 2)

    /// One token of each kind of the local network.
    static func request() -> DeploymentRequest {
        var request = Samples.request()
        request.tokens = LocalTokens.all.tokens(chains: request.chains.map(\.name), home: "ethereum")
        request.chains[0].cctpDomain = 0
        request.chains[1].cctpDomain = 7
        request.attesters = attesters
        return request
    }

    let plan: DeploymentPlan

    init() throws { plan = try Samples.plan(Self.request()) }

    private func labels(_ chain: String, _ symbol: String) throws -> [String] {
        try #require(plan.chain(chain)).steps.map(\.label).filter { $0.contains(" \(symbol)") }
    }

    private func arguments(_ chain: String, _ label: String, _ signature: String) throws -> [ABIValue] {
        let step = try #require(plan.chain(chain)?.steps.first { $0.label == label }, "no step '\(label)'")
        return try ABIFunction(signature).decodeCall(step.data)
    }

    @Test("every kind has an artifact, a name that reads back, and a place among the local network's tokens")
    func kinds() throws {
        let used = Set(plan.request.tokens.flatMap { token in ["ethereum", "jovay"].map { token.poolKind(on: $0) } })
        for kind in DeploymentRequest.PoolKind.allCases {
            #expect(try !Samples.artifacts.artifact(kind.artifact).bytecode.isEmpty)
            #expect(DeploymentRequest.PoolKind(name: kind.name) == kind && used.contains(kind))
        }
        #expect(DeploymentRequest.PoolKind(name: "burnMint") == nil)
        #expect(LocalTokens.standard.tokens(chains: ["a", "b"], home: "a").map(\.symbol) == ["LINK", "CWT"])
    }

    @Test("labels are unique, and creations stand first and where CREATE puts them")
    func addresses() throws {
        for chain in plan.chains {
            #expect(Set(chain.steps.map(\.label)).count == chain.steps.count)
            for (offset, step) in chain.steps.prefix(chain.creations).enumerated() {
                #expect(step.createdAddress == .created(by: Samples.deployer.address, nonce: chain.firstNonce + UInt64(offset)))
            }
            #expect(chain.contracts.cctp.map(\.version) == [.v1, .v2])
            #expect(Set(chain.contracts.named.map(\.address)).count == chain.contracts.named.count)
        }
    }

    @Test("pools that mint may; locking pools get nothing, siloed ones a silo for each chain")
    func roles() throws {
        for symbol in ["BFROM", "BWITH", "BADDR", "MIXED"] {
            #expect(try labels("ethereum", symbol).contains("let pool mint \(symbol)"))
        }
        #expect(try !labels("ethereum", "SILO").contains("let pool mint SILO") && labels("jovay", "SILO").contains("let pool mint SILO"))
        #expect(try !labels("jovay", "USDC").contains("let pool mint USDC"), "its messenger mints")
        let silos = try arguments("ethereum", "make silos of SILO", "updateSiloDesignations(uint64[],(uint64,address)[])")
        #expect(silos[1].asList?.first?.asList?[0].asUInt64 == plan.chain("jovay")?.chain.selector.rawValue)
        #expect(try !labels("jovay", "SILO").contains("make silos of SILO"))
    }

    @Test("decimals of each chain reach token, pool, price and rate limits")
    func decimals() throws {
        let token = try #require(plan.request.tokens.first { $0.symbol == "MIXED" })
        for (chain, decimals) in [("ethereum", 18), ("jovay", 6)] as [(String, UInt64)] {
            let steps = try #require(plan.chain(chain)).steps
            func values(_ label: String, _ artifact: String, _ types: [ABIType]) throws -> [ABIValue] {
                let code = try Samples.artifacts.artifact(artifact).bytecode
                let step = try #require(steps.first { $0.label == label })
                return try ABI.decode(Bytes(step.data.dropFirst(code.count)), as: types)
            }
            let erc20 = try values(
                "create token MIXED", "burn_mint_erc20", [.string, .string, .uint(8), .uint(256), .uint(256), .address])
            #expect(erc20[2].asUInt64 == decimals)
            let pool = try values("create pool MIXED", "burn_mint_token_pool", ContractConstructors.tokenPool)
            #expect(pool[1].asUInt64 == decimals)
            let prices = try #require(
                steps.first { $0.label == "set first prices" }.map { try FeeQuoterInterface.updatePrices.decodeCall($0.data) })
            let mine = plan.chain(chain)?.contracts.token("MIXED")?.token
            let price = prices[0].asList?[0].asList?.first { $0.asList?[0].asAddress == mine }?.asList?[1].asUInt256
            #expect(price == token.priceUSD18(on: chain))
            let limits = try #require(
                steps.first { $0.label == "connect pool of MIXED" }.map { try TokenPoolInterface.applyChainUpdates.decodeCall($0.data) })
            let capacity = limits[1].asList?.first?.asList?[3].asList?[1].asUInt256?.decimal
            #expect(capacity == "1" + String(repeating: "0", count: 6 + Int(decimals)), "a million tokens")
        }
        // A siloed pool counts what arrives in the unit of where it comes from.
        var request = Self.request()
        let silo = try #require(request.tokens.firstIndex { $0.symbol == "SILO" })
        request.tokens[silo].decimalsOn = ["jovay": 6]
        let connect = try #require(
            try Samples.plan(request).chain("ethereum")?.steps.first { $0.label == "connect pool of SILO" })
        let update = try #require(try TokenPoolInterface.applyChainUpdates.decodeCall(connect.data)[1].asList?.first?.asList)
        #expect(update[3].asList?[1].asUInt256?.decimal == "1" + String(repeating: "0", count: 24))
        #expect(update[4].asList?[1].asUInt256?.decimal == "1" + String(repeating: "0", count: 12))
    }

    @Test("USDC: messengers, domains, proxies, ramps and attesters know each other")
    func usdc() throws {
        let here = try #require(plan.chain("ethereum")?.contracts)
        let there = try #require(plan.chain("jovay")?.contracts)
        for (version, symbol) in [(CCTPVersion.v1, "USDCV1"), (.v2, "USDC")] {
            let (mine, other) = (try #require(here.cctp(version)), try #require(there.cctp(version)))
            let believed = try arguments(
                "ethereum", "believe messenger of jovay (CCTP v\(version.rawValue))", "addRemoteTokenMessenger(uint32,bytes32)")
            #expect(believed[0].asUInt64 == 7 && believed[1].asBytes == other.messenger.abiWord)
            let domains = try arguments(
                "ethereum", "set domains of \(symbol)", "setDomains((bytes32,bytes32,uint32,uint64,bool)[])")
            let domain = try #require(domains[0].asList?.first?.asList)
            #expect(domain[0].asBytes == other.proxy.abiWord && domain[2].asUInt64 == 7 && domain[4].asBool == true)
            let callers = try arguments("ethereum", "let pool deliver \(symbol)", "configureAllowedCallers((address,bool)[])")
            #expect(callers[0].asList?.first?.asList?[0].asAddress == here.token(symbol)?.pool)
            let required = try arguments(
                "ethereum", "require 2 attesters (CCTP v\(version.rawValue))", "setSignatureThreshold(uint256)")
            #expect(required[0].asUInt64 == 2)
            #expect(
                plan.chain("ethereum")?.steps.contains {
                    $0.label == "enable attester 2 (CCTP v\(version.rawValue))" && $0.target == mine.transmitter
                } == true)
        }
        let ramps = try arguments(
            "ethereum", "let ramps call pool of USDC", "applyAuthorizedCallerUpdates((address[],address[]))")
        #expect(ramps[0].asList?[0].asList?.compactMap(\.asAddress) == [here.onRamp, here.offRamp])
        #expect(try !labels("ethereum", "USDCV1").contains("let ramps call pool of USDCV1"), "version 1 asks the router")
    }

    @Test("the cluster's file names the pools that need attestations, and the transmitter of version 1 alone")
    func clusterFile() throws {
        let data = try #require(ClusterDocument.TokenData(plan, api: "http://127.0.0.1:1"))
        #expect(data.pools.count == 4 && data.pools.count { $0.messageTransmitter != nil } == 2)
        #expect(ClusterDocument.TokenData(plan, api: nil) == nil)
        #expect(ClusterDocument.TokenData(try Samples.plan(), api: "http://127.0.0.1:1") == nil)
    }

    @Test("the plan of a network without such tokens makes no contract of CCTP")
    func without() throws {
        let plan = try Samples.plan()
        #expect(plan.chains.allSatisfy { $0.contracts.cctp.isEmpty && !$0.steps.contains { $0.label.contains("CCTP") } })
    }

    @Test("what cannot stand is refused by name", arguments: Refusal.all)
    func refused(_ refusal: Refusal) throws {
        var request = Self.request()
        try request.validate()
        refusal.change(&request)
        let error = #expect(throws: LocalnetError.self) { try request.validate() }
        #expect(error?.code == .invalidRequest)
        #expect(error?.message.contains(refusal.says) == true, "\(error?.message ?? "")")
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let says: String
        let change: @Sendable (inout DeploymentRequest) -> Void
        var testDescription: String { says }

        static func token(_ symbol: String, _ says: String, _ change: @escaping @Sendable (inout DeploymentRequest.Token) -> Void) -> Refusal {
            Refusal(says: says) { request in
                for index in request.tokens.indices where request.tokens[index].symbol == symbol { change(&request.tokens[index]) }
            }
        }

        static let all: [Refusal] = [
            token("SILO", "names a pool and a lock on ethereum") { $0.lockedOn = ["ethereum"] },
            token("SILO", "unknown chain 'moon'") { $0.pools["moon"] = .burnFrom },
            token("MIXED", "unknown chain 'moon'") { $0.decimalsOn["moon"] = 6 },
            token("MIXED", "37 decimals on jovay") { $0.decimalsOn["jovay"] = 37 },
            token("MIXED", "price of MIXED does not fit its 36 decimals") { token in
                token.decimalsOn["jovay"] = 36
                token.priceUSD18 = U256(5)
            },
            token("MIXED", "price of MIXED does not fit its 0 decimals") { token in
                token.decimalsOn["jovay"] = 0
                token.decimals = 36
                token.priceUSD18 = U256(UInt64.max) * U256(UInt64.max)
            },
            token("MIXED", "rate limit of MIXED does not fit its 6 decimals") { $0.rateLimit = .init(capacity: U256(100), rate: U256(1)) },
            token("USDC", "7 decimals on jovay") { $0.decimalsOn["jovay"] = 7 },
            token("USDC", "by CCTP on some chains only") { $0.pools["jovay"] = .burnMint },
            token("USDC", "by CCTP on some chains only") { $0.pools["jovay"] = .usdcV1 },
            Refusal(says: "jovay has no CCTP domain") { $0.chains[1].cctpDomain = nil },
            Refusal(says: "CCTP domain") { $0.chains[1].cctpDomain = 0 },
            Refusal(says: "needs attesters") { $0.attesters = nil },
            Refusal(says: "0 attesters") { $0.attesters?.addresses = [] },
            Refusal(says: "attester") { $0.attesters?.addresses[1] = TokenKindTests.attesters.addresses[0] },
            Refusal(says: "zero address") { $0.attesters?.addresses[1] = .zero },
            Refusal(says: "4 of 3 attesters") { $0.attesters?.threshold = 4 },
            Refusal(says: "0 of 3 attesters") { $0.attesters?.threshold = 0 },
        ]
    }
}

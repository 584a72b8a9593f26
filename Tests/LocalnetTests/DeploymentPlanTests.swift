import CCIP
import Ethereum
@testable import Localnet
import Testing

@Suite("the plan of a deployment")
struct DeploymentPlanTests {
    let plan: DeploymentPlan

    init() throws { plan = try Samples.plan() }

    private func step(_ chain: String, _ label: String) throws -> DeploymentStep {
        try #require(plan.chain(chain)?.steps.first { $0.label == label }, "no step '\(label)'")
    }

    private func arguments(_ chain: String, _ label: String, _ function: ABIFunction) throws -> [ABIValue] {
        try function.decodeCall(step(chain, label).data)
    }

    private func constructor(_ chain: String, _ name: String, _ artifact: String, _ types: [ABIType]) throws -> [ABIValue] {
        let code = try Samples.artifacts.artifact(artifact).bytecode
        return try ABI.decode(Bytes(try step(chain, "create \(name)").data.dropFirst(code.count)), as: types)
    }

    @Test("the same request gives the same plan, another nonce or key another one")
    func deterministic() throws {
        #expect(try Samples.plan() == plan)
        #expect(try Samples.plan().digest == plan.digest)
        let later = try DeploymentPlan(
            request: plan.request, artifacts: Samples.artifacts, firstNonces: ["ethereum": 1, "jovay": 3])
        #expect(later.digest != plan.digest)
        var other = plan.request
        other.oracles[2].signer = Samples.key("another").address
        #expect(try Samples.plan(other).digest != plan.digest)
    }

    @Test("creations come first, at the addresses that CREATE gives them")
    func addresses() throws {
        for chain in plan.chains {
            let creations = chain.steps.prefix(chain.creations)
            #expect(creations.allSatisfy { $0.isCreation })
            #expect(chain.steps.dropFirst(chain.creations).allSatisfy { !$0.isCreation })
            for (offset, step) in creations.enumerated() {
                let nonce = chain.firstNonce + UInt64(offset)
                #expect(step.createdAddress == .created(by: Samples.deployer.address, nonce: nonce))
            }
            #expect(Set(chain.steps.map(\.label)).count == chain.steps.count)
        }
        #expect(plan.chains.map(\.creations) == [16, 16])
        #expect(plan.chain("jovay")?.firstNonce == 3)
    }

    @Test("each off-ramp knows the other chain's on-ramp in 32 bytes, unblessed and enabled")
    func sources() throws {
        for (here, there) in [("ethereum", "jovay"), ("jovay", "ethereum")] {
            let remote = try #require(plan.chain(there))
            let values = try constructor(here, "offRamp", "off_ramp", ContractConstructors.offRamp)
            let source = try #require(values[2].asList?.first?.asList)
            #expect(values[2].asList?.count == 1)
            #expect(source[1].asUInt64 == remote.chain.selector.rawValue)
            #expect(source[2].asBool == true && source[3].asBool == true)
            #expect(source[4].asBytes == remote.contracts.onRamp.abiWord)
        }
    }

    @Test("off-ramps ask for blessed roots on the named lanes alone, and every RMNRemote knows the guards")
    func blessing() throws {
        let guarded = try Samples.plan(Samples.guarded())
        var digests: Set<Hash32> = []
        for (here, isUnblessed) in [("jovay", false), ("ethereum", true)] {
            let chain = try #require(guarded.chain(here))
            let code = try Samples.artifacts.artifact("off_ramp").bytecode
            let created = try #require(chain.steps.first { $0.label == "create offRamp" })
            let values = try ABI.decode(Bytes(created.data.dropFirst(code.count)), as: ContractConstructors.offRamp)
            #expect(values[2].asList?.first?.asList?[3].asBool == isUnblessed, "\(here)")
            let step = try #require(chain.steps.first { $0.label == "configure guards" })
            #expect(step.target == chain.contracts.rmnRemote)
            let config = try #require(try RMNRemoteInterface.setConfig.decodeCall(step.data)[0].asList)
            #expect(config[1].asList?.map { $0.asList?[0].asAddress } == (0..<3).map { Samples.key("guard \($0)").address })
            #expect(config[1].asList?.map { $0.asList?[1].asUInt64 } == [0, 1, 2])
            #expect(config[2].asUInt64 == 1)
            let digest = try #require(config[0].asHash32)
            #expect(digest.bytes.prefix(2) == [0x00, 0x0b], "as an RMNHome computes it")
            digests.insert(digest)
        }
        #expect(digests.count == 1, "one home for all chains")
        #expect(plan.chains.allSatisfy { chain in !chain.steps.contains { $0.label == "configure guards" } })
        // Other signers, another digest; other lanes, another plan.
        var other = Samples.guarded()
        other.blessing?.signers[2].account = Samples.key("stranger").address
        #expect(try Samples.plan(other).digest != guarded.digest)
        #expect(try Samples.plan(Samples.guarded(.all)).digest != guarded.digest)
    }

    @Test("fSign is the most that RMNRemote takes", arguments: [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (7, 3)])
    func faultySigners(_ count: Int, _ faulty: Int) {
        #expect(DeploymentRequest.Blessing.faulty(of: count) == faulty)
        #expect(count >= 2 * faulty + 1 && count < 2 * (faulty + 1) + 1)
    }

    @Test("lanes are told as all, or by their ends", arguments: [
        (["all"], 6), (["a:b"], 1), (["a:b", "b:a", "c:a"], 3),
    ])
    func lanes(_ texts: [String], _ count: Int) throws {
        #expect(try LaneSelection(texts).lanes(of: ["a", "b", "c"]).count == count)
    }

    @Test("what is no lane is refused", arguments: [[], ["a"], ["a:a"], ["a:"], [":b"], ["a:b:c"], ["a:b", "a:b"], ["all", "a:b"]])
    func badLanes(_ texts: [String]) {
        let error = #expect(throws: LocalnetError.self) { try LaneSelection(texts) }
        #expect(error?.code == .invalidRequest && error?.hint != nil)
    }

    @Test("ramps, nonce manager, prices and registry are wired as the checklist says")
    func checklist() throws {
        for chain in plan.chains {
            let name = chain.chain.name
            let own = chain.contracts
            let nonces = try constructor(name, "nonceManager", "nonce_manager", ContractConstructors.nonceManager)
            #expect(nonces[0].asList?.compactMap(\.asAddress) == [own.onRamp, own.offRamp])
            let fees = try constructor(name, "feeQuoter", "fee_quoter", ContractConstructors.feeQuoter)
            #expect(fees[1].asList?.compactMap(\.asAddress) == [own.offRamp, Samples.deployer.address])
            let left = try arguments(name, "leave prices to the off-ramp", FeeQuoterInterface.applyAuthorizedCallerUpdates)
            #expect(left[0].asList?[1].asList?.compactMap(\.asAddress) == [Samples.deployer.address])
            let destination = try #require(fees[6].asList?.first?.asList?[1].asList)
            #expect(destination.count == 19)
            #expect(destination[11].asBytes == [0x28, 0x12, 0xd5, 0x2c])
            let ramps = try arguments(name, "open lanes", RouterInterface.applyRampUpdates)
            #expect(ramps[0].asList?.first?.asList?[1].asAddress == own.onRamp)
            #expect(ramps[2].asList?.first?.asList?[1].asAddress == own.offRamp)
            let router = try constructor(name, "router", "router", ContractConstructors.router)
            #expect(router.compactMap(\.asAddress) == [own.wrappedNative, own.rmnProxy])
            let prices = try arguments(name, "set first prices", FeeQuoterInterface.updatePrices)
            let priced = prices[0].asList?[0].asList?.compactMap { $0.asList?[0].asAddress }
            #expect(priced == [own.wrappedNative] + own.tokens.map(\.token))
            for token in plan.request.tokens {
                let order = chain.steps.map(\.label).filter { $0.hasSuffix(" \(token.symbol)") && !$0.hasPrefix("create") }
                let mints = token.poolKind(on: name) == .burnMint ? ["let pool mint \(token.symbol)"] : []
                #expect(
                    order == ["register \(token.symbol)", "administer \(token.symbol)", "set pool of \(token.symbol)"]
                        + mints + ["connect pool of \(token.symbol)"])
            }
        }
    }

    @Test("pools know each other's pool and token in 32 bytes, with the rate limit both ways")
    func pools() throws {
        let jovay = try #require(plan.chain("jovay")?.contracts.token("CWT"))
        let values = try arguments("ethereum", "connect pool of CWT", TokenPoolInterface.applyChainUpdates)
        let update = try #require(values[1].asList?.first?.asList)
        #expect(update[1].asList?.compactMap(\.asBytes) == [jovay.pool.abiWord])
        #expect(update[2].asBytes == jovay.token.abiWord)
        #expect(update[3] == .tuple([.bool(true), .uint(U256(1000)), .uint(U256(10))]))
        #expect(update[4] == update[3])
        let link = try arguments("ethereum", "connect pool of LINK", TokenPoolInterface.applyChainUpdates)
        #expect(link[1].asList?.first?.asList?[3] == .tuple([.bool(false), .uint(U256.zero), .uint(U256.zero)]))
        #expect(plan.chain("ethereum")?.steps.contains { $0.label == "let pool mint CWT" } == false)
    }

    @Test("commit reports are signed and executions are not; the digests have CCIPHome's prefix and all differ")
    func oracles() throws {
        var digests: Set<Hash32> = []
        for chain in plan.chains {
            let configs = try #require(
                try arguments(chain.chain.name, "configure oracles", OffRampInterface.setOCR3Configs)[0].asList)
            let commit = try #require(configs[0].asList)
            let execute = try #require(configs[1].asList)
            #expect(commit[0].asHash32 == chain.commitDigest && execute[0].asHash32 == chain.executeDigest)
            #expect(commit[3].asBool == true && execute[3].asBool == false)
            #expect(commit[4].asList?.compactMap(\.asAddress) == plan.request.oracles.map(\.signer))
            #expect(execute[4].asList?.isEmpty == true)
            #expect(execute[5].asList?.compactMap(\.asAddress) == plan.request.oracles.compactMap { $0.executing[chain.chain.name] })
            for digest in [chain.commitDigest, chain.executeDigest] {
                #expect(digest.bytes.prefix(2) == [0x00, 0x0a])
                digests.insert(digest)
            }
        }
        #expect(digests.count == 4)
    }

    @Test("every transmitter is funded and every holder gets what the request says")
    func balances() throws {
        for chain in plan.chains {
            let funded = chain.steps.filter { if case .transfer = $0.kind { true } else { false } }
            #expect(funded.count == 8)
            #expect(Set(funded.compactMap(\.target)).count == 8)
        }
        #expect(plan.chain("ethereum")?.steps.count { $0.label.hasPrefix("mint ") } == 2)
        #expect(plan.chain("jovay")?.steps.count { $0.label.hasPrefix("mint ") } == 1)
    }

    @Test("no step asks for more gas than a block of any profile has")
    func gas() {
        let most = plan.chains.flatMap(\.steps).map(\.gasLimit).max() ?? 0
        #expect(most < 12_000_000)
    }

    @Test("what cannot stand is refused by name", arguments: Refusal.all)
    func refused(_ refusal: Refusal) throws {
        var request = Samples.request()
        refusal.change(&request)
        let error = #expect(throws: LocalnetError.self) { try request.validate() }
        #expect(error?.code == .invalidRequest)
        #expect(error?.message.contains(refusal.says) == true, "\(error?.message ?? "")")
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let says: String
        let change: @Sendable (inout DeploymentRequest) -> Void
        var testDescription: String { says }

        static let all: [Refusal] = [
            Refusal(says: "1 chains") { $0.chains.removeLast() },
            Refusal(says: "chain id") { $0.chains[1].chainID = $0.chains[0].chainID },
            Refusal(says: "chain selector") { $0.chains[1].selector = $0.chains[0].selector },
            Refusal(says: "selector 0") { $0.chains[0].selector = 0 },
            Refusal(says: "native price") { $0.chains[0].nativePriceUSD18 = .zero },
            Refusal(says: "0 tokens are LINK") { $0.tokens[0].isLink = false },
            Refusal(says: "token symbol") { $0.tokens[1].symbol = "LINK" },
            Refusal(says: "unknown chain 'moon'") { $0.tokens[1].lockedOn = ["moon"] },
            Refusal(says: "rate limit of CWT") { $0.tokens[1].rateLimit = .init(capacity: U256(1), rate: U256(2)) },
            Refusal(says: "4 relayers with F = 2") { $0.faulty = 2 },
            Refusal(says: "F is 0") { $0.faulty = 0 },
            Refusal(says: "report signing key") { $0.oracles[1].signer = $0.oracles[0].signer },
            Refusal(says: "peer id") { $0.oracles[1].peerID = $0.oracles[0].peerID },
            Refusal(says: "no transmitter on jovay") { $0.oracles[3].executing["jovay"] = nil },
            Refusal(says: "committing key on jovay") { $0.oracles[3].committing["jovay"] = $0.oracles[0].signer },
            Refusal(says: "0 RMN signers") { $0.blessing = .init(signers: []) },
            Refusal(says: "3 RMN signers with fSign = 2") {
                $0 = Samples.guarded()
                $0.blessing?.faulty = 2
            },
            Refusal(says: "node index 1 follows 1") {
                $0 = Samples.guarded()
                $0.blessing?.signers[2].nodeIndex = 1
            },
            Refusal(says: "RMN signer") {
                $0 = Samples.guarded()
                $0.blessing?.signers[1].account = Samples.key("guard 0").address
            },
            Refusal(says: "'moon'") { $0 = Samples.guarded(.some([.init(from: "ethereum", to: "moon")])) },
            Refusal(says: "executing key") { $0.oracles[3].executing["jovay"] = $0.oracles[0].executing["jovay"] },
        ]
    }
}

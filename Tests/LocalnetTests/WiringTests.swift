import CCIP
import Configuration
import DevChain
import Ethereum
import Foundation
import JSONRPC
@testable import Localnet
import Logging
import TestSupport
import Testing

/// The plan against real contracts on two simulated chains: what is deployed answers, and lets a message through.
@Suite("a deployment on simulated chains", .serialized)
struct WiringTests {
    struct World: Sendable {
        let nodes: [DevChainNode]
        let endpoints: [RPCDeploymentEndpoint]
        let plan: DeploymentPlan

        func endpoint(_ name: String) throws -> RPCDeploymentEndpoint {
            try #require(zip(plan.chains, endpoints).first { $0.0.chain.name == name }?.1)
        }

        func read<Answer>(_ chain: String, _ address: Address, _ call: ContractCall<Answer>) async throws -> Answer {
            let parameters: JSON = ["to": .address(address), "data": .data(call.data)]
            let answer = try await endpoint(chain).results([DeploymentCall("eth_call", [parameters, "latest"])])
            return try call.decode(try Hex.decode(try #require(answer[0].asString)))
        }

        func stop() async {
            for endpoint in endpoints { await endpoint.close() }
            for node in nodes { await node.stop() }
        }
    }

    private func world(
        _ statePath: String? = nil, _ wanted: DeploymentRequest = Samples.request()
    ) async throws -> World {
        try await Self.world(statePath) { request in
            request = wanted
            request.tokens[0].minted = ["ethereum": U256(100) * Samples.unit, "jovay": U256(100) * Samples.unit]
        }
    }

    /// The request of the samples, changed, on chains of their own; the first development account owns everything.
    static func world(
        _ statePath: String? = nil, change: (inout DeploymentRequest) throws -> Void
    ) async throws -> World {
        var request = Samples.request()
        try change(&request)
        let owner = try Mnemonic(Mnemonic.developmentText).account(0)
        var nodes: [DevChainNode] = []
        var endpoints: [RPCDeploymentEndpoint] = []
        var targets: [String: DeploymentTarget] = [:]
        var logger = Logger(label: "test")
        logger.logLevel = .error
        request.holders = [owner.address]
        for index in request.chains.indices {
            request.chains[index].deployer = owner.address
            let name = request.chains[index].name
            let path = PackageRoot.url.appendingPathComponent("chains/profiles/\(name).yaml").path
            let text = String(decoding: try #require(Files.read(path, maximum: 100_000)), as: UTF8.self)
            var profile = try ChainProfile(
                yaml: text, file: path, localnet: true, artifact: ProjectFiles.deployedCode)
            profile.cadence.onDemand = true
            var options = DevChainOptions()
            options.port = 0
            let node = try DevChainNode(profile: profile, options: options, logger: logger)
            let port = try await node.start()
            nodes.append(node)
            let endpoint = try RPCDeploymentEndpoint(url: "http://127.0.0.1:\(port)", logger: logger)
            endpoints.append(endpoint)
            targets[name] = DeploymentTarget(endpoint: endpoint, key: owner)
        }
        let plan = try await Deployer(artifacts: Samples.artifacts, policy: .local, statePath: statePath)
            .deploy(request, to: targets)
        return World(nodes: nodes, endpoints: endpoints, plan: plan)
    }

    @Test("every contract says what the plan says")
    func reads() async throws {
        let world = try await world()
        for chain in world.plan.chains {
            let name = chain.chain.name
            let own = chain.contracts
            let remote = try #require(world.plan.chains.first { $0.chain.name != name })
            #expect(try await world.read(name, own.router, RouterCalls.onRamp(remote.chain.selector)) == own.onRamp)
            let offRamps = try await world.read(name, own.router, RouterCalls.offRamps())
            #expect(offRamps.map(\.0) == [remote.chain.selector] && offRamps.map(\.1) == [own.offRamp])
            let source = try await world.read(name, own.offRamp, OffRampCalls.sourceChainConfig(remote.chain.selector))
            #expect(source.onRamp == remote.contracts.onRamp.abiWord)
            let oracles = world.plan.request.oracles
            let commit = try await world.read(name, own.offRamp, OffRampCalls.latestConfigDetails(.commit))
            #expect(commit.signers == oracles.map(\.signer))
            #expect(commit.transmitters == oracles.compactMap { $0.committing[name] })
            let execute = try await world.read(name, own.offRamp, OffRampCalls.latestConfigDetails(.execution))
            #expect(execute.signers.isEmpty && execute.transmitters == oracles.compactMap { $0.executing[name] })
            let gas = try await world.read(name, own.feeQuoter, FeeQuoterCalls.gasPrice(remote.chain.selector))
            #expect(gas.value.value == remote.chain.gasPriceUSD18)
            for token in world.plan.request.tokens {
                let here = try #require(own.token(token.symbol))
                #expect(try await world.read(name, own.tokenAdminRegistry, TokenCalls.pool(of: here.token)) == here.pool)
                let price = try await world.read(name, own.feeQuoter, FeeQuoterCalls.tokenPrice(here.token))
                #expect(price.value.value == token.priceUSD18)
            }
            let link = try #require(own.token("LINK")).token
            let balance = try await world.read(name, link, TokenCalls.balance(of: chain.chain.deployer))
            #expect(balance == U256(100) * Samples.unit)
        }
        await world.stop()
    }

    @Test("the RMNRemotes know the guards, and one off-ramp asks for their signatures")
    func guards() async throws {
        let world = try await world(nil, Samples.guarded())
        for (name, isUnblessed) in [("jovay", false), ("ethereum", true)] {
            let chain = try #require(world.plan.chain(name))
            let remote = try #require(world.plan.chains.first { $0.chain.name != name })
            let source = try await world.read(name, chain.contracts.offRamp, OffRampCalls.sourceChainConfig(remote.chain.selector))
            #expect(source.isRMNVerificationDisabled == isUnblessed)
            let config = try await world.read(name, chain.contracts.rmnRemote, RMNRemoteCalls.versionedConfig())
            #expect(config.version == 1 && config.faultySigners == 1 && !config.homeDigest.isZero)
            #expect(config.signers.map(\.address) == (0..<3).map { Samples.key("guard \($0)").address })
        }
        await world.stop()
    }

    @Test("a message with tokens leaves by the router, both ways", arguments: [("ethereum", "jovay"), ("jovay", "ethereum")])
    func sends(_ from: String, _ to: String) async throws {
        let world = try await world()
        let owner = try Mnemonic(Mnemonic.developmentText).account(0)
        let source = try #require(world.plan.chain(from))
        let target = try #require(world.plan.chain(to))
        let link = try #require(source.contracts.token("LINK")).token
        let message = EVM2AnyMessage(
            receiver: try #require(target.contracts.receiver).abiWord, data: Bytes("hello".utf8),
            tokenAmounts: [EVMTokenAmount(token: link, amount: U256(5) * Samples.unit)], feeToken: .zero, extraArgs: [])
        let fee = try await world.read(from, source.contracts.router, RouterCalls.fee(target.chain.selector, message))
        #expect(!fee.isZero)
        let endpoint = try world.endpoint(from)
        let calls: [(Address, U256, Bytes)] = [
            (link, .zero, TokenCalls.approve(source.contracts.router, U256.max)),
            (source.contracts.router, fee * 2, RouterCalls.send(target.chain.selector, message)),
        ]
        var receipt = JSON.null
        for (to, value, data) in calls {
            let nonce = try await endpoint.results([DeploymentCall("eth_getTransactionCount", [.address(owner.address), "latest"])])
            let signed = Transaction.dynamicFee(
                chainID: source.chain.chainID, nonce: try #require(nonce[0].asUInt64), maxPriorityFeePerGas: .zero,
                maxFeePerGas: U256(50_000_000_000), gasLimit: 2_000_000, to: to, value: value, data: data
            ).signed(by: owner)
            receipt = try await endpoint.results([
                DeploymentCall("eth_sendRawTransaction", [.data(signed.encoded)]),
                DeploymentCall("eth_getTransactionReceipt", [.hash(signed.hash)]),
            ])[1]
            #expect(receipt["status"]?.asUInt64 == 1)
        }
        let logs = try #require(receipt["logs"]?.asArray)
        let sent = logs.filter { $0["topics"]?[0]?.asString == MessageSentEvent.event.topic.hex }
        #expect(sent.count == 1)
        #expect(sent.first?["address"]?.asUInt256 == source.contracts.onRamp.word)
        await world.stop()
    }

    @Test("a second run over the same chains sends nothing")
    func again() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let path = folder + "/state.json"
        let world = try await world(path)
        let owner = try Mnemonic(Mnemonic.developmentText).account(0)
        let before = try #require(Files.read(path, maximum: 1 << 22))
        let targets = Dictionary(
            uniqueKeysWithValues: zip(world.plan.chains, world.endpoints).map {
                ($0.chain.name, DeploymentTarget(endpoint: $1 as any DeploymentEndpoint, key: owner))
            })
        let plan = try await Deployer(artifacts: Samples.artifacts, policy: .local, statePath: path)
            .deploy(world.plan.request, to: targets)
        #expect(plan == world.plan)
        #expect(Files.read(path, maximum: 1 << 22) == before)
        await world.stop()
    }
}

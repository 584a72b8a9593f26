import CCIP
import Configuration
import DevChain
import Ethereum
import Foundation
import JSONRPC
@testable import Localnet
import Logging
import Synchronization
import TestSupport
import Testing

/// Contracts of ours on two simulated chains, found again from few addresses and judged.
@Suite("a deployment that is adopted", .serialized)
struct AdoptionTests {
    struct World: Sendable {
        let nodes: [DevChainNode]
        let urls: [String]
        let plan: DeploymentPlan

        func stop() async { for node in nodes { await node.stop() } }

        /// An adoption file for what stands there; `contracts` picks the addresses that it tells.
        func file(_ contracts: (ChainContracts) -> String = { "offRamp: \"\($0.offRamp.hex)\"" }) throws -> AdoptionFile {
            var text = "chains:\n"
            for (chain, url) in zip(plan.chains, urls) {
                text += "  - {name: \(chain.chain.name), rpc: \"\(url)\", finality: {depth: 2}, \(contracts(chain.contracts))}\n"
            }
            text += "relayers:\n"
            // Not in the contract's order.
            for index in (0..<4).reversed() {
                func key(_ text: String) -> String { Hex.encode(Samples.key(text).secret.bytes) }
                text += "  - name: node-\(index)\n    signer: \"\(key("signer \(index)"))\"\n    transmitters:\n"
                for chain in plan.chains.map(\.chain.name) {
                    text += "      \(chain): {committing: \"\(key("c \(index) \(chain)"))\", executing: \"\(key("e \(index) \(chain)"))\"}\n"
                }
            }
            return try AdoptionFile(text: text, file: "d.yaml", folder: ".")
        }
    }

    private func world(_ wanted: DeploymentRequest = Samples.request()) async throws -> World {
        var request = wanted
        let owner = try Mnemonic(Mnemonic.developmentText).account(0)
        var (nodes, urls, targets): ([DevChainNode], [String], [String: DeploymentTarget]) = ([], [], [:])
        var logger = Logger(label: "test")
        logger.logLevel = .error
        request.holders = [owner.address]
        request.transmitterFunding = U256(100_000_000_000_000_000)
        for index in request.chains.indices {
            request.chains[index].deployer = owner.address
            let name = request.chains[index].name
            let path = PackageRoot.url.appendingPathComponent("chains/profiles/\(name).yaml").path
            let text = String(decoding: try #require(Files.read(path, maximum: 100_000)), as: UTF8.self)
            var profile = try ChainProfile(yaml: text, file: path, localnet: true, artifact: ProjectFiles.deployedCode)
            profile.cadence.onDemand = true
            var options = DevChainOptions()
            options.port = 0
            let node = try DevChainNode(profile: profile, options: options, logger: logger)
            urls.append("http://127.0.0.1:\(try await node.start())")
            nodes.append(node)
            targets[name] = DeploymentTarget(endpoint: try RPCDeploymentEndpoint(url: urls[index], logger: logger), key: owner)
        }
        let plan = try await Deployer(artifacts: Samples.artifacts, policy: .local).deploy(request, to: targets)
        return World(nodes: nodes, urls: urls, plan: plan)
    }

    @Test("one address of a chain leads to all others, whichever it is")
    func discovery() async throws {
        let world = try await world()
        for pick in [
            { (c: ChainContracts) in "offRamp: \"\(c.offRamp.hex)\"" }, { "onRamp: \"\($0.onRamp.hex)\"" },
            { "router: \"\($0.router.hex)\"" },
        ] {
            let facts = await ChainDiscovery.run(try world.file(pick).targets())
            for (found, chain) in zip(facts, world.plan.chains) {
                let own = chain.contracts
                #expect(found.selector == chain.chain.selector && found.chainID == chain.chain.chainID)
                for (role, address) in [
                    (.router, own.router), (.onRamp, own.onRamp), (.offRamp, own.offRamp), (.feeQuoter, own.feeQuoter),
                    (.nonceManager, own.nonceManager), (.rmnRemote, own.rmnRemote), (.rmnProxy, own.rmnProxy),
                    (.tokenAdminRegistry, own.tokenAdminRegistry), (.wrappedNative, own.wrappedNative),
                ] as [(ContractRole, Address)] {
                    #expect(found.address(role) == address, "\(found.name) \(role): \(found.failures)")
                }
                #expect(found.plugins[.commit]?.signers == world.plan.request.oracles.map(\.signer))
                #expect(Set(found.tokens.map(\.address)) == Set(own.tokens.map(\.token)))
                #expect(found.failures.isEmpty, "\(found.failures)")
            }
        }
        await world.stop()
    }

    @Test("a review of two chains takes few requests, and finds the same")
    func requests() async throws {
        let world = try await world()
        var targets = try world.file().targets()
        let counters = targets.map { DiscoveryCostTests.Counting($0.endpoints[0]) }
        for (index, counter) in counters.enumerated() { targets[index].endpoints = [counter] }
        let facts = await ChainDiscovery.run(targets)
        #expect(facts.allSatisfy { $0.failures.isEmpty && !$0.tokens.isEmpty })
        for counter in counters {
            let (lists, calls) = counter.requests.withLock { $0 }
            #expect(calls > 80 && lists * 3 < calls, "\(lists) requests for \(calls) calls")
        }
        await world.stop()
    }

    @Test("the plan has the contract's order, one lane each way, and passes every check; the folder keeps its keys")
    func plan() async throws {
        let world = try await world()
        let file = try world.file { "offRamp: \"\($0.offRamp.hex)\", feeQuoter: \"\($0.feeQuoter.hex)\", rmn: \"\($0.rmnRemote.hex)\"" }
        let facts = await ChainDiscovery.run(try file.targets())
        #expect(AdoptionPlan.obstacles(file, facts).isEmpty)
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let files = AdoptionFolder(folder)
        func make() throws -> AdoptionPlan {
            let ports = Ports()
            defer { ports.release() }
            return try AdoptionPlan(file, facts: facts, directory: folder, ports: ports) { try files.secret($0, $1) }
        }
        let plan = try make()
        #expect(plan.document.relayers.map(\.name) == ["node-0", "node-1", "node-2", "node-3"])
        #expect(plan.document.lanes.count == 2 && plan.document.faulty == 1)
        #expect(plan.document.chains.map(\.commitDigest) == world.plan.chains.map(\.commitDigest))
        let results = ClusterChecks(plan.expectation, facts: facts).run()
        #expect(results.filter { $0.severity != .ok } == [], "\(results.filter { $0.severity != .ok })")
        #expect(results.contains { $0.check == "token LINK" } && results.contains { $0.check == "numbers" })
        try files.prepare(for: plan, force: false)
        try await files.write(plan, accounts: [Samples.key("a")])
        #expect(files.accounts.map(\.address) == [Samples.key("a").address])
        #expect(try make().document == plan.document, "a second time changes nothing, the made keys included")
        // Stores of other contracts are not taken over.
        try Files.write("store", to: folder + "/node-1/committing.sqlite")
        var other = plan
        other.document.chains[0].offRamp = Address(truncating: 7)
        let error = #expect(throws: LocalnetError.self) { try files.prepare(for: other, force: false) }
        #expect(error?.code == .stateMismatch)
        try files.prepare(for: other, force: true)
        #expect(!Files.exists(folder + "/node-1/committing.sqlite") && Files.exists(folder + "/node-1/keys/offchain.json"))
        await world.stop()
    }

    @Test("what does not fit is a failed line of the right check")
    func findings() async throws {
        let world = try await world()
        let file = try world.file { "offRamp: \"\($0.offRamp.hex)\"" }
        let facts = await ChainDiscovery.run(try file.targets())
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let plan = try AdoptionPlan(file, facts: facts, directory: folder, ports: Ports()) { _, _ in randomBytes(32) }
        func failed(_ change: (inout ClusterExpectation, inout [ChainFacts]) -> Void) -> Set<String> {
            var (expected, changed) = (plan.expectation, facts)
            change(&expected, &changed)
            return Set(ClusterChecks(expected, facts: changed).run().filter { !$0.isGood }.map(\.check))
        }
        let jovay = try #require(facts[1].selector)
        #expect(failed { _, _ in } == [])
        #expect(failed { expected, _ in expected.chains[0].contracts[.feeQuoter] = Address(truncating: 1) } == ["addresses"])
        #expect(failed { expected, _ in expected.chains[0].chainID = 5 } == ["endpoint"])
        #expect(failed { expected, _ in expected.faulty = 2 } == ["commit configuration", "execution configuration"])
        #expect(failed { expected, _ in expected.relayers[0].signer = Address(truncating: 9) } == ["commit configuration"])
        #expect(failed { expected, _ in expected.chains[1].commitDigest = Hash32(U256(1)) } == ["commit configuration"])
        #expect(failed { expected, _ in expected.balanceMinimum = U256(1_000_000_000_000_000_000) } == ["balance"])
        #expect(failed { expected, _ in expected.chains[0].transactionGasMaximum = .max } == ["blocks"])
        #expect(failed { _, facts in facts[0].nonceManagerCallers = [] } == ["nonces"])
        #expect(failed { _, facts in facts[0].feeQuoterCallers = [] } == ["prices"])
        #expect(failed { _, facts in facts[0].contracts[.offRamp]?.hasCode = false } == ["offRamp"])
        #expect(failed { _, facts in facts[0].contracts[.onRamp]?.version = "OffRamp 1.6.0" } == ["onRamp"])
        #expect(failed { _, facts in facts[0].remotes[jovay]?.onRamp = .zero } == ["departure"])
        #expect(failed { _, facts in facts[0].remotes[jovay]?.source?.isEnabled = false } == ["arrival"])
        #expect(failed { _, facts in facts[0].remotes[jovay]?.source?.isRMNVerificationDisabled = false } == ["blessing"])
        #expect(failed { _, facts in facts[0].remotes[jovay]?.feeConfig?.isEnabled = false } == ["fees"])
        #expect(failed { _, facts in facts[0].remotes[jovay]?.source?.minSequenceNumber = 9 } == ["numbers"])
        #expect(failed { _, facts in facts[0].cursed = nil } == ["curse"])
        #expect(failed { expected, facts in
            expected.chains[0].finality = nil
            facts[0].node.finalized = nil
        } == ["finality"])
        await world.stop()
    }

    @Test("guards that sign for a lane pass, strangers and too few of them do not; each gets a file and sealed keys")
    func guards() async throws {
        let world = try await world(Samples.guarded())
        var file = try world.file { "offRamp: \"\($0.offRamp.hex)\"" }
        file.guards = (0..<3).map {
            .init(name: "guard-\($0)", place: "d.yaml:1", signer: Samples.key("guard \($0)"), endpoints: [:])
        }
        let facts = await ChainDiscovery.run(try file.targets())
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let files = AdoptionFolder(folder)
        let plan = try AdoptionPlan(file, facts: facts, directory: folder, ports: Ports()) { try files.secret($0, $1) }
        func blessing(_ change: (inout ClusterExpectation) -> Void = { _ in }) -> [CheckResult] {
            var expected = plan.expectation
            change(&expected)
            return ClusterChecks(expected, facts: facts).run().filter { $0.check == "blessing" }
        }
        #expect(blessing().map(\.isGood) == [true, true])
        #expect(blessing().map(\.detail).contains("3 guards, 2 signatures needed, configuration 1"))
        #expect(blessing { $0.guards.removeLast(2) }.count { !$0.isGood } == 1, "one of two signatures")
        #expect(blessing { $0.guards = [] }.count { !$0.isGood } == 1, "a check without guards is not blind")
        let strange = blessing { $0.guards[1].signer = Samples.key("stranger").address }
        #expect(strange.first { !$0.isGood }?.detail.contains("guard-1") == true)

        try files.prepare(for: plan, force: false)
        try await files.write(plan, accounts: [])
        #expect(Files.names(in: folder + "/guard-2/keys") == ["curve-guard.json", "guard-signer.json", "password"])
        var own = try ConfigurationReader(
            text: String(decoding: try #require(Files.read(folder + "/guard-2.yaml", maximum: 10_000)), as: UTF8.self),
            file: "guard-2.yaml"
        ).root
        #expect(try own.string("guard") == "guard-2")
        #expect(try own.string("dataDirectory") == "guard-2")
        await world.stop()
    }

    @Test("too few relayers, foreign signers and dead endpoints are told before anything is written")
    func refusals() async throws {
        let world = try await world()
        var file = try world.file()
        let facts = await ChainDiscovery.run(try file.targets())
        func refusal(_ file: AdoptionFile) throws -> LocalnetError? {
            #expect(throws: LocalnetError.self) {
                try AdoptionPlan(file, facts: facts, directory: "/nowhere", ports: Ports()) { _, _ in randomBytes(32) }
            }
        }
        var few = file
        few.relayers.removeLast()
        #expect(try refusal(few)?.message.contains("3F + 1 = 4") == true)
        var foreign = file
        foreign.relayers[0].signer = Samples.key("nobody")
        #expect(try refusal(foreign)?.message.contains("not among the 4 signers") == true)
        file.chains[0].rpc = ["http://127.0.0.1:1"]
        file.chains[1].chainID = 7
        let dead = await ChainDiscovery.run(try file.targets())
        let lines = AdoptionPlan.obstacles(file, dead)
        #expect(lines.contains { $0.subject == "ethereum" && $0.check == "endpoint" })
        #expect(lines.contains { $0.subject == "jovay" && $0.detail.contains("the file says 7") })
        await world.stop()
    }
}

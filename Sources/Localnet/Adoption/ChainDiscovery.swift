// Asks a chain everything that can be known of a CCIP 1.6 deployment from some of its addresses. Reads only. What is sure to
// be asked next is fetched together beforehand (`prefetch`); what that did not bring is asked for when it is wanted, so that
// any node can answer. What the answers are worth is judged by ClusterChecks.

import CCIP
import Ethereum
import JSONRPC
import Logging

/// Where to look, and what is known already.
package struct DiscoveryTarget: Sendable {
    package var name: String
    package var endpoints: [any DeploymentEndpoint]
    package var selector: ChainSelector?
    package var contracts: [ContractRole: Address]
    /// Tokens to look at besides the registry's.
    package var tokens: [Address]
    /// Whose balances are wanted.
    package var accounts: [Address]
    /// Nil: found out.
    package var logBlocks: UInt64?
    package var startBlock: UInt64?

    package init(
        name: String, endpoints: [any DeploymentEndpoint], selector: ChainSelector? = nil,
        contracts: [ContractRole: Address], tokens: [Address] = [], accounts: [Address] = [], logBlocks: UInt64? = nil,
        startBlock: UInt64? = nil
    ) {
        self.name = name
        self.endpoints = endpoints
        self.selector = selector
        self.contracts = contracts
        self.tokens = tokens
        self.accounts = accounts
        self.logBlocks = logBlocks
        self.startBlock = startBlock
    }

    /// Endpoints for these addresses. Throws `invalidRequest`.
    package static func endpoints(_ urls: [String]) throws(LocalnetError) -> [any DeploymentEndpoint] {
        var result: [any DeploymentEndpoint] = []
        for url in urls {
            result.append(
                try RPCDeploymentEndpoint(url: url, timeoutMilliseconds: Limits.reviewMilliseconds, logger: silent))
        }
        return result
    }

    package static func endpoints(_ urls: [EndpointURL]) -> [any DeploymentEndpoint] {
        urls.map { RPCDeploymentEndpoint($0, timeoutMilliseconds: Limits.reviewMilliseconds, logger: silent) }
    }

    /// Failed reads are told as lines of the review.
    private static let silent = Logger(label: "review", factory: { _ in SwiftLogNoOpLogHandler() })
}

package struct ChainDiscovery: Sendable {
    let target: DiscoveryTarget
    var facts: ChainFacts
    private var endpoint: (any DeploymentEndpoint)?
    /// Answers that are there before their question; each is used once.
    private var prefetched: [DeploymentCall: DeploymentAnswer] = [:]

    private init(_ target: DiscoveryTarget) {
        self.target = target
        facts = ChainFacts(name: target.name)
        facts.selector = target.selector
        for (role, address) in target.contracts {
            facts.contracts[role] = ChainFacts.Contract(address: address, hasCode: false)
        }
    }

    /// All chains at once; the second half of each needs the selectors of all.
    package static func run(_ targets: [DiscoveryTarget]) async -> [ChainFacts] {
        var discoveries = await each(targets.map { ChainDiscovery($0) }) { discovery in
            await discovery.reach()
            await discovery.findSelector()
        }
        let selectors = discoveries.compactMap(\.facts.selector)
        discoveries = await each(discoveries) { discovery in await discovery.look(at: selectors) }
        return discoveries.map(\.facts)
    }

    private static func each(
        _ list: [ChainDiscovery], _ work: @escaping @Sendable (inout ChainDiscovery) async -> Void
    ) async -> [ChainDiscovery] {
        await withTaskGroup(of: (Int, ChainDiscovery).self) { group in
            for (index, discovery) in list.enumerated() {
                group.addTask {
                    var discovery = discovery
                    await work(&discovery)
                    return (index, discovery)
                }
            }
            var result = list
            for await (index, discovery) in group { result[index] = discovery }
            return result
        }
    }

    // MARK: Questions

    private mutating func ask(_ method: String, _ parameters: [JSON]) async -> JSON? {
        guard let endpoint else { return nil }
        do {
            switch try await sound(DeploymentCall(method, parameters), endpoint) {
            case .result(let json): return json
            case .error(let code, let message, _): facts.failures.append("\(method): \(message) (\(code))")
            case nil: facts.failures.append("\(method): no answer")
            }
        } catch { facts.failures.append("\(method): \(error.message)") }
        return nil
    }

    /// Asks again where a node answers null to a question that has no such answer, as some do now and then. A block may
    /// really not be there.
    private mutating func sound(
        _ call: DeploymentCall, _ endpoint: any DeploymentEndpoint
    ) async throws(LocalnetError) -> DeploymentAnswer? {
        var answer = prefetched.removeValue(forKey: call)
        if answer == nil { answer = try await endpoint.send([call]).first }
        for attempt in 0..<Limits.nullAttempts {
            guard case .result(.null) = answer, call.method != "eth_getBlockByNumber" else { break }
            do { try await Task.sleep(for: .milliseconds(20 << attempt)) } catch { break }
            answer = try await endpoint.send([call]).first
        }
        return answer
    }

    /// Asks for all of this at once. What fails here is asked for again by itself.
    private mutating func prefetch(_ calls: [DeploymentCall]) async {
        guard let endpoint, calls.count > 1, let answers = try? await endpoint.send(calls), answers.count == calls.count
        else { return }
        for (call, answer) in zip(calls, answers) { prefetched[call] = answer }
    }

    private static func question<Answer>(_ call: ContractCall<Answer>, at address: Address) -> DeploymentCall {
        DeploymentCall("eth_call", [["to": .address(address), "data": .data(call.data)], "latest"])
    }

    private func question<Answer>(_ call: ContractCall<Answer>, _ role: ContractRole) -> DeploymentCall? {
        facts.address(role).map { Self.question(call, at: $0) }
    }

    /// The answer of a contract; nil, and a line in `failures`, when there is none.
    private mutating func read<Answer>(_ call: ContractCall<Answer>, _ role: ContractRole) async -> Answer? {
        guard let address = facts.address(role) else { return nil }
        return await read(call, at: address, role.rawValue)
    }

    private mutating func read<Answer>(_ call: ContractCall<Answer>, at address: Address, _ what: String) async -> Answer? {
        guard let endpoint else { return nil }
        do {
            switch try await sound(Self.question(call, at: address), endpoint) {
            case .result(let json):
                guard let bytes = json.asString.flatMap({ try? Hex.decode($0) }) else { break }
                do throws(CCIPError) { return try call.decode(bytes) } catch {
                    facts.failures.append("\(what) \(address): \(error.message)")
                    return nil
                }
            case .error(let code, let message, let data):
                let bytes = data?.asString.flatMap { try? Hex.decode($0) } ?? []
                let reason = bytes.isEmpty ? message : "\(RevertReason(bytes))"
                facts.failures.append("\(what) \(address), \(call.name): \(reason) (\(code))")
                return nil
            case nil: break
            }
        } catch {
            facts.failures.append("\(what) \(address), \(call.name): \(error.message)")
            return nil
        }
        facts.failures.append("\(what) \(address), \(call.name): no sound answer")
        return nil
    }

    /// A read whose failure says something by itself and is no line in `failures`.
    private mutating func probe<Answer>(_ call: ContractCall<Answer>, at address: Address) async -> Answer? {
        let count = facts.failures.count
        defer { facts.failures.removeSubrange(count...) }
        return await read(call, at: address, "")
    }

    /// A block by number or tag. Some nodes answer null now and then; one that refuses does so again.
    private mutating func block(_ name: JSON) async -> JSON? {
        for attempt in 0..<4 {
            let refusals = facts.failures.count
            if let block = await ask("eth_getBlockByNumber", [name, false]), block["number"]?.asUInt64 != nil { return block }
            if facts.failures.count > refusals { return nil }
            try? await Task.sleep(for: .milliseconds(50 << attempt))
        }
        return nil
    }

    // MARK: The node

    private mutating func reach() async {
        for candidate in target.endpoints {
            var found = ChainFacts.Endpoint(label: candidate.label)
            do {
                let answer = try await candidate.results([DeploymentCall("eth_chainId")])
                found.chainID = answer.first?.asUInt64
                if found.chainID == nil { found.failure = "eth_chainId answers no number" }
            } catch { found.failure = error.message }
            facts.endpoints.append(found)
            if endpoint == nil, let chainID = found.chainID {
                endpoint = candidate
                facts.chainID = chainID
            }
        }
        guard endpoint != nil else { return }
        await lookAtBlocks()
    }

    private mutating func lookAtBlocks() async {
        guard let head = await block("latest"), let number = head["number"]?.asUInt64 else { return }
        facts.node.head = number
        facts.node.time = head["timestamp"]?.asUInt64 ?? 0
        facts.node.gasLimit = head["gasLimit"]?.asUInt64 ?? 0
        facts.node.baseFee = head["baseFeePerGas"]?.asUInt256
        await lookAtCadence(number)
        let count = facts.failures.count
        facts.node.finalized = await block("finalized")?["number"]?.asUInt64
        facts.node.hasGasPrice = await ask("eth_gasPrice", [])?.asUInt256 != nil
        if let endpoint {
            // Two calls at once show whether the node takes lists.
            let answers = try? await endpoint.send([DeploymentCall("eth_chainId"), DeploymentCall("eth_blockNumber")])
            facts.node.takesBatches = answers != nil && ((endpoint as? RPCDeploymentEndpoint)?.takesBatches ?? true)
        }
        facts.failures.removeSubrange(count...)
    }

    /// The usual distance of the newest blocks: the middle one, for a chain that makes blocks when it is asked to has
    /// pauses of any length. The first block's time is anybody's choice, so it does not count.
    private mutating func lookAtCadence(_ head: UInt64) async {
        var times = [facts.node.time]
        await prefetch(
            (1...Limits.cadenceBlocks).filter { head > $0 }.map {
                DeploymentCall("eth_getBlockByNumber", [.quantity(head - $0), false])
            })
        for back in 1...Limits.cadenceBlocks where head > back {
            guard let time = await block(.quantity(head - back))?["timestamp"]?.asUInt64 else { break }
            times.append(time)
        }
        let distances = zip(times, times.dropFirst()).map { $0 - min($0, $1) }.sorted()
        guard distances.count >= 3 else { return }
        facts.node.blockMilliseconds = distances[distances.count / 2] * 1_000
    }

    /// How many blocks one log query may span: halved until the node answers.
    private mutating func lookAtLogs() async {
        let head = facts.node.head
        var blocks = target.logBlocks ?? Limits.logBlocksProbed
        facts.node.isLogRangeKnown = head + 1 >= blocks
        let count = facts.failures.count
        while blocks >= 1 {
            var filter = JSONObject()
            filter["fromBlock"] = .quantity(head + 1 >= blocks ? head + 1 - blocks : 0)
            filter["toBlock"] = .quantity(head)
            filter["address"] = facts.address(.offRamp).map { .address($0) }
            if await ask("eth_getLogs", [.object(filter)])?.asArray != nil { break }
            blocks /= 2
            facts.node.isLogRangeKnown = true
        }
        facts.failures.removeSubrange(count...)
        facts.node.logBlocks = max(blocks, 1)
    }

    // MARK: The ramps

    /// The Router of a file that names no ramp leads to the OffRamp, and a ramp tells the selector.
    private mutating func findSelector() async {
        guard endpoint != nil else { return }
        await findOffRamp()
        facts.offRampStatic = await read(OffRampCalls.staticConfig(), .offRamp)
        if facts.selector == nil { facts.selector = facts.offRampStatic?.chainSelector }
        guard facts.selector == nil, facts.address(.onRamp) != nil else { return }
        facts.selector = await read(OnRampCalls.staticConfig(), .onRamp)?.chainSelector
    }

    private mutating func findOffRamp() async {
        guard facts.address(.offRamp) == nil, let router = facts.address(.router) else { return }
        for (_, offRamp) in await read(RouterCalls.offRamps(), at: router, "router") ?? [] {
            let version = await probe(TokenCalls.typeAndVersion(), at: offRamp)
            if version?.hasPrefix("OffRamp 1.6") == true { find(.offRamp, offRamp) }
        }
    }

    /// A contract that the file does not name. The first who tells of it is believed; who tells otherwise is kept.
    private mutating func find(_ role: ContractRole, _ address: Address?, by teller: String = "router") {
        guard let address, !address.isZero else { return }
        if facts.contracts[role] == nil { facts.contracts[role] = ChainFacts.Contract(address: address, hasCode: false) }
        facts.told.append((role, teller, address))
    }

    private mutating func look(at selectors: [ChainSelector]) async {
        guard endpoint != nil else { return }
        let others = selectors.filter { $0 != facts.selector }
        await prefetchRamps(others)
        await lookAtRamps(others)
        await lookAtRMN()
        await prefetchContracts(others)
        for (role, contract) in facts.contracts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let code = await ask("eth_getCode", [.address(contract.address), "latest"])?.asString ?? "0x"
            facts.contracts[role]?.hasCode = code.count > 2
            guard code.count > 2 else { continue }
            let version = await probe(TokenCalls.typeAndVersion(), at: contract.address)
            facts.contracts[role]?.version = version
        }
        for plugin in PluginType.allCases {
            facts.plugins[plugin] = await read(OffRampCalls.latestConfigDetails(plugin), .offRamp)
        }
        await lookAtLanes(others)
        await lookAtTokens(others)
        for account in Set(target.accounts) {
            facts.balances[account] = await ask("eth_getBalance", [.address(account), "latest"])?.asUInt256
        }
        await lookAtLogs()
        facts.startBlock = await findStart()
    }

    private mutating func prefetchRamps(_ others: [ChainSelector]) async {
        var calls = [
            question(OffRampCalls.allSourceChainConfigs(), .offRamp), question(OffRampCalls.dynamicConfig(), .offRamp),
            question(OnRampCalls.staticConfig(), .onRamp), question(OnRampCalls.dynamicConfig(), .onRamp),
            question(RouterCalls.offRamps(), .router), question(RouterCalls.wrappedNative(), .router),
            question(DiscoveryCalls.routerProxy(), .router),
        ]
        calls += others.map { question(RouterCalls.onRamp($0), .router) }
        await prefetch(calls.compactMap { $0 })
    }

    /// Everything about contracts that are known by now.
    private mutating func prefetchContracts(_ others: [ChainSelector]) async {
        var calls: [DeploymentCall?] = []
        for contract in facts.contracts.values.sorted(by: { $0.address.hex < $1.address.hex }) {
            calls.append(DeploymentCall("eth_getCode", [.address(contract.address), "latest"]))
            calls.append(Self.question(TokenCalls.typeAndVersion(), at: contract.address))
        }
        calls += PluginType.allCases.map { question(OffRampCalls.latestConfigDetails($0), .offRamp) }
        for other in others {
            calls += [
                question(OnRampCalls.destination(other), .onRamp),
                question(OnRampCalls.expectedNextSequenceNumber(other), .onRamp),
                question(FeeQuoterCalls.destinationChainConfig(other), .feeQuoter),
                question(FeeQuoterCalls.gasPrice(other), .feeQuoter),
            ]
        }
        calls += [
            question(DiscoveryCalls.feeQuoterCallers(), .feeQuoter), question(FeeQuoterCalls.feeTokens(), .feeQuoter),
            question(DiscoveryCalls.nonceManagerCallers(), .nonceManager),
        ]
        calls += Set(target.accounts).sorted { $0.hex < $1.hex }.map {
            DeploymentCall("eth_getBalance", [.address($0), "latest"])
        }
        await prefetch(calls.compactMap { $0 })
    }

    private mutating func lookAtRamps(_ others: [ChainSelector]) async {
        for other in others where facts.address(.router) == nil && facts.address(.onRamp) != nil {
            let router = await read(OnRampCalls.destination(other), .onRamp)?.router
            find(.router, router, by: "onRamp")
        }
        await findOffRamp()
        let sources = await read(OffRampCalls.allSourceChainConfigs(), .offRamp) ?? []
        facts.allSources = sources.map(\.0)
        for (selector, config) in sources where others.contains(selector) {
            facts.remotes[selector, default: .init()].source = config
            find(.router, config.router, by: "offRamp")
        }
        if let router = facts.address(.router) {
            let known = await read(RouterCalls.offRamps(), at: router, "router") ?? []
            for other in others {
                let onRamp = await read(RouterCalls.onRamp(other), at: router, "router")
                facts.remotes[other, default: .init()].onRamp = onRamp
                find(.onRamp, onRamp)
                let offRamp = facts.address(.offRamp)
                facts.remotes[other]?.routerKnowsOffRamp = known.contains { $0.0 == other && $0.1 == offRamp }
            }
            let native = await read(RouterCalls.wrappedNative(), at: router, "router")
            find(.wrappedNative, native)
            let proxy = await read(DiscoveryCalls.routerProxy(), at: router, "router")
            find(.rmnProxy, proxy)
        }
        if facts.offRampStatic == nil { facts.offRampStatic = await read(OffRampCalls.staticConfig(), .offRamp) }
        facts.offRampDynamic = await read(OffRampCalls.dynamicConfig(), .offRamp)
        facts.onRampStatic = await read(OnRampCalls.staticConfig(), .onRamp)
        facts.onRampDynamic = await read(OnRampCalls.dynamicConfig(), .onRamp)
        find(.feeQuoter, facts.offRampDynamic?.feeQuoter, by: "offRamp")
        find(.feeQuoter, facts.onRampDynamic?.feeQuoter, by: "onRamp")
        find(.nonceManager, facts.offRampStatic?.nonceManager, by: "offRamp")
        find(.nonceManager, facts.onRampStatic?.nonceManager, by: "onRamp")
        find(.tokenAdminRegistry, facts.offRampStatic?.tokenAdminRegistry, by: "offRamp")
        find(.tokenAdminRegistry, facts.onRampStatic?.tokenAdminRegistry, by: "onRamp")
        find(.rmnProxy, facts.offRampStatic?.rmnRemote, by: "offRamp")
        find(.rmnProxy, facts.onRampStatic?.rmnRemote, by: "onRamp")
    }

    /// The ramps ask a proxy, which leads to the RMNRemote; a deployment without a proxy names the RMNRemote itself.
    private mutating func lookAtRMN() async {
        guard let asked = facts.offRampStatic?.rmnRemote ?? facts.address(.rmnProxy) else { return }
        facts.rmnImplementation = await probe(DiscoveryCalls.implementation(), at: asked)
        find(.rmnRemote, facts.rmnImplementation ?? asked, by: "rmnProxy")
        if facts.rmnImplementation == nil, facts.contracts[.rmnProxy]?.address != asked {
            facts.contracts[.rmnProxy] = ChainFacts.Contract(address: asked, hasCode: false)
        }
        let remote = facts.rmnImplementation ?? asked
        // What the OffRamp sees goes through the proxy.
        facts.cursed = await read(RMNRemoteCalls.cursedSubjects(), at: asked, "rmnProxy")
        facts.rmnSelector = await probe(DiscoveryCalls.rmnChainSelector(), at: remote)
        facts.rmn = await probe(DiscoveryCalls.rmnConfiguration(), at: remote)
    }

    private mutating func lookAtLanes(_ others: [ChainSelector]) async {
        for other in others {
            var remote = facts.remotes[other] ?? ChainFacts.Remote()
            remote.destination = await read(OnRampCalls.destination(other), .onRamp)
            remote.expectedNext = await read(OnRampCalls.expectedNextSequenceNumber(other), .onRamp)
            remote.feeConfig = await read(FeeQuoterCalls.destinationChainConfig(other), .feeQuoter)
            remote.gasPrice = await read(FeeQuoterCalls.gasPrice(other), .feeQuoter)
            if remote.source == nil { remote.source = await read(OffRampCalls.sourceChainConfig(other), .offRamp) }
            facts.remotes[other] = remote
        }
        if let feeQuoter = facts.address(.feeQuoter) {
            facts.feeQuoterCallers = await probe(DiscoveryCalls.feeQuoterCallers(), at: feeQuoter)
            facts.feeTokens = await read(FeeQuoterCalls.feeTokens(), at: feeQuoter, "feeQuoter") ?? []
            if let native = facts.address(.wrappedNative) {
                facts.nativePrice = await read(FeeQuoterCalls.tokenPrice(native), at: feeQuoter, "feeQuoter")
            }
        }
        if let nonceManager = facts.address(.nonceManager) {
            facts.nonceManagerCallers = await probe(DiscoveryCalls.nonceManagerCallers(), at: nonceManager)
        }
    }

    // MARK: Tokens

    private mutating func lookAtTokens(_ others: [ChainSelector]) async {
        var wanted = target.tokens
        if let registry = facts.address(.tokenAdminRegistry) {
            let listed = await probe(
                DiscoveryCalls.configuredTokens(from: 0, maximum: Limits.tokensMaximum), at: registry)
            for token in listed ?? [] where !wanted.contains(token) { wanted.append(token) }
        }
        await prefetch(
            wanted.flatMap { token in
                [
                    Self.question(TokenCalls.symbol(), at: token), Self.question(TokenCalls.decimals(), at: token),
                    question(TokenCalls.pool(of: token), .tokenAdminRegistry),
                ].compactMap { $0 }
            })
        var found: [ChainFacts.Token] = []
        for address in wanted { found.append(await token(address)) }
        await prefetch(found.filter { !$0.pool.isZero }.flatMap { Self.questions(to: $0.pool, others) })
        for index in found.indices where !found[index].pool.isZero { await lookAtPool(of: &found[index], others) }
        facts.tokens += found
    }

    private static func questions(to pool: Address, _ others: [ChainSelector]) -> [DeploymentCall] {
        [
            question(TokenCalls.typeAndVersion(), at: pool), question(DiscoveryCalls.poolToken(), at: pool),
            question(DiscoveryCalls.poolRouter(), at: pool), question(DiscoveryCalls.poolProxy(), at: pool),
            question(DiscoveryCalls.poolAllowsListedOnly(), at: pool),
        ]
            + others.flatMap { other in
                [
                    question(DiscoveryCalls.poolSupports(other), at: pool),
                    question(DiscoveryCalls.remoteToken(other), at: pool),
                    question(DiscoveryCalls.remotePools(other), at: pool),
                    question(TokenPoolCalls.outboundRateLimit(other), at: pool),
                    question(TokenPoolCalls.inboundRateLimit(other), at: pool),
                ]
            }
    }

    private mutating func token(_ address: Address) async -> ChainFacts.Token {
        let symbol = await probe(TokenCalls.symbol(), at: address) ?? String(address.checksummed.prefix(8))
        let decimals = await probe(TokenCalls.decimals(), at: address)
        let pool = await read(TokenCalls.pool(of: address), .tokenAdminRegistry) ?? .zero
        return ChainFacts.Token(address: address, symbol: symbol, decimals: decimals, pool: pool)
    }

    private mutating func lookAtPool(of token: inout ChainFacts.Token, _ others: [ChainSelector]) async {
        let pool = token.pool
        token.poolVersion = await probe(TokenCalls.typeAndVersion(), at: pool)
        token.poolToken = await read(DiscoveryCalls.poolToken(), at: pool, "pool")
        token.poolRouter = await probe(DiscoveryCalls.poolRouter(), at: pool)
        token.poolProxy = await probe(DiscoveryCalls.poolProxy(), at: pool)
        token.allowsListedOnly = await probe(DiscoveryCalls.poolAllowsListedOnly(), at: pool) ?? false
        for other in others {
            guard let isSupported = await read(DiscoveryCalls.poolSupports(other), at: pool, "pool") else { continue }
            var remote = ChainFacts.Token.Remote(isSupported: isSupported, token: [], pools: [], outbound: nil, inbound: nil)
            if isSupported {
                remote.token = await read(DiscoveryCalls.remoteToken(other), at: pool, "pool") ?? []
                remote.pools = await read(DiscoveryCalls.remotePools(other), at: pool, "pool") ?? []
                remote.outbound = await probe(TokenPoolCalls.outboundRateLimit(other), at: pool)
                remote.inbound = await probe(TokenPoolCalls.inboundRateLimit(other), at: pool)
            }
            token.remotes[other] = remote
        }
    }

    // MARK: The first block

    /// The first block with code at a ramp, by bisection; 0 on short chains and where old state is not to be had.
    private mutating func findStart() async -> UInt64 {
        if let given = target.startBlock { return given }
        guard facts.node.head > Limits.shortChainBlocks else { return 0 }
        var first = facts.node.head
        for role in [ContractRole.onRamp, .offRamp] {
            guard let address = facts.address(role) else { continue }
            let count = facts.failures.count
            defer { facts.failures.removeSubrange(count...) }
            var (low, high) = (UInt64(0), facts.node.head)
            while low < high {
                let middle = low + (high - low) / 2
                guard let code = await ask("eth_getCode", [.address(address), .quantity(middle)])?.asString else { return 0 }
                if code.count > 2 { high = middle } else { low = middle + 1 }
            }
            first = min(first, low)
        }
        return first
    }
}

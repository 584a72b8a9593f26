// From an adoption file and what the chains told to the files of a cluster. Pure: the same inputs give the same plan, but
// for keys that only the cluster itself knows, which come with `secret`.

import CCIP
import Ethereum
import MessageBus

package struct AdoptionPlan: Sendable {
    /// One relayer: its own file and its keys.
    package struct Relayer: Sendable {
        package var document: RelayerDocument
        package var keys: LocalRelayerKeys
    }

    /// One guard: its own file and its keys.
    package struct Guard: Sendable {
        package var name: String
        package var signer: PrivateKey
        package var curve: CurveKeyPair
        package var endpoints: [(chain: String, urls: [String])]
        package var meshPort: Int
        package var httpPort: Int
    }

    package var document: ClusterDocument
    package var relayers: [Relayer]
    package var guards: [Guard]
    package var expectation: ClusterExpectation

    /// What stands in the way of any cluster, in words; nothing is written then.
    package static func obstacles(_ file: AdoptionFile, _ facts: [ChainFacts]) -> [CheckResult] {
        var results: [CheckResult] = []
        for (chain, found) in zip(file.chains, facts) {
            guard found.isReached else {
                results += found.endpoints.map {
                    .bad(
                        chain.name, "endpoint", "\($0.label): \($0.failure ?? "no answer")",
                        hint: "\(chain.place): correct rpc, or start the node")
                }
                continue
            }
            if let wanted = chain.chainID, wanted != found.chainID {
                results.append(
                    .bad(
                        chain.name, "endpoint", "serves chain \(found.chainID ?? 0), the file says \(wanted)",
                        hint: "\(chain.place): correct chainId or rpc"))
            }
            if found.selector == nil {
                results.append(
                    .bad(
                        chain.name, "ramps", "no selector: neither OffRamp nor OnRamp answers",
                        hint: "\(chain.place): are the addresses of \(chain.name) those of OnRamp 1.6 and OffRamp 1.6?"))
            }
            for role in [ContractRole.router, .onRamp, .offRamp, .feeQuoter, .nonceManager, .tokenAdminRegistry]
            where found.address(role) == nil {
                results.append(
                    .bad(
                        chain.name, role.rawValue, "unknown: neither the file nor another contract names it",
                        hint: "\(chain.place): add contracts.\(role.rawValue)"))
            }
            if chain.finality == nil, found.node.finalized == nil {
                results.append(
                    .bad(
                        chain.name, "finality", "the file does not say it, and the node knows no block 'finalized'",
                        hint: "\(chain.place): write finality: {depth: N}, blocks that are never taken back"))
            }
        }
        return results
    }

    /// Throws `invalidRequest` when no cluster can come of it; `obstacles` has been empty.
    /// - Parameters:
    ///   - secret: 32 bytes of a key that only the cluster knows, by relayer and file name: the existing one, or new.
    package init(
        _ file: AdoptionFile, facts: [ChainFacts], directory: String, ports: Ports,
        secret: (String, String) throws -> Bytes
    ) throws {
        let lanes = try Self.lanes(file, facts)
        let destinations = file.chains.map(\.name).filter { name in lanes.contains { $0.to == name } }
        guard let first = facts.first(where: { destinations.contains($0.name) }), let signers = first.plugins[.commit] else {
            throw LocalnetError(
                .invalidRequest, "no OffRamp tells its commit configuration", hint: "was setOCR3Configs called?")
        }
        let faulty = file.faulty ?? Int(signers.faulty)
        let ordered = try Self.ordered(file, signers.signers, faulty, on: first.name)
        var next = file.firstPort ?? Self.firstPort(directory)
        let chains = file.chains.map(\.name)
        var relayers: [Relayer] = []
        for (index, relayer) in ordered.enumerated() {
            let transmitters = try Self.transmitters(relayer, file, destinations)
            let keys = try LocalRelayerKeys(
                index: index, name: relayer.name, reportSigner: relayer.signer,
                committing: transmitters.mapValues(\.committing), executing: transmitters.mapValues(\.executing)
            ) { try secret(relayer.name, $0) }
            let endpoints = file.chains.map { (chain: $0.name, urls: relayer.endpoints[$0.name] ?? $0.rpc) }
            relayers.append(
                Relayer(
                    document: RelayerDocument(
                        comment: "\(relayer.name) of the cluster that `causeway adopt` made of \(file.file).",
                        name: relayer.name, folder: relayer.name, endpoints: endpoints, host: file.host,
                        ports: try RelayerPorts(ports, from: &next),
                        // Every relayer polls every chain: a node in Python answers some hundred calls a second.
                        pollMilliseconds: file.pollMilliseconds ?? (ordered.count > 4 ? 1_000 : 500),
                        logLevel: file.logLevel),
                    keys: keys))
        }
        self.relayers = relayers
        guards = try file.guards.map { node in
            let places = try GuardPorts(ports, from: &next)
            return Guard(
                name: node.name, signer: node.signer,
                curve: try CurveKeyPair(secretKey: CurveSecretKey(bytes: try secret(node.name, KeyFileName.curve("guard")))),
                endpoints: file.chains.map { ($0.name, node.endpoints[$0.name] ?? $0.rpc) }, meshPort: places.mesh, httpPort: places.http)
        }
        let documents = zip(file.chains, facts).map { Self.chain($0, $1, file, faulty) }
        let slowest = facts.map(\.node.blockMilliseconds).max() ?? 0
        document = ClusterDocument(
            comment: "The cluster that `causeway adopt` made of \(file.file).", name: file.name, faulty: faulty,
            chains: documents, lanes: lanes,
            timing: ClusterDocument.timing(blockMilliseconds: slowest).map { ($0.key, file.timing[$0.key] ?? $0.value) },
            relayers: relayers.map { relayer in
                var entry = ClusterFiles.relayer(relayer.keys, relayer.document.ports, host: file.host, chains: chains)
                entry.transmitters = entry.transmitters.map { Self.marked($0, facts, destinations) }
                return entry
            },
            guards: guards.map {
                .init(
                    name: $0.name, signer: $0.signer.address, curvePublicKey: $0.curve.publicKey.z85,
                    mesh: "tcp://\(file.host):\($0.meshPort)")
            })
        expectation = Self.expectation(file, documents, lanes, ordered, faulty)
    }

    // MARK: Lanes

    /// Those of the file, else every pair whose OffRamp knows the source and whose Router knows the OnRamp.
    private static func lanes(_ file: AdoptionFile, _ facts: [ChainFacts]) throws(LocalnetError) -> [AdoptionFile.Lane] {
        if let lanes = file.lanes { return lanes }
        var lanes: [AdoptionFile.Lane] = []
        for from in facts {
            for to in facts where from.name != to.name {
                guard let source = from.selector, let destination = to.selector,
                    to.remotes[source]?.source?.isEnabled == true,
                    from.remotes[destination]?.onRamp.map({ !$0.isZero }) == true
                else { continue }
                lanes.append(.init(from: from.name, to: to.name))
            }
        }
        guard !lanes.isEmpty else {
            throw LocalnetError(
                .invalidRequest, "no lane: no Router knows an OnRamp whose messages an OffRamp takes",
                hint: "check the selectors and addresses, or write lanes: [{from: CHAIN, to: CHAIN}]")
        }
        return lanes
    }

    // MARK: Relayers

    /// The relayers of the file in the order of the OffRamp's signers. The contract may list more signers than 3F + 1; the
    /// agreement has exactly 3F + 1 members.
    private static func ordered(
        _ file: AdoptionFile, _ signers: [Address], _ faulty: Int, on chain: String
    ) throws(LocalnetError) -> [AdoptionFile.Relayer] {
        guard !signers.isEmpty else {
            throw LocalnetError(
                .invalidRequest, "the OffRamp on \(chain) has no commit configuration", hint: "call setOCR3Configs first")
        }
        for relayer in file.relayers where !signers.contains(relayer.signer.address) {
            throw LocalnetError(
                .invalidRequest,
                "\(relayer.place): the signer of \(relayer.name) is \(relayer.signer.address), which is not among the "
                    + "\(signers.count) signers of the OffRamp on \(chain)",
                hint: "the signers there are \(signers.map(\.checksummed).joined(separator: ", "))")
        }
        let ordered = signers.compactMap { signer in file.relayers.first { $0.signer.address == signer } }
        let wanted = 3 * faulty + 1
        guard ordered.count >= wanted else {
            throw LocalnetError(
                .invalidRequest, "\(file.file): \(ordered.count) relayers, and F = \(faulty) needs 3F + 1 = \(wanted)",
                hint: "add the keys of \(wanted - ordered.count) more of the \(signers.count) signers under relayers")
        }
        return Array(ordered.prefix(wanted))
    }

    /// A key for every chain; what no lane ends at never sends, and any key stands there.
    private static func transmitters(
        _ relayer: AdoptionFile.Relayer, _ file: AdoptionFile, _ destinations: [String]
    ) throws(LocalnetError) -> [String: AdoptionFile.Transmitters] {
        var result = relayer.transmitters
        for chain in file.chains.map(\.name) where result[chain] == nil {
            guard !destinations.contains(chain), let any = relayer.transmitters.min(by: { $0.key < $1.key })?.value else {
                throw LocalnetError(
                    .invalidRequest, "\(relayer.place): \(relayer.name) has no transmitter for \(chain)",
                    hint: "write transmitters.\(chain): KEY, or transmitter: KEY for all chains")
            }
            result[chain] = any
        }
        return result
    }

    /// A transmitter that the OffRamp does not list would only send what is refused.
    private static func marked(
        _ pair: ClusterDocument.Transmitters, _ facts: [ChainFacts], _ destinations: [String]
    ) -> ClusterDocument.Transmitters {
        var pair = pair
        let plugins = facts.first { $0.name == pair.chain }?.plugins
        let isDestination = destinations.contains(pair.chain)
        pair.commits = isDestination && plugins?[.commit]?.transmitters.contains(pair.committing) == true
        pair.executes = isDestination && plugins?[.execution]?.transmitters.contains(pair.executing) == true
        return pair
    }

    /// Ports of two clusters in two folders seldom meet, and a folder keeps its own.
    private static func firstPort(_ directory: String) -> Int {
        let hash = keccak256(text: directory).bytes
        return 20_000 + (Int(hash[0]) << 8 | Int(hash[1])) % 100 * 100
    }

    // MARK: Chains

    private static func chain(
        _ given: AdoptionFile.Chain, _ facts: ChainFacts, _ file: AdoptionFile, _ faulty: Int
    ) -> ClusterDocument.Chain {
        var chain = ClusterDocument.Chain(
            name: given.name, chainID: facts.chainID ?? 0, selector: facts.selector ?? ChainSelector(0), faulty: faulty)
        chain.startBlock = facts.startBlock
        chain.finality = given.finality ?? .tag(offset: 0)
        chain.access = given.access
        if chain.access.logBlocksMaximum == nil, facts.node.logBlocks > 1 {
            chain.access.logBlocksMaximum = facts.node.logBlocks
        }
        func address(_ role: ContractRole) -> Address { facts.address(role) ?? .zero }
        chain.router = address(.router)
        chain.onRamp = address(.onRamp)
        chain.offRamp = address(.offRamp)
        chain.feeQuoter = address(.feeQuoter)
        chain.nonceManager = address(.nonceManager)
        chain.rmnRemote = address(.rmnRemote)
        chain.rmnProxy = facts.offRampStatic?.rmnRemote ?? address(.rmnProxy)
        chain.tokenAdminRegistry = address(.tokenAdminRegistry)
        chain.wrappedNative = address(.wrappedNative)
        chain.tokenPrices = file.tokenPrices.filter { $0.chain == given.name }.map { .init(token: $0.token, usd: $0.usd) }
        chain.fees = given.fees
        chain.gasPrice = given.fees.gasPriceWei
        // Five hundred gwei, or ten times what a block costs now where that is more.
        let market = (facts.node.baseFee ?? .zero) * U256(10)
        chain.maxFeePerGas = given.maxFeePerGas ?? max(chain.maxFeePerGas, market)
        // About fifteen seconds without a block of ours.
        let interval = max(facts.node.blockMilliseconds, 100)
        chain.feeBumpBlocks = min(max(15_000 / interval, 3), 150)
        chain.commitDigest = facts.plugins[.commit]?.configurationDigest ?? .zero
        chain.executeDigest = facts.plugins[.execution]?.configurationDigest ?? .zero
        let room = facts.node.gasLimit == 0 ? Limits.transactionGasMaximum : facts.node.gasLimit / 4 * 3
        chain.transactionGasMaximum = given.transactionGasMaximum ?? min(room, Limits.transactionGasMaximum)
        chain.batchGasLimit = min(given.batchGasLimit ?? Limits.batchGasLimit, chain.transactionGasMaximum)
        let mayUpdate = facts.feeQuoterCallers.map { callers in
            facts.address(.offRamp).map { callers.contains($0) } ?? false
        }
        chain.reportsGasPrices = file.reportsGasPrices ?? mayUpdate ?? false
        chain.tokens = facts.tokens.filter { !$0.pool.isZero }.map {
            .init(symbol: $0.symbol, address: $0.address, pool: $0.pool, decimals: $0.decimals ?? 18)
        }
        return chain
    }

    private static func expectation(
        _ file: AdoptionFile, _ chains: [ClusterDocument.Chain], _ lanes: [AdoptionFile.Lane],
        _ relayers: [AdoptionFile.Relayer], _ faulty: Int
    ) -> ClusterExpectation {
        ClusterExpectation(
            faulty: faulty,
            chains: zip(file.chains, chains).map { given, chain in
                ClusterExpectation.Chain(
                    name: chain.name, chainID: chain.chainID, selector: chain.selector,
                    contracts: given.contracts.mapValues(\.address), finality: given.finality,
                    transactionGasMaximum: chain.transactionGasMaximum, commitDigest: chain.commitDigest,
                    executeDigest: chain.executeDigest, reportsGasPrices: chain.reportsGasPrices)
            }, lanes: lanes,
            relayers: relayers.map { relayer in
                ClusterExpectation.Relayer(
                    name: relayer.name, signer: relayer.signer.address,
                    transmitters: relayer.transmitters.mapValues { ($0.committing.address, $0.executing.address) })
            }, guards: file.guards.map { ($0.name, $0.signer.address) }, balanceMinimum: Limits.adoptedBalanceMinimum)
    }
}

extension AdoptionFile {
    /// What discovery asks for, chain by chain in the order of the file. Throws `invalidRequest` for a malformed address.
    package func targets() throws(LocalnetError) -> [DiscoveryTarget] {
        var targets: [DiscoveryTarget] = []
        for chain in chains {
            var urls = chain.rpc
            for relayer in relayers { urls += (relayer.endpoints[chain.name] ?? []).filter { !urls.contains($0) } }
            let endpoints: [any DeploymentEndpoint]
            do { endpoints = try DiscoveryTarget.endpoints(urls) } catch {
                throw LocalnetError(error.code, "\(chain.place): \(error.message)", hint: error.hint)
            }
            targets.append(
                DiscoveryTarget(
                    name: chain.name, endpoints: endpoints, selector: chain.selector,
                    contracts: chain.contracts.filter { $0.key != .link }.mapValues(\.address),
                    tokens: chain.tokens.map(\.address),
                    accounts: relayers.compactMap { $0.transmitters[chain.name] }.flatMap {
                        [$0.committing.address, $0.executing.address]
                    }, logBlocks: chain.access.logBlocksMaximum, startBlock: chain.startBlock))
        }
        return targets
    }
}

import Configuration
import Ethereum
@testable import Localnet
import MessageBus
import OffchainReporting
import PriceStreams
@testable import StreamsNode
import Testing

/// What a local network writes for its price streams, read by the processes' own reader.
@Suite("the files of local price streams")
struct StreamsDocumentTests {
    private func document(registrar: String = "registrar") throws -> StreamsDocument {
        StreamsDocument(
            name: "localnet",
            oracles: try (0..<4).map { index in
                (
                    try LocalStreamsKeys(oracle: "oracle-\(index)", origin: .development),
                    StreamOraclePorts(mesh: 20_000 + index, http: 20_100 + index)
                )
            },
            gateways: [
                (
                    "east", try LocalStreamsKeys(gateway: "gateway-east", origin: .development),
                    StreamGatewayPorts(ingress: 1, feed: 2, requests: 3, http: 4)
                )
            ], feeds: .standard, chainID: 11_155_111, registrar: Samples.key(registrar).address, logLevel: "info")
    }

    @Test("streams.yaml is good, and its digest is the one that contracts are told")
    func shared() throws {
        let document = try document()
        let settings = try StreamsSettings(yaml: document.text, file: "streams.yaml")
        let told = try document.contractSide()
        #expect(try settings.configurationDigest() == told.digest)
        #expect(settings.oracles.map(\.signer) == told.signers && told.faulty == 1)
        #expect(try settings.rules() == document.donConfiguration().rules, "the rules that the digest binds")
        #expect(settings.timing.deltaRound == 100 && settings.reportIntervalNanosecondsMinimum == 50_000_000)
        let other = try self.document(registrar: "another").contractSide()
        #expect(other.digest != told.digest)
        let access = try #require(settings.gateways.first?.access)
        #expect(access.api == "http://127.0.0.1:4" && "\(access.feed)" == "tcp://127.0.0.1:2")
    }

    @Test("the feeds are those that issue and documentation promise, and have the ids that contracts know")
    func feeds() throws {
        let settings = try StreamsSettings(yaml: try document().text, file: "streams.yaml")
        let quotes = ["ETH/USD", "BTC/USD", "LINK/USD", "USDC/USD", "CNH/USD", "XAU/USD"]
        for symbol in quotes {
            #expect(settings.feeds.filter { $0.symbol == symbol }.map(\.schema.version).sorted() == [3, 0x0f03], "\(symbol)")
        }
        let others = settings.feeds.filter { !quotes.contains($0.symbol) }
        #expect(others.map { "\($0.symbol) v\($0.schema.number) \($0.hours.rawValue)" } == [
            "WTI/USD v8 standard", "AAPL/USD v11 equities24x5", "FUND/USD v9 always",
        ])
        let local = LocalFeeds.standard
        #expect(local.feeds.map(\.feedID) == settings.feeds.map(\.feedID))
        let told = try document().contractSide()
        #expect(settings.feed(told.native.feedID)?.symbol == "ETH/USD" && settings.feed(told.link.feedID)?.symbol == "LINK/USD")
        #expect(settings.feed(told.native.feedID)?.decimals == Int(told.native.decimals))
    }

    @Test("the files of oracles and gateways are good together with it")
    func processes() throws {
        let document = try document()
        let files = [
            "/d/streams.yaml": document.text, "/d/oracle-2.yaml": document.oracleText(2),
            "/d/gateway-east.yaml": document.gatewayText(0),
        ]
        func read(_ path: String) throws(ConfigurationError) -> String {
            guard let text = files[path] else { throw ConfigurationError(.invalidValue, "no file \(path)") }
            return text
        }
        var entries: [ConfigurationEntry] = []
        let oracle = try OracleSettings.load(
            path: "/d/oracle-2.yaml", environment: [:], entries: &entries, readFile: read)
        #expect(oracle.ownIndex == 2 && oracle.process.http.port == 20_102)
        #expect(oracle.process.keysDirectory == "/d/oracle-2/keys" && oracle.process.dataDirectory == "/d/oracle-2")
        #expect(oracle.sources.map(\.streams) == [oracle.process.streams.streams.map(\.id).sorted()], "one source serves all")
        guard case .simulator(let simulator) = oracle.sources.first?.make else {
            Issue.record("no simulator")
            return
        }
        let markets = ["AAPL/USD", "BTC/USD", "CNH/USD", "ETH/USD", "FUND/USD", "LINK/USD", "USDC/USD", "WTI/USD", "XAU/USD"]
        #expect(simulator.markets.map(\.name).sorted() == markets, "streams of one symbol are one market")
        let fund = simulator.streams.filter { simulator.markets[$0.market].name == "FUND/USD" }
        #expect(fund.map(\.role) == [.price, .navDate, .aum, .ripcord])
        let gateway = try GatewaySettings.load(
            path: "/d/gateway-east.yaml", environment: [:], entries: &entries, readFile: read)
        #expect("\(gateway.feed)" == "tcp://127.0.0.1:2" && gateway.process.http.port == 4)
        #expect(gateway.subscribers == nil && !gateway.isPlaintext)
        #expect(oracle.process.watch == nil && gateway.process.watch == nil)
    }

    @Test("with a chain to read, all processes follow the Configurator, which comes to stand where the digest says")
    func watching() throws {
        var document = try document()
        let owner = Samples.key("registrar").address
        document.registrar = .created(by: owner, nonce: StreamsRegistrar.nonce)
        document.registrarRPC = "http://127.0.0.1:8545"
        let files = [
            "/d/streams.yaml": document.text, "/d/oracle-2.yaml": document.oracleText(2),
            "/d/gateway-east.yaml": document.gatewayText(0),
        ]
        func read(_ path: String) throws(ConfigurationError) -> String {
            guard let text = files[path] else { throw ConfigurationError(.invalidValue, "no file \(path)") }
            return text
        }
        var entries: [ConfigurationEntry] = []
        let oracle = try OracleSettings.load(path: "/d/oracle-2.yaml", environment: [:], entries: &entries, readFile: read)
        let gateway = try GatewaySettings.load(path: "/d/gateway-east.yaml", environment: [:], entries: &entries, readFile: read)
        for watch in [oracle.process.watch, gateway.process.watch] {
            #expect(watch?.urls.map { "\($0)" } == ["http://127.0.0.1:8545"] && watch?.configurations == "/d/configurations")
        }
        #expect(oracle.process.streams.configurator.address == document.registrar)
    }

    @Test("keys of development are the same on every run, and no two are alike")
    func keys() throws {
        let first = try document()
        let second = try document()
        let curves = first.oracles.map(\.keys.curve.publicKey) + first.gateways.map(\.keys.curve.publicKey)
        #expect(curves == second.oracles.map(\.keys.curve.publicKey) + second.gateways.map(\.keys.curve.publicKey))
        #expect(Set(curves.map(\.z85)).count == 5)
        #expect(Set(first.oracles.compactMap { $0.keys.signer?.address }).count == 4)
        let random = try LocalStreamsKeys(oracle: "oracle-0", origin: .random)
        #expect(random.signer?.address != first.oracles[0].keys.signer?.address)
    }

    @Test("with prices from streams the cluster names the feeds of coins and LINK, and the DON; CWT keeps its price")
    func clusterPrices() throws {
        let streams = try document()
        var request = Samples.request()
        request.streams = try streams.contractSide()
        let plan = try Samples.plan(request)
        var cluster = ClusterFiles.document(name: "a", comment: "b", plan: plan, timing: [], relayers: [])
        let fixed = cluster
        try cluster.takePrices(from: streams, plan)
        let told = try streams.contractSide()
        #expect(cluster.priceStreams?.digest == told.digest && cluster.priceStreams?.signers == told.signers)
        for (chain, before) in zip(cluster.chains, fixed.chains) {
            #expect(chain.nativePrice == told.native.feedID)
            let contracts = try #require(plan.chain(chain.name)?.contracts)
            #expect(chain.tokenPrices.map(\.token) == before.tokenPrices.map(\.token))
            for (price, old) in zip(chain.tokenPrices, before.tokenPrices) {
                switch price.token {
                case contracts.wrappedNative: #expect(price.source == .stream(told.native.feedID, decimals: 18))
                case contracts.token("LINK")?.token: #expect(price.source == .stream(told.link.feedID, decimals: 18))
                default: #expect(price == old)
                }
            }
        }
        for line in [
            "priceStreams:\n  configurations:\n    - {digest: \"\(told.digest)\", don: 1, faulty: 1, signers: [",
            "    nativePrice: {stream: \"\(told.native.feedID)\"}\n", "stream: \"\(told.link.feedID)\", decimals: 18, deviationPPB: 500000}",
        ] { #expect(cluster.text.contains(line) && !fixed.text.contains(line), "\(line)") }
    }

    @Test("prices come from streams only where there are some")
    func options() throws {
        var options = LocalnetOptions()
        options.prices = .streams
        try options.validate()
        options.streams = false
        let error = #expect(throws: LocalnetError.self) { try options.validate() }
        #expect(error?.code == .invalidRequest && error?.hint?.contains("--prices streams") == true)
    }

    @Test("a request with streams plans verifiers and data feeds on every chain, in an order that can succeed")
    func plan() throws {
        var request = Samples.request()
        request.streams = try document().contractSide()
        let plan = try Samples.plan(request)
        for chain in plan.chains {
            let contracts = try #require(chain.contracts.streams)
            let created = chain.steps.compactMap { step -> (String, Address)? in
                guard case .create(let name, let address) = step.kind else { return nil }
                return (name, address)
            }
            for (name, address) in contracts.named {
                #expect(created.contains { $0.0 == name && $0.1 == address }, "\(name)")
            }
            let labels = chain.steps.map(\.label)
            let initialized = try #require(labels.firstIndex(of: "let verifier register digests"))
            let configured = try #require(labels.firstIndex(of: "configure stream oracles"))
            #expect(initialized < configured)
            #expect(chain.contracts.named.map(\.name).suffix(4) == [
                "verifierProxy", "verifier", "nativePriceFeed", "linkPriceFeed",
            ])
        }
        #expect(try Samples.plan().chains.allSatisfy { $0.contracts.streams == nil })
    }

    @Test("streams that no verifier takes are refused before anything is planned")
    func refused() throws {
        let good = try document().contractSide()
        var few = good
        few.signers.removeLast()
        var twice = good
        twice.signers[1] = twice.signers[0]
        var none = good
        none.digest = .zero
        for (streams, says) in [(few, "3 stream oracles"), (twice, "stands twice"), (none, "digest is zero")] {
            var request = Samples.request()
            request.streams = streams
            let error = #expect(throws: LocalnetError.self) { try request.validate() }
            #expect(error?.code == .invalidRequest && error?.message.contains(says) == true, "\(error?.message ?? "")")
        }
    }
}

import CCIP
import Ethereum
@testable import Localnet
import Testing

@Suite("localnet.json")
struct NetworkDocumentTests {
    private func document(_ directory: String = "/tmp/nowhere") throws -> NetworkDocument {
        let plan = try Samples.plan()
        let keys = try LocalRelayerKeys(index: 0, chains: ["ethereum", "jovay"], origin: .development)
        var document = NetworkDocument(
            state: .running, pid: 4242, startedAt: 1_700_000_000, readySeconds: "4.2", dataDirectory: directory,
            chains: plan.chains.enumerated().map { index, chain in
                .init(
                    name: chain.chain.name, displayName: chain.chain.name, chainID: chain.chain.chainID,
                    selector: chain.chain.selector, rpc: "http://127.0.0.1:\(8545 + index)",
                    webSocket: "ws://127.0.0.1:\(8545 + index)", pid: 100 + index, log: "/tmp/log",
                    blockMilliseconds: 100, contracts: chain.contracts, commitDigest: chain.commitDigest,
                    executeDigest: chain.executeDigest,
                    tokens: plan.request.tokens.compactMap { token in
                        chain.contracts.token(token.symbol).map {
                            .init(
                                symbol: token.symbol, name: token.symbol, decimals: token.decimals, address: $0.token,
                                pool: $0.pool, poolKind: token.poolKind(on: chain.chain.name))
                        }
                    })
            },
            accounts: [.init(index: 0, address: Samples.deployer.address, privateKey: "0x01", isDeployer: true)],
            relayers: [
                .init(
                    index: 0, name: "relayer-0", config: "/tmp/relayer-0.yaml", pids: ["committing": 7],
                    ports: RelayerPorts(
                        committingMesh: 1, executingMesh: 2, pair: 3, committingHTTP: 4, executingHTTP: 5, eventFeed: 6),
                    logs: ["committing": "/tmp/a", "executing": "/tmp/b"], reportSigner: keys.reportSigner.address,
                    transmitters: ["jovay": ["committing": Samples.deployer.address, "executing": Samples.key("e").address]])
            ])
        document.guards = [
            .init(
                index: 0, name: "guard-0", config: "/tmp/guard-0.yaml", pid: 9, ports: GuardPorts(mesh: 7, http: 8),
                log: "/tmp/c", signer: Samples.key("g").address),
            .init(
                index: 1, name: "guard-1", config: "/tmp/guard-1.yaml", ports: GuardPorts(mesh: 9, http: 10),
                log: "/tmp/d", signer: Samples.key("h").address),
        ]
        document.blessing = .init(faulty: 0, lanes: [.init(from: "ethereum", to: "jovay")])
        return document
    }

    @Test("survives its file")
    func roundTrip() throws {
        let document = try document()
        #expect(try NetworkDocument(json: JSON.parse(document.json.pretty)) == document)
    }

    @Test("has the keys that the reference promises")
    func keys() throws {
        let json = try document().json
        #expect(
            json.asObject?.names == [
                "version", "state", "pid", "startedAt", "readySeconds", "dataDirectory", "chains", "accounts", "relayers",
                "guards", "rmn", "eventFeed",
            ])
        let chain = json["chains"]?[0]
        #expect(
            chain?.asObject?.names == [
                "name", "displayName", "chainId", "selector", "rpc", "ws", "pid", "log", "blockMilliseconds", "contracts",
                "digests", "tokens",
            ])
        #expect(
            chain?["contracts"]?.asObject?.names == [
                "router", "onRamp", "offRamp", "feeQuoter", "nonceManager", "rmnRemote", "rmnProxy", "tokenAdminRegistry",
                "registryModule", "weth", "receiver", "revertingReceiver",
            ])
        #expect(chain?["selector"] == "16015286601757825753", "selectors pass 2^53 and are text")
        #expect(chain?["chainId"] == 11_155_111)
        #expect(chain?["tokens"]?[1]?["poolKind"] == "lockRelease")
        #expect(json["accounts"]?[0]?.asObject?.names == ["index", "address", "privateKey", "deployer"])
        #expect(
            json["relayers"]?[0]?.asObject?.names == [
                "index", "name", "config", "roles", "pids", "ports", "eventFeed", "logs", "reportSigner", "transmitters",
            ])
        #expect(json["relayers"]?[0]?["pids"]?["executing"] == .null)
        #expect(json["eventFeed"] == "tcp://127.0.0.1:6")
        #expect(json["guards"]?[0]?.asObject?.names == ["index", "name", "config", "pid", "ports", "log", "signer"])
        #expect(json["guards"]?[1]?["pid"] == .null)
        #expect(json["rmn"] == ["faulty": 0, "lanes": [["from": "ethereum", "to": "jovay"]]])
    }

    @Test("a file of before there were guards is read, and one with half a guard is refused")
    func guards() throws {
        var object = try #require(try document().json.asObject)
        object["guards"] = nil
        object["rmn"] = nil
        let old = try NetworkDocument(json: .object(object))
        #expect(old.guards.isEmpty && old.blessing == nil)
        object["guards"] = [["index": 0, "name": "guard-0"]]
        let error = #expect(throws: LocalnetError.self) { try NetworkDocument(json: .object(object)) }
        #expect(error?.message.contains("guards[0]") == true)
    }

    @Test("a chain is found by name, alias, chain id and selector", arguments: ["jovay", "JOVAY", "jovay-testnet", "2019775", "945045181441419236"])
    func chain(_ name: String) throws {
        #expect(try document().chain(named: name).chainID == 2_019_775)
    }

    @Test("an unknown chain is refused with the nearest name, a foreign one with those that are there")
    func unknownChain() throws {
        let mistyped = #expect(throws: CCIPError.self) { try document().chain(named: "jovai") }
        #expect(mistyped?.hint.contains("jovay") == true)
        let foreign = #expect(throws: CCIPError.self) { try document().chain(named: "base") }
        #expect(foreign?.hint.contains("ethereum, jovay") == true)
    }

    @Test("is written in one step for its owner only, and found by folder, by file and by environment")
    func found() throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let document = try document(folder)
        try document.write()
        #expect(Files.isPrivate(document.path))
        #expect(Files.names(in: folder) == ["localnet.json"], "no draft is left")
        #expect(try NetworkDocument.find(folder) == document)
        #expect(try NetworkDocument.find(document.path) == document)
    }

    @Test("a network whose supervisor is gone is not running")
    func gone() throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        try document(folder).write()
        let error = #expect(throws: LocalnetError.self) { try NetworkDocument.findRunning(folder) }
        #expect(error?.code == .networkMissing)
        #expect(error?.hint?.contains("causeway up") == true)
    }

    @Test("what is no such document is refused", arguments: ["{}", "[]", "{\"version\": 2}", "{\"version\": 1}", "nonsense"])
    func malformed(_ text: String) throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        try Files.write(text, to: folder + "/localnet.json")
        let error = #expect(throws: LocalnetError.self) { try NetworkDocument.load(folder) }
        #expect(error?.code == .malformedNetworkFile)
    }

    @Test("a missing one says how to start a network")
    func missing() {
        let error = #expect(throws: LocalnetError.self) { try NetworkDocument.load("/nowhere/at/all") }
        #expect(error?.code == .networkMissing)
    }
}

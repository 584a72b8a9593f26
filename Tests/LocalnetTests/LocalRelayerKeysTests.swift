import Configuration
import Ethereum
@testable import Localnet
import MessageBus
import Testing

@Suite("relayer keys and cluster files")
struct RelayerKeysTests {
    private let chains = ["ethereum", "jovay"]

    @Test("development keys are the same on every run, and no two duties share one")
    func deterministic() throws {
        let first = try (0..<4).map { try LocalRelayerKeys(index: $0, chains: chains, origin: .development) }
        let again = try LocalRelayerKeys(index: 2, chains: chains, origin: .development)
        #expect(first[2].reportSigner == again.reportSigner)
        #expect(first[2].curveExecuting.publicKey == again.curveExecuting.publicKey)
        var addresses: [Address] = []
        for keys in first {
            addresses.append(keys.reportSigner.address)
            addresses += keys.committing.values.map(\.address) + keys.executing.values.map(\.address)
        }
        #expect(addresses.count == 20 && Set(addresses).count == 20)
        let curves = first.flatMap { [$0.curveCommitting.publicKey, $0.curveExecuting.publicKey] }
        #expect(Set(curves).count == 8)
        #expect(try LocalRelayerKeys(index: 0, chains: chains, origin: .random).reportSigner != first[0].reportSigner)
    }

    @Test("files are sealed, private and open with the password only")
    func files() throws {
        let folder = try Samples.folder() + "/keys"
        defer { Files.removeTree(folder) }
        let keys = try LocalRelayerKeys(index: 1, chains: chains, origin: .development)
        try keys.write(to: folder, password: "secret")
        #expect(
            Files.names(in: folder) == [
                "curve-committing.json", "curve-executing.json", "offchain.json", "password", "report-signer.json",
                "transmitter-ethereum-committing.json", "transmitter-ethereum-executing.json",
                "transmitter-jovay-committing.json", "transmitter-jovay-executing.json",
            ])
        #expect(Files.names(in: folder).allSatisfy { Files.isPrivate(folder + "/" + $0) })
        #expect(Files.isPrivate(folder))
        let signer = try LocalRelayerKeys.secret(in: folder, KeyFileName.reportSigner, password: "secret")
        #expect(signer == keys.reportSigner.secret.bytes)
        let curve = try #require(try LocalRelayerKeys.secret(in: folder, KeyFileName.curve("executing"), password: "secret"))
        #expect(try CurveKeyPair(secretKey: CurveSecretKey(bytes: curve)).publicKey == keys.curveExecuting.publicKey)
        #expect(throws: EthereumError.self) {
            try LocalRelayerKeys.secret(in: folder, KeyFileName.offchain, password: "wrong")
        }
        #expect(try LocalRelayerKeys.secret(in: folder, "nothing.json", password: "secret") == nil)
    }

    @Test("random keys are used again when their files are there, and existing files are kept")
    func again() throws {
        let folder = try Samples.folder() + "/keys"
        defer { Files.removeTree(folder) }
        let keys = try LocalRelayerKeys(index: 0, chains: chains, origin: .random)
        try keys.write(to: folder, password: "p")
        let before = Files.read(folder + "/offchain.json", maximum: 10_000)
        let second = try LocalRelayerKeys(index: 0, chains: chains, origin: .random) {
            try LocalRelayerKeys.secret(in: folder, $0, password: "p")
        }
        #expect(second.reportSigner == keys.reportSigner && second.offchain == keys.offchain)
        try second.write(to: folder, password: "p")
        #expect(Files.read(folder + "/offchain.json", maximum: 10_000) == before)
    }

    @Test("a guard's keys are kept like a relayer's, and its files say where everything is")
    func guardFiles() throws {
        let folder = try Samples.folder() + "/keys"
        defer { Files.removeTree(folder) }
        let keys = try (0..<2).map { try LocalGuardKeys(index: $0, origin: .development) }
        #expect(try LocalGuardKeys(index: 1, origin: .development).signer == keys[1].signer)
        #expect(keys[0].signer != keys[1].signer && keys[0].curve.publicKey != keys[1].curve.publicKey)
        try keys[0].write(to: folder, password: "secret")
        #expect(Files.names(in: folder) == ["curve-guard.json", "guard-signer.json", "password"])
        #expect(Files.names(in: folder).allSatisfy { Files.isPrivate(folder + "/" + $0) } && Files.isPrivate(folder))
        #expect(try SealedKeyFile.secret(in: folder, KeyFileName.guardSigner, password: "secret") == keys[0].signer.secret.bytes)
        #expect(throws: EthereumError.self) {
            try SealedKeyFile.secret(in: folder, KeyFileName.guardSigner, password: "wrong")
        }
        let random = try LocalGuardKeys(index: 0, origin: .random) {
            try SealedKeyFile.secret(in: folder, $0, password: "secret")
        }
        #expect(random.signer == keys[0].signer && random.curve.publicKey == keys[0].curve.publicKey)

        let text = try ClusterFiles.cluster(
            name: "localnet", plan: try Samples.plan(Samples.guarded()), relayers: [],
            guards: keys.enumerated().map { ($1, GuardPorts(mesh: 700 + $0, http: 800 + $0)) })
        var root = try ConfigurationReader(text: text, file: "cluster.yaml").root
        var guards = try root.sections("guards", required: true)
        #expect(guards.count == 2)
        #expect(try guards[1].string("signer") == keys[1].signer.address.checksummed)
        #expect(try guards[1].string("curvePublicKey") == keys[1].curve.publicKey.z85)
        #expect(try guards[1].string("mesh") == "tcp://127.0.0.1:701")
        #expect(try root.integer("guardTimeoutMilliseconds") == 4_000)
        let file = GuardDocument(
            comment: "a guard", name: "guard-1", folder: "../guard-1", endpoints: [("jovay", ["ws://127.0.0.1:8546"])],
            httpPort: 801, pollMilliseconds: 250, logLevel: "debug")
        var own = try ConfigurationReader(text: file.text, file: "guard-1.yaml").root
        #expect(try own.string("guard") == "guard-1")
        #expect(try own.string("http") == "127.0.0.1:801")
        var place = try own.section("keys")
        #expect(try place.string("directory") == "../guard-1/keys")
    }

    @Test("cluster.yaml and the relayers' files are YAML that says what the plan says")
    func clusterFiles() throws {
        let plan = try Samples.plan()
        let relayers = try (0..<4).map { index in
            (
                keys: try LocalRelayerKeys(index: index, chains: chains, origin: .development),
                ports: RelayerPorts(
                    committingMesh: 100 + index, executingMesh: 200 + index, pair: 300 + index, committingHTTP: 400,
                    executingHTTP: 500, eventFeed: 600)
            )
        }
        let text = try ClusterFiles.cluster(name: "localnet", plan: plan, relayers: relayers)
        let reader = try ConfigurationReader(text: text, file: "cluster.yaml")
        var root = reader.root
        #expect(try root.integer("faulty") == 1)
        var listed = try root.sections("chains", required: true)
        #expect(try listed[1].string("selector") == "945045181441419236")
        var contracts = try listed[1].section("contracts")
        #expect(try contracts.string("offRamp") == plan.chain("jovay")?.contracts.offRamp.checksummed)
        var digests = try listed[1].section("digests")
        #expect(try digests.string("execute") == plan.chain("jovay")?.executeDigest.hex)
        #expect(try listed[1].sections("tokenPrices").count == 3)
        #expect(try root.sections("lanes").count == 2)
        var oracles = try root.sections("relayers", required: true)
        #expect(oracles.count == 4)
        for (index, relayer) in relayers.enumerated() {
            var executing = try oracles[index].section("executing")
            #expect(try executing.string("curvePublicKey") == relayer.keys.curveExecuting.publicKey.z85)
            #expect(try executing.string("mesh") == "tcp://127.0.0.1:\(200 + index)")
        }
        let own = ClusterFiles.relayer(
            keys: relayers[3].keys, ports: relayers[3].ports, endpoints: [("jovay", "ws://127.0.0.1:8546")],
            logLevel: "debug")
        var file = try ConfigurationReader(text: own, file: "relayer-3.yaml").root
        #expect(try file.string("relayer") == "relayer-3")
        var endpoints = try file.section("endpoints")
        var jovay = try endpoints.section("jovay")
        #expect(try jovay.strings("urls") == ["ws://127.0.0.1:8546"])
        #expect(try file.string("pair") == "tcp://127.0.0.1:303")
    }
}

import CCIP
import Configuration
import Ethereum
import Glibc
@testable import Localnet
import Testing

@Suite("the deployment file")
struct DeploymentFileTests {
    static let text: String = {
        var text = """
            version: 1
            deployer: {keyFile: deployer.json, passwordFile: password}
            chains:
              - {name: ethereum, chainId: 11155111, selector: "16015286601757825753", rpc: "http://127.0.0.1:1", nativePriceUSD: "3000.5", gasPriceWei: "2000000000"}
              - {name: jovay, chainId: 2019775, selector: "945045181441419236", rpc: "http://127.0.0.1:2", nativePriceUSD: "3000"}
            tokens:
              - {symbol: LINK, priceUSD: "15", link: true}
              - symbol: USDX
                decimals: 6
                priceUSD: "1"
                lockedOn: [ethereum]
                rateLimit: {capacity: "1000000", ratePerSecond: "10"}
            cluster:
              faulty: 1
              relayers:

            """
        for oracle in Samples.oracles(4, ["ethereum", "jovay"]) {
            text += "    - peerId: \"\(Hex.encode(oracle.peerID))\"\n      reportSigner: \"\(oracle.signer.hex)\"\n"
            text += "      transmitters:\n"
            for chain in ["ethereum", "jovay"] {
                text += "        \(chain): {committing: \"\(oracle.committing[chain]?.hex ?? "")\", "
                text += "executing: \"\(oracle.executing[chain]?.hex ?? "")\"}\n"
            }
        }
        return text
    }()

    @Test("says what is to be deployed")
    func whole() throws {
        var file = try DeploymentFile(yaml: Self.text, file: "d.yaml")
        file.setDeployer(Samples.deployer.address)
        try file.request.validate()
        #expect(file.endpoints == ["ethereum": "http://127.0.0.1:1", "jovay": "http://127.0.0.1:2"])
        #expect(file.request.oracles == Samples.oracles(4, ["ethereum", "jovay"]))
        let chain = file.request.chains[0]
        #expect(chain.nativePriceUSD18.decimal == "3000500000000000000000")
        #expect(chain.gasPriceUSD18.decimal == "6001000000000", "2 gwei at 3000.5 dollars")
        #expect(chain.selector == 16_015_286_601_757_825_753)
        let token = file.request.tokens[1]
        #expect(token.priceUSD18.decimal == "1000000000000000000000000000000", "10^30 for a dollar of 6 decimals (15.1)")
        #expect(token.poolKind(on: "ethereum") == .lockRelease && token.poolKind(on: "jovay") == .burnMint)
        #expect(file.request.receivers == false)
    }

    @Test("mistakes are named with their line", arguments: [
        ("rpc:", "rcp:", "rpc"), ("decimals: 6", "decimals: -1", "decimals"), ("\"15\"", "\"fifteen\"", "priceUSD"),
        ("faulty: 1", "falty: 1", "falty"), ("945045181441419236", "18446744073709551616", "selector"),
        ("peerId: \"0x", "peerId: \"0x00", "peerId"), ("link: true", "link: yes please", "link"),
    ])
    func mistakes(_ from: String, _ to: String, _ named: String) {
        let text = Self.text.replacing(from, with: to, maxReplacements: 1)
        #expect(text != Self.text)
        let error = #expect(throws: ConfigurationError.self) { try DeploymentFile(yaml: text, file: "d.yaml") }
        #expect(error?.message.contains(named) == true && error?.message.contains("d.yaml") == true, "\(error?.message ?? "")")
    }

    static let rmn = """
        rmn:
          faulty: 1
          signers:
            - {account: "\(Samples.key("guard 0").address.hex)"}
            - {account: "\(Samples.key("guard 1").address.hex)", nodeIndex: 4}
            - {account: "\(Samples.key("guard 2").address.hex)", nodeIndex: 9}
          lanes: ["ethereum:jovay"]

        """

    @Test("the rmn section says who signs and which lanes need it")
    func rmn() throws {
        var file = try DeploymentFile(yaml: Self.text + Self.rmn, file: "d.yaml")
        file.setDeployer(Samples.deployer.address)
        try file.request.validate()
        let blessing = try #require(file.request.blessing)
        #expect(blessing.signers.map(\.account) == (0..<3).map { Samples.key("guard \($0)").address })
        #expect(blessing.signers.map(\.nodeIndex) == [0, 4, 9])
        #expect(blessing.faulty == 1 && blessing.lanes == .some([.init(from: "ethereum", to: "jovay")]))
        let all = Self.rmn.replacing("[\"ethereum:jovay\"]", with: "all").replacing("  faulty: 1\n", with: "")
        let second = try DeploymentFile(yaml: Self.text + all, file: "d.yaml").request.blessing
        #expect(second?.lanes == .all && second?.faulty == 1, "fSign is what the signers allow")
        #expect(try DeploymentFile(yaml: Self.text, file: "d.yaml").request.blessing == nil)
    }

    @Test("mistakes of the rmn section are named with their line", arguments: [
        ("faulty: 1", "faulty: 2", "rmn.faulty"), ("faulty: 1", "f: 1", "rmn.f"),
        ("nodeIndex: 4", "nodeIndex: four", "nodeIndex"), ("account: \"0x", "account: \"0x00", "account"),
        ("signers:", "singers:", "signers"), ("nodeIndex: 4", "index: 4", "index"),
        ("\"ethereum:jovay\"", "\"ethereum\"", "rmn.lanes"), ("\"ethereum:jovay\"", "\"jovay:jovay\"", "rmn.lanes"),
        ("[\"ethereum:jovay\"]", "[\"ethereum:jovay\", \"ethereum:jovay\"]", "rmn.lanes"),
        ("[\"ethereum:jovay\"]", "[]", "rmn.lanes"), ("[\"ethereum:jovay\"]", "{a: b}", "rmn.lanes"),
    ])
    func rmnMistakes(_ from: String, _ to: String, _ named: String) {
        let text = Self.text + Self.rmn.replacing(from, with: to, maxReplacements: 1)
        #expect(text != Self.text + Self.rmn)
        let error = #expect(throws: ConfigurationError.self) { try DeploymentFile(yaml: text, file: "d.yaml") }
        #expect(error?.message.contains(named) == true && error?.message.contains("d.yaml") == true, "\(error?.message ?? "")")
    }

    /// The same with every kind of pool.
    static let kinds: String = text.replacing("nativePriceUSD: \"3000.5\",", with: "nativePriceUSD: \"3000.5\", cctpDomain: 0,")
        .replacing("nativePriceUSD: \"3000\"}", with: "nativePriceUSD: \"3000\", cctpDomain: 7}")
        .replacing(
            "cluster:\n",
            with: """
                  - {symbol: SILO, priceUSD: "1", pool: burn-from, pools: {ethereum: siloed-lock-release}}
                  - {symbol: MIXED, priceUSD: "2", decimalsOn: {jovay: 6}}
                  - {symbol: USDC, priceUSD: "1", decimals: 6, pool: usdc-v2}
                attestation: {attesters: ["\(Samples.key("a").address.hex)", "\(Samples.key("b").address.hex)"], threshold: 1}
                cluster:

                """, maxReplacements: 1)

    @Test("kinds of pools, decimals of each chain and attesters")
    func everyKind() throws {
        var file = try DeploymentFile(yaml: Self.kinds, file: "d.yaml")
        file.setDeployer(Samples.deployer.address)
        try file.request.validate()
        let tokens = Dictionary(uniqueKeysWithValues: file.request.tokens.map { ($0.symbol, $0) })
        #expect(tokens["SILO"]?.poolKind(on: "ethereum") == .siloedLockRelease)
        #expect(tokens["SILO"]?.poolKind(on: "jovay") == .burnFrom)
        #expect(tokens["MIXED"]?.decimals(on: "ethereum") == 18 && tokens["MIXED"]?.decimals(on: "jovay") == 6)
        #expect(tokens["MIXED"]?.priceUSD18(on: "ethereum")?.decimal == "2" + String(repeating: "0", count: 18))
        #expect(tokens["MIXED"]?.priceUSD18(on: "jovay")?.decimal == "2" + String(repeating: "0", count: 30))
        #expect(tokens["USDC"]?.poolKind(on: "jovay") == .usdcV2 && file.request.cctpVersions == [.v2])
        #expect(file.request.chains.map(\.cctpDomain) == [0, 7])
        #expect(file.request.attesters == .init(addresses: [Samples.key("a").address, Samples.key("b").address], threshold: 1))
    }

    @Test("mistakes about pools are named with their line", arguments: [
        ("usdc-v2", "usdc-v3", "usdc-v1"), ("{ethereum: siloed", "{moon: siloed", "moon"), ("pool: burn-from", "pol: burn-from", "pol"),
        ("jovay: 6}", "jovay: 37}", "decimalsOn.jovay"), ("cctpDomain: 7", "cctpDomain: 4294967296", "cctpDomain"),
        ("threshold: 1", "threshold: 17", "threshold"), ("attesters: [\"0x", "attesters: [\"0x1", "attesters"),
    ])
    func poolMistakes(_ from: String, _ to: String, _ named: String) {
        let text = Self.kinds.replacing(from, with: to, maxReplacements: 1)
        #expect(text != Self.kinds)
        let error = #expect(throws: ConfigurationError.self) { try DeploymentFile(yaml: text, file: "d.yaml") }
        #expect(error?.message.contains(named) == true && error?.message.contains("d.yaml") == true, "\(error?.message ?? "")")
    }

    @Test("the deployer's key file is opened with its password, and refused when others can read it")
    func key() throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let sealed = try KeyFile.sealed(Samples.deployer, password: Secret(Bytes("pw".utf8)), work: .light)
        try Files.write(sealed.json.pretty, to: folder + "/deployer.json", mode: 0o600)
        try Files.write("pw\n", to: folder + "/password", mode: 0o600)
        let file = try DeploymentFile(yaml: Self.text, file: "d.yaml")
        #expect(try file.openKey(folder: folder) == Samples.deployer)
        try Files.write("other\n", to: folder + "/password", mode: 0o600)
        let wrong = #expect(throws: LocalnetError.self) { try file.openKey(folder: folder) }
        #expect(wrong?.message.contains("password") == true)
        #expect(chmod(folder + "/deployer.json", 0o644) == 0)
        let open = #expect(throws: LocalnetError.self) { try file.openKey(folder: folder) }
        #expect(open?.hint?.contains("chmod 600") == true)
    }
}

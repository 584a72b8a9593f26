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

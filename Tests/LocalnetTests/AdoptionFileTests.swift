import CCIP
import Configuration
import Ethereum
@testable import Localnet
import Testing

@Suite("the adoption file")
struct AdoptionFileTests {
    static func key(_ text: String) -> String { Hex.encode(Samples.key(text).secret.bytes) }

    static let minimal = """
        chains:
          - name: alpha
            rpc: "http://127.0.0.1:1"
            finality: {depth: 5}
            contracts: {offRamp: "0x00000000000000000000000000000000000000a1"}
          - name: beta
            rpc: ["http://127.0.0.1:2", "ws://127.0.0.1:3"]
            finality: finalized
            contracts: {router: "0x00000000000000000000000000000000000000b2"}
        relayers:
          - {signer: "\(key("s0"))", transmitter: "\(key("t0"))"}
          - {signer: "\(key("s1"))", transmitter: "\(key("t1"))"}

        """

    static func read(_ text: String, more: String? = nil) throws -> AdoptionFile {
        try AdoptionFile(text: text, file: "d.yaml", folder: "/nowhere", more: more.map { ($0, "k.yaml") })
    }

    @Test("the least that works is chains with one address each, and keys")
    func least() throws {
        let file = try Self.read(Self.minimal)
        #expect(file.chains.map(\.name) == ["alpha", "beta"])
        #expect(file.chains[0].finality == .depth(5) && file.chains[1].finality == .tag(offset: 0))
        #expect(file.chains[1].rpc == ["http://127.0.0.1:2", "ws://127.0.0.1:3"])
        #expect(file.chains[0].contracts[.offRamp]?.address == Address(truncating: 0xa1))
        #expect(file.chains[0].chainID == nil && file.faulty == nil && file.lanes == nil)
        #expect(file.relayers.map(\.name) == ["relayer-0", "relayer-1"])
        #expect(file.relayers[1].signer == Samples.key("s1"))
        for chain in ["alpha", "beta"] {
            #expect(file.relayers[0].transmitters[chain]?.committing == Samples.key("t0"))
            #expect(file.relayers[0].transmitters[chain]?.executing == Samples.key("t0"))
        }
    }

    @Test("JSON, other spellings and other shapes say the same")
    func shapes() throws {
        let json = """
            {"f": 1, "chains": {
              "alpha": {"rpc_url": "http://127.0.0.1:1", "chain_id": "0x539", "chain_selector": 16015286601757825753,
                        "finality": 3, "addresses": {"off_ramp": "0x00000000000000000000000000000000000000a1",
                        "priceRegistry": "0x00000000000000000000000000000000000000a2",
                        "my_receiver": "0x00000000000000000000000000000000000000a3"},
                        "tokens": {"LINK": "0x00000000000000000000000000000000000000a4"}},
              "beta": {"rpc": {"http": "http://127.0.0.1:2"}, "finality": {"tag": "finalized", "offset": 2},
                       "onRamp": "0x00000000000000000000000000000000000000b1"}},
             "lanes": [["alpha", "beta"], "beta -> alpha"],
             "oracles": {"node-0": {"report_signer": {"private_key": "\(Self.key("s0"))",
                                    "address": "\(Samples.key("s0").address.checksummed)"},
                "transmitters": {"alpha": {"commit": "\(Self.key("c"))", "exec": "\(Self.key("e"))"},
                                 "beta": {"key": "\(Self.key("b"))"}},
                "endpoints": {"beta": "http://127.0.0.1:9"}}}}
            """
        let file = try Self.read(json)
        #expect(file.faulty == 1 && file.chains[0].chainID == 1337)
        #expect(file.chains[0].selector == 16_015_286_601_757_825_753)
        #expect(file.chains[0].finality == .depth(3) && file.chains[1].finality == .tag(offset: 2))
        #expect(file.chains[0].contracts[.feeQuoter]?.address == Address(truncating: 0xa2))
        #expect(file.chains[0].others.map(\.name) == ["my_receiver"])
        #expect(file.chains[0].tokens.map(\.name) == ["LINK"])
        #expect(file.chains[1].contracts[.onRamp]?.address == Address(truncating: 0xb1))
        #expect(file.lanes == [.init(from: "alpha", to: "beta"), .init(from: "beta", to: "alpha")])
        let relayer = try #require(file.relayers.first)
        #expect(relayer.name == "node-0" && relayer.endpoints == ["beta": ["http://127.0.0.1:9"]])
        #expect(relayer.transmitters["alpha"]?.committing == Samples.key("c"))
        #expect(relayer.transmitters["alpha"]?.executing == Samples.key("e"))
        #expect(relayer.transmitters["beta"]?.executing == Samples.key("b"))
    }

    @Test("keys come from key files, hexadecimal files and mnemonics too")
    func keys() throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let sealed = try KeyFile.sealed(Samples.key("sealed"), password: Secret(Bytes("pass".utf8)), work: .light)
        try Files.write(sealed.json.pretty, to: folder + "/k.json")
        try Files.write("pass\n", to: folder + "/password")
        try Files.write(Self.key("plain") + "\n", to: folder + "/k.hex")
        let text = Self.minimal
            .replacing("signer: \"\(Self.key("s0"))\"", with: "signer: {keyFile: k.json, passwordFile: password}")
            .replacing("transmitter: \"\(Self.key("t0"))\"", with: "transmitter: {keyFile: k.hex}")
            .replacing("signer: \"\(Self.key("s1"))\"", with: "signer: {mnemonic: \"\(Mnemonic.developmentText)\", index: 2}")
        let file = try AdoptionFile(text: text, file: "d.yaml", folder: folder)
        #expect(file.relayers[0].signer == Samples.key("sealed"))
        #expect(file.relayers[0].transmitters["beta"]?.committing == Samples.key("plain"))
        #expect(try file.relayers[1].signer == Mnemonic(Mnemonic.developmentText).account(2))
    }

    @Test("a second file holds the keys, and no key stands in both")
    func twoFiles() throws {
        let parts = Self.minimal.split(separator: "relayers:")
        let file = try Self.read(String(parts[0]), more: "version: 1\nrelayers:" + parts[1])
        #expect(file.relayers.count == 2 && file.chains.count == 2)
        let error = #expect(throws: ConfigurationError.self) { try Self.read(Self.minimal, more: "relayers:" + parts[1]) }
        #expect(error?.message.hasPrefix("k.yaml:2: 'relayers'") == true, "\(error?.message ?? "none")")
    }

    /// What is changed, to what, and what the refusal must name.
    static let mistakes: [(String, String, [String])] = [
        ("rpc: \"http://127.0.0.1:1\"", "rcp: \"http://127.0.0.1:1\"", ["d.yaml:2", "rpc"]),
        ("rpc: \"http://127.0.0.1:1\"", "rpc: \"127.0.0.1:1\"", ["d.yaml:3", "rpc", "http://HOST:PORT"]),
        ("{depth: 5}", "{deep: 5}", ["d.yaml:4", "deep", "depth"]),
        ("{depth: 5}", "soon", ["d.yaml:4", "finality", "depth"]),
        ("{depth: 5}", "{depth: 20000}", ["d.yaml:4", "10000"]),
        ("{offRamp: \"0x00000000000000000000000000000000000000a1\"}", "{offRamp: \"0xa1\"}", ["d.yaml:5", "offRamp", "40 hex"]),
        ("{offRamp: \"0x00000000000000000000000000000000000000a1\"}", "{feeQuoter: \"0x00000000000000000000000000000000000000a1\"}", ["contracts", "offRamp"]),
        ("name: beta", "name: alpha", ["alpha", "twice"]),
        ("name: alpha", "name: \"al/pha\"", ["d.yaml:2", "letters"]),
        ("relayers:", "relayrs:", ["missing key 'relayers'"]),
        ("transmitter: \"\(key("t0"))\"", "transmitters: {gamma: \"\(key("t0"))\"}", ["d.yaml:11", "alpha, beta"]),
        (", transmitter: \"\(key("t0"))\"", "", ["d.yaml:11", "transmitter"]),
        ("signer: \"\(key("s0"))\"", "signer: \"\(Samples.key("s0").address.hex)\"", ["d.yaml:11", "signer", "address"]),
        ("signer: \"\(key("s0"))\"", "signer: \"0x1234\"", ["d.yaml:11", "64 hex digits"]),
        ("signer: \"\(key("s0"))\"", "signer: {keyFile: none.json}", ["d.yaml:11", "none.json"]),
        ("signer: \"\(key("s0"))\"", "signer: \"\(key("s1"))\"", ["signer", "twice"]),
        ("relayers:", "lanes: [{from: alpha, to: gamma}]\nrelayers:", ["d.yaml:10", "alpha, beta"]),
        ("relayers:", "prices: {gas: maybe}\nrelayers:", ["d.yaml:10", "prices.gas", "auto"]),
    ]

    @Test("mistakes are named with line and key, and what to write instead", arguments: mistakes)
    func refusals(wanted: String, given: String, words: [String]) throws {
        let text = Self.minimal.replacing(wanted, with: given)
        try #require(text != Self.minimal)
        let error = try #require(throws: ConfigurationError.self) { try Self.read(text) }
        for word in words { #expect(error.description.contains(word), "\(error.description)") }
    }

    @Test("no refusal repeats a private key")
    func secrets() throws {
        for (wanted, given) in [("transmitter: \"", "transmiter: \""), ("signer: \"0x", "signer: \"0x00")] {
            let error = try #require(throws: ConfigurationError.self) { try Self.read(Self.minimal.replacing(wanted, with: given)) }
            for name in ["s0", "s1", "t0", "t1"] { #expect(!error.description.contains(Self.key(name).dropFirst(2))) }
        }
    }
}

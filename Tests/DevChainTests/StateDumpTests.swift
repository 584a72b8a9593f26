// State dumps: out and in again without a difference, gzip from other hands, and what is refused.

import DevChain
import EVM
import Ethereum
import JSONRPC
import TestSupport
import Testing

@Suite("State dump", .serialized)
struct StateDumpTests {
    @Test("a dump loaded into a fresh chain gives the same state root, and dumps to the same bytes")
    func roundTrip() throws {
        var bench = try Bench()
        let created = Address.created(by: bench.keys[0].address, nonce: 0)
        _ = try bench.send(nonce: 0, to: nil, value: 0, data: Bench.deploy(Bench.logger), gas: 200_000)
        bench.mine()
        _ = try bench.send(nonce: 1, to: created, value: 3, data: U256(7).bytes, gas: 100_000)
        bench.mine(3)
        bench.chain.setStorage(U256.max, to: 5, of: created)
        let dump = try StateDump(bench.chain)
        #expect(dump.stateRoot == bench.chain.headState.root)
        var fresh = try Bench()
        fresh.chain.load(try StateDump.read(dump.file))
        #expect(fresh.chain.headState.root == bench.chain.headState.root)
        #expect(fresh.chain.headState.storage(created, 0) == 1 && fresh.chain.headState.storage(created, .max) == 5)
        #expect(fresh.chain.headState.code(of: created) == Bench.logger)
        var again = try StateDump(fresh.chain)
        #expect(again.json["accounts"] == dump.json["accounts"])
        again.blockNumber = dump.blockNumber
        #expect(again.file == dump.file)
        #expect(try StateDump.read(dump.json.bytes) == StateDump.read(dump.file), "plain JSON is read as well")
        fresh.mine()
        #expect(fresh.chain.head.header.stateRoot == fresh.chain.headState.root)
    }

    @Test("accounts of a dump are replaced whole, and others stay")
    func replaces() throws {
        var bench = try Bench()
        let (one, two) = (Address(truncating: 0x51), Address(truncating: 0x52))
        bench.chain.setStorage(1, to: 2, of: one)
        bench.chain.setBalance(9, of: two)
        let text = #"{"accounts":{"\#(one.hex)":{"nonce":3,"balance":"0x5","code":"0x","storage":{"0x7":"0x8"}}}}"#
        bench.chain.load(try StateDump.read(Bytes(text.utf8)))
        let state = bench.chain.headState
        #expect(state.storage(one, 1) == 0 && state.storage(one, 7) == 8)
        #expect(state.nonce(one) == 3 && state.balance(one) == 5 && state.balance(two) == 9)
    }

    /// Made by zlib: with the fixed codes, and with codes of the block's own.
    static let foreign: [(String, String)] = [
        ("1f8b08000000000002034b4c4a4e1c45c4210084b8c4d02c010000", String(repeating: "abc", count: 100)),
        (
            "1f8b080000000000000315d2c90dc0300c03c18a0858b7d47f63d9fcf2708c25c64f67a78dd5d4a8a755572a4b6584a25c3e26bb277b275f5d8eb65bb3a579a9f650a52bdb14fbe4c7315b598caa7553da4bad85265c5da69aa7dc53be55f8c8b365cdb954e8dcf9304d3f728e9c2567c869728a9c242764e60ad3d523e7c861c16381b3208b1c2e5b163c16380bf27115394b0e0b8c0551e42439a13c16180b820579e4708edbc8f9bb929c502ffd8f7ea73f8e9c2567c8a1df4a91e404ffb9e658602c7016e49233e4b0e0b1c059905ce7ba65c163010683416350182406894160e018d8fce7443f028bc020d00834028540221008380286802100c021b0080c0283402350082402814020e0081802001c02f75880c160d01814068941621018380686c14fc00008168281a02168080a8284202070081c028300818360211808068286a0204808e27e50264060f95f470f131e134018101a8402a1404810020407c140f80d5880c162301834068d4161901804068e816360fe3f707ee2b161f0013a8e27cb06030000",
            (0..<200).map { "\($0 * 7919 % 1000)-" }.joined()
        ),
    ]

    @Test("gzip files of other programs are read: fixed codes, their own codes, no compression", arguments: foreign)
    func gzip(hex: String, text: String) throws {
        #expect(try Gzip.open(Hex.decode(hex), atMost: 10_000) == Bytes(text.utf8))
        #expect(try Gzip.open(Gzip.store(Bytes(text.utf8)), atMost: 10_000) == Bytes(text.utf8))
        #expect(refusal { try Gzip.open(Hex.decode(hex), atMost: 299) } == .limitExceeded)
    }

    @Test("large and empty contents go through, and any damage is refused or changes nothing")
    func damage() throws {
        var random = SplitMix64.forTest()
        for count in [0, 1, 65_535, 65_536, 200_000] {
            let bytes = random.bytes(count)
            #expect(try Gzip.open(Gzip.store(bytes), atMost: 200_000) == bytes)
        }
        let whole = try Hex.decode(Self.foreign[1].0)
        let text = Bytes(Self.foreign[1].1.utf8)
        for _ in 0..<3000 {
            var file = whole
            file[random.below(file.count)] ^= UInt8(1 << random.below(8))
            if random.below(4) == 0 { file.removeLast(random.below(file.count)) }
            let read = try? Gzip.open(file, atMost: 5_000)
            // Flags, time and system in the head say nothing of the contents.
            #expect(read == nil || read == text)
        }
    }

    @Test("a wrong dump is refused by name, and nothing changes")
    func refused() throws {
        let address = Address(truncating: 1).hex
        let table: [(String, DevChainError.Code)] = [
            ("", .malformedDump), ("[]", .malformedDump), ("{}", .malformedDump),
            (#"{"accounts":{"0x1":{}}}"#, .malformedDump),
            (#"{"accounts":{"\#(address)":{"nonce":-1}}}"#, .malformedDump),
            (#"{"accounts":{"\#(address)":{"balance":"x"}}}"#, .malformedDump),
            (#"{"accounts":{"\#(address)":{"code":"0x1"}}}"#, .malformedDump),
            (#"{"accounts":{"\#(address)":{"storage":{"a":"0x1"}}}}"#, .malformedDump),
        ]
        for (text, code) in table { #expect(refusal { try StateDump.read(Bytes(text.utf8)) } == code, "\(text)") }
        #expect(refusal { try StateDump.read([0x1f, 0x8b, 8]) } == .malformedDump)
    }

    @Test("anvil_dumpState and anvil_loadState carry a state from one node to another")
    func methods() async throws {
        var file: JSON = .null
        var root: JSON?
        var contract = Address.zero
        try await NodeBench.with(options: { $0.clock = { (Bench.start + 5) * 1000 } }) {
            (node: NodeBench) async throws in
            contract = try await node.deploy(Bench.logger)
            try await node.send(to: contract, value: 0)
            file = try await node.ask("anvil_dumpState")
            root = try await node.ask("eth_getBlockByNumber", "latest", false)["stateRoot"]
        }
        try await NodeBench.with(options: { $0.clock = { (Bench.start + 5) * 1000 } }) {
            (node: NodeBench) async throws in
            #expect(try await node.ask("anvil_loadState", file) == true)
            #expect(try await node.ask("eth_getCode", .address(contract)) == .data(Bench.logger))
            #expect(try await node.ask("eth_call", ["to": .address(contract)]) == .data(U256(2).bytes))
            let bytes = try Hex.decode(try #require(file.asString))
            let text = try JSON.parse(try Gzip.open(bytes, atMost: 1 << 24))
            #expect(text["causeway"]?["stateRoot"] == root && text["causeway"]?["blockNumber"] == 2)
            #expect(try await node.number("eth_getTransactionCount", .address(node.keys[0].address)) == 2)
            try await node.send(to: contract, value: 0)
            #expect(try await node.ask("eth_call", ["to": .address(contract)]) == .data(U256(3).bytes))
            #expect(try await node.refusal("anvil_loadState", ["0x00"]).message.contains("no JSON"))
        }
    }
}

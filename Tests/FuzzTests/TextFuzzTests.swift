// Text and what stands in it: JSON, JSON-RPC messages, ABI types and data, typed data, key files, profiles, genesis
// files, fault rules.

import Configuration
import DevChain
import Ethereum
import Foundation
import TestSupport
import Testing

@testable import JSONRPC

@Suite("Fuzz: text")
struct TextFuzzTests {
    private static let texts = [
        #"{"a":[1,-2.5e3,true,null,"x\"A\n\ud83d\ude00"],"b":{"c":{}},"":[]}"#, "[[[[[[[[]]]]]]]]", "\"\"", "0",
        #"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10,"a":11}"#, " [ 1 , 2 ] ",
    ]

    @Test("JSON: what is printed parses to the same value, and prints the same again")
    func json() throws {
        try Fuzz("json", corpus: Self.texts.map { Bytes($0.utf8) }).run { input in
            guard let value = try? JSON.parse(input) else { return false }
            let printed = value.bytes
            let again = try JSON.parse(printed)
            try hold(again == value, "printing loses nothing")
            try hold(again.bytes == printed, "there is one print")
            try hold(try JSON.parse(Bytes(value.pretty.utf8)) == value, "pretty printing loses nothing")
            _ = (value.asUInt64, value.asUInt256, value.asInt, value.asString, value.asBool, value["a"])
            return true
        }
    }

    @Test("JSON-RPC: any body is read as calls or refused, and each call can be written and read again")
    func messages() throws {
        let call = #"{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"0x01"},"latest"]}"#
        let corpus = [
            call, "[\(call),\(call)]", #"{"jsonrpc":"2.0","method":"eth_subscribe"}"#, "[]", "[1]",
            #"{"jsonrpc":"2.0","id":"a","method":"m","params":{}}"#, #"{"jsonrpc":"2.0","id":null,"result":{}}"#,
            #"{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"no","data":"0x"}}"#,
        ]
        try Fuzz("message", corpus: corpus.map { Bytes($0.utf8) }).run { input in
            let message = IncomingMessage.read(input, batchCallsMaximum: 20)
            _ = (message.methods, message.isSubscribing, message.withMixedIDs)
            if let value = try? JSON.parse(input), let answer = IncomingAnswer.read(value) {
                var out = Bytes()
                WireText.append(answer.result, id: answer.id.map { .integer($0) } ?? .null, to: &out)
                try hold(IncomingAnswer.read(try JSON.parse(out))?.id == answer.id, "an answer keeps its id")
            }
            guard case .single(.call(let call)) = message else {
                if case .batch(let entries) = message {
                    try hold(!entries.isEmpty && entries.count <= 20, "a batch is bounded")
                    return true
                }
                return false
            }
            var out = Bytes()
            WireText.append(.success(call.parameters), id: call.id ?? .null, to: &out)
            try hold(try JSON.parse(out)["result"] == call.parameters, "parameters survive the wire")
            try hold(WireText.notification(call.method, call.parameters).count > 0, "there is text")
            return true
        }
    }

    @Test("ABI types: what is read has one text")
    func abiTypes() throws {
        let corpus = [
            "uint256", "(uint64,bytes)[2][]", "((address,bool),string[3],int8)", "bytes32[4][5][6]", "()", "uint", "(())[]",
        ]
        try Fuzz("abi-type", corpus: corpus.map { Bytes($0.utf8) }).run { input in
            let text = String(decoding: input, as: UTF8.self)
            _ = try? ABIFunction("f(\(text))")
            _ = try? ABIEvent("E(\(text))", indexed: [0])
            guard let type = try? ABIType(text) else { return false }
            try hold((try? ABIType(type.canonical)) == type, "the canonical text is read as the same type")
            _ = (type.isDynamic, type.headSize)
            _ = try? ABI.decode(Bytes(repeating: 0, count: 64), as: [type])
            return true
        }
    }

    @Test("ABI data: what decodes encodes to the same bytes; what Solidity would take decodes the same after encoding")
    func abiData() throws {
        let n = { (value: UInt64) -> ABIValue in .uint(value) }
        let lists: [([String], [ABIValue])] = [
            (["uint256", "address", "bool"], [n(5), .address(Samples.other), .bool(true)]),
            (["bytes", "string[]"], [.bytes([1, 2, 3]), .array([.string("a"), .string("bc")])]),
            (
                ["(uint64,bytes)[2][]", "int8"],
                [.array([.array([.tuple([n(1), .bytes([])]), .tuple([n(2), .bytes([9])])])]), .int(U256.max)]
            ),
            (["bytes4", "uint8[3]", "(string,(bytes32,bool))"],
                [.bytes([1, 2, 3, 4]), .array([n(1), n(2), n(3)]),
                    .tuple([.string("x"), .tuple([.bytes(Bytes(repeating: 1, count: 32)), .bool(false)])])]),
            (["uint256[][]"], [.array([.array([n(1)]), .array([])])]),
        ]
        var shapes: [[ABIType]] = []
        var corpus: [Bytes] = []
        for (index, (names, values)) in lists.enumerated() {
            let types = try names.map { try ABIType($0) }
            shapes.append(types)
            corpus.append([UInt8(index)] + (try ABI.encode(values, as: types)))
        }
        let types = shapes
        try Fuzz("abi-data", corpus: corpus).run { input in
            guard let first = input.first else { return false }
            let data = Bytes(input.dropFirst())
            let shape = types[Int(first) % types.count]
            if let values = try? ABI.decode(data, as: shape) {
                try hold(try ABI.encode(values, as: shape) == data, "decoding is the inverse of encoding")
            }
            guard let values = try? ABI.decode(data, as: shape, .solidity) else { return false }
            let canonical = try ABI.encode(values, as: shape)
            try hold(try ABI.decode(canonical, as: shape) == values, "what was decoded has a canonical form")
            return true
        }
    }

    private static let mail = """
        {"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"chainId","type":"uint256"}],\
        "Person":[{"name":"name","type":"string"},{"name":"wallets","type":"address[]"},{"name":"next","type":"Person[]"}],\
        "Mail":[{"name":"from","type":"Person"},{"name":"n","type":"int8[2]"},{"name":"b","type":"bytes4"},\
        {"name":"d","type":"bytes"},{"name":"f","type":"bool"}]},"primaryType":"Mail",\
        "domain":{"name":"Ether Mail","chainId":1},"message":{"from":{"name":"Cow",\
        "wallets":["0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826"],"next":[]},"n":[-1,127],"b":"0x01020304","d":"0x","f":true}}
        """

    @Test("typed data: any document has one digest or is refused")
    func typedData() throws {
        var fuzz = Fuzz("typed-data", corpus: [Bytes(Self.mail.utf8)])
        fuzz.mutate = Self.mutateJSON
        try fuzz.run { input in
            guard let json = try? JSON.parse(input), let data = try? TypedData(json: json) else { return false }
            _ = data.encodeType(data.primaryType)
            guard let digest = try? data.digest else { return false }
            try hold(try data.digest == digest, "there is one digest")
            return true
        }
    }

    /// JSON stays JSON, most of the time.
    static let mutateJSON: @Sendable (Bytes, [Bytes], inout SplitMix64) -> Bytes = { base, others, random in
        guard random.below(6) > 0, var value = try? JSON.parse(base) else { return Mutation.bytes(base, others, &random) }
        for _ in 0...random.below(3) { value = Mutation.json(value, &random) }
        return value.bytes
    }

    @Test("key files: what is read writes the same file; the password opens no other")
    func keyFiles() throws {
        let scrypt = """
            {"version":3,"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","address":"008aeeda4d805471df9b2a5b0f38a0c3bcba786b",\
            "crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},\
            "ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt",\
            "kdfparams":{"dklen":32,"n":16,"p":2,"r":1,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},\
            "mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"}}
            """
        let pbkdf2 = scrypt.replacingOccurrences(of: "scrypt", with: "pbkdf2")
            .replacingOccurrences(of: #""n":16,"p":2,"r":1"#, with: #""c":10,"prf":"hmac-sha256""#)
        var fuzz = Fuzz("key-file", corpus: [Bytes(scrypt.utf8), Bytes(pbkdf2.utf8)])
        fuzz.mutate = Self.mutateJSON
        try fuzz.run { input in
            guard let file = try? KeyFile.decode(input) else { return false }
            try hold(try KeyFile.decode(file.encoded) == file, "what is written is read as the same")
            // Deriving a key costs what the file asks for; small ones are tried.
            let costs = file.json["crypto"]?["kdfparams"]
            let most = ["n", "r", "p", "c"].compactMap { costs?[$0]?.asInt }.max() ?? 0
            guard most <= 64 else { return true }
            try hold((try? file.openPrivateKey(password: Secret(Bytes("x".utf8)))) == nil, "a guess opens nothing")
            return true
        }
    }

    @Test("profiles, genesis files: any text is read or refused by name")
    func profiles() throws {
        let quirks = "coinbase: '0x00000000000000000000000000000000000000aa'\nquirks: {prevRandaoZero: true}\n"
        let scaled = "localnet:\n  blocks: {intervalMilliseconds: 100}\n  finality: {safeDepth: 1, finalizedDepth: 2}\n"
        let genesis = """
            {"config":{"chainId":5,"shanghaiTime":0,"cancunTime":100,"pragueTime":200,"blobSchedule":{"prague":\
            {"target":1,"max":2,"baseFeeUpdateFraction":100}}},"gasLimit":"0x1c9c380","timestamp":"0x5","extraData":"0x12",\
            "alloc":{"00000000000000000000000000000000000000aa":{"balance":"0x10","nonce":"0x3","code":"0x00",\
            "storage":{"0x01":"0x02"}}}}
            """
        let corpus = [
            Samples.profileText, Samples.profileText + "\n" + quirks + scaled, "a: &x [*x]", "{a: [b, {c: d}]}", genesis,
        ]
        var fuzz = Fuzz("profile", corpus: corpus.map { Bytes($0.utf8) })
        fuzz.mutate = { base, others, random in
            base.first == UInt8(ascii: "{")
                ? Self.mutateJSON(base, others, &random) : Mutation.bytes(base, others, &random)
        }
        try fuzz.run { input in
            var isTaken = false
            let text = String(decoding: input, as: UTF8.self)
            if let profile = try? ChainProfile(yaml: text, file: "f.yaml") {
                try hold(profile.chainID > 0 && profile.gasLimit >= 1_000_000, "what is read is in its range")
                isTaken = true
                _ = Blockchain(Blockchain.Configuration(profile: profile, genesisTimestamp: 1)).plan(at: 2, timestamp: nil).run()
            }
            _ = try? ChainProfile(yaml: text, file: "f.yaml", localnet: true)
            if let json = try? JSON.parse(input), let start = try? Blockchain.Configuration(gethGenesis: json) {
                var chain = Blockchain(start)
                chain.mine(at: 10)
                chain.mine(at: 300)
                isTaken = true
            }
            return isTaken
        }
    }
}

// EIP-712 and EIP-191 digests against their published examples, and refusals.

import Ethereum
import Foundation
import Testing

@Suite("Typed data")
struct TypedDataTests {
    static let mail = """
        {"types": {
          "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
          "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
          "Mail": [{"name": "from", "type": "Person"}, {"name": "to", "type": "Person"},
            {"name": "contents", "type": "string"}]},
         "primaryType": "Mail",
         "domain": {"name": "Ether Mail", "version": "1", "chainId": 1,
           "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},
         "message": {"from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
           "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"}, "contents": "Hello, Bob!"}}
        """

    /// MetaMask's example of version 4: arrays of addresses, and an array of structs.
    static let mailV4 = """
        {"domain": {"chainId": 1, "name": "Ether Mail", "version": "1",
           "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},
         "message": {"contents": "Hello, Bob!",
           "from": {"name": "Cow", "wallets": ["0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826",
             "0xDeaDbeefdEAdbeefdEadbEEFdeadbeEFdEaDbeeF"]},
           "to": [{"name": "Bob", "wallets": ["0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB",
             "0xB0BdaBea57B0BDABeA57b0bdABEA57b0BDabEa57", "0xB0B0b0b0b0b0B000000000000000000000000000"]}]},
         "primaryType": "Mail",
         "types": {
           "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"},
             {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
           "Group": [{"name": "name", "type": "string"}, {"name": "members", "type": "Person[]"}],
           "Mail": [{"name": "from", "type": "Person"}, {"name": "to", "type": "Person[]"},
             {"name": "contents", "type": "string"}],
           "Person": [{"name": "name", "type": "string"}, {"name": "wallets", "type": "address[]"}]}}
        """

    @Test("EIP-712's example: type, domain, struct and digest")
    func example() throws {
        let data = try TypedData(json: JSON.parse(Self.mail))
        #expect(
            data.encodeType("Mail") == "Mail(Person from,Person to,string contents)Person(string name,address wallet)")
        #expect(try data.domainSeparator.hex == "0xf2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f")
        #expect(try data.messageHash.hex == "0xc52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e")
        #expect(try data.digest.hex == "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2")
    }

    @Test("version 4's example with arrays and arrays of structs")
    func arrays() throws {
        let data = try TypedData(json: JSON.parse(Self.mailV4))
        #expect(data.encodeType("Group") == "Group(string name,Person[] members)Person(string name,address[] wallets)")
        #expect(try data.messageHash.hex == "0xeb4221181ff3f1a83ea7313993ca9218496e424604ba9492bb4052c03d5c3df8")
        #expect(try data.digest.hex == "0xa85c2e2b118698e88db68a8105b794a8cc7cec074e89ef991cb4f5f533819cc2")
    }

    @Test(
        "documents with a fault are refused by name",
        arguments: [
            ("\"primaryType\": \"Mail\"", "\"primaryType\": \"Post\""), ("\"EIP712Domain\"", "\"Domain\""),
            ("\"type\": \"Person\"", "\"type\": \"Human\""), ("\"type\": \"Person\"", "\"type\": \"Person[\""),
            ("\"type\": \"Person\"", "\"type\": \"Person[02]\""), ("\"type\": \"uint256\"", "\"type\": \"uint257\""),
            ("\"type\": \"uint256\"", "\"type\": \"uint0\""), ("\"type\": \"uint256\"", "\"type\": \"bytes33\""),
            ("\"chainId\": 1", "\"chainId\": -1"), ("\"chainId\": 1", "\"chainId\": 1.5"),
            ("\"chainId\": 1", "\"chain\": 1"), ("\"contents\": \"Hello, Bob!\"", "\"contents\": 7"),
            ("0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBb"),
            ("\"name\": \"contents\"", "\"name\": \"con tents\""), ("\"name\": \"contents\"", "\"name\": \"from\""),
            ("\"domain\"", "\"domains\""), ("\"types\"", "\"kinds\""),
        ])
    func refusals(find: String, replace: String) throws {
        #expect(Self.mail.contains(find))
        let json = try JSON.parse(Self.mail.replacingOccurrences(of: find, with: replace))
        #expect(throws: EthereumError.self) { try TypedData(json: json).digest }
    }

    private func one(_ type: String, _ value: JSON) throws -> Hash32 {
        let document: JSON = [
            "types": ["EIP712Domain": [], "One": [["name": "x", "type": .string(type)]]], "primaryType": "One",
            "domain": [:], "message": ["x": value],
        ]
        return try TypedData(json: document).messageHash
    }

    @Test("each elementary type stands in its word as the standard says")
    func words() throws {
        func expected(_ type: String, _ word: Bytes) -> Hash32 {
            keccak256(keccak256(text: "One(\(type) x)").bytes + word)
        }
        let wordFF = Bytes(repeating: 0xff, count: 32)
        #expect(try one("int8", -1) == expected("int8", wordFF))
        #expect(try one("int256", "-1") == expected("int256", wordFF))
        #expect(try one("uint8", "0xff") == expected("uint8", U256(255).bytes))
        #expect(try one("bool", true) == expected("bool", U256.one.bytes))
        #expect(try one("bytes4", "0x01020304") == expected("bytes4", [1, 2, 3, 4] + Bytes(repeating: 0, count: 28)))
        #expect(try one("bytes", "0x") == expected("bytes", keccak256([]).bytes))
        #expect(try one("uint8[2]", [1, 2]) == expected("uint8[2]", keccak256(U256.one.bytes + U256(2).bytes).bytes))
        #expect(try one("uint8[]", []) == expected("uint8[]", keccak256([]).bytes))
        #expect(try one("One", .null) == expected("One", Bytes(repeating: 0, count: 32)))
    }

    @Test(
        "values out of their type's range are refused",
        arguments: [
            ("int8", 128), ("int8", -129), ("uint8", 256), ("uint8", -1), ("bytes4", "0x010203"),
            ("bytes4", "01020304"),
            ("bool", "true"), ("uint8[2]", [1]), ("uint8[]", 1), ("address", "0x00"), ("string", 1),
        ] as [(String, JSON)])
    func ranges(type: String, value: JSON) {
        #expect(throws: EthereumError.self) { try one(type, value) }
    }

    @Test("a type that holds itself is bounded in depth")
    func depth() throws {
        var value: JSON = .null
        for _ in 0..<20 { value = ["x": value] }
        _ = try one("One", value)
        for _ in 0..<40 { value = ["x": value] }
        #expect { try one("One", value) } throws: { ($0 as? EthereumError)?.code == .limitExceeded }
    }

    @Test("EIP-191: the digest of a personal message")
    func personal() {
        #expect(
            PersonalMessage.digest(text: "Hello world").hex
                == "0x8144a6fa26be252b86456491fbcd43c1de7e022241845ffea1c3df066f7cfede")
        #expect(PersonalMessage.digest(text: "a") != PersonalMessage.digest(text: "b"))
    }
}

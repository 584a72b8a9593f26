// The contract ABI against the public fixtures.

import Ethereum
import TestSupport
import Testing

@Suite("ABI fixtures")
struct ABIFixtureTests {
    @Test("fixtures abi: every case encodes, and decodes back")
    func fixtures() throws {
        guard let url = Fixtures.file("abi", "basic_abi_tests.json") else { return }
        var count = 0
        for (name, test) in try #require(Fixtures.json(url).asObject).members {
            let types = try #require(test["types"]?.asArray).map { try ABIType(try #require($0.asString)) }
            let arguments = try #require(test["args"]?.asArray)
            let values = try zip(types, arguments).map { type, argument -> ABIValue in
                switch type {
                case .uint: .uint(try #require(argument.asUInt256))
                case .address: .address(try Address(hex: try #require(argument.asString)))
                default: throw EthereumError(.unsupported, "\(name) uses \(type.canonical)")
                }
            }
            let bytes = try Hex.decode(try #require(test["result"]?.asString))
            #expect(try ABI.encode(values, as: types) == bytes, "\(name)")
            #expect(try ABI.decode(bytes, as: types) == values, "\(name)")
            count += 1
        }
        #expect(count == 2)
    }
}

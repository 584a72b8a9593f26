// Reports of every schema, and the keys of the test oracles, against the vectors.

import Ethereum
import PriceStreams
import TestSupport
import Testing

@Suite("Report schemas against the vectors")
struct ReportVectorTests {
    @Test("the 31 test oracles, the rogue and the DON of four have the addresses of their keys")
    func keys() throws {
        let keys = try StreamsVector.list("keys")
        for (index, vector) in keys.enumerated() {
            #expect(try vector.int("index") == index)
            let address = try PrivateKey(hex: vector.text("privateKey")).address
            #expect(try address.checksummed == vector.text("address"))
        }
        let rogue = try StreamsVector.group("rogueKey")
        #expect(try PrivateKey(hex: rogue.text("privateKey")).address == rogue.address("address"))
        let don = try StreamsVector.group("don")
        let signers = try don.signers("signers")
        #expect(try signers == keys.prefix(4).map { try $0.address("address") })
        #expect(try don.int("n") == 4)
        #expect(try don.int("f") == 1)
        #expect(try don.u32("donID") == 42)
    }

    @Test("77 reports of 13 schemas decode to their values, encode to their bytes and have their hash")
    func reports() throws {
        let groups = try #require(StreamsVector.group("reports").asObject)
        let cases = [2, 6, 6, 6, 6, 6, 6, 6, 6, 6, 9, 6, 6]
        var total = 0
        for (index, member) in groups.members.enumerated() {
            let number = index + 1
            #expect(member.name == "v\(number)")
            let vectors = try member.value.items("cases")
            #expect(vectors.count == cases[index])
            for vector in vectors {
                let blob = try vector.bytes("blob")
                let values = try vector.at("values")
                let report = try values.priceReport(schema: number)
                #expect(report.blob == blob)
                #expect(try PriceReport(blob: blob) == report)
                #expect(report.schema.number == number)
                #expect(try vector.int("blobBytes") == report.schema.byteCount)
                #expect(try keccak256(blob) == vector.hash("reportHash"))
                total += 1
            }
        }
        #expect(total == 77)
    }

    @Test("the tables of words have the names, types and counts of the vectors, and print every value")
    func tables() throws {
        for member in try #require(StreamsVector.group("reports").asObject).members {
            let version = try #require(UInt16(member.name.dropFirst()))
            let schema = try #require(ReportSchema(version: version))
            #expect(try schema.wordCount == member.value.int("words"))
            let fields = try member.value.items("fields")
            #expect(try schema.fields.map(\.name) == fields.map { try $0.text("name") })
            #expect(try schema.fields.map(\.kind.rawValue) == fields.map { try $0.text("type") })
            for vector in try member.value.items("cases") {
                let values = try vector.at("values")
                for (name, value) in try PriceReport(blob: vector.bytes("blob")).fields {
                    let expected = try values.at(name)
                    let text: String? = if case .number(let number) = expected { number } else { expected.asString }
                    #expect(value == text, "\(member.name) \(name)")
                }
            }
        }
    }
}

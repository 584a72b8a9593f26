// Every group of the vector file has a test that reads it. What the groups say is checked elsewhere.

import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Coverage of the price vectors")
struct VectorCoverageTests {
    /// Groups about contracts, which the Python tests of the contracts read.
    static let ofContracts = ["contracts", "calldata"]

    /// Groups whose test is in another target or not here yet, with the test that has to read them. A group is to be
    /// taken from this list once its test stands in the folders below.
    static let awaited: KeyValuePairs<String, String> = [
        "contracts": "Tests/Contracts: verifier and proxy",
        "calldata": "Tests/Contracts: verifier and proxy",
    ]

    static func text(_ folder: String, _ suffix: String, mentioning: String? = nil) throws -> String {
        let url = PackageRoot.url.appendingPathComponent(folder)
        let names = try FileManager.default.contentsOfDirectory(atPath: url.path).filter { $0.hasSuffix(suffix) }
        let texts = try names.sorted().map { try String(contentsOf: url.appendingPathComponent($0), encoding: .utf8) }
        return texts.filter { mentioning.map($0.contains) ?? true }.joined()
    }

    /// Groups of the file that no source reads.
    static func unread(_ names: [String], swift: String, python: String) -> [String] {
        names.filter { name in
            if ofContracts.contains(name) { return !python.contains("[\"\(name)\"]") }
            return !["group", "list"].contains { swift.contains("StreamsVector.\($0)(\"\(name)\")") }
        }
    }

    @Test("the file has exactly the 22 groups that the tests know, each with its count")
    func groups() throws {
        let names = try #require(StreamsVector.file.get().asObject).names.filter { $0 != "meta" }
        #expect(names.sorted() == StreamsVector.groups.map(\.key).sorted())
        #expect(names.count == 22)
        for name in names { _ = try StreamsVector.group(name) }
    }

    @Test("every group of the file is read by a vector test, or awaited by name")
    func everyGroupIsRead() throws {
        let swift = try Self.text("Tests/PriceStreamsTests", "VectorTests.swift")
        let python = try Self.text("Tests/Contracts", ".py", mentioning: "data-streams.json")
        let names = try #require(StreamsVector.file.get().asObject).names.filter { $0 != "meta" }
        let awaited = Set(Self.awaited.map(\.key))
        #expect(awaited.isSubset(of: names))
        #expect(Self.unread(names, swift: swift, python: python).filter { !awaited.contains($0) } == [])
    }

    @Test("a group that nobody reads is found")
    func planted() {
        let swift = "for vector in try StreamsVector.list(\"envelopes\") {"
        #expect(Self.unread(["envelopes", "auth"], swift: swift, python: "") == ["auth"])
        #expect(Self.unread(["calldata"], swift: swift, python: "") == ["calldata"])
        #expect(Self.unread(["calldata"], swift: swift, python: "VECTORS[\"calldata\"]") == [])
    }
}

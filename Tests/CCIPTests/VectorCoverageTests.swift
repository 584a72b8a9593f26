// Every group of the vector file has a test that reads it. What the groups say is checked elsewhere.

import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Coverage of the vectors")
struct VectorCoverageTests {
    @Test("the file has exactly the 17 groups that the tests know, each with its count")
    func groups() throws {
        let file = try Vector.file.get()
        let names = try #require(file.asObject).names.filter { $0 != "_meta" }
        #expect(names.sorted() == Vector.groups.map(\.key).sorted())
        #expect(names.count == 17)
        for name in names { _ = try Vector.group(name) }
    }

    @Test("every group of the file is read by a vector test")
    func everyGroupIsRead() throws {
        let folder = PackageRoot.url.appendingPathComponent("Tests/CCIPTests")
        let sources = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix("VectorTests.swift") }.sorted()
        #expect(sources.count >= 3)
        let text = try sources.map { try String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8) }
            .joined()
        for name in try #require(try Vector.file.get().asObject).names where name != "_meta" {
            let isRead = ["group", "list"].contains { text.contains("Vector.\($0)(\"\(name)\")") }
            #expect(isRead, "no test reads group \(name)")
        }
    }
}

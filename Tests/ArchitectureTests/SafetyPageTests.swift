import Foundation
import Testing

@Suite("The page of promises")
struct SafetyPageTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Lines of the form `- "name of a test"`.
    static let promises: [String] = {
        let page = (try? String(contentsOf: root.appendingPathComponent("docs/concepts/safety.md"), encoding: .utf8)) ?? ""
        return page.split(separator: "\n").filter { $0.hasPrefix("- \"") && $0.hasSuffix("\"") }.map { String($0.dropFirst(3).dropLast()) }
    }()

    private static let tests: String = {
        let folder = root.appendingPathComponent("Tests")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        return files.filter { $0.pathExtension == "swift" }.sorted { $0.path < $1.path }
            .compactMap { try? String(contentsOf: $0, encoding: .utf8) }.joined(separator: "\n")
    }()

    @Test("every promise of docs/concepts/safety.md is shown by a test of that name", arguments: promises)
    func shown(_ name: String) {
        #expect(
            Self.tests.contains("@Test(\"\(name)\"") || Self.tests.contains("@Test(\n        \"\(name)\""),
            "no test is called \"\(name)\"")
    }

    @Test("the page names its tests, and a name that no test has is found missing")
    func canFail() {
        #expect(Self.promises.count >= 40)
        #expect(!Self.tests.contains("@Test(\"a promise that " + "nobody keeps\""))
    }
}

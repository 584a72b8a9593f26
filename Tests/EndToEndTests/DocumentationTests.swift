// The commands that the documentation shows are run, in their order, as they stand there.

import Foundation
import TestSupport
import Testing

@Suite("Documented commands, end to end", .serialized)
struct DocumentationTests {
    /// The contents of the ```sh blocks of a page.
    static func blocks(_ page: String) -> [String] {
        page.components(separatedBy: "```sh\n").dropFirst().compactMap { $0.components(separatedBy: "\n```").first }
    }

    @Test("the first session runs as it is written, and leaves nothing behind", .timeLimit(.minutes(4)))
    func firstSession() throws {
        let page = try String(
            contentsOf: PackageRoot.url.appendingPathComponent("docs/start/first-session.md"), encoding: .utf8)
        let blocks = Self.blocks(page)
        #expect(blocks.count >= 8)
        let data = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-doc-\(UUID().uuidString.prefix(8))").path
        defer {
            _ = try? Command.causeway(["down", "--network", data])
            try? FileManager.default.removeItem(atPath: data)
        }
        let script = "set -e\nexport DATA='\(data)'\n" + blocks.joined(separator: "\n")
        let outcome = try Command.run("/bin/bash", ["-c", script], timeout: 200)
        #expect(outcome.status == 0, "\(outcome.errors.suffix(3000))")
        #expect(outcome.output.contains("\"stage\": \"executed\""), "the feed told the end of a message")
        let left = try Command.run("/bin/bash", ["-c", "pgrep -f '[c]auseway (chain|relayer|up).*\(data)' || true"])
        #expect(left.output == "")
    }

    @Test("live prices come as it is written, and nothing is left behind", .timeLimit(.minutes(3)))
    func livePrices() throws {
        let page = try String(
            contentsOf: PackageRoot.url.appendingPathComponent("docs/start/live-prices.md"), encoding: .utf8)
        let blocks = Self.blocks(page)
        #expect(blocks.count >= 7)
        let data = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-doc-\(UUID().uuidString.prefix(8))").path
        defer {
            _ = try? Command.causeway(["down", "--network", data])
            try? FileManager.default.removeItem(atPath: data)
        }
        let script = "set -e\nexport DATA='\(data)'\n" + blocks.joined(separator: "\n")
        let outcome = try Command.run("/bin/bash", ["-c", script], timeout: 150)
        #expect(outcome.status == 0, "\(outcome.errors.suffix(3000))")
        #expect(outcome.output.contains("valid in the VerifierProxy"), "\(outcome.output.suffix(3000))")
        #expect(outcome.output.contains("over HTTP: ETH"))
        let left = try Command.run("/bin/bash", ["-c", "pgrep -f '[c]auseway (chain|relayer|streams|up).*\(data)' || true"])
        #expect(left.output == "")
    }

    @Test("a chain is added as it is written, and the chains that ship start", .timeLimit(.minutes(2)))
    func addingAChain() throws {
        let page = try String(
            contentsOf: PackageRoot.url.appendingPathComponent("docs/operate/add-a-chain.md"), encoding: .utf8)
        let blocks = Self.blocks(page)
        #expect(blocks.count >= 4)
        let work = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-doc-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: work) }
        let script = "set -e\nexport WORK='\(work)'\n" + blocks.joined(separator: "\n")
        let outcome = try Command.run("/bin/bash", ["-c", script], timeout: 100)
        #expect(outcome.status == 0, "\(outcome.errors.suffix(3000))")
        #expect(outcome.output.contains("\"number\":\"0x4\""), "eight blocks, final after four: \(outcome.output)")
        for id in ["0xaa36a7", "0x1ed1bf", "0xa8231", "0x14a34"] { #expect(outcome.output.contains(id)) }
    }

    @Test("the example configuration is valid, and a wrong one is refused with exit 1 and a hint")
    func exampleConfiguration() throws {
        for name in ["cluster.yaml", "relayer-0.yaml", "relayer-3.yaml"] {
            let outcome = try Command.causeway(["config", "validate", "relayer-config/\(name)"])
            #expect(outcome.status == 0, "\(name): \(outcome.errors)")
        }
        let wrong = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-wrong-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: wrong) }
        let text = try String(
            contentsOf: PackageRoot.url.appendingPathComponent("relayer-config/cluster.yaml"), encoding: .utf8)
        try text.replacingOccurrences(of: "startBlock", with: "startBlok").write(to: wrong, atomically: true, encoding: .utf8)
        let refused = try Command.causeway(["config", "validate", wrong.path])
        #expect(refused.status == 1 && refused.errors.contains("startBlock"), "\(refused.errors)")
    }

    /// What bad input gets: arguments, the exit code, and a word of the error.
    static let refusals: [([String], Int32, String)] = [
        (["relayer", "--config", "/nowhere.yaml", "--role", "committing"], 1, "no such file"),
        (["relayer", "--config", "relayer-config/relayer-0.yaml", "--role", "sideways"], 2, "committing, executing or both"),
        (["show", "0x12"], 2, "64 hexadecimal digits"),
        (["chain", "--profile", "nowhere"], 1, "nowhere"),
        (["chain", "--port", "70000"], 2, "65535"),
        (["send", "ethereum", "atlantis", "--network", "/nowhere"], 1, "causeway up"),
        (["bogus"], 2, "bogus"),
        (["errors", "0x01020304"], 1, "receiver"),
        (["errors", "StaleGas"], 2, "StaleGasPrice"),
        (["errors", "0xzz"], 2, "hexadecimal"),
        (["send", "ethereum", "jovay", "--extra-args", "v3"], 2, "v1|v2|none|hex"),
    ]

    @Test("the page of errors is the one that the command writes")
    func errorsPage() throws {
        let page = try String(contentsOf: PackageRoot.url.appendingPathComponent("docs/reference/errors.md"), encoding: .utf8)
        #expect(try Command.causeway(["errors", "--markdown"]).output == page)
    }

    @Test("bad input is refused with the right exit code and a word that helps", arguments: refusals)
    func badInput(arguments: [String], status: Int32, says: String) throws {
        let outcome = try Command.causeway(arguments)
        #expect(outcome.status == status, "\(arguments): \(outcome.status) \(outcome.errors)")
        #expect(outcome.errors.contains(says), "\(outcome.errors)")
        #expect(outcome.output == "", "errors are talk, not data")
    }
}

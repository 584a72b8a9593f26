// One simulated chain as its own process, driven by clients that others wrote.

import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Foreign clients of one chain", .serialized)
struct ForeignClientTests {
    @Test(
        "web3.py and eth-account deploy, call, estimate, filter, subscribe, sign and send every kind of transaction",
        .timeLimit(.minutes(4)), arguments: [["any"], ["ethereum", "--localnet"]])
    func web3(_ options: [String]) throws {
        let chain = try RunningChain(["--profile"] + options)
        defer { chain.stop() }
        let run = try Command.run(
            Command.python, ["Tests/EndToEndTests/Python/web3_chain.py", chain.documentPath], timeout: 200)
        #expect(run.status == 0, "\(run.errors.suffix(3000))")
        let report = try JSON.parse(Bytes(run.output.utf8))
        #expect(report["checked"]?.asArray?.count == 11, "\(report.text)")
    }
}

/// `causeway chain --json` in a directory of its own, ended by `stop`.
final class RunningChain {
    let directory: URL
    private var process: Spawned

    var documentPath: String { directory.appendingPathComponent("chain.json").path }

    init(_ options: [String]) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-chain-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let document = directory.appendingPathComponent("chain.json")
        process = try Spawned(
            Command.executable, ["chain", "--json", "--port", "0"] + options, output: document.path,
            errors: document.path + ".errors")
        let deadline = Date(timeIntervalSinceNow: 30)
        while (try? JSON.parse(Bytes(Data(contentsOf: document)))) == nil {
            guard Date() < deadline else {
                let told = (try? String(contentsOfFile: document.path + ".errors", encoding: .utf8)) ?? ""
                stop()
                throw Failure("causeway chain printed no document within 30 s\n\(told.suffix(2000))")
            }
            usleep(20_000)
        }
    }

    func stop() {
        process.kill()
        try? FileManager.default.removeItem(at: directory)
    }
}

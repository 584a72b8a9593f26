// The interface on a real port: clients in Python that do what the Go, Rust and TypeScript ones do.

import Ethereum
import Foundation
import JSONRPC
import PriceStreams
import Synchronization
import TestSupport
import Testing

@testable import StreamsNode

@Suite("Gateway API: foreign clients", .serialized)
struct APISocketTests {
    /// Publishes the two live feeds ten times a second until cancelled.
    private static func publish(_ test: TestAPI) async {
        var last: [FeedID: UInt64] = [:]
        while !Task.isCancelled {
            let now = GatewayNode.now() / 1_000_000
            for feed in [APIWorld.ether, APIWorld.gold] {
                let report = APIWorld.report(feed, milliseconds: now)
                if last.updateValue(report.second, forKey: feed) != report.second { test.history.add(report) }
                test.api.publish(report)
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    private static func run(_ arguments: [String]) async throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = PackageRoot.url.appendingPathComponent(".venv/bin/python")
        process.arguments = [PackageRoot.url.appendingPathComponent("Tests/EndToEndTests/Python/streams_sdk.py").path] + arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        // A few hundred bytes: they fit the pipes.
        func text(_ pipe: Pipe) -> String { String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }
        return (status, text(output), text(errors))
    }

    @Test("what the three clients send is answered as each of them wants it, until the key is revoked", .timeLimit(.minutes(2)))
    func clients() async throws {
        let test = try TestAPI(at: nil)
        let flag = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-revoked-\(UUID().uuidString)").path
        let publishing = Task { await Self.publish(test) }
        let revoking = Task {
            while !Task.isCancelled {
                if FileManager.default.fileExists(atPath: flag) {
                    test.setKeys(APIKeys())
                    test.api.keysChanged()
                    return
                }
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        defer {
            publishing.cancel()
            revoking.cancel()
            try? FileManager.default.removeItem(atPath: flag)
        }
        let port = try await test.api.start()
        let run = try await Self.run([
            "--url", "http://127.0.0.1:\(port)", "--key", APIWorld.key, "--secret", APIWorld.secret, "--seconds", "5",
            "--revoke", "touch '\(flag)'",
        ])
        #expect(run.status == 0, "\(run.errors.suffix(3000))")
        let checked = try JSON.parse(run.output)["checked"]?.asArray?.compactMap(\.asString)
        #expect(checked?.count == 9, "\(run.output)")
        let isEmpty = test.api.webSockets == 0
        #expect(isEmpty, "connections that ended are forgotten")
        await test.api.stop()
    }

    @Test("planted faults: text frames, a repeated second, a null list are each caught by the script", .timeLimit(.minutes(1)))
    func planted() async throws {
        // The script's own checks, without a server: what must be refused is.
        let script = """
            import importlib.util, json, sys
            spec = importlib.util.spec_from_file_location("sdk", sys.argv[1])
            sdk = importlib.util.module_from_spec(spec); spec.loader.exec_module(sdk)
            feed = "0x0003" + "11" * 30
            report = {"feedID": feed, "validFromTimestamp": 5, "observationsTimestamp": 5, "fullReport": feed + "00" * 400}
            good = json.dumps({"report": report}).encode()
            sdk.Watermarks().take(good)
            bad = 0
            def refused(work):
                global bad
                try: work()
                except sdk.Refused: bad += 1
            refused(lambda: sdk.Watermarks().take(good.decode()))
            marks = sdk.Watermarks(); marks.take(good)
            refused(lambda: marks.take(good))
            refused(lambda: sdk.Watermarks().take(b'{"heartbeat":1}'))
            refused(lambda: sdk.Watermarks().take(json.dumps({"report": {**report, "feedID": feed.upper()}}).encode()))
            refused(lambda: sdk.Watermarks().take(json.dumps({"report": {**report, "observationsTimestamp": "5"}}).encode()))
            refused(lambda: sdk.Watermarks().take(json.dumps({"report": {k: report[k] for k in list(report)[:3]}}).encode()))
            refused(lambda: sdk.reports_of(b'{"reports":null}'))
            refused(lambda: sdk.refusal(400, b'{"error":"x"}', 400))
            refused(lambda: sdk.refusal(401, b'{"message":"x"}', 400))
            print(bad)
            """
        let process = Process()
        process.executableURL = PackageRoot.url.appendingPathComponent(".venv/bin/python")
        process.arguments = ["-c", script, PackageRoot.url.appendingPathComponent("Tests/EndToEndTests/Python/streams_sdk.py").path]
        let output = Pipe()
        process.standardOutput = output
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        #expect(status == 0)
        #expect(String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) == "9\n")
    }
}

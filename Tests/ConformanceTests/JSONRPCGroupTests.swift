// The public conversations of Ethereum's execution-apis, held with a chain that was imported from the same file.

@testable import DevChain
import EVM
import Ethereum
import Foundation
import JSONRPC
import Logging
import TestSupport
import Testing

@Suite("JSON-RPC conformance", .serialized)
struct JSONRPCGroupTests {
    /// Members that newer or older nodes have and the recorded ones did not.
    private static let otherMembers: Set<String> = [
        "blockTimestamp", "totalDifficulty", "baseFeePerBlobGas", "blobGasUsedRatio",
    ]

    @Test("every recorded conversation is answered as recorded", arguments: ["cancun", "prague", "latest"])
    func conversations(_ folder: String) async throws {
        let files = Fixtures.files("jsonrpc", suffix: ".io").filter { $0.path.contains("/\(folder)/") }
        guard let root = Self.root, !files.isEmpty else { return }
        let node = try Self.node(root.appendingPathComponent(folder))
        let schemas = try Self.schemas(root)
        var tally = Tally(files: files.count)
        for file in Self.readersFirst(files) {
            let conversation = try RPCConversation(file)
            let newer = try Self.newest(of: file, folder)
            for exchange in conversation.exchanges {
                let refusals = newer.filter { $0.method == exchange.method && $0.parameters == exchange.parameters }
                await Self.hold(exchange, conversation, node, schemas, refusals, &tally)
            }
        }
        print("jsonrpc/\(folder): \(tally.summary)")
        for failure in tally.failures.prefix(40) { print("  failed: \(failure)") }
        #expect(tally.failures.isEmpty)
        #expect(tally.cases > 0)
    }

    @Test("a schema that is broken shows: types, patterns, required and additional members, choices")
    func schemaFaults() throws {
        let schema = JSONSchema(
            schema: try JSON.parse(
                """
                {"type": "object", "required": ["a"], "additionalProperties": false, "properties": {
                  "a": {"type": "string", "pattern": "^0x[0-9a-f]+$"},
                  "b": {"oneOf": [{"type": "null"}, {"type": "integer", "minimum": 3}]},
                  "c": {"type": "array", "items": {"enum": ["x", "y"]}}}}
                """))
        let good = [#"{"a": "0x1"}"#, #"{"a": "0xff", "b": null}"#, #"{"a": "0x0", "b": 3, "c": ["x", "y"]}"#]
        for text in good { try schema.check(JSON.parse(text)) }
        let bad = [
            "{}", "[]", #"{"a": 1}"#, #"{"a": "0X1"}"#, #"{"a": "0x1", "d": 1}"#, #"{"a": "0x1", "b": 2}"#,
            #"{"a": "0x1", "b": "3"}"#, #"{"a": "0x1", "c": ["z"]}"#,
        ]
        for text in bad {
            let value = try JSON.parse(text)
            #expect(throws: JSONSchema.Mismatch.self, "\(text)") { try schema.check(value) }
        }
        let unknown = JSONSchema(schema: try JSON.parse(#"{"unheardOf": 1}"#))
        #expect(throws: JSONSchema.Mismatch.self) { try unknown.check(.null) }
    }

    @Test("a difference shows with its place, and members that came later do not")
    func differences() throws {
        func first(_ a: String, _ b: String, _ allowed: Set<String> = []) throws -> String? {
            JSONDifference.first(try JSON.parse(a), try JSON.parse(b), allowing: allowed)
        }
        #expect(try first(#"{"a": [1, 2]}"#, #"{"a": [1, 3]}"#) == "result.a[1] is 3, expected 2")
        #expect(try first(#"{"a": 1}"#, #"{"a": 1, "b": 2}"#) == "result.b is too much")
        #expect(try first(#"{"a": 1}"#, "{}") == "result.a is missing")
        #expect(try first("[1]", "[]") == "result has 0 items, not 1")
        #expect(try first(#"{"a": 1}"#, #"{"a": 1, "b": 2}"#, ["b"]) == nil)
    }

    // MARK: Inside

    private struct Tally {
        let files: Int
        var cases = 0
        var failures: [String] = []
        /// Cases of methods that are not offered, by method.
        var leftOut: [String: Int] = [:]

        var summary: String {
            let methods = leftOut.keys.sorted().joined(separator: ", ")
            return "\(files) files, \(cases) cases, \(cases - failures.count) passed, \(failures.count) failed, "
                + "\(leftOut.values.reduce(0, +)) left out (not offered: \(methods.isEmpty ? "none" : methods))"
        }
    }

    private static var root: URL? {
        Fixtures.file("jsonrpc", "openrpc.json")?.deletingLastPathComponent()
    }

    /// A node over the imported chain, which nobody mines. The recorded nodes were told that the head is final.
    private static func node(_ folder: URL) throws -> DevChainNode {
        let genesis = try Fixtures.json(folder.appendingPathComponent("genesis.json"))
        let finality = ChainProfile.Finality(safeDepth: 0, finalizedDepth: 0)
        var chain = Blockchain(try Blockchain.Configuration(gethGenesis: genesis, finality: finality))
        try chain.importChain(Fixtures.bytes(folder.appendingPathComponent("chain.rlp")))
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var options = DevChainOptions()
        options.accountCount = 0
        return try DevChainNode(chain: chain, options: options, logger: logger)
    }

    /// Result schemas by method.
    private static func schemas(_ root: URL) throws -> [String: JSON] {
        let document = try Fixtures.json(root.appendingPathComponent("openrpc.json"))
        var schemas: [String: JSON] = [:]
        for method in document["methods"]?.asArray ?? [] {
            if let name = method["name"]?.asString { schemas[name] = method["result"]?["schema"] }
        }
        return schemas
    }

    /// The same conversation as a newer node had it, where the newest recordings have it: nodes have numbered some
    /// errors anew.
    private static func newest(of file: URL, _ folder: String) throws -> [RPCConversation.Exchange] {
        let path = file.path.replacing("/\(folder)/", with: "/latest/")
        guard folder != "latest", FileManager.default.fileExists(atPath: path) else { return [] }
        return try RPCConversation(URL(fileURLWithPath: path)).exchanges
    }

    /// Conversations that fill the pool come last.
    private static func readersFirst(_ files: [URL]) -> [URL] {
        func isSender(_ file: URL) -> Bool { file.path.contains("/eth_sendRawTransaction/") }
        return files.filter { !isSender($0) } + files.filter(isSender)
    }

    private static func hold(
        _ exchange: RPCConversation.Exchange, _ conversation: RPCConversation, _ node: DevChainNode,
        _ schemas: [String: JSON], _ newer: [RPCConversation.Exchange], _ tally: inout Tally
    ) async {
        if Method.byName[exchange.method] == nil {
            tally.leftOut[exchange.method, default: 0] += 1
        } else {
            tally.cases += 1
            let found = await ask(node, exchange)
            if let fault = fault(conversation, exchange, found, schemas[exchange.method], newer) {
                tally.failures.append("\(conversation.name): \(fault)")
            }
        }
    }

    private static func ask(_ node: DevChainNode, _ exchange: RPCConversation.Exchange) async -> Result<JSON, JSONRPCError> {
        do throws(JSONRPCError) {
            return .success(try await node.service.answer(exchange.method, exchange.parameters, on: nil))
        } catch {
            return .failure(error)
        }
    }

    private static func fault(
        _ conversation: RPCConversation, _ exchange: RPCConversation.Exchange, _ found: Result<JSON, JSONRPCError>,
        _ schema: JSON?, _ newer: [RPCConversation.Exchange]
    ) -> String? {
        let recorded = exchange.answer["result"] ?? .null
        switch (exchange.answer["error"], found) {
        case (let error?, .failure(let refusal)):
            let codes = ([exchange] + newer).map { $0.answer["error"]?["code"]?.asInt }
            return codes.contains(refusal.code)
                ? nil : "error \(refusal.code) (\(refusal.message)), expected \(error.text)"
        case (let error?, .success(let value)):
            return "answered \(value.text.prefix(100)), expected the error \(error.text)"
        case (nil, .failure(let refusal)): return "refused: \(refusal)"
        case (nil, .success(let value)):
            // A recorded answer that the schema itself refuses is held against the answer alone.
            let isHeld = (try? schema.map { try JSONSchema(schema: $0).check(recorded) }) != nil
            if let schema, isHeld || conversation.isSpecificationOnly {
                do { try JSONSchema(schema: schema).check(value) } catch { return "schema: \(error)" }
            }
            if conversation.isSpecificationOnly { return nil }
            return JSONDifference.first(recorded, value, allowing: otherMembers)
        }
    }
}

// What looking at a deployment costs: few rounds where a node takes lists, bounded company where it takes none, and no
// patience for questions that a node refuses.

import CCIP
import Ethereum
import JSONRPC
import Logging
import Synchronization
import Testing

@testable import Localnet

@Suite("The cost of a review")
struct DiscoveryCostTests {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A node with blocks and contracts that answer nothing sensible, without the tag `finalized`.
    final class BareNode: JSONRPCService {
        struct Seen: Sendable {
            var finalized = 0
            var running = 0
            var most = 0
            var sent: [String] = []
        }
        let seen = Mutex(Seen())

        func connectionClosed(_ connection: JSONRPCConnection) {}

        func answer(
            _ method: String, _ parameters: JSON, on connection: JSONRPCConnection?
        ) async throws(JSONRPCError) -> JSON {
            seen.withLock { seen in
                seen.running += 1
                seen.most = max(seen.most, seen.running)
            }
            try? await Task.sleep(for: .milliseconds(5))
            defer { seen.withLock { $0.running -= 1 } }
            switch method {
            case "eth_chainId": return "0x7"
            case "eth_blockNumber": return "0x20"
            case "eth_getBlockByNumber":
                if parameters[0]?.asString == "finalized" {
                    seen.withLock { $0.finalized += 1 }
                    throw JSONRPCError(code: -39_001, message: "Unknown block")
                }
                return ["number": parameters[0]?.asString == "latest" ? "0x20" : parameters[0] ?? .null, "timestamp": "0x1"]
            case "eth_getBalance": return parameters[0] ?? .null
            case "eth_sendRawTransaction":
                seen.withLock { $0.sent.append(parameters[0]?.asString ?? "") }
                return .hash(.zero)
            default: throw JSONRPCError(code: -32_601, message: "no such method")
            }
        }
    }

    private func serve(_ node: BareNode) async throws -> (RPCServer, EndpointURL) {
        let server = RPCServer(configuration: .init(port: 0), service: node, logger: Self.quiet)
        return (server, try EndpointURL.parse("http://127.0.0.1:\(try await server.start())"))
    }

    @Test("a tag that the node does not know is asked for once")
    func unknownTag() async throws {
        let node = BareNode()
        let (server, url) = try await serve(node)
        let facts = await ChainDiscovery.run([
            DiscoveryTarget(name: "bare", endpoints: DiscoveryTarget.endpoints([url]), contracts: [:])
        ])
        #expect(facts[0].isReached && facts[0].node.finalized == nil && facts[0].node.head == 32)
        #expect(node.seen.withLock { $0.finalized } == 1)
        await server.stop()
    }

    @Test("a node that takes no lists gets a bounded number of calls at once, in order of their answers, and transactions one by one")
    func withoutLists() async throws {
        let node = BareNode()
        let (server, url) = try await serve(node)
        let client = RPCClient(url, connections: 32, batchMode: .off, logger: Self.quiet)
        let endpoint = RPCDeploymentEndpoint(client: client)
        #expect(!endpoint.takesBatches)
        let accounts = (1...50 as ClosedRange<UInt64>).map { JSON.address(Address(truncating: U256($0))) }
        let answers = try await endpoint.send(accounts.map { DeploymentCall("eth_getBalance", [$0, "latest"]) })
        #expect(answers == accounts.map { .result($0) })
        #expect((2...Limits.callsAtOnce).contains(node.seen.withLock { $0.most }))
        node.seen.withLock { $0.most = 0 }
        let transactions = (1...9 as ClosedRange<UInt64>).map { JSON.data(Bytes(bigEndian: $0)) }
        _ = try await endpoint.send(transactions.map { DeploymentCall("eth_sendRawTransaction", [$0]) })
        #expect(node.seen.withLock { $0.most } == 1)
        #expect(node.seen.withLock { $0.sent } == transactions.compactMap(\.asString))
        await endpoint.close()
        await server.stop()
    }

    /// Counts requests; a list is one.
    final class Counting: DeploymentEndpoint {
        let inner: any DeploymentEndpoint
        let requests = Mutex((lists: 0, calls: 0))
        var label: String { inner.label }

        init(_ inner: any DeploymentEndpoint) { self.inner = inner }

        func send(_ calls: [DeploymentCall]) async throws(LocalnetError) -> [DeploymentAnswer] {
            requests.withLock { $0 = ($0.lists + 1, $0.calls + calls.count) }
            return try await inner.send(calls)
        }
    }
}

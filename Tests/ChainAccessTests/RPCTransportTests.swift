// The same rules over real sockets: HTTP and WebSocket, a port nobody listens on, a server that is no node.

import Ethereum
import JSONRPC
import Synchronization
import Testing

@testable import ChainAccess

/// Serves a fake endpoint over the real server.
final class FakeNode: JSONRPCService {
    let endpoint: FakeEndpoint
    private let subscribers = Mutex<[JSONRPCConnection]>([])
    init(_ endpoint: FakeEndpoint) { self.endpoint = endpoint }

    func answer(_ method: String, _ parameters: JSON, on connection: JSONRPCConnection?) async throws(JSONRPCError)
        -> JSON
    {
        if method == "eth_subscribe" {
            guard let connection else { throw .methodNotFound(method) }
            subscribers.withLock { $0.append(connection) }
            return "0x1"
        }
        let answers: [RPCAnswer]
        do throws(ChainAccessError) {
            answers = try await endpoint.send([RPCCall(method, parameters.asArray ?? [])], timeout: .seconds(2))
        } catch { throw .internalError(error.message) }
        switch answers[0] {
        case .result(let value): return value
        case .error(let code, let message, let data): throw JSONRPCError(code: code, message: message, data: data)
        }
    }

    func connectionClosed(_ connection: JSONRPCConnection) {}

    var hasSubscriber: Bool { subscribers.withLock { !$0.isEmpty } }
    func announce() {
        for connection in subscribers.withLock({ $0 }) {
            connection.notify("eth_subscription", ["subscription": "0x1", "result": [:]])
        }
    }
}

@Suite("RPC transport")
struct RPCTransportTests {
    private let chain = FakeChain()

    private func serve(_ endpoint: FakeEndpoint) async throws -> (FakeNode, RPCServer, Int) {
        let node = FakeNode(endpoint)
        let server = RPCServer(configuration: .init(port: 0), service: node, logger: quiet)
        return (node, server, try await server.start())
    }

    private func transport(_ url: String, _ label: String = "wire") throws -> RPCTransport {
        RPCTransport(
            label: label, client: RPCClient(try EndpointURL.parse(url), timeoutMilliseconds: 5_000, logger: quiet))
    }

    @Test("reads, reverts and log windows work over HTTP and WebSocket", arguments: ["http", "ws"])
    func overTheWire(scheme: String) async throws {
        for number in 1...9 as ClosedRange<UInt64> { chain.mine([event(number)]) }
        chain.finalize(7)
        chain.with { _ = $0.reverting.insert(Address(truncating: 5)) }
        let (_, server, port) = try await serve(FakeEndpoint("a", chain, .init(rangeMaximum: 3)))
        let set = try makeSet([try transport("\(scheme)://127.0.0.1:\(port)")], timeout: .seconds(5))
        let heads = try await set.heads()
        #expect(heads.finalized.number == 7 && heads.latest.number == 9)
        #expect(numbers(try await set.logs(LogFilter(addresses: [ramp]), 1...9)) == Array(1...9))
        #expect(
            numbers(try await set.agreedLogs(LogFilter(addresses: [ramp]), 6...7, at: heads.finalized).get()) == [6, 7])
        do {
            _ = try await set.call(to: Address(truncating: 5), data: [])
            Issue.record("no error")
        } catch { #expect(error.code == .reverted && error.revertData == [0x0a, 0x8d, 0x6e, 0x8c]) }
        let many = try await set.calls((0..<250).map { CallTarget(to: Address(truncating: U256($0 + 10)), data: []) })
        #expect(many.count == 250)
        await server.stop()
    }

    @Test("a port nobody listens on, a server that is no node, a slow one and a wrong chain are told apart")
    func faults() async throws {
        let plain = RPCServer(
            configuration: .init(port: 0, routes: ["/": { .text("hello") }]), service: nil, logger: quiet)
        let plainPort = try await plain.start()
        let (_, slow, slowPort) = try await serve(FakeEndpoint("slow", chain, .init(hangs: true)))
        let (_, wrong, wrongPort) = try await serve(FakeEndpoint("wrong", chain, .init(chainID: 1)))
        let (_, gone, gonePort) = try await serve(FakeEndpoint("gone", chain))
        await gone.stop()
        for (port, codes) in [
            (gonePort, [ChainAccessError.Code.unreachable]), (plainPort, [.malformedAnswer, .unreachable]),
            (slowPort, [.timeout]), (wrongPort, [.wrongChainID]),
        ] {
            let set = try makeSet([try transport("http://127.0.0.1:\(port)")], timeout: .milliseconds(300))
            do {
                _ = try await set.heads()
                Issue.record("no error")
            } catch { #expect(codes.contains(error.code), "\(error)") }
        }
        for server in [plain, slow, wrong] { await server.stop() }
    }

    @Test("a subscription wakes the tracker, and a lost one is taken up again", .timeLimit(.minutes(1)))
    func subscription() async throws {
        let (node, server, port) = try await serve(FakeEndpoint("a", chain))
        let set = try makeSet([try transport("ws://127.0.0.1:\(port)")], timeout: .seconds(5))
        let tracker = HeadTracker(set, pollInterval: .seconds(600), logger: quiet)
        let task = Task { await tracker.run() }
        #expect(await eventually { node.hasSubscriber })
        chain.mine()
        #expect(
            await eventually {
                node.announce()
                return await tracker.current?.latest.number == 1
            })
        task.cancel()
        await server.stop()
    }

    @Test("an HTTP client announces nothing by itself")
    func noSubscription() async throws {
        let stream = try await transport("http://127.0.0.1:1").newHeads()
        #expect(stream == nil)
    }
}

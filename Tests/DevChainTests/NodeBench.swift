// A running node for the tests, and a client that speaks JSON-RPC to it over real sockets: HTTP and WebSocket written
// by hand, so that the wire itself is under test.

import Configuration
import DevChain
import EVM
import Ethereum
import JSONRPC
import Logging
import Synchronization
import Testing

final class NodeBench: Sendable {
    let node: DevChainNode
    let client: RPCClient
    let port: Int
    var keys: [PrivateKey] { node.accounts }

    private init(node: DevChainNode, client: RPCClient, port: Int) {
        self.node = node
        self.client = client
        self.port = port
    }

    static func quiet() -> Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    /// Starts a node, runs `body`, stops the node.
    static func with(
        _ profile: String = Bench.profileText, webSocket: Bool = false,
        options change: (inout DevChainOptions) -> Void = { _ in }, _ body: (NodeBench) async throws -> Void
    ) async throws {
        try await with(profile: try Bench.profile(profile), webSocket: webSocket, options: change, body)
    }

    static func with(
        profile: ChainProfile, webSocket: Bool = false, options change: (inout DevChainOptions) -> Void = { _ in },
        _ body: (NodeBench) async throws -> Void
    ) async throws {
        var options = DevChainOptions()
        options.port = 0
        options.genesisTimestamp = Bench.start
        change(&options)
        let node = try DevChainNode(profile: profile, options: options, logger: quiet())
        let port = try await node.start()
        let scheme = webSocket ? "ws" : "http"
        let client = RPCClient(try EndpointURL.parse("\(scheme)://127.0.0.1:\(port)"), logger: quiet())
        do {
            try await body(NodeBench(node: node, client: client, port: port))
        } catch {
            await client.close()
            await node.stop()
            throw error
        }
        await client.close()
        await node.stop()
    }

    func ask(_ method: String, _ parameters: JSON...) async throws -> JSON {
        try await client.call(method, parameters)
    }

    /// The error that a call answers; records an issue when it answers none.
    func refusal(_ method: String, _ parameters: [JSON]) async throws -> JSONRPCError {
        do throws(RPCClientError) {
            let answer = try await client.call(method, parameters)
            Issue.record("\(method) answered \(answer.text)")
            return .internalError("none")
        } catch {
            guard let remote = error.remote else { throw error }
            return remote
        }
    }

    func number(_ method: String, _ parameters: JSON...) async throws -> UInt64 {
        let answer = try await client.call(method, parameters)
        return try #require(answer.asUInt64, "\(method) answered \(answer.text)")
    }

    /// Sends a signed transaction; its hash.
    @discardableResult
    func send(
        from: Int = 0, nonce: UInt64? = nil, to: Address? = Address(truncating: 0xbeef), value: U256 = 1,
        data: Bytes = [], gas: UInt64 = 200_000, tip: U256 = 1
    ) async throws -> JSON {
        let key = keys[from]
        let own: UInt64
        if let nonce {
            own = nonce
        } else {
            own = try await number("eth_getTransactionCount", .address(key.address), "pending")
        }
        let signed = Transaction.dynamicFee(
            chainID: node.profile.chainID, nonce: own, maxPriorityFeePerGas: tip, maxFeePerGas: U256(10) * Bench.gwei,
            gasLimit: gas, to: to, value: value, data: data
        ).signed(by: key)
        return try await ask("eth_sendRawTransaction", .data(signed.encoded))
    }

    /// Deploys code; its address.
    func deploy(_ runtime: Bytes, from: Int = 0) async throws -> Address {
        let hash = try await send(from: from, to: nil, value: 0, data: Bench.deploy(runtime), gas: 1_000_000)
        let receipt = try await ask("eth_getTransactionReceipt", hash)
        return try Address(hex: try #require(receipt["contractAddress"]?.asString))
    }

    /// Asks again until `condition` holds; fails after ten seconds.
    func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while try await !condition() {
            guard ContinuousClock.now < deadline else {
                Issue.record("not within ten seconds: \(what)")
                return
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// Takes `count` items of a stream, or what came within ten seconds.
func take(_ count: Int, of stream: AsyncStream<JSON>) async -> [JSON] {
    await withTaskGroup(of: [JSON]?.self) { group in
        let seen = Collected()
        group.addTask {
            var left = count
            if left == 0 { return [] }
            for await item in stream {
                seen.items.withLock { $0.append(item) }
                left -= 1
                if left == 0 { break }
            }
            return nil
        }
        group.addTask {
            try? await Task.sleep(for: .seconds(10))
            return nil
        }
        _ = await group.next()
        group.cancelAll()
        return seen.items.withLock { $0 }
    }
}

final class Collected: Sendable {
    let items = Mutex<[JSON]>([])
}

/// A clock that a test moves.
final class TestClock: Sendable {
    private let milliseconds: Atomic<UInt64>

    init(_ milliseconds: UInt64) { self.milliseconds = Atomic(milliseconds) }

    func advance(_ by: UInt64) { milliseconds.add(by, ordering: .relaxed) }

    var read: WallClock { { self.milliseconds.load(ordering: .relaxed) } }
}

// What a client of the node waits for, over real sockets: searches in a million logs, calls, and new heads at a thousand
// subscribers. Client and node share the process and its cores.

import BenchSupport
import Configuration
import DevChain
import EVM
import Ethereum
import Foundation
import JSONRPC
import Logging

extension ChainBench {
    static func rpc(_ arguments: Arguments) async throws {
        let run = try RPCRun(arguments)
        let node = try run.makeNode()
        let port = try await node.start()
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        let client = RPCClient(try EndpointURL.parse("http://127.0.0.1:\(port)"), logger: logger)
        var members: [(String, JSON)] = [("logs", .integer(run.logs))]
        let made = try await Stopwatch.seconds { try await run.makeLogs(node) }
        members.append(("secondsToMakeLogs", .number(String(made.rounded(to: 2)))))
        members.append(("getLogsByAddressAndTopic", try await run.searches(client)))
        members.append(("call", try await run.calls(client)))
        members.append(("newHeads", try await run.heads(node, port, logger)))
        await client.close()
        await node.stop()
        print(JSON.object(JSONObject(members)).text)
    }
}

private struct RPCRun {
    let logs: Int
    let subscribers: Int
    private let perTransaction = 500
    private let emitter = Address(truncating: U256(0x10c5))

    init(_ arguments: Arguments) throws {
        logs = arguments.number("logs", or: 1_000_000)
        subscribers = arguments.number("subscribers", or: 1_000)
    }

    func makeNode() throws -> DevChainNode {
        let text = """
            name: bench
            chainId: 31337
            selector: 7759470850252068959
            gasLimit: 1000000000
            baseFee: {rule: constant, wei: 1000000}
            blocks: {intervalMilliseconds: 3600000, heartbeatMilliseconds: 0}
            """
        var options = DevChainOptions()
        options.port = 0
        options.codes = [(emitter, code)]
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        return try DevChainNode(
            profile: try ChainProfile(yaml: text, file: "bench.yaml"), options: options, logger: logger)
    }

    /// Emits LOG2(topic 7, topic n) for each n from the word of calldata on, `perTransaction` times; returns its calldata.
    private var code: Bytes {
        let count = UInt8(perTransaction >> 8)
        let low = UInt8(perTransaction & 255)
        return [
            0x5f, 0x35,  // n
            0x61, count, low,  // counter
            0x5b,  // 5: loop: n counter
            0x90, 0x80, 0x60, 0x07, 0x5f, 0x5f, 0xa2,  // SWAP1 DUP1 PUSH1 7 PUSH0 PUSH0 LOG2: counter n
            0x60, 0x01, 0x01, 0x90,  // n + 1, counter
            0x60, 0x01, 0x90, 0x03,  // counter - 1
            0x80, 0x60, 0x05, 0x57,  // again unless zero
            0x5f, 0x35, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3,
        ]
    }

    /// Fills blocks of two transactions until all logs are there.
    func makeLogs(_ node: DevChainNode) async throws {
        let key = node.accounts[0]
        for index in 0..<logs / perTransaction {
            let transaction = Transaction.dynamicFee(
                chainID: 31337, nonce: UInt64(index), maxPriorityFeePerGas: 0, maxFeePerGas: 2_000_000,
                gasLimit: 3_000_000, to: emitter, value: 0, data: U256(UInt64(index * perTransaction)).bytes
            ).signed(by: key)
            for answer in await node.submit(raw: [transaction.encoded]) { _ = try answer.get() }
            if index % 2 == 1 { await node.mine() }
        }
        await node.mine()
    }

    func searches(_ client: RPCClient) async throws -> JSON {
        var random = Random(seed: 3)
        return try await Latency.measure(300) {
            let wanted = Hash32(U256(UInt64(random.below(logs))))
            let answer = try await client.call(
                "eth_getLogs",
                [
                    [
                        "fromBlock": "earliest", "toBlock": "latest", "address": .address(emitter),
                        "topics": [.null, .hash(wanted)],
                    ]
                ])
            precondition(answer.asArray?.count == 1, "one log has the topic")
        }
    }

    func calls(_ client: RPCClient) async throws -> JSON {
        let code = Hex.encode([0x5f, 0x35, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3])
        let target = Address(truncating: U256(0xca11))
        _ = try await client.call("anvil_setCode", [.address(target), .string(code)])
        var word: UInt64 = 0
        return try await Latency.measure(3_000) {
            word += 1
            let data = U256(word).bytes
            let answer = try await client.call("eth_call", [["to": .address(target), "data": .data(data)], "latest"])
            precondition(answer == .data(data), "the call gives back its word")
        }
    }

    /// From the making of a block to its head at each of the subscribers.
    func heads(_ node: DevChainNode, _ port: Int, _ logger: Logger) async throws -> JSON {
        var clients: [RPCClient] = []
        var streams: [AsyncStream<JSON>] = []
        for _ in 0..<subscribers {
            let client = RPCClient(try EndpointURL.parse("ws://127.0.0.1:\(port)"), logger: logger)
            streams.append(try await client.subscribe(["newHeads"]))
            clients.append(client)
        }
        let blocks = 20
        let times = await withTaskGroup(of: [ContinuousClock.Instant].self) { group in
            for stream in streams {
                group.addTask {
                    var seen: [ContinuousClock.Instant] = []
                    for await _ in stream {
                        seen.append(.now)
                        if seen.count == blocks { break }
                    }
                    return seen
                }
            }
            var began: [ContinuousClock.Instant] = []
            for _ in 0..<blocks {
                began.append(.now)
                await node.mine()
                try? await Task.sleep(for: .milliseconds(100))
            }
            var all: [Double] = []
            for await seen in group {
                for (start, end) in zip(began, seen) { all.append((end - start) / .milliseconds(1)) }
            }
            return all
        }
        for client in clients { await client.close() }
        return Latency.json(times, extra: [("subscribers", .integer(subscribers)), ("received", .integer(times.count))])
    }
}

enum Latency {
    /// One call after the other.
    static func measure(_ count: Int, _ body: () async throws -> Void) async rethrows -> JSON {
        var times: [Double] = []
        for _ in 0..<count {
            let began = ContinuousClock.now
            try await body()
            times.append((ContinuousClock.now - began) / .milliseconds(1))
        }
        return json(times)
    }

    static func json(_ times: [Double], extra: [(String, JSON)] = []) -> JSON {
        let sorted = times.sorted()
        func at(_ share: Double) -> JSON {
            guard !sorted.isEmpty else { return .null }
            return .number(String(sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)].rounded(to: 3)))
        }
        return .object(JSONObject([("p50ms", at(0.5)), ("p99ms", at(0.99)), ("maxms", at(1))] + extra))
    }
}

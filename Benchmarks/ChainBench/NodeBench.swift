// A whole node under load: signed transactions through the pool's door in this process, or as JSON-RPC batches over one
// WebSocket; decoding, recovery of senders, pool, blocks every 100 ms on the jovay profile, receipts, state root. All of
// it shares the cores with whoever sends.

import BenchSupport
import Configuration
import DevChain
import EVM
import Ethereum
import Foundation
import JSONRPC
import Logging
import Synchronization

extension ChainBench {
    static func node(_ arguments: Arguments) async throws {
        let run = try NodeRun(arguments)
        let result = try await run.run()
        print(result.text)
    }
}

private struct NodeRun {
    let rate: Int
    let seconds: Int
    let isToken: Bool
    let accounts: Int
    let overWebSocket: Bool
    let dataDirectory: String?

    init(_ arguments: Arguments) throws {
        rate = arguments.number("rate", or: 22_000)
        seconds = arguments.number("seconds", or: 60)
        isToken = arguments.text("kind") == "token"
        accounts = arguments.number("accounts", or: 20_000)
        overWebSocket = arguments.text("door") == "websocket"
        dataDirectory = arguments.text("data-dir")
    }

    func run() async throws -> JSON {
        let keys = try (0..<accounts).map { number in try PrivateKey(bytes: U256(UInt64(number) + 1_000_000).bytes) }
        let raw = await signed(keys)
        let node = try await start(keys)
        let port = try await node.start()
        let began = ContinuousClock.now
        let firstBlock = node.read { $0.head.number }
        let cpuBefore = Self.processSeconds()
        let sent = try await overWebSocket ? throughWebSocket(raw, port) : throughTheDoor(raw, node)
        let sending = (ContinuousClock.now - began) / .seconds(1)
        // What waits is worked off; it counts only until the clock of the run ends.
        while node.read({ $0.pool.count }) > 0, ContinuousClock.now - began < .seconds(seconds * 3) {
            try await Task.sleep(for: .milliseconds(20))
        }
        let total = (ContinuousClock.now - began) / .seconds(1)
        let cpu = Self.processSeconds() - cpuBefore
        let (included, blocks, gas) = node.read { chain in
            var included = 0
            var gas: UInt64 = 0
            for number in Int(firstBlock) + 1..<chain.blocks.count {
                included += chain.blocks[number].transactions.count
                gas += chain.blocks[number].header.gasUsed
            }
            return (included, chain.blocks.count - Int(firstBlock) - 1, gas)
        }
        let resident = Memory.resident >> 20
        await node.stop()
        return [
            "kind": .string(isToken ? "token" : "native"), "door": .string(overWebSocket ? "websocket" : "process"),
            "rateAsked": .integer(rate), "sent": .integer(sent), "included": .integer(included),
            "secondsSending": .number(String(sending.rounded(to: 2))), "secondsInAll": .number(String(total.rounded(to: 2))),
            "perSecond": .integer(Int(Double(included) / total)), "blocks": .integer(blocks),
            "mgasPerSecond": .number(String((Double(gas) / total / 1e6).rounded(to: 1))),
            "cpuMicrosecondsPerTransaction": .number(String((cpu / Double(max(included, 1)) * 1e6).rounded(to: 1))),
            "residentMiB": .integer(resident),
        ]
    }

    /// Every transaction of the run, signed before the clock starts.
    private func signed(_ keys: [PrivateKey]) async -> [Bytes] {
        let count = rate * seconds
        let isToken = isToken
        let parts = 2
        return await withTaskGroup(of: (Int, [Bytes]).self) { group in
            for part in 0..<parts {
                group.addTask {
                    var random = Random(seed: UInt64(part))
                    let range = part * count / parts..<(part + 1) * count / parts
                    return (part, range.map { index in
                        let receiver = keys[random.below(keys.count)].address
                        let nonce = UInt64(index / keys.count)
                        let transaction = isToken
                            ? Transaction.dynamicFee(
                                chainID: 2_019_775, nonce: nonce, maxPriorityFeePerGas: 0, maxFeePerGas: 2_000_000,
                                gasLimit: 100_000, to: Token.address, value: 0,
                                data: Token.transfer + receiver.abiWord + U256(1).bytes)
                            : Transaction.dynamicFee(
                                chainID: 2_019_775, nonce: nonce, maxPriorityFeePerGas: 0, maxFeePerGas: 2_000_000,
                                gasLimit: 21_000, to: receiver, value: 1)
                        return transaction.signed(by: keys[index % keys.count]).encoded
                    })
                }
            }
            var all: [(Int, [Bytes])] = []
            for await part in group { all.append(part) }
            return all.sorted { $0.0 < $1.0 }.flatMap(\.1)
        }
    }

    private func start(_ keys: [PrivateKey]) async throws -> DevChainNode {
        let chains = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../chains")
        let profile = try ChainProfile(
            yaml: try String(contentsOf: chains.appendingPathComponent("profiles/jovay.yaml"), encoding: .utf8),
            file: "jovay.yaml", localnet: true
        ) { name in
            guard let file = try? Data(contentsOf: chains.appendingPathComponent("artifacts/\(name).json")),
                let code = (try? JSON.parse(Bytes(file)))?["deployedBytecode"]?.asString
            else { return nil }
            return try? Hex.decode(code)
        }
        var options = DevChainOptions()
        options.port = 0
        options.balances = keys.map { ($0.address, Account.balance) }
        if let dataDirectory {
            try FileManager.default.createDirectory(atPath: dataDirectory, withIntermediateDirectories: true)
            options.dataDirectory = dataDirectory
        }
        if isToken { options.accounts = try Self.tokenAccounts(keys) }
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        return try DevChainNode(profile: profile, options: options, logger: logger)
    }

    /// The token with a balance for each sender.
    private static func tokenAccounts(_ keys: [PrivateKey]) throws -> [AccountChange] {
        let journal = Journal(
            reader: ChainReader(state: WorldState(), hashes: RecentHashes(), blockHashOfDecimalText: false))
        let slot = try Token().deploy(journal)
        guard var token = journal.changes.first(where: { $0.address == Token.address }) else { return [] }
        token.slots += keys.map { SlotChange(slot: Token.slot(of: $0.address, in: slot), value: U256(1_000_000_000)) }
        token.slots.sort { $0.slot < $1.slot }
        token.code = journal.code(Token.address)
        return [token]
    }

    /// Hands transactions over at the asked rate, a batch each 10 ms.
    private func throughTheDoor(_ raw: [Bytes], _ node: DevChainNode) async throws -> Int {
        try await paced(raw) { batch in
            for answer in await node.submit(raw: batch) { if case .failure(let error) = answer { throw error } }
        }
    }

    private func throughWebSocket(_ raw: [Bytes], _ port: Int) async throws -> Int {
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        let client = RPCClient(try EndpointURL.parse("ws://127.0.0.1:\(port)"), logger: logger)
        defer { Task { await client.close() } }
        return try await paced(raw) { batch in
            let answers = try await client.batch(batch.map { ("eth_sendRawTransaction", [.data($0)]) })
            for answer in answers { _ = try answer.get() }
        }
    }

    private func paced(_ raw: [Bytes], _ send: ([Bytes]) async throws -> Void) async throws -> Int {
        let clock = ContinuousClock()
        let began = clock.now
        var sent = 0
        while sent < raw.count {
            let due = min(Int((clock.now - began) / .seconds(1) * Double(rate)) + 1, raw.count)
            let end = min(due, sent + 500)
            if end == sent {
                try await Task.sleep(for: .milliseconds(2))
                continue
            }
            try await send(Array(raw[sent..<end]))
            sent = end
        }
        return sent
    }

    private static func processSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}

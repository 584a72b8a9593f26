// Transfers executed and committed to the state, root included, at growing numbers of accounts: what a block costs apart
// from signatures. With --data-dir the state lives in a file; what a restart costs and what memory it takes is printed too.

import BenchSupport
import DevChain
import EVM
import Ethereum
import Foundation

extension ChainBench {
    static func state(_ arguments: Arguments) throws {
        let sizes = (arguments.text("accounts") ?? "1000,100000,1000000").split(separator: ",").compactMap { Int($0) }
        var results: [JSON] = []
        for size in sizes {
            let result = try StateRun(size, arguments).run()
            results.append(result)
            if !arguments.json { print(result.text) }
        }
        if arguments.json { print(JSON.array(results).text) }
    }
}

/// One number of accounts.
private struct StateRun {
    let size: Int
    let blocks: Int
    let perBlock: Int
    let directory: String?
    let budget: Int?

    init(_ size: Int, _ arguments: Arguments) throws {
        self.size = size
        blocks = arguments.number("blocks", or: 40)
        perBlock = arguments.number("block-transactions", or: 2_200)
        directory = arguments.text("data-dir").map { "\($0)/\(size)" }
        budget = arguments.text("memory").flatMap { Int($0) }.map { $0 << 20 }
    }

    func run() throws -> JSON {
        if let directory {
            try? FileManager.default.removeItem(atPath: directory)
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        let before = Memory.resident
        var state = try directory.map { try WorldState(file: "\($0)/state") } ?? WorldState()
        let made = Stopwatch.seconds { makeAccounts(&state) }
        let bytes = state.bytesUsed
        let resident = Memory.resident - before
        var random = Random(seed: 1)
        let native = transfers(&state, &random, among: size) { sender, receiver, nonce in
            Transaction.dynamicFee(
                chainID: 1, nonce: nonce, maxPriorityFeePerGas: 0, maxFeePerGas: 2_000_000, gasLimit: 21_000,
                to: Account.address(receiver), value: 1)
        }
        try makeToken(&state)
        let token = transfers(&state, &random, among: holders) { _, receiver, nonce in
            Transaction.dynamicFee(
                chainID: 1, nonce: nonce, maxPriorityFeePerGas: 0, maxFeePerGas: 2_000_000, gasLimit: 100_000,
                to: Token.address, value: 0,
                data: Token.transfer + Account.address(receiver).abiWord + U256(1).bytes)
        }
        var members: [(String, JSON)] = [
            ("accounts", .integer(size)), ("buildSeconds", .number(String(made.rounded(to: 2)))),
            ("nodeBytesPerAccount", .integer(bytes / size)),
            ("residentMiB", .integer(resident >> 20)),
            ("nativePerSecond", .integer(Int(native.perSecond))), ("nativeMicroseconds", native.parts),
            ("tokenPerSecond", .integer(Int(token.perSecond))), ("tokenMicroseconds", token.parts),
            ("residentAfterMiB", .integer(Memory.resident >> 20)),
        ]
        if let directory {
            let root = state.root
            state.close(position: 1)
            var again: WorldState?
            let opened = try Stopwatch.seconds { again = try WorldState(file: "\(directory)/state") }
            let first = Stopwatch.seconds { _ = again?.balance(Account.address(size / 2)) }
            members.append(("restartMilliseconds", .number(String((opened * 1_000).rounded(to: 2)))))
            members.append(("firstReadMicroseconds", .number(String((first * 1e6).rounded(to: 1)))))
            members.append(("sameRoot", .bool(again?.root == root)))
        }
        return .object(JSONObject(members))
    }

    private func makeAccounts(_ state: inout WorldState) {
        for start in stride(from: 0, to: size, by: 100_000) {
            state.apply(
                (start..<min(start + 100_000, size)).map { number in
                    AccountChange(
                        address: Account.address(number), state: AccountState(nonce: 0, balance: Account.balance))
                })
            if let budget {
                state.sync(position: 0)
                state.keepResident(below: budget)
            }
        }
        _ = state.root
    }

    private struct Rate {
        let perSecond: Double
        let parts: JSON
    }

    /// Blocks of transfers between random accounts; a transfer that fails is a fault of the benchmark.
    private func transfers(
        _ state: inout WorldState, _ random: inout Random, among population: Int, _ make: (Int, Int, UInt64) -> Transaction
    ) -> Rate {
        let executor = Executor(fork: .prague)
        let codes = CodeCache()
        var times = (run: 0.0, changes: 0.0, apply: 0.0, root: 0.0)
        for number in 0..<blocks {
            let block = BlockEnvironment(
                chainID: 1, number: UInt64(number + 1), timestamp: UInt64(number + 1),
                coinbase: Address(truncating: 0xc0), gasLimit: 1_000_000_000, baseFee: 1_000_000)
            var nonces: [Int: UInt64] = [:]
            let list = (0..<perBlock).map { _ in
                let sender = random.below(population)
                let nonce = nonces[sender] ?? state.nonce(Account.address(sender))
                nonces[sender] = nonce + 1
                return (make(sender, random.below(population), nonce), Account.address(sender))
            }
            let journal = Journal(
                reader: ChainReader(state: state, hashes: RecentHashes(), blockHashOfDecimalText: false),
                codeCache: codes)
            times.run += Stopwatch.seconds {
                for (transaction, sender) in list {
                    do throws(TransactionRefusal) {
                        let result = try executor.execute(transaction, sender: sender, block: block, journal: journal)
                        precondition(result.succeeded, "a transfer failed: \(result.status)")
                    } catch { preconditionFailure("a transfer was refused: \(error)") }
                }
            }
            var changes: [AccountChange] = []
            times.changes += Stopwatch.seconds { changes = journal.changes }
            times.apply += Stopwatch.seconds { state.apply(changes) }
            times.root += Stopwatch.seconds { _ = state.root }
            if let budget {
                state.sync(position: 0)
                state.keepResident(below: budget)
            }
        }
        let count = Double(blocks * perBlock)
        let total = times.run + times.changes + times.apply + times.root
        func part(_ seconds: Double) -> JSON { .number(String((seconds / count * 1e6).rounded(to: 2))) }
        return Rate(
            perSecond: count / total,
            parts: [
                "execute": part(times.run), "collect": part(times.changes), "apply": part(times.apply),
                "root": part(times.root),
            ])
    }

    /// Accounts that hold the token.
    private var holders: Int { min(size, 1_000_000) }

    /// The project's own ERC-20 with a balance for each holder.
    private func makeToken(_ state: inout WorldState) throws {
        let token = try Token()
        let journal = Journal(reader: ChainReader(state: state, hashes: RecentHashes(), blockHashOfDecimalText: false))
        let slot = try token.deploy(journal)
        state.apply(journal.changes)
        for start in stride(from: 0, to: holders, by: 100_000) {
            let slots = (start..<min(start + 100_000, holders)).map { number in
                SlotChange(
                    slot: Token.slot(of: Account.address(number), in: slot), value: U256(1_000_000_000_000))
            }.sorted { $0.slot < $1.slot }
            guard let account = state.account(Token.address)?.state else { preconditionFailure("no token") }
            state.apply([AccountChange(address: Token.address, state: account, slots: slots)])
        }
        _ = state.root
    }
}

enum Account {
    static let balance = U256(1_000_000_000_000_000_000)
    /// Clear of the precompiles.
    static func address(_ number: Int) -> Address { Address(truncating: U256(UInt64(number) + 0x1_0000)) }
}

enum Memory {
    /// Bytes that the process holds.
    static var resident: Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4_096 : 0
    }
}

/// SplitMix64: the same transfers in every run.
struct Random {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

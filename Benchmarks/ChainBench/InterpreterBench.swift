// Runs the transactions of state-test files as calls: the state is made and the code analysed before the clock starts,
// as a node would have them. One call on one thread is what is timed, its intrinsic gas and its journal included.

import BenchSupport
import EVM
import Ethereum
import Foundation

extension ChainBench {
    static func interpreter(_ arguments: Arguments) throws {
        let directory = URL(fileURLWithPath: try arguments.required("fixtures"))
        let budget = arguments.number("milliseconds", or: 300)
        var results: [JSON] = []
        for program in try BenchProgram.all(in: directory) {
            if let wanted = arguments.text("program"), program.name != wanted { continue }
            let (result, best) = try program.measure(milliseconds: budget)
            let speed = Double(result.gasUsed) / best * 1000
            if arguments.json {
                results.append([
                    "program": .string(program.name), "gas": .number(String(result.gasUsed)),
                    "bestNanoseconds": .number(String(best.rounded(to: 1))),
                    "mgasPerSecond": .number(String(speed.rounded(to: 1))), "status": .string("\(result.status)"),
                ])
            } else {
                print(
                    "\(program.name): \(result.gasUsed) gas, \((best / 1000).rounded(to: 2)) us, "
                        + "\(speed.rounded(to: 1)) Mgas/s, \(result.status)")
            }
        }
        if arguments.json { print(JSON.array(results).text) }
    }
}

/// One input of a state test.
struct BenchProgram {
    let name: String
    let state: FixedState
    let sender: Address
    let transaction: Transaction
    let block: BlockEnvironment

    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    static func all(in directory: URL) throws -> [BenchProgram] {
        let walk = FileManager.default.enumerator(atPath: directory.path)
        let paths = (walk?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".json") }.sorted()
        return try paths.flatMap { path in
            let file = try JSON.parse(Bytes(try Data(contentsOf: directory.appendingPathComponent(path))))
            return try (file.asObject?.members ?? []).flatMap { try programs($0.name, $0.value) }
        }
    }

    private static func programs(_ name: String, _ test: JSON) throws -> [BenchProgram] {
        let state = try FixedState(test["pre"])
        let env = test["env"]
        let call = test["transaction"]
        guard let inputs = call?["data"]?.asArray, let to = call?["to"]?.asString, let from = call?["sender"]?.asString
        else { throw Malformed(description: "\(name) has no call") }
        let block = BlockEnvironment(
            chainID: 1, number: env?["currentNumber"]?.asUInt64 ?? 1,
            timestamp: env?["currentTimestamp"]?.asUInt64 ?? 1,
            coinbase: Address(truncating: env?["currentCoinbase"]?.asUInt256 ?? .zero),
            gasLimit: env?["currentGasLimit"]?.asUInt64 ?? 1_000_000_000, baseFee: .zero)
        return try inputs.enumerated().map { index, input in
            BenchProgram(
                name: "\(name) #\(index)", state: state, sender: try Address(hex: from),
                transaction: .legacy(
                    chainID: 1, nonce: 0, gasPrice: .zero, gasLimit: call?["gasLimit"]?[0]?.asUInt64 ?? block.gasLimit,
                    to: try Address(hex: to), data: try Hex.decode(input.asString ?? "0x")), block: block)
        }
    }

    /// What the call came to, and its best time in nanoseconds.
    func measure(milliseconds: Int) throws -> (ExecutionResult, Double) {
        let executor = Executor(fork: .cancun)
        let journal = Journal(reader: state)
        let first = try executor.call(transaction, sender: sender, block: block, journal: journal)
        let best = try Stopwatch.best(milliseconds: milliseconds) {
            let result = try executor.call(transaction, sender: sender, block: block, journal: journal)
            precondition(result.gasUsed == first.gasUsed, "\(name) does not repeat")
        }
        return (first, best)
    }
}

/// A state in dictionaries that nobody writes to.
final class FixedState: StateReader {
    private var accounts: [Address: AccountState] = [:]
    private var codes: [Hash32: Bytes] = [:]
    private var slots: [Address: [U256: U256]] = [:]

    init(_ pre: JSON?) throws {
        for (name, account) in pre?.asObject?.members ?? [] {
            let address = try Address(hex: name)
            let code = try Hex.decode(account["code"]?.asString ?? "0x")
            let hash = keccak256(code)
            codes[hash] = code
            accounts[address] = AccountState(
                nonce: account["nonce"]?.asUInt64 ?? 0, balance: account["balance"]?.asUInt256 ?? .zero, codeHash: hash)
            for (slot, value) in account["storage"]?.asObject?.members ?? [] {
                slots[address, default: [:]][try U256(text: slot)] = value.asUInt256 ?? .zero
            }
        }
    }

    func account(_ address: Address) -> AccountState? { accounts[address] }
    func code(_ hash: Hash32) -> Bytes { codes[hash] ?? [] }
    func storage(_ address: Address, _ slot: U256) -> U256 { slots[address]?[slot] ?? .zero }
    func hasStorage(_ address: Address) -> Bool { slots[address] != nil }
    func blockHash(_ number: UInt64) -> Hash32 { keccak256(text: String(number)) }
}

// Runs one file of public state tests: reads it, runs its transactions, and compares roots and logs.

import EVM
import Ethereum
import Foundation
import TestSupport

/// What a run of many subtests came to.
struct FixtureTally {
    var passed = 0
    var failures: [String] = []
    var filesSkipped = 0

    var summary: String {
        "\(passed) passed, \(failures.count) failed, \(filesSkipped) files left out as extremely heavy"
    }
}

struct StateFixture {
    let fork: Fork
    let forkName: String
    let executor: Executor

    init(_ fork: Fork, rules: RuleSet? = nil) {
        self.fork = fork
        self.forkName = fork == .cancun ? "Cancun" : "Prague"
        self.executor = Executor(rules: rules ?? RuleSet(fork), precompiles: PrecompileSet(fork))
    }

    func run(_ url: URL, into tally: inout FixtureTally) throws {
        let file = try Fixtures.json(url)
        for (name, test) in file.asObject?.members ?? [] {
            guard let posts = test["post"]?[forkName]?.asArray else { continue }
            let pre = try Self.state(test["pre"])
            let block = try self.block(test)
            for (index, post) in posts.enumerated() {
                let label = "\(url.lastPathComponent) \(name) #\(index)"
                do {
                    try check(pre, block, post, test)
                    tally.passed += 1
                } catch {
                    tally.failures.append("\(label): \(error)")
                }
            }
        }
    }

    struct Mismatch: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// Runs one subtest. Throws on a wrong outcome.
    private func check(
        _ pre: [Address: MemoryAccount], _ block: BlockEnvironment, _ post: JSON, _ test: JSON
    ) throws {
        let state = MemoryState(pre)
        for (number, hash) in test["env"]?["blockHashes"]?.asObject?.members ?? [] {
            if let number = try U256(text: number).asUInt64, let hash = hash.asString {
                state.blockHashes[number] = try Hash32(hex: hash)
            }
        }
        let journal = Journal(reader: state)
        let expected = post["expectException"]?.asString
        var outcome: ExecutionResult?
        var refusal: String?
        do {
            let signed = try SignedTransaction.decode(Hex.decode(post["txbytes"]?.asString ?? ""))
            outcome = try executor.execute(
                signed.transaction, sender: signed.sender(), block: block, journal: journal)
        } catch {
            refusal = "\(error)"
        }
        if let expected {
            guard refusal != nil else { throw Mismatch("ran, but expected \(expected)") }
        } else if let refusal {
            throw Mismatch("refused: \(refusal)")
        }
        let changes = journal.changes
        if refusal != nil, !changes.isEmpty { throw Mismatch("a refused transaction changed the state") }
        state.apply(changes)
        if let hash = post["hash"]?.asString, state.root != (try Hash32(hex: hash)) {
            throw Mismatch(
                "wrong root; \(outcome.map { "\($0.status) gas \($0.gasUsed)" } ?? "refused")"
                    + (try Self.difference(state, post["state"])))
        }
        let logs = keccak256(RLP.list((outcome?.logs ?? []).map(\.rlp)).encoded)
        if let hash = post["logs"]?.asString, logs != (try Hash32(hex: hash)) { throw Mismatch("wrong logs") }
    }

    /// The first differences to a full post-state, where the fixture has one.
    private static func difference(_ state: MemoryState, _ expected: JSON?) throws -> String {
        guard let expected else { return "" }
        let wanted = try Self.state(expected)
        var lines: [String] = []
        for address in Set(wanted.keys).union(state.accounts.keys).sorted() {
            switch (state.accounts[address], wanted[address]) {
            case (let got?, let want?):
                if got.balance != want.balance { lines.append("\(address) balance \(got.balance) not \(want.balance)") }
                if got.nonce != want.nonce { lines.append("\(address) nonce \(got.nonce) not \(want.nonce)") }
                if got.code != want.code { lines.append("\(address) code differs") }
                for key in Set(got.storage.keys).union(want.storage.keys).sorted()
                where got.storage[key] != want.storage[key] {
                    let (a, b) = (got.storage[key]?.hex ?? "none", want.storage[key]?.hex ?? "none")
                    lines.append("\(address)[\(key.hex)] \(a) not \(b)")
                }
            case (nil, _): lines.append("\(address) is missing")
            case (_, nil): lines.append("\(address) should not be there")
            }
        }
        return "; " + lines.prefix(4).joined(separator: "; ")
    }

    static func state(_ json: JSON?) throws -> [Address: MemoryAccount] {
        var accounts: [Address: MemoryAccount] = [:]
        for (address, account) in json?.asObject?.members ?? [] {
            var entry = MemoryAccount(
                nonce: account["nonce"]?.asUInt64 ?? 0, balance: account["balance"]?.asUInt256 ?? .zero,
                code: try Hex.decode(account["code"]?.asString ?? "0x"))
            for (slot, value) in account["storage"]?.asObject?.members ?? [] {
                let word = value.asUInt256 ?? .zero
                if !word.isZero { entry.storage[try U256(text: slot)] = word }
            }
            guard let bytes = try Address(bytes: Hex.decode(address)) else { throw Mismatch("address \(address)") }
            accounts[bytes] = entry
        }
        return accounts
    }

    private func block(_ test: JSON) throws -> BlockEnvironment {
        let env = test["env"]
        let excess = env?["currentExcessBlobGas"]?.asUInt64 ?? 0
        return BlockEnvironment(
            chainID: test["config"]?["chainid"]?.asUInt64 ?? 1, number: env?["currentNumber"]?.asUInt64 ?? 0,
            timestamp: env?["currentTimestamp"]?.asUInt64 ?? 0,
            coinbase: Address(truncating: env?["currentCoinbase"]?.asUInt256 ?? .zero),
            gasLimit: env?["currentGasLimit"]?.asUInt256?.clampedUInt64 ?? 0,
            baseFee: env?["currentBaseFee"]?.asUInt256 ?? .zero,
            prevRandao: Hash32(env?["currentRandom"]?.asUInt256 ?? .zero), excessBlobGas: excess,
            blobBaseFee: executor.rules.blobBaseFee(excessBlobGas: excess))
    }
}

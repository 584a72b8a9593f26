// What the tests of tracers take from public state tests: the state before, and the block. Whether the tests pass is
// ConformanceTests' business.

import EVM
import Ethereum
import TestSupport

struct StateFixture {
    let executor: Executor
    let forkName: String

    struct Mismatch: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    init(_ fork: Fork) {
        executor = Executor(fork: fork)
        forkName = fork.name.prefix(1).uppercased() + fork.name.dropFirst()
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

    func block(_ test: JSON) throws -> BlockEnvironment {
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

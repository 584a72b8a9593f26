// The project's own ERC-20 as the benchmarks use it: chains/artifacts/burn_mint_erc20.json, with balances written where
// its compiler keeps them. The place is found by watching one mint, not assumed.

import EVM
import Ethereum
import Foundation

struct Token {
    static let address = Address(truncating: U256(0xc0ffee))
    static let owner = Address(truncating: U256(0xdead))
    static let transfer = Bytes(keccak256(text: "transfer(address,uint256)").bytes.prefix(4))
    private static let mint = Bytes(keccak256(text: "mint(address,uint256)").bytes.prefix(4))

    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    private let initCode: Bytes

    init() throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../chains/artifacts/burn_mint_erc20.json")
        let artifact = try JSON.parse(Bytes(try Data(contentsOf: url)))
        guard let text = artifact["bytecode"]?.asString else { throw Fault(description: "the artifact has no bytecode") }
        let words = [U256(192), U256(256), U256(18), .zero, .zero, Self.owner.word, U256(5), Self.text("Bench"), U256(3)]
        initCode = try Hex.decode(text) + words.flatMap(\.bytes) + Self.text("BCH").bytes
    }

    private static func text(_ text: String) -> U256 {
        U256(bigEndianBytes: Bytes(text.utf8)).map { $0 << (8 * (32 - text.utf8.count)) } ?? .zero
    }

    /// Puts the token at its address; the number of the slot that its balances hang from.
    func deploy(_ journal: Journal) throws -> U256 {
        let executor = Executor(fork: .prague)
        let block = BlockEnvironment(
            chainID: 1, number: 1, timestamp: 1, coinbase: .zero, gasLimit: 1_000_000_000, baseFee: 0)
        journal.override(balance: Account.balance, of: Self.owner)
        func send(_ nonce: UInt64, to: Address?, _ data: Bytes) throws -> ExecutionResult {
            let transaction = Transaction.dynamicFee(
                chainID: 1, nonce: nonce, maxPriorityFeePerGas: 0, maxFeePerGas: 0, gasLimit: 10_000_000, to: to,
                value: 0, data: data)
            let result = try executor.execute(transaction, sender: Self.owner, block: block, journal: journal)
            guard result.succeeded else { throw Fault(description: "the token's transaction failed: \(result.status)") }
            return result
        }
        guard let made = try send(0, to: nil, initCode).createdAddress else { throw Fault(description: "no token") }
        let holder = Account.address(7)
        _ = try send(1, to: made, Self.mint + holder.abiWord + U256(12_345).bytes)
        guard let number = (0..<64 as Range<UInt64>).first(where: {
            journal.storage(made, Self.slot(of: holder, in: U256($0))) == 12_345
        }) else { throw Fault(description: "the token's balances are not where a map of its compiler is") }
        // The same code and storage at the address that the transfers name.
        journal.override(code: journal.code(made), of: Self.address)
        for slot in 0..<64 as Range<UInt64> {
            let value = journal.storage(made, U256(slot))
            if !value.isZero { journal.override(slot: U256(slot), to: value, of: Self.address) }
        }
        return U256(number)
    }

    /// Where Vyper keeps a map's value: keccak(slot || key).
    static func slot(of account: Address, in map: U256) -> U256 { keccak256(map.bytes + account.abiWord).word }
}

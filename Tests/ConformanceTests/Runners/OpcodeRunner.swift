// Opcodes with two operands, run by the machine and, where a word can do it, by the word itself; keccak256; addresses
// of created contracts.

import DevChain
import EVM
import Ethereum

struct OpcodeRunner: FixtureRunner {
    func run(_ file: FixtureFile, _ tally: inout Tally) throws {
        for (name, test) in try file.list() {
            let label = "\(file.path) \(name)"
            if test["X"] != nil {
                guard let opcode = Self.opcodes[try operation(file)] else {
                    throw Mismatch("no opcode has the name of this file")
                }
                tally.check(label) { try check(opcode, try operation(file), test) }
            } else if test["kind"] != nil {
                tally.check(label) { try checkAddress(test) }
            } else {
                tally.check(label) {
                    try match("keccak256", keccak256(try test.bytes("Input")), try test.hash("Expected"))
                }
            }
        }
    }

    private static let opcodes: [String: UInt8] = [
        "add": 0x01, "mul": 0x02, "sub": 0x03, "div": 0x04, "sdiv": 0x05, "mod": 0x06, "smod": 0x07, "exp": 0x0a,
        "signext": 0x0b, "lt": 0x10, "gt": 0x11, "slt": 0x12, "sgt": 0x13, "eq": 0x14, "and": 0x16, "or": 0x17,
        "xor": 0x18, "byte": 0x1a, "shl": 0x1b, "shr": 0x1c, "sar": 0x1d,
    ]

    private static let words: [String: @Sendable (U256, U256) -> U256] = [
        "add": { $0 &+ $1 }, "sub": { $0 &- $1 }, "mul": { $0 &* $1 }, "div": { $0 / $1 }, "mod": { $0 % $1 },
        "and": { $0 & $1 }, "or": { $0 | $1 }, "xor": { $0 ^ $1 }, "lt": { $0 < $1 ? 1 : 0 },
        "gt": { $0 > $1 ? 1 : 0 }, "eq": { $0 == $1 ? 1 : 0 }, "shl": { $1 << ($0.asInt ?? 256) },
        "shr": { $1 >> ($0.asInt ?? 256) },
    ]

    /// `testcases_NAME.json`.
    private func operation(_ file: FixtureFile) throws -> String {
        let name = file.name.split(separator: ".").first ?? ""
        return String(name.hasPrefix("testcases_") ? name.dropFirst("testcases_".count) : name)
    }

    /// Y is on top of the stack, X below it.
    private func check(_ opcode: UInt8, _ name: String, _ test: JSON) throws {
        func word(_ key: String) throws -> U256 { try Hash32(hex: test.text(key)).word }
        let (x, y, expected) = (try word("X"), try word("Y"), try word("Expected"))
        if let operation = Self.words[name] { try match("by the word", operation(y, x), expected) }
        // PUSH32 x, PUSH32 y, the opcode, PUSH0 MSTORE, PUSH1 32 PUSH0 RETURN
        let code = [0x7f] + x.bytes + [0x7f] + y.bytes + [opcode, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]
        let contract = Address(truncating: 0xcc)
        var state = WorldState()
        state.setCode(code, of: contract)
        let result = try Executor(fork: .cancun).call(
            .legacy(chainID: nil, nonce: 0, gasPrice: 0, gasLimit: 100_000, to: contract), sender: .zero,
            block: BlockEnvironment(
                chainID: 1, number: 1, timestamp: 1, coinbase: .zero, gasLimit: 100_000, baseFee: 0),
            journal: Journal(reader: ChainReader(state: state, hashes: RecentHashes())))
        try match("status", result.status, .success)
        try match("by the machine", U256(bigEndianBytes: result.output), expected)
    }

    private func checkAddress(_ test: JSON) throws {
        let sender = try test.address("sender")
        let made: Address
        switch try test.text("kind") {
        case "create": made = .created(by: sender, nonce: try test.number("nonce"))
        case "create2":
            made = .created(
                by: sender, salt: try test.hash("salt"), initCodeHash: keccak256(try test.bytes("initcode")))
        case let kind: throw Mismatch("creations are not of the kind \(kind)")
        }
        try match("address", made, try test.address("address"))
    }
}

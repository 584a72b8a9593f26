// What tracers tell of an opcode: its name, how many words it takes and leaves, and the part of its price that never
// changes. The machine itself does not read this.

/// One opcode of Cancun or later.
package struct OpcodeFacts: Sendable {
    /// As go-ethereum prints it.
    package let name: String
    package let inputs: Int
    package let outputs: Int
    /// Gas before anything that depends on operands or state.
    package let gas: Int64

    /// The facts of an opcode byte; nil for one that is none.
    package static func of(_ opcode: UInt8) -> OpcodeFacts? { table[Int(opcode)] }

    /// The name of any opcode byte.
    package static func name(_ opcode: UInt8) -> String {
        if opcode == 0xfe { return "INVALID" }
        return table[Int(opcode)]?.name ?? "opcode 0x\(String(opcode, radix: 16)) not defined"
    }

    private static let table: [OpcodeFacts?] = {
        var table = [OpcodeFacts?](repeating: nil, count: 256)
        for (opcode, name, inputs, outputs, gas) in listed {
            table[Int(opcode)] = OpcodeFacts(name: name, inputs: inputs, outputs: outputs, gas: gas)
        }
        for count in 1...32 {
            table[0x5f + count] = OpcodeFacts(name: "PUSH\(count)", inputs: 0, outputs: 1, gas: 3)
        }
        for count in 1...16 {
            table[0x7f + count] = OpcodeFacts(name: "DUP\(count)", inputs: count, outputs: count + 1, gas: 3)
            table[0x8f + count] = OpcodeFacts(name: "SWAP\(count)", inputs: count + 1, outputs: count + 1, gas: 3)
        }
        for count in 0...4 {
            table[0xa0 + count] = OpcodeFacts(name: "LOG\(count)", inputs: 2 + count, outputs: 0, gas: 0)
        }
        return table
    }()

    private static let listed: [(UInt8, String, Int, Int, Int64)] = [
        (0x00, "STOP", 0, 0, 0), (0x01, "ADD", 2, 1, 3), (0x02, "MUL", 2, 1, 5), (0x03, "SUB", 2, 1, 3),
        (0x04, "DIV", 2, 1, 5), (0x05, "SDIV", 2, 1, 5), (0x06, "MOD", 2, 1, 5), (0x07, "SMOD", 2, 1, 5),
        (0x08, "ADDMOD", 3, 1, 8), (0x09, "MULMOD", 3, 1, 8), (0x0a, "EXP", 2, 1, 0), (0x0b, "SIGNEXTEND", 2, 1, 5),
        (0x10, "LT", 2, 1, 3), (0x11, "GT", 2, 1, 3), (0x12, "SLT", 2, 1, 3), (0x13, "SGT", 2, 1, 3),
        (0x14, "EQ", 2, 1, 3), (0x15, "ISZERO", 1, 1, 3), (0x16, "AND", 2, 1, 3), (0x17, "OR", 2, 1, 3),
        (0x18, "XOR", 2, 1, 3), (0x19, "NOT", 1, 1, 3), (0x1a, "BYTE", 2, 1, 3), (0x1b, "SHL", 2, 1, 3),
        (0x1c, "SHR", 2, 1, 3), (0x1d, "SAR", 2, 1, 3), (0x1e, "CLZ", 1, 1, 5), (0x20, "KECCAK256", 2, 1, 30),
        (0x30, "ADDRESS", 0, 1, 2), (0x31, "BALANCE", 1, 1, 100), (0x32, "ORIGIN", 0, 1, 2), (0x33, "CALLER", 0, 1, 2),
        (0x34, "CALLVALUE", 0, 1, 2), (0x35, "CALLDATALOAD", 1, 1, 3), (0x36, "CALLDATASIZE", 0, 1, 2),
        (0x37, "CALLDATACOPY", 3, 0, 3), (0x38, "CODESIZE", 0, 1, 2), (0x39, "CODECOPY", 3, 0, 3),
        (0x3a, "GASPRICE", 0, 1, 2), (0x3b, "EXTCODESIZE", 1, 1, 100), (0x3c, "EXTCODECOPY", 4, 0, 100),
        (0x3d, "RETURNDATASIZE", 0, 1, 2), (0x3e, "RETURNDATACOPY", 3, 0, 3), (0x3f, "EXTCODEHASH", 1, 1, 100),
        (0x40, "BLOCKHASH", 1, 1, 20), (0x41, "COINBASE", 0, 1, 2), (0x42, "TIMESTAMP", 0, 1, 2),
        (0x43, "NUMBER", 0, 1, 2), (0x44, "DIFFICULTY", 0, 1, 2), (0x45, "GASLIMIT", 0, 1, 2), (0x46, "CHAINID", 0, 1, 2),
        (0x47, "SELFBALANCE", 0, 1, 5), (0x48, "BASEFEE", 0, 1, 2), (0x49, "BLOBHASH", 1, 1, 3),
        (0x4a, "BLOBBASEFEE", 0, 1, 2), (0x50, "POP", 1, 0, 2), (0x51, "MLOAD", 1, 1, 3), (0x52, "MSTORE", 2, 0, 3),
        (0x53, "MSTORE8", 2, 0, 3), (0x54, "SLOAD", 1, 1, 0), (0x55, "SSTORE", 2, 0, 0), (0x56, "JUMP", 1, 0, 8),
        (0x57, "JUMPI", 2, 0, 10), (0x58, "PC", 0, 1, 2), (0x59, "MSIZE", 0, 1, 2), (0x5a, "GAS", 0, 1, 2),
        (0x5b, "JUMPDEST", 0, 0, 1), (0x5c, "TLOAD", 1, 1, 100), (0x5d, "TSTORE", 2, 0, 100), (0x5e, "MCOPY", 3, 0, 3),
        (0x5f, "PUSH0", 0, 1, 2), (0xf0, "CREATE", 3, 1, 32_000), (0xf1, "CALL", 7, 1, 100),
        (0xf2, "CALLCODE", 7, 1, 100), (0xf3, "RETURN", 2, 0, 0), (0xf4, "DELEGATECALL", 6, 1, 100),
        (0xf5, "CREATE2", 4, 1, 32_000), (0xfa, "STATICCALL", 6, 1, 100), (0xfd, "REVERT", 2, 0, 0),
        (0xff, "SELFDESTRUCT", 1, 0, 5_000),
    ]
}

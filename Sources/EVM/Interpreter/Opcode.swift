// The 256 values of a byte of code, by name, in their order: sixteen a line or two lines. Bytes that no fork has named
// have a case too, so that each byte is an Opcode and the loop's switch is one jump through one table.

enum Opcode: UInt8, CaseIterable {
    case stop, add, mul, sub, div, sdiv, mod, smod
    case addmod, mulmod, exp, signextend, unused0c, unused0d, unused0e, unused0f
    case lt, gt, slt, sgt, eq, iszero, and, or, xor, not, byte, shl, shr, sar, clz, unused1f
    case keccak256, unused21, unused22, unused23, unused24, unused25, unused26, unused27
    case unused28, unused29, unused2a, unused2b, unused2c, unused2d, unused2e, unused2f
    case address, balance, origin, caller, callvalue, calldataload, calldatasize, calldatacopy
    case codesize, codecopy, gasprice, extcodesize, extcodecopy, returndatasize, returndatacopy, extcodehash
    case blockhash, coinbase, timestamp, number, prevrandao, gaslimit, chainid, selfbalance
    case basefee, blobhash, blobbasefee, unused4b, unused4c, unused4d, unused4e, unused4f
    case pop, mload, mstore, mstore8, sload, sstore, jump, jumpi
    case pc, msize, gas, jumpdest, tload, tstore, mcopy, push0
    case push1, push2, push3, push4, push5, push6, push7, push8
    case push9, push10, push11, push12, push13, push14, push15, push16
    case push17, push18, push19, push20, push21, push22, push23, push24
    case push25, push26, push27, push28, push29, push30, push31, push32
    case dup1, dup2, dup3, dup4, dup5, dup6, dup7, dup8, dup9, dup10, dup11, dup12, dup13, dup14, dup15, dup16
    case swap1, swap2, swap3, swap4, swap5, swap6, swap7, swap8
    case swap9, swap10, swap11, swap12, swap13, swap14, swap15, swap16
    case log0, log1, log2, log3, log4, unuseda5, unuseda6, unuseda7
    case unuseda8, unuseda9, unusedaa, unusedab, unusedac, unusedad, unusedae, unusedaf
    case unusedb0, unusedb1, unusedb2, unusedb3, unusedb4, unusedb5, unusedb6, unusedb7
    case unusedb8, unusedb9, unusedba, unusedbb, unusedbc, unusedbd, unusedbe, unusedbf
    case unusedc0, unusedc1, unusedc2, unusedc3, unusedc4, unusedc5, unusedc6, unusedc7
    case unusedc8, unusedc9, unusedca, unusedcb, unusedcc, unusedcd, unusedce, unusedcf
    case unusedd0, unusedd1, unusedd2, unusedd3, unusedd4, unusedd5, unusedd6, unusedd7
    case unusedd8, unusedd9, unusedda, unuseddb, unuseddc, unuseddd, unusedde, unuseddf
    case unusede0, unusede1, unusede2, unusede3, unusede4, unusede5, unusede6, unusede7
    case unusede8, unusede9, unusedea, unusedeb, unusedec, unuseded, unusedee, unusedef
    case create, call, callcode, `return`, delegatecall, create2, unusedf6, unusedf7
    case unusedf8, unusedf9, staticcall, unusedfb, unusedfc, revert, invalid, selfdestruct

    /// The opcode of a byte. There is a case for each, in order, so the byte is the case's representation.
    @inline(__always) init(_ byte: UInt8) { self = unsafeBitCast(byte, to: Opcode.self) }
}

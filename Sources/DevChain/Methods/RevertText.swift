// How code that failed is told to callers: Solidity's reasons, and the machine's halts in the words that clients know.

import EVM
import Ethereum
import JSONRPC

enum RevertText {
    /// The reason inside `Error(string)` or `Panic(uint256)` data; nil for any other.
    static func reason(_ data: Bytes) -> String? {
        guard data.count >= 4 else { return nil }
        let body = Bytes(data.dropFirst(4))
        switch Bytes(data.prefix(4)) {
        case [0x08, 0xc3, 0x79, 0xa0]:
            return (try? ABI.decode(body, as: [.string]))?.first?.asString
        case [0x4e, 0x48, 0x7b, 0x71]:
            guard body.count >= 32, let code = U256(bigEndianBytes: body[0..<32]) else { return nil }
            return "panic: \(panic(code)) (\(code.hex))"
        default: return nil
        }
    }

    /// The reason as go-ethereum's traces tell it: without its number.
    static func unpacked(_ data: Bytes) -> String? {
        guard data.count == 36, data.starts(with: [0x4e, 0x48, 0x7b, 0x71]),
            let code = U256(bigEndianBytes: data[4..<36])
        else { return reason(data) }
        let text = panic(code)
        return text == "unknown panic code" ? "unknown panic code: \(code.hex)" : text
    }

    private static func panic(_ code: U256) -> String {
        switch code.asUInt64 {
        case 0x00: "generic panic"
        case 0x01: "assert(false)"
        case 0x11: "arithmetic underflow or overflow"
        case 0x12: "division or modulo by zero"
        case 0x21: "enum overflow"
        case 0x22: "invalid encoded storage byte array accessed"
        case 0x31: "out-of-bounds array access; popping on an empty array"
        case 0x32: "out-of-bounds access of an array or bytesN"
        case 0x41: "out of memory"
        case 0x51: "uninitialized function"
        default: "unknown panic code"
        }
    }

    /// The JSON-RPC error of a call that did not succeed.
    static func error(_ result: ExecutionResult) -> JSONRPCError {
        switch result.status {
        case .revert:
            let reason = reason(result.output).map { ": \($0)" } ?? ""
            return .executionReverted(message: "execution reverted\(reason)", data: Hex.encode(result.output))
        case .halt(let why): return JSONRPCError(code: -32000, message: words(why))
        case .success: return .internalError("a call that succeeded is no error")
        }
    }

    /// - Parameter opcode: the byte that is none, for `invalidOpcode`.
    static func words(_ reason: HaltReason, opcode: UInt8? = nil) -> String {
        switch reason {
        case .outOfGas: "out of gas"
        case .stackUnderflow: "stack underflow"
        case .stackOverflow: "stack limit reached 1024"
        case .invalidJump: "invalid jump destination"
        case .invalidOpcode: "invalid opcode" + (opcode.map { ": \(OpcodeFacts.name($0))" } ?? "")
        case .staticViolation: "write protection"
        case .returnDataOutOfBounds: "return data out of bounds"
        case .initCodeTooLarge: "max initcode size exceeded"
        case .codeTooLarge: "max code size exceeded"
        case .codeBeginsWithEF: "invalid code: must not begin with 0xef"
        case .createCollision: "contract address collision"
        case .precompileFailed: "precompile failed"
        case .callDepthExceeded: "max call depth exceeded"
        case .insufficientBalance: "insufficient balance for transfer"
        }
    }
}

extension JSONRPCError {
    /// The numbers that Ethereum's nodes use: -32005 for limits, -32000 for every other refusal of the chain.
    init(_ error: DevChainError) {
        switch error.code {
        case .limitExceeded: self = .limitExceeded(error.message)
        default: self.init(code: -32000, message: error.message)
        }
    }
}

// What `--extra-args` says: the version in which order and gas limit travel, or bytes as they stand.

import ArgumentParser
import CCIP
import Ethereum

enum ExtraArgsChoice: Sendable, Equatable, CustomStringConvertible, ExpressibleByArgument {
    case v1, v2
    /// No bytes at all: the lane's default gas limit, in the sender's order.
    case none
    case raw(Bytes)

    /// Nil for what is none of these.
    init?(argument: String) {
        switch argument.lowercased() {
        case "v1": self = .v1
        case "v2": self = .v2
        case "none": self = .none
        default:
            guard argument.hasPrefix("0x"), let bytes = try? Hex.decode(argument) else { return nil }
            self = .raw(bytes)
        }
    }

    var description: String {
        switch self {
        case .v1: "v1"
        case .v2: "v2"
        case .none: "none"
        case .raw(let bytes): Hex.encode(bytes)
        }
    }

    /// Whether the gas limit of the command line stands in them.
    var hasGasLimit: Bool { self == .v1 || self == .v2 }

    /// Version 1 and no bytes leave no choice of order (section 5.2 of the on-chain specification).
    var isOrdered: Bool {
        switch self {
        case .v1, .none: true
        case .v2: false
        case .raw(let bytes):
            switch try? ExtraArgs(decoding: bytes) {
            case .evmV2(_, let allowOutOfOrderExecution): !allowOutOfOrderExecution
            case .svmV1(let args): !args.allowOutOfOrderExecution
            case .suiV1(let args): !args.allowOutOfOrderExecution
            case .evmV1, nil: bytes.isEmpty || bytes.starts(with: ExtraArgs.Tag.evmV1)
            }
        }
    }

    func encoded(gasLimit: UInt64, isOrdered: Bool) -> Bytes {
        switch self {
        case .v1: ExtraArgs.evmV1(gasLimit: U256(gasLimit)).encoded
        case .v2: ExtraArgs.evmV2(gasLimit: U256(gasLimit), allowOutOfOrderExecution: !isOrdered).encoded
        case .none: []
        case .raw(let bytes): bytes
        }
    }
}

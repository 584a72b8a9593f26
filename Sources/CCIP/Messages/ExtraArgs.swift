// extraArgs: what a sender asks of the execution of a message (section 5 of the on-chain specification).

import Ethereum

package enum ExtraArgs: Hashable, Sendable {
    case evmV1(gasLimit: U256)
    case evmV2(gasLimit: U256, allowOutOfOrderExecution: Bool)
    case svmV1(SVM)
    case suiV1(Sui)

    package struct SVM: Hashable, Sendable {
        package var computeUnits: UInt32
        package var accountIsWritableBitmap: UInt64
        package var allowOutOfOrderExecution: Bool
        package var tokenReceiver: Hash32
        package var accounts: [Hash32]

        package init(
            computeUnits: UInt32, accountIsWritableBitmap: UInt64, allowOutOfOrderExecution: Bool,
            tokenReceiver: Hash32, accounts: [Hash32]
        ) {
            self.computeUnits = computeUnits
            self.accountIsWritableBitmap = accountIsWritableBitmap
            self.allowOutOfOrderExecution = allowOutOfOrderExecution
            self.tokenReceiver = tokenReceiver
            self.accounts = accounts
        }
    }

    package struct Sui: Hashable, Sendable {
        package var gasLimit: U256
        package var allowOutOfOrderExecution: Bool
        package var tokenReceiver: Hash32
        package var receiverObjectIDs: [Hash32]

        package init(
            gasLimit: U256, allowOutOfOrderExecution: Bool, tokenReceiver: Hash32, receiverObjectIDs: [Hash32]
        ) {
            self.gasLimit = gasLimit
            self.allowOutOfOrderExecution = allowOutOfOrderExecution
            self.tokenReceiver = tokenReceiver
            self.receiverObjectIDs = receiverObjectIDs
        }
    }

    /// First four bytes of the encoding.
    package enum Tag {
        package static let evmV1: Bytes = [0x97, 0xa6, 0x57, 0xc9]
        package static let evmV2: Bytes = [0x18, 0x1d, 0xcf, 0x10]
        package static let svmV1: Bytes = [0x1f, 0x3b, 0x3a, 0xba]
        package static let suiV1: Bytes = [0x21, 0xea, 0x4c, 0xa9]
    }

    private static let svmType = ABIType(constant: "(uint32,uint64,bool,bytes32,bytes32[])")
    private static let suiType = ABIType(constant: "(uint256,bool,bytes32,bytes32[])")

    /// Tag and body.
    package var encoded: Bytes {
        switch self {
        case .evmV1(let gasLimit): Tag.evmV1 + gasLimit.bytes
        case .evmV2(let gasLimit, let flag): Tag.evmV2 + gasLimit.bytes + U256(flag ? 1 as UInt64 : 0).bytes
        case .svmV1(let args):
            Tag.svmV1
                + ABICodec.encode(
                    [
                        .tuple([
                            .uint(UInt64(args.computeUnits)), .uint(args.accountIsWritableBitmap),
                            .bool(args.allowOutOfOrderExecution), .hash(args.tokenReceiver),
                            .array(args.accounts.map { .hash($0) }),
                        ])
                    ], as: [Self.svmType])
        case .suiV1(let args):
            Tag.suiV1
                + ABICodec.encode(
                    [
                        .tuple([
                            .uint(args.gasLimit), .bool(args.allowOutOfOrderExecution), .hash(args.tokenReceiver),
                            .array(args.receiverObjectIDs.map { .hash($0) }),
                        ])
                    ], as: [Self.suiType])
        }
    }

    /// Strict: exactly what `encoded` gives. Throws `malformedExtraArgs` or `unsupportedExtraArgs`.
    package init(decoding bytes: Bytes) throws(CCIPError) {
        let body = Bytes(bytes.dropFirst(4))
        switch Bytes(bytes.prefix(4)) {
        case Tag.evmV1:
            var cursor = try Self.cursor(body, [.uint(256)], "EVMExtraArgsV1")
            self = .evmV1(gasLimit: try cursor.uint256())
        case Tag.evmV2:
            var cursor = try Self.cursor(body, [.uint(256), .bool], "EVMExtraArgsV2")
            self = .evmV2(gasLimit: try cursor.uint256(), allowOutOfOrderExecution: try cursor.bool())
        case Tag.svmV1:
            var outer = try Self.cursor(body, [Self.svmType], "SVMExtraArgsV1")
            var cursor = try outer.tuple()
            self = .svmV1(
                SVM(
                    computeUnits: try cursor.uint32(), accountIsWritableBitmap: try cursor.uint64(),
                    allowOutOfOrderExecution: try cursor.bool(), tokenReceiver: try cursor.hash(),
                    accounts: try cursor.array { item throws(CCIPError) in try item.hash() }))
        case Tag.suiV1:
            var outer = try Self.cursor(body, [Self.suiType], "SuiExtraArgsV1")
            var cursor = try outer.tuple()
            self = .suiV1(
                Sui(
                    gasLimit: try cursor.uint256(), allowOutOfOrderExecution: try cursor.bool(),
                    tokenReceiver: try cursor.hash(),
                    receiverObjectIDs: try cursor.array { item throws(CCIPError) in try item.hash() }))
        default:
            throw CCIPError(
                .unsupportedExtraArgs, "extraArgs begin with \(Hex.encode(bytes.prefix(4)))",
                hint: "known tags: EVM V1 and V2, SVM V1, Sui V1")
        }
    }

    private static func cursor(_ body: Bytes, _ types: [ABIType], _ what: String) throws(CCIPError) -> ABICursor {
        try ABICodec.decode(body, as: types, .malformedExtraArgs, what)
    }

    /// What the OnRamp emits for an EVM destination, from what the user sent (5.3): empty means the default, V1 loses
    /// its old second word, trailing bytes are dropped. Throws where the FeeQuoter reverts.
    package static func normalised(_ bytes: Bytes, defaultGasLimit: UInt32) throws(CCIPError) -> ExtraArgs {
        if bytes.isEmpty { return .evmV2(gasLimit: U256(UInt64(defaultGasLimit)), allowOutOfOrderExecution: false) }
        switch Bytes(bytes.prefix(4)) {
        case Tag.evmV1:
            return .evmV2(gasLimit: try word(bytes, 0), allowOutOfOrderExecution: false)
        case Tag.evmV2:
            let flag = try word(bytes, 1)
            guard flag <= U256.one else {
                throw CCIPError(
                    .malformedExtraArgs, "allowOutOfOrderExecution is neither 0 nor 1", hint: "encode a bool")
            }
            return .evmV2(gasLimit: try word(bytes, 0), allowOutOfOrderExecution: flag == .one)
        default:
            throw CCIPError(
                .unsupportedExtraArgs, "extraArgs begin with \(Hex.encode(bytes.prefix(4)))",
                hint: "an EVM destination takes EVM V1 or V2")
        }
    }

    private static func word(_ bytes: Bytes, _ index: Int) throws(CCIPError) -> U256 {
        let start = 4 + 32 * index
        guard bytes.count >= start + 32, let word = U256(bigEndianBytes: bytes[start..<start + 32]) else {
            throw CCIPError(
                .malformedExtraArgs, "extraArgs of \(bytes.count) bytes end early", hint: "36 bytes for V1, 68 for V2")
        }
        return word
    }

    /// The gas limit of an emitted message to an EVM chain: V2, or V1 from older ramps. Strict.
    static func emittedGasLimit(_ bytes: Bytes) throws(CCIPError) -> U256 {
        switch try ExtraArgs(decoding: bytes) {
        case .evmV1(let gasLimit), .evmV2(let gasLimit, _): return gasLimit
        case .svmV1, .suiV1:
            throw CCIPError(
                .unsupportedExtraArgs, "the message asks for execution on a chain that is no EVM",
                hint: "only EVM destinations are served")
        }
    }
}

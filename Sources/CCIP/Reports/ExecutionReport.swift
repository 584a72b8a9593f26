// The execution report (4.2, section 13 of the on-chain specification) and its ABI form. The report argument of
// `execute` is an array of these, one for each root.

import Ethereum

/// Messages of one source under one root, with the proof that they are.
package struct ExecutionReport: Hashable, Sendable {
    package var source: ChainSelector
    /// Ascending by sequence number, as their leaves stand in the tree.
    package var messages: [Any2EVMRampMessage]
    /// One list for each message, one entry for each of its tokens; empty bytes for ordinary pools.
    package var offchainTokenData: [[Bytes]]
    package var proofs: [Hash32]
    package var proofFlagBits: U256

    package init(
        source: ChainSelector, messages: [Any2EVMRampMessage], offchainTokenData: [[Bytes]], proofs: [Hash32],
        proofFlagBits: U256
    ) {
        self.source = source
        self.messages = messages
        self.offchainTokenData = offchainTokenData
        self.proofs = proofs
        self.proofFlagBits = proofFlagBits
    }

    static let type = ABIType.tuple([
        .uint(64), .array(Any2EVMRampMessage.type), .array(.array(.bytes)), .array(.fixedBytes(32)), .uint(256),
    ])

    var abi: ABIValue {
        .tuple([
            .uint(source.rawValue), .array(messages.map(\.abi)),
            .array(offchainTokenData.map { .array($0.map { .bytes($0) }) }), .array(proofs.map { .hash($0) }),
            .uint(proofFlagBits),
        ])
    }

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(
            source: try fields.selector(),
            messages: try fields.array { cursor throws(CCIPError) in try Any2EVMRampMessage(&cursor) },
            offchainTokenData: try fields.array { cursor throws(CCIPError) in
                try cursor.array { inner throws(CCIPError) in try inner.bytes() }
            },
            proofs: try fields.array { cursor throws(CCIPError) in try cursor.hash() },
            proofFlagBits: try fields.uint256())
    }

    /// The root that messages and proof lead to, with the OffRamp's configured `onRamp` bytes of the source.
    package func root(onRamp: Bytes) throws(CCIPError) -> Hash32 {
        let leaves = messages.map { $0.leafHash(onRamp: onRamp) }
        return try MultiProof(hashes: proofs, flagBits: proofFlagBits).root(leaves: leaves)
    }
}

extension [ExecutionReport] {
    /// `abi.encode(reports)`: the `report` argument of `execute`.
    package var encodedReports: Bytes {
        ABICodec.encode([.array(map(\.abi))], as: [.array(ExecutionReport.type)])
    }

    /// Strict inverse of `encodedReports`; throws `malformedReport`.
    package init(encodedReports bytes: Bytes) throws(CCIPError) {
        let types: [ABIType] = [.array(ExecutionReport.type)]
        var cursor = try ABICodec.decode(bytes, as: types, .malformedReport, "ExecutionReport[]")
        self = try cursor.array { item throws(CCIPError) in try ExecutionReport(&item) }
    }

    package var messages: [Any2EVMRampMessage] { flatMap(\.messages) }
}

/// Gas for one message of a manual execution; zero means no override.
package struct GasLimitOverride: Hashable, Sendable {
    package var receiverExecutionGasLimit: U256
    /// One entry for each token, also when all are zero.
    package var tokenGasOverrides: [UInt32]

    package init(receiverExecutionGasLimit: U256, tokenGasOverrides: [UInt32]) {
        self.receiverExecutionGasLimit = receiverExecutionGasLimit
        self.tokenGasOverrides = tokenGasOverrides
    }

    /// Changes nothing, in the shape that the contract wants for `message`.
    package static func none(for message: Any2EVMRampMessage) -> GasLimitOverride {
        GasLimitOverride(
            receiverExecutionGasLimit: .zero, tokenGasOverrides: message.tokenAmounts.map { _ in 0 })
    }

    var abi: ABIValue {
        .tuple([.uint(receiverExecutionGasLimit), .array(tokenGasOverrides.map { .uint(UInt64($0)) })])
    }
}

// The commit report (4.2, section 12 of the on-chain specification): prices and Merkle roots, and its ABI form.

import Ethereum

/// One root over the messages `range` of one source.
package struct MerkleRoot: Hashable, Sendable {
    package var source: ChainSelector
    /// Byte for byte as the OffRamp has it configured: 32 bytes for EVM sources.
    package var onRamp: Bytes
    package var first: SequenceNumber
    package var last: SequenceNumber
    package var root: Hash32

    package init(source: ChainSelector, onRamp: Bytes, first: SequenceNumber, last: SequenceNumber, root: Hash32) {
        self.source = source
        self.onRamp = onRamp
        self.first = first
        self.last = last
        self.root = root
    }

    /// Nil when the interval is inverted or begins at 0.
    package var range: SequenceRange? { SequenceRange(first: first, last: last) }

    static let type = ABIType(constant: "(uint64,bytes,uint64,uint64,bytes32)")

    var abi: ABIValue {
        .tuple([
            .uint(source.rawValue), .bytes(onRamp), .uint(first.rawValue), .uint(last.rawValue), .hash(root),
        ])
    }

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(
            source: try fields.selector(), onRamp: try fields.bytes(), first: try fields.sequenceNumber(),
            last: try fields.sequenceNumber(), root: try fields.hash())
    }
}

/// USD with 18 decimals per 10^18 of the token's smallest units.
package struct TokenPriceUpdate: Hashable, Sendable {
    package var token: Address
    package var usdPerToken: UInt224

    package init(token: Address, usdPerToken: UInt224) {
        self.token = token
        self.usdPerToken = usdPerToken
    }

    static let type = ABIType(constant: "(address,uint224)")
    var abi: ABIValue { .tuple([.address(token), .uint(usdPerToken.value)]) }
    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(token: try fields.address(), usdPerToken: try fields.uint224())
    }
}

/// A packed gas price, see `PackedGasPrice`.
package struct GasPriceUpdate: Hashable, Sendable {
    package var destination: ChainSelector
    package var usdPerUnitGas: UInt224

    package init(destination: ChainSelector, usdPerUnitGas: UInt224) {
        self.destination = destination
        self.usdPerUnitGas = usdPerUnitGas
    }

    static let type = ABIType(constant: "(uint64,uint224)")
    var abi: ABIValue { .tuple([.uint(destination.rawValue), .uint(usdPerUnitGas.value)]) }
    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(destination: try fields.selector(), usdPerUnitGas: try fields.uint224())
    }
}

package struct PriceUpdates: Hashable, Sendable {
    package var tokens: [TokenPriceUpdate]
    package var gas: [GasPriceUpdate]

    package init(tokens: [TokenPriceUpdate] = [], gas: [GasPriceUpdate] = []) {
        self.tokens = tokens
        self.gas = gas
    }

    package var isEmpty: Bool { tokens.isEmpty && gas.isEmpty }

    static let type = ABIType.tuple([.array(TokenPriceUpdate.type), .array(GasPriceUpdate.type)])
    var abi: ABIValue { .tuple([.array(tokens.map(\.abi)), .array(gas.map(\.abi))]) }
    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(
            tokens: try fields.array { cursor throws(CCIPError) in try TokenPriceUpdate(&cursor) },
            gas: try fields.array { cursor throws(CCIPError) in try GasPriceUpdate(&cursor) })
    }
}

/// A signature of an RMN node: v is not sent and must be 27 (17.2).
package struct RMNSignature: Hashable, Sendable {
    package var r: Hash32
    package var s: Hash32

    package init(r: Hash32, s: Hash32) {
        self.r = r
        self.s = s
    }

    /// The form whose v is 27: where a key gives 28, s becomes n - s.
    package init(_ signature: Signature) {
        let normal = signature.yParity == 0 ? signature : signature.flipped
        self.init(r: Hash32(normal.r), s: Hash32(normal.s))
    }

    static let type = ABIType(constant: "(bytes32,bytes32)")
    var abi: ABIValue { .tuple([.hash(r), .hash(s)]) }
    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(r: try fields.hash(), s: try fields.hash())
    }
}

package struct CommitReport: Hashable, Sendable {
    package var prices: PriceUpdates
    package var blessed: [MerkleRoot]
    package var unblessed: [MerkleRoot]
    package var rmnSignatures: [RMNSignature]

    package init(
        prices: PriceUpdates = PriceUpdates(), blessed: [MerkleRoot] = [], unblessed: [MerkleRoot] = [],
        rmnSignatures: [RMNSignature] = []
    ) {
        self.prices = prices
        self.blessed = blessed
        self.unblessed = unblessed
        self.rmnSignatures = rmnSignatures
    }

    /// The contract takes an empty report and burns gas for it: never send one.
    package var isEmpty: Bool { prices.isEmpty && blessed.isEmpty && unblessed.isEmpty }
    package var roots: [MerkleRoot] { blessed + unblessed }

    static let type = ABIType.tuple([
        PriceUpdates.type, .array(MerkleRoot.type), .array(MerkleRoot.type), .array(RMNSignature.type),
    ])

    /// `abi.encode(report)`: the `report` argument of `commit`, and what is signed.
    package var encoded: Bytes {
        let value = ABIValue.tuple([
            prices.abi, .array(blessed.map(\.abi)), .array(unblessed.map(\.abi)), .array(rmnSignatures.map(\.abi)),
        ])
        return ABICodec.encode([value], as: [Self.type])
    }

    /// Strict inverse of `encoded`; throws `malformedReport`.
    package init(encoded: Bytes) throws(CCIPError) {
        var outer = try ABICodec.decode(encoded, as: [Self.type], .malformedReport, "CommitReport")
        var fields = try outer.tuple()
        self.init(
            prices: try PriceUpdates(&fields),
            blessed: try fields.array { cursor throws(CCIPError) in try MerkleRoot(&cursor) },
            unblessed: try fields.array { cursor throws(CCIPError) in try MerkleRoot(&cursor) },
            rmnSignatures: try fields.array { cursor throws(CCIPError) in try RMNSignature(&cursor) })
    }
}

// The ABI form of messages (annex D of the on-chain specification). Field order is the contract's.

import Ethereum

extension RampMessageHeader {
    static let type = ABIType(constant: "(bytes32,uint64,uint64,uint64,uint64)")

    var abi: ABIValue {
        .tuple([
            .hash(messageID.hash), .uint(source.rawValue), .uint(destination.rawValue), .uint(sequenceNumber.rawValue),
            .uint(nonce),
        ])
    }

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(
            messageID: MessageID(try fields.hash()), source: try fields.selector(), destination: try fields.selector(),
            sequenceNumber: try fields.sequenceNumber(), nonce: try fields.uint64())
    }
}

extension EVM2AnyTokenTransfer {
    static let type = ABIType(constant: "(address,bytes,bytes,uint256,bytes)")

    var abi: ABIValue {
        .tuple([
            .address(sourcePool), .bytes(destinationToken), .bytes(extraData), .uint(amount),
            .bytes(destinationExecData),
        ])
    }

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(
            sourcePool: try fields.address(), destinationToken: try fields.bytes(), extraData: try fields.bytes(),
            amount: try fields.uint256(), destinationExecData: try fields.bytes())
    }
}

extension EVM2AnyRampMessage {
    static let type = ABIType.tuple([
        RampMessageHeader.type, .address, .bytes, .bytes, .bytes, .address, .uint(256), .uint(256),
        .array(EVM2AnyTokenTransfer.type),
    ])

    var abi: ABIValue {
        .tuple([
            header.abi, .address(sender), .bytes(data), .bytes(receiver), .bytes(extraArgs), .address(feeToken),
            .uint(feeTokenAmount), .uint(feeValueJuels), .array(tokenAmounts.map(\.abi)),
        ])
    }

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(
            header: try RampMessageHeader(&fields), sender: try fields.address(), data: try fields.bytes(),
            receiver: try fields.bytes(), extraArgs: try fields.bytes(), feeToken: try fields.address(),
            feeTokenAmount: try fields.uint256(), feeValueJuels: try fields.uint256(),
            tokenAmounts: try fields.array { cursor throws(CCIPError) in try EVM2AnyTokenTransfer(&cursor) })
    }

    /// `abi.encode(message)`: the data of `CCIPMessageSent`.
    package var encoded: Bytes { ABICodec.encode([abi], as: [Self.type]) }
}

extension Any2EVMTokenTransfer {
    static let type = ABIType(constant: "(bytes,address,uint32,bytes,uint256)")

    var abi: ABIValue {
        .tuple([
            .bytes(sourcePool), .address(destinationToken), .uint(UInt64(destinationGas)), .bytes(extraData),
            .uint(amount),
        ])
    }

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(
            sourcePool: try fields.bytes(), destinationToken: try fields.address(),
            destinationGas: try fields.uint32(), extraData: try fields.bytes(), amount: try fields.uint256())
    }
}

extension Any2EVMRampMessage {
    static let type = ABIType.tuple([
        RampMessageHeader.type, .bytes, .bytes, .address, .uint(256), .array(Any2EVMTokenTransfer.type),
    ])

    var abi: ABIValue {
        .tuple([
            header.abi, .bytes(sender), .bytes(data), .address(receiver), .uint(gasLimit),
            .array(tokenAmounts.map(\.abi)),
        ])
    }

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(
            header: try RampMessageHeader(&fields), sender: try fields.bytes(), data: try fields.bytes(),
            receiver: try fields.address(), gasLimit: try fields.uint256(),
            tokenAmounts: try fields.array { cursor throws(CCIPError) in try Any2EVMTokenTransfer(&cursor) })
    }

    /// `abi.encode(message)`: how plugins carry a message.
    package var encoded: Bytes { ABICodec.encode([abi], as: [Self.type]) }

    /// Strict inverse of `encoded`; throws `malformedMessage`.
    package init(encoded: Bytes) throws(CCIPError) {
        var cursor = try ABICodec.decode(encoded, as: [Self.type], .malformedMessage, "Any2EVMRampMessage")
        self = try Any2EVMRampMessage(&cursor)
    }
}

extension EVMTokenAmount {
    static let type = ABIType(constant: "(address,uint256)")
    var abi: ABIValue { .tuple([.address(token), .uint(amount)]) }

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(token: try fields.address(), amount: try fields.uint256())
    }
}

extension EVM2AnyMessage {
    static let type = ABIType.tuple([.bytes, .bytes, .array(EVMTokenAmount.type), .address, .bytes])

    package var abi: ABIValue {
        .tuple([
            .bytes(receiver), .bytes(data), .array(tokenAmounts.map(\.abi)), .address(feeToken), .bytes(extraArgs),
        ])
    }

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(
            receiver: try fields.bytes(), data: try fields.bytes(),
            tokenAmounts: try fields.array { cursor throws(CCIPError) in try EVMTokenAmount(&cursor) },
            feeToken: try fields.address(), extraArgs: try fields.bytes())
    }
}

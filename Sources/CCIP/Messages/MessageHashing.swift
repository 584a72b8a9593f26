// Message ids and Merkle leaves (section 8 of the on-chain specification). The two differ by design.

import Ethereum

package enum HashDomain {
    package static let any2EVM = keccak256(text: "Any2EVMMessageHashV1")
    package static let evm2Any = keccak256(text: "EVM2AnyMessageHashV1")
    package static let rmnReport = keccak256(text: "RMN_V1_6_ANY2EVM_REPORT")
    package static let leaf = Hash32.zero
    package static let node = Hash32(U256.one)
    /// Stands in for a missing neighbour in an odd layer.
    package static let padding = Hash32(U256.max)
}

extension EVM2AnyRampMessage {
    /// Binds a message id to its lane (8.1).
    package static func metadataHash(
        source: ChainSelector, destination: ChainSelector, onRamp: Address
    ) -> Hash32 {
        keccak256(
            HashDomain.evm2Any.bytes + U256(source.rawValue).bytes + U256(destination.rawValue).bytes + onRamp.abiWord)
    }

    package var fixedSizeFieldsHash: Hash32 {
        keccak256(
            sender.abiWord + U256(header.sequenceNumber.rawValue).bytes + U256(header.nonce).bytes + feeToken.abiWord
                + feeTokenAmount.bytes)
    }

    /// The id that the OnRamp gives this message (8.1). Neither `header.messageID` nor `feeValueJuels` enters it.
    package func computedID(onRamp: Address) -> MessageID {
        let tokens = ABICodec.encode([.array(tokenAmounts.map(\.abi))], as: [.array(EVM2AnyTokenTransfer.type)])
        let metadata = Self.metadataHash(source: header.source, destination: header.destination, onRamp: onRamp)
        let preimage =
            HashDomain.leaf.bytes + metadata.bytes + fixedSizeFieldsHash.bytes + keccak256(receiver).bytes
            + keccak256(data).bytes + keccak256(tokens).bytes + keccak256(extraArgs).bytes
        return MessageID(keccak256(preimage))
    }
}

extension Any2EVMRampMessage {
    /// Binds leaves to their lane (8.2). `onRamp` is the OffRamp's configured value: 32 bytes for EVM sources.
    package static func metadataHash(source: ChainSelector, destination: ChainSelector, onRamp: Bytes) -> Hash32 {
        keccak256(metadataPreimage(source: source, destination: destination, onRamp: onRamp))
    }

    static func metadataPreimage(source: ChainSelector, destination: ChainSelector, onRamp: Bytes) -> Bytes {
        HashDomain.any2EVM.bytes + U256(source.rawValue).bytes + U256(destination.rawValue).bytes
            + keccak256(onRamp).bytes
    }

    var fixedSizeFieldsPreimage: Bytes {
        header.messageID.bytes + receiver.abiWord + U256(header.sequenceNumber.rawValue).bytes + gasLimit.bytes
            + U256(header.nonce).bytes
    }

    var tokenAmountsPreimage: Bytes {
        ABICodec.encode([.array(tokenAmounts.map(\.abi))], as: [.array(Any2EVMTokenTransfer.type)])
    }

    func leafPreimage(metadataHash: Hash32) -> Bytes {
        HashDomain.leaf.bytes + metadataHash.bytes + keccak256(fixedSizeFieldsPreimage).bytes
            + keccak256(sender).bytes + keccak256(data).bytes + keccak256(tokenAmountsPreimage).bytes
    }

    /// The Merkle leaf (8.2), with a metadata hash computed once per lane.
    package func leafHash(metadataHash: Hash32) -> Hash32 { keccak256(leafPreimage(metadataHash: metadataHash)) }

    package func leafHash(onRamp: Bytes) -> Hash32 {
        leafHash(
            metadataHash: Self.metadataHash(source: header.source, destination: header.destination, onRamp: onRamp))
    }
}

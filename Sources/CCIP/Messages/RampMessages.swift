// Messages as they leave the source chain and as the destination chain takes them (4.2 of the on-chain specification).
// Plain data; hashing and conversion stand in their own files.

import Ethereum

/// The part that both forms share.
package struct RampMessageHeader: Hashable, Sendable {
    package var messageID: MessageID
    package var source: ChainSelector
    package var destination: ChainSelector
    package var sequenceNumber: SequenceNumber
    /// 0: may be executed in any order; else the place in the sender's order, from 1.
    package var nonce: UInt64

    package init(
        messageID: MessageID, source: ChainSelector, destination: ChainSelector, sequenceNumber: SequenceNumber,
        nonce: UInt64
    ) {
        self.messageID = messageID
        self.source = source
        self.destination = destination
        self.sequenceNumber = sequenceNumber
        self.nonce = nonce
    }
}

/// Tokens on the way, as the OnRamp emits them.
package struct EVM2AnyTokenTransfer: Hashable, Sendable {
    package var sourcePool: Address
    /// 32-byte address form for EVM destinations.
    package var destinationToken: Bytes
    package var extraData: Bytes
    /// In source decimals.
    package var amount: U256
    /// `abi.encode(uint32 gas)` for EVM destinations.
    package var destinationExecData: Bytes

    package init(
        sourcePool: Address, destinationToken: Bytes, extraData: Bytes, amount: U256, destinationExecData: Bytes
    ) {
        self.sourcePool = sourcePool
        self.destinationToken = destinationToken
        self.extraData = extraData
        self.amount = amount
        self.destinationExecData = destinationExecData
    }
}

/// What `CCIPMessageSent` carries.
package struct EVM2AnyRampMessage: Hashable, Sendable {
    package var header: RampMessageHeader
    package var sender: Address
    package var data: Bytes
    package var receiver: Bytes
    /// Always in form V2 for EVM destinations, whatever the user sent (5.3).
    package var extraArgs: Bytes
    package var feeToken: Address
    package var feeTokenAmount: U256
    package var feeValueJuels: U256
    package var tokenAmounts: [EVM2AnyTokenTransfer]

    package init(
        header: RampMessageHeader, sender: Address, data: Bytes, receiver: Bytes, extraArgs: Bytes, feeToken: Address,
        feeTokenAmount: U256, feeValueJuels: U256, tokenAmounts: [EVM2AnyTokenTransfer]
    ) {
        self.header = header
        self.sender = sender
        self.data = data
        self.receiver = receiver
        self.extraArgs = extraArgs
        self.feeToken = feeToken
        self.feeTokenAmount = feeTokenAmount
        self.feeValueJuels = feeValueJuels
        self.tokenAmounts = tokenAmounts
    }
}

/// Tokens on the way, as the OffRamp takes them.
package struct Any2EVMTokenTransfer: Hashable, Sendable {
    /// 32 bytes for EVM sources.
    package var sourcePool: Bytes
    package var destinationToken: Address
    /// Gas for balanceOf, releaseOrMint and balanceOf again.
    package var destinationGas: UInt32
    package var extraData: Bytes
    package var amount: U256

    package init(sourcePool: Bytes, destinationToken: Address, destinationGas: UInt32, extraData: Bytes, amount: U256) {
        self.sourcePool = sourcePool
        self.destinationToken = destinationToken
        self.destinationGas = destinationGas
        self.extraData = extraData
        self.amount = amount
    }
}

/// What an execution report carries.
package struct Any2EVMRampMessage: Hashable, Sendable {
    package var header: RampMessageHeader
    /// 32 bytes for EVM sources: the key of the sender's nonce.
    package var sender: Bytes
    package var data: Bytes
    package var receiver: Address
    package var gasLimit: U256
    package var tokenAmounts: [Any2EVMTokenTransfer]

    package init(
        header: RampMessageHeader, sender: Bytes, data: Bytes, receiver: Address, gasLimit: U256,
        tokenAmounts: [Any2EVMTokenTransfer]
    ) {
        self.header = header
        self.sender = sender
        self.data = data
        self.receiver = receiver
        self.gasLimit = gasLimit
        self.tokenAmounts = tokenAmounts
    }

    /// Must be executed in the sender's order.
    package var isOrdered: Bool { header.nonce != 0 }
}

/// A token and an amount, as users name them.
package struct EVMTokenAmount: Hashable, Sendable {
    package var token: Address
    package var amount: U256

    package init(token: Address, amount: U256) {
        self.token = token
        self.amount = amount
    }
}

/// What a user hands to `Router.ccipSend` (4.1).
package struct EVM2AnyMessage: Hashable, Sendable {
    /// 32 bytes for EVM destinations: the address, padded on the left.
    package var receiver: Bytes
    package var data: Bytes
    package var tokenAmounts: [EVMTokenAmount]
    /// Zero pays in the chain's own coin.
    package var feeToken: Address
    package var extraArgs: Bytes

    package init(
        receiver: Bytes, data: Bytes, tokenAmounts: [EVMTokenAmount] = [], feeToken: Address = .zero,
        extraArgs: Bytes = []
    ) {
        self.receiver = receiver
        self.data = data
        self.tokenAmounts = tokenAmounts
        self.feeToken = feeToken
        self.extraArgs = extraArgs
    }

    /// A message to an account of an EVM chain.
    package init(
        to receiver: Address, data: Bytes, tokenAmounts: [EVMTokenAmount] = [], feeToken: Address = .zero,
        extraArgs: ExtraArgs
    ) {
        self.init(
            receiver: receiver.abiWord, data: data, tokenAmounts: tokenAmounts, feeToken: feeToken,
            extraArgs: extraArgs.encoded)
    }
}

// From what the source chain emitted to what the destination chain executes (8.3 of the on-chain specification).
// Both committing and executing convert through here, so that they cannot disagree.

import Ethereum

extension Any2EVMRampMessage {
    /// Throws `malformedMessage` or `unsupportedExtraArgs` naming the field that no EVM chain can take.
    package init(converting message: EVM2AnyRampMessage) throws(CCIPError) {
        guard let receiver = Address(word: message.receiver) else {
            throw CCIPError(
                .malformedMessage, "message \(message.header.messageID): receiver of \(message.receiver.count) bytes",
                hint: "an EVM receiver is an address in 32 bytes")
        }
        var tokens: [Any2EVMTokenTransfer] = []
        for (index, token) in message.tokenAmounts.enumerated() {
            tokens.append(try Any2EVMTokenTransfer(converting: token, index: index, of: message.header.messageID))
        }
        self.init(
            header: message.header, sender: message.sender.abiWord, data: message.data, receiver: receiver,
            gasLimit: try ExtraArgs.emittedGasLimit(message.extraArgs), tokenAmounts: tokens)
    }
}

extension Any2EVMTokenTransfer {
    fileprivate init(converting token: EVM2AnyTokenTransfer, index: Int, of id: MessageID) throws(CCIPError) {
        guard let destination = Address(word: token.destinationToken) else {
            throw CCIPError(
                .malformedMessage, "message \(id), token \(index): destination token of other form",
                hint: "the source pool must name the remote token as an address in 32 bytes")
        }
        guard token.destinationExecData.count == 32,
            let gas = U256(bigEndianBytes: token.destinationExecData)?.asUInt64, let gas32 = UInt32(exactly: gas)
        else {
            throw CCIPError(
                .malformedMessage, "message \(id), token \(index): destExecData is no uint32",
                hint: "FeeQuoter.processPoolReturnData encodes one gas amount")
        }
        self.init(
            sourcePool: token.sourcePool.abiWord, destinationToken: destination, destinationGas: gas32,
            extraData: token.extraData, amount: token.amount)
    }
}

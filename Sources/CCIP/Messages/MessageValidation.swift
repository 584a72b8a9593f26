// What a message read from a source chain must satisfy before it is hashed into a root or executed (5.3 of the
// off-chain specification). Pure; where messages come from, and whether they are final, is known elsewhere.

import Ethereum

/// One direction between two chains, with the contract that may speak for it.
package struct MessageLane: Hashable, Sendable {
    package let source: ChainSelector
    package let destination: ChainSelector
    package let onRamp: Address
    /// Binds leaves to this lane (8.2 of the on-chain specification); computed once.
    package let leafMetadataHash: Hash32

    package init(source: ChainSelector, destination: ChainSelector, onRamp: Address) {
        self.source = source
        self.destination = destination
        self.onRamp = onRamp
        leafMetadataHash = Any2EVMRampMessage.metadataHash(
            source: source, destination: destination, onRamp: onRamp.abiWord)
    }

    /// The OnRamp as the OffRamp has it configured: 32 bytes.
    package var onRampBytes: Bytes { onRamp.abiWord }
}

/// The leaf of a message that passed every check. Only `MessageValidation` makes one.
package struct MessageLeaf: Hashable, Sendable {
    package let sequenceNumber: SequenceNumber
    package let messageID: MessageID
    package let leaf: Hash32

    fileprivate init(_ message: Any2EVMRampMessage, lane: MessageLane) {
        sequenceNumber = message.header.sequenceNumber
        messageID = message.header.messageID
        leaf = message.leafHash(metadataHash: lane.leafMetadataHash)
    }
}

package enum MessageValidation {
    /// The message's own claims: lane, sequence number, sender, receiver, fee token, and the id recomputed.
    /// Throws `malformedEvent` or `messageIDMismatch`.
    package static func validate(_ message: EVM2AnyRampMessage, lane: MessageLane) throws(CCIPError) {
        let header = message.header
        guard header.source == lane.source, header.destination == lane.destination else {
            throw refused(
                "lane \(header.source) -> \(header.destination) instead of \(lane.source) -> \(lane.destination)")
        }
        guard header.sequenceNumber.rawValue >= 1 else { throw refused("sequence number 0") }
        guard !header.messageID.isZero else { throw refused("message id 0") }
        guard !message.sender.isZero, !message.receiver.isEmpty else { throw refused("no sender or no receiver") }
        guard !message.feeToken.isZero else { throw refused("no fee token") }
        let computed = message.computedID(onRamp: lane.onRamp)
        guard computed == header.messageID else {
            throw CCIPError(
                .messageIDMismatch, "message \(header.sequenceNumber): id \(header.messageID), computed \(computed)",
                hint: "the endpoint lies, or the OnRamp is no CCIP 1.6 OnRamp")
        }
    }

    /// The leaf of one message: validated, converted for the destination, hashed.
    /// Throws what `validate` throws, and `malformedMessage` or `unsupportedExtraArgs` where no EVM chain can take it.
    package static func leaf(of message: EVM2AnyRampMessage, lane: MessageLane) throws(CCIPError) -> MessageLeaf {
        try validate(message, lane: lane)
        return MessageLeaf(try Any2EVMRampMessage(converting: message), lane: lane)
    }

    /// The leaves of exactly the messages of `range`, complete and in order.
    package static func leaves(
        of messages: [EVM2AnyRampMessage], range: SequenceRange, lane: MessageLane
    ) throws(CCIPError) -> [MessageLeaf] {
        guard range.count <= Limits.treeLeavesMaximum, messages.count == range.count else {
            throw refused("\(messages.count) messages for the range \(range)")
        }
        var leaves: [MessageLeaf] = []
        leaves.reserveCapacity(messages.count)
        for (message, expected) in zip(messages, range.numbers) {
            guard message.header.sequenceNumber == expected else {
                throw refused("sequence number \(message.header.sequenceNumber) in the place of \(expected)")
            }
            leaves.append(try leaf(of: message, lane: lane))
        }
        return leaves
    }

    private static func refused(_ why: String) -> CCIPError {
        CCIPError(.malformedEvent, "CCIPMessageSent: \(why)", hint: "check the OnRamp address and the endpoint")
    }
}

// The log by which a message begins its life: CCIPMessageSent of the OnRamp, and every check that it must pass before
// anything is built on it (5.3 of the off-chain specification).

import Ethereum

/// A log without its place in the chain.
package struct ContractLog: Hashable, Sendable {
    package var address: Address
    package var topics: [Hash32]
    package var data: Bytes

    package init(address: Address, topics: [Hash32], data: Bytes) {
        self.address = address
        self.topics = topics
        self.data = data
    }
}

package enum MessageSentEvent {
    /// `CCIPMessageSent(uint64 indexed destChainSelector, uint64 indexed sequenceNumber, EVM2AnyRampMessage)`.
    package static let event = ABIEvent(
        name: "CCIPMessageSent", inputs: [.uint(64), .uint(64), EVM2AnyRampMessage.type],
        indexed: [true, true, false])

    /// The message of a log of `onRamp`, fully checked: canonical bytes, topics that agree with the header, selectors of
    /// the lane, sequence number and sender and receiver that are there, and the id recomputed.
    /// Throws `malformedEvent`, `malformedMessage` or `messageIDMismatch`.
    package static func decode(
        _ log: ContractLog, source: ChainSelector, destination: ChainSelector, onRamp: Address
    ) throws(CCIPError) -> EVM2AnyRampMessage {
        guard log.address == onRamp else {
            throw refused("log of \(log.address), not of the OnRamp \(onRamp)")
        }
        guard log.topics.count == 3, log.topics.first == event.topic else {
            throw refused("the topics are not those of CCIPMessageSent")
        }
        let message = try decodeData(log.data)
        let header = message.header
        guard log.topics[1].word == U256(header.destination.rawValue),
            log.topics[2].word == U256(header.sequenceNumber.rawValue)
        else { throw refused("topics and header name different messages") }
        try MessageValidation.validate(
            message, lane: MessageLane(source: source, destination: destination, onRamp: onRamp))
        return message
    }

    /// Only the data, strictly; for tools that show a log of an unknown lane.
    package static func decodeData(_ data: Bytes) throws(CCIPError) -> EVM2AnyRampMessage {
        var cursor = try ABICodec.decode(data, as: [EVM2AnyRampMessage.type], .malformedEvent, "CCIPMessageSent")
        return try EVM2AnyRampMessage(&cursor)
    }

    private static func refused(_ why: String) -> CCIPError {
        CCIPError(.malformedEvent, "CCIPMessageSent: \(why)", hint: "check the OnRamp address and the endpoint")
    }
}

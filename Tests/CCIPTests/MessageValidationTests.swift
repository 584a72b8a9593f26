// The checks of a message before it is hashed into a root: each one has a message that only it refuses.

import Ethereum
import TestSupport
import Testing

@testable import CCIP

@Suite("Validation of messages")
struct MessageValidationTests {
    /// The five messages of the end-to-end vector and their lane.
    private func endToEnd() throws -> (messages: [EVM2AnyRampMessage], lane: MessageLane, leaves: [Hash32]) {
        let vector = try Vector.group("endToEnd")
        let source = try vector.at("sourceChain")
        let lane = MessageLane(
            source: try source.selector("selector"), destination: try vector.at("destChain").selector("selector"),
            onRamp: try source.address("onRamp"))
        let messages = try vector.items("ccipMessageSentLogs").map { try MessageSentEvent.decodeData($0.log().data) }
        return (messages, lane, try vector.hashes("leaves"))
    }

    @Test("the leaves of a whole range are those of the contracts")
    func leaves() throws {
        let (messages, lane, expected) = try endToEnd()
        let range = try #require(SequenceRange(first: 1, last: 5))
        let leaves = try MessageValidation.leaves(of: messages, range: range, lane: lane)
        #expect(leaves.map(\.leaf) == expected)
        #expect(leaves.map(\.sequenceNumber) == range.numbers)
        #expect(leaves.map(\.messageID) == messages.map(\.header.messageID))
    }

    @Test("a message with one wrong field is refused", arguments: 0..<10)
    func oneWrongField(index: Int) throws {
        let (messages, lane, _) = try endToEnd()
        var message = messages[0]
        try MessageValidation.validate(message, lane: lane)
        switch index {
        case 0: message.header.source = 1
        case 1: message.header.destination = 1
        case 2: message.header.sequenceNumber = 0
        case 3: message.header.messageID = MessageID(.zero)
        case 4: message.sender = .zero
        case 5: message.receiver = []
        case 6: message.feeToken = .zero
        case 7: message.data.append(1)
        case 8: message.header.nonce &+= 1
        default: message.header.messageID = MessageID(Hash32(U256.one))
        }
        #expect(throws: CCIPError.self) { try MessageValidation.leaf(of: message, lane: lane) }
    }

    @Test("a range with a gap, a repeat, a missing end or one message too many is refused")
    func ranges() throws {
        let (messages, lane, _) = try endToEnd()
        let range = try #require(SequenceRange(first: 1, last: 5))
        let gap = Array(messages[0..<2] + messages[3..<5])
        let swapped = [messages[1], messages[0]] + messages[2..<5]
        let repeated = [messages[0], messages[0]] + messages[2..<5]
        for wrong in [gap, swapped, repeated, Array(messages.dropLast()), messages + [messages[4]], []] {
            #expect(throws: CCIPError.self) {
                try MessageValidation.leaves(of: wrong, range: range, lane: lane)
            }
        }
    }

    @Test("a message of another OnRamp does not carry its id")
    func otherOnRamp() throws {
        let (messages, lane, _) = try endToEnd()
        let other = MessageLane(source: lane.source, destination: lane.destination, onRamp: messages[0].sender)
        #expect {
            try MessageValidation.validate(messages[0], lane: other)
        } throws: { ($0 as? CCIPError)?.code == .messageIDMismatch }
    }
}

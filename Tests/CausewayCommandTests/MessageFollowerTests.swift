import CCIP
import Ethereum
import Testing

@testable import causeway

@Suite("following messages through their stages")
struct MessageFollowerTests {
    private let source: ChainSelector = 16_015_286_601_757_825_753

    private func id(_ number: UInt64) -> MessageID { MessageID(Hash32(U256(number))) }

    private func follower(_ numbers: ClosedRange<UInt64>, block: UInt64 = 10) -> MessageFollower {
        MessageFollower(
            source: source,
            messages: numbers.map {
                FollowedMessage(
                    id: id($0), sequenceNumber: SequenceNumber($0), nonce: 0,
                    place: ChainPlace(transaction: Hash32(U256($0 + 100)), block: block), sentMilliseconds: 5)
            })
    }

    private func place(_ block: UInt64) -> ChainPlace { ChainPlace(transaction: Hash32(U256(block)), block: block) }

    private func root(_ first: UInt64, _ last: UInt64, source other: ChainSelector? = nil) throws -> OffRampLog {
        let root = MerkleRoot(
            source: other ?? source, onRamp: Bytes(repeating: 1, count: 32), first: SequenceNumber(first),
            last: SequenceNumber(last), root: Hash32(U256(77 as UInt64)))
        return try log(
            OffRampEvents.commitReportAccepted,
            [.array([]), .array([.tuple(root.fields)]), .tuple([.array([]), .array([])])])
    }

    private func executed(
        _ number: UInt64, _ state: MessageExecutionState, returnData: Bytes = [], id other: MessageID? = nil
    ) throws -> OffRampLog {
        try log(
            OffRampEvents.executionStateChanged,
            [
                .uint(source.rawValue), .uint(number), .hash((other ?? id(number)).hash), .hash(.zero),
                .uint(UInt64(state.rawValue)), .bytes(returnData), .uint(50_000 as UInt64),
            ])
    }

    /// As a chain would emit it.
    private func log(_ event: ABIEvent, _ values: [ABIValue]) throws -> OffRampLog {
        var topics = [event.topic]
        var data: [ABIValue] = []
        var types: [ABIType] = []
        for (index, value) in values.enumerated() {
            if event.indexed[index] {
                topics.append(Hash32(U256(bigEndianBytes: try ABI.encode([value], as: [event.inputs[index]])) ?? .zero))
            } else {
                data.append(value)
                types.append(event.inputs[index])
            }
        }
        let log = ContractLog(address: .zero, topics: topics, data: try ABI.encode(data, as: types))
        return try #require(try OffRampEvents.decode(log))
    }

    @Test("a message passes through all stages in order, each told once")
    func allStages() throws {
        var follower = follower(1...1)
        #expect(follower.stage == .sent)
        #expect(follower.sawFinalized(9, now: [10]).isEmpty)
        #expect(follower.sawFinalized(10, now: [20]).map(\.stage) == [.finalized])
        #expect(follower.sawFinalized(11, now: [30]).isEmpty)
        #expect(try follower.saw(root(1, 3), at: place(5), now: [40]).map(\.stage) == [.committed])
        #expect(try follower.saw(root(1, 3), at: place(6), now: [41]).isEmpty)
        #expect(follower.stage == .committed && !follower.isDone)
        let events = try follower.saw(executed(1, .success), at: place(7), now: [60])
        #expect(events.map(\.stage) == [.executed] && events.map(\.milliseconds) == [60])
        #expect(follower.isDone && follower.stage == .executed)
        let message = follower.messages[0]
        #expect(message.finalizedMilliseconds == 20 && message.committedMilliseconds == 40)
        #expect(message.executedMilliseconds == 60 && message.commit == place(5))
    }

    @Test("a commit tells that the source block was final, even when nobody looked")
    func commitImpliesFinality() throws {
        var follower = follower(1...2)
        let events = try follower.saw(root(1, 2), at: place(5), now: [40, 41])
        #expect(events.map(\.stage) == [.finalized, .committed, .finalized, .committed])
    }

    @Test("roots and executions of another lane, other numbers, and other ids are not ours")
    func othersIgnored() throws {
        var follower = follower(5...5)
        #expect(try follower.saw(root(1, 9, source: 3), at: place(1), now: [1]).isEmpty)
        #expect(try follower.saw(root(1, 4), at: place(1), now: [1]).isEmpty)
        #expect(try follower.saw(root(6, 9), at: place(1), now: [1]).isEmpty)
        #expect(try follower.saw(executed(5, .success, id: id(99)), at: place(1), now: [1]).isEmpty)
        #expect(try follower.saw(executed(5, .inProgress), at: place(1), now: [1]).isEmpty)
        #expect(follower.stage == .sent)
    }

    @Test("a failure names its reason, ends the message, and may still become a success")
    func failure() throws {
        var follower = follower(1...2)
        let receiver = try ABIFunction("ReceiverError(bytes)").encodeCall([.bytes([0xde, 0xad, 0xbe, 0xef])])
        let events = try follower.saw(executed(1, .failure, returnData: receiver), at: place(3), now: [9, 9])
        #expect(events.first?.explanation?.text.contains("ReceiverError") == true)
        #expect(!follower.isDone && follower.stage == .sent)
        _ = try follower.saw(executed(2, .success), at: place(3), now: [9, 9])
        #expect(follower.isDone && follower.stage == .failed)
        _ = try follower.saw(executed(1, .success), at: place(4), now: [12, 12])
        #expect(follower.stage == .executed)
        // A success is final.
        #expect(try follower.saw(executed(1, .failure), at: place(5), now: [13, 13]).isEmpty)
    }

    @Test("what a vanished block said is forgotten and followed anew")
    func forgetting() throws {
        var follower = follower(1...2)
        _ = try follower.saw(root(1, 2), at: place(5), now: [40, 40])
        _ = try follower.saw(executed(1, .success), at: place(6), now: [50, 50])
        _ = try follower.saw(executed(2, .success), at: place(6), now: [50, 50])
        follower.forget([1])
        #expect(follower.messages.map(\.stage) == [.finalized, .executed])
        #expect(try follower.saw(root(1, 2), at: place(8), now: [70, 70]).map(\.stage) == [.committed])
    }

    @Test("the JSON of a message has all keys, with null for what was not seen")
    func json() throws {
        var follower = follower(1...1)
        let early = follower.messages[0].json
        #expect(early["stage"] == "sent" && early["commit"] == .null && early["execution"] == .null)
        #expect(early["milliseconds"]?["committed"] == .null && early["milliseconds"]?["sent"] == 5)
        _ = try follower.saw(root(1, 1), at: place(5), now: [40])
        _ = try follower.saw(executed(1, .success), at: place(6), now: [50])
        let late = follower.messages[0].json
        #expect(late["execution"]?["state"] == "success" && late["execution"]?["gasUsed"] == "50000")
        #expect(late["commit"]?["block"] == 5 && late["milliseconds"]?["executed"] == 50)
    }

    @Test("times stand in columns of seconds", arguments: [(5, "  0.005 s"), (1_234, "  1.234 s"), (123_456, "123.456 s")])
    func seconds(_ milliseconds: Int, _ text: String) {
        #expect(StageLine.seconds(milliseconds) == text)
    }
}

extension MerkleRoot {
    fileprivate var fields: [ABIValue] {
        [.uint(source.rawValue), .bytes(onRamp), .uint(first.rawValue), .uint(last.rawValue), .hash(root)]
    }
}

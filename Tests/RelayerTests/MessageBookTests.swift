// What finalized blocks say stays; what newer blocks say goes with them.

import CCIP
import Ethereum
@testable import Relayer
import Storage
import Testing

@Suite("Message book")
struct MessageBookTests {
    static let lane = LaneKey(source: 1, destination: 2)

    static func place(_ block: UInt64) -> Place {
        Place(block: block, blockHash: keccak256([UInt8(block)]), transaction: .zero, logIndex: 0, timestamp: block)
    }

    static func root(_ first: UInt64, _ last: UInt64) -> MerkleRoot {
        MerkleRoot(
            source: 1, onRamp: [1], first: SequenceNumber(first), last: SequenceNumber(last),
            root: keccak256([UInt8(first), UInt8(last)]))
    }

    static func execution(
        _ number: UInt64, _ state: MessageExecutionState, block: UInt64, isFinal: Bool
    ) -> ExecutionEntry {
        ExecutionEntry(
            source: 1, number: number, messageID: MessageID(.zero), state: state, returnData: [], place: place(block),
            isFinal: isFinal)
    }

    @Test("a root of a block that is gone is forgotten, one that was finalized stays")
    func reorganisation() {
        var book = MessageBook(lanes: [Self.lane])
        let result1 = book.committed(Self.root(1, 2), on: 2, at: Self.place(5), isFinal: false)
        #expect(result1)
        let result2 = book.committed(Self.root(3, 4), on: 2, at: Self.place(6), isFinal: false)
        #expect(result2)
        let result3 = book.committed(Self.root(3, 4), on: 2, at: Self.place(6), isFinal: false)
        #expect(!result3, "known already")
        book.reorganised(2, above: 5)
        #expect(book.lane(Self.lane).openRoots.map(\.root) == [Self.root(1, 2)])
        let result4 = book.committed(Self.root(1, 2), on: 2, at: Self.place(5), isFinal: true)
        #expect(result4)
        book.finalized(2, through: 5)
        book.reorganised(2, above: 0)
        #expect(book.lane(Self.lane).roots.map(\.root) == [Self.root(1, 2)])
        #expect(book.lane(Self.lane).tentativeRoots.isEmpty)
    }

    @Test("the newest word on a message counts, and goes with its block")
    func executions() {
        var book = MessageBook(lanes: [Self.lane])
        book.executed(Self.execution(1, .failure, block: 5, isFinal: true), on: 2)
        book.executed(Self.execution(1, .success, block: 7, isFinal: false), on: 2)
        #expect(book.lane(Self.lane).execution(1)?.state == .success)
        book.reorganised(2, above: 6)
        #expect(book.lane(Self.lane).execution(1)?.state == .failure)
    }

    @Test("a root is retired when all of it succeeded finally, not before, and not when one failed")
    func retirement() {
        var book = MessageBook(lanes: [Self.lane])
        book.committed(Self.root(1, 2), on: 2, at: Self.place(5), isFinal: true)
        book.executed(Self.execution(1, .success, block: 6, isFinal: true), on: 2)
        book.executed(Self.execution(2, .failure, block: 6, isFinal: true), on: 2)
        #expect(book.retireFinished(2).isEmpty)
        book.executed(Self.execution(2, .success, block: 9, isFinal: false), on: 2)
        #expect(book.retireFinished(2).isEmpty, "a block that can still go does not count")
        book.executed(Self.execution(2, .success, block: 9, isFinal: true), on: 2)
        #expect(book.retireFinished(2).map(\.root) == [Self.root(1, 2)])
        #expect(book.lane(Self.lane).openRoots.isEmpty && book.lane(Self.lane).lastRetired == 2)
    }

    @Test("logs of lanes that are not ours change nothing")
    func foreignLane() {
        var book = MessageBook(lanes: [Self.lane])
        let result5 = book.committed(Self.root(1, 2), on: 3, at: Self.place(5), isFinal: true)
        #expect(!result5)
        book.executed(Self.execution(1, .success, block: 5, isFinal: true), on: 3)
        #expect(book.lanes.count == 1 && book.lane(Self.lane).openRoots.isEmpty)
    }
}

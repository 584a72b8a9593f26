// What must have been seen by now and was not: messages, roots, executions.

import CCIP
import ChainAccess
import Ethereum
@testable import Relayer
import Storage
import TestSupport
import Testing

@Suite("Lane audit")
struct LaneAuditTests {
    static let lane = MessageBookTests.lane

    static func message(_ number: UInt64) -> EVM2AnyRampMessage {
        EVM2AnyRampMessage(
            header: RampMessageHeader(
                messageID: MessageID(keccak256([UInt8(truncatingIfNeeded: number)])), source: 1, destination: 2,
                sequenceNumber: SequenceNumber(number), nonce: 0),
            sender: .zero, data: [], receiver: [], extraArgs: [], feeToken: .zero, feeTokenAmount: 0, feeValueJuels: 0,
            tokenAmounts: [])
    }

    static func book(sent: [UInt64], roots: [ClosedRange<UInt64>] = []) -> MessageBook {
        var book = MessageBook(lanes: [lane])
        for number in sent { book.sent(message(number), at: MessageBookTests.place(number)) }
        for root in roots {
            book.committed(
                MessageBookTests.root(root.lowerBound, root.upperBound), on: 2, at: MessageBookTests.place(50),
                isFinal: true)
        }
        return book
    }

    @Test("what the OnRamp counted and nobody saw is missing, from the OffRamp's next number on", arguments: [
        ([1, 2, 3], 1, 4, []), ([1, 3], 1, 4, [2...2]), ([], 1, 4, [1...3]), ([1, 2], 1, 6, [3...5]),
        ([5], 4, 7, [4...4, 6...6]), ([], 4, 4, []), ([], 9, 4, []),
    ] as [([UInt64], UInt64, UInt64, [ClosedRange<UInt64>])])
    func messages(sent: [UInt64], minimum: UInt64, next: UInt64, missing: [ClosedRange<UInt64>]) {
        let lane = Self.book(sent: sent).lane(Self.lane)
        #expect(LaneAudit.missingMessages(lane, minimum: minimum, expectedNext: next) == missing)
    }

    @Test("a message under an open root is missed although it is committed; one that was refused is not missing")
    func openRoots() {
        var book = Self.book(sent: [1, 2, 4], roots: [1...4])
        #expect(LaneAudit.missingMessages(book.lane(Self.lane), minimum: 5, expectedNext: 5) == [3...3])
        book.refused(3, "not canonical", of: Self.lane)
        #expect(LaneAudit.missingMessages(book.lane(Self.lane), minimum: 5, expectedNext: 5).isEmpty)
        #expect(book.lane(Self.lane).refused == [3: "not canonical"])
        book.sent(Self.message(3), at: MessageBookTests.place(3))
        #expect(book.lane(Self.lane).refused.isEmpty, "it was to be had after all")
    }

    @Test("retired messages are not missed")
    func retired() {
        var book = Self.book(sent: [1, 2], roots: [1...2])
        for number in 1...2 as ClosedRange<UInt64> {
            book.executed(MessageBookTests.execution(number, .success, block: 60, isFinal: true), on: 2)
        }
        #expect(book.retireFinished(2).count == 1)
        #expect(LaneAudit.missingMessages(book.lane(Self.lane), minimum: 1, expectedNext: 3).isEmpty)
    }

    @Test("a root that nobody saw is found by the number at which the known ones stop")
    func roots() {
        let known: [ClosedRange<UInt64>] = [1...3, 4...4, 9...10]
        func covering(_ number: UInt64) -> ClosedRange<UInt64>? { known.first { $0.contains(number) } }
        var next: UInt64 = 1
        #expect(LaneAudit.missingRoot(next: &next, minimum: 11, covering: covering) == 5...10 && next == 5)
        next = 1
        #expect(LaneAudit.missingRoot(next: &next, minimum: 5, covering: covering) == nil && next == 5)
        next = 9
        #expect(LaneAudit.missingRoot(next: &next, minimum: 11, covering: covering) == nil && next == 11)
    }

    @Test("what the OffRamp says of a message counts until its log comes, its block goes or it says otherwise")
    func learned() {
        var book = Self.book(sent: [1, 2, 3], roots: [1...3])
        #expect(LaneAudit.unexecuted(book.lane(Self.lane)) == [1, 2, 3])
        let block = BlockReference(number: 70, hash: .zero)
        book.learned([1: .success, 2: .failure, 3: .untouched], of: Self.lane, at: block)
        #expect(book.lane(Self.lane).execution(1)?.state == .success)
        #expect(book.lane(Self.lane).execution(2)?.isFinal == false && book.lane(Self.lane).execution(3) == nil)
        #expect(LaneAudit.missingExecutions(book.lane(Self.lane), finalized: 69).isEmpty)
        #expect(LaneAudit.missingExecutions(book.lane(Self.lane), finalized: 70) == [1...2])
        book.executed(MessageBookTests.execution(1, .success, block: 60, isFinal: true), on: 2)
        #expect(LaneAudit.missingExecutions(book.lane(Self.lane), finalized: 70) == [2...2])
        book.learned([2: .untouched], of: Self.lane, at: block)
        #expect(book.lane(Self.lane).execution(2) == nil)
        book.learned([2: .success], of: Self.lane, at: block)
        book.reorganised(2, above: 69)
        #expect(book.lane(Self.lane).execution(2) == nil, "the block it was read at is gone")
        #expect(book.lane(Self.lane).execution(1)?.state == .success)
        book.learned([9: .success], of: Self.lane, at: block)
        #expect(book.lane(Self.lane).execution(9) == nil, "a message that is not known is none of ours")
    }

    @Test("numbers become ranges", arguments: 1...20 as ClosedRange<UInt64>)
    func ranges(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let numbers = Set((0..<40).map { _ in UInt64.random(in: 1...60, using: &random) })
        let ranges = LaneAudit.ranges(Array(numbers))
        #expect(ranges.flatMap { $0 } == numbers.sorted(), "seed \(seed)")
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound + 1 < $1.lowerBound })
    }
}

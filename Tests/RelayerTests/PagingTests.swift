// A destination that stands still must not fill the memory: what waits beyond a window is left in the store, and comes back
// as roots move on, with nothing lost on the way.

import ChainAccess
import Ethereum
import Foundation
import Storage
import TestSupport
import Testing

@testable import CCIP
@testable import Relayer

@Suite("Paging of waiting messages")
struct PagingTests {
    static let window = UInt64(Limits.messagesPerLaneMaximum)
    static let lane = MessageBookTests.lane

    private static func book(sent numbers: [UInt64]) -> MessageBook {
        var book = MessageBook(lanes: [lane])
        for number in numbers { book.sent(LaneAuditTests.message(number), at: MessageBookTests.place(1)) }
        return book
    }

    private func held(_ book: MessageBook) -> [UInt64] { book.lane(Self.lane).messages.keys.sorted() }

    // MARK: The book

    @Test("the window is held, what is beyond it is not, and every number counts as sent and seen")
    func window() {
        var book = Self.book(sent: Array(1...Self.window + 500))
        let lane = book.lane(Self.lane)
        #expect(held(book) == Array(1...Self.window) && lane.storedFrom == Self.window + 1)
        #expect(lane.lastSent == Self.window + 500 && lane.isSeen(Self.window + 500) && !lane.isSeen(Self.window + 501))
        #expect(book.wanted(of: Self.lane) == nil, "no room")
        #expect(LaneAudit.missingMessages(lane, minimum: 1, expectedNext: Self.window + 501).isEmpty)
        #expect(book.find(LaneAuditTests.message(Self.window + 7).header.messageID)?.number != nil)
        // Told again: nothing new, held or not.
        let again = [1, Self.window + 3].map { book.sent(LaneAuditTests.message($0), at: MessageBookTests.place(1)) }
        #expect(again == [false, false] && held(book).count == Int(Self.window))
    }

    @Test("half a window of room asks for the rest, numbers under roots excepted")
    func room() {
        var book = Self.book(sent: Array(1...3 * Self.window))
        let half = Self.window / 2
        for first in stride(from: UInt64(1), to: half - 256, by: 256) { commit(first...first + 255, &book) }
        #expect(book.wanted(of: Self.lane) == nil, "less than half a window is free")
        for first in stride(from: half - 255, through: half, by: 256) { commit(first...first + 255, &book) }
        let frontier = book.lane(Self.lane).frontier
        #expect(frontier == half && book.wanted(of: Self.lane) == Self.window + 1...Self.window + half)
        let rows = (Self.window + 1...Self.window + half).map { (LaneAuditTests.message($0), MessageBookTests.place(1)) }
        book.paged(rows, through: Self.window + half, of: Self.lane)
        #expect(held(book) == Array(1...Self.window + half) && book.lane(Self.lane).storedFrom == Self.window + half + 1)
        #expect(book.wanted(of: Self.lane) == nil)
    }

    @Test("a message that comes after its root is held, wherever the store's part begins; one that is over is not")
    func late() {
        var book = Self.book(sent: Array(1...Self.window + 1))
        // Roots that the source's reader is behind of.
        commit(1...200, &book)
        commit(Self.window + 2...Self.window + 3, &book)
        book.sent(LaneAuditTests.message(Self.window + 2), at: MessageBookTests.place(1))
        #expect(book.lane(Self.lane).messages[Self.window + 2] != nil)
        for number in 1...200 as ClosedRange<UInt64> {
            book.executed(MessageBookTests.execution(number, .success, block: 60, isFinal: true), on: 2)
        }
        let retired = book.retireFinished(2)
        #expect(retired.count == 1)
        book.sent(LaneAuditTests.message(5), at: MessageBookTests.place(1))
        #expect(book.lane(Self.lane).messages[5] == nil, "its root is retired")
    }

    private func commit(_ range: ClosedRange<UInt64>, _ book: inout MessageBook) {
        let root = MerkleRoot(
            source: 1, onRamp: [1], first: SequenceNumber(range.lowerBound), last: SequenceNumber(range.upperBound),
            root: Hash32(U256(range.lowerBound)))
        book.committed(root, on: 2, at: MessageBookTests.place(50), isFinal: true)
    }

    @Test("whatever order messages, roots and pages come in, what waits next is held and nothing is lost", arguments: 1...6 as ClosedRange<UInt64>)
    func anyOrder(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var book = MessageBook(lanes: [Self.lane])
        var sent: UInt64 = 0
        var committed: UInt64 = 0
        for _ in 0..<100 {
            if Bool.random(using: &random) {
                for _ in 0..<UInt64.random(in: 1...300, using: &random) {
                    sent += 1
                    book.sent(LaneAuditTests.message(sent), at: MessageBookTests.place(1))
                }
            } else if committed < sent {
                let last = min(sent, committed + UInt64.random(in: 1...256, using: &random))
                commit(committed + 1...last, &book)
                if let range = book.absent(under: book.lane(Self.lane).roots.last!.root, of: Self.lane) {
                    book.paged(range.map { (LaneAuditTests.message($0), MessageBookTests.place(1)) }, through: nil, of: Self.lane)
                }
                for number in committed + 1...last {
                    book.executed(MessageBookTests.execution(number, .success, block: 60, isFinal: true), on: 2)
                }
                committed = last
                _ = book.retireFinished(2)
            }
            if let range = book.wanted(of: Self.lane) {
                book.paged(
                    range.map { (LaneAuditTests.message($0), MessageBookTests.place(1)) }, through: range.upperBound,
                    of: Self.lane)
            }
            let next = min(sent, committed + 256)
            if committed < next {
                #expect((committed + 1...next).allSatisfy { book.lane(Self.lane).messages[$0] != nil }, "seed \(seed)")
            }
            #expect(book.lane(Self.lane).messages.count <= Int(Self.window) + 256, "seed \(seed)")
        }
    }

    // MARK: The keeper

    struct World {
        let store: Store
        let cluster: ClusterSettings
        let lane: LaneKey

        init() throws {
            store = try StopAndRestartTests.store()
            cluster = try ClusterSettings(yaml: try SettingsTests.cluster(), file: "cluster.yaml")
            lane = LaneKey(source: cluster.lanes[0].source, destination: cluster.lanes[0].destination)
        }

        func keeper() throws -> BookKeeper {
            try BookKeeper(cluster: cluster, store: store, feed: nil, logger: StopAndRestartTests.quiet, onNews: { _ in })
        }

        private func chainLog(_ log: Log, block: UInt64) -> ChainLog {
            ChainLog(
                log: log, blockNumber: block, blockHash: Hash32(U256(block)), transactionHash: .zero, transactionIndex: 0,
                logIndex: 0, blockTimestamp: block)
        }

        func message(_ number: UInt64) -> EVM2AnyRampMessage {
            var message = EVM2AnyRampMessage(
                header: RampMessageHeader(
                    messageID: MessageID(.zero), source: lane.source, destination: lane.destination,
                    sequenceNumber: SequenceNumber(number), nonce: 0),
                sender: Address(truncating: 5), data: [], receiver: U256(6).bytes, extraArgs: [],
                feeToken: Address(truncating: 7), feeTokenAmount: 1, feeValueJuels: 1, tokenAmounts: [])
            message.header.messageID = message.computedID(onRamp: cluster.chains[0].contracts.onRamp)
            return message
        }

        /// As an earlier run left them, in one write.
        func store(_ range: ClosedRange<UInt64>) throws {
            try store.upsertMessages(range.map { number in
                let message = self.message(number)
                return MessageRow(
                    source: lane.source.rawValue, destination: lane.destination.rawValue, sequence: number,
                    messageID: message.header.messageID.hash,
                    place: Place(
                        block: number, blockHash: Hash32(U256(number)), transaction: .zero, logIndex: 0, timestamp: number),
                    payload: message.encoded)
            })
        }

        func send(_ range: ClosedRange<UInt64>, to keeper: BookKeeper) throws {
            let logs = range.map { number in
                chainLog(
                    Log(
                        address: cluster.chains[0].contracts.onRamp,
                        topics: [
                            MessageSentEvent.event.topic, Hash32(U256(lane.destination.rawValue)), Hash32(U256(number)),
                        ], data: message(number).encoded), block: number)
            }
            let end = BlockReference(number: range.upperBound, hash: Hash32(U256(range.upperBound)))
            try keeper.handle(.finalized(logs: logs, through: end), of: cluster.chains[0])
        }

        func commit(_ range: ClosedRange<UInt64>, to keeper: BookKeeper) throws {
            let root = MerkleRoot(
                source: lane.source, onRamp: U256(1).bytes, first: SequenceNumber(range.lowerBound),
                last: SequenceNumber(range.upperBound), root: Hash32(U256(range.lowerBound)))
            let log = Log(
                address: cluster.chains[1].contracts.offRamp, topics: [OffRampEvents.commitReportAccepted.topic],
                data: try ABI.encode(
                    [.array([]), .array([root.abi]), PriceUpdates(tokens: [], gas: []).abi],
                    as: [.array(MerkleRoot.type), .array(MerkleRoot.type), PriceUpdates.type]))
            let end = BlockReference(number: range.upperBound, hash: Hash32(U256(range.upperBound)))
            try keeper.handle(
                .finalized(logs: [chainLog(log, block: range.upperBound)], through: end), of: cluster.chains[1])
        }

        func held(_ keeper: BookKeeper) -> [UInt64] { keeper.read { $0.lane(lane).messages.keys.sorted() } }
    }

    @Test("a lane whose destination stands still holds a window, pages as roots come, and after a restart, too")
    func keeper() throws {
        let world = try World()
        let window = Self.window
        let count = window + window / 2
        try world.store(1...count)
        var keeper = try world.keeper()
        #expect(world.held(keeper) == Array(1...window), "a restart reads the window and no more")
        try world.send(count + 1...count + 3, to: keeper)
        #expect(world.held(keeper) == Array(1...window), "what comes meanwhile waits in the store")
        #expect(keeper.read { $0.lane(world.lane).lastSent } == count + 3)
        for first in stride(from: UInt64(1), to: window / 2, by: 256) {
            try world.commit(first...first + 255, to: keeper)
        }
        // Roots are open: their messages are still needed, and half a window came behind what waits.
        #expect(world.held(keeper) == Array(1...count))
        #expect(keeper.read { $0.lane(world.lane).storedFrom } == count + 1)
        keeper = try world.keeper()
        #expect(world.held(keeper) == Array(1...count))
        #expect(keeper.read { $0.lane(world.lane).roots.count } == Int(window / 2 / 256))
        #expect(keeper.read { $0.lane(world.lane).frontier } == window / 2)
        // The next root makes room for the rest, and new ones go on as if nothing had been.
        try world.commit(window / 2 + 1...window / 2 + 256, to: keeper)
        #expect(world.held(keeper) == Array(1...count + 3))
        #expect(keeper.read { $0.lane(world.lane).storedFrom } == nil)
        try world.send(count + 4...count + 5, to: keeper)
        #expect(world.held(keeper) == Array(1...count + 5))
    }

    @Test("a restart reads what is open, not what is over: messages under executed roots stay in the store")
    func restart() throws {
        let world = try World()
        try world.send(1...30, to: try world.keeper())
        let keeper = try world.keeper()
        for first in [1, 11, 21] as [UInt64] { try world.commit(first...first + 9, to: keeper) }
        for first in [1, 21] as [UInt64] {
            try world.store.markExecuted(
                destination: world.lane.destination.rawValue, source: world.lane.source.rawValue,
                root: Hash32(U256(first)))
        }
        try world.send(31...33, to: keeper)
        let restarted = try world.keeper()
        #expect(world.held(restarted) == Array(11...20) + [31, 32, 33])
        #expect(restarted.read { $0.lane(world.lane).roots.map(\.root.first.rawValue) } == [11])
        #expect(restarted.read { $0.lane(world.lane).lastRetired } == 30)
    }
}

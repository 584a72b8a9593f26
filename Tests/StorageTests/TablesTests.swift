// One test per table: votes, outbox, cursors, index, stops, items.

import Ethereum
import Foundation
import GRDB
import Testing

@testable import Storage

@Suite("Tables")
struct TablesTests {
    let scratch: Scratch
    let store: Store
    init() throws {
        scratch = try Scratch()
        store = try scratch.open()
    }

    private func key(_ number: UInt64) -> Hash32 { Hash32(U256(number)) }
    private func place(_ block: UInt64, _ timestamp: UInt64 = 100) -> Place {
        Place(block: block, blockHash: key(block), transaction: key(9), logIndex: 1, timestamp: timestamp)
    }

    @Test("votes are replaced by slot and kept apart by digest")
    func votes() throws {
        #expect(try !store.wasRun(digest: digest(1)))
        #expect(try store.registerInstance(digest: digest(1), plugin: "commit", destination: .max))
        #expect(try !store.registerInstance(digest: digest(1), plugin: "commit", destination: .max))
        #expect(try store.wasRun(digest: digest(1)) && store.votes(digest: digest(1)).isEmpty)
        try store.upsertVotes([
            VoteRow(digest: digest(1), slot: [2], bytes: [20]), VoteRow(digest: digest(1), slot: [1], bytes: [10]),
            VoteRow(digest: digest(2), slot: [1], bytes: [99]),
        ])
        try store.upsertVotes([VoteRow(digest: digest(1), slot: [2], bytes: [21])])
        #expect(try store.votes(digest: digest(1)) == [[10], [21]])
        #expect(try store.votes(digest: digest(2)) == [[99]])
        #expect(try store.wasRun(digest: digest(2)))
        #expect(try store.instances().first { $0.digest == digest(1) }?.destination == .max)
        try store.forgetInstance(digest: digest(1))
        #expect(try store.votes(digest: digest(1)).isEmpty && !store.wasRun(digest: digest(1)))
        #expect(try store.votes(digest: digest(2)) == [[99]])
        try store.appendEvidence(digest: digest(2), accused: 3, kind: "prepare", first: [1], second: [2])
        #expect(try store.evidenceCount(digest: digest(2)) == 1)
    }

    @Test("the outbox forgets entries and never keys, per chain and sender")
    func outbox() throws {
        let sender = try Address(hex: "0x00000000000000000000000000000000000000aa")
        try store.applyOutbox(
            chain: 1, sender: sender, [.put(key: key(1), entry: [1]), .put(key: key(2), entry: [2])])
        try store.applyOutbox(chain: 2, sender: sender, [.put(key: key(1), entry: [7])])
        try store.applyOutbox(
            chain: 1, sender: sender,
            [.put(key: key(1), entry: [11]), .forget(key: key(2)), .outcome(key: key(2), [5])])
        #expect(try store.outbox(chain: 1, sender: sender) == [[11]])
        #expect(try store.outbox(chain: 2, sender: sender) == [[7]])
        #expect(try store.outbox(chain: 1, sender: .zero).isEmpty)
        #expect(try store.finishedKeys(chain: 1, sender: sender) == [key(2)])
        #expect(try store.finishedKeys(chain: 2, sender: sender).isEmpty)
        let finished = try store.finished(chain: 1, sender: sender, key: key(2))
        #expect(finished.isFinished && finished.outcome == [5])
        #expect(try !store.finished(chain: 1, sender: sender, key: key(1)).isFinished)
    }

    @Test("finished keys come oldest first and only the newest of very many")
    func finishedOrder() throws {
        let count = UInt64(Limits.finishedKeysMaximum + 10)
        try store.applyOutbox(chain: 1, sender: .zero, (0..<count).map { .forget(key: key($0)) })
        let keys = try store.finishedKeys(chain: 1, sender: .zero)
        #expect(keys.count == Limits.finishedKeysMaximum && keys.first == key(10) && keys.last == key(count - 1))
        #expect(try store.finished(chain: 1, sender: .zero, key: key(0)).isFinished)
    }

    @Test("a cursor remembers where it stood before, up to a limit")
    func cursors() throws {
        #expect(try store.cursor("a") == nil)
        for number in 1...300 as ClosedRange<UInt64> {
            try store.setCursor("a", Cursor(number: number, hash: key(number)))
        }
        #expect(try store.cursor("a") == Cursor(number: 300, hash: key(300)))
        #expect(try store.cursorHistory("a", number: 299) == key(299))
        #expect(try store.cursorHistory("a", number: 45) == key(45))
        #expect(try store.cursorHistory("a", number: 44) == nil)
        #expect(try store.cursorHistory("b", number: 299) == nil)
        try store.removeCursor("a")
        #expect(try store.cursor("a") == nil && store.cursorHistory("a", number: 299) == nil)
    }

    @Test("messages keep numbers above 2^63 and their order")
    func messages() throws {
        let numbers: [UInt64] = [1, 2, 1 << 62, 1 << 63, .max - 1, .max]
        let selector: UInt64 = 16_015_286_601_757_825_753
        try store.upsertMessages(
            numbers.reversed().map {
                MessageRow(
                    source: selector, destination: 5, sequence: $0, messageID: key($0), place: place($0), payload: [1])
            })
        let all = try store.messages(source: selector, destination: 5, in: 0...UInt64.max)
        #expect(all.map(\.sequence) == numbers)
        #expect(
            try store.messages(source: selector, destination: 5, in: 2...(1 << 63)).map(\.sequence) == [
                2, 1 << 62, 1 << 63,
            ])
        #expect(try store.lastMessage(source: selector, destination: 5) == .max)
        #expect(try store.lastMessage(source: 5, destination: selector) == nil)
        #expect(try store.message(id: key(2))?.sequence == 2)
        #expect(try store.message(source: selector, destination: 5, sequence: .max) == all.last)
    }

    @Test("a root is found by any number it covers and stays executed")
    func roots() throws {
        var row = RootRow(
            destination: 5, source: .max, root: key(1), first: 10, last: 20, onRamp: [1, 2], place: place(3))
        try store.upsertRoots([row])
        try store.markExecuted(destination: 5, source: .max, root: key(1))
        row.place = place(4)
        try store.upsertRoots([row])
        let found = try #require(try store.root(destination: 5, source: .max, covering: 15))
        #expect(found.executed && found.place.block == 4)
        #expect(try store.root(destination: 5, source: .max, covering: 9) == nil)
        #expect(try store.root(destination: 5, source: .max, covering: 21) == nil)
        #expect(try store.roots(destination: 5, executed: false).isEmpty)
        #expect(try store.roots(destination: 5, executed: true).count == 1 && store.roots(destination: 5).count == 1)
        try store.removeRoot(destination: 5, source: .max, root: key(1))
        #expect(try store.roots(destination: 5).isEmpty)
    }

    @Test("what is final is not replaced by what is not, and a re-organisation takes only what is not final")
    func executions() throws {
        func row(_ sequence: UInt64, _ state: UInt8, _ block: UInt64, final: Bool) -> ExecutionRow {
            ExecutionRow(
                destination: 5, source: 6, sequence: sequence, messageID: key(sequence), state: state,
                place: place(block), finalized: final)
        }
        try store.upsertExecutions([
            row(1, 2, 10, final: true), row(2, 2, 11, final: false), row(3, 3, 12, final: false),
        ])
        try store.upsertExecutions([row(1, 3, 9, final: false)])
        #expect(try store.execution(destination: 5, source: 6, sequence: 1)?.state == 2)
        #expect(try store.removeUnfinalized(destination: 5, above: 11) == 1)
        #expect(try store.executions(destination: 5, source: 6, in: 0...9).map(\.sequence) == [1, 2])
    }

    @Test("pruning keeps what is young, not executed or failed")
    func pruning() throws {
        for (sequence, timestamp, state) in [(1, 10, 2), (2, 10, 3), (3, 1_000, 2)] as [(UInt64, UInt64, UInt8)] {
            try store.upsertMessages([
                MessageRow(
                    source: 6, destination: 5, sequence: sequence, messageID: key(sequence),
                    place: place(1, timestamp), payload: [])
            ])
            try store.upsertExecutions([
                ExecutionRow(
                    destination: 5, source: 6, sequence: sequence, messageID: key(sequence), state: state,
                    place: place(1, timestamp), finalized: true)
            ])
        }
        try store.upsertRoots([
            RootRow(
                destination: 5, source: 6, root: key(1), first: 1, last: 1, onRamp: [], place: place(1, 10),
                executed: true),
            RootRow(destination: 5, source: 6, root: key(2), first: 2, last: 2, onRamp: [], place: place(1, 10)),
        ])
        #expect(try store.prune(olderThan: 500) == 3)
        #expect(try store.messages(source: 6, destination: 5, in: 0...9).map(\.sequence) == [2, 3])
        #expect(try store.executions(destination: 5, source: 6, in: 0...9).map(\.sequence) == [2, 3])
        #expect(try store.roots(destination: 5).map(\.root) == [key(2)])
    }

    @Test("a stop outlives a restart, keeps its first reason and is cleared by an operator only")
    func stops() throws {
        try store.raiseStop(scope: "chain/1", kind: "finalityViolation", reason: "first")
        try store.raiseStop(scope: "chain/1", kind: "finalityViolation", reason: "second")
        try store.close()
        let again = try scratch.open()
        #expect(try again.activeStops().map(\.reason) == ["first"])
        #expect(try again.isStopped("chain/1")?.kind == "finalityViolation")
        #expect(try again.isStopped("chain/2") == nil)
        #expect(try again.clearStop(scope: "chain/1", kind: "finalityViolation", by: "alice"))
        #expect(try !again.clearStop(scope: "chain/1", kind: "finalityViolation", by: "alice"))
        #expect(try again.isStopped("chain/1") == nil)
        try again.raiseStop(scope: "chain/1", kind: "finalityViolation", reason: "third")
        #expect(try again.stopHistory().map(\.clearedBy) == ["alice", nil])
    }

    @Test("who lifted a stop and why stays with it, and is read beside the process that holds the store")
    func stopRecord() throws {
        try store.raiseStop(scope: "lane/1/2", kind: "guardDisagrees", reason: "another root")
        try store.raiseStop(scope: "chain/1", kind: "finalityViolation", reason: "changed")
        #expect(try store.clearStop(scope: "lane/1/2", kind: "guardDisagrees", by: "bob", why: "the guard was behind"))
        try store.appendEvidence(digest: digest(7), accused: 3, kind: "equivocation", first: [1], second: [2])
        // The store is open and locked here.
        let report = try StopReport(reading: scratch.path())
        #expect(report.stops.map(\.clearedWhy) == ["the guard was behind", nil])
        #expect(report.stops.map(\.clearedBy) == ["bob", nil] && report.stops.map(\.stands) == [false, true])
        #expect(report.evidence.map(\.accused) == [3] && report.evidence.map(\.kind) == ["equivocation"])
        #expect(throws: StorageError.self) { try StopReport(reading: scratch.path("nothing.sqlite")) }
        let long = String(repeating: "x", count: Limits.stopReasonBytesMaximum + 1)
        #expect(throws: StorageError.self) {
            _ = try store.clearStop(scope: "chain/1", kind: "finalityViolation", by: "bob", why: long)
        }
        #expect(try store.isStopped("chain/1") != nil, "refused whole")
    }

    @Test("a file of the first version is read, and taken up with its stops")
    func firstVersion() throws {
        let path = scratch.path("old.sqlite")
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA application_id = \(StoreKind.relayer.applicationID)")
        }
        try Schema.migrator.migrate(queue, upTo: "1")
        try queue.write { database in
            try database.execute(
                sql: "INSERT INTO stop (scope, kind, reason, raised_at) VALUES ('chain/1', 'finalityViolation', 'old', 5)")
        }
        try queue.close()
        #expect(try StopReport(reading: path).stops.map(\.reason) == ["old"])
        let taken = try scratch.open("old.sqlite")
        #expect(try taken.clearStop(scope: "chain/1", kind: "finalityViolation", by: "eve", why: "mended"))
        #expect(try taken.stopHistory().map(\.clearedWhy) == ["mended"])
        try taken.close()
    }

    @Test("open roots come in pages of one lane, and the last committed number without a walk")
    func openRoots() throws {
        func row(_ source: UInt64, _ first: UInt64, executed: Bool = false) -> RootRow {
            RootRow(
                destination: 5, source: source, root: key(source * 1_000 + first), first: first, last: first + 9, onRamp: [],
                place: place(first), executed: executed)
        }
        #expect(try store.lastCommitted(destination: 5, source: 6) == nil)
        try store.upsertRoots([row(6, 1, executed: true), row(6, 11), row(6, 21, executed: true), row(6, 31), row(7, 1), row(6, 41)])
        #expect(try store.openRoots(destination: 5, source: 6, from: 0, limit: 2).map(\.first) == [11, 31])
        #expect(try store.openRoots(destination: 5, source: 6, from: 32, limit: 2).map(\.first) == [41])
        #expect(try store.openRoots(destination: 5, source: 7, from: 0, limit: 9).map(\.first) == [1])
        #expect(try store.lastCommitted(destination: 5, source: 6) == 50)
        #expect(try store.lastCommitted(destination: 5, source: 7) == 10)
        // The index is used: nothing of what was executed is looked at.
        #expect(try store.openRootsPlan().contains("root_open"))
    }

    @Test("values are written, replaced, removed, and bounded")
    func items() throws {
        try store.setValue("a", [1])
        try store.setValue("a", [])
        #expect(try store.value("a") == [] && store.value("b") == nil)
        try store.removeValue("a")
        #expect(try store.value("a") == nil)
        #expect(throws: StorageError.self) {
            try store.setValue("a", Bytes(repeating: 0, count: Limits.valueBytesMaximum + 1))
        }
        #expect(store.writeFailure == nil)
    }
}

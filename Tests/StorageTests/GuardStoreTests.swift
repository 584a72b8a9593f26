// A guard's file: what was read, what was signed, and that nothing signed is ever replaced.

import Ethereum
import Foundation
import Testing

@testable import Storage

@Suite("Guard store")
struct GuardStoreTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func open(_ name: String = "guard.sqlite") throws -> GuardStore {
        try GuardStore(path: scratch.path(name), role: "guard", logger: quiet)
    }

    private func leaf(_ number: UInt64) -> Hash32 { Hash32(U256(number)) }

    private func signed(_ sequence: UInt64, _ leaf: Hash32, lane: UInt64 = 1) -> GuardSignedRow {
        GuardSignedRow(source: lane, destination: 2, sequence: sequence, leaf: leaf)
    }

    @Test("a second leaf is refused, all or none, and a restart forgets nothing")
    func oneLeaf() throws {
        let first = try open()
        try first.sign([signed(1, leaf(11)), signed(2, leaf(12))])
        try first.sign([signed(2, leaf(12)), signed(3, leaf(13))])
        let error = #expect(throws: StorageError.self) { try first.sign([signed(4, leaf(14)), signed(1, leaf(99))]) }
        #expect(error?.code == .contradiction)
        #expect(first.store.writeFailure == nil, "a contradiction is no fault of the disk")
        try first.sign([signed(1, leaf(99), lane: 7)])
        try first.close()
        let second = try open()
        #expect(try second.signed(source: 1, destination: 2, newest: 10).map(\.leaf) == [leaf(11), leaf(12), leaf(13)])
        #expect(try second.signed(source: 1, destination: 2, newest: 2).map(\.sequence) == [2, 3])
        #expect(try second.signed(source: 7, destination: 2, newest: 2) == [signed(1, leaf(99), lane: 7)])
        try second.close()
    }

    @Test("what a power cut leaves has every leaf whose signature may have left")
    func powerCut() throws {
        let store = try open()
        for number in 1...20 as ClosedRange<UInt64> {
            try store.sign([signed(number, leaf(number))])
            // The signature leaves now.
            try scratch.copy("guard.sqlite", to: "cut-\(number).sqlite")
            let left = try open("cut-\(number).sqlite")
            #expect(try left.signed(source: 1, destination: 2, newest: 100).count == Int(number))
            try left.close()
        }
        try store.close()
    }

    @Test("messages are kept as they were first seen")
    func messages() throws {
        let store = try open()
        let rows = (1...5 as ClosedRange<UInt64>).map { number in
            GuardMessageRow(
                source: 1, destination: 2, sequence: number, messageID: leaf(number), leaf: leaf(100 + number),
                block: number, amounts: Bytes(repeating: UInt8(number), count: 52))
        }
        try store.keep(rows)
        var other = rows[2]
        other.leaf = leaf(7)
        try store.keep([other])
        #expect(try store.messages(source: 1, destination: 2, newest: 10) == rows)
        #expect(try store.messages(source: 1, destination: 2, newest: 2) == Array(rows.suffix(2)))
        #expect(try store.messages(source: 2, destination: 1, newest: 2).isEmpty)
        try store.close()
    }

    @Test("it has cursors and stops as every store has")
    func common() throws {
        let store = try open()
        try store.store.setCursor("departures", Cursor(number: 5, hash: leaf(5)))
        try store.store.raiseStop(scope: "lane/1/2", kind: "doubleExecution", reason: "seen")
        try store.close()
        let again = try open()
        #expect(try again.store.cursor("departures") == Cursor(number: 5, hash: leaf(5)))
        #expect(try again.store.isStopped("lane/1/2")?.kind == "doubleExecution")
        try again.close()
    }
}

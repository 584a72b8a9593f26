// Crashes: the files are taken as they are on the disk at some moment, and opened again. Everything that was
// acknowledged by then must be there, nothing may be there in part.

import Ethereum
import Foundation
import Testing

@testable import Storage

@Suite("Crashes")
struct CrashTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    /// One vote with its certificate: two rows that belong together.
    private func pair(_ number: UInt64) -> [VoteRow] {
        let bytes = Bytes(bigEndian: number) + Bytes(repeating: UInt8(truncatingIfNeeded: number), count: 700)
        return [
            VoteRow(digest: digest(1), slot: [3], bytes: bytes), VoteRow(digest: digest(1), slot: [4], bytes: bytes),
        ]
    }

    @Test("whatever was acknowledged is in the files at that moment, through checkpoints too")
    func acknowledgedSurvives() throws {
        let store = try scratch.open()
        for number in 1...600 as ClosedRange<UInt64> {
            try store.upsertVotes(pair(number))
            try store.applyOutbox(chain: 1, sender: .zero, [.put(key: Hash32(U256(number)), entry: [1, 2, 3])])
            guard number % 37 == 0 else { continue }
            try scratch.copy("store.sqlite", to: "crashed-\(number)")
            let crashed = try scratch.open("crashed-\(number)")
            #expect(try crashed.votes(digest: digest(1)) == pair(number).map(\.bytes))
            #expect(try crashed.outbox(chain: 1, sender: .zero).count == Int(number))
        }
    }

    @Test("a log that was torn anywhere gives a whole earlier state, never half a transaction")
    func tornLog() throws {
        let store = try scratch.open()
        for number in 1...6 as ClosedRange<UInt64> { try store.upsertVotes(pair(number)) }
        let size = try Data(contentsOf: URL(fileURLWithPath: scratch.path() + "-wal")).count
        var states: Set<UInt64> = []
        for cut in stride(from: 0, through: size, by: 1_367) {
            try scratch.copy("store.sqlite", to: "torn-\(cut)", logBytes: cut)
            let torn = try scratch.open("torn-\(cut)")
            let rows = try torn.votes(digest: digest(1))
            guard let first = rows.first else {
                states.insert(0)
                continue
            }
            let number = try #require(UInt64(bigEndianBytes: first.prefix(8)))
            #expect(rows == pair(number).map(\.bytes))
            states.insert(number)
        }
        #expect(states.count >= 5, "the cuts must have met several states: \(states.sorted())")
    }

    @Test("a flipped bit in the log drops what follows, and what is before stays whole")
    func flippedLog() throws {
        let store = try scratch.open()
        for number in 1...6 as ClosedRange<UInt64> { try store.upsertVotes(pair(number)) }
        try scratch.copy("store.sqlite", to: "flipped")
        let url = URL(fileURLWithPath: scratch.path("flipped") + "-wal")
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 2] ^= 0x10
        try bytes.write(to: url)
        let flipped = try scratch.open("flipped")
        let rows = try flipped.votes(digest: digest(1))
        if let first = rows.first {
            let number = try #require(UInt64(bigEndianBytes: first.prefix(8)))
            #expect(number < 6 && rows == pair(number).map(\.bytes))
        }
    }

    @Test("a process that is killed with signal 9 between two acknowledgements loses nothing and frees the lock")
    func killed() throws {
        // A child that holds the lock like a relayer and dies by signal: the kernel must free what it held.
        let path = scratch.path()
        try scratch.open().close()
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/bin/sh")
        child.arguments = [
            "-c", "exec 9>>\"$0.lock\"; flock -n 9 || exit 3; echo held; exec sleep 600 </dev/null", path,
        ]
        let output = Pipe()
        child.standardOutput = output
        try child.run()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "held\n")
        #expect(throws: StorageError.self) { try scratch.open() }
        kill(child.processIdentifier, SIGKILL)
        child.waitUntilExit()
        #expect(try scratch.open().bootCount == 2)
    }
}

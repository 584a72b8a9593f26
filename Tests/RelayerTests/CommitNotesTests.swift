// Notes are counted once a round, and say which lane they are about.

import CCIP
import Committing
import Testing

@testable import Relayer

@Suite("Notes of commit rounds")
struct CommitNotesTests {
    private let split = CommitNote(.split, 1)

    @Test("an outcome that is computed again counts once, and only when it is agreed on")
    func outcomes() {
        var tally = NoteTally()
        tally.computed([split], sequenceNumber: 7)
        #expect(tally.count(.split, 1) == 0, "nothing is agreed on yet")
        tally.computed([split, CommitNote(.reportGenerated, 2)], sequenceNumber: 7)
        tally.committed(sequenceNumber: 7)
        #expect(tally.count(.split, 1) == 1 && tally.count(.reportGenerated, 2) == 1)
        tally.committed(sequenceNumber: 7)
        #expect(tally.count(.split, 1) == 1)
        #expect(tally.count(.split, 2) == 0 && tally.count(.split) == 0, "another lane, and none")
    }

    @Test("an outcome that others agreed on has no notes here")
    func others() {
        var tally = NoteTally()
        tally.computed([split], sequenceNumber: 7)
        tally.committed(sequenceNumber: 8)
        tally.committed(sequenceNumber: 7)
        #expect(tally.counts.isEmpty)
    }

    @Test("observations count each")
    func observations() {
        let notes = CommitNotes()
        for _ in 0..<3 { notes.observed([CommitNote(.sourceCursed, 5), CommitNote(.curseUnknown)]) }
        #expect(notes.current.count(.sourceCursed, 5) == 3 && notes.current.count(.curseUnknown) == 3)
    }
}

// Receipts of gateways: they spare work, and never more than every gateway says.

import Ethereum
import PriceStreams
import Testing

@Suite("Receipts of gateways")
struct DeliveryTests {
    private let blue = Hash32(1)
    private let green = Hash32(2)

    private func news(_ tally: inout DeliveryTally) -> [DeliveryReceipt] { tally.news() }

    private func note(
        _ book: inout ReceiptBook, _ receipt: DeliveryReceipt, _ gateway: Int, isConnected: (Int) -> Bool
    ) -> Int {
        book.note(receipt, from: gateway, isConnected: isConnected)
    }

    @Test("a gateway counts each round of each configuration, and tells only what is new")
    func tally() {
        var tally = DeliveryTally()
        #expect(news(&tally).isEmpty)
        tally.add(digest: blue, sequenceNumber: 7)
        tally.add(digest: green, sequenceNumber: 7)
        tally.add(digest: blue, sequenceNumber: 7)
        #expect(
            news(&tally) == [
                DeliveryReceipt(digest: blue, sequenceNumber: 7, count: 2),
                DeliveryReceipt(digest: green, sequenceNumber: 7, count: 1),
            ])
        #expect(news(&tally).isEmpty)
        tally.add(digest: green, sequenceNumber: 7)
        #expect(news(&tally) == [DeliveryReceipt(digest: green, sequenceNumber: 7, count: 2)])
    }

    @Test("a round that was given up counts from the start, which says less and never more")
    func boundedTally() {
        var tally = DeliveryTally()
        for number in 1...UInt64(DeliveryTally.roundsMaximum + 1) { tally.add(digest: blue, sequenceNumber: number) }
        _ = news(&tally)
        tally.add(digest: blue, sequenceNumber: 1)
        tally.add(digest: blue, sequenceNumber: UInt64(DeliveryTally.roundsMaximum))
        #expect(Set(news(&tally).map(\.count)) == [1, 2])
    }

    @Test("what counts is what every connected gateway has; one that is away is not waited for")
    func least() {
        func receipt(_ count: Int, _ number: UInt64 = 9) -> DeliveryReceipt {
            DeliveryReceipt(digest: blue, sequenceNumber: number, count: count)
        }
        var book = ReceiptBook(gateways: 2)
        #expect(note(&book, receipt(5), 0) { _ in true } == 0, "the other one has said nothing")
        #expect(note(&book, receipt(3), 1) { _ in true } == 3)
        #expect(note(&book, receipt(4), 1) { _ in true } == 4)
        #expect(note(&book, receipt(2), 1) { _ in true } == 4, "a count never falls")
        #expect(note(&book, receipt(5, 10), 0) { $0 == 0 } == 5)
        #expect(note(&book, receipt(9), 2) { _ in true } == 0, "there is no such gateway")
        #expect(note(&book, receipt(9), -1) { _ in true } == 0)
    }

    @Test("however many rounds a gateway invents, only the last ones are kept")
    func bounded() {
        var book = ReceiptBook(gateways: 2)
        for number in 1...10_000 as ClosedRange<UInt64> {
            _ = book.note(DeliveryReceipt(digest: blue, sequenceNumber: number, count: 4), from: 0) { _ in true }
        }
        let old = DeliveryReceipt(digest: blue, sequenceNumber: 1, count: 4)
        #expect(note(&book, old, 1) { _ in true } == 0, "it was given up")
        let new = DeliveryReceipt(digest: blue, sequenceNumber: 10_000, count: 4)
        #expect(note(&book, new, 1) { _ in true } == 4)
    }
}

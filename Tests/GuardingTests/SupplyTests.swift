// Supply accounting: what balances, and what each kind of imbalance is called.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import Guarding

@Suite("Supply")
struct SupplyTests {
    let key = SupplyKey(lane: World.lane, sourcePool: World.pool)
    private func word(_ value: UInt64) -> U256 { U256(value) }

    private func book(_ decimals: SupplyDecimals = SupplyDecimals(source: 18, destination: 18)) -> SupplyBook {
        var book = SupplyBook()
        book.know(key, decimals)
        for number in 1...3 as ClosedRange<UInt64> {
            book.sent(SupplyTransfer(key: key, number: number, amount: word(100 * number)))
            book.taken(key, word(100 * number))
        }
        return book
    }

    private func line(_ book: SupplyBook) throws -> SupplyLine { try #require(book.all.first?.line) }

    @Test("locked is minted and in flight")
    func balanced() throws {
        var book = book()
        book.arrived(World.lane, 1)
        book.arrived(World.lane, 1)
        book.given(key, word(100))
        let line = try line(book)
        #expect(line.taken == word(600) && line.inFlight == word(500) && line.messagesInFlight == 2)
        #expect(line.verdict == .balanced && book.isBalanced)
    }

    @Test("decimals are translated message by message, rounded down")
    func decimals() throws {
        let down = SupplyDecimals(source: 18, destination: 16)
        #expect(down.translate(word(199)) == word(1) && down.translate(word(99)) == .zero)
        #expect(SupplyDecimals(source: 6, destination: 8).translate(word(5)) == word(500))
        #expect(SupplyDecimals(source: 0, destination: 77).translate(.max) == nil)
        #expect(SupplyDecimals(source: 0, destination: 78).translate(word(1)) == nil)
        var book = book(down)
        for number in 1...3 as ClosedRange<UInt64> { book.arrived(World.lane, number) }
        book.given(key, word(6))
        #expect(try line(book).verdict == .balanced)
    }

    @Test("each imbalance has its name and amount")
    func imbalances() throws {
        var minted = book()
        minted.arrived(World.lane, 1)
        minted.given(key, word(101))
        #expect(try line(minted).verdict == .excess(word(1)))
        var lost = book()
        lost.arrived(World.lane, 2)
        #expect(try line(lost).verdict == .short(word(200)))
        var uncovered = book()
        uncovered.sent(SupplyTransfer(key: key, number: 4, amount: word(7)))
        #expect(try line(uncovered).verdict == .uncovered(word(7)))
        var stranded = book()
        stranded.taken(key, word(9))
        #expect(try line(stranded).verdict == .stranded(word(9)))
        var stranger = book()
        stranger.stranger(key, 77)
        #expect(try line(stranger).verdict == .unknownMessage(77) && !stranger.isBalanced)
    }

    @Test("random traffic balances, and one unit more or less is seen", arguments: [UInt64(21), 22, 23])
    func property(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var book = SupplyBook()
        let scale = SupplyDecimals(source: 18, destination: UInt8(random.next() % 37))
        book.know(key, scale)
        var given = U256.zero
        for number in 1...200 as ClosedRange<UInt64> {
            let amount = U256(random.next())
            book.sent(SupplyTransfer(key: key, number: number, amount: amount))
            book.taken(key, amount)
            guard random.next() % 3 > 0 else { continue }
            book.arrived(World.lane, number)
            let share = try #require(scale.translate(amount))
            book.given(key, share)
            given = given + share
        }
        #expect(try line(book).verdict == .balanced, "seed \(seed)")
        #expect(try line(book).given == given)
        book.given(key, .one)
        #expect(try line(book).verdict == .excess(.one), "seed \(seed)")
    }
}

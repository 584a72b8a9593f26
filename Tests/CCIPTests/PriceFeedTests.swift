// Prices from outside CCIP: what of a feed's answer may be used, and what data costs below a rollup.

import CCIP
import Ethereum
import Testing

@Suite("Price feeds and rollup fees")
struct PriceFeedTests {
    private func round(
        answer: U256? = U256(3_000_00000000 as UInt64), id: UInt64 = 9, updatedAt: UInt64 = 1_000, answeredIn: UInt64 = 9
    ) -> FeedRound {
        FeedRound(id: U256(id), answer: answer, updatedAt: updatedAt, answeredInRound: U256(answeredIn))
    }

    private func price(_ round: FeedRound, feed: UInt8 = 8, token: UInt8 = 18, now: UInt64 = 1_100) -> U256? {
        round.price(feedDecimals: feed, tokenDecimals: token, maximumAgeSeconds: 3_600, now: now)
    }

    @Test("decimals scale to USD of 18 places for 10^18 smallest units")
    func scale() {
        let dollar = U256(1_000_000_000_000_000_000 as UInt64)
        #expect(price(round()) == U256(3_000 as UInt64) * dollar)
        // A token of 6 decimals: 10^18 smallest units are 10^12 tokens.
        #expect(price(round(answer: U256(100_000_000 as UInt64)), token: 6) == dollar * U256(1_000_000_000_000 as UInt64))
        #expect(price(round(answer: dollar), feed: 18) == dollar)
        #expect(price(round(answer: dollar * dollar), feed: 36, token: 18) == dollar)
    }

    @Test("an answer that is none, old, incomplete or carried over is not used")
    func refused() {
        #expect(price(round(answer: nil)) == nil)
        #expect(price(round(updatedAt: 0)) == nil)
        #expect(price(round(answeredIn: 8)) == nil)
        #expect(price(round(), now: 1_000 + 3_600) != nil)
        #expect(price(round(), now: 1_000 + 3_601) == nil)
        #expect(price(round(updatedAt: 2_000), now: 1_000) != nil, "a chain's clock may stand still")
        #expect(price(round(answer: U256.max >> 20)) == nil, "no price has more than 224 bits")
        #expect(price(round(answer: 1), feed: 36, token: 18) == nil, "0 after scaling")
        #expect(price(round(), feed: 37) == nil)
    }

    @Test("negative answers of an aggregator decode to none")
    func signed() throws {
        func answer(_ value: ABIValue) throws -> FeedRound {
            func number(_ value: UInt64) -> ABIValue { .uint(U256(value)) }
            return try PriceFeedCalls.latestRoundData().decode(
                ABI.encode(
                    [number(9), value, number(5), number(7), number(9)],
                    as: [.uint(80), .int(256), .uint(256), .uint(256), .uint(80)]))
        }
        #expect(try answer(.int(U256(42 as UInt64))) == FeedRound(id: 9, answer: 42, updatedAt: 7, answeredInRound: 9))
        #expect(try answer(.int(U256.max)).answer == nil)
        #expect(try answer(.int(.zero)).answer == nil)
    }

    @Test("an OP stack's price of data, as its oracle computes it")
    func optimism() {
        // 16 · 10 gwei · 1,368 + 1 wei · 810,949, over 16 · 10^6.
        let price = RollupFeeCalls.optimismPrice(
            baseFee: 10_000_000_000, baseFeeScalar: 1_368, blobBaseFee: 1, blobBaseFeeScalar: 810_949)
        #expect(price == U256(13_680_000 as UInt64))
        #expect(RollupFeeCalls.optimismPrice(
            baseFee: U256.max, baseFeeScalar: 1, blobBaseFee: 1, blobBaseFeeScalar: 1) == nil)
    }
}

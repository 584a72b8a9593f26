// What each schema says after the header, typed, and what the schemas have in common. Values are in the units of
// section 2.3; how many decimals a price has is the feed's, not the schema's.

import Ethereum

package enum ReportBody: Hashable, Sendable {
    /// Block-based, obsolete: read, and written only so that what was read can be given on.
    case v1(
        benchmarkPrice: Int192, bid: Int192, ask: Int192, currentBlockNumber: UInt64, currentBlockHash: Hash32,
        validFromBlockNumber: UInt64, currentBlockTimestamp: UInt64)
    case v2(benchmarkPrice: Int192)
    case v3(benchmarkPrice: Int192, bid: Int192, ask: Int192)
    case v4(benchmarkPrice: Int192, marketStatus: UInt32)
    /// Timestamp and duration in seconds.
    case v5(rate: Int192, timestamp: UInt32, duration: UInt32)
    case v6(price: Int192, price2: Int192, price3: Int192, price4: Int192, price5: Int192)
    case v7(exchangeRate: Int192)
    case v8(lastUpdateNanoseconds: UInt64, midPrice: Int192, marketStatus: UInt32)
    /// The date of the value in milliseconds.
    case v9(navPerShare: Int192, navDateMilliseconds: UInt64, aum: Int192, ripcord: UInt32)
    case v10(
        lastUpdateNanoseconds: UInt64, price: Int192, marketStatus: UInt32, currentMultiplier: Int192,
        newMultiplier: Int192, activationDateTime: UInt32, tokenizedPrice: Int192)
    case v11(
        mid: Int192, lastSeenNanoseconds: UInt64, bid: Int192, bidVolume: Int192, ask: Int192, askVolume: Int192,
        lastTradedPrice: Int192, marketStatus: UInt32)
    /// The date of the value in nanoseconds, unlike v9.
    case v12(navPerShare: Int192, nextNavPerShare: Int192, navDateNanoseconds: UInt64, ripcord: UInt32)
    /// Ask before bid.
    case v13(bestAsk: Int192, bestBid: Int192, askVolume: UInt64, bidVolume: UInt64, lastTradedPrice: Int192)

    /// 1...13.
    package var schemaNumber: Int {
        switch self {
        case .v1: 1
        case .v2: 2
        case .v3: 3
        case .v4: 4
        case .v5: 5
        case .v6: 6
        case .v7: 7
        case .v8: 8
        case .v9: 9
        case .v10: 10
        case .v11: 11
        case .v12: 12
        case .v13: 13
        }
    }
}

// MARK: - What schemas have in common

extension ReportBody {
    /// The number that a consumer of this feed wants first. Of v13, which has none, the last traded price.
    package var price: Int192 {
        switch self {
        case .v1(let price, _, _, _, _, _, _), .v2(let price), .v3(let price, _, _), .v4(let price, _),
            .v5(let price, _, _), .v6(let price, _, _, _, _), .v7(let price), .v8(_, let price, _),
            .v9(let price, _, _, _), .v10(_, let price, _, _, _, _, _), .v11(let price, _, _, _, _, _, _, _),
            .v12(let price, _, _, _), .v13(_, _, _, _, let price):
            price
        }
    }

    /// Both sides of the book where the schema has them.
    package var quote: (bid: Int192, ask: Int192)? {
        switch self {
        case .v1(_, let bid, let ask, _, _, _, _), .v3(_, let bid, let ask): (bid, ask)
        case .v11(_, _, let bid, _, let ask, _, _, _): (bid, ask)
        case .v13(let ask, let bid, _, _, _): (bid, ask)
        default: nil
        }
    }

    /// When the price itself last changed, where the schema says it; of v11 it speaks for `mid` only.
    package var priceNanoseconds: UInt64? {
        switch self {
        case .v8(let time, _, _), .v10(let time, _, _, _, _, _, _): time
        case .v11(_, let time, _, _, _, _, _, _): time
        case .v12(_, _, let time, _): time
        case .v9(_, let milliseconds, _, _):
            milliseconds > UInt64.max / 1_000_000 ? .max : milliseconds * 1_000_000
        case .v5(_, let seconds, _): UInt64(seconds) * 1_000_000_000
        default: nil
        }
    }

    /// The raw market status; what it means depends on the feed (2.4, `MarketStatus`).
    package var marketStatus: UInt32? {
        switch self {
        case .v4(_, let status), .v8(_, _, let status): status
        case .v10(_, _, let status, _, _, _, _): status
        case .v11(_, _, _, _, _, _, _, let status): status
        default: nil
        }
    }

    /// 0: normal; anything else: the value must not be consumed.
    package var ripcord: UInt32? {
        switch self {
        case .v9(_, _, _, let ripcord), .v12(_, _, _, let ripcord): ripcord
        default: nil
        }
    }

    /// Why clients of others would refuse or misread this body although it can be encoded; nil when they would not.
    /// What we publish must pass (2.3, 2.4): the TypeScript decoder throws on such values, Rust reads v12's date as
    /// signed.
    package var publicationProblem: String? {
        switch self {
        case .v4(_, let status) where status > 2, .v8(_, _, let status) where status > 2:
            return "market status \(status) of v\(schemaNumber) is none of 0, 1, 2"
        case .v10(_, _, let status, _, _, _, _) where status > 2:
            return "market status \(status) of v10 is none of 0, 1, 2"
        case .v9(_, _, _, let ripcord) where ripcord > 1, .v12(_, _, _, let ripcord) where ripcord > 1:
            return "ripcord \(ripcord) of v\(schemaNumber) is neither 0 nor 1"
        case .v12(_, _, let date, _) where date > UInt64(Int64.max):
            return "navDate of v12 does not fit a signed number"
        default:
            return nil
        }
    }
}

// MARK: - Words

extension ReportBody {
    /// Reads the words after the header; of v1, those after the two that it shares.
    init(schemaNumber: Int, _ reader: inout WordReader) throws(PriceStreamsError) {
        switch schemaNumber {
        case 1:
            self = .v1(
                benchmarkPrice: try reader.int192(), bid: try reader.int192(), ask: try reader.int192(),
                currentBlockNumber: try reader.uint64(), currentBlockHash: reader.hash(),
                validFromBlockNumber: try reader.uint64(), currentBlockTimestamp: try reader.uint64())
        case 2: self = .v2(benchmarkPrice: try reader.int192())
        case 3: self = .v3(benchmarkPrice: try reader.int192(), bid: try reader.int192(), ask: try reader.int192())
        case 4: self = .v4(benchmarkPrice: try reader.int192(), marketStatus: try reader.uint32())
        case 5: self = .v5(rate: try reader.int192(), timestamp: try reader.uint32(), duration: try reader.uint32())
        case 6:
            self = .v6(
                price: try reader.int192(), price2: try reader.int192(), price3: try reader.int192(),
                price4: try reader.int192(), price5: try reader.int192())
        case 7: self = .v7(exchangeRate: try reader.int192())
        case 8:
            self = .v8(
                lastUpdateNanoseconds: try reader.uint64(), midPrice: try reader.int192(),
                marketStatus: try reader.uint32())
        case 9:
            self = .v9(
                navPerShare: try reader.int192(), navDateMilliseconds: try reader.uint64(), aum: try reader.int192(),
                ripcord: try reader.uint32())
        case 10:
            self = .v10(
                lastUpdateNanoseconds: try reader.uint64(), price: try reader.int192(),
                marketStatus: try reader.uint32(), currentMultiplier: try reader.int192(),
                newMultiplier: try reader.int192(), activationDateTime: try reader.uint32(),
                tokenizedPrice: try reader.int192())
        case 11:
            self = .v11(
                mid: try reader.int192(), lastSeenNanoseconds: try reader.uint64(), bid: try reader.int192(),
                bidVolume: try reader.int192(), ask: try reader.int192(), askVolume: try reader.int192(),
                lastTradedPrice: try reader.int192(), marketStatus: try reader.uint32())
        case 12:
            self = .v12(
                navPerShare: try reader.int192(), nextNavPerShare: try reader.int192(),
                navDateNanoseconds: try reader.uint64(), ripcord: try reader.uint32())
        case 13:
            self = .v13(
                bestAsk: try reader.int192(), bestBid: try reader.int192(), askVolume: try reader.uint64(),
                bidVolume: try reader.uint64(), lastTradedPrice: try reader.int192())
        default: preconditionFailure("no schema has the number \(schemaNumber)")
        }
    }

    func write(to writer: inout WordWriter) {
        switch self {
        case .v1(let price, let bid, let ask, let number, let hash, let validFrom, let timestamp):
            writer.words(price, bid, ask)
            writer.word(number)
            writer.word(hash)
            writer.word(validFrom)
            writer.word(timestamp)
        case .v2(let price), .v7(let price): writer.word(price)
        case .v3(let price, let bid, let ask): writer.words(price, bid, ask)
        case .v4(let price, let status):
            writer.word(price)
            writer.word(status)
        case .v5(let rate, let timestamp, let duration):
            writer.word(rate)
            writer.word(timestamp)
            writer.word(duration)
        case .v6(let price, let price2, let price3, let price4, let price5):
            writer.words(price, price2, price3)
            writer.word(price4)
            writer.word(price5)
        case .v8(let time, let price, let status):
            writer.word(time)
            writer.word(price)
            writer.word(status)
        case .v9(let nav, let date, let aum, let ripcord):
            writer.word(nav)
            writer.word(date)
            writer.word(aum)
            writer.word(ripcord)
        case .v10(let time, let price, let status, let current, let new, let activation, let tokenized):
            writer.word(time)
            writer.word(price)
            writer.word(status)
            writer.word(current)
            writer.word(new)
            writer.word(activation)
            writer.word(tokenized)
        case .v11(let mid, let time, let bid, let bidVolume, let ask, let askVolume, let traded, let status):
            writer.word(mid)
            writer.word(time)
            writer.words(bid, bidVolume, ask)
            writer.word(askVolume)
            writer.word(traded)
            writer.word(status)
        case .v12(let nav, let next, let date, let ripcord):
            writer.word(nav)
            writer.word(next)
            writer.word(date)
            writer.word(ripcord)
        case .v13(let ask, let bid, let askVolume, let bidVolume, let traded):
            writer.word(ask)
            writer.word(bid)
            writer.word(askVolume)
            writer.word(bidVolume)
            writer.word(traded)
        }
    }
}

extension WordWriter {
    fileprivate mutating func words(_ a: Int192, _ b: Int192, _ c: Int192) {
        word(a)
        word(b)
        word(c)
    }
}

// How the tests read the vectors of the price streams, with an error that names the group or member.

import Ethereum
import PriceStreams
import TestSupport
import Testing

enum StreamsVector {
    static let file = Result { try Vectors.load("data-streams.json") }

    /// The groups of the file and how many members each has: a group that shrinks fails where it is read.
    static let groups: KeyValuePairs<String, Int> = [
        "keys": 31, "rogueKey": 2, "don": 4, "configDigests": 6, "destinationVerifierConfigIds": 2, "onchainConfig": 2,
        "offchainConfig": 5, "reportContext": 3, "reports": 13, "envelopes": 30, "envelopeRules": 22, "lloCodecs": 5,
        "sign3": 3, "aggregators": 15, "observationTimestampMedian": 2, "reportability": 10, "channelHash": 3,
        "auth": 3, "contracts": 3, "calldata": 6, "json": 6, "zeromq": 5,
    ]

    static func group(_ name: String) throws -> JSON {
        let group = try #require(try file.get()[name], "group \(name)")
        let count = try #require(groups.first { $0.key == name }?.value, "group \(name) stands in no list")
        #expect((group.asArray?.count ?? group.asObject?.names.count) == count, "group \(name)")
        return group
    }

    static func list(_ name: String) throws -> [JSON] { try #require(try group(name).asArray, "group \(name)") }

    /// The private keys of the test oracles, by index.
    static func privateKeys() throws -> [PrivateKey] {
        try list("keys").map { try PrivateKey(hex: $0.text("privateKey")) }
    }

    /// The configurations of the file by name, with their names for envelopes.
    static func oracleSets() throws -> [String: OracleSet] {
        var sets: [String: OracleSet] = [:]
        for config in try list("configDigests") {
            let feedID = try config["feedId"].map { try FeedID(text: try #require($0.asString)) }
            sets[try config.text("name")] = try OracleSet(
                digest: config.hash("configDigest"), faulty: config.int("f"), signers: config.signers("signers"),
                donID: 42, feedID: feedID)
        }
        return sets
    }
}

extension JSON {
    func at(_ name: String) throws -> JSON { try #require(self[name], "member \(name)") }
    func text(_ name: String) throws -> String { try #require(try at(name).asString, "text \(name)") }
    func bytes(_ name: String) throws -> Bytes { try Hex.decode(text(name)) }
    func hash(_ name: String) throws -> Hash32 { try Hash32(hex: text(name)) }
    func address(_ name: String) throws -> Address { try Address(hex: text(name)) }
    func word(_ name: String) throws -> U256 { try #require(try at(name).asUInt256, "number \(name)") }
    func u64(_ name: String) throws -> UInt64 { try #require(try word(name).asUInt64, "uint64 \(name)") }
    func u32(_ name: String) throws -> UInt32 { try #require(UInt32(exactly: try u64(name)), "uint32 \(name)") }
    func int(_ name: String) throws -> Int { try #require(try word(name).asInt, "int \(name)") }
    func int192(_ name: String) throws -> Int192 { try Int192(decimal: text(name)) }
    func uint192(_ name: String) throws -> UInt192 { try #require(UInt192(try word(name)), "uint192 \(name)") }
    func items(_ name: String) throws -> [JSON] { try #require(try at(name).asArray, "list \(name)") }
    func hashes(_ name: String) throws -> [Hash32] {
        try items(name).map { try Hash32(hex: try #require($0.asString)) }
    }
    /// Addresses, with or without a checksum.
    func signers(_ name: String) throws -> [Address] {
        try items(name).map { try Address(hex: try #require($0.asString)) }
    }
    func integers(_ name: String) throws -> [Int] { try items(name).map { try #require($0.asInt) } }

    /// The typed report of a case's `values`.
    func priceReport(schema: Int) throws -> PriceReport {
        let feedID = try FeedID(text: text("feedId"))
        let observations = try u64("observationsTimestamp")
        guard schema > 1 else {
            return try PriceReport(
                header: ReportHeader(
                    feedID: feedID, validFrom: observations, observations: observations,
                    expiresAt: UInt64(UInt32.max)), body: reportBody(schema))
        }
        let header = ReportHeader(
            feedID: feedID, validFrom: try u64("validFromTimestamp"), observations: observations,
            nativeFee: try uint192("nativeFee"), linkFee: try uint192("linkFee"), expiresAt: try u64("expiresAt"))
        return try PriceReport(header: header, body: reportBody(schema))
    }

    private func reportBody(_ schema: Int) throws -> ReportBody {
        switch schema {
        case 1:
            return .v1(
                benchmarkPrice: try int192("benchmarkPrice"), bid: try int192("bid"), ask: try int192("ask"),
                currentBlockNumber: try u64("currentBlockNum"), currentBlockHash: try hash("currentBlockHash"),
                validFromBlockNumber: try u64("validFromBlockNum"),
                currentBlockTimestamp: try u64("currentBlockTimestamp"))
        case 2: return .v2(benchmarkPrice: try int192("benchmarkPrice"))
        case 3:
            return .v3(benchmarkPrice: try int192("benchmarkPrice"), bid: try int192("bid"), ask: try int192("ask"))
        case 4: return .v4(benchmarkPrice: try int192("benchmarkPrice"), marketStatus: try u32("marketStatus"))
        case 5: return .v5(rate: try int192("rate"), timestamp: try u32("timestamp"), duration: try u32("duration"))
        case 6:
            return .v6(
                price: try int192("price"), price2: try int192("price2"), price3: try int192("price3"),
                price4: try int192("price4"), price5: try int192("price5"))
        case 7: return .v7(exchangeRate: try int192("exchangeRate"))
        case 8:
            return .v8(
                lastUpdateNanoseconds: try u64("lastUpdateTimestamp"), midPrice: try int192("midPrice"),
                marketStatus: try u32("marketStatus"))
        case 9:
            return .v9(
                navPerShare: try int192("navPerShare"), navDateMilliseconds: try u64("navDate"),
                aum: try int192("aum"), ripcord: try u32("ripcord"))
        case 10:
            return .v10(
                lastUpdateNanoseconds: try u64("lastUpdateTimestamp"), price: try int192("price"),
                marketStatus: try u32("marketStatus"), currentMultiplier: try int192("currentMultiplier"),
                newMultiplier: try int192("newMultiplier"), activationDateTime: try u32("activationDateTime"),
                tokenizedPrice: try int192("tokenizedPrice"))
        case 11:
            return .v11(
                mid: try int192("mid"), lastSeenNanoseconds: try u64("lastSeenTimestampNs"), bid: try int192("bid"),
                bidVolume: try int192("bidVolume"), ask: try int192("ask"), askVolume: try int192("askVolume"),
                lastTradedPrice: try int192("lastTradedPrice"), marketStatus: try u32("marketStatus"))
        case 12:
            return .v12(
                navPerShare: try int192("navPerShare"), nextNavPerShare: try int192("nextNavPerShare"),
                navDateNanoseconds: try u64("navDate"), ripcord: try u32("ripcord"))
        default:
            return .v13(
                bestAsk: try int192("bestAsk"), bestBid: try int192("bestBid"), askVolume: try u64("askVolume"),
                bidVolume: try u64("bidVolume"), lastTradedPrice: try int192("lastTradedPrice"))
        }
    }
}

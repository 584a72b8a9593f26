// The layouts of reports: which words in which order, their types and units (section 2 of the price specification).
// Reading and writing of words is in ReportWords.swift, the typed bodies in ReportBody.swift.

/// One of the schemas v1 to v13, and the unit of the header's timestamps.
///
/// A feed id of version 1...13 has the schema of that number and whole seconds. Our private range 0x0f02...0x0f0d has
/// the same words with milliseconds in a uint64 header (section 1 rule 7), for feeds faster than one report a second.
package struct ReportSchema: Hashable, Sendable {
    /// The unit of `validFromTimestamp`, `observationsTimestamp` and `expiresAt`.
    package enum HeaderUnit: String, Sendable {
        case seconds, milliseconds

        package var nanoseconds: UInt64 { self == .seconds ? 1_000_000_000 : 1_000_000 }
        /// The largest timestamp that the header's words take.
        package var maximum: UInt64 { self == .seconds ? UInt64(UInt32.max) : .max }
    }

    /// The type of one word.
    package enum Kind: String, Sendable { case bytes32, uint32, uint64, uint192, int192 }

    package struct Field: Hashable, Sendable {
        package let name: String
        package let kind: Kind
        /// What one unit is, for people: "s", "ms", "ns", "1e-18"; empty where the feed's metadata tell.
        package let unit: String
    }

    /// 1...13.
    package let number: Int
    package let headerUnit: HeaderUnit

    package static let versions: ClosedRange<UInt16> = 1...13
    package static let privateVersions: ClosedRange<UInt16> = 0x0f02...0x0f0d

    /// The schema of a feed's reports; nil for a version that nobody has defined.
    package init?(version: UInt16) {
        if Self.versions.contains(version) {
            self.init(number: Int(version), headerUnit: .seconds)
        } else if Self.privateVersions.contains(version) {
            self.init(number: Int(version & 0xff), headerUnit: .milliseconds)
        } else {
            return nil
        }
    }

    private init(number: Int, headerUnit: HeaderUnit) {
        self.number = number
        self.headerUnit = headerUnit
    }

    /// The first two bytes of the ids of feeds with this schema.
    package var version: UInt16 { UInt16(number) | (headerUnit == .milliseconds ? 0x0f00 : 0) }
    package var name: String { headerUnit == .seconds ? "v\(number)" : "v\(number) (milliseconds)" }
    package var wordCount: Int { Self.wordCounts[number - 1] }
    package var byteCount: Int { 32 * wordCount }
    /// Every word of the report in order, the header's first.
    package var fields: [Field] {
        let table = headerUnit == .seconds ? Self.secondTables : Self.millisecondTables
        return table[number - 1]
    }

    private static let wordCounts = secondTables.map(\.count)
    private static let secondTables = tables(timestamp: .uint32, unit: "s")
    private static let millisecondTables = tables(timestamp: .uint64, unit: "ms")

    private static func tables(timestamp: Kind, unit: String) -> [[Field]] {
        let header = [
            Field(name: "feedId", kind: .bytes32, unit: ""),
            Field(name: "validFromTimestamp", kind: timestamp, unit: unit),
            Field(name: "observationsTimestamp", kind: timestamp, unit: unit),
            Field(name: "nativeFee", kind: .uint192, unit: "1e-18"),
            Field(name: "linkFee", kind: .uint192, unit: "1e-18"),
            Field(name: "expiresAt", kind: timestamp, unit: unit),
        ]
        return [blockBased] + bodies.map { header + $0 }
    }

    private static func price(_ name: String, unit: String = "") -> Field {
        Field(name: name, kind: .int192, unit: unit)
    }
    private static func u32(_ name: String, unit: String = "") -> Field { Field(name: name, kind: .uint32, unit: unit) }
    private static func u64(_ name: String, unit: String = "") -> Field { Field(name: name, kind: .uint64, unit: unit) }

    /// v1 has a layout of its own.
    private static let blockBased = [
        Field(name: "feedId", kind: .bytes32, unit: ""), u32("observationsTimestamp", unit: "s"),
        price("benchmarkPrice"), price("bid"), price("ask"), u64("currentBlockNum"),
        Field(name: "currentBlockHash", kind: .bytes32, unit: ""), u64("validFromBlockNum"),
        u64("currentBlockTimestamp", unit: "s"),
    ]

    /// v2 to v13 after the six common words.
    private static let bodies: [[Field]] = [
        [price("benchmarkPrice")],
        [price("benchmarkPrice"), price("bid"), price("ask")],
        [price("benchmarkPrice"), u32("marketStatus")],
        [price("rate"), u32("timestamp", unit: "s"), u32("duration", unit: "s")],
        [price("price"), price("price2"), price("price3"), price("price4"), price("price5")],
        [price("exchangeRate", unit: "1e-18")],
        [u64("lastUpdateTimestamp", unit: "ns"), price("midPrice", unit: "1e-18"), u32("marketStatus")],
        [price("navPerShare", unit: "1e-18"), u64("navDate", unit: "ms"), price("aum", unit: "1e-18"), u32("ripcord")],
        [
            u64("lastUpdateTimestamp", unit: "ns"), price("price", unit: "1e-18"), u32("marketStatus"),
            price("currentMultiplier", unit: "1e-18"), price("newMultiplier", unit: "1e-18"),
            u32("activationDateTime", unit: "s"), price("tokenizedPrice", unit: "1e-18"),
        ],
        [
            price("mid", unit: "1e-18"), u64("lastSeenTimestampNs", unit: "ns"), price("bid", unit: "1e-18"),
            price("bidVolume", unit: "1e-18"), price("ask", unit: "1e-18"), price("askVolume", unit: "1e-18"),
            price("lastTradedPrice", unit: "1e-18"), u32("marketStatus"),
        ],
        [
            price("navPerShare", unit: "1e-18"), price("nextNavPerShare", unit: "1e-18"), u64("navDate", unit: "ns"),
            u32("ripcord"),
        ],
        [
            price("bestAsk", unit: "1e-18"), price("bestBid", unit: "1e-18"), u64("askVolume"), u64("bidVolume"),
            price("lastTradedPrice", unit: "1e-18"),
        ],
    ]
}

extension ReportSchema: CustomStringConvertible {
    package var description: String { name }
}

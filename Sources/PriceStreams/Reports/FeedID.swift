// The public name of a report series (section 1 of the price specification). What stands behind a feed (decimals,
// hours, class) is in the registry of feeds and never derived from these bytes; only the first two have a meaning.

import Ethereum

/// 32 bytes; the first two are the version of the schema, big-endian. Prints as `0x` and 64 lower-case digits.
package struct FeedID: Hashable, Sendable, BitwiseCopyable {
    package let hash: Hash32

    package init(_ hash: Hash32) { self.hash = hash }

    /// Exactly 32 bytes; nil otherwise.
    package init?(bytes: some Collection<UInt8>) {
        guard let hash = Hash32(bytes: bytes) else { return nil }
        self.hash = hash
    }

    /// `0x` and exactly 64 hexadecimal digits of either case; throws `malformedFeedID` on anything else. The signature
    /// of a request covers the text as sent: fold after checking it.
    package init(text: some StringProtocol) throws(PriceStreamsError) {
        let digits = text.utf8
        guard digits.count == 66, text.hasPrefix("0x"), let hash = try? Hash32(hex: text) else {
            let shown = text.count > 80 ? "\(text.prefix(77))..." : String(text)
            throw PriceStreamsError(
                .malformedFeedID, "'\(shown)' is no feed id", hint: "0x and 64 hexadecimal digits are wanted")
        }
        self.hash = hash
    }

    /// The id of a feed of our own: the version, then the last 30 bytes of keccak256(symbol / segment).
    package init(version: UInt16, symbol: String, segment: String) {
        let name = keccak256(text: "\(symbol)/\(segment)").word & (U256.max >> 16)
        hash = Hash32(U256(UInt64(version)) << 240 | name)
    }

    /// The first two bytes: 1...13 are public schemas, 0x0f00...0x0fff our private range.
    package var version: UInt16 { UInt16(truncatingIfNeeded: hash.word.w3 >> 48) }

    /// Lower case, always: clients compare the text.
    package var text: String { hash.hex }
    package var bytes: Bytes { hash.bytes }
}

extension FeedID: Comparable, CustomStringConvertible {
    package static func < (a: FeedID, b: FeedID) -> Bool { a.hash < b.hash }
    package var description: String { text }
}

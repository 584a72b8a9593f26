// The feeds that a gateway's operator withholds, as a value: since when, by whom, why; and what was withheld before. JSON
// in, JSON out. Disks are WithheldStore's.

import Ethereum
import PriceStreams

package struct WithheldFile: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package struct Release: Equatable, Sendable {
            /// Milliseconds since 1970.
            package var at: UInt64
            package var by: String
            package var why: String
        }

        package var feedID: FeedID
        /// Milliseconds since 1970.
        package var since: UInt64
        package var by: String
        package var why: String
        /// Nil while it stands.
        package var released: Release?
    }

    /// Stands beside the reports of a gateway.
    package static let name = "withheld.json"

    /// In the order in which feeds were withheld.
    package private(set) var entries: [Entry] = []

    package init() {}

    package var standing: Set<FeedID> { Set(entries.filter { $0.released == nil }.map(\.feedID)) }

    // MARK: Changing

    /// - Returns: whether the feed was published until now.
    mutating func withhold(_ feedID: FeedID, by name: String, why: String, at now: UInt64) -> Bool {
        guard !standing.contains(feedID) else { return false }
        entries.append(
            Entry(feedID: feedID, since: now, by: Self.bounded(name), why: Self.bounded(why), released: nil))
        // What is over is forgotten before what stands.
        while entries.count > Limits.withheldEntriesMaximum, let old = entries.firstIndex(where: { $0.released != nil }) {
            entries.remove(at: old)
        }
        return true
    }

    /// - Returns: whether it was withheld.
    mutating func release(_ feedID: FeedID, by name: String, why: String, at now: UInt64) -> Bool {
        guard let index = entries.firstIndex(where: { $0.feedID == feedID && $0.released == nil }) else { return false }
        entries[index].released = Entry.Release(at: now, by: Self.bounded(name), why: Self.bounded(why))
        return true
    }

    private static func bounded(_ text: String) -> String { String(text.prefix(Limits.withheldTextCharacters)) }

    // MARK: JSON

    var encoded: Bytes {
        let items = entries.map { entry in
            JSON.object(JSONObject([
                ("feed", .string(entry.feedID.text)), ("since", .integer(entry.since)), ("by", .string(entry.by)),
                ("why", .string(entry.why)),
                (
                    "released",
                    entry.released.map { release in
                        .object(JSONObject([
                            ("at", .integer(release.at)), ("by", .string(release.by)), ("why", .string(release.why)),
                        ]))
                    } ?? .null
                ),
            ]))
        }
        return Bytes(JSON.object(JSONObject([("version", 1), ("withheld", .array(items))])).pretty.utf8)
    }

    package init(decoding bytes: Bytes) throws(StreamsNodeError) {
        func refuse(_ why: String) -> StreamsNodeError {
            StreamsNodeError(
                .settings, "no file of withheld feeds: \(why)",
                hint: "change it with `causeway streams withhold` and `release` only")
        }
        guard bytes.count <= Limits.withheldFileBytesMaximum else { throw refuse("\(bytes.count) bytes") }
        guard let json = try? JSON.parse(bytes) else { throw refuse("it is no JSON") }
        guard json["version"]?.asInt == 1 else { throw refuse("'version' is not 1") }
        guard let items = json["withheld"]?.asArray, items.count <= 2 * Limits.withheldEntriesMaximum else {
            throw refuse("'withheld' is no list")
        }
        for item in items {
            guard let entry = Entry(item), entry.released != nil || !standing.contains(entry.feedID) else {
                throw refuse("entry \(entries.count) of 'withheld' is malformed, or its feed is there twice")
            }
            entries.append(entry)
        }
    }
}

extension WithheldFile.Entry {
    fileprivate init?(_ json: JSON) {
        guard let feedID = json["feed"]?.asString.flatMap({ try? FeedID(text: $0) }),
            let since = json["since"]?.asUInt256?.asUInt64, let by = json["by"]?.asString, let why = json["why"]?.asString,
            let release = json["released"]
        else { return nil }
        var released: Release?
        if release != .null {
            guard let at = release["at"]?.asUInt256?.asUInt64, let name = release["by"]?.asString,
                let text = release["why"]?.asString
            else { return nil }
            released = Release(at: at, by: name, why: text)
        }
        self.init(feedID: feedID, since: since, by: by, why: why, released: released)
    }
}

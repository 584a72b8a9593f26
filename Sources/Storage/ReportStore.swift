// The history of a gateway: signed price reports, by feed and time. Each stands as it was received; what it says is not
// looked at here. Old ones go by age and by number, oldest first.

import Ethereum
import GRDB
import Logging

enum ReportSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("reports 1") { database in try database.execute(sql: first) }
        return migrator
    }

    /// Times of observations are nanoseconds, which 63 bits hold until the year 2262.
    private static let first = """
        CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), boots INTEGER NOT NULL) STRICT;
        INSERT INTO meta (id, boots) VALUES (1, 0);
        CREATE TABLE report (
            id INTEGER PRIMARY KEY, feed BLOB NOT NULL, observed INTEGER NOT NULL, valid_from INTEGER NOT NULL,
            observations INTEGER NOT NULL, first_second INTEGER NOT NULL, sequence INTEGER NOT NULL,
            received INTEGER NOT NULL, payload BLOB NOT NULL, UNIQUE (feed, observed)) STRICT;
        CREATE INDEX report_by_age ON report (received);
        """
}

extension StoreKind {
    /// "CWrp": the reports of a gateway.
    static let reports = StoreKind(
        applicationID: 0x4357_7270, migrator: { ReportSchema.migrator }, check: "SELECT 'ok'",
        checkpointPages: Limits.reportCheckpointPages, cachedPages: Limits.reportCachedPages)
}

/// One report of one feed.
package struct ReportRow: Equatable, Sendable {
    /// 32 bytes.
    package var feed: Bytes
    /// Nanoseconds since 1970, the clocks' median of the round.
    package var observed: UInt64
    /// As in the header, in its unit.
    package var validFrom: UInt64
    package var observations: UInt64
    /// The first whole second that the report covers.
    package var firstSecond: UInt64
    /// Of the agreement that made it.
    package var sequence: UInt64
    /// Milliseconds since 1970, this machine's clock.
    package var received: UInt64
    /// The full report.
    package var payload: Bytes

    package init(
        feed: Bytes, observed: UInt64, validFrom: UInt64, observations: UInt64, firstSecond: UInt64, sequence: UInt64,
        received: UInt64, payload: Bytes
    ) {
        self.feed = feed
        self.observed = observed
        self.validFrom = validFrom
        self.observations = observations
        self.firstSecond = firstSecond
        self.sequence = sequence
        self.received = received
        self.payload = payload
    }
}

package final class ReportStore: Sendable {
    private let store: Store

    /// Opens the file at `path`, or makes it. Throws as `Store` does.
    package init(path: String, role: String, logger: Logger) throws(StorageError) {
        store = try Store(path: path, role: role, kind: .reports, logger: logger)
    }

    package func close() throws(StorageError) { try store.close() }

    /// All or none, on the disk when it returns.
    /// - Returns: for each row the report that stood there before under the same feed and time; nil where none did and the
    ///   row was written.
    package func keep(_ rows: [ReportRow]) throws(StorageError) -> [Bytes?] {
        guard !rows.isEmpty else { return [] }
        return try store.write { database in
            let insert = try database.cachedStatement(
                sql: """
                    INSERT INTO report (feed, observed, valid_from, observations, first_second, sequence, received, payload)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                    """)
            let find = try database.cachedStatement(sql: "SELECT payload FROM report WHERE feed = ? AND observed = ?")
            return try rows.map { row in
                try insert.execute(arguments: [
                    row.feed.column, row.observed.small, row.validFrom.small, row.observations.small,
                    row.firstSecond.small, row.sequence.small, row.received.small, row.payload.column,
                ])
                if database.changesCount > 0 { return nil }
                return try Row.fetchOne(find, arguments: [row.feed.column, row.observed.small])
                    .map { try Columns(row: $0).bytes("payload") }
            }
        }
    }

    /// The report with the greatest time.
    package func latest(of feed: Bytes) throws(StorageError) -> ReportRow? {
        try rows("feed = ? ORDER BY observed DESC LIMIT 1", [feed.column]).first
    }

    /// The report that covers a second; where several lie in it, the last of them.
    package func covering(second: UInt64, of feed: Bytes) throws(StorageError) -> ReportRow? {
        guard second < Limits.reportSecondMaximum else { return nil }
        let (start, end) = ((second * 1_000_000_000).small, ((second + 1) * 1_000_000_000).small)
        let inside = try rows(
            "feed = ? AND observed >= ? AND observed < ? ORDER BY observed DESC LIMIT 1", [feed.column, start, end])
        if let last = inside.first { return last }
        let next = try rows("feed = ? AND observed >= ? ORDER BY observed LIMIT 1", [feed.column, end])
        return next.first { $0.firstSecond <= second }
    }

    /// Reports from a time on, ascending; at most `limit`, and never more than a page.
    package func page(
        of feed: Bytes, from nanoseconds: UInt64, to end: UInt64 = .max, limit: Int
    ) throws(StorageError) -> [ReportRow] {
        try rows(
            "feed = ? AND observed >= ? AND observed <= ? ORDER BY observed LIMIT ?",
            [feed.column, nanoseconds.small, end.small, min(limit, Limits.indexPageMaximum)])
    }

    /// Feeds of which there is anything.
    package func feeds() throws(StorageError) -> [Bytes] {
        try store.read { database in
            try Row.fetchAll(database, sql: "SELECT DISTINCT feed FROM report ORDER BY feed")
                .map { try Columns(row: $0).bytes("feed") }
        }
    }

    package func count() throws(StorageError) -> Int {
        try store.read { database in try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM report") ?? 0 }
    }

    /// Forgets reports that were received before a time, and the oldest beyond a number; a bounded step of the work.
    /// - Returns: how many went.
    package func prune(receivedBefore milliseconds: UInt64, keeping newest: Int) throws(StorageError) -> Int {
        try store.write { database in
            try database.execute(
                sql: """
                    DELETE FROM report WHERE id IN (SELECT id FROM report WHERE received < ? ORDER BY received LIMIT ?)
                    """, arguments: [milliseconds.small, Limits.prunedRowsMaximum])
            let aged = database.changesCount
            guard let last = try Int64.fetchOne(database, sql: "SELECT MAX(id) FROM report") else { return aged }
            try database.execute(
                sql: "DELETE FROM report WHERE id IN (SELECT id FROM report WHERE id <= ? ORDER BY id LIMIT ?)",
                arguments: [last - Int64(newest), Limits.prunedRowsMaximum])
            return aged + database.changesCount
        }
    }

    private func rows(_ condition: String, _ arguments: StatementArguments) throws(StorageError) -> [ReportRow] {
        try store.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM report WHERE \(condition)", arguments: arguments).map { row in
                let columns = Columns(row: row)
                return ReportRow(
                    feed: try columns.bytes("feed"), observed: try columns.small("observed"),
                    validFrom: try columns.small("valid_from"), observations: try columns.small("observations"),
                    firstSecond: try columns.small("first_second"), sequence: try columns.small("sequence"),
                    received: try columns.small("received"), payload: try columns.bytes("payload"))
            }
        }
    }
}

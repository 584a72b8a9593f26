// Stops: reasons not to go on. A stop is written before anything follows from it, outlives restarts, and goes away by an
// operator's hand only; its record stays, with who lifted it and why.

import Ethereum
import GRDB
import Logging

package struct Stop: Equatable, Sendable {
    /// What stands still: "chain/1", "lane/…", "all".
    package var scope: String
    /// A stable name of the reason: "finalityViolation", "equivocation", "operator".
    package var kind: String
    package var reason: String
    /// Seconds since 1970.
    package var raisedAt: UInt64
    package var clearedAt: UInt64?
    package var clearedBy: String?
    /// In the words of who lifted it.
    package var clearedWhy: String?

    package var stands: Bool { clearedAt == nil }
}

extension Store {
    /// Raises a stop; while one of the same scope and kind stands, its first reason is kept.
    package func raiseStop(scope: String, kind: String, reason: String) throws(StorageError) {
        try write { database in
            try database.execute(
                sql: """
                    INSERT INTO stop (scope, kind, reason, raised_at) VALUES (?, ?, ?, ?)
                    ON CONFLICT (scope, kind) WHERE cleared_at IS NULL DO NOTHING
                    """, arguments: [scope, kind, reason, Store.now.small])
        }
        logger.critical("stopped", metadata: ["scope": "\(scope)", "kind": "\(kind)", "reason": "\(reason)"])
    }

    /// Stops that stand, oldest first.
    package func activeStops() throws(StorageError) -> [Stop] {
        try stops("SELECT * FROM stop WHERE cleared_at IS NULL ORDER BY id")
    }

    /// The oldest stop that stands for exactly this scope.
    package func isStopped(_ scope: String) throws(StorageError) -> Stop? {
        try stops("SELECT * FROM stop WHERE cleared_at IS NULL AND scope = ? ORDER BY id LIMIT 1", [scope]).first
    }

    /// Every stop there ever was, oldest first.
    package func stopHistory() throws(StorageError) -> [Stop] { try stops(Stop.everyRow) }

    /// Clears a stop in an operator's name; false when none stands.
    package func clearStop(
        scope: String, kind: String, by operatorName: String, why: String? = nil
    ) throws(StorageError) -> Bool {
        if let why { try checkSize(Bytes(why.utf8), maximum: Limits.stopReasonBytesMaximum, of: "a reason") }
        let cleared = try write { database in
            try database.execute(
                sql: """
                    UPDATE stop SET cleared_at = ?, cleared_by = ?, cleared_why = ?
                    WHERE scope = ? AND kind = ? AND cleared_at IS NULL
                    """, arguments: [Store.now.small, operatorName, why, scope, kind])
            return database.changesCount > 0
        }
        if cleared {
            logger.notice(
                "a stop was cleared",
                metadata: [
                    "scope": "\(scope)", "kind": "\(kind)", "by": "\(operatorName)", "why": "\(why ?? "not said")",
                ])
        }
        return cleared
    }

    private func stops(_ sql: String, _ arguments: StatementArguments = []) throws(StorageError) -> [Stop] {
        try read { database in try Row.fetchAll(database, sql: sql, arguments: arguments).map(Stop.init) }
    }
}

extension Stop {
    static let everyRow = "SELECT * FROM stop ORDER BY id"

    /// Also of a file that an older version wrote, which has no `cleared_why`.
    init(_ row: Row) throws {
        let columns = Columns(row: row)
        self.init(
            scope: try columns.text("scope"), kind: try columns.text("kind"), reason: try columns.text("reason"),
            raisedAt: try columns.small("raised_at"),
            clearedAt: row["cleared_at"] == nil ? nil : try columns.small("cleared_at"), clearedBy: row["cleared_by"],
            clearedWhy: row.hasColumn("cleared_why") ? row["cleared_why"] : nil)
    }
}

/// Two statements of one oracle that contradict each other, without their bytes.
package struct Evidence: Equatable, Sendable {
    package var instance: Bytes
    /// The oracle's place in the cluster.
    package var accused: Int
    package var kind: String
    /// Seconds since 1970.
    package var seenAt: UInt64
}

/// What a store says of its stops, asked beside the process that holds it: read-only, without its lock.
package struct StopReport: Equatable, Sendable {
    /// Every stop there ever was, oldest first.
    package let stops: [Stop]
    /// Oldest first; at most `Limits.evidenceShown`.
    package let evidence: [Evidence]

    /// Throws as the opening of a store does, and `storeUnreadable` when nothing is there.
    package init(reading path: String) throws(StorageError) {
        do {
            let queue = try StoreFile.reader(path, kind: .relayer)
            (stops, evidence) = try queue.read { database in
                let stops = try Row.fetchAll(database, sql: Stop.everyRow).map(Stop.init)
                let evidence = try Row.fetchAll(
                    database, sql: "SELECT digest, accused, kind, seen_at FROM evidence ORDER BY id LIMIT ?",
                    arguments: [Limits.evidenceShown]
                ).map { row in
                    let columns = Columns(row: row)
                    return Evidence(
                        instance: try columns.bytes("digest"), accused: Int(try columns.small("accused")),
                        kind: try columns.text("kind"), seenAt: try columns.small("seen_at"))
                }
                return (stops, evidence)
            }
            try queue.close()
        } catch {
            throw StorageError.from(error, path: path, writing: false)
        }
    }
}

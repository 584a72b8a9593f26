// Stops: reasons not to go on. A stop is written before anything follows from it, outlives restarts, and goes away by an
// operator's hand only; its record stays.

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
    package func stopHistory() throws(StorageError) -> [Stop] { try stops("SELECT * FROM stop ORDER BY id") }

    /// Clears a stop in an operator's name; false when none stands.
    package func clearStop(scope: String, kind: String, by operatorName: String) throws(StorageError) -> Bool {
        let cleared = try write { database in
            try database.execute(
                sql:
                    "UPDATE stop SET cleared_at = ?, cleared_by = ? WHERE scope = ? AND kind = ? AND cleared_at IS NULL",
                arguments: [Store.now.small, operatorName, scope, kind])
            return database.changesCount > 0
        }
        if cleared {
            logger.notice(
                "a stop was cleared", metadata: ["scope": "\(scope)", "kind": "\(kind)", "by": "\(operatorName)"])
        }
        return cleared
    }

    private func stops(_ sql: String, _ arguments: StatementArguments = []) throws(StorageError) -> [Stop] {
        try read { database in
            try Row.fetchAll(database, sql: sql, arguments: arguments).map { row in
                let columns = Columns(row: row)
                return Stop(
                    scope: try columns.text("scope"), kind: try columns.text("kind"),
                    reason: try columns.text("reason"),
                    raisedAt: try columns.small("raised_at"),
                    clearedAt: row["cleared_at"] == nil ? nil : try columns.small("cleared_at"),
                    clearedBy: row["cleared_by"])
            }
        }
    }
}

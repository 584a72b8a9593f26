// The file of a guard: what it read of each lane, what it signed, and, as in a relayer's file, cursors, stops and an outbox.
// What was signed is written once: a second leaf for a number is refused here too, whatever the caller believes.

import Ethereum
import GRDB
import Logging

enum GuardSchema {
    static var migrator: DatabaseMigrator {
        var migrator = Schema.migrator
        migrator.registerMigration("guard 1") { database in try database.execute(sql: first) }
        return migrator
    }

    private static let first = """
        CREATE TABLE guard_message (
            source BLOB NOT NULL, destination BLOB NOT NULL, sequence BLOB NOT NULL, message_id BLOB NOT NULL,
            leaf BLOB NOT NULL, block BLOB NOT NULL, amounts BLOB NOT NULL,
            PRIMARY KEY (source, destination, sequence)) STRICT, WITHOUT ROWID;
        CREATE TABLE guard_signed (
            source BLOB NOT NULL, destination BLOB NOT NULL, sequence BLOB NOT NULL, leaf BLOB NOT NULL,
            signed_at INTEGER NOT NULL, PRIMARY KEY (source, destination, sequence)) STRICT, WITHOUT ROWID;
        """
}

extension StoreKind {
    /// "CWgd": a guard.
    static let guardian = StoreKind(
        applicationID: 0x4357_6764, migrator: { GuardSchema.migrator },
        check: "PRAGMA integrity_check(\(Limits.integrityErrorsShown))")
}

/// A message of a lane as a guard derived it.
package struct GuardMessageRow: Equatable, Sendable {
    package var source: UInt64
    package var destination: UInt64
    package var sequence: UInt64
    package var messageID: Hash32
    package var leaf: Hash32
    package var block: UInt64
    /// 52 bytes each: pool, amount.
    package var amounts: Bytes

    package init(
        source: UInt64, destination: UInt64, sequence: UInt64, messageID: Hash32, leaf: Hash32, block: UInt64,
        amounts: Bytes
    ) {
        self.source = source
        self.destination = destination
        self.sequence = sequence
        self.messageID = messageID
        self.leaf = leaf
        self.block = block
        self.amounts = amounts
    }
}

/// A leaf that was signed for a number of a lane.
package struct GuardSignedRow: Equatable, Sendable {
    package var source: UInt64
    package var destination: UInt64
    package var sequence: UInt64
    package var leaf: Hash32

    package init(source: UInt64, destination: UInt64, sequence: UInt64, leaf: Hash32) {
        self.source = source
        self.destination = destination
        self.sequence = sequence
        self.leaf = leaf
    }
}

package final class GuardStore: Sendable {
    /// Cursors, stops, outbox.
    package let store: Store

    /// Opens the file at `path`, or makes it. Throws as `Store` does.
    package init(path: String, role: String, logger: Logger) throws(StorageError) {
        store = try Store(path: path, role: role, kind: .guardian, logger: logger)
    }

    package func close() throws(StorageError) { try store.close() }

    /// All or none, on the disk when it returns. A row that is there stays as it is.
    package func keep(_ rows: [GuardMessageRow]) throws(StorageError) {
        guard !rows.isEmpty else { return }
        try store.write { database in
            let insert = try database.cachedStatement(
                sql: "INSERT INTO guard_message VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
            for row in rows {
                try insert.execute(arguments: [
                    row.source.column, row.destination.column, row.sequence.column, row.messageID.column,
                    row.leaf.column, row.block.column, row.amounts.column,
                ])
            }
        }
    }

    /// All or none, on the disk when it returns. Throws `contradiction` when another leaf was signed under a number.
    package func sign(_ rows: [GuardSignedRow]) throws(StorageError) {
        guard !rows.isEmpty else { return }
        let path = store.path
        try store.write { database in
            for row in rows {
                let key: StatementArguments = [row.source.column, row.destination.column, row.sequence.column]
                let known = try Row.fetchOne(
                    database,
                    sql: "SELECT leaf FROM guard_signed WHERE source = ? AND destination = ? AND sequence = ?",
                    arguments: key)
                if let known {
                    guard try Columns(row: known).hash("leaf") == row.leaf else {
                        throw StorageError(
                            .contradiction,
                            "another leaf was signed for number \(row.sequence) of lane \(row.source) -> \(row.destination)",
                            path: path, hint: "never remove this record; find out which of the two the source has")
                    }
                    continue
                }
                try database.execute(
                    sql: "INSERT INTO guard_signed VALUES (?, ?, ?, ?, ?)",
                    arguments: key + [row.leaf.column, Store.now.small])
            }
        }
    }

    /// The newest messages of a lane, ascending.
    package func messages(source: UInt64, destination: UInt64, newest: Int) throws(StorageError) -> [GuardMessageRow] {
        try store.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM guard_message WHERE source = ? AND destination = ? ORDER BY sequence DESC LIMIT ?",
                arguments: [source.column, destination.column, newest]
            ).reversed().map { row in
                let columns = Columns(row: row)
                return GuardMessageRow(
                    source: source, destination: destination, sequence: try columns.number("sequence"),
                    messageID: try columns.hash("message_id"), leaf: try columns.hash("leaf"),
                    block: try columns.number("block"), amounts: try columns.bytes("amounts"))
            }
        }
    }

    /// The newest signed leaves of a lane, ascending.
    package func signed(source: UInt64, destination: UInt64, newest: Int) throws(StorageError) -> [GuardSignedRow] {
        try store.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM guard_signed WHERE source = ? AND destination = ? ORDER BY sequence DESC LIMIT ?",
                arguments: [source.column, destination.column, newest]
            ).reversed().map { row in
                let columns = Columns(row: row)
                return GuardSignedRow(
                    source: source, destination: destination, sequence: try columns.number("sequence"),
                    leaf: try columns.hash("leaf"))
            }
        }
    }
}

// The vote log: what one oracle has promised, by configuration digest and slot (2.9, 2.12 of the off-chain
// specification). What the bytes mean is known to OffchainReporting only.

import Ethereum
import GRDB

/// One row of one instance; it replaces the earlier row of its slot.
package struct VoteRow: Equatable, Sendable {
    /// Configuration digest, 32 bytes.
    package var digest: Bytes
    package var slot: Bytes
    package var bytes: Bytes

    package init(digest: Bytes, slot: Bytes, bytes: Bytes) {
        self.digest = digest
        self.slot = slot
        self.bytes = bytes
    }
}

/// A configuration that was run from this store.
package struct InstanceRow: Equatable, Sendable {
    package var digest: Bytes
    package var plugin: String
    /// Chain selector.
    package var destination: UInt64
    /// Seconds since 1970.
    package var createdAt: UInt64
}

extension Store {
    /// Records that an instance of `digest` runs. False when it was known before: its rows must then be there.
    @discardableResult
    package func registerInstance(digest: Bytes, plugin: String, destination: UInt64) throws(StorageError) -> Bool {
        try write { database in
            try database.execute(
                sql: "INSERT INTO instance VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
                arguments: [digest.column, plugin, destination.column, Store.now.small])
            return database.changesCount > 0
        }
    }

    /// True when an instance of `digest` was ever run from this store.
    package func wasRun(digest: Bytes) throws(StorageError) -> Bool {
        try read { database in
            try Bool.fetchOne(
                database, sql: "SELECT EXISTS (SELECT 1 FROM instance WHERE digest = ?)", arguments: [digest.column])
                ?? false
        }
    }

    package func instances() throws(StorageError) -> [InstanceRow] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM instance ORDER BY created_at, digest").map { row in
                let columns = Columns(row: row)
                return InstanceRow(
                    digest: try columns.bytes("digest"), plugin: try columns.text("plugin"),
                    destination: try columns.number("destination"), createdAt: try columns.small("created_at"))
            }
        }
    }

    /// All rows or none; on the disk when it returns. A digest that was not registered is registered.
    package func upsertVotes(_ rows: [VoteRow]) throws(StorageError) {
        guard !rows.isEmpty else { return }
        try write { database in
            let register = try database.cachedStatement(
                sql: "INSERT INTO instance VALUES (?, '', zeroblob(8), ?) ON CONFLICT (digest) DO NOTHING")
            let upsert = try database.cachedStatement(
                sql: "INSERT INTO vote VALUES (?, ?, ?) ON CONFLICT (digest, slot) DO UPDATE SET bytes = excluded.bytes"
            )
            for row in rows {
                try register.execute(arguments: [row.digest.column, Store.now.small])
                try upsert.execute(arguments: [row.digest.column, row.slot.column, row.bytes.column])
            }
        }
    }

    /// The rows of one instance, in the order of their slots.
    package func votes(digest: Bytes) throws(StorageError) -> [Bytes] {
        try read { database in
            try Row.fetchAll(
                database, sql: "SELECT bytes FROM vote WHERE digest = ? ORDER BY slot", arguments: [digest.column]
            ).map { try Columns(row: $0).bytes("bytes") }
        }
    }

    /// Drops a retired instance with its votes. Only for digests that no contract accepts any more.
    package func forgetInstance(digest: Bytes) throws(StorageError) {
        try write { database in
            try database.execute(sql: "DELETE FROM instance WHERE digest = ?", arguments: [digest.column])
        }
    }

    /// Keeps two statements that contradict each other, for people to look at.
    package func appendEvidence(
        digest: Bytes, accused: Int, kind: String, first: Bytes, second: Bytes
    ) throws(StorageError) {
        try checkSize(first, maximum: Limits.valueBytesMaximum, of: "evidence")
        try checkSize(second, maximum: Limits.valueBytesMaximum, of: "evidence")
        try write { database in
            try database.execute(
                sql: "INSERT INTO evidence (digest, accused, kind, first, second, seen_at) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [digest.column, accused, kind, first.column, second.column, Store.now.small])
        }
    }

    package func evidenceCount(digest: Bytes) throws(StorageError) -> Int {
        try read { database in
            try Int.fetchOne(
                database, sql: "SELECT COUNT(*) FROM evidence WHERE digest = ?", arguments: [digest.column]) ?? 0
        }
    }
}

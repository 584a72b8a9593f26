// The file of a simulated chain: its blocks, what each step changed in the state, code, and settings. Contents are bytes
// here; DevChain knows what they mean. A write that returned survives kill -9 and a power cut.

import Ethereum
import GRDB
import Logging

enum ChainSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in try database.execute(sql: first) }
        return migrator
    }

    private static let first = """
        CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), boots INTEGER NOT NULL) STRICT;
        INSERT INTO meta (id, boots) VALUES (1, 0);
        CREATE TABLE block (
            number INTEGER PRIMARY KEY, hash BLOB NOT NULL, hashes BLOB NOT NULL, logs INTEGER NOT NULL,
            content BLOB NOT NULL) STRICT;
        CREATE TABLE step (position INTEGER PRIMARY KEY, changes BLOB NOT NULL) STRICT;
        CREATE TABLE code (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, content BLOB NOT NULL) STRICT;
        CREATE TABLE setting (id INTEGER PRIMARY KEY CHECK (id = 1), content BLOB NOT NULL) STRICT;
        """
}

package final class BlockStore: Sendable {
    package struct Block: Sendable {
        package var number: UInt64
        package var hash: Hash32
        /// The hashes of its transactions, in their order.
        package var transactions: [Hash32]
        /// How many logs its transactions left.
        package var logs: Int
        package var content: Bytes

        package init(number: UInt64, hash: Hash32, transactions: [Hash32], logs: Int, content: Bytes) {
            self.number = number
            self.hash = hash
            self.transactions = transactions
            self.logs = logs
            self.content = content
        }
    }

    /// One step of a chain, all or nothing.
    package struct Step: Sendable {
        /// Follows the step before it.
        package var position: UInt64
        /// Blocks from this number on are gone before `blocks` come.
        package var removesFrom: UInt64?
        package var blocks: [Block]
        package var changes: Bytes
        /// Follow those that are there.
        package var codes: [(number: UInt64, hash: Hash32, content: Bytes)]
        package var settings: Bytes

        package init(
            position: UInt64, removesFrom: UInt64?, blocks: [Block], changes: Bytes,
            codes: [(number: UInt64, hash: Hash32, content: Bytes)], settings: Bytes
        ) {
            self.position = position
            self.removesFrom = removesFrom
            self.blocks = blocks
            self.changes = changes
            self.codes = codes
            self.settings = settings
        }
    }

    private let store: Store

    /// Opens the file at `path`, or makes it. Throws as `Store` does.
    package init(path: String, role: String, logger: Logger) throws(StorageError) {
        store = try Store(path: path, role: role, kind: .chain, logger: logger)
    }

    package var isNew: Bool { store.isNew }

    package func close() throws(StorageError) { try store.close() }

    // MARK: Writing

    package func write(_ step: Step) throws(StorageError) {
        for block in step.blocks {
            try store.checkSize(block.content, maximum: Limits.chainRowBytesMaximum, of: "block \(block.number)")
        }
        try store.checkSize(step.changes, maximum: Limits.chainRowBytesMaximum, of: "the changes of a step")
        try store.write { database in
            if let first = step.removesFrom {
                try database.execute(sql: "DELETE FROM block WHERE number >= ?", arguments: [first.small])
            }
            for block in step.blocks {
                let hashes = block.transactions.flatMap(\.bytes)
                try database.cachedStatement(
                    sql: "INSERT INTO block (number, hash, hashes, logs, content) VALUES (?, ?, ?, ?, ?)"
                ).execute(arguments: [
                    block.number.small, block.hash.column, hashes.column, Int64(block.logs), block.content.column,
                ])
            }
            try database.cachedStatement(sql: "INSERT INTO step (position, changes) VALUES (?, ?)")
                .execute(arguments: [step.position.small, step.changes.column])
            for code in step.codes {
                try database.execute(
                    sql: "INSERT INTO code (number, hash, content) VALUES (?, ?, ?)",
                    arguments: [code.number.small, code.hash.column, code.content.column])
            }
            try database.cachedStatement(
                sql: """
                    INSERT INTO setting (id, content) VALUES (1, ?)
                    ON CONFLICT (id) DO UPDATE SET content = excluded.content
                    """
            ).execute(arguments: [step.settings.column])
        }
    }

    // MARK: Reading

    /// The content of a block; nil when there is none of the number.
    package func block(_ number: UInt64) throws(StorageError) -> Bytes? {
        try store.read { database in
            try Row.fetchOne(database, sql: "SELECT content FROM block WHERE number = ?", arguments: [number.small])
                .map { try Columns(row: $0).bytes("content") }
        }
    }

    /// Numbers, hashes, transactions and counts of logs of all blocks, in their order.
    package func forEachBlock(_ body: (UInt64, Hash32, [Hash32], UInt64) throws -> Void) throws(StorageError) {
        try store.read { database in
            let rows = try Row.fetchCursor(database, sql: "SELECT number, hash, hashes, logs FROM block ORDER BY number")
            while let row = try rows.next() {
                let columns = Columns(row: row)
                let bytes = try columns.bytes("hashes")
                let hashes = stride(from: 0, to: bytes.count - 31, by: 32).compactMap {
                    Hash32(bytes: bytes[$0..<$0 + 32])
                }
                try body(
                    try columns.small("number"), try columns.hash("hash"), hashes, try columns.small("logs"))
            }
        }
    }

    /// The changes of the steps after a position, in their order.
    package func forEachStep(after position: UInt64, _ body: (UInt64, Bytes) throws -> Void) throws(StorageError) {
        try store.read { database in
            let rows = try Row.fetchCursor(
                database, sql: "SELECT position, changes FROM step WHERE position > ? ORDER BY position",
                arguments: [position.small])
            while let row = try rows.next() {
                let columns = Columns(row: row)
                try body(try columns.small("position"), try columns.bytes("changes"))
            }
        }
    }

    /// The position of the last step; nil for a chain that was never begun.
    package func lastPosition() throws(StorageError) -> UInt64? {
        try store.read { database in
            try Int64.fetchOne(database, sql: "SELECT max(position) FROM step").map { UInt64(max($0, 0)) }
        }
    }

    /// All code, in the order of its numbers.
    package func codes() throws(StorageError) -> [(hash: Hash32, content: Bytes)] {
        try store.read { database in
            try Row.fetchAll(database, sql: "SELECT hash, content FROM code ORDER BY number").map { row in
                let columns = Columns(row: row)
                return (try columns.hash("hash"), try columns.bytes("content"))
            }
        }
    }

    package func settings() throws(StorageError) -> Bytes? {
        try store.read { database in
            try Row.fetchOne(database, sql: "SELECT content FROM setting WHERE id = 1")
                .map { try Columns(row: $0).bytes("content") }
        }
    }
}

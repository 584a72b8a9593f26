// All tables, as a list of steps that only grows: a step that was released never changes.
// Numbers that may pass 2^63 (selectors, sequence numbers, blocks) are eight big-endian bytes, which sort as numbers.

import GRDB

enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in try database.execute(sql: first) }
        migrator.registerMigration("2") { database in try database.execute(sql: second) }
        return migrator
    }

    private static let first = """
        CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), boots INTEGER NOT NULL) STRICT;
        INSERT INTO meta (id, boots) VALUES (1, 0);

        CREATE TABLE instance (
            digest BLOB PRIMARY KEY NOT NULL, plugin TEXT NOT NULL, destination BLOB NOT NULL,
            created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE vote (
            digest BLOB NOT NULL REFERENCES instance (digest) ON DELETE CASCADE,
            slot BLOB NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (digest, slot)) STRICT, WITHOUT ROWID;
        CREATE TABLE evidence (
            id INTEGER PRIMARY KEY, digest BLOB NOT NULL, accused INTEGER NOT NULL, kind TEXT NOT NULL,
            first BLOB NOT NULL, second BLOB NOT NULL, seen_at INTEGER NOT NULL) STRICT;

        CREATE TABLE outbox (
            chain BLOB NOT NULL, sender BLOB NOT NULL, key BLOB NOT NULL, entry BLOB NOT NULL,
            PRIMARY KEY (chain, sender, key)) STRICT, WITHOUT ROWID;
        CREATE TABLE finished (
            id INTEGER PRIMARY KEY, chain BLOB NOT NULL, sender BLOB NOT NULL, key BLOB NOT NULL, outcome BLOB,
            UNIQUE (chain, sender, key)) STRICT;

        CREATE TABLE cursor (name TEXT PRIMARY KEY NOT NULL, number BLOB NOT NULL, hash BLOB NOT NULL)
            STRICT, WITHOUT ROWID;
        CREATE TABLE cursor_history (
            name TEXT NOT NULL REFERENCES cursor (name) ON DELETE CASCADE,
            number BLOB NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (name, number)) STRICT, WITHOUT ROWID;

        CREATE TABLE message (
            source BLOB NOT NULL, destination BLOB NOT NULL, sequence BLOB NOT NULL, message_id BLOB NOT NULL,
            block BLOB NOT NULL, block_hash BLOB NOT NULL, tx BLOB NOT NULL, log_index BLOB NOT NULL,
            timestamp INTEGER NOT NULL, payload BLOB NOT NULL,
            PRIMARY KEY (source, destination, sequence)) STRICT, WITHOUT ROWID;
        CREATE INDEX message_by_id ON message (message_id);
        CREATE INDEX message_by_age ON message (timestamp);
        CREATE TABLE root (
            destination BLOB NOT NULL, source BLOB NOT NULL, root BLOB NOT NULL, first BLOB NOT NULL,
            last BLOB NOT NULL, on_ramp BLOB NOT NULL, block BLOB NOT NULL, block_hash BLOB NOT NULL, tx BLOB NOT NULL,
            log_index BLOB NOT NULL, timestamp INTEGER NOT NULL, executed INTEGER NOT NULL,
            PRIMARY KEY (destination, source, root)) STRICT, WITHOUT ROWID;
        CREATE INDEX root_by_range ON root (destination, source, first);
        CREATE TABLE execution (
            destination BLOB NOT NULL, source BLOB NOT NULL, sequence BLOB NOT NULL, message_id BLOB NOT NULL,
            state INTEGER NOT NULL, return_data BLOB NOT NULL, block BLOB NOT NULL, block_hash BLOB NOT NULL,
            tx BLOB NOT NULL, log_index BLOB NOT NULL, timestamp INTEGER NOT NULL, finalized INTEGER NOT NULL,
            PRIMARY KEY (destination, source, sequence)) STRICT, WITHOUT ROWID;

        CREATE TABLE stop (
            id INTEGER PRIMARY KEY, scope TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL,
            raised_at INTEGER NOT NULL, cleared_at INTEGER, cleared_by TEXT) STRICT;
        CREATE UNIQUE INDEX stop_active ON stop (scope, kind) WHERE cleared_at IS NULL;

        CREATE TABLE item (key TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
        """

    /// Why a stop was lifted; roots that are still open without a walk over all there ever were.
    private static let second = """
        ALTER TABLE stop ADD COLUMN cleared_why TEXT;
        CREATE INDEX root_open ON root (destination, source, first) WHERE executed = 0;
        """
}

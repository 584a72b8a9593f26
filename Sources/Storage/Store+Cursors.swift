// Cursors: how far something was followed, as a block's number and hash, with the blocks that it stood at before.
// The history is what a finality violation is seen by: a block that was final must keep its hash.

import Ethereum
import GRDB

package struct Cursor: Equatable, Sendable {
    package var number: UInt64
    package var hash: Hash32

    package init(number: UInt64, hash: Hash32) {
        self.number = number
        self.hash = hash
    }
}

extension Store {
    package func cursor(_ name: String) throws(StorageError) -> Cursor? {
        try read { database in
            try Row.fetchOne(database, sql: "SELECT number, hash FROM cursor WHERE name = ?", arguments: [name]).map {
                Cursor(number: try Columns(row: $0).number("number"), hash: try Columns(row: $0).hash("hash"))
            }
        }
    }

    package func setCursor(_ name: String, _ cursor: Cursor) throws(StorageError) {
        try write { database in
            let arguments: StatementArguments = [name, cursor.number.column, cursor.hash.column]
            try database.execute(
                sql: """
                    INSERT INTO cursor VALUES (?, ?, ?)
                    ON CONFLICT (name) DO UPDATE SET number = excluded.number, hash = excluded.hash
                    """, arguments: arguments)
            try database.execute(
                sql: """
                    INSERT INTO cursor_history VALUES (?, ?, ?)
                    ON CONFLICT (name, number) DO UPDATE SET hash = excluded.hash
                    """, arguments: arguments)
            try database.execute(
                sql: """
                    DELETE FROM cursor_history WHERE name = ?1 AND number < (
                        SELECT number FROM cursor_history WHERE name = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)
                    """, arguments: [name, Limits.cursorHistoryMaximum - 1])
        }
    }

    /// The hash at which the cursor once stood at `number`; nil when it never did or long ago.
    package func cursorHistory(_ name: String, number: UInt64) throws(StorageError) -> Hash32? {
        try read { database in
            try Row.fetchOne(
                database, sql: "SELECT hash FROM cursor_history WHERE name = ? AND number = ?",
                arguments: [name, number.column]
            ).map { try Columns(row: $0).hash("hash") }
        }
    }

    /// Drops the cursor and its history: the next start begins anew. For operators, after a finality violation.
    package func removeCursor(_ name: String) throws(StorageError) {
        try write { try $0.execute(sql: "DELETE FROM cursor WHERE name = ?", arguments: [name]) }
    }
}

// The outbox: what we mean to have on a chain, by (chain id, sender, request key). An entry stands here before any of its
// attempts is broadcast. The bytes belong to Transactions.

import Ethereum
import GRDB

package enum OutboxChange: Equatable, Sendable {
    /// Writes or replaces the entry of a request.
    case put(key: Hash32, entry: Bytes)
    /// The request is over: its entry goes, its key stays known.
    case forget(key: Hash32)
    /// What became of a request that is over; makes its key known when it was not.
    case outcome(key: Hash32, Bytes)
}

extension Store {
    /// One transaction, in the given order.
    package func applyOutbox(chain: UInt64, sender: Address, _ changes: [OutboxChange]) throws(StorageError) {
        guard !changes.isEmpty else { return }
        let scope: [(any DatabaseValueConvertible)?] = [chain.column, sender.bytes.column]
        try write { database in
            for change in changes {
                switch change {
                case .put(let key, let entry):
                    try database.execute(
                        sql: """
                            INSERT INTO outbox VALUES (?, ?, ?, ?)
                            ON CONFLICT (chain, sender, key) DO UPDATE SET entry = excluded.entry
                            """, arguments: StatementArguments(scope + [key.column, entry.column]))
                case .forget(let key):
                    let arguments = StatementArguments(scope + [key.column])
                    try database.execute(
                        sql: "DELETE FROM outbox WHERE chain = ? AND sender = ? AND key = ?", arguments: arguments)
                    try database.execute(
                        sql: """
                            INSERT INTO finished (chain, sender, key) VALUES (?, ?, ?)
                            ON CONFLICT (chain, sender, key) DO NOTHING
                            """, arguments: arguments)
                case .outcome(let key, let bytes):
                    try database.execute(
                        sql: """
                            INSERT INTO finished (chain, sender, key, outcome) VALUES (?, ?, ?, ?)
                            ON CONFLICT (chain, sender, key) DO UPDATE SET outcome = excluded.outcome
                            """, arguments: StatementArguments(scope + [key.column, bytes.column]))
                }
            }
        }
    }

    /// Every entry of one sender, in the order of their keys.
    package func outbox(chain: UInt64, sender: Address) throws(StorageError) -> [Bytes] {
        try read { database in
            try Row.fetchAll(
                database, sql: "SELECT entry FROM outbox WHERE chain = ? AND sender = ? ORDER BY key",
                arguments: [chain.column, sender.bytes.column]
            ).map { try Columns(row: $0).bytes("entry") }
        }
    }

    /// Keys of requests that are over, oldest first: the newest `Limits.finishedKeysMaximum`.
    package func finishedKeys(chain: UInt64, sender: Address) throws(StorageError) -> [Hash32] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT key FROM (SELECT id, key FROM finished WHERE chain = ? AND sender = ?
                    ORDER BY id DESC LIMIT ?) ORDER BY id
                    """, arguments: [chain.column, sender.bytes.column, Limits.finishedKeysMaximum]
            ).map { try Columns(row: $0).hash("key") }
        }
    }

    /// Whether a request is over, however long ago, and what became of it if that was told.
    package func finished(
        chain: UInt64, sender: Address, key: Hash32
    ) throws(StorageError) -> (isFinished: Bool, outcome: Bytes?) {
        try read { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT outcome FROM finished WHERE chain = ? AND sender = ? AND key = ?",
                arguments: [chain.column, sender.bytes.column, key.column])
            guard let row else { return (false, nil) }
            return (true, row["outcome"] == nil ? nil : try Columns(row: row).bytes("outcome"))
        }
    }
}

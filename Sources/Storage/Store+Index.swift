// The observed index: what was seen on the chains, so that a restart need not read it again. It is a cache with a
// memory: what gets signed is still read from the chain.

import Ethereum
import GRDB

// MARK: - Messages

extension Store {
    /// Writes or replaces; a message seen again after a re-organisation keeps its newest place.
    package func upsertMessages(_ rows: [MessageRow]) throws(StorageError) {
        guard !rows.isEmpty else { return }
        try write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO message (source, destination, sequence, message_id, payload,
                    block, block_hash, tx, log_index, timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """)
            for row in rows {
                let key: [(any DatabaseValueConvertible)?] = [
                    row.source.column, row.destination.column, row.sequence.column, row.messageID.column,
                    row.payload.column,
                ]
                try statement.execute(arguments: StatementArguments(key + row.place.columns))
            }
        }
    }

    package func message(source: UInt64, destination: UInt64, sequence: UInt64) throws(StorageError) -> MessageRow? {
        try read { database in
            try Row.fetchOne(
                database, sql: "SELECT * FROM message WHERE source = ? AND destination = ? AND sequence = ?",
                arguments: [source.column, destination.column, sequence.column]
            ).map(MessageRow.init)
        }
    }

    package func message(id: Hash32) throws(StorageError) -> MessageRow? {
        try read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM message WHERE message_id = ?", arguments: [id.column])
                .map(MessageRow.init)
        }
    }

    /// Ascending, at most `Limits.indexPageMaximum`: page on behind the last one.
    package func messages(
        source: UInt64, destination: UInt64, in range: ClosedRange<UInt64>
    ) throws(StorageError) -> [MessageRow] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM message WHERE source = ? AND destination = ? AND sequence BETWEEN ? AND ?
                    ORDER BY sequence LIMIT ?
                    """,
                arguments: [
                    source.column, destination.column, range.lowerBound.column, range.upperBound.column,
                    Limits.indexPageMaximum,
                ]
            ).map(MessageRow.init)
        }
    }

    /// Highest sequence number seen on a lane.
    package func lastMessage(source: UInt64, destination: UInt64) throws(StorageError) -> UInt64? {
        try read { database in
            try Row.fetchOne(
                database,
                sql: """
                    SELECT sequence FROM message WHERE source = ? AND destination = ? ORDER BY sequence DESC LIMIT 1
                    """,
                arguments: [source.column, destination.column]
            ).map { try Columns(row: $0).number("sequence") }
        }
    }
}

// MARK: - Roots

extension Store {
    /// Writes or moves; a root that was marked as executed stays so.
    package func upsertRoots(_ rows: [RootRow]) throws(StorageError) {
        guard !rows.isEmpty else { return }
        try write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT INTO root (destination, source, root, first, last, on_ramp, executed,
                    block, block_hash, tx, log_index, timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (destination, source, root) DO UPDATE SET block = excluded.block,
                    block_hash = excluded.block_hash, tx = excluded.tx, log_index = excluded.log_index,
                    timestamp = excluded.timestamp, executed = MAX(executed, excluded.executed)
                    """)
            for row in rows {
                let key: [(any DatabaseValueConvertible)?] = [
                    row.destination.column, row.source.column, row.root.column, row.first.column, row.last.column,
                    row.onRamp.column, row.executed ? 1 : 0,
                ]
                try statement.execute(arguments: StatementArguments(key + row.place.columns))
            }
        }
    }

    /// Roots of a destination, by source and range; all, or only those that are (not) executed to the end.
    package func roots(destination: UInt64, executed: Bool? = nil) throws(StorageError) -> [RootRow] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM root WHERE destination = ?1 AND (?2 IS NULL OR executed = ?2)
                    ORDER BY source, first LIMIT ?3
                    """, arguments: [destination.column, executed.map { $0 ? 1 : 0 }, Limits.indexPageMaximum]
            ).map(RootRow.init)
        }
    }

    /// Roots of a lane that are not executed to the end, ascending, beginning at `first` or above; at most `limit`.
    package func openRoots(
        destination: UInt64, source: UInt64, from first: UInt64, limit: Int = Limits.indexPageMaximum
    ) throws(StorageError) -> [RootRow] {
        try read { database in
            try Row.fetchAll(
                database, sql: Self.openRootsSQL,
                arguments: [
                    destination.column, source.column, first.column, min(limit, Limits.indexPageMaximum),
                ]
            ).map(RootRow.init)
        }
    }

    private static let openRootsSQL = """
        SELECT * FROM root WHERE destination = ? AND source = ? AND first >= ? AND executed = 0 ORDER BY first LIMIT ?
        """

    /// How SQLite looks open roots up, in its own words.
    func openRootsPlan() throws(StorageError) -> String {
        try read { database in
            try Row.fetchAll(
                database, sql: "EXPLAIN QUERY PLAN " + Self.openRootsSQL,
                arguments: [UInt64(0).column, UInt64(0).column, UInt64(0).column, 1]
            ).compactMap { $0["detail"] as String? }.joined(separator: "\n")
        }
    }

    /// The highest number under a root of the lane; nil before the first.
    package func lastCommitted(destination: UInt64, source: UInt64) throws(StorageError) -> UInt64? {
        try read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT last FROM root WHERE destination = ? AND source = ? ORDER BY first DESC LIMIT 1",
                arguments: [destination.column, source.column]
            ).map { try Columns(row: $0).number("last") }
        }
    }

    /// The root whose range holds a sequence number.
    package func root(destination: UInt64, source: UInt64, covering sequence: UInt64) throws(StorageError) -> RootRow? {
        try read { database in
            try Row.fetchOne(
                database,
                sql: """
                    SELECT * FROM root WHERE destination = ?1 AND source = ?2 AND first <= ?3 AND last >= ?3
                    ORDER BY first DESC LIMIT 1
                    """, arguments: [destination.column, source.column, sequence.column]
            ).map(RootRow.init)
        }
    }

    package func markExecuted(destination: UInt64, source: UInt64, root: Hash32) throws(StorageError) {
        try write { database in
            try database.execute(
                sql: "UPDATE root SET executed = 1 WHERE destination = ? AND source = ? AND root = ?",
                arguments: [destination.column, source.column, root.column])
        }
    }

    /// Drops a root that a re-organisation has taken away.
    package func removeRoot(destination: UInt64, source: UInt64, root: Hash32) throws(StorageError) {
        try write { database in
            try database.execute(
                sql: "DELETE FROM root WHERE destination = ? AND source = ? AND root = ?",
                arguments: [destination.column, source.column, root.column])
        }
    }
}

// MARK: - Executions

extension Store {
    /// Writes or replaces, except that what is finalized is not replaced by what is not.
    package func upsertExecutions(_ rows: [ExecutionRow]) throws(StorageError) {
        guard !rows.isEmpty else { return }
        try write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT INTO execution (destination, source, sequence, message_id, state, return_data, finalized,
                    block, block_hash, tx, log_index, timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (destination, source, sequence) DO UPDATE SET message_id = excluded.message_id,
                    state = excluded.state, return_data = excluded.return_data, finalized = excluded.finalized,
                    block = excluded.block, block_hash = excluded.block_hash, tx = excluded.tx,
                    log_index = excluded.log_index, timestamp = excluded.timestamp
                    WHERE excluded.finalized >= finalized OR excluded.block > block
                    """)
            for row in rows {
                let key: [(any DatabaseValueConvertible)?] = [
                    row.destination.column, row.source.column, row.sequence.column, row.messageID.column,
                    Int64(row.state), row.returnData.column, row.finalized ? 1 : 0,
                ]
                try statement.execute(arguments: StatementArguments(key + row.place.columns))
            }
        }
    }

    package func execution(
        destination: UInt64, source: UInt64, sequence: UInt64
    ) throws(StorageError) -> ExecutionRow? {
        try executions(destination: destination, source: source, in: sequence...sequence).first
    }

    /// Ascending, at most `Limits.indexPageMaximum`.
    package func executions(
        destination: UInt64, source: UInt64, in range: ClosedRange<UInt64>
    ) throws(StorageError) -> [ExecutionRow] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM execution WHERE destination = ? AND source = ? AND sequence BETWEEN ? AND ?
                    ORDER BY sequence LIMIT ?
                    """,
                arguments: [
                    destination.column, source.column, range.lowerBound.column, range.upperBound.column,
                    Limits.indexPageMaximum,
                ]
            ).map(ExecutionRow.init)
        }
    }

    /// After a re-organisation of the destination: what was seen above `block` and was not final is no longer known.
    /// Returns how many rows went.
    @discardableResult
    package func removeUnfinalized(destination: UInt64, above block: UInt64) throws(StorageError) -> Int {
        try write { database in
            try database.execute(
                sql: "DELETE FROM execution WHERE destination = ? AND block > ? AND finalized = 0",
                arguments: [destination.column, block.column])
            return database.changesCount
        }
    }
}

// MARK: - Pruning

extension Store {
    /// Drops what is older than `timestamp` (seconds) and over: executed roots, finalized executions that no root that
    /// is left covers, and messages with a finalized execution that is a success. Returns how many rows went.
    @discardableResult
    package func prune(olderThan timestamp: UInt64) throws(StorageError) -> Int {
        try write { database in
            var gone = 0
            let arguments: StatementArguments = [timestamp.small]
            for sql in [
                """
                DELETE FROM message WHERE timestamp < ?1 AND EXISTS (SELECT 1 FROM execution AS e
                WHERE e.destination = message.destination AND e.source = message.source
                AND e.sequence = message.sequence AND e.state = 2 AND e.finalized = 1 AND e.timestamp < ?1)
                """,
                "DELETE FROM root WHERE timestamp < ?1 AND executed = 1",
                """
                DELETE FROM execution WHERE timestamp < ?1 AND finalized = 1 AND state = 2
                AND NOT EXISTS (SELECT 1 FROM root AS r WHERE r.destination = execution.destination
                AND r.source = execution.source AND r.first <= execution.sequence AND r.last >= execution.sequence)
                AND NOT EXISTS (SELECT 1 FROM message AS m WHERE m.destination = execution.destination
                AND m.source = execution.source AND m.sequence = execution.sequence)
                """,
            ] {
                try database.execute(sql: sql, arguments: arguments)
                gone += database.changesCount
            }
            return gone
        }
    }
}

// The file under a store: made whole or not at all, opened with the pragmas that durability needs, checked before use.
// What is in the tables is of no concern here.

import Foundation
import GRDB
import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a file is for: its mark, its tables, and how it is looked at before use.
struct StoreKind: Sendable {
    /// Tells our files from other people's databases, and each kind from the others.
    let applicationID: Int64
    let migrator: @Sendable () -> DatabaseMigrator
    /// What SQLite does before the file is used. All of it where votes are kept; little where gigabytes of blocks are.
    let check: String
    /// Pages of the write-ahead log after which it is written back, and pages that stay in memory; 4 KiB each.
    var checkpointPages = Limits.checkpointPages
    var cachedPages = Limits.cachedPages

    /// "CWst": votes, cursors, outbox and index of a relayer.
    static let relayer = StoreKind(
        applicationID: 0x4357_7374, migrator: { Schema.migrator },
        check: "PRAGMA integrity_check(\(Limits.integrityErrorsShown))")
    /// "CWch": the blocks of a simulated chain.
    static let chain = StoreKind(
        applicationID: 0x4357_6368, migrator: { ChainSchema.migrator }, check: "SELECT 'ok'")
}

enum StoreFile {
    /// Makes sure that a whole file stands at `path`; true when it was made now.
    /// A new file is written beside its place, closed, synced and renamed, so that a crash leaves either nothing or a
    /// store. Hence an empty file or a log without a file are damage and never a fresh start.
    static func prepare(_ path: String, kind: StoreKind = .relayer, logger: Logger) throws(StorageError) -> Bool {
        var information = stat()
        if stat(path, &information) == 0 {
            guard information.st_size > 0 else {
                throw StorageError(.corrupted, "the file is empty", path: path, hint: StorageError.restoreHint)
            }
            return false
        }
        guard errno == ENOENT else {
            throw StorageError(
                .unreadable, "the file cannot be looked at: \(String(cString: strerror(errno)))", path: path,
                hint: "check the permissions of its directory")
        }
        if stat(path + "-wal", &information) == 0, information.st_size > 0 {
            throw StorageError(
                .corrupted, "the file is gone but its log \(path)-wal is there", path: path,
                hint: StorageError.restoreHint)
        }
        let draft = path + ".new"
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(draft + suffix) }
        do {
            let queue = try DatabaseQueue(path: draft, configuration: configuration(kind))
            try queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA application_id = \(kind.applicationID)")
            }
            try kind.migrator().migrate(queue)
            try queue.writeWithoutTransaction { database in _ = try database.checkpoint(.truncate) }
            try queue.close()
        } catch {
            throw StorageError.from(error, path: path, writing: true)
        }
        try sync(draft, path)
        guard rename(draft, path) == 0 else {
            throw StorageError(
                .unreadable, "the new file cannot be put in place: \(String(cString: strerror(errno)))", path: path,
                hint: "check the permissions of its directory")
        }
        try sync(directory(of: path), path)
        logger.notice("a new store was made", metadata: ["path": "\(path)"])
        return true
    }

    /// Opens, checks and migrates; counts the start.
    static func open(
        _ path: String, kind: StoreKind = .relayer
    ) throws(StorageError) -> (queue: DatabaseQueue, boots: UInt64) {
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration(kind))
            try check(queue, kind, path)
            try kind.migrator().migrate(queue)
            let boots = try queue.write { database in
                try database.execute(sql: "UPDATE meta SET boots = boots + 1 WHERE id = 1")
                return try Int64.fetchOne(database, sql: "SELECT boots FROM meta WHERE id = 1") ?? 0
            }
            return (queue, UInt64(max(0, boots)))
        } catch {
            throw StorageError.from(error, path: path, writing: false)
        }
    }

    /// For a look at a file that another process may be writing. Nothing is made, migrated or counted.
    static func reader(_ path: String, kind: StoreKind) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(Double(Limits.busyTimeoutMilliseconds) / 1_000)
        configuration.label = "causeway.reader"
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.read { database in try checkMark(database, kind, path) }
        return queue
    }

    private static func checkMark(_ database: Database, _ kind: StoreKind, _ path: String) throws {
        let found = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        guard found == kind.applicationID else {
            throw StorageError(
                .foreignFile, "the file is a database of another program", path: path,
                hint: "give a path of its own to the store")
        }
    }

    private static func configuration(_ kind: StoreKind) -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(Double(Limits.busyTimeoutMilliseconds) / 1_000)
        configuration.label = "causeway.store"
        configuration.prepareDatabase { database in
            // By hand and not by GRDB's journalMode, which goes back to synchronous = NORMAL afterwards.
            let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
            guard mode == "wal" else {
                throw DatabaseError(resultCode: .SQLITE_IOERR, message: "no write-ahead log here: \(mode ?? "none")")
            }
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA wal_autocheckpoint = \(kind.checkpointPages)")
            try database.execute(sql: "PRAGMA cache_size = \(kind.cachedPages)")
            try database.execute(sql: "PRAGMA trusted_schema = OFF")
            try database.execute(sql: "PRAGMA cell_size_check = ON")
        }
        return configuration
    }

    private static func check(_ queue: DatabaseQueue, _ kind: StoreKind, _ path: String) throws {
        try queue.read { database in
            try checkMark(database, kind, path)
            guard try !kind.migrator().hasBeenSuperseded(database) else {
                throw StorageError(
                    .newerSchema, "the file was written by a newer version", path: path,
                    hint: "start the newer version again; an older one cannot read its votes")
            }
            let verdict = try String.fetchAll(database, sql: kind.check)
            guard verdict == ["ok"] else {
                throw StorageError(
                    .corrupted, "the file is damaged: \(verdict.joined(separator: "; "))", path: path,
                    hint: StorageError.restoreHint)
            }
            guard try Row.fetchOne(database, sql: "PRAGMA foreign_key_check") == nil else {
                throw StorageError(
                    .corrupted, "rows refer to rows that are gone", path: path, hint: StorageError.restoreHint)
            }
        }
    }

    private static func sync(_ target: String, _ path: String) throws(StorageError) {
        let file = Glibc.open(target, O_RDONLY | O_CLOEXEC)
        defer { if file >= 0 { Glibc.close(file) } }
        guard file >= 0, fsync(file) == 0 else {
            throw StorageError(
                .writeFailed, "\(target) cannot be synced: \(String(cString: strerror(errno)))", path: path,
                hint: "check the disk")
        }
    }

    private static func directory(of path: String) -> String {
        let parent = (path as NSString).deletingLastPathComponent
        return parent.isEmpty ? "." : parent
    }
}

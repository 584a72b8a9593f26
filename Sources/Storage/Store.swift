// One SQLite file per process: opening, locking, checking, closing, and the two doors through which every access goes.
// No table is known here; those stand in the files named Store+Something.

import Ethereum
import Foundation
import GRDB
import Logging
import Synchronization

/// What a process must not forget (2.12 of the off-chain specification). All calls are synchronous and may come from any
/// thread; a write that returned is on the disk (WAL, `synchronous=FULL`) and survives `kill -9` and a power cut.
package final class Store: Sendable {
    package let path: String
    package let role: String
    /// Grows by one with each start: tells incidents apart.
    package let bootCount: UInt64
    /// True when this start made the file: nothing that an earlier run promised is known.
    package let isNew: Bool
    let logger: Logger
    private let queue: DatabaseQueue
    private let lock: StoreLock
    private let state = Mutex(State())

    private struct State {
        var closed = false
        var writeFailure: StorageError?
    }

    /// Opens the store at `path`, or makes it when nothing is there.
    /// - Throws: `storeLocked`, `storeCorrupted`, `storeForeignFile`, `storeNewerSchema`, `storeUnreadable`. A file that
    ///   is not whole is never replaced by an empty one.
    package convenience init(path: String, role: String, logger: Logger) throws(StorageError) {
        try self.init(path: path, role: role, kind: .relayer, logger: logger)
    }

    /// As above, for a file of another kind.
    init(path: String, role: String, kind: StoreKind, logger: Logger) throws(StorageError) {
        let lock = try StoreLock(store: path, role: role)
        let isNew = try StoreFile.prepare(path, kind: kind, logger: logger)
        let opened: (queue: DatabaseQueue, boots: UInt64)
        do {
            opened = try StoreFile.open(path, kind: kind)
        } catch {
            lock.release()
            throw error
        }
        self.path = path
        self.role = role
        self.lock = lock
        self.isNew = isNew
        self.logger = logger
        queue = opened.queue
        bootCount = opened.boots
        logger.info("store open", metadata: ["path": "\(path)", "role": "\(role)", "boot": "\(bootCount)"])
    }

    /// The last write that failed; health is bad while it stands, and what depends on the write must not happen.
    package var writeFailure: StorageError? { state.withLock { $0.writeFailure } }

    /// Folds the log back and gives the lock away. Further calls throw `storeClosed`.
    package func close() throws(StorageError) {
        let wasClosed = state.withLock { state in
            defer { state.closed = true }
            return state.closed
        }
        guard !wasClosed else { return }
        defer { lock.release() }
        do { try queue.close() } catch { throw StorageError.from(error, path: path, writing: false) }
    }

    // MARK: The two doors

    func read<Value>(_ body: (Database) throws -> Value) throws(StorageError) -> Value {
        try checkOpen()
        do { return try queue.read(body) } catch { throw StorageError.from(error, path: path, writing: false) }
    }

    /// One transaction, on the disk when it returns; all or nothing.
    func write<Value>(_ body: (Database) throws -> Value) throws(StorageError) -> Value {
        try checkOpen()
        do {
            return try queue.write(body)
        } catch {
            let failure = StorageError.from(error, path: path, writing: true)
            if failure.code == .writeFailed || failure.code == .corrupted {
                state.withLock { $0.writeFailure = failure }
                logger.error("a write to the store failed", metadata: ["path": "\(path)", "error": "\(failure)"])
            }
            throw failure
        }
    }

    private func checkOpen() throws(StorageError) {
        guard !state.withLock({ $0.closed }) else {
            throw StorageError(.closed, "the store is closed", path: path, hint: "it was used after close()")
        }
    }

    func checkSize(_ bytes: Bytes, maximum: Int, of what: String) throws(StorageError) {
        guard bytes.count <= maximum else {
            throw StorageError(
                .tooLarge, "\(what) of \(bytes.count) bytes is over the limit of \(maximum)", path: path,
                hint: "this value does not belong here")
        }
    }

    /// Seconds since 1970.
    static var now: UInt64 { UInt64(max(0, Date().timeIntervalSince1970)) }
}

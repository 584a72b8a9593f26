// The one error type of this room. Callers act on `code`, `retry` and `fault`; people read the rest.
// No stored bytes and no secret ever go into one.

import GRDB

package struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A stable name of what went wrong; an open set.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// Another process holds the store.
        package static let locked = Code(rawValue: "storeLocked")
        /// The file is damaged, cut, empty or lost beside its log.
        package static let corrupted = Code(rawValue: "storeCorrupted")
        /// A database, but not one of ours.
        package static let foreignFile = Code(rawValue: "storeForeignFile")
        /// Written by a newer version of this program.
        package static let newerSchema = Code(rawValue: "storeNewerSchema")
        /// Missing directory, missing permission, no disk.
        package static let unreadable = Code(rawValue: "storeUnreadable")
        /// A write did not reach the disk: what depends on it must not happen.
        package static let writeFailed = Code(rawValue: "storeWriteFailed")
        package static let closed = Code(rawValue: "storeClosed")
        package static let tooLarge = Code(rawValue: "storeValueTooLarge")
        /// A row that is already there says something else.
        package static let contradiction = Code(rawValue: "storeContradiction")
    }

    package enum Retry: String, Sendable { case now, later, never }
    package enum Fault: String, Sendable { case ours, peer, chain, user }

    package let code: Code
    package let message: String
    package let path: String
    package let hint: String

    package init(_ code: Code, _ message: String, path: String, hint: String) {
        self.code = code
        self.message = message
        self.path = path
        self.hint = hint
    }

    package var retry: Retry {
        switch code {
        case .locked: .later
        default: .never
        }
    }

    package var fault: Fault {
        switch code {
        case .tooLarge, .contradiction, .closed: .ours
        default: .user
        }
    }

    package var description: String { "\(code.rawValue): \(message) (store \(path))\n  hint: \(hint)" }
}

extension StorageError {
    static let restoreHint =
        "stop the process and keep the file; restore it from a backup or give a new path, and then start as a relayer "
        + "whose votes are lost, never as an intact one"

    /// Turns an error of SQLite into ours.
    static func from(_ error: any Error, path: String, writing: Bool) -> StorageError {
        if let ours = error as? StorageError { return ours }
        guard let error = error as? DatabaseError else {
            return StorageError(writing ? .writeFailed : .corrupted, "\(error)", path: path, hint: restoreHint)
        }
        let reason = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_NOTADB:
            return StorageError(.corrupted, "the file is no database: \(reason)", path: path, hint: restoreHint)
        case .SQLITE_CORRUPT, .SQLITE_FORMAT:
            return StorageError(.corrupted, "the file is damaged: \(reason)", path: path, hint: restoreHint)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            return StorageError(
                .unreadable, "the file cannot be opened: \(reason)", path: path,
                hint: "check that its directory exists and belongs to the user of this process")
        case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_NOMEM:
            return StorageError(
                writing ? .writeFailed : .unreadable, reason, path: path,
                hint: "check free space and health of the disk, then restart the process")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return StorageError(
                .locked, "another program holds the database: \(reason)", path: path,
                hint: "close other tools that have the file open")
        default:
            return StorageError(
                writing ? .writeFailed : .unreadable, reason, path: path, hint: "restart the process; report this error"
            )
        }
    }
}

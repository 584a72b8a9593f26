// One process per store: an advisory lock on a file beside it, which names its holder.
// The kernel drops the lock with the process, so a killed holder never blocks a restart.

import Ethereum
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

final class StoreLock: Sendable {
    private let descriptor: Mutex<Int32?>

    /// Throws `storeLocked` with pid and role of the holder.
    init(store path: String, role: String) throws(StorageError) {
        let lockPath = path + ".lock"
        let file = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw StorageError(
                .unreadable, "the lock file \(lockPath) cannot be opened: \(String(cString: strerror(errno)))",
                path: path,
                hint: "check that the directory exists and belongs to the user of this process")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let holder = StoreLock.content(file)
            close(file)
            throw StorageError(
                .locked, "another process holds the store: \(holder.isEmpty ? "unknown" : holder)", path: path,
                hint: "stop that process, or give this one a store of its own; two processes with one vote log could "
                    + "vote twice")
        }
        let line = Bytes("pid \(getpid()), role \(role), since \(Int(Date().timeIntervalSince1970)) s\n".utf8)
        ftruncate(file, 0)
        _ = line.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        descriptor = Mutex(file)
    }

    func release() {
        descriptor.withLock { file in
            if let file { close(file) }
            file = nil
        }
    }

    deinit { release() }

    private static func content(_ file: Int32) -> String {
        var buffer = Bytes(repeating: 0, count: 256)
        let count = buffer.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return "" }
        return String(decoding: buffer.prefix(count), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

// A small file of a running process that the command line changes: whole at every moment, readable by its owner alone.
// Who may write into the data directory of a process is its operator; there is no other door.

import Ethereum
import Foundation

enum PrivateFile {
    /// What tells that a file is another one than before.
    struct Stamp: Equatable, Sendable {
        private let inode: UInt64
        private let seconds: Int
        private let nanoseconds: Int
        private let size: Int64

        /// Nil when there is no file.
        init?(_ path: String) {
            var info = stat()
            guard stat(path, &info) == 0 else { return nil }
            inode = UInt64(info.st_ino)
            seconds = info.st_mtim.tv_sec
            nanoseconds = info.st_mtim.tv_nsec
            size = Int64(info.st_size)
        }
    }

    /// One change at a time, and the file is whole at every moment.
    /// - Parameter body: gives the new bytes; what it throws leaves the file as it was.
    static func change(_ path: String, _ body: () throws -> Bytes) throws {
        let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw failed(path) }
        defer { close(lock) }
        guard flock(lock, LOCK_EX) == 0 else { throw failed(path) }
        let bytes = try body()
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failed(draft) }
        defer { close(descriptor) }
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard written == bytes.count, fsync(descriptor) == 0, rename(draft, path) == 0 else {
            let error = failed(path)
            unlink(draft)
            throw error
        }
    }

    private static func failed(_ path: String) -> StreamsNodeError {
        StreamsNodeError(.settings, "\(path): \(String(cString: strerror(errno)))", hint: "check the directory's owner")
    }
}

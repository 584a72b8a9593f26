// The transactions that were taken into the pool, in a file of their own, so that an acknowledged one outlives the
// process. Written before the acknowledgement; read once, at the start.

import Ethereum
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

final class PoolJournal: Sendable {
    private struct File {
        var descriptor: Int32
        var size: Int
    }

    private let path: String
    private let file: Mutex<File>

    /// Opens the file, or makes it; what it holds.
    static func open(path: String) throws(DevChainError) -> (journal: PoolJournal, entries: [Bytes]) {
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw DevChainError(.storeFailed, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        let size = Int(lseek(file, 0, SEEK_END))
        var content = Bytes(repeating: 0, count: max(size, 0))
        var done = 0
        while done < content.count {
            let count = content.withUnsafeMutableBytes { buffer in
                pread(file, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(done))
            }
            guard count > 0 else {
                close(file)
                throw DevChainError(.storeFailed, "cannot read \(path): \(String(cString: strerror(errno)))")
            }
            done += count
        }
        var entries: [Bytes] = []
        var at = 0
        // An entry that was cut off was never acknowledged.
        while at + 4 <= content.count {
            let length = content[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length > 0, at + 4 + length <= content.count else { break }
            entries.append(Bytes(content[at + 4..<at + 4 + length]))
            at += 4 + length
        }
        return (PoolJournal(file, path, at), entries)
    }

    private init(_ descriptor: Int32, _ path: String, _ size: Int) {
        self.path = path
        file = Mutex(File(descriptor: descriptor, size: size))
    }

    deinit { file.withLock { _ = close($0.descriptor) } }

    /// Bytes in the file.
    var size: Int { file.withLock { $0.size } }

    /// The entries are with the system when this returns.
    func append(_ entries: [Bytes]) {
        guard !entries.isEmpty else { return }
        let record = Self.record(entries)
        file.withLock { file in
            write(record, to: file.descriptor, at: file.size)
            file.size += record.count
        }
    }

    /// Begins anew with these entries: what is in blocks by now is left out. The old file stands until the new one does.
    func rewrite(_ entries: [Bytes]) {
        let draft = path + ".new"
        let record = Self.record(entries)
        file.withLock { file in
            let new = Glibc.open(draft, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            precondition(new >= 0, "\(draft) cannot be made (errno \(errno)); nothing is acknowledged that was not kept")
            write(record, to: new, at: 0)
            precondition(rename(draft, path) == 0, "\(draft) cannot take the place of \(path): errno \(errno)")
            close(file.descriptor)
            file = File(descriptor: new, size: record.count)
        }
    }

    /// Each entry behind its length in four bytes.
    private static func record(_ entries: [Bytes]) -> Bytes {
        var record = Bytes()
        for entry in entries {
            for shift in [24, 16, 8, 0] { record.append(UInt8(truncatingIfNeeded: entry.count >> shift)) }
            record += entry
        }
        return record
    }

    private func write(_ record: Bytes, to descriptor: Int32, at offset: Int) {
        var done = 0
        while done < record.count {
            let count = record.withUnsafeBytes { buffer in
                pwrite(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset + done))
            }
            if count < 0, errno == EINTR { continue }
            precondition(count > 0, "\(path) cannot be written (errno \(errno)); nothing is acknowledged that was not kept")
            done += count
        }
    }
}

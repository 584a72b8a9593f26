// One network in one folder: the lock that says who runs there, and the note that says which network was started last.

import Ethereum
import Glibc

/// Held for as long as the network runs; the system lets go of it however the holder ends.
package final class DataDirectoryLock: Sendable {
    private let file: Int32

    /// Throws `networkRunning` that names the holder.
    package init(_ directory: String) throws(LocalnetError) {
        let path = Self.path(directory)
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Files.failure("cannot open", path) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            let holder = Self.holder(directory).map { "process \($0)" } ?? "another process"
            throw LocalnetError(
                .networkRunning, "a network already runs in \(directory) (\(holder))",
                hint: "stop it: causeway down --network \(directory), or name another folder with --data-dir")
        }
        ftruncate(file, 0)
        let text = Bytes("\(getpid())\n".utf8)
        _ = text.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    }

    deinit { close(file) }

    /// Lets go at once, although a child between its fork and its program, or a task that has not ended, still holds the file.
    package func release() { flock(file, LOCK_UN) }

    /// The process that runs a network there; nil when none does.
    package static func holder(_ directory: String) -> Int? {
        let file = open(path(directory), O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        if flock(file, LOCK_SH | LOCK_NB) == 0 { return nil }
        guard let bytes = Files.read(path(directory), maximum: 64) else { return nil }
        return Int(String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber })
    }

    private static func path(_ directory: String) -> String { directory + "/lock" }
}

/// The network that this user started last, for commands that name none.
package enum CurrentNetwork {
    private static var directory: String { (Files.environment("TMPDIR") ?? "/tmp") + "/causeway-\(getuid())" }
    private static var file: String { directory + "/current" }

    /// Its data directory; nil when none was started or it is gone.
    package static var path: String? {
        // A folder in a shared place must be ours, or somebody else chooses our network.
        var status = stat()
        guard lstat(directory, &status) == 0, status.st_uid == getuid(), status.st_mode & S_IFMT == S_IFDIR,
            let bytes = Files.read(file, maximum: 4096)
        else { return nil }
        let path = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init)
        return path.flatMap { Files.exists($0 + "/" + NetworkDocument.fileName) ? $0 : nil }
    }

    package static func set(_ dataDirectory: String) throws(LocalnetError) {
        try Files.makeDirectory(directory, mode: 0o700)
        try Files.write(dataDirectory + "\n", to: file, mode: 0o600)
    }

    package static func clear(_ dataDirectory: String) {
        if path == dataDirectory { Files.remove(file) }
    }
}

// Small file work: bounded reads, atomic writes with a mode, folders. No meaning of any file is known here.

import Ethereum
import Glibc

package enum Files {
    /// The whole file; nil when it is missing, unreadable or larger than `maximum` bytes.
    package static func read(_ path: String, maximum: Int) -> Bytes? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var result = Bytes()
        var chunk = Bytes(repeating: 0, count: 64 * 1024)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return nil
            }
            if count == 0 { return result }
            guard result.count + count <= maximum else { return nil }
            result += chunk[..<count]
        }
    }

    /// At most `maximum` bytes from the end of the file, from the start of a line; empty when there is no such file.
    package static func tail(_ path: String, maximum: Int) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        let start = max(0, size - maximum)
        lseek(file, off_t(start), SEEK_SET)
        var buffer = Bytes(repeating: 0, count: maximum)
        let count = buffer.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
        let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        guard start > 0, let newline = text.firstIndex(of: "\n") else { return text }
        return String(text[text.index(after: newline)...])
    }

    /// Puts `bytes` at `path` in one step: a reader sees the old file or the new one. Throws `fileFailed`.
    package static func write(_ bytes: Bytes, to path: String, mode: mode_t = 0o644) throws(LocalnetError) {
        let draft = "\(path).\(getpid()).draft"
        let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("cannot write", draft) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.write(file, raw.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                let error = failure("cannot write", draft)
                close(file)
                unlink(draft)
                throw error
            }
            written += count
        }
        // The mode of `open` passes the umask, which may only have narrowed it.
        guard fchmod(file, mode) == 0, fsync(file) == 0 else {
            let error = failure("cannot write", draft)
            close(file)
            unlink(draft)
            throw error
        }
        close(file)
        guard rename(draft, path) == 0 else {
            let error = failure("cannot rename to", path)
            unlink(draft)
            throw error
        }
    }

    package static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws(LocalnetError) {
        try write(Bytes(text.utf8), to: path, mode: mode)
    }

    /// Makes the folder and those above it.
    package static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws(LocalnetError) {
        var sofar = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            sofar += "/" + part
            guard mkdir(sofar, mode) == 0 || errno == EEXIST || isDirectory(sofar) else {
                throw failure("cannot make the folder", sofar)
            }
        }
    }

    /// A new folder that nobody else has, `PREFIX` and six letters.
    package static func makeTemporaryDirectory(prefix: String) throws(LocalnetError) -> String {
        let base = environment("TMPDIR") ?? "/tmp"
        var template = Array("\(base)/\(prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw failure("cannot make a folder in", base) }
        return String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
    package static func remove(_ path: String) { unlink(path) }

    /// Removes a file, or a folder with all that is in it. Links are removed and not followed.
    package static func removeTree(_ path: String) {
        var pending = [path]
        var folders: [String] = []
        while let next = pending.popLast() {
            var status = stat()
            guard lstat(next, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                folders.append(next)
                pending += names(in: next).map { next + "/" + $0 }
            } else {
                unlink(next)
            }
        }
        for folder in folders.reversed() { rmdir(folder) }
    }

    package static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// True when nobody but the owner may read or write the file.
    package static func isPrivate(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & 0o077 == 0
    }

    /// Names in a folder, sorted; empty when it cannot be read.
    package static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The path from the root, with links resolved where it exists.
    package static func absolute(_ path: String) -> String {
        if let resolved = realpath(path, nil) {
            defer { free(resolved) }
            return String(cString: resolved)
        }
        return path.hasPrefix("/") ? path : currentDirectory + "/" + path
    }

    package static var currentDirectory: String {
        guard let text = getcwd(nil, 0) else { return "/" }
        defer { free(text) }
        return String(cString: text)
    }

    package static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    static func failure(_ what: String, _ path: String) -> LocalnetError {
        LocalnetError(.fileFailed, "\(what) \(path): \(systemMessage(errno))")
    }

    static func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }
}

// Free TCP ports of this machine, taken so that two networks that start at the same time do not choose the same one.

import Ethereum
import Glibc
import Synchronization

/// Ports held by this process until it ends, by locks on files that no other network's search passes.
package final class Ports: Sendable {
    private let directory: String
    private let locks = Mutex<[Int32]>([])

    package init() {
        // Ports are the machine's, whatever TMPDIR a network has for its files.
        directory = "/tmp/causeway-ports-\(getuid())"
        mkdir(directory, 0o700)
    }

    deinit { release() }

    /// The first port from `first` on that nobody listens on and no other network holds. Throws `portsExhausted`.
    package func take(from first: Int) throws(LocalnetError) -> Int {
        for port in first..<min(first + Limits.portsTriedMaximum, 65_536) {
            guard let lock = lock(port) else { continue }
            if Self.isFree(port) {
                locks.withLock { $0.append(lock) }
                return port
            }
            close(lock)
        }
        throw LocalnetError(
            .portsExhausted, "no free port from \(first) on", hint: "stop other networks: causeway down")
    }

    package func release() {
        let held = locks.withLock { locks in
            defer { locks = [] }
            return locks
        }
        for lock in held { close(lock) }
    }

    private func lock(_ port: Int) -> Int32? {
        let file = open("\(directory)/\(port)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        // Without the folder the ports are only as safe as the search itself.
        guard file >= 0 else { return open("/dev/null", O_RDONLY | O_CLOEXEC) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            return nil
        }
        return file
    }

    /// Whether a server could listen on the loopback address now.
    package static func isFree(_ port: Int) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var yes: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = Loopback.address(port)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return bound == 0
    }
}

enum Loopback {
    static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
        return address
    }
}

// One GET to a loopback port: is a process ready? Nothing else is fetched this way.

import Dispatch
import Ethereum
import Glibc

package struct HTTPProbe: Sendable {
    package let status: Int
    package let body: String

    /// The answer of `http://127.0.0.1:PORT/PATH`; nil when nobody listens or the answer does not come in time.
    package static func get(port: Int, path: String, timeoutMilliseconds: Int = 1_000) async -> HTTPProbe? {
        await withCheckedContinuation { continuation in
            // The socket blocks, so it stays off the cooperative threads.
            DispatchQueue.global().async {
                continuation.resume(returning: fetch(port: port, path: path, timeoutMilliseconds: timeoutMilliseconds))
            }
        }
    }

    private static func fetch(port: Int, path: String, timeoutMilliseconds: Int) -> HTTPProbe? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        defer { close(socket) }
        var patience = timeval(tv_sec: timeoutMilliseconds / 1000, tv_usec: timeoutMilliseconds % 1000 * 1000)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = Loopback.address(port)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return nil }
        let request = Bytes("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n".utf8)
        let sent = request.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard sent == request.count else { return nil }
        return parse(receive(socket))
    }

    /// Everything until the peer closes, at most 64 kB.
    private static func receive(_ socket: Int32) -> Bytes {
        var result = Bytes()
        var chunk = Bytes(repeating: 0, count: 4096)
        while result.count < 64 * 1024 {
            let count = chunk.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { break }
            result += chunk[..<count]
        }
        return result
    }

    /// Status line and body of an answer; nil when it is no HTTP.
    static func parse(_ bytes: Bytes) -> HTTPProbe? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix("HTTP/1."), let code = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        return HTTPProbe(status: code, body: parts.count > 1 ? String(parts[1]) : "")
    }
}

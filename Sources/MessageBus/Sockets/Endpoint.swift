// Endpoints as the configuration writes them: tcp://HOST:PORT, and ipc:///PATH where a socket of this machine will do.
// Parsed before libzmq sees them, because it resolves names late and is silent about many mistakes.

package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// A name, an IPv4 address, an IPv6 address without brackets, or `*` (all interfaces, for binding only).
    package let host: String
    /// 0 means "any free port" when binding and "not known yet" when connecting.
    package let port: UInt16
    /// The socket's file, of an ipc endpoint; host and port are empty then.
    package let path: String?

    /// A path of a Unix socket, as the kernel takes it.
    static let pathBytesMaximum = 107

    /// A socket of this machine. Links between machines are given as text, which is tcp:// alone.
    package init(ipcPath path: String) throws(MessageBusError) {
        let isPlain = path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x2a }
        guard path.hasPrefix("/"), path.utf8.count <= Self.pathBytesMaximum, isPlain else {
            throw MessageBusError(
                .malformedEndpoint, "ipc endpoint of \(path.utf8.count) bytes",
                hint: "an absolute path of at most \(Self.pathBytesMaximum) plain letters")
        }
        self.path = path
        host = ""
        port = 0
    }

    package init(_ text: String) throws(MessageBusError) {
        func refuse(_ reason: String) -> MessageBusError {
            let shown = text.utf8.count > Limits.endpointBytesMaximum ? "(\(text.utf8.count) bytes)" : text
            return MessageBusError(
                .malformedEndpoint, "endpoint \(shown): \(reason)", context: ["endpoint": shown],
                hint: "write it as tcp://HOST:PORT, for example tcp://127.0.0.1:4401")
        }
        guard text.utf8.count <= Limits.endpointBytesMaximum else { throw refuse("too long") }
        path = nil
        let scheme = "tcp://"
        guard text.hasPrefix(scheme) else { throw refuse("only tcp:// is known here") }
        let rest = text.dropFirst(scheme.count)
        guard let colon = rest.lastIndex(of: ":") else { throw refuse("no port") }
        let digits = rest[rest.index(after: colon)...]
        if digits == "*" {
            port = 0
        } else {
            guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                digits == "0" || digits.first != "0", let number = UInt16(digits)
            else { throw refuse("the port is a number from 1 to 65535, or 0 for any free one") }
            port = number
        }
        let name = rest[..<colon]
        if name.hasPrefix("["), name.hasSuffix("]") {
            let inner = name.dropFirst().dropLast()
            let isAddress = inner.utf8.contains(0x3a) && inner.utf8.allSatisfy { byte in
                Self.isHexDigit(byte) || byte == 0x3a || byte == 0x2e
            }
            guard isAddress else { throw refuse("the brackets hold no IPv6 address") }
            host = String(inner)
        } else {
            guard name == "*" || Self.isName(name) else { throw refuse("the host is no name or address") }
            host = String(name)
        }
    }

    private init(host: String, port: UInt16) {
        self.host = host
        self.port = port
        path = nil
    }

    package func withPort(_ port: UInt16) -> Endpoint {
        path == nil ? Endpoint(host: host, port: port) : self
    }

    /// Whether it names a place to connect to.
    package var isDialable: Bool { path != nil || (port != 0 && host != "*") }

    package var isIPv6: Bool { host.utf8.contains(0x3a) }
    package var isLoopback: Bool { path != nil || host == "localhost" || host == "::1" || host.hasPrefix("127.") }
    package var description: String { path.map { "ipc://\($0)" } ?? "tcp://\(bracketed):\(port)" }

    var bindText: String { path == nil && port == 0 ? "tcp://\(bracketed):*" : description }
    private var bracketed: String { isIPv6 ? "[\(host)]" : host }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte)
    }

    private static func isName(_ name: Substring) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 253, name.first != "-", name.first != "." else { return false }
        return name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte)
                || byte == 0x2e || byte == 0x2d
        }
    }
}

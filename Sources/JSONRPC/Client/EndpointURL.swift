// The address of a node. Providers put keys into path, query and user info: printing never shows those.
// No connecting here.

/// `http`, `https`, `ws` or `wss`, host, port and the rest. Prints as scheme, host and port only.
package struct EndpointURL: Sendable, Equatable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package enum Scheme: String, Sendable { case http, https, ws, wss }

    /// Why a text is no endpoint. The text itself is not repeated: it may hold a key.
    package struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        package enum Code: String, Sendable {
            case empty, tooLong, badCharacter, missingScheme, unsupportedScheme, missingHost, badPort, badHost
        }
        package let code: Code
        package let message: String
        package var description: String { "endpoint: \(message)" }

        init(_ code: Code, _ message: String) {
            self.code = code
            self.message = message
        }
    }

    package let scheme: Scheme
    /// A name or address; an IPv6 address stands without brackets.
    package let host: String
    package let port: Int
    /// Path and query as they go into the request line; may hold a key.
    let target: String
    /// `user:password`, percent-decoded; a secret.
    let userInfo: String?

    package var isWebSocket: Bool { scheme == .ws || scheme == .wss }
    package var isEncrypted: Bool { scheme == .https || scheme == .wss }

    /// Scheme, host and port alone: nothing in it is a secret, and a path can be put behind it.
    package var isOrigin: Bool { target == "/" && userInfo == nil }

    /// Host and port as the `Host` header wants them.
    var authority: String {
        let shown = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return port == (isEncrypted ? 443 : 80) ? shown : "\(shown):\(port)"
    }

    /// Scheme, host and port; what else there was, only as a sign that it was there.
    package var description: String {
        "\(scheme.rawValue)://\(userInfo == nil ? "" : "***@")\(authority)\(target == "/" ? "" : "/***")"
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["endpoint": description]) }

    /// Reads an endpoint as it stands in a configuration file.
    package static func parse(_ text: String) throws(Malformed) -> EndpointURL {
        let text = trimmed(text)
        guard !text.isEmpty else { throw Malformed(.empty, "nothing is there; write https://HOST or ws://HOST:PORT") }
        guard text.utf8.count <= Limits.endpointBytesMaximum else {
            throw Malformed(.tooLong, "longer than \(Limits.endpointBytesMaximum) letters")
        }
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw Malformed(.badCharacter, "holds a blank, a control character or a letter that must be percent-encoded")
        }
        guard let (schemeText, afterScheme) = cut(text[...], at: "://") else {
            throw Malformed(.missingScheme, "begins with no scheme; write http://, https://, ws:// or wss:// before it")
        }
        guard let scheme = Scheme(rawValue: schemeText.lowercased()) else {
            throw Malformed(.unsupportedScheme, "its scheme is none of http, https, ws and wss")
        }
        let end = afterScheme.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? afterScheme.endIndex
        var authority = afterScheme[..<end]
        var target = String(afterScheme[end...].prefix { $0 != "#" })
        if !target.hasPrefix("/") { target = "/" + target }
        var userInfo: String?
        if let at = authority.lastIndex(of: "@") {
            userInfo = percentDecoded(authority[..<at])
            authority = authority[authority.index(after: at)...]
        }
        let (host, portText) = try hostAndPort(authority)
        var port = scheme == .https || scheme == .wss ? 443 : 80
        if let portText {
            guard portText.utf8.count <= 5, portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(portText), (1...65535).contains(number)
            else { throw Malformed(.badPort, "its port is no number from 1 to 65535") }
            port = number
        }
        return EndpointURL(scheme: scheme, host: host, port: port, target: target, userInfo: userInfo)
    }

    private static func hostAndPort(_ text: Substring) throws(Malformed) -> (host: String, port: Substring?) {
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { throw Malformed(.badHost, "'[' without ']'") }
            let host = text[text.index(after: text.startIndex)..<close]
            guard !host.isEmpty, host.utf8.allSatisfy({ isHexDigit($0) || $0 == 0x3a || $0 == 0x2e }) else {
                throw Malformed(.badHost, "no IPv6 address between the brackets")
            }
            let rest = text[text.index(after: close)...]
            if rest.isEmpty { return (String(host), nil) }
            guard rest.first == ":" else { throw Malformed(.badHost, "something stands between ']' and the port") }
            return (String(host), rest.dropFirst())
        }
        let colon = text.firstIndex(of: ":")
        let host = text[..<(colon ?? text.endIndex)]
        guard !host.isEmpty else { throw Malformed(.missingHost, "no host behind the scheme") }
        guard host.utf8.allSatisfy(isHostCharacter) else {
            throw Malformed(.badHost, "its host holds a character that no host name has")
        }
        return (host.lowercased(), colon.map { text[text.index(after: $0)...] })
    }

    private static func isHexDigit(_ character: UInt8) -> Bool {
        (0x30...0x39).contains(character) || (0x41...0x46).contains(character) || (0x61...0x66).contains(character)
    }

    private static func isHostCharacter(_ character: UInt8) -> Bool {
        (0x30...0x39).contains(character) || (0x41...0x5a).contains(character) || (0x61...0x7a).contains(character)
            || character == UInt8(ascii: "-") || character == UInt8(ascii: ".") || character == UInt8(ascii: "_")
    }

    private static func trimmed(_ text: String) -> String {
        let blanks: Set<Character> = [" ", "\t", "\n", "\r", "\r\n"]
        let front = text.drop { blanks.contains($0) }
        guard let last = front.lastIndex(where: { !blanks.contains($0) }) else { return "" }
        return String(front[...last])
    }

    private static func cut(_ text: Substring, at mark: String) -> (Substring, Substring)? {
        var at = text.startIndex
        while at < text.endIndex {
            if text[at...].hasPrefix(mark) { return (text[..<at], text[text.index(at, offsetBy: mark.count)...]) }
            at = text.index(after: at)
        }
        return nil
    }

    private static func percentDecoded(_ text: Substring) -> String {
        let source = Array(text.utf8)
        var bytes: [UInt8] = []
        var at = 0
        while at < source.count {
            if source[at] == UInt8(ascii: "%"), at + 2 < source.count,
                let value = UInt8(String(decoding: source[at + 1...at + 2], as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                at += 3
            } else {
                bytes.append(source[at])
                at += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension EndpointURL {
    /// Text that may be a URL with secrets in it, as it may be shown.
    package static func redacted(_ text: String) -> String {
        guard let url = try? parse(text) else { return "<not an endpoint>" }
        return url.description
    }
}

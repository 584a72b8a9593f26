// How a source of another house is asked and read: the keys of the kinds `http` and `websocket`.

import Configuration
import Ethereum
import JSONRPC
import PriceStreams

/// A header; its value may be a key, and never prints.
package struct AdapterHeader: Sendable, Equatable {
    package var name: String
    package var value: Secret
}

package struct HTTPSettings: Sendable, Equatable {
    package var url: EndpointURL
    package var headers: [AdapterHeader]
    /// Sent with POST; nil is a GET.
    package var body: String?
    package var pollMilliseconds: Int
    package var timeoutMilliseconds: Int
    package var answerBytesMaximum: Int
    package var trustedCertificatesFile: String?
    package var values: [AdapterValue]
}

package struct WebSocketSettings: Sendable, Equatable {
    package var url: EndpointURL
    package var headers: [AdapterHeader]
    /// Messages sent after the connection stands.
    package var subscribe: [String]
    package var timeoutMilliseconds: Int
    /// Silence, or chatter without a value of ours, after which it connects again.
    package var staleMilliseconds: Int
    package var messageBytesMaximum: Int
    package var trustedCertificatesFile: String?
    package var values: [AdapterValue]
}

extension HTTPSettings {
    init(
        _ section: inout ConfigurationSection, streams: StreamsSettings, folder: String,
        readFile: (String) throws(ConfigurationError) -> String
    ) throws(ConfigurationError) {
        url = try section.sourceURL(isWebSocket: false)
        headers = try section.headers(folder, readFile)
        let isPost = try section.value("method", expected: "GET or POST", default: "GET") { text in
            text == "POST" ? true : text == "GET" ? false : nil
        }
        let text = try section.optional("body")
        guard isPost || text == nil else { throw section.refused("body", "a body", "method: POST with it") }
        guard (text?.utf8.count ?? 0) <= Limits.sentTextBytesMaximum else {
            throw section.refused("body", "more", "at most \(Limits.sentTextBytesMaximum) bytes")
        }
        body = isPost ? text ?? "" : nil
        pollMilliseconds = try section.integer("pollMilliseconds", in: 50...86_400_000, default: 1_000)
        timeoutMilliseconds = try section.integer("timeoutMilliseconds", in: 50...60_000, default: 2_000)
        answerBytesMaximum = try section.integer("answerBytes", in: 1_000...16_000_000, default: 256_000)
        trustedCertificatesFile = try section.optional("trustedCertificates").map { SettingsFile.join(folder, $0) }
        values = try section.adapterValues(streams)
    }
}

extension WebSocketSettings {
    init(
        _ section: inout ConfigurationSection, streams: StreamsSettings, folder: String,
        readFile: (String) throws(ConfigurationError) -> String
    ) throws(ConfigurationError) {
        url = try section.sourceURL(isWebSocket: true)
        headers = try section.headers(folder, readFile)
        subscribe = try section.strings("subscribe")
        for text in subscribe where text.utf8.count > Limits.sentTextBytesMaximum {
            throw section.refused("subscribe", text, "at most \(Limits.sentTextBytesMaximum) bytes")
        }
        timeoutMilliseconds = try section.integer("timeoutMilliseconds", in: 50...60_000, default: 5_000)
        staleMilliseconds = try section.integer("staleMilliseconds", in: 50...86_400_000, default: 10_000)
        messageBytesMaximum = try section.integer("messageBytes", in: 1_000...16_000_000, default: 256_000)
        trustedCertificatesFile = try section.optional("trustedCertificates").map { SettingsFile.join(folder, $0) }
        values = try section.adapterValues(streams)
    }
}

extension ConfigurationSection {
    fileprivate mutating func sourceURL(isWebSocket: Bool) throws(ConfigurationError) -> EndpointURL {
        let schemes = isWebSocket ? "ws://HOST or wss://HOST" : "http://HOST or https://HOST"
        // The text may hold a key: the refusal does not repeat it.
        let text = try string("url")
        guard let url = try? EndpointURL.parse(text), url.isWebSocket == isWebSocket else {
            throw refused("url", EndpointURL.redacted(text), schemes)
        }
        return url
    }

    // MARK: Headers

    fileprivate mutating func headers(
        _ folder: String, _ readFile: (String) throws(ConfigurationError) -> String
    ) throws(ConfigurationError) -> [AdapterHeader] {
        var headers: [AdapterHeader] = []
        for var item in try sections("headers") {
            let name = try item.value("name", expected: "the name of a header, not host or content-length") { text in
                Self.isHeader(text) ? text : nil
            }
            guard headers.count < Limits.headersMaximum, !headers.contains(where: { $0.name.lowercased() == name.lowercased() })
            else { throw item.refused("name", name, "a header that stands here once, at most \(Limits.headersMaximum)") }
            headers.append(AdapterHeader(name: name, value: try item.headerValue(name, folder, readFile)))
            try item.finish()
        }
        return headers
    }

    private static func isHeader(_ text: String) -> Bool {
        (1...60).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || byte == 0x2d || byte == 0x5f
            } && !["host", "content-length", "connection", "upgrade", "transfer-encoding"].contains(text.lowercased())
    }

    private mutating func headerValue(
        _ name: String, _ folder: String, _ readFile: (String) throws(ConfigurationError) -> String
    ) throws(ConfigurationError) -> Secret {
        let plain = try optional("value")
        let variable = try optional("environment")
        let file = try optional("file")
        let found: String
        switch (plain, variable, file) {
        case (let plain?, nil, nil):
            let lower = name.lowercased()
            let isSecret = ["auth", "key", "token", "secret", "cookie"].contains { lower.contains($0) }
            guard !isSecret else {
                throw ConfigurationError(
                    .invalidValue, "\(place): the value of header \(name) stands in the file",
                    hint: "name a variable with 'environment:' or a file with 'file:', so that no key is shown")
            }
            found = plain
        case (nil, let variable?, nil):
            guard let text = self.variable(variable) else {
                throw refused("environment", variable, "a variable that is set")
            }
            found = text
        case (nil, nil, let file?):
            let text = try readFile(SettingsFile.join(folder, file))
            found = text.hasSuffix("\n") ? String(text.dropLast()) : text
        default:
            throw ConfigurationError(
                .invalidValue, "\(place): header \(name) needs one of value, environment and file")
        }
        guard (1...4_096).contains(found.utf8.count), found.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            throw ConfigurationError(
                .invalidValue, "\(place): the value of header \(name) is empty, too long or no plain text",
                hint: "1 to 4096 printable ASCII letters, one line")
        }
        return Secret(Bytes(found.utf8))
    }

    // MARK: Values

    fileprivate mutating func adapterValues(_ streams: StreamsSettings) throws(ConfigurationError) -> [AdapterValue] {
        var values: [AdapterValue] = []
        for var item in try sections("values", required: true) {
            let stream = try item.stream("stream", of: streams)
            guard !values.contains(where: { $0.stream == stream.id }) else {
                throw item.refused("stream", stream.name, "a stream that stands here once")
            }
            values.append(try item.adapterValue(stream))
        }
        guard (1...Limits.valuesPerSourceMaximum).contains(values.count) else {
            throw ConfigurationError(
                .invalidValue, "\(place): \(values.count) values", hint: "1 to \(Limits.valuesPerSourceMaximum)")
        }
        return values
    }

    private mutating func adapterValue(_ stream: StreamSettings) throws(ConfigurationError) -> AdapterValue {
        let benchmark = try optionalPath(stream.kind == .quote && has("benchmark") ? "benchmark" : "path")
        var bid: ValuePath?
        var ask: ValuePath?
        if stream.kind == .quote {
            bid = try optionalPath("bid")
            ask = try optionalPath("ask")
        }
        guard (bid == nil) == (ask == nil), benchmark != nil || bid != nil else {
            throw ConfigurationError(
                .missingKey, "\(place): no way to the value of \(stream.name)",
                hint: stream.kind == .quote ? "name bid and ask, benchmark, or all three" : "name its path")
        }
        let time = try optionalPath("timePath")
        guard time != nil || stream.kind != .timestamped else {
            throw ConfigurationError(
                .missingKey, "\(place): \(stream.name) is timestamped: missing key 'timePath'",
                hint: "its time is that of its source, never ours")
        }
        let units = TimeUnit.allCases.map(\.rawValue).joined(separator: ", ")
        let value = AdapterValue(
            stream: stream.id, kind: stream.kind, path: benchmark, bid: bid, ask: ask,
            scale: try decimal("scale", default: "1") ?? .one, minimum: try decimal("minimum"),
            maximum: try decimal("maximum"), time: time,
            timeUnit: try value("timeUnit", expected: "one of \(units)", default: "ms") { TimeUnit(rawValue: $0) },
            words: try words(), when: try condition())
        guard !value.scale.isZero else { throw refused("scale", "0", "a number that is not zero") }
        try finish()
        return value
    }

    private mutating func optionalPath(_ key: String) throws(ConfigurationError) -> ValuePath? {
        guard let text = try optional(key) else { return nil }
        guard let path = ValuePath(text) else {
            throw refused(key, text, "a path like data.0.price, or /data/0/price")
        }
        return path
    }

    private mutating func decimal(_ key: String, default builtIn: String? = nil) throws(ConfigurationError) -> Decimal? {
        guard let text = try optional(key) ?? builtIn else { return nil }
        guard let number = try? Decimal(text: text) else { throw refused(key, text, "a decimal number") }
        return number
    }

    /// `open=2`: numbers for words.
    private mutating func words() throws(ConfigurationError) -> [String: Decimal] {
        var words: [String: Decimal] = [:]
        for text in try strings("words") {
            guard words.count < Limits.headersMaximum, let cut = text.lastIndex(of: "="),
                let number = try? Decimal(text: text[text.index(after: cut)...]),
                words.updateValue(number, forKey: String(text[..<cut])) == nil
            else { throw refused("words", text, "WORD=NUMBER, each word once") }
        }
        return words
    }

    /// `product_id=ETH-USD`.
    private mutating func condition() throws(ConfigurationError) -> (path: ValuePath, text: String)? {
        guard let text = try optional("when") else { return nil }
        guard let cut = text.firstIndex(of: "="), let path = ValuePath(String(text[..<cut])) else {
            throw refused("when", text, "PATH=TEXT")
        }
        return (path, String(text[text.index(after: cut)...]))
    }
}

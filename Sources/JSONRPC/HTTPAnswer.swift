// The question to a plain route and its answer. No routing here.

/// A request that is no JSON-RPC, as a service with paths of its own gets it.
package struct HTTPQuestion: Sendable, Equatable {
    package struct Header: Sendable, Equatable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// In capitals.
    package let method: String
    /// Path and query as sent, before any decoding: signatures cover these bytes.
    package let target: String
    package let headers: [Header]
    package let body: [UInt8]

    package init(method: String, target: String, headers: [Header] = [], body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }

    /// The values of a header, one for each line with it.
    /// - Parameter name: in any case.
    package func values(_ name: String) -> [String] {
        let wanted = name.lowercased()
        return headers.filter { $0.name.lowercased() == wanted }.map(\.value)
    }

    package var path: String { String(target.prefix { $0 != "?" && $0 != "#" }) }

    /// The first value of a name in the query, percent signs left as they are.
    package func query(_ name: String) -> String? {
        guard let mark = target.firstIndex(of: "?") else { return nil }
        for pair in target[target.index(after: mark)...].prefix(while: { $0 != "#" }).split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, parts[0] == name { return String(parts[1]) }
        }
        return nil
    }
}

/// Status, media type, further headers and body of one answer.
package struct HTTPAnswer: Sendable, Equatable {
    package let status: Int
    package let contentType: String
    package let body: [UInt8]
    /// Beside content type and length; names in lower case. Written in the order of their names.
    package var headers: [String: String]
    /// Sent as `Retry-After`.
    package var retryAfterSeconds: UInt64?

    package init(status: Int = 200, contentType: String, body: [UInt8], headers: [String: String] = [:]) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.headers = headers
    }

    package static func text(_ text: String, status: Int = 200) -> HTTPAnswer {
        HTTPAnswer(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    package static func html(_ text: String, status: Int = 200) -> HTTPAnswer {
        HTTPAnswer(status: status, contentType: "text/html; charset=utf-8", body: Array(text.utf8))
    }

    /// - Parameter text: finished JSON.
    package static func json(_ text: String, status: Int = 200) -> HTTPAnswer {
        HTTPAnswer(status: status, contentType: "application/json", body: Array(text.utf8))
    }

    /// The exposition of a registry, in the media type that scrapers expect.
    package static func metrics(_ registry: MetricsRegistry) -> HTTPAnswer {
        HTTPAnswer(contentType: "text/plain; version=0.0.4; charset=utf-8", body: Array(registry.exposition().utf8))
    }
}

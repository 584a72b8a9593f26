// The answer of a plain GET route. No routing here.

/// Status, media type and body of one answer.
package struct HTTPAnswer: Sendable, Equatable {
    package let status: Int
    package let contentType: String
    package let body: [UInt8]

    package init(status: Int = 200, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
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

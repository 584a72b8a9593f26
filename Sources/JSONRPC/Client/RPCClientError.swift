// Why a call to a node gave no answer. Callers act on `code` and `retry`; people read `message`.
// The endpoint stands here redacted; no key ever goes into a message.

/// One failed call. `remote` means that the node answered and refused; everything else is transport.
package struct RPCClientError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// Nobody listens there, the name does not resolve, or the network cannot be reached.
        case refused
        /// No answer in time; whether the call had an effect is unknown.
        case timeout
        /// HTTP status other than 200 without a JSON-RPC answer.
        case badStatus(Int)
        /// The answer is no JSON-RPC answer to what was asked.
        case garbage
        /// The answer is larger than the limit.
        case tooLarge
        /// The node's own answer.
        case remote(JSONRPCError)
        /// The connection ended before the answer; whether the call had an effect is unknown.
        case closed
        /// The endpoint's scheme cannot do this (subscriptions need a WebSocket).
        case unsupportedScheme
        /// The TLS handshake failed: certificate, name or protocol.
        case encryption
        /// The server did not agree to speak WebSocket.
        case handshake
        /// Too many calls wait already, or the call is too large to send.
        case overloaded
        /// The task that asked was cancelled.
        case cancelled
        /// The client was closed by its owner.
        case stopped
    }

    package enum Retry: String, Sendable { case now, later, never }

    package let code: Code
    /// Redacted.
    package let endpoint: String
    package let message: String
    package let retry: Retry
    /// Milliseconds for which the endpoint wants to be left alone (`Retry-After`); nil when it did not say.
    package let retryAfterMilliseconds: Int?

    package init(
        _ code: Code, endpoint: String, _ message: String, retry: Retry, retryAfterMilliseconds: Int? = nil
    ) {
        self.code = code
        self.endpoint = endpoint
        self.message = message
        self.retry = retry
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    /// The node's own error, when it answered.
    package var remote: JSONRPCError? { if case .remote(let error) = code { error } else { nil } }

    package var description: String { "\(endpoint): \(message)" }
}

extension RPCClientError {
    /// A stable word for metrics.
    package var reason: String {
        switch code {
        case .badStatus(429): "throttled"
        case .badStatus: "badStatus"
        case .remote: "remote"
        case .refused, .timeout, .garbage, .tooLarge, .closed, .unsupportedScheme, .encryption, .handshake, .overloaded,
            .cancelled, .stopped:
            "\(code)"
        }
    }
}

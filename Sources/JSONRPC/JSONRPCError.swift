// The error object of a JSON-RPC answer, on both sides of the wire.
// Transport failures do not live here: see RPCClientError and RPCServerError.

import Ethereum

/// What a method answers when it refuses (JSON-RPC 2.0 section 5.1; EIP-1474 for -32005; code 3 for reverts).
package struct JSONRPCError: Error, Sendable, Equatable, CustomStringConvertible {
    package let code: Int
    package let message: String
    /// More about it, as the method chose; for a revert the returned bytes as hexadecimal text.
    package let data: JSON?

    package init(code: Int, message: String, data: JSON? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    package static let parseError = JSONRPCError(code: -32700, message: "parse error")

    package static func parseError(_ why: String) -> JSONRPCError {
        JSONRPCError(code: -32700, message: "parse error: \(why)")
    }

    package static func invalidRequest(_ why: String) -> JSONRPCError {
        JSONRPCError(code: -32600, message: "invalid request: \(why)")
    }

    package static func methodNotFound(_ method: String) -> JSONRPCError {
        JSONRPCError(code: -32601, message: "the method \(method.prefix(Limits.shownTextCharacters)) does not exist")
    }

    package static func invalidParams(_ why: String) -> JSONRPCError {
        JSONRPCError(code: -32602, message: "invalid parameters: \(why)")
    }

    package static func internalError(_ why: String) -> JSONRPCError {
        JSONRPCError(code: -32603, message: "internal error: \(why)")
    }

    package static func limitExceeded(_ why: String) -> JSONRPCError {
        JSONRPCError(code: -32005, message: "limit exceeded: \(why)")
    }

    /// A call that reverted.
    /// - Parameter data: the returned bytes as hexadecimal text, `0x` when there were none.
    package static func executionReverted(message: String = "execution reverted", data: String) -> JSONRPCError {
        JSONRPCError(code: 3, message: message, data: .string(data))
    }

    package var description: String {
        "JSON-RPC error \(code): \(message)" + (data.map { " (\($0.text.prefix(Limits.shownTextCharacters)))" } ?? "")
    }

    /// The error object as it stands in an answer.
    package var json: JSON {
        var object = JSONObject([("code", .integer(code)), ("message", .string(message))])
        if let data { object["data"] = data }
        return .object(object)
    }
}

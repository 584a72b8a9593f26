// Why a server did not start. Says what to do next.

/// A server that could not be started.
package struct RPCServerError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case portInUse, addressNotAvailable, permissionDenied, invalidConfiguration, alreadyStarted, system
    }

    package let code: Code
    package let message: String
    /// What to do next, in words for the operator.
    package let hint: String

    package init(_ code: Code, _ message: String, hint: String) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    package var description: String { "\(code.rawValue): \(message)\n  hint: \(hint)" }
}

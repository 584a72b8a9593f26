// The one error type of this room. Callers act on `code`, `retry` and `fault`; people read `message` and `hint`.
// No secret ever goes into one.

import CZeroMQ

package struct MessageBusError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A stable name of what went wrong; an open set, so that a new one breaks no caller.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let portInUse = Code(rawValue: "portInUse")
        package static let addressNotAvailable = Code(rawValue: "addressNotAvailable")
        package static let permissionDenied = Code(rawValue: "permissionDenied")
        package static let malformedEndpoint = Code(rawValue: "malformedEndpoint")
        package static let malformedKey = Code(rawValue: "malformedKey")
        package static let keyMismatch = Code(rawValue: "keyMismatch")
        package static let invalidConfiguration = Code(rawValue: "invalidConfiguration")
        package static let alreadyStarted = Code(rawValue: "alreadyStarted")
        package static let stopped = Code(rawValue: "stopped")
        package static let resourcesExhausted = Code(rawValue: "resourcesExhausted")
        package static let library = Code(rawValue: "library")
    }

    package enum Retry: String, Sendable { case now, later, never }
    package enum Fault: String, Sendable { case ours, peer, chain, user }

    package let code: Code
    package let message: String
    /// What was being handled: endpoint, peer, socket. Keys are the structured log's keys.
    package let context: [String: String]
    /// What to do next, in words for the operator.
    package let hint: String?
    package let retry: Retry
    package let fault: Fault

    package init(
        _ code: Code, _ message: String, context: [String: String] = [:], hint: String? = nil,
        retry: Retry = .never, fault: Fault = .user
    ) {
        self.code = code
        self.message = message
        self.context = context
        self.hint = hint
        self.retry = retry
        self.fault = fault
    }

    package var description: String {
        var text = "\(code.rawValue): \(message)"
        if !context.isEmpty {
            text += " (" + context.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ") + ")"
        }
        if let hint { text += "\n  hint: \(hint)" }
        return text
    }
}

extension MessageBusError {
    static func configuration(_ message: String, hint: String? = nil) -> MessageBusError {
        MessageBusError(.invalidConfiguration, message, hint: hint)
    }

    /// The error of the library call that just failed on this thread.
    static func lastCall(_ operation: String, endpoint: String? = nil) -> MessageBusError {
        let number = zmq_errno()
        let reason = zmq_strerror(number).map { String(cString: $0) } ?? "error \(number)"
        var context = ["operation": operation]
        if let endpoint { context["endpoint"] = endpoint }
        let place = endpoint ?? "the socket"
        switch number {
        case EADDRINUSE:
            return MessageBusError(
                .portInUse, "\(place) is in use by another process", context: context,
                hint: "find it with `ss -ltnp`, stop it, or give this process another port",
                retry: .later, fault: .user)
        case EADDRNOTAVAIL, ENODEV:
            return MessageBusError(
                .addressNotAvailable, "no interface of this machine has the address of \(place)", context: context,
                hint: "bind to 127.0.0.1, to an address that `ip addr` shows, or to * for all", fault: .user)
        case EACCES, EPERM:
            return MessageBusError(
                .permissionDenied, "\(place) may not be opened by this user", context: context,
                hint: "ports below 1024 need a privilege; take a higher one", fault: .user)
        case EMFILE, ENFILE, ENOMEM, ENOBUFS:
            return MessageBusError(
                .resourcesExhausted, "\(operation): \(reason)", context: context,
                hint: "raise the limit of open files (`ulimit -n`) or free memory", retry: .later, fault: .user)
        case EINVAL where endpoint != nil, EPROTONOSUPPORT:
            return MessageBusError(
                .malformedEndpoint, "\(place) is not an endpoint the library takes", context: context,
                hint: "write it as tcp://HOST:PORT")
        case ETERM:
            return MessageBusError(.stopped, "\(operation): the bus was stopped", context: context, fault: .ours)
        default:
            return MessageBusError(
                .library, "\(operation): \(reason)", context: context.merging(["errno": "\(number)"]) { old, _ in old },
                fault: .ours)
        }
    }
}

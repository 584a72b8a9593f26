// The one error type of this room. Callers act on `code`, `retry` and `fault`; people read the rest.
// Endpoint labels only: never a URL, which may hold a key.

import Ethereum
import Storage

package struct ChainAccessError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A stable name of what went wrong; an open set.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// No connection, or an HTTP status that is no answer.
        package static let unreachable = Code(rawValue: "endpointUnreachable")
        package static let timeout = Code(rawValue: "endpointTimeout")
        /// Bytes that are no JSON-RPC answer, or an answer of the wrong shape.
        package static let malformedAnswer = Code(rawValue: "malformedAnswer")
        package static let wrongChainID = Code(rawValue: "wrongChainID")
        /// An error that the endpoint itself reported.
        package static let remote = Code(rawValue: "remoteError")
        /// The endpoint does not know the method.
        package static let unsupported = Code(rawValue: "methodNotSupported")
        /// A call ran out of gas by the endpoint's own words: its cap, or the call's limit.
        package static let outOfGas = Code(rawValue: "outOfGas")
        package static let reverted = Code(rawValue: "callReverted")
        package static let notFound = Code(rawValue: "notFound")
        /// The endpoint does not have the block yet.
        package static let behind = Code(rawValue: "endpointBehind")
        /// The endpoint wants smaller ranges.
        package static let tooManyResults = Code(rawValue: "tooManyResults")
        package static let rateLimited = Code(rawValue: "rateLimited")
        package static let disagreement = Code(rawValue: "endpointsDisagree")
        package static let finalityViolated = Code(rawValue: "finalityViolated")
        package static let noEndpoint = Code(rawValue: "noEndpoint")
        package static let invalidConfiguration = Code(rawValue: "invalidConfiguration")
        package static let storage = Code(rawValue: "storageFailed")
        package static let stopped = Code(rawValue: "stopped")
        package static let cancelled = Code(rawValue: "cancelled")
    }

    package enum Retry: String, Sendable { case now, later, never }
    package enum Fault: String, Sendable { case ours, peer, chain, user }

    package var code: Code
    package var message: String
    /// Chain, endpoint label, method, block.
    package var context: [String: String]
    package var hint: String
    /// Only with `reverted`: the data of the revert, empty when there was none.
    package var revertData: Bytes?
    /// The endpoint's own error code.
    package var remoteCode: Int?
    /// Milliseconds for which the endpoint wants to be left alone; nil when it did not say.
    package var retryAfterMilliseconds: Int?
    /// Asking the same endpoint again soon is of no use: a wrong path or key, a call that it does not understand.
    package var isLasting = false

    package init(
        _ code: Code, _ message: String, context: [String: String] = [:], hint: String = "", revertData: Bytes? = nil,
        remoteCode: Int? = nil, retryAfterMilliseconds: Int? = nil, isLasting: Bool = false
    ) {
        self.code = code
        self.message = message
        self.context = context
        self.hint = hint
        self.revertData = revertData
        self.remoteCode = remoteCode
        self.retryAfterMilliseconds = retryAfterMilliseconds
        self.isLasting = isLasting
    }

    package var retry: Retry {
        switch code {
        case .unreachable, .timeout, .behind, .rateLimited, .remote, .notFound, .disagreement, .malformedAnswer: .later
        case .tooManyResults: .now
        default: .never
        }
    }

    package var fault: Fault {
        switch code {
        case .wrongChainID, .noEndpoint, .invalidConfiguration: .user
        case .storage, .stopped, .cancelled: .ours
        default: .chain
        }
    }

    /// True when another endpoint may do better.
    var isOfEndpoint: Bool {
        switch code {
        case .unreachable, .timeout, .malformedAnswer, .wrongChainID, .remote, .unsupported, .behind, .rateLimited,
            .tooManyResults:
            true
        default: false
        }
    }

    /// True when the same endpoint may answer the same read in a moment.
    package var isTransient: Bool {
        switch code {
        case .unreachable, .timeout, .malformedAnswer, .behind, .rateLimited, .remote: !isLasting
        default: false
        }
    }

    func with(_ key: String, _ value: String) -> ChainAccessError {
        var copy = self
        copy.context[key] = value
        return copy
    }

    init(_ error: StorageError) {
        self.init(.storage, error.description, hint: error.hint)
    }

    package var description: String {
        var text = "\(code.rawValue): \(message)"
        if !context.isEmpty {
            text +=
                " (" + context.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ") + ")"
        }
        return hint.isEmpty ? text : text + "\n  hint: \(hint)"
    }
}

/// A read that several endpoints must answer alike: there, not yet, or never.
package enum Reading<Value: Sendable>: Sendable {
    case ready(Value)
    /// Too few endpoints answered, or they disagree: ask again later. No error.
    case notYet(String)
    /// Asking again cannot help.
    case refused(ChainAccessError)

    package var value: Value? { if case .ready(let value) = self { value } else { nil } }

    package func map<Other>(_ transform: (Value) -> Other) -> Reading<Other> {
        switch self {
        case .ready(let value): .ready(transform(value))
        case .notYet(let why): .notYet(why)
        case .refused(let error): .refused(error)
        }
    }

    /// The value, or an error that says when to ask again.
    package func get() throws(ChainAccessError) -> Value {
        switch self {
        case .ready(let value): return value
        case .notYet(let why): throw ChainAccessError(.disagreement, why, hint: "ask again later")
        case .refused(let error): throw error
        }
    }
}

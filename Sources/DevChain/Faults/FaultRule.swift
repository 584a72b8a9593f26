// One fault switch: which calls it is for, what befalls them, and how often. Reading it from JSON is in
// FaultRule+JSON.swift, counting in FaultPlan.swift.

import Ethereum

package struct FaultRule: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// The answer comes so much later.
        case delay(milliseconds: UInt64)
        /// No answer; the connection is closed, or stays open and silent.
        case drop(closes: Bool)
        /// A JSON-RPC error instead of an answer.
        case error(code: Int, message: String)
        /// HTTP 429 with `Retry-After`; over WebSocket the error -32005.
        case tooManyRequests(retryAfterSeconds: UInt64)
        /// HTTP 500; over WebSocket the error -32603.
        case serverError
        /// Answers as if the head was so many blocks ago.
        case staleHead(blocks: UInt64)
        /// Every n-th log is left out; 1 leaves out all.
        case missingLogs(every: UInt64)
        /// The logs of one block are left out.
        case missingLogsOfBlock(UInt64)
        /// Block numbers in answers are off by this.
        case wrongBlockNumber(offset: Int64)
        /// `safe` and `finalized` stand so many blocks above what is true, at most at the head.
        case lyingFinality(blocks: UInt64)

        /// True for what befalls a whole message (a batch is one) and not one call of it.
        var isOfMessage: Bool {
            switch self {
            case .drop, .tooManyRequests, .serverError: true
            default: false
            }
        }
    }

    /// Which of the calls that match are struck.
    package enum Chance: Sendable, Equatable {
        case always
        /// The n-th, the 2n-th, ...
        case every(UInt64)
        /// So many of a million, drawn from a generator with this seed: the same seed strikes the same calls.
        case probability(millionths: UInt64, seed: UInt64)
    }

    /// A method, a beginning of methods with a star, or `*`.
    package var methods: String
    package var kind: Kind
    package var chance: Chance
    /// It strikes at most so often.
    package var count: UInt64?
    /// It looks at most at so many calls.
    package var calls: UInt64?

    package init(
        _ methods: String, _ kind: Kind, _ chance: Chance = .always, count: UInt64? = nil, calls: UInt64? = nil
    ) {
        self.methods = methods
        self.kind = kind
        self.chance = chance
        self.count = count
        self.calls = calls
    }

    /// The name under which rules see what is pushed to subscribers.
    package static let pushName = "eth_subscription"

    /// `*` stands for what a node of a real network answers; the hands of the tester stay free. The fault methods
    /// themselves are never struck.
    package func covers(_ method: String) -> Bool {
        if Self.isAdministration(method) { return false }
        if methods == "*" { return !Self.isOfTester(method) }
        if methods.hasSuffix("*") { return method.hasPrefix(methods.dropLast()) }
        return method == methods
    }

    /// The methods that set, show and clear faults.
    static func isAdministration(_ method: String) -> Bool {
        method.hasPrefix("causeway_") && method.hasSuffix("Faults")
    }

    /// The development methods.
    static func isOfTester(_ method: String) -> Bool {
        ["evm_", "anvil_", "hardhat_", "causeway_"].contains { method.hasPrefix($0) }
    }
}

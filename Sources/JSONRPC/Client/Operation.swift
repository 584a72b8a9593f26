// One request on its way: what is sent, who waits, until when. Confined to its client's event loop.

import Ethereum
import NIOCore

/// What a client hands to its transport.
struct OutgoingRequest: Sendable {
    let body: [UInt8]
    /// One id a call, ascending; the first also names the operation.
    let ids: [UInt64]
    let isBatch: Bool
    /// May be sent a second time when a kept-alive connection turns out to be dead.
    let isRead: Bool
    let deadline: NIODeadline
    /// Takes the notifications of the subscription that this call makes.
    var subscription: SubscriptionSink?

    /// Methods that only look: sending them twice changes nothing. Whatever is not listed is not resent.
    static func isRead(_ method: String) -> Bool {
        if method == "eth_getFilterChanges" { return false }
        return reads.contains(method) || method.hasPrefix("eth_get") || method.hasPrefix("debug_trace")
            || method.hasPrefix("net_") || method.hasPrefix("web3_")
    }

    private static let reads: Set<String> = [
        "eth_blobBaseFee", "eth_blockNumber", "eth_call", "eth_chainId", "eth_createAccessList", "eth_estimateGas",
        "eth_feeHistory", "eth_gasPrice", "eth_maxPriorityFeePerGas", "eth_syncing",
    ]
}

/// What came back: bytes still to be read (HTTP), or a value (WebSocket, where reading is routing).
enum RawAnswer: Sendable {
    case bytes([UInt8])
    case value(JSON)
}

/// Where the notifications of one subscription go.
struct SubscriptionSink: Sendable {
    let continuation: AsyncStream<JSON>.Continuation
}

/// A request and its promise. Used on one event loop only.
final class Operation {
    let request: OutgoingRequest
    private let promise: EventLoopPromise<RawAnswer>
    private var timeout: Scheduled<Void>?
    private(set) var isDone = false
    /// It was resent once already, and needs a connection nobody used before.
    var needsFresh = false

    init(_ request: OutgoingRequest, _ promise: EventLoopPromise<RawAnswer>) {
        self.request = request
        self.promise = promise
    }

    /// - Parameter expired: called on the loop when the deadline passes first.
    func arm(on eventLoop: any EventLoop, _ expired: @escaping () -> Void) {
        let bound = NIOLoopBound(expired, eventLoop: eventLoop)
        timeout = eventLoop.scheduleTask(deadline: request.deadline) { bound.value() }
    }

    func finish(_ result: Result<RawAnswer, RPCClientError>) {
        guard !isDone else { return }
        isDone = true
        timeout?.cancel()
        switch result {
        case .success(let answer): promise.succeed(answer)
        case .failure(let error): promise.fail(error)
        }
    }
}

// Follows the heads of one chain and hands them to whoever asks. Subscriptions only wake it up; what counts is what it
// reads (5.8). One per chain and process.

import Ethereum
import Logging

package actor HeadTracker {
    package nonisolated let endpoints: ChainEndpointSet
    private let interval: Duration
    private let logger: Logger
    package private(set) var current: ChainHeads?
    /// Why there are no newer heads; nil when the last read went well.
    package private(set) var lastFailure: String?
    private var subscribers: [UInt64: AsyncStream<ChainHeads>.Continuation] = [:]
    private var nextSubscriber: UInt64 = 0

    /// `pollInterval` nil: the policy's.
    package init(_ endpoints: ChainEndpointSet, pollInterval: Duration? = nil, logger: Logger) {
        self.endpoints = endpoints
        interval = pollInterval ?? endpoints.policy.pollInterval
        self.logger = logger
    }

    /// Heads after each successful read, changed or not; a slow reader gets the newest only.
    package func updates() -> AsyncStream<ChainHeads> {
        let (stream, continuation) = AsyncStream.makeStream(of: ChainHeads.self, bufferingPolicy: .bufferingNewest(1))
        let id = nextSubscriber
        nextSubscriber += 1
        subscribers[id] = continuation
        continuation.onTermination = { [weak self] _ in
            Task { await self?.remove(id) }
        }
        if let current { continuation.yield(current) }
        return stream
    }

    private func remove(_ id: UInt64) { subscribers[id] = nil }

    /// Reads heads once and tells everybody.
    @discardableResult
    package func poll() async -> Reading<ChainHeads> {
        let reading = await endpoints.agreedHeads()
        switch reading {
        case .ready(let heads):
            lastFailure = nil
            current = heads
            for (_, subscriber) in subscribers.sorted(by: { $0.key < $1.key }) { subscriber.yield(heads) }
        case .notYet(let why):
            if lastFailure == nil { logger.warning("no heads", metadata: [LogKey.error: "\(why)"]) }
            lastFailure = why
        case .refused(let error):
            if lastFailure == nil { logger.error("no heads", metadata: [LogKey.error: "\(error)"]) }
            lastFailure = error.description
        }
        return reading
    }

    /// Until the task is cancelled. Ends all streams.
    package func run() async {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let interval = interval
        let endpoints = endpoints
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    wake.yield()
                    try? await Task.sleep(for: interval)
                }
                wake.finish()
            }
            for endpoint in endpoints.endpoints {
                group.addTask { await Self.follow(endpoint, wake, interval) }
            }
            for await _ in wakes { await poll() }
            group.cancelAll()
        }
        for (_, subscriber) in subscribers { subscriber.finish() }
        subscribers = [:]
    }

    /// Announcements of one endpoint; a lost subscription is taken up again, and polling goes on meanwhile.
    private static func follow(
        _ endpoint: ChainEndpoint, _ wake: AsyncStream<Void>.Continuation, _ interval: Duration
    ) async {
        while !Task.isCancelled {
            guard let announcements = await endpoint.transport.newHeads() else { return }
            for await _ in announcements { wake.yield() }
            try? await Task.sleep(for: max(interval, .seconds(1)))
        }
    }
}

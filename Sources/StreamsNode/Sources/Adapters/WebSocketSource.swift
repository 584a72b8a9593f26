// Listens to a server that pushes values, and connects again when it ends or has nothing to say.

import Ethereum
import JSONRPC
import Logging
import PriceStreams
import Synchronization

struct WebSocketSource: PriceSource {
    let name: String
    private let settings: WebSocketSettings
    private let feed: WebSocketFeed

    init(_ name: String, _ settings: WebSocketSettings, logger: Logger) {
        self.name = name
        self.settings = settings
        feed = WebSocketFeed(
            timeoutMilliseconds: settings.timeoutMilliseconds, messageBytesMaximum: settings.messageBytesMaximum,
            trustedCertificatesFile: settings.trustedCertificatesFile, logger: logger)
    }

    private struct Ending: Sendable {
        var reason: String
        var message: String
        var retryAfterSeconds: UInt64?
    }

    /// When the last value came, and whether any did on this connection.
    private struct Pulse: Sendable {
        var last = ContinuousClock.now
        var isAny = false
    }

    private static let pauseMilliseconds = 500

    func run(_ deliver: @escaping @Sendable (SourceTick) -> Void, _ report: @escaping @Sendable (SourceReport) -> Void) async {
        var backoff = Backoff(usualMilliseconds: Self.pauseMilliseconds)
        while !Task.isCancelled {
            let pulse = PulseBox()
            let ending = await connection(pulse, deliver, report)
            guard !Task.isCancelled else { return }
            report(.failed(reason: ending.reason, message: ending.message))
            if pulse.isAny { _ = backoff.succeeded() }
            let pause = backoff.failed(
                retryAfterSeconds: ending.retryAfterSeconds, draw: UInt64.random(in: 0 ... .max))
            try? await Task.sleep(for: .milliseconds(pause))
        }
    }

    private final class PulseBox: Sendable {
        private let pulse = Mutex(Pulse())
        var isAny: Bool { pulse.withLock { $0.isAny } }
        /// True for the first.
        func beat() -> Bool {
            pulse.withLock { pulse in
                defer { pulse = Pulse(last: .now, isAny: true) }
                return !pulse.isAny
            }
        }
        var silence: Duration { pulse.withLock { $0.last.duration(to: .now) } }
    }

    /// Until the connection ends or is silent for too long.
    private func connection(
        _ pulse: PulseBox, _ deliver: @escaping @Sendable (SourceTick) -> Void,
        _ report: @escaping @Sendable (SourceReport) -> Void
    ) async -> Ending {
        await withTaskGroup(of: Ending.self) { group in
            group.addTask { await listen(pulse, deliver, report) }
            group.addTask { await watch(pulse) }
            let first = await group.next()
            group.cancelAll()
            return first ?? Ending(reason: "closed", message: "the connection ended")
        }
    }

    private func watch(_ pulse: PulseBox) async -> Ending {
        let limit = Duration.milliseconds(settings.staleMilliseconds)
        while !Task.isCancelled, pulse.silence < limit {
            try? await Task.sleep(for: max(.milliseconds(5), limit - pulse.silence))
        }
        return Ending(reason: "silent", message: "\(settings.url): no value for \(settings.staleMilliseconds) ms")
    }

    private func listen(
        _ pulse: PulseBox, _ deliver: @escaping @Sendable (SourceTick) -> Void,
        _ report: @escaping @Sendable (SourceReport) -> Void
    ) async -> Ending {
        var garbage = 0
        do {
            let messages = feed.messages(
                settings.url, headers: settings.headers.map(\.plain), first: settings.subscribe)
            for try await bytes in messages {
                guard let document = try? JSON.parse(bytes) else {
                    garbage += 1
                    report(.unusable(reason: "garbage", message: "\(settings.url): a message is no JSON"))
                    if garbage >= Limits.garbageMessagesMaximum {
                        return Ending(reason: "garbage", message: "\(settings.url): \(garbage) messages are no JSON")
                    }
                    continue
                }
                garbage = 0
                let faults = settings.values.deliver(document, deliver)
                if faults.count < settings.values.count, pulse.beat() { report(.connected) }
                // What a message does not tell, the next one may.
                for fault in faults where fault.fault != .missingValue {
                    report(.unusable(reason: fault.fault.rawValue, message: "\(settings.url): \(fault)"))
                }
            }
            return Ending(reason: "closed", message: "\(settings.url): the connection ended")
        } catch {
            guard let error = error as? RPCClientError else { return Ending(reason: "closed", message: "\(error)") }
            return Ending(
                reason: error.reason, message: "\(error)",
                retryAfterSeconds: error.retryAfterMilliseconds.map { UInt64($0 / 1_000) })
        }
    }
}

// A source run until a test has seen enough.

import PriceStreams
import Synchronization
import Testing

@testable import StreamsNode

final class SourceLog: Sendable {
    struct Content: Sendable {
        var ticks: [SourceTick] = []
        var reports: [SourceReport] = []
    }

    private let content = Mutex(Content())

    var ticks: [SourceTick] { content.withLock { $0.ticks } }
    var reports: [SourceReport] { content.withLock { $0.reports } }
    /// Of all failures, in order.
    var reasons: [String] {
        reports.compactMap { report in
            switch report {
            case .connected: nil
            case .failed(let reason, _), .unusable(let reason, _): reason
            }
        }
    }

    func add(_ tick: SourceTick) { content.withLock { $0.ticks.append(tick) } }

    /// Runs the source until `isEnough`, or for twenty seconds.
    func run(_ source: any PriceSource, until isEnough: @Sendable (Content) -> Bool) async {
        let task = Task {
            await source.run(
                { tick in self.content.withLock { $0.ticks.append(tick) } },
                { report in self.content.withLock { $0.reports.append(report) } })
        }
        let end = ContinuousClock.now + .seconds(20)
        while !content.withLock({ isEnough($0) }) {
            guard ContinuousClock.now < end else {
                Issue.record("nothing more came: \(content.withLock { "\($0.ticks.count) ticks, \($0.reports)" })")
                break
            }
            try? await Task.sleep(for: .milliseconds(5))
        }
        task.cancel()
        await task.value
    }
}

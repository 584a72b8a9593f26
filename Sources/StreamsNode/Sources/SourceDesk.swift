// All sources of one oracle and the panels of its streams: ticks come in from many tasks, values are asked for by the
// agreement. What is fit to be observed is the panels' decision.

import Logging
import PriceStreams
import Synchronization

package final class SourceDesk: Sendable {
    package struct StreamHealth: Equatable, Sendable {
        package var name: String
        package var id: StreamID
        /// Of the youngest source in use; nil when none is.
        package var valueAgeNanoseconds: UInt64?
        package var sourcesInUse: Int
        /// Why there is no value now.
        package var reason: SourceRefusal?
        /// What was last refused, a tick or a value, and all refusals by name.
        package var lastRefusal: SourceRefusal?
        package var refused: [SourceRefusal: UInt64]
        package var ticks: UInt64
    }

    package struct SourceHealth: Equatable, Sendable {
        package var name: String
        package var isConnected = false
        package var ticks: UInt64 = 0
        /// When the last tick came in that was taken, by the clock of this machine; nil before the first.
        package var tickedAt: UInt64?
        package var failures: [String: UInt64] = [:]
        /// Ticks that its streams did not take.
        package var refused: [SourceRefusal: UInt64] = [:]
        package var lastFailure: String?
    }

    private struct State {
        var panels: [SourcePanel]
        var sources: [SourceHealth]
    }

    package let sources: [any PriceSource]
    private let places: [StreamID: Int]
    private let state: Mutex<State>
    private let onTick: (@Sendable (SourceTick) -> Void)?
    private let logger: Logger

    /// - Parameter onTick: called for each tick that was taken, on the source's task; hand over and return.
    package convenience init(
        settings: [SourceSettings], streams: StreamsSettings, oracle index: Int, logger: Logger,
        onTick: (@Sendable (SourceTick) -> Void)? = nil
    ) {
        let sources = settings.map { source -> any PriceSource in
            switch source.make {
            case .simulator(let simulator): SteadySource.simulator(source.name, simulator, oracle: index)
            case .calendar(let calendar): SteadySource.calendar(source.name, calendar)
            case .replay(let replay): ReplaySource(source.name, replay, streams: streams)
            case .http(let http): HTTPSource(source.name, http, logger: logger)
            case .websocket(let socket): WebSocketSource(source.name, socket, logger: logger)
            }
        }
        self.init(sources: sources, streams: streams, logger: logger, onTick: onTick)
    }

    init(
        sources: [any PriceSource], streams: StreamsSettings, logger: Logger,
        onTick: (@Sendable (SourceTick) -> Void)? = nil
    ) {
        self.sources = sources
        self.logger = logger
        self.onTick = onTick
        let status = streams.statusStreams
        let sorted = streams.streams.sorted { $0.id < $1.id }
        places = Dictionary(sorted.enumerated().map { ($1.id, $0) }) { first, _ in first }
        state = Mutex(
            State(
                panels: sorted.map { SourcePanel($0, tellsUnknown: status.contains($0.id)) },
                sources: sources.map { SourceHealth(name: $0.name) }))
    }

    /// Runs all sources until the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            for (index, source) in sources.enumerated() {
                group.addTask {
                    await source.run(
                        { [weak self] tick in self?.take(tick, from: index) },
                        { [weak self] report in self?.hear(report, from: index) })
                }
            }
        }
    }

    /// What may be observed now; streams without a fit value are absent.
    package func values(at now: UInt64) -> [StreamID: StreamValue] {
        state.withLock { state in
            var values: [StreamID: StreamValue] = [:]
            values.reserveCapacity(state.panels.count)
            for index in state.panels.indices {
                if let value = state.panels[index].value(at: now) { values[state.panels[index].stream.id] = value }
            }
            return values
        }
    }

    /// By stream, ascending; counts nothing.
    package func health(at now: UInt64) -> [StreamHealth] {
        state.withLock { state in
            state.panels.map { panel in
                let verdict = panel.verdict(at: now)
                return StreamHealth(
                    name: panel.stream.name, id: panel.stream.id, valueAgeNanoseconds: verdict.ageNanoseconds,
                    sourcesInUse: verdict.sourcesInUse, reason: verdict.reason, lastRefusal: panel.lastRefusal,
                    refused: panel.refused, ticks: panel.ticks)
            }
        }
    }

    /// In the order of the settings.
    package var sourceHealth: [SourceHealth] { state.withLock { $0.sources } }

    // MARK: From the sources

    func take(_ tick: SourceTick, from source: Int) {
        guard let place = places[tick.stream] else { return }
        let refusal = state.withLock { state in
            let refusal = state.panels[place].take(tick, from: source)
            state.sources[source].ticks += 1
            if let refusal {
                state.sources[source].refused[refusal, default: 0] += 1
            } else {
                state.sources[source].tickedAt = tick.receivedAt
            }
            return refusal
        }
        if refusal == nil { onTick?(tick) }
    }

    private func hear(_ report: SourceReport, from source: Int) {
        let isNews = state.withLock { state in
            let before = state.sources[source]
            switch report {
            case .connected:
                state.sources[source].isConnected = true
                return !before.isConnected
            case .failed(let reason, let message):
                state.sources[source].isConnected = false
                state.sources[source].failures[reason, default: 0] += 1
                state.sources[source].lastFailure = message
                return before.isConnected || before.lastFailure == nil
            case .unusable(let reason, let message):
                state.sources[source].failures[reason, default: 0] += 1
                state.sources[source].lastFailure = message
                return before.failures[reason] == nil
            }
        }
        // A source that stays down is told once; how often is in the metrics.
        guard isNews else { return }
        let name = sources[source].name
        switch report {
        case .connected: logger.info("a price source answers", metadata: ["source": "\(name)"])
        case .failed(let reason, let message):
            logger.warning(
                "a price source fails: \(message)", metadata: ["source": "\(name)", "reason": "\(reason)"])
        case .unusable(let reason, let message):
            logger.warning(
                "a price source sends something of no use: \(message)",
                metadata: ["source": "\(name)", "reason": "\(reason)"])
        }
    }
}

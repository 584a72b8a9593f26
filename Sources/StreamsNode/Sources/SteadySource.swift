// Sources that are functions of the time: they tick when the clock passes a multiple of their interval.

import PriceStreams

/// Delivers what `make` gives for each interval, at its beginnings.
struct SteadySource: PriceSource {
    let name: String
    let intervals: [UInt64]
    let make: @Sendable (_ interval: UInt64, _ now: UInt64) -> [SourceTick]

    static func simulator(_ name: String, _ settings: SimulatorSettings, oracle: Int) -> SteadySource {
        let simulator = MarketSimulator(settings, oracle: oracle)
        return SteadySource(name: name, intervals: simulator.intervals) { simulator.ticks(every: $0, at: $1) }
    }

    static func calendar(_ name: String, _ settings: CalendarSettings) -> SteadySource {
        let entries = settings.entries.map { ($0, MarketCalendar($0.hours, closedDays: settings.closedDays)) }
        return SteadySource(name: name, intervals: [1_000_000_000]) { _, now in
            entries.map { entry, calendar in
                let session = calendar.session(at: Int(now / 1_000_000_000))
                let status = Decimal(UInt64(entry.numbering.number(session)))
                return SourceTick(stream: entry.stream, value: .decimal(status), madeAt: now, receivedAt: now)
            }
        }
    }

    func run(_ deliver: @escaping @Sendable (SourceTick) -> Void, _ report: @escaping @Sendable (SourceReport) -> Void) async {
        report(.connected)
        await withTaskGroup(of: Void.self) { group in
            for interval in intervals {
                group.addTask {
                    while !Task.isCancelled {
                        for tick in make(interval, WallTime.nanoseconds()) { deliver(tick) }
                        let now = WallTime.nanoseconds()
                        try? await Task.sleep(for: .nanoseconds(Int64(interval - now % interval)))
                    }
                }
            }
        }
    }
}

// The exposition text, and that counting is right from many tasks.

import Testing

@testable import JSONRPC

struct MetricsTests {
    @Test("the exposition has everything from the start, in order, with zero") func exposition() {
        let registry = MetricsRegistry()
        let drops = registry.counters("drops_total", help: "Lost, by \"reason\"\nand more \\.", by: "reason", CutReason.self)
        registry.gauge("open", help: "Open.", labels: ["a": "x\"y\\z\n"]).set(2.5)
        let seconds = registry.histogram("took_seconds", help: "Time.", buckets: [0.1, 1], labels: ["m": "k"])
        for value in [0.05, 0.1, 0.5, 5] { seconds.observe(value) }
        drops[.idle]?.add(3)
        let expected = """
            # HELP drops_total Lost, by "reason"\\nand more \\\\.
            # TYPE drops_total counter
            drops_total{reason="idle"} 3
            drops_total{reason="malformed"} 0
            drops_total{reason="protocol_violation"} 0
            drops_total{reason="silent"} 0
            drops_total{reason="slow_reader"} 0
            drops_total{reason="slow_request"} 0
            drops_total{reason="too_large"} 0
            drops_total{reason="too_many_connections"} 0
            # HELP open Open.
            # TYPE open gauge
            open{a="x\\"y\\\\z\\n"} 2.5
            # HELP took_seconds Time.
            # TYPE took_seconds histogram
            took_seconds_bucket{m="k",le="0.1"} 2
            took_seconds_bucket{m="k",le="1"} 3
            took_seconds_bucket{m="k",le="+Inf"} 4
            took_seconds_sum{m="k"} 5.65
            took_seconds_count{m="k"} 4

            """
        #expect(registry.exposition() == expected)
    }

    @Test("the same name and labels are the same series") func sameSeries() {
        let registry = MetricsRegistry()
        registry.counter("a_total", help: "A.", labels: ["x": "1"]).add()
        registry.counter("a_total", help: "A.", labels: ["x": "1"]).add()
        registry.counter("a_total", help: "A.", labels: ["x": "2"]).add()
        #expect(registry.counter("a_total", help: "A.", labels: ["x": "1"]).value == 2)
    }

    @Test("label values beyond the bound are counted together") func bounded() {
        let registry = MetricsRegistry()
        for peer in 0..<Limits.seriesMaximum + 50 {
            registry.counter("a_total", help: "A.", labels: ["peer": "\(peer)"]).add()
        }
        let text = registry.exposition()
        #expect(text.contains("a_total{peer=\"other\"} 50\n"))
        #expect(text.split(separator: "\n").count == Limits.seriesMaximum + 3)
    }

    @Test("no count is lost between tasks") func concurrent() async {
        let registry = MetricsRegistry()
        let counter = registry.counter("a_total", help: "A.")
        let gauge = registry.gauge("b", help: "B.")
        let histogram = registry.histogram("c_seconds", help: "C.")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<5_000 {
                        counter.add()
                        gauge.add(1)
                        gauge.add(-0.5)
                        histogram.observe(0.002)
                    }
                }
            }
        }
        #expect(counter.value == 40_000)
        #expect(gauge.value == 20_000)
        #expect(histogram.count == 40_000)
    }
}

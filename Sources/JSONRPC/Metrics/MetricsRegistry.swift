// Metrics by declaration: every series exists from the start, with zero. Text exposition format 0.0.4.
// No HTTP here (see HTTPAnswer.metrics), and no metric of any room is named here.

import Synchronization

/// The metrics of one process. Declaring is rare and locked; counting is an atomic addition.
package final class MetricsRegistry: Sendable {
    private let families = Mutex<[String: Family]>([:])

    package init() {}

    /// Declares a counter. The same name and labels give the same counter again.
    /// - Parameters:
    ///   - name: snake case with the unit and `_total` at the end, as in `causeway_rpc_requests_total`.
    ///   - help: one sentence on why an operator would look.
    ///   - labels: at most `Limits.seriesMaximum` sets per name; later ones are counted as `other`.
    package func counter(_ name: String, help: String, labels: [String: String] = [:]) -> MetricCounter {
        series(name, help: help, kind: "counter", labels: labels) { MetricCounter() }
    }

    /// Declares a gauge: a value that goes up and down.
    package func gauge(_ name: String, help: String, labels: [String: String] = [:]) -> MetricGauge {
        series(name, help: help, kind: "gauge", labels: labels) { MetricGauge() }
    }

    /// Declares a histogram.
    /// - Parameter buckets: upper bounds, ascending, in the unit that the name ends with; infinity is added.
    package func histogram(
        _ name: String, help: String, buckets: [Double] = MetricHistogram.seconds, labels: [String: String] = [:]
    ) -> MetricHistogram {
        series(name, help: help, kind: "histogram", labels: labels) { MetricHistogram(buckets: buckets) }
    }

    /// Counters that differ in one label: every value exists from the start, as drop reasons must.
    package func counters<Label: RawRepresentable & CaseIterable & Hashable & Sendable>(
        _ name: String, help: String, by label: String, _ values: Label.Type
    ) -> [Label: MetricCounter] where Label.RawValue == String {
        var result: [Label: MetricCounter] = [:]
        for value in values.allCases {
            result[value] = counter(name, help: help, labels: [label: value.rawValue])
        }
        return result
    }

    /// Everything as text, names and labels in order.
    package func exposition() -> String {
        let known = families.withLock { $0 }
        var text = ""
        for (name, family) in known.sorted(by: { $0.key < $1.key }) {
            text += "# HELP \(name) \(Self.escape(family.help, quotes: false))\n# TYPE \(name) \(family.kind)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(name, labels: labels, to: &text)
            }
        }
        return text
    }

    private struct Family {
        let help: String
        let kind: String
        var series: [String: any MetricSeries] = [:]
    }

    private func series<Series: MetricSeries>(
        _ name: String, help: String, kind: String, labels: [String: String], _ make: () -> Series
    ) -> Series {
        precondition(Self.isName(name), "metric name '\(name)' must be letters, digits and _ and begin with a letter")
        precondition(labels.keys.allSatisfy(Self.isName), "metric \(name): a label's name is malformed")
        return families.withLock { families in
            var family = families[name] ?? Family(help: help, kind: kind)
            precondition(family.kind == kind, "metric \(name) is declared as \(family.kind) and as \(kind)")
            var key = Self.text(labels)
            if family.series[key] == nil, family.series.count >= Limits.seriesMaximum {
                key = Self.text(labels.mapValues { _ in "other" })
            }
            if let known = family.series[key] as? Series { return known }
            let made = make()
            family.series[key] = made
            families[name] = family
            return made
        }
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, first == UInt8(ascii: "_") || isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || $0 == UInt8(ascii: "_") || (0x30...0x39).contains($0) }
    }

    private static func isLetter(_ character: UInt8) -> Bool {
        (0x41...0x5a).contains(character) || (0x61...0x7a).contains(character)
    }

    private static func text(_ labels: [String: String]) -> String {
        labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escape($0.value, quotes: true))\"" }
            .joined(separator: ",")
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}

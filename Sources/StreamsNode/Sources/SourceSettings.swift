// The section `sources` of an oracle's file: where its values come from. docs/reference/price-sources.md explains every
// key. Strict; checked against the streams of the DON before anything starts.

import Configuration
import PriceStreams

package struct SourceSettings: Sendable, Equatable {
    package enum Make: Sendable, Equatable {
        case simulator(SimulatorSettings)
        case calendar(CalendarSettings)
        case replay(ReplaySettings)
        case http(HTTPSettings)
        case websocket(WebSocketSettings)
    }

    package var name: String
    package var make: Make
    /// Streams that it serves, ascending.
    package var streams: [StreamID]
}

/// Tells status streams what the calendar says: one opinion beside those of venues (12.3).
package struct CalendarSettings: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package var stream: StreamID
        package var hours: MarketHours
        package var numbering: StatusNumbering
    }

    package var entries: [Entry]
    package var closedDays: Set<CivilDay>
}

extension SourceSettings {
    /// All sources of an oracle; relative paths begin at `folder`.
    package static func read(
        _ root: inout ConfigurationSection, streams: StreamsSettings, folder: String,
        readFile: (String) throws(ConfigurationError) -> String = SettingsFile.read
    ) throws(ConfigurationError) -> [SourceSettings] {
        var sources: [SourceSettings] = []
        for var section in try root.sections("sources", required: true) {
            let source = try SourceSettings(&section, streams: streams, folder: folder, readFile: readFile)
            guard !sources.contains(where: { $0.name == source.name }) else {
                throw section.refused("name", source.name, "a name that no other source has")
            }
            sources.append(source)
        }
        func refuse(_ text: String, _ hint: String) -> ConfigurationError {
            ConfigurationError(.invalidValue, "\(root.place): \(text)", hint: hint)
        }
        guard (1...Limits.sourcesMaximum).contains(sources.count) else {
            throw refuse("\(sources.count) sources", "1 to \(Limits.sourcesMaximum)")
        }
        for stream in streams.streams {
            let count = sources.count { $0.streams.contains(stream.id) }
            guard count >= stream.sourcesMinimum else {
                throw refuse(
                    "stream \(stream.name) has \(count) sources and needs \(stream.sourcesMinimum)",
                    "add sources here, or lower 'sources' of the stream in streams.yaml")
            }
            guard count <= Limits.sourcesPerStreamMaximum else {
                throw refuse("stream \(stream.name) has \(count) sources", "at most \(Limits.sourcesPerStreamMaximum)")
            }
        }
        return sources
    }

    private enum Kind: String, CaseIterable { case simulator, calendar, replay, http, websocket }

    private init(
        _ section: inout ConfigurationSection, streams: StreamsSettings, folder: String,
        readFile: (String) throws(ConfigurationError) -> String
    ) throws(ConfigurationError) {
        let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
        let kind: Kind = try section.value("kind", expected: "one of \(kinds)") { Kind(rawValue: $0) }
        name = try section.value("name", expected: "letters, digits, '-', '/' and '.'", default: kind.rawValue) { text in
            StreamSettings.isName(text) ? text : nil
        }
        switch kind {
        case .simulator:
            let only = try Self.only(&section, streams)
            let settings = try SimulatorSettings(&section, streams: streams, only: only)
            make = .simulator(settings)
            self.streams = only.map(\.id).sorted()
        case .calendar:
            let settings = try CalendarSettings(&section, streams: streams)
            make = .calendar(settings)
            self.streams = settings.entries.map(\.stream).sorted()
        case .replay:
            let only = try Self.only(&section, streams)
            make = .replay(try ReplaySettings(&section, only: only, folder: folder))
            self.streams = only.map(\.id).sorted()
        case .http:
            let settings = try HTTPSettings(&section, streams: streams, folder: folder, readFile: readFile)
            make = .http(settings)
            self.streams = settings.values.map(\.stream).sorted()
        case .websocket:
            let settings = try WebSocketSettings(&section, streams: streams, folder: folder, readFile: readFile)
            make = .websocket(settings)
            self.streams = settings.values.map(\.stream).sorted()
        }
        try section.finish()
    }

    /// The named streams, or all.
    private static func only(
        _ section: inout ConfigurationSection, _ streams: StreamsSettings
    ) throws(ConfigurationError) -> [StreamSettings] {
        let names = try section.strings("only")
        guard !names.isEmpty else { return streams.streams }
        for name in names where !streams.streams.contains(where: { $0.name == name }) {
            throw section.refused("only", name, "names of streams")
        }
        return streams.streams.filter { names.contains($0.name) }
    }
}

extension CalendarSettings {
    init(_ section: inout ConfigurationSection, streams: StreamsSettings) throws(ConfigurationError) {
        closedDays = try section.closedDays()
        entries = []
        for var item in try section.sections("streams", required: true) {
            let stream = try item.stream("stream", of: streams)
            guard stream.kind == .decimal, !entries.contains(where: { $0.stream == stream.id }) else {
                throw item.refused("stream", stream.name, "a stream of kind status that stands here once")
            }
            let names = MarketHours.allCases.map(\.rawValue).joined(separator: ", ")
            let hours: MarketHours = try item.value("hours", expected: "one of \(names)") { MarketHours(rawValue: $0) }
            try item.finish()
            entries.append(
                Entry(stream: stream.id, hours: hours, numbering: streams.statusNumbering(of: stream.id)))
        }
    }
}

extension ConfigurationSection {
    mutating func stream(_ key: String, of streams: StreamsSettings) throws(ConfigurationError) -> StreamSettings {
        let names = streams.streams.map(\.name).joined(separator: ", ")
        return try value(key, expected: "one of the streams \(names)") { name in
            streams.streams.first { $0.name == name }
        }
    }
}

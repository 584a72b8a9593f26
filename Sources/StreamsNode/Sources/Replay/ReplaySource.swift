// Plays a file of recorded ticks against the present clock. The file is read piece by piece: a day of a hundred streams
// does not fit in memory.

import Configuration
import Ethereum
import Foundation
import PriceStreams

package struct ReplaySettings: Sendable, Equatable {
    package var file: String
    /// Thousandths of the recorded speed.
    package var speed: UInt64
    /// Begins again at its end; otherwise the streams go stale then.
    package var repeats: Bool
    /// Streams to be played; other lines of the file are passed over.
    package var streams: [StreamID]

    init(_ section: inout ConfigurationSection, only: [StreamSettings], folder: String) throws(ConfigurationError) {
        file = try section.value("file", expected: "a file that can be read") { text in
            let path = SettingsFile.join(folder, text)
            return FileManager.default.isReadableFile(atPath: path) ? path : nil
        }
        speed = try section.value("speed", expected: "a number from 0.001 to 1000", default: "1") { text in
            guard let number = try? Decimal(text: text), let parts = number.truncated(times: 1_000)?.asUInt64,
                !number.isNegative, (1...1_000_000).contains(parts)
            else { return nil }
            return parts
        }
        repeats = try section.bool("repeats", default: true)
        streams = only.map(\.id)
    }

    init(file: String, speed: UInt64, repeats: Bool, streams: [StreamID]) {
        self.file = file
        self.speed = speed
        self.repeats = repeats
        self.streams = streams
    }
}

struct ReplaySource: PriceSource {
    let name: String
    let settings: ReplaySettings
    private let streams: [String: StreamSettings]

    init(_ name: String, _ settings: ReplaySettings, streams: StreamsSettings) {
        self.name = name
        self.settings = settings
        let played = streams.streams.filter { settings.streams.contains($0.id) }
        self.streams = Dictionary(played.map { ($0.name, $0) }) { first, _ in first }
    }

    func run(_ deliver: @escaping @Sendable (SourceTick) -> Void, _ report: @escaping @Sendable (SourceReport) -> Void) async {
        repeat {
            guard var lines = LineReader(settings.file) else {
                report(.failed(reason: "unreadable", message: "\(settings.file) cannot be read"))
                try? await Task.sleep(for: .milliseconds(Limits.sourcePauseMillisecondsMaximum))
                continue
            }
            let played = await play(&lines, deliver, report)
            // An empty file must not spin.
            if played == 0 { try? await Task.sleep(for: .seconds(1)) }
        } while settings.repeats && !Task.isCancelled
        if !Task.isCancelled { report(.failed(reason: "ended", message: "\(settings.file) is played to its end")) }
    }

    private func play(
        _ lines: inout LineReader, _ deliver: @Sendable (SourceTick) -> Void, _ report: @Sendable (SourceReport) -> Void
    ) async -> Int {
        var clock: ReplayClock?
        var number = 0
        var played = 0
        while !Task.isCancelled, let bytes = lines.next() {
            number += 1
            guard !bytes.isEmpty else { continue }
            let line: ReplayLine
            do { line = try ReplayLine(bytes) } catch {
                report(.unusable(reason: "malformedLine", message: "\(settings.file):\(number): \(error)"))
                continue
            }
            guard let stream = streams[line.stream] else { continue }
            let beat = clock ?? ReplayClock(first: line.at, start: WallTime.nanoseconds(), speed: settings.speed)
            if clock == nil { report(.connected) }
            clock = beat
            guard let time = beat.played(line.at), let tick = Self.tick(line, stream.id, beat, at: time) else {
                report(.unusable(reason: "malformedLine", message: "\(settings.file):\(number): no such time"))
                continue
            }
            let now = WallTime.nanoseconds()
            if time > now {
                guard (try? await Task.sleep(for: .nanoseconds(Int64(clamping: time - now)))) != nil else { break }
            }
            deliver(tick(WallTime.nanoseconds()))
            played += 1
        }
        return played
    }

    private static func tick(
        _ line: ReplayLine, _ stream: StreamID, _ clock: ReplayClock, at time: UInt64
    ) -> ((UInt64) -> SourceTick)? {
        var value = line.value
        if case .timestamped(let stamped) = value {
            guard let observed = clock.played(stamped.observedAtNanoseconds) else { return nil }
            value = .timestamped(TimestampedDecimal(observedAtNanoseconds: observed, value: stamped.value))
        }
        return { SourceTick(stream: stream, value: value, madeAt: time, receivedAt: $0) }
    }
}

/// Lines of a file, each at most as long as one tick; what is longer comes cut, and is no JSON then.
struct LineReader {
    private let file: FileHandle
    private var buffer: [UInt8] = []
    private var at = 0
    private var isAtEnd = false

    init?(_ path: String) {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        self.file = file
    }

    mutating func next() -> [UInt8]? {
        var line: [UInt8] = []
        var isAny = false
        while true {
            if at == buffer.count, !fill() { return isAny ? line : nil }
            isAny = true
            let rest = buffer[at...]
            let end = rest.firstIndex(of: 0x0a)
            let piece = rest[..<(end ?? rest.endIndex)]
            // One byte too many is enough to be refused for.
            line += piece.prefix(max(0, Limits.replayLineBytesMaximum + 1 - line.count))
            at = end.map { $0 + 1 } ?? buffer.count
            if end != nil { return line }
        }
    }

    private mutating func fill() -> Bool {
        guard !isAtEnd else { return false }
        buffer = (try? file.read(upToCount: Limits.replayChunkBytes)).flatMap { $0 }.map { Array($0) } ?? []
        at = 0
        isAtEnd = buffer.isEmpty
        return !isAtEnd
    }
}

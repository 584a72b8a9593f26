// Recorded ticks: their format, their clock, and a file played.

import Ethereum
import Foundation
import Logging
import PriceStreams
import Synchronization
import Testing
import TestSupport

@testable import StreamsNode

private typealias Decimal = PriceStreams.Decimal

@Suite struct SourcesReplayTests {
    @Test("a line reads back as it was written, for random ticks")
    func roundTrip() throws {
        var random = SplitMix64.forTest()
        func number(_ random: inout SplitMix64) -> Decimal {
            Decimal(
                isNegative: random.below(2) == 0, magnitude: U256(random.next() >> UInt64(random.below(64))),
                exponent: random.below(40) - 30) ?? .one
        }
        for _ in 0..<2_000 {
            let value: StreamValue =
                switch random.below(3) {
                case 0: .decimal(number(&random))
                case 1:
                    .quote(
                        StreamQuote(bid: number(&random), benchmark: number(&random), ask: number(&random)))
                default:
                    .timestamped(
                        TimestampedDecimal(observedAtNanoseconds: random.next(), value: number(&random)))
                }
            let line = ReplayLine(at: random.next(), stream: "ETH/USD", value: value)
            #expect(try ReplayLine(Array(line.text.utf8)) == line)
        }
    }

    @Test(
        "a malformed line is refused",
        arguments: [
            "", "{}", "[]", "nonsense", #"{"at":1,"stream":"A"}"#, #"{"at":1,"stream":"A","value":"x"}"#,
            #"{"at":-1,"stream":"A","value":"1"}"#, #"{"at":"1","stream":"A","value":"1"}"#,
            #"{"at":1.5,"stream":"A","value":"1"}"#, #"{"at":1,"stream":"A B","value":"1"}"#,
            #"{"at":1,"stream":"A","value":"1","bid":"1"}"#, #"{"at":1,"stream":"A","bid":"1","ask":"2"}"#,
            #"{"at":1,"stream":"A","value":"1","price":"1"}"#, #"{"at":1,"stream":"A","value":null}"#,
            #"{"at":1,"stream":"A","value":"1","observedAt":"2"}"#, #"{"at":1,"stream":"A","value":"1"} x"#,
        ])
    func malformed(_ text: String) {
        #expect(throws: ReplayLine.Malformed.self) { try ReplayLine(Array(text.utf8)) }
    }

    @Test("recorded times are placed in proportion, and none overflows")
    func clock() {
        let clock = ReplayClock(first: 1_000, start: 50_000, speed: 2_000)
        #expect(clock.played(1_000) == 50_000)
        #expect(clock.played(3_000) == 51_000)
        #expect(clock.played(0) == 49_500)
        #expect(ReplayClock(first: 0, start: 1, speed: 1).played(.max) == nil)
        #expect(ReplayClock(first: .max, start: 1, speed: 1_000).played(0) == nil)
    }

    @Test("random bytes never crash the reader of lines")
    func fuzz() {
        var random = SplitMix64.forTest()
        for _ in 0..<5_000 { _ = try? ReplayLine(random.bytes(random.below(200))) }
        let good = Array(#"{"at":1764270000000000000,"stream":"ETH/USD","bid":"1","benchmark":"2","ask":"3"}"#.utf8)
        for _ in 0..<5_000 {
            var bytes = good
            bytes[random.below(bytes.count)] = UInt8(random.below(256))
            _ = try? ReplayLine(bytes)
        }
    }

    @Test("a file plays in order at its speed, passes bad lines over by name, and begins again")
    func plays() async throws {
        let path = NSTemporaryDirectory() + "replay-\(UUID().uuidString).jsonl"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var lines = (0..<20).map { index in
            ReplayLine(
                at: 5_000_000_000 + UInt64(index) * 100_000_000, stream: "native",
                value: .decimal(Decimal(100 + index))).text
        }
        lines.insert("garbage", at: 3)
        lines.insert(String(repeating: "x", count: 200_000), at: 7)
        lines.insert(#"{"at":5000000000,"stream":"unknown","value":"1"}"#, at: 9)
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let settings = ReplaySettings(file: path, speed: 20_000, repeats: true, streams: [StreamID(1)])
        let source = ReplaySource("replay", settings, streams: try SourcesFixture.streams())
        let log = SourceLog()
        await log.run(source) { log in log.ticks.count >= 30 && log.reports.count >= 4 }
        let ticks = log.ticks.prefix(20)
        #expect(ticks.map(\.value) == (0..<20).map { .decimal(Decimal(100 + $0)) })
        #expect(log.ticks.dropFirst(20).first?.value == .decimal(Decimal(100)))
        // Two seconds of ticks at twenty times the speed.
        let made = ticks.compactMap(\.madeAt)
        try #require(made.count == 20)
        #expect(made[19] - made[0] == 95_000_000)
        for tick in ticks { #expect(tick.receivedAt >= tick.madeAt ?? .max) }
        let malformed = log.reports.filter { if case .unusable("malformedLine", _) = $0 { true } else { false } }
        #expect(malformed.count >= 2)
        #expect(malformed.contains { "\($0)".contains(":4: no JSON object") }, "\(malformed)")
    }

    @Test("a file without repeats ends and says so; a missing file is told and waited for")
    func ends() async throws {
        let path = NSTemporaryDirectory() + "replay-\(UUID().uuidString).jsonl"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try (#"{"at":1,"stream":"native","value":"1"}"# + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let streams = try SourcesFixture.streams()
        let once = ReplaySettings(file: path, speed: 1_000, repeats: false, streams: [StreamID(1)])
        let log = SourceLog()
        await log.run(ReplaySource("replay", once, streams: streams)) { $0.reports.count >= 2 }
        #expect(log.ticks.count == 1)
        #expect(log.reasons == ["ended"])
        let missing = ReplaySettings(file: path + ".no", speed: 1_000, repeats: false, streams: [StreamID(1)])
        let other = SourceLog()
        await other.run(ReplaySource("replay", missing, streams: streams)) { !$0.reports.isEmpty }
        #expect(other.reasons.first == "unreadable")
    }
}

// Frames of the fan-out against the vectors, byte for byte, and against damage.

import Ethereum
@testable import PriceStreams
import TestSupport
import Testing

@Suite("Frames of the fan-out")
struct StreamFrameTests {
    static let feed = FeedID(version: 3, symbol: "ETH/USD", segment: "test")

    @Test("the two frames of the vectors are written and read byte for byte, and their subscriptions match")
    func vectors() throws {
        let group = try StreamsVector.group("zeromq")
        let cases = try #require(group["cases"]?.asArray)
        #expect(cases.count == 2)
        for item in cases {
            let expected = try Hex.decode(try #require(item["frame"]?.asString))
            let frame = try StreamFrame(encoded: expected)
            #expect(frame.encoded == expected)
            func number(_ key: String) -> UInt64? { item[key]?.asString.flatMap { UInt64($0) } }
            #expect(frame.feedID.text == item["feedId"]?.asString)
            #expect(frame.bootID == number("bootId") && frame.feedSequence == number("feedSeq"))
            #expect(frame.globalSequence == number("globalSeq"))
            #expect(frame.observationsTimestampNanoseconds == number("observationsTimestampNs"))
            #expect(frame.publishTimestampNanoseconds == number("publishTimestampNs"))
            #expect(frame.kind == (item["cls"]?.asString == "0x52" ? .report : .heartbeat))
        }
        let prefixes = try #require(group["subscriptions"]?.asArray)
        #expect(prefixes.count == 4)
        let id = try FeedID(text: "0x0003f70783d6b0d6464b1cb5994596f427198e7c9e8e0ad4514ab5fe398f6802")
        let ours = [StreamTopic.allReports, StreamTopic.version(3), StreamTopic.feed(id), StreamTopic.heartbeats]
        for (item, prefix) in zip(prefixes, ours) { #expect(item["prefix"]?.asString == Hex.encode(prefix)) }
    }

    @Test("every frame survives the way there and back, and damage is refused by name or changes nothing but fields")
    func damage() {
        var random = SplitMix64(seed: 11)
        for _ in 0..<2_000 {
            let payload = (0..<Int.random(in: 1...900, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            let frame = StreamFrame(
                report: payload, of: FeedID(random.hash32()), flags: StreamFlags(rawValue: UInt16.random(in: 0...15, using: &random)),
                bootID: random.next(), feedSequence: random.next(), globalSequence: random.next(),
                observationsTimestampNanoseconds: random.next(), publishTimestampNanoseconds: random.next())
            #expect((try? StreamFrame(encoded: frame.encoded)) == frame)
            var bytes = frame.encoded
            let cut = Int.random(in: 0..<bytes.count, using: &random)
            #expect((try? StreamFrame(encoded: Array(bytes[..<cut]))) == nil)
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1
            _ = try? StreamFrame(encoded: bytes)
        }
    }

    @Test("refusals name what is wrong")
    func refusals() throws {
        let good = StreamFrame(
            report: [1, 2, 3], of: Self.feed, flags: [], bootID: 1, feedSequence: 1, globalSequence: 1,
            observationsTimestampNanoseconds: 1, publishTimestampNanoseconds: 1
        ).encoded
        func refusal(_ change: (inout Bytes) -> Void) -> StreamFrameRefusal? {
            var bytes = good
            change(&bytes)
            do throws(StreamFrameRefusal) {
                _ = try StreamFrame(encoded: bytes)
                return nil
            } catch { return error }
        }
        #expect(refusal { $0 = Array($0.prefix(79)) } == .tooShort)
        #expect(refusal { $0[0] = 0x41 } == .unknownClass)
        #expect(refusal { $0[33] = 2 } == .unknownHeaderVersion)
        #expect(refusal { $0.append(0) } == .payloadLengthDiffers)
        #expect(refusal { $0[0] = 0x48 } == .heartbeatWithPayload)
        #expect(refusal { $0 = Array($0.prefix(80)); $0[79] = 0 } == .reportWithoutPayload)
        #expect(refusal { $0 += Bytes(repeating: 0, count: 70_000) } == .payloadTooLarge)
    }

    @Test("requests and answers survive the way there and back, and malformed ones say why")
    func requests() throws {
        let requests: [StreamRequest] = [
            .snapshot(prefixes: [StreamTopic.allReports, StreamTopic.feed(Self.feed)]),
            .gap(feedID: Self.feed, bootID: 7, from: 3, to: 9),
        ]
        for request in requests { #expect(try StreamRequest(encoded: request.encoded) == request) }
        let replies: [StreamReply] = [.done(bootID: 1, globalSequence: 2), .gone(oldest: 3), .error("no")]
        for reply in replies { #expect(StreamReply(encoded: reply.encoded) == reply) }
        for bad in ["", "SNAP", "SNAP\u{2}R", "GAP", "HELLO"] {
            #expect(throws: StreamRequest.Refusal.self) { try StreamRequest(encoded: Bytes(bad.utf8)) }
        }
        #expect(throws: StreamRequest.Refusal.self) {
            try StreamRequest(encoded: StreamRequest.gap(feedID: Self.feed, bootID: 1, from: 9, to: 3).encoded)
        }
    }
}

// Gateway in to subscriber out: reports arrive in bursts at a steady rate, and each receiver reads the clock when it
// has a frame. The number in the frame says when it went in.

import Configuration
import Ethereum
import Foundation
import Glibc
import MessageBus
import PriceStreams
import StreamsNode

extension StreamBench {
    struct Traffic {
        let name: String
        let feeds: Int
        /// Reports a second, handed over so many at a time.
        let rate: Int
        let burst: Int
        let subscribers: Int
        let feedsPerSubscriber: Int
        let seconds: Int

        var reports: Int { rate * seconds }

        func topics(_ subscriber: Int) -> [[UInt8]] {
            (0..<feedsPerSubscriber).map {
                StreamTopic.feed(BenchFeeds.id((subscriber * feedsPerSubscriber + $0) % feeds))
            }
        }
    }

    static func latency(_ options: Options, _ report: Report) async throws {
        let seconds = options.latencySeconds
        func traffic(_ name: String, _ burst: Int) -> Traffic {
            Traffic(
                name: name, feeds: 1_000, rate: 10_000, burst: burst, subscribers: 100, feedsPerSubscriber: 10,
                seconds: seconds)
        }
        let runs = [
            traffic("1,000 feeds x 10/s, 100 subscribers of 10, evenly", 10),
            traffic("the same, 100 at a time", 100),
        ]
        for run in runs {
            let bare = try BareDoor(run)
            try measure(run, "bare libzmq", bare, report)
            let ours = try FanOutDoor(run)
            try measure(run, "fan-out", ours, report)
            let gateway = try GatewayDoor(run, options)
            try measure(run, "gateway, verifying", gateway, report)
            await gateway.end()
        }
        let all = Traffic(
            name: "100 feeds x 10/s, each of 100 subscribers all, 100 at a time", feeds: 100, rate: 1_000, burst: 100,
            subscribers: 100, feedsPerSubscriber: 100, seconds: seconds)
        try measure(all, "bare libzmq", BareDoor(all), report, hasAim: false)
        try measure(all, "fan-out", FanOutDoor(all), report, hasAim: false)
        report.add("latency", "1,000 feeds x 10/s x 100 subscribers of all would be", [("deliveries/s", 1_000_000)])
    }

    /// Where reports go in.
    protocol Door {
        var endpoint: String { get }
        func subscriptions() throws -> Int
        /// The reports from number `first` (from 0) on.
        func put(_ first: Int, _ count: Int) throws
        func close()
    }

    private static func measure(
        _ run: Traffic, _ name: String, _ door: any Door, _ report: Report, hasAim: Bool = true
    ) throws {
        let enteredAt = Samples(capacity: run.reports + 2)
        let latencies = Samples(capacity: run.reports * run.subscribers * run.feedsPerSubscriber / run.feeds + 1)
        // The first half second is for the machine to settle.
        let settled = UInt64(run.rate / 2)
        let receivers = try Receivers(run.subscribers, of: door.endpoint, curve: nil, topics: run.topics) { frame in
            let number = UInt64(bigEndian: frame.loadUnaligned(fromByteOffset: 52, as: UInt64.self))
            if number > settled { latencies.append(monotonic() &- enteredAt[Int(number)]) }
        }
        let expected = run.reports * run.subscribers * run.feedsPerSubscriber / run.feeds
        let subscriptions = run.subscribers * run.feedsPerSubscriber
        try wait(seconds: 60, for: "\(subscriptions) subscriptions") { try door.subscriptions() == subscriptions }
        receivers.expect(expected)
        let used = Machine.processorSeconds()
        let interval = UInt64(1_000_000_000 * run.burst / run.rate)
        var due = monotonic() + interval
        let begin = due
        for first in stride(from: 0, to: run.reports, by: run.burst) {
            var now = monotonic()
            if now < due {
                var pause = timespec(tv_sec: 0, tv_nsec: Int(due - now))
                nanosleep(&pause, nil)
                now = monotonic()
            } else {
                // Whoever is late counts from when it was due.
                now = due
            }
            for index in first..<first + run.burst { enteredAt[index + 1] = now }
            try door.put(first, run.burst)
            due += interval
        }
        let sent = Double(monotonic() - begin) / 1e9
        guard receivers.wait(seconds: 30) != nil else {
            throw BenchError("\(run.name), \(name): \(receivers.received) of \(expected) frames came")
        }
        let cpu = Machine.processorSeconds() - used
        receivers.close()
        door.close()
        let figures = latencies.percentiles([0.5, 0.99, 0.999])
        report.add(
            "latency", "\(run.name): \(name)",
            [
                ("p50 ms", figures[0]), ("p99 ms", figures[1]), ("p99.9 ms", figures[2]),
                ("reports/s", Double(run.reports) / sent), ("CPU cores", cpu / sent),
            ], aim: hasAim ? "p50 <= 1 ms, p99 <= 5 ms" : nil, isMet: hasAim ? figures[0] <= 1 && figures[1] <= 5 : nil)
    }
}

/// Frames of 816 bytes with the feed and the number where ours have them.
final class BareDoor: StreamBench.Door {
    private let publisher: BarePublisher
    private var frames: [[UInt8]]
    private let feeds: Int

    init(_ run: StreamBench.Traffic) throws {
        publisher = try BarePublisher(at: "tcp://127.0.0.1:*", curve: nil)
        feeds = run.feeds
        frames = (0..<run.feeds).map { index in
            StreamTopic.feed(BenchFeeds.id(index)) + [UInt8](repeating: 1, count: 816 - 33)
        }
    }

    var endpoint: String { publisher.endpoint }
    func subscriptions() throws -> Int { try publisher.subscriptions() }

    func put(_ first: Int, _ count: Int) throws {
        for index in first..<first + count {
            try frames[index % feeds].withUnsafeMutableBytes { bytes in
                bytes.storeBytes(of: UInt64(index + 1).bigEndian, toByteOffset: 52, as: UInt64.self)
                try publisher.socket.send(UnsafeRawBufferPointer(bytes))
            }
        }
    }

    func close() { publisher.close() }
}

/// Our fan-out with the gateway's book.
final class FanOutDoor: StreamBench.Door {
    private let publisher: FanOutPublisher<FrameSource>
    private let feeds: [FeedID]
    private let payload = Bytes(repeating: 1, count: 736)

    init(_ run: StreamBench.Traffic) throws {
        let configuration = FanOutPublisherConfiguration(
            feed: try Endpoint("tcp://127.0.0.1:0"), requests: try Endpoint("tcp://127.0.0.1:0"))
        publisher = try FanOutPublisher(configuration: configuration, logger: StreamBench.logger) {
            FrameSource(bootID: 1)
        }
        feeds = (0..<run.feeds).map { BenchFeeds.id($0) }
    }

    var endpoint: String { "\(publisher.feedEndpoint)" }
    func subscriptions() -> Int { publisher.statistics.subscriptions }

    func put(_ first: Int, _ count: Int) {
        for index in first..<first + count {
            publisher.publish(
                PublishableReport(
                    feedID: feeds[index % feeds.count], flags: [], observationsTimestampNanoseconds: 0, payload: payload
                ))
        }
    }

    func close() { publisher.stop() }
}

/// A whole gateway with its history, given batches as oracles send them: verified, put in order, stored, published.
final class GatewayDoor: StreamBench.Door {
    private let node: GatewayNode
    private let batches: [Bytes]
    private let burst: Int
    private let running: Task<Void, any Error>
    private let folder: String

    init(_ run: StreamBench.Traffic, _ options: StreamBench.Options) throws {
        folder = try options.folder("gateway")
        let don = try DON(folder: folder, feeds: run.feeds, cadence: 10)
        var entries: [ConfigurationEntry] = []
        let settings = try GatewaySettings.load(path: don.gatewayFile, environment: [:], entries: &entries)
        let node = try GatewayNode(settings: settings, logger: StreamBench.logger)
        self.node = node
        burst = run.burst
        let signing = try ReportMaker(don, digest: settings.process.streams.configurationDigest())
        Report.talk("  signing \(run.reports) reports")
        batches = try stride(from: 0, to: run.reports, by: run.burst).map { first in
            ReportBatch(
                try (first..<first + run.burst).map { index in
                    // A feed comes again every 100 ms, in the next round.
                    try signing.item(feed: index % run.feeds, round: UInt64(index / run.feeds))
                }
            ).encoded
        }
        running = Task { try await node.run() }
    }

    var endpoint: String { "\(node.publisher.feedEndpoint)" }
    func subscriptions() -> Int { node.publisher.statistics.subscriptions }
    func put(_ first: Int, _ count: Int) {
        let now = WallTime.nanoseconds()
        node.take(batches[first / burst], receivedAt: now)
    }

    func close() {}

    func end() async {
        running.cancel()
        _ = try? await running.value
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// Signs v3 reports of milliseconds with two oracles of a DON.
struct ReportMaker {
    private let don: DON
    private let digest: Hash32
    private let start = WallTime.nanoseconds() / 1_000_000

    init(_ don: DON, digest: Hash32) {
        self.don = don
        self.digest = digest
    }

    func report(feed: Int, round: UInt64) throws -> PriceReport {
        let time = start + round * 100
        return try PriceReport(
            header: ReportHeader(
                feedID: BenchFeeds.id(feed), validFrom: time - 99, observations: time, expiresAt: time + 86_400_000),
            body: .v3(benchmarkPrice: Int192(3_000_000), bid: Int192(2_999_999), ask: Int192(3_000_001)))
    }

    func context(round: UInt64) throws -> ReportContext {
        try ReportContext(configurationDigest: digest, sequenceNumber: round + 1, donID: 7)
    }

    func full(feed: Int, round: UInt64) throws -> FullReport {
        let report = try report(feed: feed, round: round)
        let context = try context(round: round)
        let signed = signingDigest(blob: report.blob, context: context)
        return try FullReport(
            context: context, report: report, signatures: don.signers.prefix(2).map { $0.sign(digest: signed) })
    }

    func item(feed: Int, round: UInt64) throws -> ReportBatch.Item {
        ReportBatch.Item(
            fullReport: try full(feed: feed, round: round).encoded,
            observationsTimestampNanoseconds: (start + round * 100) * 1_000_000)
    }
}

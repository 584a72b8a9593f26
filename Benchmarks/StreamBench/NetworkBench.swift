// A DON of four oracles and a gateway, each a process: how many rounds it agrees on, what that costs, and how long a
// price is on its way. The price is the time at which its source ticked, so a report tells how old it is. With a
// long run the same network shows whether memory grows.

import BenchSupport
import Configuration
import Ethereum
import Foundation
import MessageBus
import PriceStreams
import StreamsNode

/// Ticks for all streams every ten milliseconds; the price is 1,000,000 and the seconds since `origin`.
struct ClockSource: PriceSource {
    static let intervalMicroseconds: UInt64 = 10_000
    static let offset: UInt64 = 1_000_000_000_000

    let name = "clock"
    let streams: [StreamSettings]
    /// Microseconds since 1970.
    let origin: UInt64

    static func microseconds() -> UInt64 { WallTime.nanoseconds() / 1_000 }

    func run(
        _ deliver: @escaping @Sendable (SourceTick) -> Void, _ report: @escaping @Sendable (SourceReport) -> Void
    ) async {
        report(.connected)
        while !Task.isCancelled {
            let now = Self.microseconds()
            let micros = now - origin + Self.offset
            func price(_ value: UInt64) -> PriceStreams.Decimal {
                PriceStreams.Decimal(magnitude: U256(value), exponent: -6) ?? .zero
            }
            let level = price(micros)
            let quote = StreamQuote(bid: price(micros - 1), benchmark: level, ask: price(micros + 1))
            for stream in streams {
                deliver(
                    SourceTick(
                        stream: stream.id, value: stream.kind == .quote ? .quote(quote) : .decimal(level), madeAt: nil,
                        receivedAt: now * 1_000))
            }
            let rest = Self.intervalMicroseconds - Self.microseconds() % Self.intervalMicroseconds
            try? await Task.sleep(for: .microseconds(Int64(rest)))
        }
    }

    /// When the source ticked, by the price of a report with 18 decimals.
    static func microseconds(of price: Int192) -> UInt64? {
        (price.magnitude / U256(1_000_000_000_000)).asUInt64.flatMap { $0 >= offset ? $0 - offset : nil }
    }
}

/// One process of the network, which ends when its parent closes its input.
enum Role {
    static func run(_ kind: String, config: String, origin: UInt64) async throws {
        let log = StreamBench.logger
        var entries: [ConfigurationEntry] = []
        let body: @Sendable () async throws -> Void
        if kind == "oracle" {
            let settings = try OracleSettings.load(path: config, environment: [:], entries: &entries)
            let source = ClockSource(streams: settings.process.streams.streams, origin: origin)
            let node = try OracleNode(settings: settings, sources: [source], logger: log)
            body = { try await node.run() }
        } else {
            let node = try GatewayNode(
                settings: try GatewaySettings.load(path: config, environment: [:], entries: &entries), logger: log)
            body = { try await node.run() }
        }
        let running = Task { try await body() }
        let watch = Thread {
            while !FileHandle.standardInput.availableData.isEmpty {}
            running.cancel()
        }
        watch.start()
        do { try await running.value } catch is CancellationError {}
    }
}

/// The children, ended by closing what they read.
final class Network {
    struct Member {
        let name: String
        let process: Process
        let input: Pipe
        var id: Int32 { process.processIdentifier }
    }

    private(set) var members: [Member] = []

    init(_ don: DON, origin: UInt64) throws {
        try start("gateway", "gateway", don.gatewayFile, origin)
        for index in 0..<DON.oracles { try start("oracle-\(index)", "oracle", don.oracleFile(index), origin) }
    }

    private func start(_ name: String, _ kind: String, _ file: String, _ origin: UInt64) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [kind, "--config", file, "--origin", "\(origin)"]
        let input = Pipe()
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        members.append(Member(name: name, process: process, input: input))
    }

    var isWhole: Bool { members.allSatisfy { $0.process.isRunning } }

    func stop() {
        for member in members { try? member.input.fileHandleForWriting.close() }
        let end = Date().addingTimeInterval(10)
        for member in members {
            while member.process.isRunning, Date() < end { usleep(20_000) }
            if member.process.isRunning { member.process.terminate() }
            member.process.waitUntilExit()
        }
    }
}

/// What a subscriber of the whole network sees; written by its thread, read when it has ended or under the lock.
private final class Watch: @unchecked Sendable {
    private let lock = NSLock()
    private let origin: UInt64
    private var last: [FeedID: UInt64] = [:]
    private var isMeasuring = false
    private(set) var reports = 0
    private(set) var malformed = 0
    let ages = Samples(capacity: 4_000_000)
    let visible = Samples(capacity: 8_000_000)

    init(origin: UInt64) { self.origin = origin }

    var feeds: Int { lock.withLock { last.count } }

    func measure(_ yes: Bool) { lock.withLock { isMeasuring = yes } }

    func take(_ bytes: UnsafeRawBufferPointer) {
        let arrived = ClockSource.microseconds() - origin
        guard let frame = try? StreamFrame(encoded: Array(bytes)), let full = try? FullReport(encoded: frame.payload),
            let report = try? PriceReport(blob: full.blob), let ticked = ClockSource.microseconds(of: report.body.price)
        else {
            malformed += 1
            return
        }
        lock.withLock {
            let before = last.updateValue(ticked, forKey: frame.feedID)
            guard isMeasuring else { return }
            reports += 1
            ages.append((arrived &- ticked) * 1_000)
            // Ticks that were overtaken before a round saw them become visible with this one.
            guard var tick = before else { return }
            tick += ClockSource.intervalMicroseconds
            while tick < ticked + ClockSource.intervalMicroseconds / 2 {
                visible.append((arrived &- tick) * 1_000)
                tick += ClockSource.intervalMicroseconds
            }
        }
    }
}

extension StreamBench {
    /// - Parameter isSoak: says how memory went.
    static func network(
        _ options: Options, _ report: Report, feeds: Int, cadence: Int, seconds: Int, isSoak: Bool
    ) throws {
        let folder = try options.folder("network")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let don = try DON(folder: folder, feeds: feeds, cadence: cadence)
        var entries: [ConfigurationEntry] = []
        let gateway = try GatewaySettings.load(path: don.gatewayFile, environment: [:], entries: &entries)
        let origin = ClockSource.microseconds()
        let network = try Network(don, origin: origin)
        defer { network.stop() }
        let watch = Watch(origin: origin)
        let receivers = try Receivers(1, of: "\(gateway.feed)", curve: nil, onFrame: watch.take)
        defer { receivers.close() }
        try wait(seconds: 60, for: "report of each of \(feeds) feeds") {
            guard network.isWhole else { throw BenchError("a process of the network has ended") }
            return watch.feeds == feeds
        }
        sleep(3)
        let before = network.members.map { Machine.processorSeconds(of: $0.id) }
        let begin = monotonic()
        watch.measure(true)
        // The gateway, and the largest oracle.
        var resident: (gateway: [Double], oracle: [Double]) = ([], [])
        let step = max(1, seconds / 60)
        while Double(monotonic() - begin) / 1e9 < Double(seconds) {
            sleep(UInt32(step))
            let now = network.members.map { Machine.residentMiB(of: $0.id) }
            resident.gateway.append(now[0])
            resident.oracle.append(now.dropFirst().max() ?? .nan)
            guard network.isWhole else { throw BenchError("a process of the network has ended") }
            guard isSoak, resident.gateway.count.isMultiple(of: 5) else { continue }
            let passed = Double(monotonic() - begin) / 1e9
            let pace = Double(watch.reports) / passed / Double(feeds)
            Report.talk(
                "  \(Int(passed)) of \(seconds) s, \(pace.rounded(to: 2)) reports/s and feed, "
                    + "gateway \(Int(now[0])) MiB, oracle \(Int(resident.oracle.last ?? 0)) MiB")
        }
        watch.measure(false)
        let took = Double(monotonic() - begin) / 1e9
        let used = zip(network.members, before).map { Machine.processorSeconds(of: $0.id) - $1 }
        let rate = Double(watch.reports) / took / Double(feeds)
        let ages = watch.ages.percentiles([0.5, 0.99])
        let visible = watch.visible.percentiles([0.5, 0.99])
        let name = "\(feeds) feeds, \(cadence) rounds/s"
        let isCadenceMet = rate >= Double(cadence) * 0.95
        report.add(
            "network", name,
            [
                ("reports/s and feed", rate), ("CPU gateway", used[0] / took),
                ("CPU oracles", used.dropFirst().reduce(0, +) / took), ("malformed", Double(watch.malformed)),
            ], aim: cadence == 10 ? "10 a second" : cadence == 20 ? "20 as the aim" : nil, isMet: isCadenceMet)
        report.add(
            "network", "\(name): tick in to subscriber out",
            [
                ("p50 ms", ages[0]), ("p99 ms", ages[1]), ("overtaken ticks too p50 ms", visible[0]),
                ("p99 ms", visible[1]),
            ],
            aim: cadence == 20 ? "p50 < 60 ms" : nil, isMet: cadence == 20 ? ages[0] < 60 : nil)
        guard isSoak, resident.gateway.count >= 4 else { return }
        for (process, sizes) in [("gateway", resident.gateway), ("largest oracle", resident.oracle)] {
            // What is kept for those who missed some fills first: what counts is the second half.
            let half = sizes[(sizes.count / 2)...]
            let growth = (sizes[sizes.count - 1] - half[half.startIndex]) / (took / 2) * 3_600
            report.add(
                "memory", "\(process) over \(Int(took)) s",
                [
                    ("first MiB", sizes[0]), ("middle MiB", half[half.startIndex]), ("last MiB", sizes.last ?? .nan),
                    ("most MiB", sizes.max() ?? .nan), ("growth MiB/h in the second half", growth),
                ], aim: took >= 3_000 ? "flat over an hour" : nil, isMet: took >= 3_000 ? growth < 8 : nil)
        }
    }
}

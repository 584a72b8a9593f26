// What the tests of the fan-out share: a publisher with the book of price streams, a subscriber driven by hand, and one with
// the tracker of price streams.

import CZeroMQ
import Ethereum
import Glibc
import PriceStreams
import Synchronization
import Testing

@testable import MessageBus

func wallNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Numbers reports and answers from memory, as a gateway does.
final class BookSource: FanOutSource {
    private var book: PublisherBook

    init(bootID: UInt64, keeping reports: Int = 3_600) {
        var bounds = PublisherBook.Bounds()
        bounds.reportsPerFeed = reports
        book = PublisherBook(bootID: bootID, bounds: bounds)
    }

    func frame(for item: PublishableReport) -> [UInt8]? { book.publish(item, at: wallNanoseconds()) }
    func heartbeat() -> [UInt8] { book.heartbeat(at: wallNanoseconds()) }
    func answer(_ request: [UInt8], client: String?) -> [[UInt8]] { book.answer(encoded: request).map(\.encoded) }
    func refusal() -> [UInt8] { StreamReply.error("slow down").encoded }
}

typealias BookPublisher = FanOutPublisher<BookSource>

func feed(_ index: Int) -> FeedID { FeedID(version: 3, symbol: "F\(index)", segment: "fan-out") }

func report(_ index: Int, _ payload: UInt64, bytes: Int = 8) -> PublishableReport {
    PublishableReport(
        feedID: feed(index), flags: [], observationsTimestampNanoseconds: payload,
        payload: Bytes(bigEndian: payload) + Bytes(repeating: 0, count: bytes - 8))
}

func bookPublisher(
    boot: UInt64 = 1, keeping reports: Int = 3_600, feed: Endpoint? = nil, requests: Endpoint? = nil,
    _ adjust: (inout FanOutPublisherConfiguration) -> Void = { _ in }
) throws -> BookPublisher {
    var configuration = FanOutPublisherConfiguration(feed: try feed ?? anyPort(), requests: try requests ?? anyPort())
    configuration.heartbeatMilliseconds = 50
    configuration.timings = .fast
    configuration.requestsPerSecond = 1_000
    adjust(&configuration)
    return try BookPublisher(configuration: configuration, logger: quiet) { BookSource(bootID: boot, keeping: reports) }
}

/// A SUB and a DEALER in a context of their own, read only when the test says so.
final class HandReader {
    private let context: ZeroMQContext
    let feed: ZeroMQSocket
    let requests: ZeroMQSocket

    init(
        _ publisher: BookPublisher, topics: [[UInt8]] = [StreamTopic.allReports, StreamTopic.heartbeats],
        curve: (server: CurvePublicKey, keys: CurveKeyPair)? = nil, highWaterMark: Int32 = 10_000, kind: Int32 = ZMQ_SUB
    ) throws {
        context = try ZeroMQContext()
        feed = try context.socket(kind)
        requests = try context.socket(ZMQ_DEALER)
        for socket in [feed, requests] {
            try socket.applyLink(
                timings: .fast, frameBytesMaximum: 1 << 20, sendHighWaterMark: 1_000, receiveHighWaterMark: highWaterMark,
                lingerMilliseconds: 0, isIPv6: false)
            if let curve { try socket.applyCurveClient(curve.keys, server: curve.server) }
        }
        if kind == ZMQ_SUB { for topic in topics { try feed.set(ZMQ_SUBSCRIBE, bytes: topic) } }
        try feed.connect(publisher.feedEndpoint.description)
        try requests.connect(publisher.requestEndpoint.description)
    }

    deinit {
        feed.close()
        requests.close()
    }

    /// What has come since, in order.
    func frames() throws -> [StreamFrame] {
        var frames: [StreamFrame] = []
        while let parts = try feed.receive(framesMaximum: 1, frameBytesMaximum: 1 << 20) {
            #expect(!parts.hasExcessFrames && !parts.hasOversizeFrame, "a frame is one message")
            frames.append(try StreamFrame(encoded: parts.frames[0]))
        }
        return frames
    }

    func reports() throws -> [StreamFrame] { try frames().filter { $0.kind == .report } }

    func replies() throws -> [StreamReply] {
        var replies: [StreamReply] = []
        while let parts = try requests.receive(framesMaximum: 1, frameBytesMaximum: 1 << 20) {
            replies.append(try #require(StreamReply(encoded: parts.frames[0])))
        }
        return replies
    }

    /// Asks, and waits for the last part of the answer.
    func ask(_ request: [UInt8]) async throws -> [StreamReply] {
        #expect(try requests.send(request) == .sent)
        var answer: [StreamReply] = []
        let isWhole = try await eventually {
            answer += try replies()
            if case .report = answer.last { return false }
            return !answer.isEmpty
        }
        #expect(isWhole, "an answer has an end")
        return answer
    }

    func ask(_ request: StreamRequest) async throws -> [StreamReply] { try await ask(request.encoded) }
}

func frames(_ replies: [StreamReply]) throws -> [StreamFrame] {
    try replies.compactMap { if case .report(let bytes) = $0 { try StreamFrame(encoded: bytes) } else { nil } }
}

/// What a subscriber with a tracker was told.
final class Told: Sendable {
    private let state = Mutex<[SubscriptionTracker.Action]>([])
    let stall = Mutex<UInt32>(0)

    func add(_ action: SubscriptionTracker.Action) { state.withLock { $0.append(action) } }
    var all: [SubscriptionTracker.Action] { state.withLock { $0 } }
    func delivered(_ index: Int) -> [StreamFrame] {
        all.compactMap { if case .deliver(let frame) = $0, frame.feedID == feed(index) { frame } else { nil } }
    }
    var gaps: [StreamGap] { all.compactMap { if case .gap(let gap) = $0 { gap } else { nil } } }
}

/// Decides with the tracker of price streams; can be made to stop its thread.
final class TrackerSink: FanOutSink {
    private var tracker: SubscriptionTracker
    private let told: Told

    init(_ configuration: TrackerConfiguration, _ told: Told) {
        tracker = SubscriptionTracker(configuration: configuration)
        self.told = told
    }

    func connected() -> FanOutWishes { handle([.connected]) }
    func tick() -> FanOutWishes { handle([.tick]) }
    func replies(_ replies: [[UInt8]]) -> FanOutWishes { handle(replies.compactMap { StreamReply(encoded: $0).map { .reply($0) } }) }

    func frames(_ frames: [[UInt8]]) -> FanOutWishes {
        let pause = told.stall.withLock { pause in
            defer { pause = 0 }
            return pause
        }
        if pause > 0 { usleep(pause) }
        return handle(frames.compactMap { try? StreamFrame(encoded: $0) }.map { .frame($0) })
    }

    private func handle(_ events: [SubscriptionTracker.Event]) -> FanOutWishes {
        var wishes = FanOutWishes()
        for event in events {
            for action in tracker.handle(event, at: wallNanoseconds()) {
                switch action {
                case .ask(let request): wishes.requests.append(request.encoded)
                case .reconnect: wishes.reconnects = true
                default: break
                }
                told.add(action)
            }
        }
        return wishes
    }
}

func tracking(
    _ publisher: BookPublisher, _ told: Told, curve: (CurvePublicKey, CurveKeyPair)? = nil,
    _ adjust: (inout TrackerConfiguration) -> Void = { _ in }
) throws -> FanOutSubscriber {
    var link = FanOutSubscriberConfiguration(
        feed: publisher.feedEndpoint, requests: publisher.requestEndpoint,
        topics: [StreamTopic.allReports, StreamTopic.heartbeats])
    link.timings = .fast
    link.curve = curve.map { (publisher: $0.0, keyPair: $0.1) }
    var configuration = TrackerConfiguration()
    configuration.mode = .complete
    adjust(&configuration)
    return try FanOutSubscriber(configuration: link, logger: quiet) { [configuration] in TrackerSink(configuration, told) }
}

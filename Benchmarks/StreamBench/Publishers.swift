// The two publishers that are compared: an XPUB of bare libzmq, and ours.

import CZeroMQ
import Ethereum
import Foundation
import MessageBus
import PriceStreams
import StreamsNode

/// Bytes of the frames of a fan-out. The header of a frame is 80 bytes: shorter ones are published as they are.
enum FrameSize {
    static let all = [64, 816, 1024]
    static let header = StreamFrame.headerBytes
}

/// Feed ids of the benchmarks.
enum BenchFeeds {
    static func id(_ index: Int) -> FeedID { FeedID(version: 0x0f03, symbol: "BENCH-\(index)", segment: "spot") }
}

protocol Publishing: AnyObject {
    var endpoint: String { get }
    /// Subscriptions that it has been told of.
    func subscriptions() throws -> Int
    /// Hands over frames of `size` bytes, all at once.
    func publish(_ count: Int, size: Int) throws
    func close()
}

/// Sends the same bytes again and again.
final class BarePublisher: Publishing {
    private let context: WireContext
    let socket: WireSocket
    let endpoint: String
    private var known = 0

    init(at endpoint: String, curve: CurveEnds?) throws {
        context = try WireContext()
        socket = try context.socket(ZMQ_XPUB)
        try socket.set(ZMQ_XPUB_VERBOSE, 1)
        if let curve {
            try socket.set(ZMQ_CURVE_SERVER, 1)
            try socket.set(ZMQ_CURVE_SECRETKEY, bytes: curve.server.secretKey.exposedBytes())
        }
        self.endpoint = try socket.bind(endpoint)
    }

    func subscriptions() throws -> Int {
        while socket.receive({ bytes in known += bytes.first == 1 ? 1 : 0 }) {}
        return known
    }

    func publish(_ count: Int, size: Int) throws {
        let frame = [UInt8](repeating: 0x52, count: size)
        try frame.withUnsafeBytes { bytes in
            for _ in 0..<count { try socket.send(bytes) }
        }
    }

    func close() {
        socket.close()
        context.close()
    }
}

/// Ours with the book of a gateway behind it, so that numbering and remembering are in the figure.
final class BenchSource: FanOutSource {
    private let frames = FrameSource(bootID: 1)

    func frame(for item: PublishableReport) -> [UInt8]? {
        item.payload.first == 0x52 ? item.payload : frames.frame(for: item)
    }
    func heartbeat() -> [UInt8] { frames.heartbeat() }
    func answer(_ request: [UInt8], client: String?) -> [[UInt8]] { frames.answer(request, client: client) }
    func refusal() -> [UInt8] { frames.refusal() }
}

final class OurPublisher: Publishing {
    let publisher: FanOutPublisher<BenchSource>
    private let feeds = (0..<100).map { BenchFeeds.id($0) }
    var endpoint: String { "\(publisher.feedEndpoint)" }

    init(at endpoint: Endpoint, requests: Endpoint, curve: CurveEnds?) throws {
        var configuration = FanOutPublisherConfiguration(feed: endpoint, requests: requests)
        if let curve { configuration.security = .curve(curve.server, admitted: nil) }
        // Everything is handed over at once: nothing may be dropped, as in the bare publisher.
        configuration.sendHighWaterMark = 100_000_000
        configuration.queuedItemsMaximum = 100_000_000
        configuration.heartbeatMilliseconds = 60_000
        publisher = try FanOutPublisher(configuration: configuration, logger: StreamBench.logger) { BenchSource() }
    }

    func subscriptions() -> Int { publisher.statistics.subscriptions }

    /// A round at a time, as a gateway does; each feed has bytes of its own, as reports have.
    func publish(_ count: Int, size: Int) throws {
        let isShort = size < FrameSize.header
        let round = feeds.map { feed in
            PublishableReport(
                feedID: feed, flags: [], observationsTimestampNanoseconds: 0,
                payload: Bytes(repeating: isShort ? 0x52 : 0x01, count: isShort ? size : size - FrameSize.header))
        }
        for first in stride(from: 0, to: count, by: round.count) {
            publisher.publish(contentsOf: count - first < round.count ? Array(round.prefix(count - first)) : round)
        }
    }

    func close() { publisher.stop() }
}

// What the tests of this room share: collectors, deadlines, fast timings, members on loopback, a hand-driven client.

import CZeroMQ
import Logging
import Synchronization
import Testing

@testable import MessageBus

/// Keeps what a handler was given.
final class Collector<Element: Sendable>: Sendable {
    private let kept = Mutex<[Element]>([])
    var all: [Element] { kept.withLock { $0 } }
    var handler: @Sendable ([Element]) -> Void {
        { elements in self.kept.withLock { $0.append(contentsOf: elements) } }
    }
}

/// Waits until a condition holds; false when the deadline passed first.
func eventually(seconds: Int = 20, _ condition: () throws -> Bool) async rethrows -> Bool {
    let deadline = monotonicMilliseconds() + UInt64(seconds * 1000)
    while monotonicMilliseconds() < deadline {
        if try condition() { return true }
        try? await Task.sleep(nanoseconds: 5_000_000)
    }
    return try condition()
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension LinkTimings {
    static var fast: LinkTimings {
        var timings = LinkTimings()
        timings.heartbeatIntervalMilliseconds = 200
        timings.heartbeatTimeoutMilliseconds = 2_000
        timings.reconnectIntervalMilliseconds = 20
        timings.reconnectIntervalMaximumMilliseconds = 100
        timings.handshakeTimeoutMilliseconds = 3_000
        timings.redialAfterMilliseconds = 700
        return timings
    }
}

func text(_ string: String) -> [UInt8] { Array(string.utf8) }

func anyPort() throws -> Endpoint { try Endpoint("tcp://127.0.0.1:0") }

/// Members of a mesh on ports that the system chooses.
struct TestMembers {
    let keys: [CurveKeyPair]

    init(_ count: Int) throws { keys = try (0..<count).map { _ in try CurveKeyPair.generate() } }

    func configuration(
        _ index: Int, endpoint: Endpoint? = nil, adjust: (inout PeerMeshConfiguration) -> Void = { _ in }
    ) throws -> PeerMeshConfiguration {
        let free = try anyPort()
        let peers = keys.enumerated().map { position, pair in
            PeerMeshConfiguration.Peer(
                name: "relayer-\(position)", endpoint: position == index ? endpoint ?? free : free,
                publicKey: pair.publicKey)
        }
        var configuration = PeerMeshConfiguration(peers: peers, ownIndex: index, keyPair: keys[index])
        configuration.timings = .fast
        adjust(&configuration)
        return configuration
    }

    func mesh(
        _ index: Int, endpoint: Endpoint? = nil, adjust: (inout PeerMeshConfiguration) -> Void = { _ in }
    ) throws -> PeerMesh {
        try PeerMesh(configuration: configuration(index, endpoint: endpoint, adjust: adjust), logger: quiet)
    }
}

/// A DEALER driven by hand: the stranger, the liar and the clumsy peer of these tests.
final class HandClient {
    private let context: ZeroMQContext
    let socket: ZeroMQSocket

    /// - Parameter keys: nil dials without CURVE.
    init(
        to endpoint: Endpoint, server: CurvePublicKey, keys: CurveKeyPair?, routingID: [UInt8]? = nil
    ) throws {
        context = try ZeroMQContext()
        socket = try context.socket(ZMQ_DEALER)
        try socket.applyLink(
            timings: .fast, frameBytesMaximum: 1 << 20, sendHighWaterMark: 100, receiveHighWaterMark: 100,
            lingerMilliseconds: 0, isIPv6: false)
        if let routingID { try socket.set(ZMQ_ROUTING_ID, bytes: routingID) }
        if let keys { try socket.applyCurveClient(keys, server: server) }
        try socket.connect(endpoint.description)
    }

    func send(_ frames: [[UInt8]]) throws { #expect(try socket.send(frames) == .sent) }

    deinit { socket.close() }
}

// The pair link over real sockets on loopback: both ways, restarts of either side, who gets in.

import CZeroMQ
import Testing

@testable import MessageBus

@Suite(.serialized, .timeLimit(.minutes(2))) struct PairLinkTests {
    private let committing: CurveKeyPair
    private let executing: CurveKeyPair

    init() throws {
        committing = try .generate()
        executing = try .generate()
    }

    private func listening(at endpoint: Endpoint? = nil, peer: CurvePublicKey? = nil, queued: Int? = nil) throws -> PairLink {
        var configuration = PairLinkConfiguration(
            role: .listening(at: try endpoint ?? anyPort(), peer: peer ?? executing.publicKey), keyPair: committing)
        configuration.timings = .fast
        if let queued { configuration.queue.messagesMaximum = queued }
        return try PairLink(configuration: configuration, logger: quiet)
    }

    private func dialling(_ endpoint: Endpoint, keys: CurveKeyPair? = nil, peer: CurvePublicKey? = nil) throws -> PairLink {
        var configuration = PairLinkConfiguration(
            role: .dialling(to: endpoint, peer: peer ?? committing.publicKey), keyPair: keys ?? executing)
        configuration.timings = .fast
        return try PairLink(configuration: configuration, logger: quiet)
    }

    /// Sends until the other side has it: the first attempts may go into a link that is breaking.
    private func delivers(_ mark: String, from link: PairLink, to collector: Collector<InboundMessage>) async -> Bool {
        await eventually {
            if collector.all.contains(where: { $0.payload == text(mark) }) { return true }
            if link.statistics.queuedMessages == 0 { _ = link.send(channel: [1], payload: text(mark)) }
            return false
        }
    }

    @Test("messages go both ways, whole and in order, and both sides say so")
    func bothWays() async throws {
        let one = try listening()
        let two = try dialling(one.endpoint)
        defer { #expect(one.stop() && two.stop()) }
        let (atOne, atTwo) = (Collector<InboundMessage>(), Collector<InboundMessage>())
        let changes = Collector<Bool>()
        try one.start(onMessages: atOne.handler) { changes.handler([$0]) }
        try two.start(onMessages: atTwo.handler)
        #expect(await eventually { one.statistics.isConnected && two.statistics.isConnected })
        let large = [UInt8](repeating: 9, count: 1 << 20)
        for number in UInt8(0)..<200 {
            #expect(one.send(channel: text("down"), payload: [number]) == .queued)
            #expect(two.send(channel: text("up"), payload: [number, number]) == .queued)
        }
        #expect(one.send(channel: text("down"), payload: large) == .queued)
        #expect(await eventually { atOne.all.count == 200 && atTwo.all.count == 201 })
        #expect(atOne.all.map(\.payload) == (UInt8(0)..<200).map { [$0, $0] })
        #expect(atTwo.all.dropLast().map(\.payload) == (UInt8(0)..<200).map { [$0] })
        #expect(atTwo.all.last?.payload == large)
        #expect(atOne.all.allSatisfy { $0.peer == 0 && $0.channel == text("up") })
        #expect(one.statistics.sentMessages == 201)
        #expect(two.statistics.receivedMessages == 201)
        #expect(changes.all == [true])
        #expect(one.statistics.drops.total == 0)
    }

    @Test("a burst larger than one wake-up's share arrives without waiting for the next heartbeat")
    func burst() async throws {
        let one = try listening()
        let two = try dialling(one.endpoint)
        defer { #expect(one.stop() && two.stop()) }
        let atOne = Collector<InboundMessage>()
        try one.start(onMessages: atOne.handler)
        try two.start { _ in }
        #expect(await eventually { two.statistics.isConnected })
        for number in 0..<1000 {
            #expect(two.send(channel: [1], payload: [UInt8(number & 255)]).isQueued)
        }
        #expect(await eventually { atOne.all.count == 1000 })
    }

    @Test("the listening side is killed and comes back: the link heals both ways")
    func listenerRestarts() async throws {
        let first = try listening()
        let place = first.endpoint
        let two = try dialling(place)
        defer { #expect(two.stop()) }
        let changes = Collector<Bool>()
        let (atFirst, atTwo, atSecond) = (
            Collector<InboundMessage>(), Collector<InboundMessage>(), Collector<InboundMessage>()
        )
        try first.start(onMessages: atFirst.handler)
        try two.start(onMessages: atTwo.handler) { changes.handler([$0]) }
        #expect(await delivers("before", from: two, to: atFirst))
        #expect(first.stop())
        #expect(await eventually { !two.statistics.isConnected })
        let second = try listening(at: place)
        defer { #expect(second.stop()) }
        try second.start(onMessages: atSecond.handler)
        #expect(await delivers("after, up", from: two, to: atSecond))
        #expect(await delivers("after, down", from: second, to: atTwo))
        #expect(changes.all == [true, false, true])
        #expect(two.statistics.connections == 2)
    }

    @Test("the dialling side is killed and comes back: the link heals both ways")
    func diallerRestarts() async throws {
        let one = try listening()
        defer { #expect(one.stop()) }
        let changes = Collector<Bool>()
        let (atOne, atFirst, atSecond) = (
            Collector<InboundMessage>(), Collector<InboundMessage>(), Collector<InboundMessage>()
        )
        try one.start(onMessages: atOne.handler) { changes.handler([$0]) }
        let first = try dialling(one.endpoint)
        try first.start(onMessages: atFirst.handler)
        #expect(await delivers("before", from: one, to: atFirst))
        #expect(first.stop())
        #expect(await eventually { !one.statistics.isConnected })
        let second = try dialling(one.endpoint)
        defer { #expect(second.stop()) }
        try second.start(onMessages: atSecond.handler)
        #expect(await delivers("after, down", from: one, to: atSecond))
        #expect(await delivers("after, up", from: second, to: atOne))
        #expect(changes.all == [true, false, true])
    }

    @Test("a second dialler with the same key takes over at once")
    func takeOver() async throws {
        let one = try listening()
        defer { #expect(one.stop()) }
        try one.start { _ in }
        let old = try dialling(one.endpoint)
        defer { #expect(old.stop()) }
        try old.start { _ in }
        #expect(await eventually { one.statistics.isConnected })
        let fresh = try dialling(one.endpoint)
        defer { #expect(fresh.stop()) }
        let atFresh = Collector<InboundMessage>()
        try fresh.start(onMessages: atFresh.handler)
        #expect(await eventually { fresh.statistics.isConnected })
        #expect(await delivers("to the newest", from: one, to: atFresh))
    }

    @Test("a stranger is denied and counted; so is nobody who is listed")
    func stranger() async throws {
        let stranger = try CurveKeyPair.generate()
        for isListed in [false, true] {
            let one = try listening(peer: isListed ? stranger.publicKey : nil)
            defer { #expect(one.stop()) }
            let atOne = Collector<InboundMessage>()
            try one.start(onMessages: atOne.handler)
            let two = try dialling(one.endpoint, keys: stranger)
            defer { #expect(two.stop()) }
            try two.start { _ in }
            #expect(two.send(channel: [1], payload: text("knock")) == .queued)
            if isListed {
                #expect(await eventually { atOne.all.map(\.payload) == [text("knock")] })
            } else {
                #expect(await eventually { one.statistics.admission.deniedKeys.map(\.publicKey) == [stranger.publicKey] })
                #expect(atOne.all.isEmpty && !one.statistics.isConnected && !two.statistics.isConnected)
                #expect(two.statistics.sentMessages == 0)
            }
        }
    }

    @Test("the dialling side talks to nobody but the owner of the key it was told")
    func wrongServer() async throws {
        let one = try listening()
        let two = try dialling(one.endpoint, peer: try CurveKeyPair.generate().publicKey)
        defer { #expect(one.stop() && two.stop()) }
        let atOne = Collector<InboundMessage>()
        try one.start(onMessages: atOne.handler)
        try two.start { _ in }
        #expect(two.send(channel: [1], payload: text("secret")) == .queued)
        #expect(await eventually { one.statistics.handshakeFailures >= 2 })
        #expect(atOne.all.isEmpty && two.statistics.sentMessages == 0)
    }

    @Test("without the other side the queue fills to its bound and the sender is told")
    func bounded() async throws {
        let one = try listening(queued: 8)
        defer { #expect(one.stop()) }
        try one.start { _ in }
        let results = (UInt8(0)..<20).map { one.send(channel: [1], payload: [$0]) }
        let accepted = results.count(where: \.isQueued)
        #expect(accepted == 8)
        #expect(one.statistics.drops[.queueFull] == UInt64(20 - accepted))
        let two = try dialling(one.endpoint)
        defer { #expect(two.stop()) }
        let atTwo = Collector<InboundMessage>()
        try two.start(onMessages: atTwo.handler)
        #expect(await eventually { atTwo.all.count == accepted })
        let expected = results.enumerated().filter { $0.element.isQueued }.map { [UInt8($0.offset)] }
        #expect(atTwo.all.map(\.payload) == expected)
    }

    @Test("frames that are no message are dropped and counted")
    func malformed() async throws {
        let one = try listening()
        defer { #expect(one.stop()) }
        let atOne = Collector<InboundMessage>()
        try one.start(onMessages: atOne.handler)
        let hand = try HandClient(
            to: one.endpoint, server: committing.publicKey, keys: executing, routingID: text("causeway-pair"))
        try hand.send([text("alone")])
        try hand.send([text("a"), text("b"), text("c")])
        try hand.send([[], text("b")])
        try hand.send([text("c"), text("good")])
        let nameless = try HandClient(to: one.endpoint, server: committing.publicKey, keys: executing)
        try nameless.send([text("c"), text("cannot be answered")])
        #expect(await eventually { one.statistics.drops[.malformed] == 4 })
        #expect(atOne.all.map(\.payload) == [text("good")])
    }

    @Test("a configuration that cannot work, a port in use and a stopped link are refused by name")
    func refusals() throws {
        let one = try listening()
        let busy = #expect(throws: MessageBusError.self) { try listening(at: one.endpoint) }
        #expect(busy?.code == .portInUse)
        let nowhere = #expect(throws: MessageBusError.self) { try dialling(anyPort()) }
        #expect(nowhere?.code == .malformedEndpoint)
        let same = #expect(throws: MessageBusError.self) { try dialling(one.endpoint, keys: committing) }
        #expect(same?.code == .keyMismatch)
        #expect(one.stop())
        let late = #expect(throws: MessageBusError.self) { try one.start { _ in } }
        #expect(late?.code == .stopped)
        #expect(one.send(channel: [1], payload: []) == .dropped(.notRunning))
        #expect(one.send(channel: [1], payload: []) == .dropped(.notRunning))
        #expect(one.statistics.drops[.notRunning] == 2)
    }
}

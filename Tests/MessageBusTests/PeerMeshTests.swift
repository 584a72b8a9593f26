// The mesh over real sockets on loopback: who gets in, what is dropped and counted, that it ends.

import CZeroMQ
import Synchronization
import Testing

@testable import MessageBus

@Suite(.serialized, .timeLimit(.minutes(2))) struct PeerMeshTests {
    /// Starts meshes that know each other's ports.
    private func join(_ meshes: [PeerMesh]) throws -> [Collector<InboundMessage>] {
        let collectors = meshes.map { _ in Collector<InboundMessage>() }
        for (index, mesh) in meshes.enumerated() {
            for (other, peer) in meshes.enumerated() where other != index {
                try mesh.redirect(other, to: peer.boundEndpoint)
            }
            try mesh.start(onMessages: collectors[index].handler)
        }
        return collectors
    }

    private func stop(_ meshes: PeerMesh...) { stop(meshes) }
    private func stop(_ meshes: [PeerMesh]) {
        for mesh in meshes { #expect(mesh.stop(), "its thread must end") }
    }

    @Test("messages flow between all of four members, in order, each with its proven sender")
    func fourMembers() async throws {
        let members = try TestMembers(4)
        let meshes = try (0..<4).map { try members.mesh($0) }
        defer { stop(meshes) }
        let received = try join(meshes)
        #expect(await eventually { meshes.allSatisfy { $0.statistics.connectedPeers == 3 } })
        for round in UInt8(0)..<5 {
            for (index, mesh) in meshes.enumerated() {
                let results = mesh.broadcast(channel: [7], payload: [UInt8(index), round])
                #expect(results[index] == nil)
                #expect(results.compactMap(\.self) == [.queued, .queued, .queued])
            }
        }
        #expect(await eventually { received.allSatisfy { $0.all.count == 15 } })
        for (index, collector) in received.enumerated() {
            for sender in 0..<4 where sender != index {
                let own = collector.all.filter { $0.peer == sender }
                #expect(own.map(\.payload) == (UInt8(0)..<5).map { [UInt8(sender), $0] })
                #expect(own.allSatisfy { $0.channel == [7] && $0.receivedAtMilliseconds > 0 })
            }
            let seen = meshes[index].statistics
            #expect(seen.sentMessages == 15)
            #expect(seen.sentBytes == 45)
            #expect(seen.receivedMessages == 15)
            #expect(seen.receivedBytes == 45)
            #expect(DropReason.allCases.allSatisfy { seen.drops($0) == 0 })
            #expect(seen.peers.allSatisfy { $0.index == index || $0.lastHeardMilliseconds != nil })
            #expect(seen.failure == nil)
        }
    }

    @Test("a large payload arrives whole, one byte more than the bound is refused at the sender")
    func payloadBound() async throws {
        let members = try TestMembers(2)
        let meshes = try (0..<2).map { try members.mesh($0) { $0.payloadBytesMaximum = 1 << 20 } }
        defer { stop(meshes) }
        let received = try join(meshes)
        let payload = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(meshes[0].send(to: 1, channel: text("c"), payload: payload).isQueued)
        #expect(meshes[0].send(to: 1, channel: text("c"), payload: payload + [0]) == .dropped(.tooLarge))
        #expect(await eventually { received[1].all.count == 1 })
        #expect(received[1].all.first?.payload == payload)
        #expect(meshes[0].statistics.drops(.tooLarge) == 1)
    }

    @Test("a message to ourselves comes back like any other; above its bound the oldest goes")
    func toSelf() async throws {
        let members = try TestMembers(2)
        let mesh = try members.mesh(0) { $0.queuedForSelfMaximum = 3 }
        defer { stop(mesh) }
        // Before start nothing is taken out of the queue, so the bound is met exactly.
        let results = (UInt8(0)..<5).map { mesh.send(to: 0, channel: [1], payload: [$0]) }
        #expect(results == [.queued, .queued, .queued, .queuedDisplacingOldest, .queuedDisplacingOldest])
        let received = Collector<InboundMessage>()
        try mesh.start(onMessages: received.handler)
        #expect(await eventually { received.all.count == 3 })
        #expect(received.all.map(\.payload) == [[2], [3], [4]])
        #expect(received.all.allSatisfy { $0.peer == 0 })
        #expect(mesh.statistics.drops(.queueFull) == 2)
    }

    @Test("a stranger with a valid key gets nothing in and is counted; listed, the same stranger gets in")
    func stranger() async throws {
        let stranger = try CurveKeyPair.generate()
        for isListed in [false, true] {
            let members = try TestMembers(3)
            let mesh = try members.mesh(0) { configuration in
                // The planted fault: member 2's place in the list holds the stranger's key.
                if isListed { configuration.peers[2].publicKey = stranger.publicKey }
            }
            defer { stop(mesh) }
            let received = Collector<InboundMessage>()
            try mesh.start(onMessages: received.handler)
            let client = try HandClient(to: mesh.boundEndpoint, server: members.keys[0].publicKey, keys: stranger)
            try client.send([text("c"), text("from the stranger")])
            if !isListed { #expect(await eventually { mesh.statistics.admission.denied >= 1 }) }
            let member = try HandClient(to: mesh.boundEndpoint, server: members.keys[0].publicKey, keys: members.keys[1])
            try member.send([text("c"), text("from a member")])
            #expect(await eventually { received.all.count == (isListed ? 2 : 1) })
            #expect(received.all.contains { $0.peer == 1 && $0.payload == text("from a member") })
            #expect(received.all.contains { $0.payload == text("from the stranger") } == isListed)
            let seen = mesh.statistics
            #expect((seen.drops(.unauthenticated) > 0) == !isListed)
            #expect(seen.admission.deniedKeys.map(\.publicKey) == (isListed ? [] : [stranger.publicKey]))
            if !isListed { #expect(seen.admission.deniedKeys.first?.lastAddress == "127.0.0.1") }
        }
    }

    @Test("who comes without CURVE, or with our own key, does not get in")
    func otherStrangers() async throws {
        let members = try TestMembers(2)
        let mesh = try members.mesh(0)
        defer { stop(mesh) }
        let received = Collector<InboundMessage>()
        try mesh.start(onMessages: received.handler)
        let server = members.keys[0].publicKey
        let plain = try HandClient(to: mesh.boundEndpoint, server: server, keys: nil)
        let mirror = try HandClient(to: mesh.boundEndpoint, server: server, keys: members.keys[0])
        try plain.send([text("c"), text("plain")])
        try mirror.send([text("c"), text("mirror")])
        #expect(await eventually {
            mesh.statistics.inboundHandshakeFailures >= 2 && mesh.statistics.admission.denied >= 1
        })
        let member = try HandClient(to: mesh.boundEndpoint, server: server, keys: members.keys[1])
        try member.send([text("c"), text("member")])
        #expect(await eventually { !received.all.isEmpty })
        #expect(received.all.map(\.payload) == [text("member")])
    }

    @Test("the sender is the owner of the key, whatever the routing id and the payload claim")
    func impersonation() async throws {
        let members = try TestMembers(3)
        let mesh = try members.mesh(0)
        defer { stop(mesh) }
        let received = Collector<InboundMessage>()
        try mesh.start(onMessages: received.handler)
        let liar = try HandClient(
            to: mesh.boundEndpoint, server: members.keys[0].publicKey, keys: members.keys[1], routingID: text("2"))
        try liar.send([text("c"), text("I am member 2")])
        #expect(await eventually { !received.all.isEmpty })
        #expect(received.all.map(\.peer) == [1])
    }

    @Test("without an admission handler a CURVE socket of ours lets nobody in")
    func failsClosed() async throws {
        let (server, client) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let context = try ZeroMQContext()
        for hasHandler in [false, true] {
            let admission = try hasHandler
                ? AdmissionHandler(context: context, domain: "test", policy: .anyKey) : nil
            let listener = try Listener(context: context, kind: ZMQ_ROUTER, endpoint: anyPort()) {
                socket throws(MessageBusError) in try socket.applyCurveServer(server, domain: "test")
            }
            let hand = try HandClient(to: listener.endpoint, server: server.publicKey, keys: client)
            try hand.send([text("c"), text("hello")])
            var arrived = false
            let settled = try await eventually {
                _ = try admission?.serve()
                _ = try listener.observe()
                arrived = try arrived || listener.socket.receive(framesMaximum: 3, frameBytesMaximum: 100) != nil
                return arrived || listener.handshakeFailures > 0
            }
            #expect(settled)
            #expect(arrived == hasHandler)
            listener.close()
            admission?.socket.close()
        }
        context.terminate()
    }

    @Test("a member that dials us with a wrong server key gets nothing through, and its queue stays bounded")
    func wrongServerKey() async throws {
        let members = try TestMembers(3)
        let right = try members.mesh(0)
        let wrong = try members.mesh(1) { configuration in
            configuration.peers[0].endpoint = right.boundEndpoint
            let another = configuration.peers[2].publicKey
            configuration.peers[2].publicKey = configuration.peers[0].publicKey
            configuration.peers[0].publicKey = another
        }
        defer { stop(right, wrong) }
        let received = Collector<InboundMessage>()
        try right.start(onMessages: received.handler)
        try wrong.start { _ in }
        for number in UInt8(0)..<30 { #expect(wrong.send(to: 0, channel: [1], payload: [number]).isQueued) }
        #expect(await eventually { right.statistics.inboundHandshakeFailures >= 3 })
        #expect(received.all.isEmpty)
        let seen = wrong.statistics
        #expect(seen.connectedPeers == 0)
        #expect(seen.peers[0].sentMessages == 0)
        #expect(seen.peers[0].queuedMessages == Limits.queuedPerChannelDefault)
        #expect(seen.drops(.queueFull) == 20)
    }

    @Test("frames that are no message are dropped and counted, and the next good one arrives")
    func malformed() async throws {
        let members = try TestMembers(2)
        let mesh = try members.mesh(0) { $0.payloadBytesMaximum = 1000 }
        defer { stop(mesh) }
        let received = Collector<InboundMessage>()
        try mesh.start(onMessages: received.handler)
        let client = try HandClient(to: mesh.boundEndpoint, server: members.keys[0].publicKey, keys: members.keys[1])
        let bad: [[[UInt8]]] = [
            [text("alone")], [text("c"), text("p"), text("more")], [[], text("p")], [text("c"), [], [], [], []],
            [[UInt8](repeating: 1, count: Limits.channelBytesMaximum + 1), text("p")],
        ]
        for frames in bad { try client.send(frames) }
        try client.send([text("c"), [UInt8](repeating: 1, count: 1001)])
        try client.send([[]])
        try client.send([[UInt8](repeating: 1, count: Limits.channelBytesMaximum), [UInt8](repeating: 2, count: 1000)])
        try client.send([text("c"), []])
        #expect(await eventually { received.all.count == 2 })
        let seen = mesh.statistics
        #expect(seen.peers[1].drops[.malformed] == UInt64(bad.count))
        #expect(seen.peers[1].drops[.tooLarge] == 1)
        #expect(seen.peers[1].receivedMessages == 2)
        #expect(seen.unattributedDrops.total == 0)
    }

    @Test("a frame far above the bound cuts the connection, takes no memory, and others go on")
    func oversize() async throws {
        let members = try TestMembers(3)
        let mesh = try members.mesh(0) { $0.payloadBytesMaximum = 1000 }
        defer { stop(mesh) }
        let received = Collector<InboundMessage>()
        try mesh.start(onMessages: received.handler)
        let server = members.keys[0].publicKey
        let client = try HandClient(to: mesh.boundEndpoint, server: server, keys: members.keys[1])
        try client.send([text("c"), text("first")])
        #expect(await eventually { received.all.count == 1 })
        try client.send([text("c"), [UInt8](repeating: 1, count: 10 << 20)])
        let other = try HandClient(to: mesh.boundEndpoint, server: server, keys: members.keys[2])
        try other.send([text("c"), text("second")])
        #expect(await eventually { received.all.count == 2 })
        // The cut connection comes back by itself; what is sent then arrives.
        let isBack = try await eventually {
            _ = try client.socket.send([text("c"), text("third")])
            return received.all.contains { $0.payload == text("third") }
        }
        #expect(isBack)
        #expect(received.all.allSatisfy { $0.payload.count < 1000 })
    }

    @Test("the queue to a dead peer stays bounded, drops are counted, and the newest arrive when it comes")
    func deadPeer() async throws {
        let members = try TestMembers(2)
        let probe = try members.mesh(1)
        let place = probe.boundEndpoint
        stop(probe)
        let mesh = try members.mesh(0) { $0.peers[1].endpoint = place }
        defer { stop(mesh) }
        try mesh.start { _ in }
        for number in UInt8(0)..<100 { #expect(mesh.send(to: 1, channel: [1], payload: [number]).isQueued) }
        for number in UInt8(0)..<100 { #expect(mesh.send(to: 1, channel: [2], payload: [number]).isQueued) }
        let seen = mesh.statistics
        #expect(seen.peers[1].queuedMessages == 2 * Limits.queuedPerChannelDefault)
        #expect(seen.peers[1].drops[.queueFull] == 180)
        #expect(seen.peers[1].sentMessages == 0)

        let revived = try members.mesh(1, endpoint: place)
        defer { stop(revived) }
        let received = Collector<InboundMessage>()
        try revived.start(onMessages: received.handler)
        #expect(await eventually { received.all.count { $0.payload == [99] } == 2 })
        let own = received.all.filter { $0.channel == [2] }.map { $0.payload[0] }
        #expect(Array(own.suffix(10)) == Array(90...99))
        #expect(mesh.statistics.peers[1].isConnected)
    }

    @Test("a member that was denied is dialled again and gets in once it is listed")
    func redial() async throws {
        let members = try TestMembers(2)
        let other = try CurveKeyPair.generate()
        let unaware = try members.mesh(0) { $0.peers[1].publicKey = other.publicKey }
        try unaware.start { _ in }
        let place = unaware.boundEndpoint
        let late = try members.mesh(1) { $0.peers[0].endpoint = place }
        defer { stop(late) }
        try late.start { _ in }
        #expect(await eventually { unaware.statistics.admission.denied >= 1 })
        stop(unaware)
        let aware = try members.mesh(0, endpoint: place)
        defer { stop(aware) }
        let received = Collector<InboundMessage>()
        try aware.start(onMessages: received.handler)
        _ = late.send(to: 0, channel: [1], payload: text("at last"))
        #expect(await eventually { !received.all.isEmpty })
        #expect(late.statistics.peers[0].isConnected)
    }

    @Test("a peer above its rate is dropped and counted, another is not touched")
    func rateLimited() async throws {
        let members = try TestMembers(3)
        let mesh = try members.mesh(0) { configuration in
            configuration.payloadBytesMaximum = 1000
            configuration.inboundRate = RateLimit(
                messagesPerSecond: 1, messagesBurst: 10, bytesPerSecond: 1 << 20, bytesBurst: 1 << 20)
        }
        defer { stop(mesh) }
        let received = Collector<InboundMessage>()
        try mesh.start(onMessages: received.handler)
        let server = members.keys[0].publicKey
        let flood = try HandClient(to: mesh.boundEndpoint, server: server, keys: members.keys[1])
        for _ in 0..<60 { try flood.send([text("c"), text("x")]) }
        #expect(await eventually { mesh.statistics.peers[1].drops[.rateLimited] >= 40 })
        let calm = try HandClient(to: mesh.boundEndpoint, server: server, keys: members.keys[2])
        for _ in 0..<5 { try calm.send([text("c"), text("y")]) }
        #expect(await eventually { received.all.count { $0.peer == 2 } == 5 })
        #expect(received.all.count { $0.peer == 1 } < 20)
        #expect(mesh.statistics.peers[2].drops.total == 0)
    }

    @Test("what cannot be sent is refused with its reason")
    func refusals() async throws {
        let members = try TestMembers(2)
        let mesh = try members.mesh(0)
        #expect(mesh.send(to: 2, channel: [1], payload: []) == .dropped(.unknownPeer))
        #expect(mesh.send(to: -1, channel: [1], payload: []) == .dropped(.unknownPeer))
        #expect(mesh.send(to: 1, channel: [], payload: []) == .dropped(.malformed))
        let long = [UInt8](repeating: 0, count: Limits.channelBytesMaximum + 1)
        #expect(mesh.send(to: 1, channel: long, payload: []) == .dropped(.malformed))
        try mesh.start { _ in }
        let again = #expect(throws: MessageBusError.self) { try mesh.start { _ in } }
        #expect(again?.code == .alreadyStarted)
        #expect(throws: MessageBusError.self) { try mesh.redirect(0, to: mesh.boundEndpoint) }
        #expect(throws: MessageBusError.self) { try mesh.redirect(1, to: anyPort()) }
        #expect(mesh.stop())
        #expect(mesh.stop(), "a second stop is harmless")
        #expect(mesh.send(to: 1, channel: [1], payload: []) == .dropped(.notRunning))
        let late = #expect(throws: MessageBusError.self) { try mesh.start { _ in } }
        #expect([MessageBusError.Code.stopped, .alreadyStarted].contains(late?.code))
        let seen = mesh.statistics
        #expect(seen.drops(.unknownPeer) == 2)
        #expect(seen.drops(.malformed) == 2)
        #expect(seen.drops(.notRunning) == 1)
        #expect(!seen.isRunning)
    }

    @Test("a port in use is a named error with a hint, and leaves no thread")
    func portInUse() throws {
        let members = try TestMembers(2)
        let first = try members.mesh(0)
        defer { stop(first) }
        let error = #expect(throws: MessageBusError.self) {
            try members.mesh(1, endpoint: first.boundEndpoint)
        }
        #expect(error?.code == .portInUse)
        #expect(error?.retry == .later)
        #expect(error?.hint?.contains("ss -ltnp") == true)
        #expect(error?.context["endpoint"] == first.boundEndpoint.description)
    }

    @Test("an address that is not ours is a named error")
    func foreignAddress() throws {
        let members = try TestMembers(2)
        let error = #expect(throws: MessageBusError.self) {
            try members.mesh(0, endpoint: Endpoint("tcp://192.0.2.1:0"))
        }
        #expect([MessageBusError.Code.addressNotAvailable, .malformedEndpoint].contains(error?.code))
    }

    @Test("stop called by the handler does not hang; nor does letting go of a running mesh")
    func stopFromInside() async throws {
        let members = try TestMembers(2)
        let mesh = try members.mesh(0)
        let answer = Mutex<Bool?>(nil)
        try mesh.start { [weak mesh] _ in
            let ended = mesh?.stop()
            answer.withLock { $0 = ended }
        }
        _ = mesh.send(to: 0, channel: [1], payload: [])
        #expect(await eventually { answer.withLock { $0 } == false })
        #expect(mesh.stop(), "it ends after the handler has returned")

        var place: Endpoint?
        do {
            let forgotten = try members.mesh(0)
            try forgotten.start { _ in }
            place = forgotten.boundEndpoint
        }
        let endpoint = try #require(place)
        // Its port is free again as soon as its thread has closed the socket.
        let isFree = await eventually {
            guard let next = try? members.mesh(0, endpoint: endpoint) else { return false }
            return next.stop()
        }
        #expect(isFree)
    }

    @Test("a mesh with many members under load stops within its deadline")
    func stopsUnderLoad() async throws {
        let members = try TestMembers(5)
        let meshes = try (0..<5).map { try members.mesh($0) }
        _ = try join(meshes)
        #expect(await eventually { meshes.allSatisfy { $0.statistics.connectedPeers == 4 } })
        for _ in 0..<200 { for mesh in meshes { _ = mesh.broadcast(channel: [1], payload: [UInt8](repeating: 1, count: 2000)) } }
        let begun = monotonicMilliseconds()
        for mesh in meshes { #expect(mesh.stop(deadlineMilliseconds: 3_000)) }
        #expect(monotonicMilliseconds() - begun < 10_000)
    }

    @Test("a configuration that cannot work is refused before a socket opens", arguments: 0..<12)
    func configurations(fault: Int) throws {
        let members = try TestMembers(3)
        let other = try CurveKeyPair.generate()
        let star = try Endpoint("tcp://*:1")
        let configuration = try members.configuration(0) { configuration in
            switch fault {
            case 0: configuration.peers = []
            case 1: configuration.ownIndex = 3
            case 2: configuration.keyPair = other
            case 3: configuration.peers[1].publicKey = configuration.peers[2].publicKey
            case 4: configuration.peers[1].name = configuration.peers[2].name
            case 5: configuration.peers[1].name = ""
            case 6: configuration.peers[1].endpoint = star
            case 7: configuration.payloadBytesMaximum = Limits.payloadBytesMaximum + 1
            case 8: configuration.queue.bytesMaximum = 10
            case 9: configuration.timings.heartbeatIntervalMilliseconds = 0
            case 10: configuration.timings.heartbeatTimeoutMilliseconds = 1
            default: configuration.queuedForSelfMaximum = 0
            }
        }
        let error = #expect(throws: MessageBusError.self) { try PeerMesh(configuration: configuration, logger: quiet) }
        #expect([MessageBusError.Code.invalidConfiguration, .keyMismatch].contains(error?.code))
        try members.configuration(0).validate()
    }
}

// The Swift client beside a gateway in this process: whom it believes.

import Ethereum
import MessageBus
import PriceStreams
import Synchronization
import Testing

@testable import StreamsNode

@Suite("A client of a gateway", .serialized, .timeLimit(.minutes(2)))
struct StreamClientTests {
    @Test("a configuration that comes while a client reads is believed from then on, and looked for once a second at most")
    func successor() async throws {
        let world = try GatewayWorld()
        let ether = world.ether.text.prefix(10)
        try await world.run { gateway, _ in
            let node = gateway.node
            let heard = Heard()
            let looks = Mutex(0)
            let there = Mutex<ReportVerifier?>(nil)
            let client = try world.client(gateway, heard, feeds: [world.ether]) { configuration in
                configuration.verifier = ReportVerifier([])
                configuration.renewedVerifier = {
                    looks.withLock { $0 += 1 }
                    return there.withLock { $0 }
                }
            }
            defer { client.stop() }
            #expect(await soon { node.publisher.statistics.subscriptions == 2 })
            let begin = ContinuousClock.now
            for second in UInt64(1)...20 { node.take(try world.batch(second), receivedAt: GatewayNode.now()) }
            #expect(await soon { heard.all.count == 20 })
            #expect(heard.all.allSatisfy { $0 == "refused unknownDigest" })
            let seconds = Int((ContinuousClock.now - begin).components.seconds)
            #expect((1...seconds + 2).contains(looks.withLock { $0 }), "twenty reports within \(seconds) s")

            let verifier = try world.settings.process.streams.verifier()
            there.withLock { $0 = verifier }
            var second: UInt64 = 20
            #expect(await soon {
                second += 1
                guard let batch = try? world.batch(second) else { return false }
                node.take(batch, receivedAt: GatewayNode.now())
                return heard.all.contains { $0.hasPrefix("report \(ether)") }
            })
            let before = looks.withLock { $0 }
            for next in second + 1...second + 10 { node.take(try world.batch(next), receivedAt: GatewayNode.now()) }
            #expect(await soon { heard.all.last == "report \(ether) \(world.start + second + 10)" })
            #expect(looks.withLock { $0 } == before, "what is known is not looked for")
        }
    }

    @Test("two connections share what one of them has found: a new configuration is looked for once, and nothing is refused")
    func shared() async throws {
        let world = try GatewayWorld()
        let (ether, bitcoin) = (world.ether.text.prefix(10), world.bitcoin.text.prefix(10))
        try await world.run { gateway, _ in
            let node = gateway.node
            let heard = Heard()
            let looks = Mutex(0)
            let verifier = try world.settings.process.streams.verifier()
            let client = try world.client(gateway, heard) { configuration in
                configuration.gateways += configuration.gateways
                configuration.verifier = ReportVerifier([])
                configuration.renewedVerifier = {
                    looks.withLock { $0 += 1 }
                    return verifier
                }
            }
            defer { client.stop() }
            #expect(await soon { node.publisher.statistics.subscriptions == 4 })
            for second in UInt64(1)...5 { node.take(try world.batch(second), receivedAt: GatewayNode.now()) }
            #expect(await soon { heard.all.count == 10 })
            #expect(heard.all.filter { $0.hasPrefix("report \(ether)") || $0.hasPrefix("report \(bitcoin)") }.count == 10)
            #expect(looks.withLock { $0 } == 1)
        }
    }

    @Test("what is wrong with a report is told by its name")
    func refusals() async throws {
        let world = try GatewayWorld()
        try await world.run { gateway, _ in
            let node = gateway.node
            let heard = Heard()
            let client = try world.client(gateway, heard)
            defer { client.stop() }
            #expect(await soon { node.publisher.statistics.subscriptions == 2 })
            let item = try #require(ReportBatch(encoded: try world.batch(1))?.items.first)
            let full = item.fullReport
            func changed(_ index: Int) -> Bytes {
                var bytes = full
                bytes[index] ^= 1
                return bytes
            }
            // Cut short, more behind it, another digest, another price: each under the frame of a gateway that lies.
            let lies: [(payload: Bytes, name: String)] = [
                (Bytes(full.dropLast()), "envelopeTruncated"), (full + Bytes(repeating: 0, count: 32), "envelopeTrailingBytes"),
                (changed(31), "unknownDigest"), (changed(256 + 9 * 32 - 1), "unknownSigner"),
            ]
            for (index, lie) in lies.enumerated() {
                node.publisher.publish(
                    PublishableReport(
                        feedID: world.ether, flags: [],
                        observationsTimestampNanoseconds: item.observationsTimestampNanoseconds, payload: lie.payload))
                #expect(await soon { heard.all.count == index + 1 })
                #expect(heard.all.last == "refused \(lie.name)")
            }
            node.publisher.publish(
                PublishableReport(
                    feedID: world.bitcoin, flags: [],
                    observationsTimestampNanoseconds: item.observationsTimestampNanoseconds, payload: full))
            #expect(await soon { heard.all.last == "refused feedMismatch" })
        }
    }
}

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
}

// Limits of pools: what the guard's operator allows against what limiters say and what passes.

import CCIP
import Ethereum
import TestSupport
import Testing

@testable import CCIP
@testable import Guarding

@Suite("Rate limits of pools")
struct PoolTests {
    static let outbound = PoolGate(
        chain: World.source, pool: World.pool, remote: World.destination, direction: .outbound)
    static let inbound = PoolGate(
        chain: World.destination, pool: World.pool, remote: World.source, direction: .inbound)
    static let allowance = PoolAllowance(gate: outbound, capacity: U256(100 as UInt64), rate: U256(10 as UInt64))

    private func guarded(curses: Bool = false, stops: [GuardStop] = [], buckets: [PoolBucket] = []) throws -> Guard {
        let other = PoolAllowance(gate: Self.inbound, capacity: U256(100 as UInt64), rate: .zero)
        return Guard(
            configuration: try World.configuration(pools: [Self.allowance, other], curses: curses), stops: stops,
            buckets: buckets)
    }

    private func state(_ capacity: UInt64, _ rate: UInt64, isEnabled: Bool = true) -> LimiterState {
        LimiterState(isEnabled: isEnabled, capacity: U256(capacity), rate: U256(rate))
    }

    private func flow(_ amount: UInt64, block: UInt64, at time: UInt64, index: UInt64 = 0, gate: PoolGate = outbound) -> GuardEvent {
        .flow(PoolFlow(gate: gate, amount: U256(amount), block: block, logIndex: index, timestamp: time))
    }

    @Test("a limiter that is no looser than allowed, or of a pool that serves nobody, raises nothing")
    func tight() throws {
        var subject = try guarded()
        for limiter in [state(100, 10), state(1, 0), state(0, 10)] {
            #expect(subject.handle(.limiter(Self.outbound, limiter)) == [])
        }
        #expect(subject.handle(.limiter(Self.outbound, nil)) == [])
        let stranger = PoolGate(chain: World.source, pool: World.signer, remote: World.destination, direction: .outbound)
        #expect(subject.handle(.limiter(stranger, state(1_000, 0))) == [])
    }

    @Test("a looser limiter stops the lane and alarms once, without a curse; a worse one alarms again",
        arguments: [(101, 10, true), (100, 11, true), (1, 1, false)] as [(UInt64, UInt64, Bool)])
    func loosened(capacity: UInt64, rate: UInt64, isEnabled: Bool) throws {
        var subject = try guarded(curses: true)
        let loose = state(capacity, rate, isEnabled: isEnabled)
        let actions = subject.handle(.limiter(Self.outbound, loose))
        #expect(actions.stops.map(\.scope) == [World.lane.scope] && actions.anomalies == [.rateLimitLoosened])
        #expect(actions.count == 2, "\(actions)")
        #expect(subject.handle(.limiter(Self.outbound, loose)) == [], "said once")
        #expect(subject.handle(.limiter(Self.outbound, state(5_000, 10))).anomalies == [.rateLimitLoosened])
        #expect(subject.handle(.limiter(Self.outbound, state(100, 10))) == [])
        #expect(subject.stop(of: World.lane)?.kind == .rateLimitLoosened, "only a person lifts it")
        #expect(subject.handle(.limiter(Self.outbound, loose)).anomalies == [.rateLimitLoosened], "loose anew")
    }

    @Test("what passes within capacity and refill is counted; more stops the lane and curses, stop first, count last")
    func exceeded() throws {
        var subject = try guarded(curses: true)
        #expect(subject.handle(flow(100, block: 1, at: 1_000)).anomalies.isEmpty)
        #expect(subject.handle(flow(50, block: 2, at: 1_005)).anomalies.isEmpty, "five seconds of 10 each")
        let actions = subject.handle(flow(21, block: 3, at: 1_007))
        guard actions.count == 4, case .raiseStop(let stop) = actions[0], case .alarm = actions[1],
            case .curse(World.source, on: World.destination, _) = actions[2], case .keepBucket = actions[3]
        else {
            Issue.record("\(actions)")
            return
        }
        #expect(stop.kind == .rateLimitExceeded && stop.reason.contains("21 passed in block 3, 20 were left"))
        #expect(subject.tallies.flows == 3 && subject.tallies.anomalies[.rateLimitExceeded] == 1)
    }

    @Test("the bucket never holds more than the capacity, however long nothing passes")
    func refill() throws {
        var subject = try guarded()
        _ = subject.handle(flow(1, block: 1, at: 1_000))
        #expect(subject.handle(flow(101, block: 2, at: 9_999_999)).anomalies == [.rateLimitExceeded])
    }

    @Test("a loose limiter that stopped the lane before does not keep the curse from coming; a second excess curses no more")
    func curseAfterMilder() throws {
        var subject = try guarded(curses: true)
        _ = subject.handle(.limiter(Self.outbound, state(5_000, 0)))
        let actions = subject.handle(flow(200, block: 1, at: 1_000))
        #expect(actions.stops.isEmpty && actions.contains { if case .curse = $0 { true } else { false } })
        let again = subject.handle(flow(200, block: 2, at: 1_001))
        #expect(again.anomalies == [.rateLimitExceeded] && !again.contains { if case .curse = $0 { true } else { false } })
        // After a restart the stop that once called for the curse stands for it.
        let stop = GuardStop(scope: World.lane.scope, kind: .rateLimitExceeded, reason: "before")
        var restarted = try guarded(curses: true, stops: [stop])
        let after = restarted.handle(flow(200, block: 3, at: 1_002))
        #expect(!after.contains { if case .curse = $0 { true } else { false } })
    }

    @Test("logs that come twice count once, over a restart too; the other direction has a bucket of its own")
    func repeats() throws {
        var subject = try guarded()
        var kept: [PoolBucket] = []
        for (block, index) in [(1, 0), (1, 1), (2, 0)] as [(UInt64, UInt64)] {
            for action in subject.handle(flow(30, block: block, at: 1_000, index: index)) {
                if case .keepBucket(let bucket) = action { kept.append(bucket) }
            }
        }
        #expect(kept.count == 3)
        #expect(subject.handle(flow(30, block: 1, at: 1_000, index: 1)) == [], "again")
        var restarted = try guarded(buckets: [try #require(kept.last)])
        #expect(restarted.handle(flow(30, block: 2, at: 1_000)) == [], "counted before the restart")
        #expect(restarted.handle(flow(10, block: 2, at: 1_000, index: 1)).anomalies.isEmpty)
        #expect(restarted.handle(flow(1, block: 3, at: 1_000)).anomalies == [.rateLimitExceeded])
        #expect(subject.handle(flow(100, block: 3, at: 1_000, gate: Self.inbound)).anomalies.isEmpty)
        #expect(subject.handle(flow(1, block: 4, at: 2_000, gate: Self.inbound)).anomalies == [.rateLimitExceeded])
    }

    @Test("whatever a limiter on chain that is no looser lets through raises nothing", arguments: 1...50 as ClosedRange<UInt64>)
    func neverFalse(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var subject = try guarded()
        // The chain's own bucket: smaller or equal, filled anyhow, and changed on the way.
        var now: UInt64 = 1_000
        func chainBucket() -> TokenBucket {
            let capacity = UInt64.random(in: 1...100, using: &random)
            return TokenBucket(
                tokens: U256(UInt64.random(in: 0...capacity, using: &random)), lastUpdated: now, isEnabled: true,
                capacity: U256(capacity), rate: U256(UInt64.random(in: 0...10, using: &random)))
        }
        var bucket = chainBucket()
        for block in 1...300 as ClosedRange<UInt64> {
            now += UInt64.random(in: 0...6, using: &random)
            if UInt64.random(in: 0..<20, using: &random) == 0 {
                // A new configuration keeps the tokens, as far as they fit.
                let next = chainBucket()
                bucket = TokenBucket(
                    tokens: min(bucket.available(at: now), next.capacity), lastUpdated: now, isEnabled: true,
                    capacity: next.capacity, rate: next.rate)
            }
            let amount = UInt64.random(in: 1...60, using: &random)
            do { try bucket.consume(U256(amount), at: now) } catch { continue }
            #expect(subject.handle(flow(amount, block: block, at: now)).anomalies.isEmpty, "seed \(seed), block \(block)")
        }
    }

    @Test("logs of pools are read by their words, and others are left alone")
    func words() throws {
        let topics = [PoolWords.lockedOrBurned, Hash32(U256(World.destination.rawValue))]
        let data = World.signer.abiWord + World.signer.abiWord + U256(77 as UInt64).bytes
        let log = Log(address: World.pool, topics: topics, data: data)
        let flow = try PoolWords.flow(log, on: World.source, block: 5, logIndex: 2, timestamp: 9)
        #expect(flow == PoolFlow(gate: Self.outbound, amount: U256(77 as UInt64), block: 5, logIndex: 2, timestamp: 9))
        #expect(PoolWords.lockedOrBurned == ContractCatalogueTopics.lockedOrBurned)
        #expect(PoolWords.releasedOrMinted == ContractCatalogueTopics.releasedOrMinted)
        let other = Log(address: World.pool, topics: [.zero], data: [])
        #expect(try PoolWords.flow(other, on: World.source, block: 5, logIndex: 2, timestamp: 9) == nil)
        let cut = Log(address: World.pool, topics: topics, data: Bytes(data.dropLast(32)))
        #expect(throws: GuardError.self) { try PoolWords.flow(cut, on: World.source, block: 5, logIndex: 2, timestamp: 9) }
        // The relayers' words for the same calls.
        #expect(PoolWords.limiter(Self.outbound) == TokenPoolCalls.outboundRateLimit(World.destination).data)
        #expect(PoolWords.limiter(Self.inbound) == TokenPoolCalls.inboundRateLimit(World.source).data)
        let answer = [U256(1 as UInt64), U256(2 as UInt64), .one, U256(3 as UInt64), U256(4 as UInt64)].flatMap(\.bytes)
        #expect(try PoolWords.limiter(answer) == state(3, 4))
    }

    @Test("an allowance of a lane that is not guarded, or given twice, is refused")
    func configuration() throws {
        let back = PoolGate(chain: World.source, pool: World.pool, remote: World.destination, direction: .inbound)
        for pools in [[Self.allowance, Self.allowance], [PoolAllowance(gate: back, capacity: .one, rate: .one)]] {
            #expect(throws: GuardError.self) { try World.configuration(pools: pools) }
        }
    }
}

/// Topics by the published ABI's signatures.
private enum ContractCatalogueTopics {
    static let lockedOrBurned = keccak256(text: "LockedOrBurned(uint64,address,address,uint256)")
    static let releasedOrMinted = keccak256(text: "ReleasedOrMinted(uint64,address,address,address,uint256)")
}

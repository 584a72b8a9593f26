// The bounded queue and the token bucket, alone.

import Testing

@testable import MessageBus

/// A small repeatable generator; the seed is in each failure's text.
private struct Numbers: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct OutboundQueueTests {
    private func message(_ channel: UInt8, _ number: UInt8, size: Int = 1) -> OutboundMessage {
        OutboundMessage(channel: [channel], payload: [number] + [UInt8](repeating: 0, count: max(0, size - 1)))
    }

    private func drain(_ queue: inout OutboundQueue) -> [OutboundMessage] {
        var all: [OutboundMessage] = []
        while let next = queue.popFirst() { all.append(next) }
        return all
    }

    @Test("at the bound of a channel its own oldest message gives way, others stay")
    func displacesWithinChannel() {
        var queue = OutboundQueue(policy: QueuePolicy(
            messagesMaximum: 100, messagesPerChannelMaximum: 2, bytesMaximum: 1000, overflow: .displaceOldest))
        #expect(queue.append(message(1, 0)).result == .queued)
        for number in 1...2 { #expect(queue.append(message(2, UInt8(number))).result == .queued) }
        let third = queue.append(message(2, 3))
        #expect(third.result == .queuedDisplacingOldest)
        #expect(third.dropped == 1)
        #expect(drain(&queue) == [message(1, 0), message(2, 2), message(2, 3)])
        #expect(queue.byteCount == 0)
    }

    @Test("at the bound of bytes as many of the oldest give way as are needed")
    func displacesBytes() {
        var queue = OutboundQueue(policy: QueuePolicy(
            messagesMaximum: 100, messagesPerChannelMaximum: 100, bytesMaximum: 40, overflow: .displaceOldest))
        for number in 0..<4 { _ = queue.append(message(1, UInt8(number), size: 9)) }
        let large = queue.append(message(1, 9, size: 25))
        #expect(large.dropped == 3)
        #expect(drain(&queue) == [message(1, 3, size: 9), message(1, 9, size: 25)])
    }

    @Test("where order matters the newest is refused and nothing else is lost")
    func refusesNewest() {
        var queue = OutboundQueue(policy: QueuePolicy(
            messagesMaximum: 2, messagesPerChannelMaximum: 2, bytesMaximum: 1000, overflow: .refuseNewest))
        for number in 0..<2 { #expect(queue.append(message(1, UInt8(number))).result == .queued) }
        #expect(queue.append(message(1, 2)).result == .dropped(.queueFull))
        #expect(drain(&queue) == [message(1, 0), message(1, 1)])
    }

    @Test("no order of work exceeds a bound or loses count", arguments: [1, 2, 3, 0xc0ffee] as [UInt64])
    func boundsHold(seed: UInt64) {
        var numbers = Numbers(state: seed)
        for overflow in [QueuePolicy.Overflow.displaceOldest, .refuseNewest] {
            let policy = QueuePolicy(
                messagesMaximum: 20, messagesPerChannelMaximum: 6, bytesMaximum: 200, overflow: overflow)
            var queue = OutboundQueue(policy: policy)
            var (offered, dropped, taken) = (0, 0, 0)
            for _ in 0..<5_000 {
                if UInt8.random(in: 0..<4, using: &numbers) == 0 {
                    taken += queue.popFirst() == nil ? 0 : 1
                } else {
                    offered += 1
                    let size = Int.random(in: 0...60, using: &numbers)
                    let channel = UInt8.random(in: 0..<5, using: &numbers)
                    dropped += queue.append(message(channel, 0, size: size)).dropped
                }
                let holds = queue.count <= 20 && queue.byteCount <= 200 && offered == dropped + taken + queue.count
                #expect(holds, "seed \(seed)")
                if !holds { return }
            }
            let rest = drain(&queue)
            #expect(queue.byteCount == 0)
            for channel in UInt8(0)..<5 { #expect(rest.count { $0.channel == [channel] } <= 6, "seed \(seed)") }
        }
    }

    @Test("a policy that cannot hold one payload is refused")
    func policies() throws {
        #expect(throws: MessageBusError.self) { try QueuePolicy.mesh.validate(payloadBytesMaximum: 64 << 20) }
        var none = QueuePolicy.mesh
        none.messagesMaximum = 0
        #expect(throws: MessageBusError.self) { try none.validate(payloadBytesMaximum: 1) }
        try QueuePolicy.mesh.validate(payloadBytesMaximum: Limits.payloadBytesDefault)
        try QueuePolicy.pair.validate(payloadBytesMaximum: Limits.payloadBytesDefault)
    }

    @Test("a rate lets its burst through at once and its rate after that")
    func rate() {
        let limit = RateLimit(messagesPerSecond: 10, messagesBurst: 5, bytesPerSecond: 1_000, bytesBurst: 500)
        var gate = RateGate(limit, now: 0)
        #expect((0..<8).count { _ in gate.admit(byteCount: 1, now: 0) } == 5)
        let late = (1...1000).count { gate.admit(byteCount: 1, now: UInt64($0)) }
        #expect((9...10).contains(late))
        gate = RateGate(limit, now: 0)
        // Time that stands still, goes back or jumps far breaks nothing.
        let offers: [(bytes: Int, now: UInt64)] = [(500, 0), (1, 0), (100, 100), (400, 50), (500, UInt64.max)]
        let answers = offers.map { gate.admit(byteCount: $0.bytes, now: $0.now) }
        #expect(answers == [true, false, true, false, true])
    }
}

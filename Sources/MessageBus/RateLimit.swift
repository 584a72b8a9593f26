// A token bucket over a clock that is passed in: the bound on what one peer may make us read (specification 2.14).

package struct RateLimit: Equatable, Sendable {
    package var messagesPerSecond: Int
    package var messagesBurst: Int
    package var bytesPerSecond: Int
    package var bytesBurst: Int

    package init(messagesPerSecond: Int, messagesBurst: Int, bytesPerSecond: Int, bytesBurst: Int) {
        self.messagesPerSecond = messagesPerSecond
        self.messagesBurst = messagesBurst
        self.bytesPerSecond = bytesPerSecond
        self.bytesBurst = bytesBurst
    }

    func validate(payloadBytesMaximum: Int) throws(MessageBusError) {
        guard messagesPerSecond > 0, messagesBurst > 0, bytesPerSecond > 0 else {
            throw .configuration("an inbound rate must let at least one message a second through")
        }
        guard bytesBurst >= payloadBytesMaximum + Limits.channelBytesMaximum else {
            throw .configuration("the inbound byte burst (\(bytesBurst)) is smaller than one payload")
        }
    }
}

/// Counts in thousandths of a token, so that each millisecond adds a whole number.
struct TokenBucket: Equatable, Sendable {
    private let perMillisecond: Int
    private let capacity: Int
    private var level: Int
    private var last: UInt64

    init(perSecond: Int, burst: Int, now: UInt64) {
        perMillisecond = perSecond
        capacity = burst.multipliedReportingOverflow(by: 1000).overflow ? Int.max / 2 : burst * 1000
        level = capacity
        last = now
    }

    mutating func refill(now: UInt64) {
        guard now > last else { return }
        let elapsed = Int(clamping: now - last)
        last = now
        let (added, overflow) = elapsed.multipliedReportingOverflow(by: perMillisecond)
        level = overflow || added > capacity - level ? capacity : level + added
    }

    func has(_ tokens: Int) -> Bool { level / 1000 >= tokens }
    mutating func take(_ tokens: Int) { level -= tokens * 1000 }
}

/// Messages and bytes of one peer together: both must be there, else neither is taken.
struct RateGate: Sendable {
    private var messages: TokenBucket
    private var bytes: TokenBucket

    init(_ limit: RateLimit, now: UInt64) {
        messages = TokenBucket(perSecond: limit.messagesPerSecond, burst: limit.messagesBurst, now: now)
        bytes = TokenBucket(perSecond: limit.bytesPerSecond, burst: limit.bytesBurst, now: now)
    }

    mutating func admit(byteCount: Int, now: UInt64) -> Bool {
        messages.refill(now: now)
        bytes.refill(now: now)
        guard messages.has(1), bytes.has(byteCount) else { return false }
        messages.take(1)
        bytes.take(byteCount)
        return true
    }
}

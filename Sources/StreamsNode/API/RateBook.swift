// How much each user may ask: requests in a second by endpoint, and WebSockets at once (8.4 of the price
// specification). Pure: the time comes with the question.

struct RateBook: Sendable {
    private struct Slot: Hashable, Sendable {
        let user: String
        let endpoint: String
    }

    /// A bucket that fills at `requestsPerSecond` and holds a second's worth, in thousandths of a request.
    private struct Bucket: Sendable {
        var thousandths: UInt64
        var at: UInt64
    }

    let requestsPerSecond: UInt64
    let connectionsPerUser: Int
    private var buckets: [Slot: Bucket] = [:]
    private var connections: [String: Int] = [:]

    init(requestsPerSecond: Int, connectionsPerUser: Int) {
        precondition(requestsPerSecond > 0 && connectionsPerUser > 0, "limits are positive")
        self.requestsPerSecond = UInt64(requestsPerSecond)
        self.connectionsPerUser = connectionsPerUser
    }

    /// Counts a request. Throws 429 with the whole seconds after which there is room again.
    mutating func take(_ user: String, _ endpoint: String, nowMilliseconds now: UInt64) throws(APIRefusal) {
        let slot = Slot(user: user, endpoint: endpoint)
        let full = requestsPerSecond * 1_000
        var bucket = buckets[slot] ?? Bucket(thousandths: full, at: now)
        // A clock that steps back fills nothing, and takes nothing.
        let passed = min(now > bucket.at ? now - bucket.at : 0, 1_000)
        bucket.thousandths = min(full, bucket.thousandths + passed * requestsPerSecond)
        bucket.at = now
        defer { buckets[slot] = bucket }
        guard bucket.thousandths >= 1_000 else {
            throw .limited("more than \(requestsPerSecond) requests in a second", retryAfterSeconds: 1)
        }
        bucket.thousandths -= 1_000
    }

    /// Counts a WebSocket. Throws 429 when the user has all of theirs.
    mutating func connect(_ user: String) throws(APIRefusal) {
        guard connections[user, default: 0] < connectionsPerUser else {
            throw .limited("more than \(connectionsPerUser) WebSocket connections", retryAfterSeconds: 5)
        }
        connections[user, default: 0] += 1
    }

    mutating func disconnect(_ user: String) {
        let left = (connections[user] ?? 0) - 1
        precondition(left >= 0, "every connection was counted")
        connections[user] = left == 0 ? nil : left
    }

    func connections(of user: String) -> Int { connections[user] ?? 0 }
    /// Forgets users who have not asked for a while; their buckets are full.
    mutating func forget(before milliseconds: UInt64) { buckets = buckets.filter { $0.value.at >= milliseconds } }
}

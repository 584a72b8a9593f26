// State of the follower side of outcome generation and its bounded pools. Decisions are in Instance+Follower.swift.

/// At most a few values by sequence number, for one sender and one message type; the lowest is displaced (2.6).
struct SequencePool<Value: Sendable>: Sendable {
    private(set) var items: [(sequenceNumber: UInt64, value: Value)] = []

    enum Insertion {
        case inserted
        /// Something is there already; it stays.
        case occupied(Value)
        /// Full of higher sequence numbers.
        case full
    }

    subscript(sequenceNumber: UInt64) -> Value? {
        items.first { $0.sequenceNumber == sequenceNumber }?.value
    }

    mutating func insert(_ sequenceNumber: UInt64, _ value: Value) -> Insertion {
        if let known = self[sequenceNumber] { return .occupied(known) }
        if items.count == Limits.pooledSequenceNumbers {
            guard let lowest = items.first, lowest.sequenceNumber < sequenceNumber else { return .full }
            items.removeFirst()
        }
        let place = items.firstIndex { $0.sequenceNumber > sequenceNumber } ?? items.endIndex
        items.insert((sequenceNumber, value), at: place)
        return .inserted
    }

    mutating func replace(_ sequenceNumber: UInt64, _ value: Value) {
        guard let place = items.firstIndex(where: { $0.sequenceNumber == sequenceNumber }) else { return }
        items[place].value = value
    }

    mutating func drop(through sequenceNumber: UInt64) {
        items.removeAll { $0.sequenceNumber <= sequenceNumber }
    }
}

struct PooledVote: Sendable {
    enum Check: Sendable { case unchecked, valid, invalid }

    let message: VoteMessage
    var check = Check.unchecked
}

struct Follower: Sendable {
    enum Phase: Sendable {
        /// Waiting for EpochStart.
        case newEpoch
        /// Waiting for RoundStart.
        case newRound
        case awaitingObservation
        case sentObservation
        case sentPrepare
        case sentCommit
        /// Nothing more is done in this epoch: it is full, or its leader or the plugin failed.
        case finished
    }

    /// The outcome being voted on.
    struct Value: Sendable {
        let sequenceNumber: UInt64
        let inputsDigest: Digest
        let outcome: [UInt8]
        let outcomeDigest: Digest
    }

    var phase = Phase.newEpoch
    /// First sequence number that may be proposed in this epoch.
    var first: UInt64 = 0
    var context: RoundContext?
    var value: Value?
    var epochStart: Seal?
    var epochStartAttempts = 0
    var sentObservation: ObservationMessage?
    var roundStarts = SequencePool<(message: RoundStart, seal: Seal)>()
    var proposals = SequencePool<(message: Proposal, seal: Seal)>()
    var prepares: [SequencePool<PooledVote>]
    var commits: [SequencePool<PooledVote>]
    /// The plugin has work that no round covers yet; the leader has been told.
    var hasWork = false
    var hinted = false

    init(count: Int) {
        prepares = [SequencePool<PooledVote>](repeating: SequencePool(), count: count)
        commits = prepares
    }

    mutating func dropPools(through sequenceNumber: UInt64) {
        roundStarts.drop(through: sequenceNumber)
        proposals.drop(through: sequenceNumber)
        for index in prepares.indices {
            prepares[index].drop(through: sequenceNumber)
            commits[index].drop(through: sequenceNumber)
        }
    }
}

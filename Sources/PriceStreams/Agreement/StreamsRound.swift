// One round: from the last outcome and this round's observations to the next outcome (5.4), step by step. A function of
// its inputs, whatever order the observations come in.

import Ethereum

/// What happened on the way to an outcome, for whoever counts.
package enum StreamsNote: Equatable, Sendable {
    case promoted(by: Int)
    case retired
    case removed(ChannelID)
    case defined(ChannelID)
    /// Voted for, and not applied.
    case definitionRefused(ChannelID, PriceStreamsError.Code)
    case missing(AggregateKey, AggregationFailure)
    /// An observation that took no part, by observer.
    case ignored(Int, PriceStreamsError.Code)
}

struct StreamsRound {
    struct Voice {
        let observer: Int
        let observation: StreamsObservation
    }

    let configuration: StreamsConfiguration
    let previous: StreamsOutcome
    let voices: [Voice]
    var next: StreamsOutcome
    private(set) var notes: [StreamsNote] = []
    /// Time states of the predecessor, in the round of the promotion.
    private var inherited: [ChannelTime]?
    private var removed: Set<ChannelID> = []

    /// `voices` ascend by observer, each once, and are at least the quorum.
    init(configuration: StreamsConfiguration, previous: StreamsOutcome, voices: [Voice]) {
        precondition(voices.count >= configuration.observationQuorum, "a round without a quorum")
        self.configuration = configuration
        self.previous = previous
        self.voices = voices
        next = previous
    }

    mutating func run() {
        var clocks = voices.map(\.observation.timestampNanoseconds)
        next.observationTimestampNanoseconds = upperMedian(&clocks)
        moveStage()
        if next.stage != .retired { applyVotes() }
        let channels = next.definitions == previous.definitions ? nil : configuration.channels(of: next)
        let before = configuration.channels(of: previous)
        moveTime(before: before, now: channels ?? before)
        next.aggregates = []
        next.jumps = []
        if next.stage != .retired { aggregate(channels ?? before) }
    }

    mutating func note(_ note: StreamsNote) { notes.append(note) }

    // MARK: Life cycle

    private mutating func moveStage() {
        let retirees = voices.count { $0.observation.shouldRetire }
        switch previous.stage {
        case .production where retirees > configuration.faulty:
            next.stage = .retired
            note(.retired)
        case .staging:
            guard let predecessor = configuration.predecessor else { return }
            for voice in voices {
                // Voices with false proofs have been left out already.
                guard let report = try? voice.observation.retirement?.verified(by: predecessor) else { continue }
                next.stage = .production
                inherited = report.validAfter
                return note(.promoted(by: voice.observer))
            }
        default: break
        }
    }

    // MARK: Channels

    private mutating func applyVotes() {
        var removals: [ChannelID: Int] = [:]
        for voice in voices { for id in voice.observation.removals { removals[id, default: 0] += 1 } }
        removed = Set(removals.filter { $0.value > configuration.faulty }.keys)
        for item in next.definitions where removed.contains(item.channelID) { note(.removed(item.channelID)) }
        next.definitions.removeAll { removed.contains($0.channelID) }
        let updates = elected().filter { next.definition($0.channelID) != $0.definition }
        // Usually all of them fit together, which is found out at once; else each is tried on what the others left.
        if !updates.isEmpty, !apply(updates) { for update in updates { apply([update]) } }
    }

    /// For each channel the definition with most votes, more than F; of equally many the smallest hash.
    private func elected() -> [ChannelUpdate] {
        var ballots: [ChannelID: [Hash32: (votes: Int, definition: ChannelDefinition)]] = [:]
        for voice in voices {
            for update in voice.observation.updates {
                let hash = update.definition.voteHash(update.channelID)
                ballots[update.channelID, default: [:]][hash, default: (0, update.definition)].votes += 1
            }
        }
        return ballots.keys.sorted().compactMap { id in
            let candidates = (ballots[id] ?? [:]).filter { $0.value.votes > configuration.faulty }
            let best = candidates.max { ($0.value.votes, $1.key) < ($1.value.votes, $0.key) }
            return best.map { ChannelUpdate(id, $0.value.definition) }
        }
    }

    /// Adds or replaces, unless the whole set would break the admission rules: among F+1 voters one is honest, but what
    /// it checked was its own set, not this mixture. False when nothing was applied; says why of a single one.
    @discardableResult
    private mutating func apply(_ updates: [ChannelUpdate]) -> Bool {
        var definitions = Dictionary(uniqueKeysWithValues: next.definitions.map { ($0.channelID, $0.definition) })
        for update in updates { definitions[update.channelID] = update.definition }
        let merged = definitions.map { ChannelUpdate($0.key, $0.value) }.sorted { $0.channelID < $1.channelID }
        do {
            for update in updates { _ = try Channel(update.channelID, update.definition) }
            try ChannelSet.admit(configuration.channels(of: StreamsOutcome(stage: next.stage, definitions: merged)))
        } catch {
            if updates.count == 1 { note(.definitionRefused(updates[0].channelID, error.code)) }
            return false
        }
        next.definitions = merged
        for update in updates { note(.defined(update.channelID)) }
        return true
    }

    // MARK: Time

    private mutating func moveTime(before: [Channel], now: [Channel]) {
        var times: [ChannelID: UInt64] = [:]
        for item in inherited ?? previous.validAfter where !removed.contains(item.channelID) {
            times[item.channelID] = item.validAfterNanoseconds
        }
        if inherited == nil {
            for channel in before where times[channel.id] != nil {
                if Reportability.isCovered(channel, by: previous, configuration) {
                    times[channel.id] = previous.observationTimestampNanoseconds
                }
            }
        }
        for channel in now where times[channel.id] == nil {
            times[channel.id] = next.observationTimestampNanoseconds
        }
        next.validAfter = times.map { ChannelTime($0.key, $0.value) }.sorted { $0.channelID < $1.channelID }
        bound(Set(now.map(\.id)))
    }

    /// States of channels without a definition go first, the greatest ids before others.
    private mutating func bound(_ defined: Set<ChannelID>) {
        var surplus = next.validAfter.count - AgreementLimits.validAfterMaximum
        guard surplus > 0 else { return }
        for index in next.validAfter.indices.reversed() where surplus > 0 {
            guard !defined.contains(next.validAfter[index].channelID) else { continue }
            next.validAfter.remove(at: index)
            surplus -= 1
        }
    }
}

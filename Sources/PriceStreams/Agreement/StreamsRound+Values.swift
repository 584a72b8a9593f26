// The values of a round: aggregation of all streams in one pass over the observations, carried values, jump guard,
// calculated streams.

import Ethereum

extension StreamsRound {
    /// `channels` are those of the next outcome.
    mutating func aggregate(_ channels: [Channel]) {
        var wanted: Set<AggregateKey> = []
        for channel in channels where channel.isLive { wanted.formUnion(channel.observed) }
        var aggregation = Aggregation(
            faulty: configuration.faulty, clockNanoseconds: next.observationTimestampNanoseconds)
        var cursors = [Int](repeating: 0, count: voices.count)
        var values: [StreamValue] = []
        var aggregates: [Aggregate] = []
        var jumps: [JumpState] = []
        aggregates.reserveCapacity(wanted.count)
        for key in wanted.sorted() {
            gather(key.streamID, &cursors, into: &values)
            let rule = configuration.rules.rule(of: key.streamID)
            let fresh = aggregation.aggregate(values, by: key.aggregator, rule: rule)
            let (value, jump) = settle(key, fresh, rule)
            if let value { aggregates.append(Aggregate(key, value)) }
            if let jump { jumps.append(jump) }
        }
        next.aggregates = aggregates
        next.jumps = jumps
        calculate(channels)
    }

    /// The values of one stream; cursors only move forward, because keys and observations both ascend.
    private func gather(_ stream: StreamID, _ cursors: inout [Int], into values: inout [StreamValue]) {
        values.removeAll(keepingCapacity: true)
        for voice in voices.indices {
            let readings = voices[voice].observation.values
            var at = cursors[voice]
            while at < readings.count, readings[at].streamID < stream { at += 1 }
            cursors[voice] = at
            if at < readings.count, readings[at].streamID == stream { values.append(readings[at].value) }
        }
    }

    /// What is published of this round's result, and what the jump guard remembers.
    private mutating func settle(
        _ key: AggregateKey, _ fresh: Result<StreamValue, AggregationFailure>, _ rule: StreamRule
    ) -> (StreamValue?, JumpState?) {
        let last = previous.aggregate(key)
        let state = previous.jump(key)
        // While a value is carried, the guard's reference and the carried value are the same.
        let reference = last ?? state?.reference
        switch fresh {
        case .failure(let failure):
            note(.missing(key, failure))
            if let carried = carried(last, rule) { return (carried, nil) }
            let memory = rule.jumpLimit == nil ? nil : reference
            return (nil, memory.map { JumpState(key: key, reference: $0) })
        case .success(let value):
            let verdict = JumpGuard.judge(value, key: key, reference: reference, state: state, limit: rule.jumpLimit)
            if case .hold(let watched) = verdict {
                note(.missing(key, .jumpHeld))
                return (carried(last, rule), watched)
            }
            // A timestamped value is replaced only by a later one: its time never goes back within an instance.
            if let kept = carried(last, rule), case .timestamped(let old) = kept, case .timestamped(let new) = value,
                new.observedAtNanoseconds <= old.observedAtNanoseconds
            {
                return (kept, nil)
            }
            return (value, nil)
        }
    }

    /// The last value when it may stand for a round that has none: timestamped ones only, never re-stamped.
    private func carried(_ last: StreamValue?, _ rule: StreamRule) -> StreamValue? {
        if rule.carries, case .timestamped = last { last } else { nil }
    }

    private mutating func calculate(_ channels: [Channel]) {
        var calculated: [Aggregate] = []
        let outcome = next
        for channel in channels where channel.isLive {
            for stream in channel.options.calculated {
                let key = AggregateKey(stream.streamID, .calculated)
                let value = stream.expression.value { id in
                    channel.observed.first { $0.streamID == id }.flatMap(outcome.aggregate)
                }
                if let value {
                    calculated.append(Aggregate(key, .decimal(value)))
                } else {
                    note(.missing(key, .notCalculable))
                }
            }
        }
        guard !calculated.isEmpty else { return }
        next.aggregates = (next.aggregates + calculated).sorted { $0.key < $1.key }
    }
}

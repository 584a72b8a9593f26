// The checked observations of one round and the time they agree on; values of one kind from those who may give it.

import CCIP
import Ethereum

struct Round {
    struct Voice {
        let observer: Int
        let observation: CommitObservation
    }

    let configuration: CommitConfiguration
    let sequenceNumber: UInt64
    let previous: CommitOutcome
    let voices: [Voice]
    /// Median of the observers' clocks, milliseconds since 1970.
    let now: UInt64

    /// Throws `tooFewObservations`.
    init(
        configuration: CommitConfiguration, sequenceNumber: UInt64, previous: CommitOutcome, voices: [Voice]
    ) throws(CommittingError) {
        let times = voices.map(\.observation.timestamp)
        guard let now = Consensus.median(times, minimum: configuration.observationQuorum) else {
            throw CommittingError(
                .tooFewObservations, "\(voices.count) observations",
                hint: "an outcome needs \(configuration.observationQuorum)")
        }
        self.configuration = configuration
        self.sequenceNumber = sequenceNumber
        self.previous = previous
        self.voices = voices
        self.now = now
    }

    /// The time of the destination's blocks, in its own seconds: an order statistic that honest readers bound. Nil
    /// while too few tell it. It has nothing to do with `now`: a chain's clock may stand years off.
    var destinationNow: UInt64? {
        let readers = configuration.destinationReaders
        return Consensus.ranked(
            values(from: readers, \.destinationTime), rank: readers.faulty, minimum: readers.majority)
    }

    /// What the readers of a chain said; others are not heard (1.5).
    func values<Value>(from readers: ChainReaders, _ read: (CommitObservation) -> Value?) -> [Value] {
        voices.compactMap { readers.contains($0.observer) ? read($0.observation) : nil }
    }

    /// Whether `duration` has passed since an agreed time. A clock that went far back also ends the wait: it would
    /// never end otherwise.
    func hasPassed(_ duration: UInt64, since: UInt64) -> Bool {
        now >= since ? now - since >= duration : since - now >= duration
    }
}

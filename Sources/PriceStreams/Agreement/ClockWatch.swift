// Whether an oracle's clock is fit to vote by (4.2, rule 5): rounds tell how far it is from the others' median, and a clock
// that is too far keeps silent. A value: whoever owns it reads the clocks.

/// What a machine's two clocks show at one moment, in nanoseconds.
package struct ClockReading: Equatable, Sendable {
    /// Since 1970; people set it.
    package let wall: UInt64
    /// Since some moment of this process; nobody sets it.
    package let steady: UInt64

    package init(wall: UInt64, steady: UInt64) {
        self.wall = wall
        self.steady = steady
    }
}

package struct ClockWatch: Sendable {
    /// An oracle whose clock is further off does not vote.
    package static let skewNanosecondsMaximum: UInt64 = 1_000_000_000

    /// The round that is being observed, and when its observation was made.
    private var observing: (sequenceNumber: UInt64, at: ClockReading)?
    private var measured: (skew: Int128, at: ClockReading)?

    package init() {}

    /// Also while this oracle keeps silent: what the others agree on tells it when to speak again.
    package mutating func observe(_ sequenceNumber: UInt64, at reading: ClockReading) {
        observing = (sequenceNumber, reading)
    }

    /// - Parameter median: of the clocks of the round, in nanoseconds since 1970.
    package mutating func committed(_ sequenceNumber: UInt64, median: UInt64) {
        guard let observing, observing.sequenceNumber == sequenceNumber else { return }
        measured = (Int128(observing.at.wall) - Int128(median), observing.at)
    }

    /// What the clock is ahead of the others' median, negative when behind; 0 before the first round. A clock that was set
    /// since the last round has moved against the steady one by just that much, so that oracles whose clocks were wrong
    /// together vote again once they are right, without a round that nobody could make.
    package func skewNanoseconds(at now: ClockReading) -> Int64 {
        guard let measured else { return 0 }
        let moved = (Int128(now.wall) - Int128(measured.at.wall)) - (Int128(now.steady) - Int128(measured.at.steady))
        return Int64(clamping: measured.skew + moved)
    }

    package func isFit(at now: ClockReading) -> Bool {
        skewNanoseconds(at: now).magnitude <= Self.skewNanosecondsMaximum
    }
}

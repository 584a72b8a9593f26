// Random walks that are a function of seed and time alone: nothing is carried from step to step, so an oracle that was
// killed comes back to the same prices as the others. Integers only. Pure.

/// SplitMix64 (Steele, Lea, Flood 2014) as a hash. Not for secrets.
struct SeededNoise: Sendable, Equatable {
    let key: UInt64

    init(_ key: UInt64) { self.key = key }

    /// Another source of numbers, named by a text.
    func named(_ name: String) -> SeededNoise {
        var mixed = key
        for byte in name.utf8 { mixed = SeededNoise(mixed)[UInt64(byte)] }
        return SeededNoise(mixed)
    }

    subscript(index: UInt64) -> UInt64 {
        var z = key &+ (index &+ 1) &* 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Nearly a normal deviate, in millionths: four uniform numbers of 16 bits, at most 3.5 deviations out.
    func normal(_ index: UInt64) -> Int64 {
        let bits = self[index]
        let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + bits >> 48
        return (Int64(sum) - 131_070) * 1_000_000 / 37_837
    }

    /// From -limit to limit.
    func uniform(_ index: UInt64, _ limit: UInt64) -> Int64 {
        limit == 0 ? 0 : Int64(self[index] % (2 * limit + 1)) - Int64(limit)
    }
}

/// A Brownian bridge over 19 days, built from its hat functions (Lévy's construction): neighbours of 50 ms differ by a
/// normal deviate of the wanted size, and the walk is back at zero at the end of each period, so no price runs away.
struct SeededWalk: Sendable, Equatable {
    static let stepNanoseconds: UInt64 = 50_000_000
    private static let levels = 25
    /// sqrt(2^level) / 2 in millionths.
    private static let amplitudes: [Int64] = (0...levels).map { level in
        Int64(squareRoot(UInt64(1_000_000_000_000) << UInt64(level)) / 2)
    }

    private let noise: SeededNoise

    init(_ noise: SeededNoise) { self.noise = noise }

    /// In the unit of `deviation`, which is that of one step.
    func value(at nanoseconds: UInt64, deviation: Int64) -> Int64 {
        let index = nanoseconds / Self.stepNanoseconds
        var sum: Int64 = 0
        for level in 1...Self.levels {
            let half = UInt64(1) << UInt64(level - 1)
            let position = index & (2 * half - 1)
            guard position != 0 else { continue }
            let hat = position <= half ? position : 2 * half - position
            // The level stands in the upper bits, where no node number reaches.
            let deviate = noise.normal(UInt64(level) << 56 | index >> UInt64(level))
            let height = deviation * deviate / 1_000_000 * Self.amplitudes[level] / 1_000_000
            sum += Int64(truncatingIfNeeded: (Int128(height) * Int128(hat)) >> Int128(level - 1))
        }
        return sum
    }

    /// The deviation of one step, in millionths of millionths, of a volatility per year in thousand-millionths.
    static func deviation(volatility: UInt64) -> Int64 {
        // Square roots of a step, and of a year of 365.25 days, in nanoseconds.
        Int64(volatility) * 1_000 * Int64(squareRoot(stepNanoseconds)) / 177_644_589
    }
}

/// The integer square root.
func squareRoot(_ value: UInt64) -> UInt64 {
    guard value > 1 else { return value }
    var guess = UInt64(1) << UInt64((65 - value.leadingZeroBitCount) / 2 + 1)
    while true {
        let next = (guess + value / guess) / 2
        guard next < guess else { return guess }
        guess = next
    }
}

/// e^x; both in millionths of millionths. Arguments beyond ±3 count as ±3.
func exponential(_ x: Int64) -> Int64 {
    let unit: Int128 = 1_000_000_000_000
    let x = Int128(max(-3_000_000_000_000, min(3_000_000_000_000, x)))
    var term = unit
    var sum = unit
    for n in Int128(1)...40 {
        term = term * x / (n * unit)
        if term == 0 { break }
        sum += term
    }
    return Int64(sum)
}

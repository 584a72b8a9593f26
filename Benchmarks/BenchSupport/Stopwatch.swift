// How the benchmarks measure: the best of many repetitions, which is what code can do when nothing steals the core.

package enum Stopwatch {
    /// The least time of one `body` in nanoseconds, found within about `milliseconds`. Short bodies are timed in
    /// batches, so that reading the clock does not count.
    @inlinable
    package static func best(milliseconds: Int, _ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        let first = nanoseconds(try clock.measure(body))
        let batch = max(1, min(1000, Int(20_000 / max(first, 1))))
        let end = clock.now + .milliseconds(milliseconds)
        var least = Double.infinity
        var rounds = 0
        while rounds < 3 || clock.now < end {
            let time = try clock.measure { for _ in 0..<batch { try body() } }
            least = min(least, nanoseconds(time) / Double(batch))
            rounds += 1
        }
        return least
    }

    /// The time of one `body` in seconds.
    @inlinable
    package static func seconds(_ body: () throws -> Void) rethrows -> Double {
        nanoseconds(try ContinuousClock().measure(body)) / 1e9
    }

    /// As above, of a body that waits.
    @inlinable
    package static func seconds(_ body: () async throws -> Void) async rethrows -> Double {
        nanoseconds(try await ContinuousClock().measure(body)) / 1e9
    }

    @usableFromInline
    static func nanoseconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) * 1e9 + Double(duration.components.attoseconds) / 1e9
    }
}

extension Double {
    /// With so many digits behind the point.
    package func rounded(to digits: Int) -> Double {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        return (self * scale).rounded() / scale
    }
}

// When an oracle's clock is fit to vote by.

import PriceStreams
import Testing

@Suite("The clock of an oracle")
struct ClockWatchTests {
    private let second: UInt64 = 1_000_000_000
    private let start: UInt64 = 1_800_000_000_000_000_000

    /// Both clocks after `seconds`, the wall clock set ahead by `ahead`.
    private func reading(_ seconds: UInt64, ahead: Int64 = 0) -> ClockReading {
        ClockReading(wall: start + seconds * second + UInt64(ahead + 1_000) * second - 1_000 * second, steady: seconds * second)
    }

    /// Found to be so many seconds ahead in round 7, ten seconds after the start.
    private func watch(ahead: Int64) -> ClockWatch {
        var watch = ClockWatch()
        watch.observe(7, at: reading(10, ahead: ahead))
        watch.committed(7, median: start + 10 * second)
        return watch
    }

    @Test("before the first round nothing is known against it")
    func unknown() {
        #expect(ClockWatch().isFit(at: reading(0)) && ClockWatch().skewNanoseconds(at: reading(0)) == 0)
    }

    @Test("a clock more than a second off keeps silent, ahead or behind", arguments: [-300, -2, -1, 0, 1, 2, 300] as [Int64])
    func limit(ahead: Int64) {
        let watch = watch(ahead: ahead)
        #expect(watch.skewNanoseconds(at: reading(60, ahead: ahead)) == ahead * Int64(second))
        #expect(watch.isFit(at: reading(60, ahead: ahead)) == (ahead.magnitude <= 1))
    }

    @Test("once it is set right it votes again, without a round", arguments: [-300, 300] as [Int64])
    func setRight(ahead: Int64) {
        let watch = watch(ahead: ahead)
        #expect(!watch.isFit(at: reading(20, ahead: ahead)))
        #expect(watch.isFit(at: reading(21)) && watch.skewNanoseconds(at: reading(21)) == 0)
    }

    @Test("a good clock that is set wrong keeps silent before it has voted once")
    func setWrong() {
        let watch = watch(ahead: 0)
        #expect(watch.isFit(at: reading(20)))
        #expect(!watch.isFit(at: reading(20, ahead: 5)))
    }

    @Test("a round that it did not observe says nothing of its clock; a later one that it did says it anew")
    func rounds() {
        var watch = watch(ahead: 300)
        watch.committed(8, median: start)
        #expect(!watch.isFit(at: reading(20, ahead: 300)))
        watch.observe(9, at: reading(30))
        watch.committed(9, median: start + 30 * second)
        #expect(watch.isFit(at: reading(31)))
    }
}

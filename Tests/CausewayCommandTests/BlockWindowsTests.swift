import Testing

@testable import causeway

@Suite("windows of blocks")
struct BlockWindowsTests {
    /// Without gaps or overlap, in order.
    private func isWhole(_ windows: [ClosedRange<UInt64>], _ low: UInt64, _ high: UInt64) -> Bool {
        let sorted = windows.sorted { $0.lowerBound < $1.lowerBound }
        guard sorted.first?.lowerBound == low, sorted.last?.upperBound == high else { return false }
        return zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound + 1 == $1.lowerBound }
            && windows.allSatisfy { $0.upperBound - $0.lowerBound < CommandLimits.logWindowBlocks }
    }

    @Test("going down covers everything from the head to the start")
    func down() {
        let windows = BlockWindows.down(from: 10_000, to: 3, atMost: 1_000_000)
        #expect(isWhole(windows, 3, 10_000) && windows.first?.upperBound == 10_000)
        #expect(BlockWindows.down(from: 0, to: 0, atMost: 5) == [0...0])
        #expect(BlockWindows.down(from: 2, to: 3, atMost: 5).isEmpty)
        #expect(BlockWindows.down(from: 9, to: 3, atMost: 0).isEmpty)
    }

    @Test("going up covers everything from the start to the head")
    func up() {
        let windows = BlockWindows.up(from: 3, to: 10_000, atMost: 1_000_000)
        #expect(isWhole(windows, 3, 10_000) && windows.first?.lowerBound == 3)
        #expect(BlockWindows.up(from: 4, to: 3, atMost: 5).isEmpty)
    }

    @Test("no more blocks than allowed", arguments: [1, 7, 2_000, 2_001, 5_000] as [UInt64])
    func bounded(_ most: UInt64) {
        #expect(isWhole(BlockWindows.down(from: 100_000, to: 0, atMost: most), 100_000 - most + 1, 100_000))
        #expect(isWhole(BlockWindows.up(from: 50, to: 100_000, atMost: most), 50, 50 + most - 1))
    }

    @Test("the ends of the number space do not overflow")
    func ends() {
        #expect(BlockWindows.down(from: .max, to: .max - 1, atMost: .max) == [UInt64.max - 1...UInt64.max])
        #expect(BlockWindows.up(from: .max - 1, to: .max, atMost: .max) == [UInt64.max - 1...UInt64.max])
    }
}

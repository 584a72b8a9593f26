// The map under the states against a dictionary, and its copies against time.

import DevChain
import Ethereum
import TestSupport
import Testing

@Suite("Persistent map")
struct PersistentMapTests {
    /// A key of which many share all bits that the map looks at.
    private struct Clashing: SpreadKey, Hashable {
        let value: Int
        var spread: UInt64 { UInt64(value % 7) << 40 }
    }

    @Test("it holds what a dictionary holds, and earlier copies never change")
    func againstDictionary() {
        var random = SplitMix64.forTest()
        var map = PersistentMap<Clashing, Int>()
        var plain: [Clashing: Int] = [:]
        var copies: [(map: PersistentMap<Clashing, Int>, plain: [Clashing: Int])] = []
        for step in 0..<5000 {
            let key = Clashing(value: random.below(300))
            if random.below(3) == 0 {
                map[key] = nil
                plain[key] = nil
            } else {
                map[key] = step
                plain[key] = step
            }
            if step % 500 == 0 { copies.append((map, plain)) }
        }
        copies.append((map, plain))
        for copy in copies {
            #expect(copy.map.count == copy.plain.count)
            for value in 0..<300 {
                let key = Clashing(value: value)
                #expect(copy.map[key] == copy.plain[key])
            }
        }
    }

    @Test("addresses that were put in are found, others are not, and all can be taken out")
    func addresses() {
        var random = SplitMix64.forTest()
        let keys = (0..<3000).map { _ in random.address() }
        var map = PersistentMap<Address, Int>()
        for (index, key) in keys.enumerated() { map[key] = index }
        #expect(keys.enumerated().allSatisfy { map[$0.element] == $0.offset })
        #expect(map[random.address()] == nil)
        for key in keys { map[key] = nil }
        #expect(map.isEmpty && map.count == 0)
    }
}

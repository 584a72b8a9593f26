// Batches of signed reports on their way from an oracle to a gateway.

import Ethereum
@testable import StreamsNode
import TestSupport
import Testing

@Suite("Batches of reports")
struct BatchTests {
    @Test("a batch survives the way there and back, and what is none is refused")
    func roundTrip() {
        var random = SplitMix64(seed: 3)
        let items = (0..<50).map { _ in
            ReportBatch.Item(
                fullReport: (0..<Int.random(in: 1...900, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) },
                observationsTimestampNanoseconds: random.next())
        }
        let batch = ReportBatch(items)
        #expect(ReportBatch(encoded: batch.encoded) == batch)
        #expect(ReportBatch(encoded: []) == ReportBatch([]))
        #expect(ReportBatch(encoded: Array(batch.encoded.dropLast())) == nil)
        #expect(ReportBatch(encoded: Bytes(repeating: 0xff, count: 20)) == nil)
        let many = ReportBatch((0...Limits.batchReportsMaximum).map { _ in items[0] })
        #expect(ReportBatch(encoded: many.encoded) == nil, "more reports than a round has")
    }
}

// The signed reports of one round on their way from an oracle to a gateway: bytes in, bytes out.

import Ethereum
import Foundation
import SwiftProtobuf

package struct ReportBatch: Equatable, Sendable {
    package struct Item: Equatable, Sendable {
        package var fullReport: Bytes
        package var observationsTimestampNanoseconds: UInt64

        package init(fullReport: Bytes, observationsTimestampNanoseconds: UInt64) {
            self.fullReport = fullReport
            self.observationsTimestampNanoseconds = observationsTimestampNanoseconds
        }
    }

    /// The channel of the mesh on which batches travel.
    package static let channel = Bytes("reports/1".utf8)

    package var items: [Item]

    package init(_ items: [Item]) { self.items = items }

    package var encoded: Bytes {
        var message = Causeway_Streams_V1_SignedReports()
        message.reports = items.map { item in
            var report = Causeway_Streams_V1_SignedReport()
            report.fullReport = Data(item.fullReport)
            report.observationsTimestampNanoseconds = item.observationsTimestampNanoseconds
            return report
        }
        do { return try message.serializedBytes() } catch {
            preconditionFailure("a batch of bounded size can always be written: \(error)")
        }
    }

    /// Nil for bytes that are no batch, or one above the bounds.
    package init?(encoded bytes: Bytes) {
        guard bytes.count <= Limits.batchBytesMaximum,
            let message = try? Causeway_Streams_V1_SignedReports(serializedBytes: bytes),
            message.reports.count <= Limits.batchReportsMaximum
        else { return nil }
        items = message.reports.map {
            Item(fullReport: Bytes($0.fullReport), observationsTimestampNanoseconds: $0.observationsTimestampNanoseconds)
        }
    }
}

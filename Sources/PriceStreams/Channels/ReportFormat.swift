// The numbers and names of report formats (5.1). A number that this build does not know survives a round trip.

package struct ReportFormat: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let premiumLegacy = ReportFormat(rawValue: 1)
    package static let json = ReportFormat(rawValue: 2)
    package static let retirement = ReportFormat(rawValue: 3)
    package static let unpacked = ReportFormat(rawValue: 4)
    package static let capabilityTrigger = ReportFormat(rawValue: 5)
    package static let streamlined = ReportFormat(rawValue: 6)
    package static let unpackedExpression = ReportFormat(rawValue: 7)
    package static let historyBackfill = ReportFormat(rawValue: 8)

    private static let names: [(UInt32, String)] = [
        (1, "evm_premium_legacy"), (2, "json"), (3, "retirement"), (4, "evm_abi_encode_unpacked"),
        (5, "capability_trigger"), (6, "evm_streamlined"), (7, "evm_abi_encode_unpacked_expr"), (8, "history_backfill"),
    ]

    package init?(name: String) {
        guard let found = ReportFormat.names.first(where: { $0.1 == name }) else { return nil }
        rawValue = found.0
    }

    package var description: String {
        ReportFormat.names.first { $0.0 == rawValue }?.1 ?? String(rawValue)
    }
}

/// The unit of a report's header times (5.7.3).
package enum TimeResolution: String, Hashable, Sendable {
    case seconds = "s"
    case milliseconds = "ms"
    case microseconds = "us"
    case nanoseconds = "ns"

    package var nanoseconds: UInt64 {
        switch self {
        case .seconds: 1_000_000_000
        case .milliseconds: 1_000_000
        case .microseconds: 1_000
        case .nanoseconds: 1
        }
    }
}

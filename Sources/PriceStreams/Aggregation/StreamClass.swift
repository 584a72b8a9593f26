// Classes of observed values, and the rules that a stream of each class has unless told otherwise (12.5 of the price
// specification).

/// What the value is about; sets how old a source may be and how far a value may jump (12.5 of the price specification).
package enum StreamClass: String, Sendable, CaseIterable {
    case crypto, currency, commodity, equity, exchangeRate, netAssetValue, status, number

    /// Age at which a source's value is not used any more, in nanoseconds.
    package var sourceAgeMaximum: UInt64 {
        let second: UInt64 = 1_000_000_000
        return switch self {
        case .crypto: 2 * second
        case .currency, .commodity: 5 * second
        case .equity: 10 * second
        case .exchangeRate: 3_600 * second
        case .netAssetValue: 36 * 3_600 * second
        case .status: 30 * second
        case .number: 60 * second
        }
    }

    /// Thousand-millionths by which a round may differ unconfirmed; nil is no guard.
    package var jumpLimit: UInt64? {
        switch self {
        case .crypto, .currency, .commodity, .exchangeRate: 100_000_000
        case .equity, .netAssetValue: 200_000_000
        case .status, .number: nil
        }
    }

    /// Sources of one oracle that must speak: three where there are many venues, one where there may be only one.
    package var sourcesMinimum: Int { self == .crypto ? 3 : 1 }

    package var isPrice: Bool { self != .status && self != .number }
}

extension StreamRule {
    /// What a stream of this class has where its file says nothing else.
    package init(streamID: StreamID, class streamClass: StreamClass) {
        self.init(streamID: streamID, positiveOnly: streamClass.isPrice, jumpLimit: streamClass.jumpLimit)
    }
}

// How many blocks the next log query asks for. A value: no wire, no clock.

/// Halves when a query fails, doubles when it goes well, and does not run into the same refusal again and again.
struct LogWindow: Sendable, Equatable {
    let maximum: UInt64
    private(set) var size: UInt64
    /// The smallest size that was refused, and the successes that are still wanted before it is tried again.
    private var refused: UInt64?
    private var patience = 0

    init(maximum: UInt64) {
        self.maximum = max(1, maximum)
        size = self.maximum
    }

    func range(from first: UInt64, upTo last: UInt64) -> ClosedRange<UInt64> {
        let (end, overflow) = first.addingReportingOverflow(size - 1)
        return first...(overflow ? last : min(last, end))
    }

    mutating func succeeded() {
        if patience > 0 { patience -= 1 }
        if patience == 0 { refused = nil }
        let ceiling = refused.map { max(1, $0 - 1) } ?? maximum
        let (doubled, overflow) = size.multipliedReportingOverflow(by: 2)
        size = max(1, min(overflow ? .max : doubled, ceiling, maximum))
    }

    /// A query over `count` blocks failed. False when it cannot be made smaller. `isRefusal`: the endpoint wants
    /// less, and will want less tomorrow; other failures only make the next query smaller.
    mutating func failed(_ count: UInt64, isRefusal: Bool) -> Bool {
        guard count > 1 else { return false }
        if isRefusal {
            refused = min(refused ?? .max, count)
            patience = Limits.windowPatience
        }
        size = max(1, min(size, count) / 2)
        return true
    }
}

extension ChainAccessError {
    /// The endpoint itself answered, and did not like the question.
    var isRefusedQuestion: Bool {
        switch code {
        case .tooManyResults, .timeout: true
        // HTTP 400, 413 and the like; invalid parameters.
        case .unreachable, .remote: isLasting
        default: false
        }
    }

    /// A smaller log query may be answered although this one was not.
    var mayBeTooMuch: Bool {
        switch code {
        case .reverted, .wrongChainID, .noEndpoint, .cancelled, .disagreement: false
        default: true
        }
    }
}

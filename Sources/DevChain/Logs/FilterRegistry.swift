// The filters that callers poll (eth_newFilter and its kin): what each has not told yet. A value: events and time come
// in.

import Ethereum

package struct FilterRegistry: Sendable {
    package enum Kind: Sendable {
        case blocks
        case pendingTransactions
        case logs(LogFilter)
    }

    package enum Change: Sendable {
        case hash(Hash32)
        case log(LogEntry, removed: Bool)
    }

    fileprivate struct Installed: Sendable {
        let kind: Kind
        var polledAt: UInt64
        var changes: [Change] = []
        /// True when changes were let go because nobody asked for them.
        var hasLost = false
    }

    private var filters: [UInt64: Installed] = [:]
    private var lastID: UInt64 = 0

    package init() {}

    package var count: Int { filters.count }

    /// Installs a filter; its id. Filters that nobody polled for long make room first.
    package mutating func install(_ kind: Kind, at seconds: UInt64) throws(DevChainError) -> UInt64 {
        if filters.count >= Limits.filtersMaximum { expire(at: seconds) }
        guard filters.count < Limits.filtersMaximum else {
            throw DevChainError(
                .limitExceeded, "\(filters.count) filters are installed; uninstall some with eth_uninstallFilter")
        }
        lastID += 1
        filters[lastID] = Installed(kind: kind, polledAt: seconds)
        return lastID
    }

    /// False when there was no such filter.
    package mutating func uninstall(_ id: UInt64) -> Bool { filters.removeValue(forKey: id) != nil }

    package func kind(_ id: UInt64) -> Kind? { filters[id]?.kind }

    /// What happened since the last poll; nil for an unknown filter. Throws, once, when changes were lost.
    package mutating func poll(_ id: UInt64, at seconds: UInt64) throws(DevChainError) -> [Change]? {
        expire(at: seconds)
        guard var filter = filters[id] else { return nil }
        let (changes, hasLost) = (filter.changes, filter.hasLost)
        filter.changes = []
        filter.hasLost = false
        filter.polledAt = seconds
        filters[id] = filter
        if hasLost {
            throw DevChainError(
                .limitExceeded,
                "more than \(Limits.filterChangesMaximum) changes came since the last poll and were let go; read them "
                    + "with eth_getLogs, and poll more often")
        }
        return changes
    }

    private mutating func expire(at seconds: UInt64) {
        let old = filters.filter { $0.value.polledAt + Limits.filterSecondsMaximum < seconds }.keys
        for id in old { filters[id] = nil }
    }

    /// Tells every filter what the chain did.
    package mutating func apply(_ events: [ChainEvent]) {
        guard !filters.isEmpty, !events.isEmpty else { return }
        for id in Array(filters.keys) {
            for event in events { filters[id]?.take(event) }
        }
    }
}

extension FilterRegistry.Installed {
    fileprivate mutating func take(_ event: ChainEvent) {
        guard !hasLost else { return }
        switch (kind, event) {
        case (.blocks, .added(let block)): changes.append(.hash(block.hash))
        case (.pendingTransactions, .pending(let transaction)): changes.append(.hash(transaction.hash))
        case (.logs(let filter), .added(let block)) where filter.covers(block.number):
            changes += filter.logs(of: block).map { .log($0, removed: false) }
        case (.logs(let filter), .removed(let block)) where filter.covers(block.number):
            changes += filter.logs(of: block).reversed().map { .log($0, removed: true) }
        default: break
        }
        if changes.count > Limits.filterChangesMaximum {
            changes = []
            hasLost = true
        }
    }
}

extension LogFilter {
    /// False for a block outside of the numbers that the filter names.
    fileprivate func covers(_ number: UInt64) -> Bool {
        guard case .range(let from, let to) = blocks else { return false }
        if case .number(let first) = from, number < first { return false }
        if case .number(let last) = to, number > last { return false }
        return true
    }
}

// What must have been seen of a lane by now, by the contracts' own counters, and was not. Pure: who reads the
// counters and who looks again is LaneAuditor.

import CCIP
import Storage

/// Logs of one lane that no endpoint has shown although the contracts say that they are there (5.4).
package struct MissingLogs: Sendable, Equatable, CustomStringConvertible {
    /// In the order in which they hold a lane back.
    package enum Kind: String, Sendable, Comparable {
        case message, root, execution

        private var rank: Int {
            switch self {
            case .message: 0
            case .root: 1
            case .execution: 2
            }
        }

        package static func < (a: Kind, b: Kind) -> Bool { a.rank < b.rank }
    }

    package var kind: Kind
    /// Sequence numbers, ascending.
    package var ranges: [ClosedRange<UInt64>]
    /// Monotonic milliseconds.
    package var sinceMilliseconds: UInt64
    /// Times that the blocks were read again in vain.
    package var failedReadings: Int

    package var description: String {
        let numbers = ranges.prefix(3).map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        let more = ranges.count > 3 ? " and more" : ""
        return "the log of \(kind.rawValue) \(numbers.joined(separator: ", "))\(more) is missing,"
            + " read again \(failedReadings) times"
    }
}

enum LaneAudit {
    /// Messages that matter and are not known: those under open roots, and those from the OffRamp's next number up to
    /// the OnRamp's last. Ascending; at most `Limits.auditNumbersMaximum` numbers are looked at.
    /// - Parameters:
    /// - minimum: `minSeqNr` of the OffRamp.
    /// - expectedNext: `getExpectedNextSequenceNumber` of the OnRamp.
    static func missingMessages(
        _ lane: MessageBook.Lane, minimum: UInt64, expectedNext: UInt64
    ) -> [ClosedRange<UInt64>] {
        var missing: [UInt64] = []
        for entry in lane.roots {
            for number in entry.root.first.rawValue...max(entry.root.first.rawValue, entry.root.last.rawValue)
            where lane.messages[number] == nil && lane.refused[number] == nil {
                missing.append(number)
                if missing.count >= Limits.auditNumbersMaximum { return ranges(missing) }
            }
        }
        let first = max(minimum, lane.lastRetired + 1, 1)
        guard first < expectedNext else { return ranges(missing) }
        let last = min(expectedNext - 1, first + UInt64(Limits.auditNumbersMaximum) - 1)
        for number in first...last where !lane.isSeen(number) && lane.refused[number] == nil {
            missing.append(number)
        }
        return ranges(missing)
    }

    /// Numbers below the OffRamp's next one that no known root covers, from `next` on. `next` moves over what is
    /// covered; at most `Limits.auditRootsMaximum` roots are walked in one go.
    static func missingRoot(
        next: inout UInt64, minimum: UInt64, covering: (UInt64) throws -> ClosedRange<UInt64>?
    ) rethrows -> ClosedRange<UInt64>? {
        for _ in 0..<Limits.auditRootsMaximum {
            guard next < minimum else { return nil }
            guard let range = try covering(next) else { return next...minimum - 1 }
            next = max(next, range.upperBound) + 1
        }
        return nil
    }

    /// Messages under final roots that nobody has seen executed: what the OffRamp is asked about.
    static func unexecuted(_ lane: MessageBook.Lane) -> [UInt64] {
        var numbers: [UInt64] = []
        for entry in lane.roots {
            for number in entry.root.first.rawValue...max(entry.root.first.rawValue, entry.root.last.rawValue) {
                let known = lane.tentative.last { $0.number == number } ?? lane.executions[number]
                guard known?.state.isTouched != true, lane.messages[number] != nil else { continue }
                numbers.append(number)
                if numbers.count >= Limits.auditStatesMaximum { return numbers }
            }
        }
        return numbers
    }

    /// Executions that happened at or below a finalized block and whose logs did not come.
    static func missingExecutions(_ lane: MessageBook.Lane, finalized: UInt64) -> [ClosedRange<UInt64>] {
        ranges(
            lane.learned.values.filter { $0.place.block <= finalized && lane.executions[$0.number] == nil }
                .map(\.number))
    }

    static func ranges(_ numbers: [UInt64]) -> [ClosedRange<UInt64>] {
        var ranges: [ClosedRange<UInt64>] = []
        for number in numbers.sorted() {
            if let last = ranges.last, last.upperBound + 1 >= number {
                ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, number)
            } else {
                ranges.append(number...number)
            }
        }
        return ranges
    }
}

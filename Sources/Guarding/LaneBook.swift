// The messages of one lane as the guard knows them, and the leaves that it has signed. A value; bounded on both sides.

import CCIP
import Ethereum

struct LaneBook: Sendable {
    enum Addition: Equatable {
        case new
        case known
        /// Another leaf or id under a number that we have.
        case contradicts(DerivedMessage)
        /// Numbers between the last one and this one are missing.
        case gap(after: UInt64)
    }

    private var messages: [UInt64: DerivedMessage] = [:]
    private var signed: [UInt64: Hash32] = [:]
    /// Lowest number held; meaningless while empty.
    private var lowest: UInt64 = 0
    /// Highest number such that no number between `lowest` and it is missing; 0 for none.
    private(set) var last: UInt64 = 0
    private var signedLowest: UInt64 = 0
    private var signedLast: UInt64 = 0

    var isEmpty: Bool { messages.isEmpty }
    func message(_ number: UInt64) -> DerivedMessage? { messages[number] }
    /// True when the number was there once, or lies before what this guard has ever read.
    func isForgotten(_ number: UInt64) -> Bool { !messages.isEmpty && number < lowest }

    /// In the order of numbers. What is no addition changes nothing.
    mutating func add(_ message: DerivedMessage) -> Addition {
        if let known = messages[message.number] {
            return known.leaf == message.leaf && known.messageID == message.messageID ? .known : .contradicts(known)
        }
        if isForgotten(message.number) { return .known }
        if messages.isEmpty {
            lowest = message.number
        } else if message.number != last + 1 {
            return .gap(after: last)
        }
        messages[message.number] = message
        last = message.number
        while messages.count > Limits.messagesPerLaneMaximum {
            messages[lowest] = nil
            lowest += 1
        }
        return .new
    }

    /// Nil unless all are here.
    func messages(_ range: SequenceRange) -> [DerivedMessage]? {
        guard UInt64(range.count) <= Limits.rootMessagesMaximum else { return nil }
        var found: [DerivedMessage] = []
        for number in range.first.rawValue...range.last.rawValue {
            guard let message = messages[number] else { return nil }
            found.append(message)
        }
        return found
    }

    // MARK: Signed leaves

    /// False when another leaf was signed, or when what was signed under this number may be forgotten.
    func maySign(_ record: GuardRecord) -> Bool {
        if let leaf = signed[record.number] { return leaf == record.leaf }
        return signed.isEmpty || record.number >= signedLowest
    }

    func isSigned(_ record: GuardRecord) -> Bool { signed[record.number] == record.leaf }

    mutating func sign(_ record: GuardRecord) {
        precondition(maySign(record), "a second leaf for number \(record.number) of lane \(record.lane)")
        guard signed[record.number] == nil else { return }
        signedLowest = signed.isEmpty ? record.number : min(signedLowest, record.number)
        signedLast = max(signedLast, record.number)
        signed[record.number] = record.leaf
        while signed.count > Limits.messagesPerLaneMaximum {
            signed[signedLowest] = nil
            repeat { signedLowest += 1 } while signed[signedLowest] == nil && signedLowest < signedLast
        }
    }
}

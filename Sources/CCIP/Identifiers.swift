// The strong names of CCIP: what must never be mixed up. No chain is known here, see Chains/ChainRegistry.swift.

import Ethereum

/// Names a chain in CCIP; no function of its chain id. Always unsigned 64 bits, a string in JSON.
package struct ChainSelector: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible,
    ExpressibleByIntegerLiteral
{
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    package init(integerLiteral value: UInt64) { rawValue = value }

    package static func < (a: ChainSelector, b: ChainSelector) -> Bool { a.rawValue < b.rawValue }
    package var description: String { String(rawValue) }

    /// The 16 bytes under which RMNRemote curses this chain (17.1): eight zeros, then the selector, big-endian.
    package var curseSubject: Bytes { Bytes(repeating: 0, count: 8) + Bytes(bigEndian: rawValue) }
}

/// Numbers the messages of one lane without gaps, from 1.
package struct SequenceNumber: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible,
    ExpressibleByIntegerLiteral
{
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    package init(integerLiteral value: UInt64) { rawValue = value }

    package static func < (a: SequenceNumber, b: SequenceNumber) -> Bool { a.rawValue < b.rawValue }
    package var description: String { String(rawValue) }
    /// The number after this one; nil after the last.
    package var next: SequenceNumber? { rawValue == .max ? nil : SequenceNumber(rawValue + 1) }
}

/// The 32 bytes that name a message for users; not the Merkle leaf (8.1, 8.2).
package struct MessageID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let hash: Hash32
    package init(_ hash: Hash32) { self.hash = hash }
    package init(hex: some StringProtocol) throws(EthereumError) { hash = try Hash32(hex: hex) }

    package static func < (a: MessageID, b: MessageID) -> Bool { a.hash < b.hash }
    package var description: String { hash.hex }
    package var bytes: Bytes { hash.bytes }
    package var isZero: Bool { hash.isZero }
}

/// A closed interval of sequence numbers: `first <= last`, both at least 1.
package struct SequenceRange: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let first: SequenceNumber
    package let last: SequenceNumber

    /// Nil when empty or when it contains 0.
    package init?(first: SequenceNumber, last: SequenceNumber) {
        guard first.rawValue >= 1, first <= last else { return nil }
        self.first = first
        self.last = last
    }

    /// How many messages; saturates at `Int.max`.
    package var count: Int {
        let distance = last.rawValue - first.rawValue
        return distance >= UInt64(Int.max) ? Int.max : Int(distance) + 1
    }

    package func contains(_ number: SequenceNumber) -> Bool { first <= number && number <= last }
    package func overlaps(_ other: SequenceRange) -> Bool { first <= other.last && other.first <= last }

    /// The numbers in order. Only for ranges whose size has been checked.
    package var numbers: [SequenceNumber] {
        precondition(count <= 1 << 20, "a range of \(count) messages is not to be listed")
        return (first.rawValue...last.rawValue).map { SequenceNumber($0) }
    }

    package static func < (a: SequenceRange, b: SequenceRange) -> Bool {
        (a.first, a.last) < (b.first, b.last)
    }
    package var description: String { "\(first)...\(last)" }
}

/// Curse subjects of RMNRemote (17.1).
package enum CurseSubject {
    /// Stops every lane.
    package static let global: Bytes = [0x01] + Bytes(repeating: 0, count: 14) + [0x01]
}

/// Which of the two OCR instances of an OffRamp.
package enum PluginType: UInt8, Sendable, CaseIterable {
    case commit = 0
    case execution = 1
}

/// State of a message at the OffRamp (4.2).
package enum MessageExecutionState: UInt8, Sendable, CaseIterable {
    case untouched = 0
    case inProgress = 1
    case success = 2
    case failure = 3

    /// Nothing is left for the relayers to do: they have one attempt, and success is final.
    package var isTouched: Bool { self != .untouched }
    /// True once only a manual execution can deliver the message.
    package var needsManualExecution: Bool { self == .failure }
}

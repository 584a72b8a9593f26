// Numbers that name things inside a DON; they are never public (0.1 of the streams specification).

/// One observed value, say the mid price of a pair.
package struct StreamID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32

    @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable package init(_ rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable package static func < (a: StreamID, b: StreamID) -> Bool { a.rawValue < b.rawValue }
    package var description: String { String(rawValue) }
}

/// A list of streams with a report format; one channel makes one series of reports.
package struct ChannelID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32

    @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable package init(_ rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable package static func < (a: ChannelID, b: ChannelID) -> Bool { a.rawValue < b.rawValue }
    package var description: String { String(rawValue) }
}

func strictlyAscending<Value: Comparable>(_ values: [Value]) -> Bool {
    zip(values, values.dropFirst()).allSatisfy { $0 < $1 }
}

// The deterministic encoding of everything that is hashed, signed or stored (2.4 of the off-chain specification):
// fixed field order, big-endian integers, length-prefixed byte strings, counted lists. No protobuf here.

struct CanonicalWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func u64(_ value: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Fixed-size bytes, no length.
    mutating func digest(_ value: Digest) { bytes.append(contentsOf: value.bytes) }

    /// BE64 length, then the bytes.
    mutating func string(_ value: [UInt8]) {
        u64(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func text(_ value: String) { string(Array(value.utf8)) }
}

/// Strict reader: refuses truncation, lengths above a bound and trailing bytes.
struct CanonicalReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte() throws(OffchainReportingError) -> UInt8 {
        try take(1)[0]
    }

    mutating func u64() throws(OffchainReportingError) -> UInt64 {
        try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }

    mutating func flag() throws(OffchainReportingError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        case let other: throw malformed("a flag is 0 or 1, not \(other)")
        }
    }

    mutating func digest() throws(OffchainReportingError) -> Digest {
        guard let digest = Digest(try take(Digest.byteCount)) else { throw malformed("digest") }
        return digest
    }

    mutating func string(maximum: Int) throws(OffchainReportingError) -> [UInt8] {
        let count = try u64()
        guard count <= UInt64(maximum) else { throw malformed("\(count) bytes where at most \(maximum) are allowed") }
        return try take(Int(count))
    }

    func finish() throws(OffchainReportingError) {
        guard position == bytes.count else {
            throw OffchainReportingError(
                .recordTrailingBytes, "\(bytes.count - position) bytes follow the record at offset \(position)",
                hint: "the store was written by another version or is damaged")
        }
    }

    func malformed(_ what: String) -> OffchainReportingError {
        OffchainReportingError(
            .recordMalformed, "\(what), before offset \(position)",
            hint: "the store was written by another version or is damaged")
    }

    private mutating func take(_ count: Int) throws(OffchainReportingError) -> [UInt8] {
        guard count <= bytes.count - position else {
            throw OffchainReportingError(
                .recordTruncated, "\(count) bytes wanted at offset \(position) of \(bytes.count)",
                hint: "the store was written by another version or is damaged")
        }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }
}

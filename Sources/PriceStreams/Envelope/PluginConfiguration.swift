// The two byte strings of a configuration that the plugin itself reads: on-chain and off-chain (3.3 of the price
// specification). Both have one form; anything else is refused.

import Ethereum

/// 64 bytes: the version, which is 1, and the configuration from which this one takes over.
package struct OnchainConfiguration: Hashable, Sendable {
    /// nil for the first configuration of a DON.
    package let predecessor: Hash32?

    package init(predecessor: Hash32?) { self.predecessor = predecessor.flatMap { $0.isZero ? nil : $0 } }

    package var encoded: Bytes { U256.one.bytes + (predecessor ?? .zero).bytes }

    /// Throws `malformedOnchainConfiguration`.
    package init(encoded bytes: Bytes) throws(PriceStreamsError) {
        guard bytes.count == 64, let version = U256(bigEndianBytes: bytes[0..<32]),
            let predecessor = Hash32(bytes: bytes[32..<64])
        else { throw Self.malformed("\(bytes.count) bytes where 64 are wanted") }
        guard version == .one else { throw Self.malformed("version \(version), where only 1 is known") }
        self.init(predecessor: predecessor)
    }

    private static func malformed(_ why: String) -> PriceStreamsError {
        PriceStreamsError(
            .malformedOnchainConfiguration, "on-chain configuration of the streams: \(why)",
            hint: "int256 version, then bytes32 predecessor, as the Configurator was given")
    }
}

/// Three small numbers as a Protocol Buffers message, in canonical form: fields in order, defaults left out, no others.
/// The original takes bytes that it cannot read for version 0; here they are refused.
package struct OffchainConfiguration: Hashable, Sendable {
    /// 0: the rules of whole seconds; 1: those of nanoseconds.
    package let protocolVersion: UInt32
    /// 0 with version 0, anything else with version 1.
    package let reportIntervalNanosecondsMinimum: UInt64
    package let compressesObservations: Bool

    /// Throws `malformedOffchainConfiguration` when version and interval do not go together.
    package init(
        protocolVersion: UInt32, reportIntervalNanosecondsMinimum: UInt64, compressesObservations: Bool
    ) throws(PriceStreamsError) {
        guard protocolVersion <= 1 else { throw Self.malformed("protocol version \(protocolVersion) is not known") }
        guard (protocolVersion == 1) == (reportIntervalNanosecondsMinimum > 0) else {
            throw Self.malformed(
                "protocol version \(protocolVersion) with an interval of \(reportIntervalNanosecondsMinimum) ns")
        }
        self.protocolVersion = protocolVersion
        self.reportIntervalNanosecondsMinimum = reportIntervalNanosecondsMinimum
        self.compressesObservations = compressesObservations
    }

    package var encoded: Bytes {
        var out = Bytes()
        Self.append(UInt64(protocolVersion), tag: 0x08, to: &out)
        Self.append(reportIntervalNanosecondsMinimum, tag: 0x10, to: &out)
        Self.append(compressesObservations ? 1 : 0, tag: 0x18, to: &out)
        return out
    }

    package init(encoded bytes: Bytes) throws(PriceStreamsError) {
        guard bytes.count <= Limits.offchainConfigurationBytesMaximum else {
            throw Self.malformed("\(bytes.count) bytes")
        }
        var rest = bytes[...]
        var values: [UInt8: UInt64] = [:]
        var last: UInt8 = 0
        while let tag = rest.popFirst() {
            guard [0x08, 0x10, 0x18].contains(tag), tag > last else {
                throw Self.malformed("the tag \(tag) is unknown or out of order")
            }
            values[tag] = try Self.varint(&rest)
            last = tag
        }
        guard let version = UInt32(exactly: values[0x08] ?? 0) else { throw Self.malformed("the version is too large") }
        let compresses = values[0x18] ?? 0
        guard compresses <= 1 else { throw Self.malformed("\(compresses) is no truth value") }
        try self.init(
            protocolVersion: version, reportIntervalNanosecondsMinimum: values[0x10] ?? 0,
            compressesObservations: compresses == 1)
    }

    private static func append(_ value: UInt64, tag: UInt8, to out: inout Bytes) {
        guard value > 0 else { return }
        out.append(tag)
        var rest = value
        while rest >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        out.append(UInt8(truncatingIfNeeded: rest))
    }

    /// A number above zero in its shortest form.
    private static func varint(_ rest: inout ArraySlice<UInt8>) throws(PriceStreamsError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { throw malformed("a number is cut off") }
            let bits = UInt64(byte & 0x7f)
            guard shift < 63 || bits <= 1 else { break }
            value |= bits << shift
            guard byte & 0x80 == 0 else { continue }
            guard byte != 0 else { throw malformed("a number is zero or padded") }
            return value
        }
        throw malformed("a number has more than 64 bits")
    }

    private static func malformed(_ why: String) -> PriceStreamsError {
        PriceStreamsError(
            .malformedOffchainConfiguration, "off-chain configuration of the streams: \(why)",
            hint: "protocolVersion, defaultMinReportIntervalNanoseconds, enableObservationCompression")
    }
}

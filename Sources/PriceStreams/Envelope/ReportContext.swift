// The three words between a report and its signatures (3.2 of the price specification), and what is signed (3.4, 3.6).

import Ethereum

/// Which configuration made a report, in which round.
package struct ReportContext: Hashable, Sendable {
    package let configurationDigest: Hash32
    /// At most 40 bits: the contract's epoch and round are its upper 32 and lower 8 bits.
    package let sequenceNumber: UInt64
    /// `extraHash(donID:)`; zero in reports of the time before DON ids.
    package let extraHash: Hash32

    /// 2^32 epochs of 256 rounds.
    package static let sequenceNumberMaximum: UInt64 = (1 << 40) - 1

    /// Throws `sequenceNumberTooLarge` when the epoch would not fit 32 bits.
    package init(configurationDigest: Hash32, sequenceNumber: UInt64, extraHash: Hash32) throws(PriceStreamsError) {
        guard sequenceNumber <= Self.sequenceNumberMaximum else {
            throw PriceStreamsError(
                .sequenceNumberTooLarge, "the epoch of sequence number \(sequenceNumber) overflows 32 bits",
                hint: "hand over to a new configuration, whose numbers begin at 1")
        }
        self.configurationDigest = configurationDigest
        self.sequenceNumber = sequenceNumber
        self.extraHash = extraHash
    }

    package init(configurationDigest: Hash32, sequenceNumber: UInt64, donID: UInt32) throws(PriceStreamsError) {
        try self.init(
            configurationDigest: configurationDigest, sequenceNumber: sequenceNumber,
            extraHash: Self.extraHash(donID: donID))
    }

    /// Reads the words of a full report; throws `malformedContext` when more than 40 bits of the second are in use.
    package init(words: (Hash32, Hash32, Hash32)) throws(PriceStreamsError) {
        guard let number = words.1.word.asUInt64, number <= Self.sequenceNumberMaximum else {
            throw PriceStreamsError(
                .malformedContext, "epoch and round are 5 bytes, not \(words.1)",
                hint: "the second word of a report context has 27 zero bytes first")
        }
        configurationDigest = words.0
        sequenceNumber = number
        extraHash = words.2
    }

    package var epoch: UInt32 { UInt32(truncatingIfNeeded: sequenceNumber >> 8) }
    package var round: UInt8 { UInt8(truncatingIfNeeded: sequenceNumber) }
    package var words: [Hash32] { [configurationDigest, Hash32(U256(sequenceNumber)), extraHash] }

    /// The DON's id, then the version of the plugin, which is 1.
    package static func extraHash(donID: UInt32) -> Hash32 { Hash32(U256(UInt64(donID) << 32 | 1)) }
}

// MARK: - What is signed

/// keccak256(keccak256(blob) || context): what oracles sign for the EVM formats, raw, without Ethereum's message
/// prefix.
package func signingDigest(blob: Bytes, context: ReportContext) -> Hash32 {
    let words = (
        keccak256(blob).word, context.configurationDigest.word, U256(context.sequenceNumber), context.extraHash.word
    )
    return keccak256(of: words)
}

/// keccak256(keccak256(report) || digest || sequence number): for JSON and retirement reports.
package func sign3Digest(report: Bytes, configurationDigest: Hash32, sequenceNumber: UInt64) -> Hash32 {
    withUnsafeTemporaryAllocation(byteCount: 96, alignment: 8) { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("96 bytes of the stack") }
        keccak256(report).word.storeBigEndian(to: base)
        configurationDigest.word.storeBigEndian(to: base + 32)
        U256(sequenceNumber).storeBigEndian(to: base + 64)
        return keccak256(UnsafeRawBufferPointer(buffer))
    }
}

/// keccak256(digest || report): for streamlined reports.
package func streamlinedDigest(report: Bytes, configurationDigest: Hash32) -> Hash32 {
    keccak256(configurationDigest.bytes + report)
}

private func keccak256(of words: (U256, U256, U256, U256)) -> Hash32 {
    withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("128 bytes of the stack") }
        words.0.storeBigEndian(to: base)
        words.1.storeBigEndian(to: base + 32)
        words.2.storeBigEndian(to: base + 64)
        words.3.storeBigEndian(to: base + 96)
        return keccak256(UnsafeRawBufferPointer(buffer))
    }
}

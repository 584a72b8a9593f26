// What the RMNRemote behind an OffRamp checks blessed roots with (17.2 of the on-chain specification, 7.3 of the
// off-chain one), as the readers of the destination agree on it. Who signs what is in BlessingSet.swift.

import CCIP
import Ethereum

package struct RMNRemoteConfiguration: Hashable, Comparable, Sendable {
    /// Raised by each `setConfig`; 0 where nothing is configured, and in RMN 2.1.0, which has no `verify`.
    package let version: UInt32
    package let homeDigest: Hash32
    /// The contract itself, never the proxy before it.
    package let rmnRemote: Address
    package let faultySigners: Int
    /// In the contract's order.
    package let signers: [Address]

    package init(version: UInt32, homeDigest: Hash32, rmnRemote: Address, faultySigners: Int, signers: [Address]) {
        self.version = version
        self.homeDigest = homeDigest
        self.rmnRemote = rmnRemote
        self.faultySigners = faultySigners
        self.signers = signers
    }

    /// Nil for a configuration that no RMNRemote can hold: too many signers, or an f that no count can reach.
    package init?(_ config: RMNVersionedConfig, at rmnRemote: Address) {
        guard config.signers.count <= Limits.rmnSignersMaximum,
            config.faultySigners <= UInt64(Limits.rmnSignersMaximum)
        else { return nil }
        self.init(
            version: config.version, homeDigest: config.homeDigest, rmnRemote: rmnRemote,
            faultySigners: Int(config.faultySigners), signers: config.signers.map(\.address))
    }

    /// f + 1; more than that proves nothing more and costs gas.
    package var signaturesNeeded: Int { faultySigners + 1 }

    /// Whether a report with blessed roots can pass at all: else `ConfigNotSet`, or a contract without `verify`.
    package var isUsable: Bool {
        version > 0 && !homeDigest.isZero && signaturesNeeded <= signers.count
    }

    /// Names this configuration in the metadata of a report.
    package var fingerprint: Hash32 {
        var writer = CanonicalWriter()
        write(to: &writer)
        return keccak256(writer.bytes)
    }

    /// Any order that tells different values apart: agreement sorts by it.
    package static func < (a: RMNRemoteConfiguration, b: RMNRemoteConfiguration) -> Bool {
        if a.version != b.version { return a.version < b.version }
        if a.homeDigest != b.homeDigest { return a.homeDigest < b.homeDigest }
        if a.rmnRemote != b.rmnRemote { return a.rmnRemote < b.rmnRemote }
        if a.faultySigners != b.faultySigners { return a.faultySigners < b.faultySigners }
        return a.signers.lexicographicallyPrecedes(b.signers)
    }

    func write(to writer: inout CanonicalWriter) {
        writer.u32(version)
        writer.hash(homeDigest)
        writer.address(rmnRemote)
        writer.u32(UInt32(faultySigners))
        writer.list(signers) { $0.address($1) }
    }

    init(_ reader: inout CanonicalReader) throws(CCIPError) {
        version = try reader.u32()
        homeDigest = try reader.hash()
        rmnRemote = try reader.address()
        let faulty = try reader.u32()
        guard faulty <= UInt32(Limits.rmnSignersMaximum) else { throw reader.malformed("f = \(faulty)") }
        faultySigners = Int(faulty)
        signers = try reader.list(maximum: Limits.rmnSignersMaximum) { reader throws(CCIPError) in
            try reader.address()
        }
    }
}

/// Where the signatures of one instance are valid.
package struct BlessingConfiguration: Hashable, Sendable {
    package let destinationChainID: UInt64
    package let offRamp: Address
    /// How long guards may take to sign a set of roots before it is dissolved.
    package let timeoutMilliseconds: UInt64

    package init(destinationChainID: UInt64, offRamp: Address, timeoutMilliseconds: UInt64 = 15_000) {
        self.destinationChainID = destinationChainID
        self.offRamp = offRamp
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// The digest that guards sign: over all blessed roots of one report, in its order.
    package func digest(of roots: [MerkleRoot], to destination: ChainSelector, _ remote: RMNRemoteConfiguration)
        -> RMNReportDigest
    {
        RMNReportDigest(
            destinationChainID: U256(destinationChainID), destination: destination, rmnRemote: remote.rmnRemote,
            offRamp: offRamp, rmnHomeDigest: remote.homeDigest, roots: roots)
    }

    func validate(in configuration: CommitConfiguration) throws(CommittingError) {
        guard destinationChainID > 0, !offRamp.isZero else {
            throw configuration.bad("blessing at chain id \(destinationChainID), OffRamp \(offRamp)", "both are known")
        }
        guard (1...Limits.intervalMillisecondsMaximum).contains(timeoutMilliseconds) else {
            throw configuration.bad("blessing timeoutMilliseconds = \(timeoutMilliseconds)", "1 ms to a day")
        }
    }

    func write(to writer: inout CanonicalWriter) {
        writer.u64(destinationChainID)
        writer.address(offRamp)
        writer.u64(timeoutMilliseconds)
    }
}

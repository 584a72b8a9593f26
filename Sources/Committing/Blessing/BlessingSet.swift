// Roots that wait for signatures of RMN nodes together, and what became of earlier ones: the part of an outcome that
// BlessingProgression moves. A signature proves itself, so nothing here counts voices.

import CCIP
import Ethereum

/// Roots under one signature digest. One set is open at a time: a report carries one list of signatures, over all of
/// its blessed roots.
package struct BlessingSet: Hashable, Sendable {
    /// The outcome that opened it.
    package let id: UInt64
    /// Agreed time of that outcome, milliseconds since 1970.
    package let since: UInt64
    /// Agreed when it was opened; another one dissolves the set.
    package let remote: RMNRemoteConfiguration
    /// Ascending; each of these lanes is `blessing`.
    package let sources: [ChainSelector]
    /// Each by another signer of `remote`, ascending by signer. Fewer than are needed.
    package let signatures: [RMNSignature]

    package init(
        id: UInt64, since: UInt64, remote: RMNRemoteConfiguration, sources: [ChainSelector],
        signatures: [RMNSignature] = []
    ) {
        self.id = id
        self.since = since
        self.remote = remote
        self.sources = sources
        self.signatures = signatures
    }

    func write(to writer: inout CanonicalWriter) {
        writer.u64(id)
        writer.u64(since)
        remote.write(to: &writer)
        writer.list(sources) { $0.selector($1) }
        writer.list(signatures) { $0.signature($1) }
    }

    init(_ reader: inout CanonicalReader) throws(CCIPError) {
        id = try reader.u64()
        since = try reader.u64()
        remote = try RMNRemoteConfiguration(&reader)
        sources = try reader.sources()
        signatures = try reader.signatures(maximum: Limits.rmnSignersMaximum)
    }
}

/// The blessed part of the report of one outcome.
package struct BlessedRoots: Hashable, Sendable {
    package let remote: RMNRemoteConfiguration
    /// Ascending; each of these lanes is `waiting` since this outcome.
    package let sources: [ChainSelector]
    /// As many as are needed, ascending by signer.
    package let signatures: [RMNSignature]

    func write(to writer: inout CanonicalWriter) {
        remote.write(to: &writer)
        writer.list(sources) { $0.selector($1) }
        writer.list(signatures) { $0.signature($1) }
    }

    init(remote: RMNRemoteConfiguration, sources: [ChainSelector], signatures: [RMNSignature]) {
        self.remote = remote
        self.sources = sources
        self.signatures = signatures
    }

    init(_ reader: inout CanonicalReader) throws(CCIPError) {
        remote = try RMNRemoteConfiguration(&reader)
        sources = try reader.sources()
        signatures = try reader.signatures(maximum: Limits.rmnSignersMaximum)
    }
}

/// A lane whose set ran out of time. It is tried alone, so that it cannot hold back lanes that guards do sign.
package struct BlessingSuspect: Hashable, Sendable {
    package let source: ChainSelector
    /// Sets of this lane alone that ran out of time, one after the other.
    package let failures: UInt32
    /// Agreed time before which it is not tried again, milliseconds since 1970.
    package let until: UInt64

    package init(source: ChainSelector, failures: UInt32, until: UInt64) {
        self.source = source
        self.failures = failures
        self.until = until
    }
}

/// What one oracle passes on from guards. Whoever sends them, signatures count by who signed.
package struct BlessingVotes: Hashable, Sendable {
    package var setID: UInt64
    /// Ascending by r and s, each once, at most `Limits.observedSignaturesMaximum`.
    package var signatures: [RMNSignature]

    package init(setID: UInt64, signatures: [RMNSignature]) {
        self.setID = setID
        self.signatures = signatures
    }
}

/// What guards are to be asked: the open set, with its roots.
package struct BlessingRequest: Hashable, Sendable {
    package let setID: UInt64
    /// Agreed time of the set's opening, milliseconds since 1970.
    package let since: UInt64
    package let remote: RMNRemoteConfiguration
    /// In the order of the report.
    package let roots: [MerkleRoot]
    /// Over `roots`; what signers are recovered from.
    package let digest: RMNReportDigest
    /// Already in the outcome.
    package let signatures: [RMNSignature]

    /// The signer of a signature that counts; nil for a stranger's.
    package func signer(of signature: RMNSignature) -> Address? {
        guard let signer = digest.signer(of: signature), remote.signers.contains(signer) else { return nil }
        return signer
    }
}

extension RMNSignature {
    /// By r, then s: an order for lists, without meaning.
    func precedes(_ other: RMNSignature) -> Bool { r != other.r ? r < other.r : s < other.s }
}

extension CanonicalWriter {
    mutating func signature(_ signature: RMNSignature) {
        hash(signature.r)
        hash(signature.s)
    }
}

extension CanonicalReader {
    mutating func signatures(maximum: Int) throws(CCIPError) -> [RMNSignature] {
        try list(maximum: maximum) { reader throws(CCIPError) in
            RMNSignature(r: try reader.hash(), s: try reader.hash())
        }
    }

    /// Lanes of one set.
    mutating func sources() throws(CCIPError) -> [ChainSelector] {
        let sources = try list(maximum: Limits.blessedRootsMaximum) { reader throws(CCIPError) in
            try reader.selector()
        }
        guard !sources.isEmpty, strictlyAscending(sources) else { throw malformed("blessed lanes out of order") }
        return sources
    }
}

// What survives a crash: five rows per instance (2.9, 2.12 of the off-chain specification) and their strict encoding.
// No storage code: the edge writes `encoded` under (configuration digest, slot) and hands the rows back at start.

/// Pacemaker state and the promise not to vote below an epoch.
package struct PacemakerRecord: Equatable, Sendable {
    /// Highest epoch entered. No vote is cast and no timestamp signed below it, ever.
    package var epoch: UInt64
    /// Highest epoch wished for; never below `epoch`.
    package var wish: UInt64
    /// After a loss of the store: votes are refused below this epoch. 0 when the store was never lost.
    package var votingFloor: UInt64
    /// After a loss of the store: the floor is not known yet, no vote at all.
    package var learningFloor: Bool
    /// Voting stopped for good: two processes with one key, a rolled-back store, or a fork was seen.
    package var halted: Bool
}

/// The last vote of one kind. Votes below it are refused, a vote equal to it is repeated.
package struct VoteRecord: Equatable, Sendable {
    package let kind: VoteKind
    package let epoch: UInt64
    package let sequenceNumber: UInt64
    /// Zero in commit votes and in votes for a re-proposed outcome.
    package let inputsDigest: Digest
    package let outcomeDigest: Digest
    package let signature: [UInt8]
}

/// One row. A row replaces the earlier row of the same slot.
package enum DurableRecord: Equatable, Sendable {
    case pacemaker(PacemakerRecord)
    case vote(VoteRecord)
    /// Highest prepare certificate.
    case prepared(CertifiedPrepare)
    /// Highest commit certificate; its outcome is the last committed one.
    case committed(CertifiedCommit)

    /// Key of the row, next to the configuration digest.
    package enum Slot: UInt8, Sendable, CaseIterable {
        case pacemaker = 1, prepareVote = 2, commitVote = 3, prepared = 4, committed = 5
    }

    package var slot: Slot {
        switch self {
        case .pacemaker: return .pacemaker
        case .vote(let vote): return vote.kind == .prepare ? .prepareVote : .commitVote
        case .prepared: return .prepared
        case .committed: return .committed
        }
    }
}

/// All rows of one instance.
package struct DurableState: Equatable, Sendable {
    package var pacemaker: PacemakerRecord
    package var prepareVote: VoteRecord?
    package var commitVote: VoteRecord?
    package var prepared: CertifiedPrepare?
    package var committed: CertifiedCommit?

    package init(pacemaker: PacemakerRecord) {
        self.pacemaker = pacemaker
    }

    static let fresh = DurableState(
        pacemaker: PacemakerRecord(epoch: 1, wish: 1, votingFloor: 0, learningFloor: false, halted: false))

    /// The lock: the certificate with the highest timestamp.
    package var highestCertificate: Certificate {
        var highest = Certificate.genesis
        if let prepared { highest = .prepare(prepared) }
        if let committed, committed.timestamp > highest.timestamp { highest = .commit(committed) }
        return highest
    }

    package mutating func apply(_ record: DurableRecord) {
        switch record {
        case .pacemaker(let value): pacemaker = value
        case .vote(let value) where value.kind == .prepare: prepareVote = value
        case .vote(let value): commitVote = value
        case .prepared(let value): prepared = value
        case .committed(let value): committed = value
        }
    }

    /// All rows, in slot order.
    package var records: [DurableRecord] {
        var records: [DurableRecord] = [.pacemaker(pacemaker)]
        if let prepareVote { records.append(.vote(prepareVote)) }
        if let commitVote { records.append(.vote(commitVote)) }
        if let prepared { records.append(.prepared(prepared)) }
        if let committed { records.append(.committed(committed)) }
        return records
    }
}

// MARK: - Encoding

extension DurableRecord {
    private static let version: UInt8 = 1

    /// The row for a store; it names the configuration it belongs to.
    package func encoded(for digest: Digest) -> [UInt8] {
        var writer = CanonicalWriter()
        writer.byte(DurableRecord.version)
        writer.byte(slot.rawValue)
        writer.digest(digest)
        switch self {
        case .pacemaker(let record):
            writer.u64(record.epoch)
            writer.u64(record.wish)
            writer.u64(record.votingFloor)
            writer.byte(record.learningFloor ? 1 : 0)
            writer.byte(record.halted ? 1 : 0)
        case .vote(let record):
            writer.u64(record.epoch)
            writer.u64(record.sequenceNumber)
            writer.digest(record.inputsDigest)
            writer.digest(record.outcomeDigest)
            writer.string(record.signature)
        case .prepared(let certificate):
            writer.u64(certificate.epoch)
            writer.u64(certificate.sequenceNumber)
            writer.digest(certificate.inputsDigest)
            writer.string(certificate.outcome)
            writer.signatures(certificate.signatures)
        case .committed(let certificate):
            writer.u64(certificate.epoch)
            writer.u64(certificate.sequenceNumber)
            writer.string(certificate.outcome)
            writer.signatures(certificate.signatures)
        }
        return writer.bytes
    }

    /// Strict: any deviation is a named error.
    package init(decoding bytes: [UInt8], for digest: Digest) throws(OffchainReportingError) {
        var reader = CanonicalReader(bytes)
        guard try reader.byte() == DurableRecord.version else { throw reader.malformed("unknown record version") }
        guard let slot = Slot(rawValue: try reader.byte()) else {
            throw OffchainReportingError(
                .recordUnknownKind, "unknown record kind", hint: "the store was written by a newer version")
        }
        guard try reader.digest() == digest else {
            throw OffchainReportingError(
                .recordOfAnotherConfiguration, "the record belongs to another configuration digest",
                hint: "state of different configurations never mixes; check which store is opened")
        }
        switch slot {
        case .pacemaker: self = .pacemaker(try PacemakerRecord(from: &reader))
        case .prepareVote: self = .vote(try VoteRecord(.prepare, from: &reader))
        case .commitVote: self = .vote(try VoteRecord(.commit, from: &reader))
        case .prepared: self = .prepared(try CertifiedPrepare(from: &reader))
        case .committed: self = .committed(try CertifiedCommit(from: &reader))
        }
        try reader.finish()
    }
}

extension DurableState {
    /// Rebuilds the state from the stored rows, in any order. Nil when there is no row at all.
    /// - Throws: a damaged row, two rows of one slot, or rows that contradict each other.
    package static func restoring(_ rows: [[UInt8]], for digest: Digest) throws(OffchainReportingError) -> DurableState?
    {
        guard !rows.isEmpty else { return nil }
        var state: DurableState?
        var others: [DurableRecord] = []
        var seen: Set<DurableRecord.Slot> = []
        for row in rows {
            let record = try DurableRecord(decoding: row, for: digest)
            guard seen.insert(record.slot).inserted else { throw inconsistent("two rows of kind \(record.slot)") }
            if case .pacemaker(let pacemaker) = record {
                state = DurableState(pacemaker: pacemaker)
            } else {
                others.append(record)
            }
        }
        guard var state else { throw inconsistent("the pacemaker row is missing") }
        for record in others { state.apply(record) }
        try state.checkConsistency()
        return state
    }

    private func checkConsistency() throws(OffchainReportingError) {
        for vote in [prepareVote, commitVote] {
            guard let vote else { continue }
            guard vote.epoch <= pacemaker.epoch else {
                throw DurableState.inconsistent(
                    "a vote in epoch \(vote.epoch) above the entered epoch \(pacemaker.epoch)")
            }
        }
        if let commitVote {
            let certified = max(prepared?.sequenceNumber ?? 0, committed?.sequenceNumber ?? 0)
            guard certified >= commitVote.sequenceNumber else {
                throw DurableState.inconsistent("a commit vote for \(commitVote.sequenceNumber) without a certificate")
            }
        }
    }

    private static func inconsistent(_ what: String) -> OffchainReportingError {
        OffchainReportingError(
            .recordsInconsistent, what,
            hint: "the store is damaged or restored from a backup; start it as lost, never as intact")
    }
}

extension VoteRecord {
    /// Epoch first: inside an epoch sequence numbers only grow, over epochs they may repeat.
    var position: (UInt64, UInt64) { (epoch, sequenceNumber) }
}

extension CanonicalWriter {
    fileprivate mutating func signatures(_ list: [AttributedSignature]) {
        u64(UInt64(list.count))
        for item in list {
            byte(UInt8(truncatingIfNeeded: item.signer))
            string(item.signature)
        }
    }
}

extension CanonicalReader {
    fileprivate mutating func signatures() throws(OffchainReportingError) -> [AttributedSignature] {
        let count = try u64()
        guard count <= UInt64(Limits.oraclesMaximum) else { throw malformed("\(count) signatures") }
        var list: [AttributedSignature] = []
        for _ in 0..<count {
            let signer = Int(try byte())
            guard signer < Limits.oraclesMaximum, list.last.map({ $0.signer < signer }) ?? true else {
                throw malformed("signers are not ascending")
            }
            list.append(
                AttributedSignature(signer: signer, signature: try string(maximum: Limits.signatureBytesMaximum)))
        }
        return list
    }

    fileprivate mutating func position() throws(OffchainReportingError) -> (epoch: UInt64, sequenceNumber: UInt64) {
        let epoch = try u64()
        let sequenceNumber = try u64()
        guard (1...Limits.epochMaximum).contains(epoch), (1...Limits.sequenceNumberMaximum).contains(sequenceNumber)
        else {
            throw malformed("epoch \(epoch), sequence number \(sequenceNumber) out of range")
        }
        return (epoch, sequenceNumber)
    }
}

extension PacemakerRecord {
    fileprivate init(from reader: inout CanonicalReader) throws(OffchainReportingError) {
        let epoch = try reader.u64()
        let wish = try reader.u64()
        let floor = try reader.u64()
        guard epoch >= 1, wish >= epoch, wish <= Limits.epochMaximum + 1 else {
            throw reader.malformed("epoch \(epoch), wish \(wish)")
        }
        self.init(
            epoch: epoch, wish: wish, votingFloor: floor, learningFloor: try reader.flag(), halted: try reader.flag())
    }
}

extension VoteRecord {
    fileprivate init(_ kind: VoteKind, from reader: inout CanonicalReader) throws(OffchainReportingError) {
        let position = try reader.position()
        self.init(
            kind: kind, epoch: position.epoch, sequenceNumber: position.sequenceNumber,
            inputsDigest: try reader.digest(), outcomeDigest: try reader.digest(),
            signature: try reader.string(maximum: Limits.signatureBytesMaximum))
    }
}

extension CertifiedPrepare {
    fileprivate init(from reader: inout CanonicalReader) throws(OffchainReportingError) {
        let position = try reader.position()
        self.init(
            epoch: position.epoch, sequenceNumber: position.sequenceNumber, inputsDigest: try reader.digest(),
            outcome: try reader.string(maximum: Limits.outcomeBytesMaximum), signatures: try reader.signatures())
    }
}

extension CertifiedCommit {
    fileprivate init(from reader: inout CanonicalReader) throws(OffchainReportingError) {
        let position = try reader.position()
        self.init(
            epoch: position.epoch, sequenceNumber: position.sequenceNumber,
            outcome: try reader.string(maximum: Limits.outcomeBytesMaximum), signatures: try reader.signatures())
    }
}

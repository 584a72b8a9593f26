// The only place that signs a vote (2.9 of the off-chain specification), and the checks that find out that this
// oracle's memory of its votes is not complete.

extension Instance {
    /// Casts one vote if the log allows it: the same choice is repeated, a different or lower one refused.
    /// `certificate` becomes durable in the same transaction, and also when the vote itself is refused.
    mutating func castVote(
        _ kind: VoteKind, sequenceNumber: UInt64, inputsDigest: Digest, outcomeDigest: Digest,
        certificate: CertifiedPrepare? = nil
    ) {
        var records: [DurableRecord] = []
        if let certificate { records += prepareRecords(certificate) }
        if kind == .commit {
            guard holdsCertificate(sequenceNumber, outcomeDigest, with: records) else {
                persist(records)
                return refuse(.voteWithoutCertificate, from: nil, "commit \(epoch)/\(sequenceNumber)")
            }
        }
        guard mayVote(in: epoch) else {
            persist(records)
            return refuse(.voteWhileListening, from: nil, "\(kind) \(epoch)/\(sequenceNumber)")
        }
        if let last = kind == .prepare ? durable.prepareVote : durable.commitVote {
            let position = (epoch, sequenceNumber)
            if position < last.position {
                persist(records)
                return refuse(.voteBelowLog, from: nil, "\(kind) \(position) below \(last.position)")
            }
            if position == last.position {
                persist(records)
                guard last.inputsDigest == inputsDigest, last.outcomeDigest == outcomeDigest else {
                    return refuse(.voteConflictsWithLog, from: nil, "\(kind) \(position)")
                }
                return broadcast(.vote(VoteMessage(last, resent: false)))
            }
        }
        let message = statements.vote(
            kind, epoch: epoch, sequenceNumber: sequenceNumber, inputsDigest: inputsDigest, outcomeDigest: outcomeDigest
        )
        let vote = VoteRecord(
            kind: kind, epoch: epoch, sequenceNumber: sequenceNumber, inputsDigest: inputsDigest,
            outcomeDigest: outcomeDigest, signature: crypto.offchain.sign(message))
        persist(records + [.vote(vote)])
        broadcast(.vote(VoteMessage(vote, resent: false)))
    }

    /// The record that stores a prepare certificate if it is greater than the stored one (I9).
    private mutating func prepareRecords(_ certificate: CertifiedPrepare) -> [DurableRecord] {
        guard let stored = durable.prepared else { return [.prepared(certificate)] }
        if certificate.timestamp > stored.timestamp { return [.prepared(certificate)] }
        if certificate.timestamp == stored.timestamp,
            certificate.outcome != stored.outcome || certificate.inputsDigest != stored.inputsDigest
        {
            halt(
                "two prepare certificates for epoch \(certificate.epoch), sequence number \(certificate.sequenceNumber)"
            )
        }
        return []
    }

    /// A commit vote needs a durable certificate for its outcome: a prepare certificate at this sequence number from
    /// this epoch or later, or a commit certificate at it.
    private func holdsCertificate(
        _ sequenceNumber: UInt64, _ outcomeDigest: Digest, with records: [DurableRecord]
    ) -> Bool {
        var state = durable
        for record in records { state.apply(record) }
        if let prepared = state.prepared, prepared.sequenceNumber == sequenceNumber, prepared.epoch >= epoch,
            statements.outcomeDigest(prepared.outcome) == outcomeDigest
        {
            return true
        }
        guard let committed = state.committed, committed.sequenceNumber == sequenceNumber else { return false }
        return statements.outcomeDigest(committed.outcome) == outcomeDigest
    }

    /// A verified certificate with a signature of this oracle that its vote log does not explain proves that another
    /// process votes with this key, or that the store was rolled back (2.18, cases 51 and 52).
    mutating func checkOwnSignature(in certificate: Certificate) {
        let own = ownIndex
        switch certificate {
        case .genesis:
            return
        case .prepare(let prepare):
            guard prepare.signatures.contains(where: { $0.signer == own }) else { return }
            checkRemembered(
                durable.prepareVote, .prepare, (prepare.epoch, prepare.sequenceNumber), prepare.inputsDigest,
                statements.outcomeDigest(prepare.outcome))
        case .commit(let commit):
            guard commit.signatures.contains(where: { $0.signer == own }) else { return }
            checkRemembered(
                durable.commitVote, .commit, (commit.epoch, commit.sequenceNumber), .zero,
                statements.outcomeDigest(commit.outcome))
        }
    }

    private mutating func checkRemembered(
        _ last: VoteRecord?, _ kind: VoteKind, _ position: (UInt64, UInt64), _ inputsDigest: Digest,
        _ outcomeDigest: Digest
    ) {
        // After a known loss of the store the own earlier votes are expected to be unknown.
        guard durable.pacemaker.votingFloor == 0, !durable.pacemaker.learningFloor else { return }
        if let last {
            if position < last.position { return }
            if position == last.position, last.inputsDigest == inputsDigest, last.outcomeDigest == outcomeDigest {
                return
            }
        }
        halt("a \(kind) vote of this oracle for \(position) is not in its vote log")
    }
}

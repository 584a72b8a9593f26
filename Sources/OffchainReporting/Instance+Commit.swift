// Counting votes, forming certificates, committing, and catching up by certificate (2.8.2 and 2.8.3 of the off-chain
// specification).

extension Instance {
    // MARK: Votes of peers

    mutating func vote(from: Int, _ vote: VoteMessage) {
        let sequenceNumber = vote.sequenceNumber
        if vote.resent, from != ownIndex { repeatVotes(to: from, sequenceNumber) }
        // Before EpochStart the outcome that is voted on again may be one that is committed here already.
        let mayBeRepeated = sequenceNumber == committedSequenceNumber && follower.phase == .newEpoch
        guard
            sequenceNumber > committedSequenceNumber || sequenceNumber == follower.value?.sequenceNumber
                || mayBeRepeated
        else {
            return refuse(.staleSequenceNumber, from: from, "\(vote.kind) \(sequenceNumber)")
        }
        let pooled = PooledVote(message: vote)
        let insertion =
            vote.kind == .prepare
            ? follower.prepares[from].insert(sequenceNumber, pooled)
            : follower.commits[from].insert(sequenceNumber, pooled)
        switch insertion {
        case .inserted:
            countVotes()
        case .occupied(let known):
            checkDoubleVote(from: from, known.message, vote)
            refuse(.duplicate, from: from, "\(vote.kind) \(sequenceNumber)")
        case .full:
            refuse(.displaced, from: from, "\(vote.kind) \(sequenceNumber)")
        }
    }

    /// A peer still in this round asks again; the answers are not marked as repetitions, so that they end there.
    private mutating func repeatVotes(to peer: Int, _ sequenceNumber: UInt64) {
        for vote in [durable.prepareVote, durable.commitVote] {
            guard let vote, vote.position == (epoch, sequenceNumber) else { continue }
            send(.vote(VoteMessage(vote, resent: false)), to: peer)
        }
    }

    private mutating func checkDoubleVote(from: Int, _ known: VoteMessage, _ other: VoteMessage) {
        let what = "\(known.kind) vote"
        guard !known.sameChoice(as: other), !reportedEquivocations.contains("\(from) \(what)") else { return }
        guard isSigned(known, by: from), isSigned(other, by: from) else { return }
        reportEquivocation(
            accused: from, what, codec.encode(.vote(known)), codec.encode(.vote(other)))
    }

    private func isSigned(_ vote: VoteMessage, by oracle: Int) -> Bool {
        let message = statements.vote(
            vote.kind, epoch: vote.epoch, sequenceNumber: vote.sequenceNumber, inputsDigest: vote.inputsDigest,
            outcomeDigest: vote.outcomeDigest)
        return crypto.offchain.verify(vote.signature, message, oracle: oracle)
    }

    // MARK: Quorums

    mutating func countVotes() {
        formPrepareCertificate()
        formCommitCertificate()
    }

    private mutating func formPrepareCertificate() {
        guard follower.phase == .sentPrepare, let value = follower.value,
            let signatures = quorum(.prepare, value, inputsDigest: value.inputsDigest)
        else { return }
        follower.phase = .sentCommit
        let certificate = CertifiedPrepare(
            epoch: epoch, sequenceNumber: value.sequenceNumber, inputsDigest: value.inputsDigest,
            outcome: value.outcome,
            signatures: signatures)
        castVote(
            .commit, sequenceNumber: value.sequenceNumber, inputsDigest: .zero, outcomeDigest: value.outcomeDigest,
            certificate: certificate)
    }

    private mutating func formCommitCertificate() {
        guard follower.phase == .sentPrepare || follower.phase == .sentCommit, let value = follower.value,
            let signatures = quorum(.commit, value, inputsDigest: .zero)
        else { return }
        commit(
            CertifiedCommit(
                epoch: epoch, sequenceNumber: value.sequenceNumber, outcome: value.outcome, signatures: signatures))
        endRound(value.sequenceNumber, progress: true)
    }

    /// q valid votes for this value, lowest signers first; nil when there are fewer. Signatures are verified only when
    /// enough votes are there, each once.
    private mutating func quorum(
        _ kind: VoteKind, _ value: Follower.Value, inputsDigest: Digest
    ) -> [AttributedSignature]? {
        var pools = kind == .prepare ? follower.prepares : follower.commits
        let sequenceNumber = value.sequenceNumber
        let candidates = pools.indices.filter { index in
            guard let vote = pools[index][sequenceNumber], vote.check != .invalid else { return false }
            return vote.message.inputsDigest == inputsDigest && vote.message.outcomeDigest == value.outcomeDigest
        }
        guard candidates.count >= configuration.quorum else { return nil }
        var signatures: [AttributedSignature] = []
        for index in candidates where signatures.count < configuration.quorum {
            guard var vote = pools[index][sequenceNumber] else { continue }
            if vote.check == .unchecked {
                vote.check = index == ownIndex || isSigned(vote.message, by: index) ? .valid : .invalid
                pools[index].replace(sequenceNumber, vote)
                if vote.check == .invalid { refuse(.badSignature, from: index, "\(kind) \(sequenceNumber)") }
            }
            if vote.check == .valid {
                signatures.append(AttributedSignature(signer: index, signature: vote.message.signature))
            }
        }
        if kind == .prepare { follower.prepares = pools } else { follower.commits = pools }
        return signatures.count == configuration.quorum ? signatures : nil
    }

    // MARK: Commit

    /// Adopts a verified commit certificate if it is greater than the stored one; durable before it is announced.
    mutating func commit(_ certificate: CertifiedCommit) {
        if let current = durable.committed {
            if certificate.sequenceNumber == current.sequenceNumber, certificate.outcome != current.outcome {
                return halt("two outcomes are committed for sequence number \(current.sequenceNumber)")
            }
            guard certificate.timestamp > current.timestamp else { return }
        }
        let isNew = certificate.sequenceNumber > committedSequenceNumber
        let wasListening = isListening
        persist([.committed(certificate)])
        if wasListening, !isListening { alarm(.listeningEnded) }
        guard isNew else { return }
        actions.append(
            .outcomeCommitted(
                sequenceNumber: certificate.sequenceNumber, outcome: certificate.outcome))
        attest(certificate)
    }

    /// Progress, or the end of a full epoch (2.8.3).
    private mutating func endRound(_ sequenceNumber: UInt64, progress: Bool) {
        if sequenceNumber >= follower.first, sequenceNumber - follower.first + 1 >= configuration.timing.rMax {
            follower.phase = .finished
            leaderEpochFinished()
            requestNewEpoch()
            return
        }
        if progress { setTimer(.progress, after: configuration.timing.deltaProgress) }
        awaitRound()
    }

    /// A certificate fetched from a peer moves this oracle forward inside the epoch: a commit certificate proves its
    /// outcome by itself, so this is as safe as the jump through EpochStart.
    mutating func catchUp(_ certificate: CertifiedCommit) {
        commit(certificate)
        guard committedSequenceNumber == certificate.sequenceNumber else { return }
        switch follower.phase {
        case .newEpoch, .finished: break
        case .newRound, .awaitingObservation, .sentObservation, .sentPrepare, .sentCommit:
            endRound(certificate.sequenceNumber, progress: certificate.epoch == epoch)
        }
    }
}

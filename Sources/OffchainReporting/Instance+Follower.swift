// Follower side of outcome generation: EpochStart, RoundStart, Proposal (2.8.2 of the off-chain specification).
// Votes are counted in Instance+Commit.swift and cast in Instance+Voting.swift.

extension Instance {
    // MARK: EpochStart

    mutating func epochStart(from: Int, _ message: EpochStart, _ seal: Seal) {
        guard from == leader else { return refuse(.notFromLeader, from: from, "epoch start") }
        guard follower.phase == .newEpoch, follower.epochStart == nil else {
            if let known = follower.epochStart { checkEquivocation(.epochStart, known, seal) }
            return refuse(.duplicate, from: from, "epoch start")
        }
        guard follower.epochStartAttempts < Limits.epochStartAttempts else {
            return refuse(.servedEnough, from: from, "epoch start after invalid ones")
        }
        follower.epochStartAttempts += 1
        guard verifies(seal, .epochStart, by: from) else { return refuse(.badSignature, from: from, "epoch start") }
        guard proves(message) else { return refuse(.badEpochStartProof, from: from, "epoch \(message.epoch)") }
        follower.epochStart = seal
        cancelTimer(.initial)
        checkOwnSignature(in: message.certificate)
        follower.first = message.certificate.timestamp.sequenceNumber + 1
        switch message.certificate {
        case .genesis:
            awaitRound()
        case .commit(let certificate):
            commit(certificate)
            awaitRound()
        case .prepare(let certificate):
            revote(certificate)
        }
    }

    /// Exactly q distinct signers, valid signatures, the certificate is the maximum of what they signed, and verifies.
    func proves(_ start: EpochStart) -> Bool {
        let timestamps = start.timestamps
        guard timestamps.count == configuration.quorum,
            zip(timestamps, timestamps.dropFirst()).allSatisfy({ $0.oracle < $1.oracle }),
            timestamps.map(\.timestamp).max() == start.certificate.timestamp
        else { return false }
        let signed = timestamps.allSatisfy {
            crypto.offchain.verify(
                $0.signature, statements.timestamp(epoch: start.epoch, $0.timestamp), oracle: $0.oracle)
        }
        return signed && statements.verifies(start.certificate)
    }

    /// A prepared outcome may be committed somewhere: everybody votes for it again in this epoch (2.8.4).
    private mutating func revote(_ certificate: CertifiedPrepare) {
        let sequenceNumber = certificate.sequenceNumber
        if sequenceNumber < committedSequenceNumber { return awaitRound() }
        if sequenceNumber == committedSequenceNumber, certificate.outcome != committedOutcome {
            halt("a prepare certificate excludes the committed outcome \(sequenceNumber)")
            follower.phase = .finished
            return
        }
        beginVoting(
            Follower.Value(
                sequenceNumber: sequenceNumber, inputsDigest: .zero, outcome: certificate.outcome,
                outcomeDigest: statements.outcomeDigest(certificate.outcome)))
    }

    mutating func beginVoting(_ value: Follower.Value) {
        follower.value = value
        follower.phase = .sentPrepare
        castVote(
            .prepare, sequenceNumber: value.sequenceNumber, inputsDigest: value.inputsDigest,
            outcomeDigest: value.outcomeDigest)
        countVotes()
    }

    // MARK: RoundStart

    mutating func awaitRound() {
        follower.phase = .newRound
        follower.context = nil
        follower.value = nil
        follower.sentObservation = nil
        follower.dropPools(through: committedSequenceNumber)
        if follower.hasWork { sendWorkHint() }
        leaderMayStartRound()
        beginRoundIfStarted()
    }

    mutating func roundStart(from: Int, _ message: RoundStart, _ seal: Seal) {
        guard from == leader else { return refuse(.notFromLeader, from: from, "round start") }
        guard message.sequenceNumber > committedSequenceNumber else {
            return refuse(.staleSequenceNumber, from: from, "round start \(message.sequenceNumber)")
        }
        switch follower.roundStarts.insert(message.sequenceNumber, (message, seal)) {
        case .inserted:
            noticeRound(message.sequenceNumber)
            beginRoundIfStarted()
        case .occupied(let known):
            checkEquivocation(.roundStart, known.seal, seal)
            noticeRound(message.sequenceNumber)
            refuse(.duplicate, from: from, "round start \(message.sequenceNumber)")
        case .full:
            refuse(.displaced, from: from, "round start \(message.sequenceNumber)")
        }
    }

    private mutating func beginRoundIfStarted() {
        let next = committedSequenceNumber + 1
        guard follower.phase == .newRound, next >= follower.first, let (start, seal) = follower.roundStarts[next] else {
            return
        }
        guard verifies(seal, .roundStart, by: leader) else {
            follower.phase = .finished
            return refuse(.badSignature, from: leader, "round start \(next)")
        }
        follower.context = RoundContext(sequenceNumber: next, previousOutcome: committedOutcome, query: start.query)
        follower.phase = .awaitingObservation
        follower.hasWork = false
        follower.hinted = false
        if mayVote(in: epoch) {
            actions.append(
                .requestObservation(
                    RoundTag(epoch: epoch, sequenceNumber: next), previousOutcome: committedOutcome, query: start.query)
            )
        }
        voteForProposalIfPresent()
    }

    // MARK: Observation

    mutating func observationReady(_ tag: RoundTag, _ observation: [UInt8]) {
        guard tag.epoch == epoch, let context = follower.context, context.sequenceNumber == tag.sequenceNumber,
            follower.sentObservation == nil, follower.phase != .finished
        else { return refuse(.stalePluginResult, from: nil, "observation for \(tag)") }
        guard observation.count <= configuration.sizes.observation else {
            refuse(.observationTooLarge, from: nil, "\(observation.count) bytes")
            return alarm(.pluginFailed(what: "observation of \(observation.count) bytes"))
        }
        let signature = crypto.offchain.sign(
            statements.observation(
                epoch: epoch, sequenceNumber: tag.sequenceNumber, query: context.query, observation: observation))
        let message = ObservationMessage(
            epoch: epoch, sequenceNumber: tag.sequenceNumber, observation: observation, signature: signature)
        follower.sentObservation = message
        if follower.phase == .awaitingObservation { follower.phase = .sentObservation }
        send(.observation(message), to: leader)
    }

    mutating func observationFailed(_ tag: RoundTag, _ reason: String) {
        refuse(.pluginFailed, from: nil, "observation for \(tag): \(reason)")
    }

    // MARK: Proposal

    mutating func proposal(from: Int, _ message: Proposal, _ seal: Seal) {
        guard from == leader else { return refuse(.notFromLeader, from: from, "proposal") }
        guard message.sequenceNumber > committedSequenceNumber else {
            return refuse(.staleSequenceNumber, from: from, "proposal \(message.sequenceNumber)")
        }
        switch follower.proposals.insert(message.sequenceNumber, (message, seal)) {
        case .inserted:
            noticeRound(message.sequenceNumber)
            voteForProposalIfPresent()
        case .occupied(let known):
            checkEquivocation(.proposal, known.seal, seal)
            refuse(.duplicate, from: from, "proposal \(message.sequenceNumber)")
        case .full:
            refuse(.displaced, from: from, "proposal \(message.sequenceNumber)")
        }
    }

    /// The own observation need not be ready: the vote does not depend on it, and the oracle is merely slow.
    private mutating func voteForProposalIfPresent() {
        guard follower.phase == .awaitingObservation || follower.phase == .sentObservation,
            let context = follower.context, let (proposal, seal) = follower.proposals[context.sequenceNumber]
        else { return }
        guard verifies(seal, .proposal, by: leader) else {
            follower.phase = .finished
            return refuse(.badSignature, from: leader, "proposal \(context.sequenceNumber)")
        }
        if let flaw = flaw(in: proposal, context) {
            follower.phase = .finished
            return refuse(.badProposal, from: leader, flaw)
        }
        let observations = proposal.observations.map(\.attributed)
        do {
            let outcome = try plugin.outcome(observations, in: context)
            guard outcome.count <= configuration.sizes.outcome else {
                return pluginFailedInRound("outcome of \(outcome.count) bytes")
            }
            beginVoting(
                Follower.Value(
                    sequenceNumber: context.sequenceNumber,
                    inputsDigest: statements.inputsDigest(epoch: epoch, context, observations), outcome: outcome,
                    outcomeDigest: statements.outcomeDigest(outcome)))
        } catch {
            pluginFailedInRound("outcome: \(error)")
        }
    }

    /// No vote: the round fails by timeout.
    private mutating func pluginFailedInRound(_ what: String) {
        follower.phase = .finished
        refuse(.pluginFailed, from: nil, what)
        alarm(.pluginFailed(what: what))
    }

    /// What is wrong with a proposal; nil when it may be voted for.
    func flaw(in proposal: Proposal, _ context: RoundContext) -> String? {
        let items = proposal.observations
        guard zip(items, items.dropFirst()).allSatisfy({ $0.observer < $1.observer }) else {
            return "observers are not ascending and distinct"
        }
        for item in items {
            let message = statements.observation(
                epoch: proposal.epoch, sequenceNumber: proposal.sequenceNumber, query: context.query,
                observation: item.observation)
            guard crypto.offchain.verify(item.signature, message, oracle: item.observer) else {
                return "the observation of oracle \(item.observer) is not signed for this round"
            }
            do {
                try plugin.validateObservation(item.attributed, in: context)
            } catch {
                return "the observation of oracle \(item.observer) is invalid: \(error)"
            }
        }
        guard plugin.observationQuorum(items.map(\.attributed), in: context) else {
            return "\(items.count) observations are no quorum"
        }
        return nil
    }

    // MARK: Work

    mutating func workAvailable() {
        if leading != nil {
            leading?.workPending = true
            startRoundIfDue()
        } else {
            follower.hasWork = true
            sendWorkHint()
        }
    }

    private mutating func sendWorkHint() {
        guard leader != ownIndex, !follower.hinted else { return }
        guard follower.phase != .newEpoch, follower.phase != .finished else { return }
        follower.hinted = true
        send(.workHint(epoch: epoch), to: leader)
    }

    // MARK: Repetition and evidence

    mutating func resendAsFollower() {
        switch follower.phase {
        case .newEpoch:
            if leader != ownIndex { sendEpochStartRequest() }
        case .newRound:
            if follower.hinted { send(.workHint(epoch: epoch), to: leader) }
        case .awaitingObservation, .finished:
            break
        case .sentObservation:
            if leader != ownIndex, let message = follower.sentObservation { send(.observation(message), to: leader) }
        case .sentPrepare:
            resend(durable.prepareVote)
        case .sentCommit:
            resend(durable.commitVote)
        }
    }

    private mutating func resend(_ vote: VoteRecord?) {
        guard let vote, let value = follower.value, vote.position == (epoch, value.sequenceNumber) else { return }
        rebroadcast(.vote(VoteMessage(vote, resent: true)))
    }

    func verifies(_ seal: Seal, _ kind: SealedKind, by oracle: Int) -> Bool {
        crypto.offchain.verify(seal.signature, statements.sealed(kind, body: seal.body), oracle: oracle)
    }

    /// Two different bodies for one slot, both signed by the leader, are transferable evidence.
    private mutating func checkEquivocation(_ kind: SealedKind, _ known: Seal, _ other: Seal) {
        guard known.body != other.body, !reportedEquivocations.contains("\(leader) \(kind.rawValue)") else { return }
        guard verifies(known, kind, by: leader), verifies(other, kind, by: leader) else { return }
        reportEquivocation(accused: leader, kind.rawValue, known.body + known.signature, other.body + other.signature)
    }
}

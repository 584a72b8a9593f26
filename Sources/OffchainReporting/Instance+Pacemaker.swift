// Epochs: start and restart, wishes, entering an epoch, repeating what may have been lost (2.7, 2.13 of the off-chain
// specification), and the epoch barrier after a loss of the store (2.9).

extension Instance {
    // MARK: Start

    mutating func start(_ restored: RestoredState) {
        var resumed = true
        switch restored {
        case .fresh:
            durable = .fresh
            resumed = false
            persist([.pacemaker(durable.pacemaker)])
        case .intact(let state):
            durable = state
            checkStoredCertificates()
        case .lost:
            durable = .fresh
            durable.pacemaker.learningFloor = true
            persist([.pacemaker(durable.pacemaker)])
        }
        if isListening { alarm(.listening) }
        broadcastWish()
        setTimer(.resend, after: configuration.timing.deltaResend)
        enterEpoch(resumed: resumed)
        if let committed = durable.committed { attest(committed, resumed: true) }
    }

    /// A store can be damaged in ways that decode: certificates are verified again before anything relies on them.
    private mutating func checkStoredCertificates() {
        let preparedValid = durable.prepared.map { statements.verifies($0) } ?? true
        let committedValid = durable.committed.map { statements.verifies($0) } ?? true
        if !preparedValid { durable.prepared = nil }
        if !committedValid { durable.committed = nil }
        if !preparedValid || !committedValid { halt("a stored certificate does not verify") }
    }

    // MARK: Wishes

    /// tProgress, tInitial or the end of a full epoch.
    mutating func requestNewEpoch() {
        cancelTimer(.progress)
        raiseWish(to: epoch + 1)
        broadcastWish()
    }

    mutating func newEpochWish(from: Int, _ wished: UInt64) {
        if wished < epoch, from != ownIndex {
            // A peer that comes back learns the cluster's epoch without waiting for the next repetition.
            send(.newEpochWish(epoch: durable.pacemaker.wish), to: from)
        }
        guard wished > wishes[from] else { return }
        wishes[from] = wished
        learnVotingFloor()
        let amplified = supportedEpoch(by: configuration.oneHonest)
        if amplified > durable.pacemaker.wish {
            raiseWish(to: amplified)
            broadcastWish()
        }
        let agreed = supportedEpoch(by: configuration.quorum)
        if agreed > epoch { switchEpoch(to: agreed) }
    }

    /// Largest epoch that at least `supporters` oracles wished for or exceeded.
    private func supportedEpoch(by supporters: Int) -> UInt64 {
        wishes.sorted(by: >)[supporters - 1]
    }

    private mutating func raiseWish(to wish: UInt64) {
        guard wish > durable.pacemaker.wish else { return }
        var record = durable.pacemaker
        record.wish = wish
        persist([.pacemaker(record)])
    }

    private mutating func broadcastWish() {
        broadcast(.newEpochWish(epoch: durable.pacemaker.wish))
    }

    // MARK: Epochs

    private mutating func switchEpoch(to agreed: UInt64) {
        var record = durable.pacemaker
        record.epoch = agreed
        record.wish = max(record.wish, agreed)
        persist([.pacemaker(record)])
        enterEpoch(resumed: false)
    }

    /// The stored epoch is durable before anything is sent that belongs to it.
    private mutating func enterEpoch(resumed: Bool) {
        epoch = durable.pacemaker.epoch
        leader = configuration.leader(of: epoch, hashing: crypto.hashing)
        follower = Follower(count: configuration.count)
        leading = leader == ownIndex ? Leading(count: configuration.count) : nil
        reportedEquivocations = []
        cancelTimer(.round)
        cancelTimer(.grace)
        setTimer(.progress, after: configuration.timing.deltaProgress)
        setTimer(.initial, after: configuration.timing.deltaInitial)
        actions.append(.epochEntered(epoch: epoch, leader: leader))
        if resumed, leading != nil {
            // It may have led this epoch before the crash and does not remember what it said: leading again could look
            // like equivocation. The epoch is given up at once.
            leading?.phase = .abstaining
            requestNewEpoch()
        }
        sendEpochStartRequest()
        for sender in buffers.indices {
            for message in buffers[sender].take(epoch) { route(message, from: sender, cost: 0) }
        }
    }

    /// Signs this oracle's highest timestamp: also the promise not to vote below this epoch any more.
    mutating func sendEpochStartRequest() {
        guard mayVote(in: epoch) else { return }
        let certificate = durable.highestCertificate
        let signature = crypto.offchain.sign(statements.timestamp(epoch: epoch, certificate.timestamp))
        let request = EpochStartRequest(epoch: epoch, certificate: certificate, timestampSignature: signature)
        send(.epochStartRequest(request), to: leader)
    }

    // MARK: Repetition

    /// Best-effort links lose messages: the wish and the latest message of the current phase are repeated (2.16).
    mutating func resend() {
        setTimer(.resend, after: configuration.timing.deltaResend)
        rebroadcast(.newEpochWish(epoch: durable.pacemaker.wish))
        resendAsFollower()
        resendAsLeader()
        resendReportSignatures()
    }

    // MARK: Loss of the store

    /// Whether this oracle takes part without voting (2.9, rules 2 and 3).
    var isListening: Bool { !mayVote(in: durable.pacemaker.epoch) && !durable.pacemaker.halted }

    /// The voting floor has been passed *and* a commit certificate from above it is held: the lost lock cannot have
    /// been higher than that.
    func mayVote(in epoch: UInt64) -> Bool {
        let pacemaker = durable.pacemaker
        guard !pacemaker.halted, !pacemaker.learningFloor else { return false }
        guard pacemaker.votingFloor > 0 else { return true }
        return epoch >= pacemaker.votingFloor && (durable.committed?.epoch ?? 0) >= pacemaker.votingFloor
    }

    /// Highest wish among 2F+1 peers bounds every epoch this oracle can have voted in.
    private mutating func learnVotingFloor() {
        guard durable.pacemaker.learningFloor else { return }
        let peers = wishes.indices.filter { $0 != ownIndex && wishes[$0] > 0 }
        guard peers.count >= configuration.quorum else { return }
        var record = durable.pacemaker
        record.learningFloor = false
        record.votingFloor = (wishes.max() ?? epoch) + 2
        persist([.pacemaker(record)])
    }

    /// Stops voting for good, durably. The oracle goes on listening, attesting and transmitting.
    mutating func halt(_ reason: String) {
        guard !durable.pacemaker.halted else { return }
        var record = durable.pacemaker
        record.halted = true
        persist([.pacemaker(record)])
        alarm(.votingHalted(reason: reason))
    }
}

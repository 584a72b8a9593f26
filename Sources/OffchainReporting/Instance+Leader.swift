// Leader side of outcome generation (2.8.1 of the off-chain specification). A round starts as soon as there is work and
// deltaRound has passed, else after the idle interval; grace ends early when nobody who answered last time is missing.

struct Leading: Sendable {
    enum Phase: Sendable {
        case collecting
        /// EpochStart is out.
        case started
        /// Between rounds.
        case ready
        case observing
        case grace
        case proposed
        /// RMax outcomes are committed.
        case finished
        /// Restarted in an epoch that it may have led already.
        case abstaining
    }

    var phase = Phase.collecting
    var requests: [EpochStartRequest?]
    var badRequests: [Bool]
    var lateAnswers: [Int]
    var epochStart: Message?
    var roundStart: Message?
    var proposal: Message?
    var context: RoundContext?
    var observations: [SignedObservation?]
    var badObservers: [Bool]
    /// Who observed in the previous round, also when too late: grace waits for these only.
    var responsive: [Bool]
    /// A new leader does not know what is pending: its first round starts at once.
    var workPending = true

    init(count: Int) {
        requests = [EpochStartRequest?](repeating: nil, count: count)
        badRequests = [Bool](repeating: false, count: count)
        lateAnswers = [Int](repeating: 0, count: count)
        observations = [SignedObservation?](repeating: nil, count: count)
        badObservers = badRequests
        responsive = [Bool](repeating: true, count: count)
    }
}

extension Instance {
    // MARK: Start of the epoch

    mutating func epochStartRequest(from: Int, _ request: EpochStartRequest) {
        guard let current = leading else { return refuse(.notLeading, from: from, "epoch start request") }
        switch current.phase {
        case .collecting: break
        case .abstaining, .finished: return refuse(.wrongPhase, from: from, "epoch start request")
        case .started, .ready, .observing, .grace, .proposed: return answerLate(from)
        }
        guard current.requests[from] == nil, !current.badRequests[from] else {
            return refuse(.duplicate, from: from, "epoch start request")
        }
        let message = statements.timestamp(epoch: epoch, request.certificate.timestamp)
        guard crypto.offchain.verify(request.timestampSignature, message, oracle: from) else {
            leading?.badRequests[from] = true
            return refuse(.timestampMismatch, from: from, "the timestamp of its certificate is not what it signed")
        }
        leading?.requests[from] = request
        startEpochIfQuorum()
    }

    private mutating func startEpochIfQuorum() {
        while let current = leading {
            let good = current.requests.indices.filter { current.requests[$0] != nil && !current.badRequests[$0] }
            guard good.count >= configuration.quorum else { return }
            let requests = good.compactMap { index in current.requests[index].map { (oracle: index, request: $0) } }
            guard var best = requests.first else { return }
            for item in requests where item.request.certificate.timestamp > best.request.certificate.timestamp {
                best = item
            }
            guard statements.verifies(best.request.certificate) else {
                leading?.badRequests[best.oracle] = true
                refuse(.badCertificate, from: best.oracle, "epoch start request")
                continue
            }
            let others = requests.filter { $0.oracle != best.oracle }.prefix(configuration.quorum - 1)
            let members = (others + [best]).sorted { $0.oracle < $1.oracle }
            let start = EpochStart(
                epoch: epoch, certificate: best.request.certificate,
                timestamps: members.map {
                    SignedTimestamp(
                        oracle: $0.oracle, timestamp: $0.request.certificate.timestamp,
                        signature: $0.request.timestampSignature)
                })
            guard proves(start) else { impossible("own epoch start does not prove itself") }
            let message = Message.epochStart(start, seal(.epochStart, codec.body(start)))
            leading?.epochStart = message
            leading?.phase = .started
            broadcast(message)
            return
        }
    }

    /// A follower that missed the start of the epoch, or restarted in it, gets what is current.
    private mutating func answerLate(_ peer: Int) {
        guard let current = leading, peer != ownIndex else { return }
        guard current.lateAnswers[peer] < Limits.lateEpochStartAnswersPerPeer else {
            return refuse(.servedEnough, from: peer, "epoch start")
        }
        leading?.lateAnswers[peer] += 1
        for message in [current.epochStart, current.roundStart, current.proposal] {
            if let message { send(message, to: peer) }
        }
    }

    // MARK: Rounds

    /// The own follower is ready for the next round.
    mutating func leaderMayStartRound() {
        guard let current = leading else { return }
        switch current.phase {
        case .collecting, .finished, .abstaining: return
        case .started, .ready, .observing, .grace, .proposed: break
        }
        if current.phase != .started, plugin.continues(after: committedOutcome) { leading?.workPending = true }
        cancelTimer(.grace)
        leading?.phase = .ready
        leading?.context = nil
        leading?.roundStart = nil
        leading?.proposal = nil
        startRoundIfDue()
    }

    mutating func leaderEpochFinished() {
        guard leading != nil else { return }
        leading?.phase = .finished
        cancelTimer(.grace)
        cancelTimer(.round)
    }

    mutating func workHint(from: Int) {
        guard leading != nil else { return refuse(.notLeading, from: from, "work hint") }
        leading?.workPending = true
        startRoundIfDue()
    }

    mutating func startRoundIfDue() {
        guard let current = leading, current.phase == .ready, follower.phase == .newRound else { return }
        let interval = current.workPending ? configuration.timing.deltaRound : configuration.timing.deltaIdle
        let due = lastRoundStart.map { $0 + interval } ?? now
        guard now >= due else { return setTimer(.round, after: due - now) }
        cancelTimer(.round)
        startRound(committedSequenceNumber + 1)
    }

    private mutating func startRound(_ sequenceNumber: UInt64) {
        let count = configuration.count
        var query = plugin.query(previousOutcome: committedOutcome, sequenceNumber: sequenceNumber)
        if query.count > configuration.sizes.query {
            alarm(.pluginFailed(what: "query of \(query.count) bytes"))
            query = []
        }
        let start = RoundStart(epoch: epoch, sequenceNumber: sequenceNumber, query: query)
        let message = Message.roundStart(start, seal(.roundStart, codec.body(start)))
        let context = RoundContext(
            sequenceNumber: sequenceNumber, previousOutcome: committedOutcome, query: query)
        lastRoundStart = now
        leading?.workPending = false
        leading?.phase = .observing
        leading?.roundStart = message
        leading?.proposal = nil
        leading?.context = context
        leading?.observations = [SignedObservation?](repeating: nil, count: count)
        leading?.badObservers = [Bool](repeating: false, count: count)
        broadcast(message)
    }

    mutating func observation(from: Int, _ message: ObservationMessage) {
        guard let current = leading else { return refuse(.notLeading, from: from, "observation") }
        guard current.phase == .observing || current.phase == .grace, let context = current.context,
            context.sequenceNumber == message.sequenceNumber
        else {
            let isLate =
                message.sequenceNumber >= committedSequenceNumber
                && message.sequenceNumber <= committedSequenceNumber + 1
            if isLate { leading?.responsive[from] = true }
            return refuse(.wrongPhase, from: from, "observation \(message.sequenceNumber)")
        }
        guard current.observations[from] == nil, !current.badObservers[from] else {
            return refuse(.duplicate, from: from, "observation \(message.sequenceNumber)")
        }
        let signed = statements.observation(
            epoch: epoch, sequenceNumber: message.sequenceNumber, query: context.query, observation: message.observation
        )
        guard crypto.offchain.verify(message.signature, signed, oracle: from) else {
            leading?.badObservers[from] = true
            refuse(.badSignature, from: from, "observation \(message.sequenceNumber)")
            return endGraceIfComplete()
        }
        let item = SignedObservation(observer: from, observation: message.observation, signature: message.signature)
        do {
            try plugin.validateObservation(item.attributed, in: context)
        } catch {
            leading?.badObservers[from] = true
            refuse(.badObservation, from: from, "\(error)")
            return endGraceIfComplete()
        }
        leading?.observations[from] = item
        if current.phase == .observing, plugin.observationQuorum(acceptedObservations.map(\.attributed), in: context) {
            leading?.phase = .grace
            setTimer(.grace, after: configuration.timing.deltaGrace)
        }
        endGraceIfComplete()
    }

    /// Ascending by observer.
    private var acceptedObservations: [SignedObservation] { (leading?.observations ?? []).compactMap { $0 } }

    private mutating func endGraceIfComplete() {
        guard let current = leading, current.phase == .grace else { return }
        let missing = current.observations.indices.contains {
            current.responsive[$0] && current.observations[$0] == nil && !current.badObservers[$0]
        }
        if !missing { propose() }
    }

    /// tGrace, or nobody is missing.
    mutating func propose() {
        guard let current = leading, current.phase == .grace, let context = current.context else { return }
        cancelTimer(.grace)
        let proposal = Proposal(
            epoch: epoch, sequenceNumber: context.sequenceNumber, observations: acceptedObservations)
        let message = Message.proposal(proposal, seal(.proposal, codec.body(proposal)))
        leading?.phase = .proposed
        leading?.proposal = message
        leading?.responsive = current.observations.map { $0 != nil }
        broadcast(message)
    }

    // MARK: Repetition

    mutating func resendAsLeader() {
        guard let current = leading else { return }
        switch current.phase {
        case .collecting, .ready, .finished, .abstaining:
            break
        case .started:
            if let message = current.epochStart { rebroadcast(message) }
        case .observing, .grace:
            if let message = current.roundStart { rebroadcast(message) }
        case .proposed:
            if let message = current.roundStart { rebroadcast(message) }
            if let message = current.proposal { rebroadcast(message) }
        }
    }

    private func seal(_ kind: SealedKind, _ body: [UInt8]) -> Seal {
        Seal(body: body, signature: crypto.offchain.sign(statements.sealed(kind, body: body)))
    }
}

// One reporting instance: pacemaker, outcome generation (leader and follower), attestation and transmission as a value.
// Here: the state, the entry point, routing of events. No clock, task, lock, I/O or unordered iteration anywhere in it.

/// The agreement protocol of one (destination, plugin) under one configuration digest, chapter 2 of the off-chain
/// specification in its profile A (12.2).
///
/// `handle` is total for hostile input: it is refused by name and counted. An impossible transition stops the process
/// with the state printed. See `Action` for the contract of the edge that performs what is returned.
package struct Instance: Sendable {
    package let configuration: InstanceConfiguration
    let plugin: any ReportingPlugin
    let crypto: Cryptography
    let statements: Statements
    let codec: WireCodec

    /// Mirror of the store: what all `persist` actions so far have written.
    package internal(set) var durable = DurableState.fresh
    package internal(set) var epoch: UInt64 = 0
    package internal(set) var leader = 0
    /// Number of refused inputs by code.
    package internal(set) var refusals: [Refusal.Code: UInt64] = [:]

    var started = false
    var now: Milliseconds = 0
    var timers: [TimerID: Milliseconds] = [:]
    var actions: [Action] = []
    /// Messages to this oracle itself, handled before `handle` returns.
    var loopback: [Message] = []

    /// wishes[j]: highest epoch oracle j wished for.
    var wishes: [UInt64]
    /// Messages of later epochs, per sender.
    var buffers: [SenderBuffer]
    var follower: Follower
    var leading: Leading?
    /// When this oracle last started a round, to keep deltaRound over epochs.
    var lastRoundStart: Milliseconds?
    var attestation: Attestation
    var transmission = Transmission()
    /// Pairs already reported as equivocation in this epoch, to report each once.
    var reportedEquivocations: Set<String> = []

    package init(configuration: InstanceConfiguration, plugin: any ReportingPlugin, crypto: Cryptography) {
        self.configuration = configuration
        self.plugin = plugin
        self.crypto = crypto
        statements = Statements(configuration: configuration, crypto: crypto)
        codec = WireCodec(configuration: configuration)
        wishes = [UInt64](repeating: 0, count: configuration.count)
        buffers = [SenderBuffer](repeating: SenderBuffer(), count: configuration.count)
        follower = Follower(count: configuration.count)
        attestation = Attestation(count: configuration.count)
    }

    /// Sequence number of the last committed outcome; 0 before the first.
    package var committedSequenceNumber: UInt64 { durable.committed?.sequenceNumber ?? 0 }
    /// Empty before the first commit.
    package var committedOutcome: [UInt8] { durable.committed?.outcome ?? [] }
    /// Whether this oracle casts votes in its current epoch.
    package var isVoting: Bool { mayVote(in: epoch) }
    /// For logs and traps.
    package var summary: String {
        "oracle \(configuration.ownIndex) epoch \(epoch) wish \(durable.pacemaker.wish) leader \(leader) "
            + "phase \(follower.phase) leading \(leading.map { "\($0.phase)" } ?? "no") "
            + "committed \(committedSequenceNumber)"
    }

    var ownIndex: Int { configuration.ownIndex }

    /// Advances the machine by one event at monotonic time `now`; perform the actions in order.
    package mutating func handle(_ event: Event, at now: Milliseconds) -> [Action] {
        self.now = max(self.now, now)
        actions = []
        if case .started(let restored) = event {
            guard !started else { impossible("a second start") }
            started = true
            start(restored)
        } else {
            guard started else { impossible("\(event) before the start") }
            dispatch(event)
        }
        drainLoopback()
        checkInvariants()
        defer { actions = [] }
        return actions
    }

    private mutating func dispatch(_ event: Event) {
        switch event {
        case .started: impossible("a second start")
        case .message(let from, let bytes): receive(from: from, bytes: bytes)
        case .timerFired(let id): fire(id)
        case .observationReady(let tag, let bytes): observationReady(tag, bytes)
        case .observationFailed(let tag, let reason): observationFailed(tag, reason)
        case .workAvailable: workAvailable()
        case .acceptanceAnswered(let key, let accepted): acceptanceAnswered(key, accepted)
        case .transmissionAnswered(let key, let wanted): transmissionAnswered(key, wanted)
        case .reportsDelivered(let sequenceNumber, let count): reportsDelivered(sequenceNumber, count)
        }
    }

    // MARK: Messages

    private mutating func receive(from: Int, bytes: [UInt8]) {
        guard configuration.oracles.indices.contains(from) else {
            return refuse(.senderOutOfRange, from: from, "sender \(from)")
        }
        guard from != ownIndex else {
            return refuse(.senderIsSelf, from: from, "own messages never come from the network")
        }
        do {
            route(try codec.decode(bytes), from: from, cost: bytes.count)
        } catch {
            refuse(error.code, from: from, error.detail)
        }
    }

    /// Epoch filter (2.6): lower dropped, current handled, higher buffered.
    mutating func route(_ message: Message, from: Int, cost: Int) {
        if let messageEpoch = message.epoch {
            guard messageEpoch >= epoch else {
                return refuse(.staleEpoch, from: from, "epoch \(messageEpoch) below \(epoch)")
            }
            guard messageEpoch == epoch else {
                let displaced = buffers[from].append(
                    message, epoch: messageEpoch, cost: cost, bytesMaximum: 2 * configuration.messageBytesMaximum)
                for _ in 0..<displaced { refuse(.displaced, from: from, "buffer of later epochs is full") }
                return
            }
        }
        handle(message, from: from)
    }

    private mutating func handle(_ message: Message, from: Int) {
        switch message {
        case .newEpochWish(let wished): newEpochWish(from: from, wished)
        case .epochStartRequest(let request): epochStartRequest(from: from, request)
        case .epochStart(let message, let seal): epochStart(from: from, message, seal)
        case .roundStart(let message, let seal): roundStart(from: from, message, seal)
        case .observation(let message): observation(from: from, message)
        case .proposal(let message, let seal): proposal(from: from, message, seal)
        case .vote(let message): vote(from: from, message)
        case .reportSignatures(let message): reportSignatures(from: from, message)
        case .certifiedCommitRequest(let sequenceNumber): certifiedCommitRequest(from: from, sequenceNumber)
        case .certifiedCommit(let certificate): certifiedCommit(from: from, certificate)
        case .workHint: workHint(from: from)
        }
    }

    private mutating func drainLoopback() {
        var next = 0
        while next < loopback.count {
            let message = loopback[next]
            next += 1
            route(message, from: ownIndex, cost: 0)
        }
        loopback = []
    }

    // MARK: Effects

    mutating func broadcast(_ message: Message) {
        actions.append(.broadcast(bytes: codec.encode(message)))
        loopback.append(message)
    }

    /// To others only, for repetitions: this oracle has handled its own copy.
    mutating func rebroadcast(_ message: Message) {
        actions.append(.broadcast(bytes: codec.encode(message)))
    }

    mutating func send(_ message: Message, to oracle: Int) {
        if oracle == ownIndex {
            loopback.append(message)
        } else {
            actions.append(.send(to: oracle, bytes: codec.encode(message)))
        }
    }

    /// One transaction. The mirror changes at once; the edge stops before anything that follows if the write fails.
    mutating func persist(_ records: [DurableRecord]) {
        guard !records.isEmpty else { return }
        for record in records { durable.apply(record) }
        actions.append(.persist(records))
    }

    mutating func setTimer(_ id: TimerID, after delay: Milliseconds) {
        let deadline = now + delay
        timers[id] = deadline
        actions.append(.setTimer(id, deadline: deadline))
    }

    mutating func cancelTimer(_ id: TimerID) {
        guard timers.removeValue(forKey: id) != nil else { return }
        actions.append(.cancelTimer(id))
    }

    mutating func refuse(_ code: Refusal.Code, from: Int?, _ detail: String) {
        refusals[code, default: 0] += 1
        actions.append(.refused(Refusal(code: code, from: from, detail: detail)))
    }

    mutating func alarm(_ alarm: Alarm) {
        actions.append(.alarm(alarm))
    }

    /// Reports two signed statements that exclude each other, once per epoch, oracle and kind.
    mutating func reportEquivocation(accused: Int, _ what: String, _ first: [UInt8], _ second: [UInt8]) {
        guard reportedEquivocations.insert("\(accused) \(what)").inserted else { return }
        alarm(.equivocation(accused: accused, what: what, first: first, second: second))
    }

    // MARK: Timers

    private mutating func fire(_ id: TimerID) {
        guard let deadline = timers[id], deadline <= now else { return }
        timers[id] = nil
        switch id {
        case .progress: requestNewEpoch()
        case .resend: resend()
        case .initial: requestNewEpoch()
        case .round: startRoundIfDue()
        case .grace: propose()
        case .certificateRequest: requestMissingCertificate()
        case .transmission(let key): transmissionDue(key)
        case .attestation(let sequenceNumber): attestInTurn(sequenceNumber)
        }
    }

    // MARK: Traps

    func impossible(_ what: String) -> Never {
        fatalError("impossible transition: \(what); \(summary)")
    }

    /// Invariants that one oracle can check by itself (I1, I3a, I9, 2.17).
    private func checkInvariants() {
        guard durable.pacemaker.wish >= durable.pacemaker.epoch, durable.pacemaker.epoch == epoch else {
            impossible("wish \(durable.pacemaker.wish), stored epoch \(durable.pacemaker.epoch)")
        }
        guard (durable.prepareVote?.epoch ?? 0) <= epoch, (durable.commitVote?.epoch ?? 0) <= epoch else {
            impossible("a vote above the entered epoch")
        }
    }
}

/// Ring of messages of later epochs from one sender (2.6): bounded in number and bytes, the oldest is displaced.
struct SenderBuffer: Sendable {
    private(set) var items: [(epoch: UInt64, message: Message, cost: Int)] = []
    private var bytes = 0

    /// Returns how many messages were displaced.
    mutating func append(_ message: Message, epoch: UInt64, cost: Int, bytesMaximum: Int) -> Int {
        items.append((epoch, message, cost))
        bytes += cost
        var displaced = 0
        while items.count > Limits.bufferedMessagesPerSender || bytes > bytesMaximum {
            bytes -= items.removeFirst().cost
            displaced += 1
        }
        return displaced
    }

    /// Takes the messages of `epoch` in arrival order and forgets those of lower epochs.
    mutating func take(_ epoch: UInt64) -> [Message] {
        let taken = items.filter { $0.epoch == epoch }.map(\.message)
        items.removeAll { $0.epoch <= epoch }
        bytes = items.reduce(0) { $0 + $1.cost }
        return taken
    }
}

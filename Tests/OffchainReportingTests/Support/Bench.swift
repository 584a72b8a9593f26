// One instance under test and the keys of everybody else: scripted situations, message by message.

@testable import OffchainReporting

struct Bench {
    let configuration: InstanceConfiguration
    let codec: WireCodec
    let plugin: ToyPlugin
    var instance: Instance
    var now: UInt64 = 0
    /// All actions since the last start.
    var actions: [Action] = []
    /// Rows as the edge would have written them.
    var rows: [DurableRecord.Slot: [UInt8]] = [:]

    /// `leads`: whether the instance under test leads epoch 1.
    init(
        leads: Bool = false, restored: RestoredState = .fresh, timing: Timing = toyTiming(), attestsByTurn: Bool = false,
        kept: UInt8? = nil
    ) throws {
        let leader = try toyConfiguration().leader(of: 1, hashing: toyHashing)
        configuration = try toyConfiguration(own: leads ? leader : (leader + 1) % 4, timing: timing)
        codec = WireCodec(configuration: configuration)
        plugin = ToyPlugin(quorum: configuration.quorum, attestsByTurn: attestsByTurn, kept: kept)
        instance = Instance(
            configuration: configuration, plugin: plugin, crypto: toyCryptography(configuration.ownIndex))
        handle(.started(restored))
    }

    var own: Int { configuration.ownIndex }
    var leader: Int { instance.leader }
    var peers: [Int] { (0..<4).filter { $0 != own } }
    /// A peer that does not lead epoch 1.
    var bystander: Int { peers.first { $0 != leader } ?? 0 }

    @discardableResult
    mutating func handle(_ event: Event) -> [Action] {
        let new = instance.handle(event, at: now)
        for action in new {
            if case .persist(let records) = action {
                for record in records { rows[record.slot] = record.encoded(for: configuration.digest) }
            }
        }
        actions += new
        return new
    }

    @discardableResult
    mutating func deliver(_ message: Message, from: Int) -> [Action] {
        handle(.message(from: from, bytes: codec.encode(message)))
    }

    /// Crash and start from the rows.
    mutating func restart(_ change: (inout DurableState) -> Void = { _ in }) throws {
        guard var state = try DurableState.restoring(Array(rows.values), for: configuration.digest) else { return }
        change(&state)
        instance = Instance(configuration: configuration, plugin: plugin, crypto: toyCryptography(own))
        actions = []
        handle(.started(.intact(state)))
    }

    func refusals(_ code: Refusal.Code) -> UInt64 { instance.refusals[code] ?? 0 }

    /// Messages sent in these actions.
    func sent(_ actions: [Action]) -> [Message] {
        actions.compactMap {
            switch $0 {
            case .send(_, let bytes), .broadcast(let bytes): return try? codec.decode(bytes)
            default: return nil
            }
        }
    }

    func votes(_ actions: [Action], _ kind: VoteKind) -> [VoteMessage] {
        sent(actions).compactMap { message in
            if case .vote(let vote) = message, vote.kind == kind { return vote }
            return nil
        }
    }

    // MARK: Messages of others

    func statements(_ oracle: Int) -> Statements {
        Statements(configuration: configuration, crypto: toyCryptography(oracle))
    }

    func sign(_ oracle: Int, _ message: [UInt8]) -> [UInt8] { ToyScheme(kind: 1, own: oracle).sign(message) }

    func seal(_ oracle: Int, _ kind: SealedKind, _ body: [UInt8]) -> Seal {
        Seal(body: body, signature: sign(oracle, statements(oracle).sealed(kind, body: body)))
    }

    func timestamp(_ oracle: Int, _ timestamp: CertificateTimestamp = .genesis, epoch: UInt64 = 1) -> SignedTimestamp {
        SignedTimestamp(
            oracle: oracle, timestamp: timestamp,
            signature: sign(oracle, statements(oracle).timestamp(epoch: epoch, timestamp)))
    }

    func epochStart(
        _ certificate: Certificate = .genesis, timestamps: [SignedTimestamp]? = nil, epoch: UInt64 = 1,
        by oracle: Int? = nil
    ) -> Message {
        let proof = timestamps ?? (0..<3).map { timestamp($0, certificate.timestamp, epoch: epoch) }
        let start = EpochStart(epoch: epoch, certificate: certificate, timestamps: proof)
        return .epochStart(start, seal(oracle ?? leader, .epochStart, codec.body(start)))
    }

    func roundStart(_ sequenceNumber: UInt64, epoch: UInt64 = 1, by oracle: Int? = nil) -> Message {
        let start = RoundStart(epoch: epoch, sequenceNumber: sequenceNumber, query: [])
        return .roundStart(start, seal(oracle ?? leader, .roundStart, codec.body(start)))
    }

    func observation(
        _ observer: Int, _ sequenceNumber: UInt64, _ bytes: [UInt8], epoch: UInt64 = 1, query: [UInt8] = []
    ) -> SignedObservation {
        let message = statements(observer).observation(
            epoch: epoch, sequenceNumber: sequenceNumber, query: query, observation: bytes)
        return SignedObservation(observer: observer, observation: bytes, signature: sign(observer, message))
    }

    func observations(_ sequenceNumber: UInt64, salt: UInt8 = 0) -> [SignedObservation] {
        (0..<3).map { observation($0, sequenceNumber, [0xAA, UInt8($0), salt]) }
    }

    func proposal(_ sequenceNumber: UInt64, _ items: [SignedObservation], by oracle: Int? = nil) -> Message {
        let proposal = Proposal(epoch: 1, sequenceNumber: sequenceNumber, observations: items)
        return .proposal(proposal, seal(oracle ?? leader, .proposal, codec.body(proposal)))
    }

    /// The vote of a peer for the same choice.
    func vote(_ oracle: Int, like vote: VoteMessage, kind: VoteKind? = nil, outcome: Digest? = nil) -> Message {
        let kind = kind ?? vote.kind
        let inputs = kind == .commit ? Digest.zero : vote.inputsDigest
        let outcome = outcome ?? vote.outcomeDigest
        let message = statements(oracle).vote(
            kind, epoch: vote.epoch, sequenceNumber: vote.sequenceNumber, inputsDigest: inputs, outcomeDigest: outcome)
        return .vote(
            VoteMessage(
                kind: kind, epoch: vote.epoch, sequenceNumber: vote.sequenceNumber, inputsDigest: inputs,
                outcomeDigest: outcome, signature: sign(oracle, message), resent: false))
    }

    func committed(
        _ sequenceNumber: UInt64, _ outcome: [UInt8], epoch: UInt64 = 1, signers: [Int] = [0, 1, 2]
    ) -> CertifiedCommit {
        let digest = toyHashing.digest(outcome)
        return CertifiedCommit(
            epoch: epoch, sequenceNumber: sequenceNumber, outcome: outcome,
            signatures: signers.map { signer in
                let message = statements(signer).vote(
                    .commit, epoch: epoch, sequenceNumber: sequenceNumber, inputsDigest: .zero, outcomeDigest: digest)
                return AttributedSignature(signer: signer, signature: sign(signer, message))
            })
    }

    func prepared(
        _ sequenceNumber: UInt64, _ outcome: [UInt8], epoch: UInt64 = 1, signers: [Int] = [0, 1, 2]
    ) -> CertifiedPrepare {
        let digest = toyHashing.digest(outcome)
        return CertifiedPrepare(
            epoch: epoch, sequenceNumber: sequenceNumber, inputsDigest: toyDigest, outcome: outcome,
            signatures: signers.map { signer in
                let message = statements(signer).vote(
                    .prepare, epoch: epoch, sequenceNumber: sequenceNumber, inputsDigest: toyDigest,
                    outcomeDigest: digest)
                return AttributedSignature(signer: signer, signature: sign(signer, message))
            })
    }

    // MARK: Situations

    /// Up to the own prepare vote of sequence number 1; returns the actions of the last step.
    @discardableResult
    mutating func reachPrepare(salt: UInt8 = 0) -> [Action] {
        deliver(epochStart(), from: leader)
        deliver(roundStart(1), from: leader)
        handle(.observationReady(RoundTag(epoch: 1, sequenceNumber: 1), [0xAA, 1]))
        return deliver(proposal(1, observations(1, salt: salt)), from: leader)
    }

    /// Up to the own commit vote.
    @discardableResult
    mutating func reachCommit() -> [Action] {
        guard let vote = votes(reachPrepare(), .prepare).first else { return [] }
        var last: [Action] = []
        for peer in peers.prefix(2) { last = deliver(self.vote(peer, like: vote), from: peer) }
        return last
    }

    /// Sequence number 1 committed.
    @discardableResult
    mutating func reachCommitted() -> [Action] {
        guard let vote = votes(reachCommit(), .commit).first else { return [] }
        var last: [Action] = []
        for peer in peers.prefix(2) { last = deliver(self.vote(peer, like: vote), from: peer) }
        return last
    }
}

extension [Action] {
    func index(where matches: (Action) -> Bool) -> Int { firstIndex(where: matches) ?? Int.max }

    var firstPersist: Int {
        index { action in
            if case .persist = action { return true }
            return false
        }
    }

    var firstSend: Int {
        index { action in
            switch action {
            case .send, .broadcast: return true
            default: return false
            }
        }
    }

    var alarms: [Alarm] {
        compactMap { action in
            if case .alarm(let alarm) = action { return alarm }
            return nil
        }
    }
}

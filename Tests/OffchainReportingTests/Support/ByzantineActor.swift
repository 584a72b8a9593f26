// A hostile oracle: an ordinary instance whose messages are twisted on the way out, with answers of its own to what it
// receives. It has the keys of its own oracle only. The cases are those of 2.18.

@testable import OffchainReporting

struct ByzantineFaults: OptionSet, Sendable {
    let rawValue: Int

    static let silent = ByzantineFaults(rawValue: 1 << 0)
    static let silentLeader = ByzantineFaults(rawValue: 1 << 1)
    static let startsEpochButNoRound = ByzantineFaults(rawValue: 1 << 2)
    static let equivocatesProposals = ByzantineFaults(rawValue: 1 << 3)
    static let equivocatesQueries = ByzantineFaults(rawValue: 1 << 4)
    static let equivocatesEpochStarts = ByzantineFaults(rawValue: 1 << 5)
    static let mirrorsVotes = ByzantineFaults(rawValue: 1 << 6)
    static let votesAtRandom = ByzantineFaults(rawValue: 1 << 7)
    static let replays = ByzantineFaults(rawValue: 1 << 8)
    static let wishesForever = ByzantineFaults(rawValue: 1 << 9)
    static let attestsWrongly = ByzantineFaults(rawValue: 1 << 10)
    static let claimsGenesis = ByzantineFaults(rawValue: 1 << 11)
    static let leadsRestartedAstray = ByzantineFaults(rawValue: 1 << 12)
    static let sendsGarbage = ByzantineFaults(rawValue: 1 << 13)
    static let withholdsVotes = ByzantineFaults(rawValue: 1 << 14)
    static let observesNonsense = ByzantineFaults(rawValue: 1 << 15)
    static let spoilsProposals = ByzantineFaults(rawValue: 1 << 16)

    static let everyKind: [ByzantineFaults] = (0...16).map { ByzantineFaults(rawValue: 1 << $0) }
    static let worst: ByzantineFaults = [
        .equivocatesProposals, .equivocatesQueries, .equivocatesEpochStarts, .mirrorsVotes, .replays,
        .leadsRestartedAstray, .attestsWrongly, .claimsGenesis,
    ]
}

struct ByzantineActor {
    let faults: ByzantineFaults
    private let configuration: InstanceConfiguration
    private let codec: WireCodec
    private let statements: Statements
    private var random: SeededRandom
    private var requests: [Int: EpochStartRequest] = [:]
    private var query: [UInt8] = []
    private var bag: [[UInt8]] = []
    private var epochStart: [UInt8]?
    private var roundStart: [UInt8]?
    private var variants: [[UInt8]] = []
    /// Which variant an oracle got.
    private var given: [Int: Int] = [:]
    private var wish: UInt64 = 2

    init(faults: ByzantineFaults, configuration: InstanceConfiguration, seed: UInt64) {
        self.faults = faults
        self.configuration = configuration
        codec = WireCodec(configuration: configuration)
        statements = Statements(configuration: configuration, crypto: toyCryptography(configuration.ownIndex))
        random = SeededRandom(seed: seed &* 31)
    }

    private var own: Int { configuration.ownIndex }
    private var scheme: any SignatureScheme { statements.crypto.offchain }

    // MARK: Outgoing

    mutating func sending(_ action: Action, peers: Int) -> [(Int, [UInt8])] {
        var targets: [Int] = []
        var bytes: [UInt8] = []
        switch action {
        case .send(let to, let payload): (targets, bytes) = ([to], payload)
        case .broadcast(let payload): (targets, bytes) = ((0..<peers).filter { $0 != own }, payload)
        default: return []
        }
        guard let message = try? codec.decode(bytes) else { return [] }
        if faults.contains(.silent) { return [] }
        var extra: [(Int, [UInt8])] = []
        if faults.contains(.sendsGarbage) {
            extra += targets.map { ($0, random.bytes(Int(random.below(200)))) }
            var twisted = bytes
            twisted[Int(random.below(UInt64(twisted.count)))] ^= UInt8(1 << random.below(8))
            extra += targets.map { ($0, twisted) }
        }
        if faults.contains(.wishesForever) {
            wish = random.chance(50) ? wish + random.below(1_000) : Limits.epochMaximum - random.below(10)
            extra += targets.map { ($0, codec.encode(.newEpochWish(epoch: wish))) }
        }
        return extra + twist(message, bytes, targets)
    }

    private mutating func twist(_ message: Message, _ bytes: [UInt8], _ targets: [Int]) -> [(Int, [UInt8])] {
        let plain = targets.map { ($0, bytes) }
        switch message {
        case .epochStart(let start, _):
            given = [:]
            variants = []
            epochStart = bytes
            if faults.contains(.silentLeader) { return [] }
            guard faults.contains(.equivocatesEpochStarts) else { return plain }
            return split(targets, bytes, otherEpochStart(start))
        case .roundStart(let start, _):
            variants = []
            given = [:]
            query = start.query
            roundStart = bytes
            if !faults.isDisjoint(with: [.silentLeader, .startsEpochButNoRound]) { return [] }
            guard faults.contains(.equivocatesQueries) else { return plain }
            let other = RoundStart(epoch: start.epoch, sequenceNumber: start.sequenceNumber, query: [])
            return split(targets, bytes, codec.encode(.roundStart(other, seal(.roundStart, codec.body(other)))))
        case .proposal(let proposal, _):
            if faults.contains(.silentLeader) { return [] }
            if faults.contains(.spoilsProposals) { return targets.map { ($0, spoiled(proposal)) } }
            guard faults.contains(.equivocatesProposals) else { return plain }
            if variants.isEmpty { variants = [bytes, otherProposal(proposal)] }
            return targets.map { target in
                let choice = given[target] ?? Int(random.below(2))
                given[target] = choice
                return (target, variants[choice])
            }
        case .vote(let vote):
            if faults.contains(.withholdsVotes) { return [] }
            guard faults.contains(.votesAtRandom) else { return plain }
            let wild = statements.outcomeDigest(random.bytes(8))
            return plain
                + targets.flatMap { target in
                    [(target, signed(vote, wild)), (target, signed(vote, vote.outcomeDigest, kind: .commit))]
                }
        case .observation(let observation) where faults.contains(.observesNonsense):
            return targets.map { ($0, nonsense(observation)) }
        case .epochStartRequest(let request) where faults.contains(.claimsGenesis):
            let signature = scheme.sign(statements.timestamp(epoch: request.epoch, .genesis))
            let lie = EpochStartRequest(
                epoch: request.epoch, certificate: random.chance(70) ? .genesis : request.certificate,
                timestampSignature: signature)
            return targets.map { ($0, codec.encode(.epochStartRequest(lie))) }
        case .reportSignatures(let list) where faults.contains(.attestsWrongly):
            var signatures = list.signatures.map { _ in random.bytes(32) }
            if random.chance(30) { signatures.append(random.bytes(32)) }
            let wrong = ReportSignatures(
                sequenceNumber: list.sequenceNumber + random.below(3), signatures: signatures, resent: random.chance(50)
            )
            return targets.map { ($0, codec.encode(.reportSignatures(wrong))) }
        default:
            return plain
        }
    }

    private mutating func split(_ targets: [Int], _ first: [UInt8], _ second: [UInt8]) -> [(Int, [UInt8])] {
        targets.map { ($0, random.chance(50) ? first : second) }
    }

    // MARK: Incoming

    mutating func received(from: Int, _ bytes: [UInt8]) -> [(Int, [UInt8])] {
        guard !faults.contains(.silent), let message = try? codec.decode(bytes) else { return [] }
        var answers: [(Int, [UInt8])] = []
        if faults.contains(.replays) {
            if bag.count < 300 { bag.append(bytes) } else { bag[Int(random.below(300))] = bytes }
            if random.chance(20) {
                let target = Int(random.below(UInt64(configuration.count)))
                answers.append((target, bag[Int(random.below(UInt64(bag.count)))]))
            }
        }
        switch message {
        case .vote(let vote) where faults.contains(.mirrorsVotes):
            answers.append((from, signed(vote, vote.outcomeDigest)))
            answers.append((from, signed(vote, vote.outcomeDigest, kind: .commit)))
        case .epochStartRequest(let request):
            if requests.values.contains(where: { $0.epoch != request.epoch }) { requests = [:] }
            requests[from] = request
            if faults.contains(.leadsRestartedAstray), let epochStart, let roundStart, variants.count == 2 {
                let other = variants[1 - (given[from] ?? 0)]
                answers += [epochStart, roundStart, other].map { (from, $0) }
            }
        default:
            break
        }
        return answers
    }

    // MARK: Forgeries with the own key

    private func seal(_ kind: SealedKind, _ body: [UInt8]) -> Seal {
        Seal(body: body, signature: scheme.sign(statements.sealed(kind, body: body)))
    }

    private func signed(_ vote: VoteMessage, _ outcome: Digest, kind: VoteKind? = nil) -> [UInt8] {
        let kind = kind ?? vote.kind
        let inputs = kind == .commit ? Digest.zero : vote.inputsDigest
        let message = statements.vote(
            kind, epoch: vote.epoch, sequenceNumber: vote.sequenceNumber, inputsDigest: inputs, outcomeDigest: outcome)
        return codec.encode(
            .vote(
                VoteMessage(
                    kind: kind, epoch: vote.epoch, sequenceNumber: vote.sequenceNumber, inputsDigest: inputs,
                    outcomeDigest: outcome, signature: scheme.sign(message), resent: false)))
    }

    private mutating func otherEpochStart(_ start: EpochStart) -> [UInt8] {
        let members = requests.keys.sorted().shuffled(using: &random).prefix(configuration.quorum).sorted()
        var certificate = start.certificate
        var timestamps = start.timestamps
        if members.count == configuration.quorum, random.chance(70) {
            let chosen = members.compactMap { index in requests[index].map { (index, $0) } }
            timestamps = chosen.map {
                SignedTimestamp(
                    oracle: $0.0, timestamp: $0.1.certificate.timestamp, signature: $0.1.timestampSignature)
            }
            certificate = chosen.map(\.1.certificate).max { $0.timestamp < $1.timestamp } ?? certificate
        } else {
            certificate = .genesis
        }
        let other = EpochStart(epoch: start.epoch, certificate: certificate, timestamps: timestamps)
        return codec.encode(.epochStart(other, seal(.epochStart, codec.body(other))))
    }

    private mutating func otherProposal(_ proposal: Proposal) -> [UInt8] {
        var observations = proposal.observations
        if let place = observations.firstIndex(where: { $0.observer == own }) {
            let observation = [0xAA, UInt8(own), 0xFF] + random.bytes(4)
            let message = statements.observation(
                epoch: proposal.epoch, sequenceNumber: proposal.sequenceNumber, query: query, observation: observation)
            observations[place] = SignedObservation(
                observer: own, observation: observation, signature: scheme.sign(message))
        } else if observations.count > configuration.quorum {
            observations.removeLast()
        }
        return encode(proposal, observations)
    }

    private mutating func spoiled(_ proposal: Proposal) -> [UInt8] {
        var observations = proposal.observations
        switch random.below(5) {
        case 0: observations.swapAt(0, 1)
        case 1: observations.append(observations[0])
        case 2: observations.removeLast(observations.count - configuration.quorum + 1)
        case 3:
            let first = observations[0]
            observations[0] = SignedObservation(
                observer: first.observer, observation: first.observation + [1], signature: first.signature)
        default:
            let first = observations[0]
            let other = (first.observer + 1) % configuration.count
            observations[0] = SignedObservation(
                observer: other, observation: first.observation, signature: first.signature)
        }
        return encode(proposal, observations)
    }

    private func encode(_ proposal: Proposal, _ observations: [SignedObservation]) -> [UInt8] {
        let other = Proposal(
            epoch: proposal.epoch, sequenceNumber: proposal.sequenceNumber, observations: observations)
        return codec.encode(.proposal(other, seal(.proposal, codec.body(other))))
    }

    private mutating func nonsense(_ message: ObservationMessage) -> [UInt8] {
        var observation: [UInt8] = [0xBB, 1, 2]
        var signature = scheme.sign(
            statements.observation(
                epoch: message.epoch, sequenceNumber: message.sequenceNumber, query: query, observation: observation))
        if random.chance(50) {
            observation = message.observation
            signature = random.bytes(32)
        }
        return codec.encode(
            .observation(
                ObservationMessage(
                    epoch: message.epoch, sequenceNumber: message.sequenceNumber, observation: observation,
                    signature: signature)))
    }
}

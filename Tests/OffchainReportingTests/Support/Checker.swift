// The invariants of 2.17, checked on the union of all honest traces at every action, with nothing but what went out and
// what is on the disks.

@testable import OffchainReporting

struct Checker {
    private struct VoteKey: Hashable {
        let oracle: Int
        let kind: VoteKind
        let epoch: UInt64
        let sequenceNumber: UInt64
    }

    private let configuration: InstanceConfiguration
    private let plugin: ToyPlugin
    private let codec: WireCodec
    private let statements: Statements
    private let options: SimulationOptions

    private(set) var violations: [String] = []
    private var votes: [VoteKey: [Digest]] = [:]
    private var timestampEpoch: [Int: UInt64] = [:]
    private var prepareCertificates: [RoundTag: (inputs: Digest, outcome: Digest)] = [:]
    private(set) var committed: [UInt64: (outcome: [UInt8], epoch: UInt64)] = [:]
    private var proposals: [UInt64: [[AttributedObservation]]] = [:]
    private var lastCommitted: [Int: UInt64] = [:]
    private var starting: Set<Int> = []
    private var justLost: Set<Int> = []

    init(_ options: SimulationOptions) throws {
        self.options = options
        configuration = try toyConfiguration(
            faulty: options.faulty, timing: options.timing, queryBytes: options.queryBytes)
        plugin = ToyPlugin(quorum: configuration.quorum)
        codec = WireCodec(configuration: configuration)
        statements = Statements(configuration: configuration, crypto: toyCryptography(0))
    }

    mutating func restarted(_ oracle: Int) {
        starting.insert(oracle)
        lastCommitted[oracle] = nil
    }

    mutating func storeLost(_ oracle: Int) {
        justLost.insert(oracle)
    }

    private mutating func fail(_ invariant: String, _ what: String) {
        violations.append("\(invariant): \(what) (seed \(options.seed))")
    }

    /// Byzantine proposals count as inputs for I10 when their signatures are good.
    mutating func observeByzantine(_ bytes: [UInt8]) {
        if let message = try? codec.decode(bytes), case .proposal(let proposal, _) = message { record(proposal) }
    }

    mutating func check(
        _ oracle: Int, _ action: Action, rows: [DurableRecord.Slot: [UInt8]], instance: Instance
    ) {
        switch action {
        case .persist(let records):
            for record in records { check(oracle, record, rows) }
        case .send(_, let bytes), .broadcast(let bytes):
            do {
                check(oracle, try codec.decode(bytes), try disk(rows))
            } catch {
                fail("codec", "oracle \(oracle) sent what cannot be decoded: \(error)")
            }
        case .outcomeCommitted(let sequenceNumber, let outcome):
            if sequenceNumber <= lastCommitted[oracle] ?? 0 {
                fail("I7", "oracle \(oracle) went back to \(sequenceNumber)")
            }
            lastCommitted[oracle] = sequenceNumber
            if committed[sequenceNumber]?.outcome != outcome {
                fail("2.12", "oracle \(oracle) announced \(sequenceNumber) before its certificate was durable")
            }
        case .transmit(let attested):
            check(oracle, attested)
        case .epochEntered(let epoch, _):
            if starting.remove(oracle) == nil,
                instance.wishes.filter({ $0 >= epoch }).count < configuration.quorum
            {
                fail("I2", "oracle \(oracle) entered \(epoch) without a quorum of wishes")
            }
        case .alarm(.equivocation(let accused, let what, _, _)):
            if options.byzantine[accused] == nil { fail("evidence", "honest oracle \(accused) is accused: \(what)") }
        case .alarm(.votingHalted(let reason)):
            fail("halt", "oracle \(oracle): \(reason)")
        default:
            break
        }
    }

    private func disk(_ rows: [DurableRecord.Slot: [UInt8]]) throws -> DurableState {
        var state = DurableState.fresh
        state.pacemaker.epoch = 0
        state.pacemaker.wish = 0
        for slot in DurableRecord.Slot.allCases {
            if let row = rows[slot] { state.apply(try DurableRecord(decoding: row, for: configuration.digest)) }
        }
        return state
    }

    // MARK: What is sent

    private mutating func check(_ oracle: Int, _ message: Message, _ disk: DurableState) {
        switch message {
        case .newEpochWish(let epoch):
            if disk.pacemaker.wish < epoch { fail("2.12", "oracle \(oracle) wished \(epoch) before it was durable") }
        case .epochStartRequest(let request):
            if disk.pacemaker.epoch < request.epoch {
                fail("2.12", "oracle \(oracle) acted in epoch \(request.epoch) before it was durable")
            }
            timestampEpoch[oracle] = max(timestampEpoch[oracle] ?? 0, request.epoch)
        case .vote(let vote):
            check(oracle, vote, disk)
        case .proposal(let proposal, _):
            record(proposal)
        default:
            break
        }
    }

    private mutating func check(_ oracle: Int, _ vote: VoteMessage, _ disk: DurableState) {
        let key = VoteKey(oracle: oracle, kind: vote.kind, epoch: vote.epoch, sequenceNumber: vote.sequenceNumber)
        let choice = [vote.inputsDigest, vote.outcomeDigest]
        if let known = votes[key], known != choice { fail("I3", "oracle \(oracle) voted twice: \(key)") }
        votes[key] = choice
        if vote.epoch < timestampEpoch[oracle] ?? 0 {
            fail("I3a", "oracle \(oracle) voted in \(vote.epoch) after signing for \(timestampEpoch[oracle] ?? 0)")
        }
        let log = vote.kind == .prepare ? disk.prepareVote : disk.commitVote
        if log.map({ $0.position < (vote.epoch, vote.sequenceNumber) }) ?? true {
            fail("2.12", "oracle \(oracle) sent a vote that is not in its log: \(key)")
        }
        if vote.kind == .commit {
            let prepared = disk.prepared?.sequenceNumber ?? 0
            if max(prepared, disk.committed?.sequenceNumber ?? 0) < vote.sequenceNumber {
                fail("I8", "oracle \(oracle) sent a commit vote without a durable certificate: \(key)")
            }
        }
    }

    private mutating func record(_ proposal: Proposal) {
        let signed = proposal.observations.allSatisfy { item in
            (0...options.queryBytes).contains { count in
                let query = [UInt8](repeating: UInt8(truncatingIfNeeded: proposal.sequenceNumber), count: count)
                let message = statements.observation(
                    epoch: proposal.epoch, sequenceNumber: proposal.sequenceNumber, query: query,
                    observation: item.observation)
                return statements.crypto.offchain.verify(item.signature, message, oracle: item.observer)
            }
        }
        guard signed, proposal.observations.count >= configuration.quorum else { return }
        let inputs = proposal.observations.map(\.attributed)
        if proposals[proposal.sequenceNumber]?.contains(inputs) != true {
            proposals[proposal.sequenceNumber, default: []].append(inputs)
        }
    }

    // MARK: What is stored

    private mutating func check(
        _ oracle: Int, _ record: DurableRecord, _ rows: [DurableRecord.Slot: [UInt8]]
    ) {
        guard let disk = try? disk(rows) else { return fail("store", "oracle \(oracle) cannot read its rows") }
        if let round = try? DurableRecord(
            decoding: record.encoded(for: configuration.digest), for: configuration.digest),
            round != record
        {
            fail("store", "oracle \(oracle): a record does not survive encoding")
        }
        switch record {
        case .pacemaker(let pacemaker):
            if justLost.remove(oracle) == nil,
                pacemaker.epoch < disk.pacemaker.epoch || pacemaker.wish < pacemaker.epoch
            {
                fail("I1", "oracle \(oracle) went from epoch \(disk.pacemaker.epoch) to \(pacemaker.epoch)")
            }
        case .vote:
            break
        case .prepared(let certificate):
            check(oracle, certificate, disk)
        case .committed(let certificate):
            check(oracle, certificate, disk)
        }
    }

    private mutating func check(_ oracle: Int, _ certificate: CertifiedPrepare, _ disk: DurableState) {
        guard statements.verifies(certificate) else {
            return fail("I4", "oracle \(oracle) stored an invalid certificate")
        }
        if let stored = disk.prepared, stored.timestamp >= certificate.timestamp {
            fail("I9", "oracle \(oracle) stored a lower prepare certificate")
        }
        let tag = RoundTag(epoch: certificate.epoch, sequenceNumber: certificate.sequenceNumber)
        let outcome = statements.outcomeDigest(certificate.outcome)
        if let known = prepareCertificates[tag], known != (certificate.inputsDigest, outcome) {
            fail("I4", "two prepare certificates for \(tag)")
        }
        prepareCertificates[tag] = (certificate.inputsDigest, outcome)
        if let final = committed[certificate.sequenceNumber], certificate.epoch >= final.epoch,
            final.outcome != certificate.outcome
        {
            fail("I6", "a prepare certificate \(tag) excludes the committed outcome")
        }
    }

    private mutating func check(_ oracle: Int, _ certificate: CertifiedCommit, _ disk: DurableState) {
        let sequenceNumber = certificate.sequenceNumber
        guard statements.verifies(certificate) else {
            return fail("I5", "oracle \(oracle) stored an invalid certificate")
        }
        if let stored = disk.committed, stored.timestamp >= certificate.timestamp {
            fail("I9", "oracle \(oracle) stored a lower commit certificate")
        }
        if let known = committed[sequenceNumber] {
            if known.outcome != certificate.outcome { fail("I5", "two outcomes are committed for \(sequenceNumber)") }
            committed[sequenceNumber] = (known.outcome, min(known.epoch, certificate.epoch))
            return
        }
        committed[sequenceNumber] = (certificate.outcome, certificate.epoch)
        let digest = statements.outcomeDigest(certificate.outcome)
        let conflicting = prepareCertificates.contains {
            $0.key.sequenceNumber == sequenceNumber && $0.key.epoch >= certificate.epoch && $0.value.outcome != digest
        }
        if conflicting { fail("I6", "a prepare certificate excludes the committed outcome \(sequenceNumber)") }
        checkInputs(certificate)
    }

    private mutating func checkInputs(_ certificate: CertifiedCommit) {
        let sequenceNumber = certificate.sequenceNumber
        guard let previous = sequenceNumber == 1 ? [] : committed[sequenceNumber - 1]?.outcome else {
            return fail("I10", "\(sequenceNumber) is committed before \(sequenceNumber - 1)")
        }
        let explained = (proposals[sequenceNumber] ?? []).contains { observations in
            (0...options.queryBytes).contains { count in
                let context = RoundContext(
                    sequenceNumber: sequenceNumber, previousOutcome: previous,
                    query: [UInt8](repeating: UInt8(truncatingIfNeeded: sequenceNumber), count: count))
                return (try? plugin.outcome(observations, in: context)) == certificate.outcome
            }
        }
        if !explained { fail("I10", "no signed observations explain outcome \(sequenceNumber)") }
    }

    // MARK: What is transmitted

    private mutating func check(_ oracle: Int, _ attested: AttestedReport) {
        guard let outcome = committed[attested.key.sequenceNumber]?.outcome,
            let reports = try? plugin.reports(sequenceNumber: attested.key.sequenceNumber, outcome: outcome),
            reports.indices.contains(attested.key.index), reports[attested.key.index] == attested.report
        else { return fail("I11", "oracle \(oracle) transmits a report that its outcome does not have") }
        guard options.transmitsSignatures else {
            if !attested.signatures.isEmpty { fail("I12", "signatures where none are wanted") }
            return
        }
        let digest = plugin.attestationDigest(
            of: attested.report, sequenceNumber: attested.key.sequenceNumber, configurationDigest: configuration.digest)
        let valid = attested.signatures.allSatisfy {
            ToyScheme(kind: 2, own: 0).verify($0.signature, digest.bytes, oracle: $0.signer)
        }
        let distinct = Set(attested.signatures.map(\.signer)).count
        if !valid || distinct != configuration.oneHonest || attested.signatures.count != distinct {
            fail("I12", "oracle \(oracle) transmits without F+1 valid signatures")
        }
    }
}

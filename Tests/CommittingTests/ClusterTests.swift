// Four real reporting instances in one thread with the commit plugin: from a final message to a report that the
// contract's rules accept, with real report signatures. Time is virtual.

import CCIP
import Committing
import Ethereum
import OffchainReporting
import Testing

/// Keyed hash in the place of Ed25519.
private struct KeyedHash: SignatureScheme {
    let own: Int
    static func sign(_ oracle: Int, _ message: [UInt8]) -> [UInt8] { keccak256([UInt8(oracle), 0x5E] + message).bytes }
    func sign(_ message: [UInt8]) -> [UInt8] { Self.sign(own, message) }
    func verify(_ signature: [UInt8], _ message: [UInt8], oracle: Int) -> Bool {
        signature == Self.sign(oracle, message)
    }
}

/// Real report signatures: r, s, parity over the digest.
private struct ReportSignatures: SignatureScheme {
    let keys: [PrivateKey]
    let own: Int
    func sign(_ message: [UInt8]) -> [UInt8] {
        U256(bigEndianBytes: message).map { keys[own].sign(digest: Hash32($0)).bytes } ?? []
    }
    func verify(_ signature: [UInt8], _ message: [UInt8], oracle: Int) -> Bool {
        guard let word = U256(bigEndianBytes: message), let signature = try? Signature(bytes: signature) else {
            return false
        }
        return Secp256k1.recoverAddress(digest: Hash32(word), signature: signature) == keys[oracle].address
    }
}

private struct Cluster {
    enum Item {
        case event(Int, Event)
        case commit(AttestedReport)
    }

    var world: World
    let configuration: CommitConfiguration
    var instances: [Instance] = []
    let keys: [PrivateKey]
    let digest: Digest
    var now: UInt64 = 0
    var queue: [(time: UInt64, order: Int, item: Item)] = []
    var order = 0
    var commits: [(time: UInt64, report: CommitReport)] = []
    var refusals: [String] = []
    var alarms: [Alarm] = []
    var outcomes: [[UInt64: [UInt8]]] = [[:], [:], [:], [:]]
    /// Oracles that say nothing, or lie.
    var silent: Set<Int> = []
    var lying: Set<Int> = []
    /// Oracles that guards answer.
    var reachGuards: Set<Int> = [0, 1, 2, 3]
    static let linkDelay: UInt64 = 1
    static let blockTime: UInt64 = 100

    init(world: World, configuration: CommitConfiguration) throws {
        self.world = world
        self.configuration = configuration
        keys = try (1...4).map { try PrivateKey(bytes: U256(UInt64($0)).bytes) }
        digest = try #require(Digest(world.digest.bytes))
        var timing = Timing()
        timing.deltaProgress = 2_000
        timing.deltaResend = 300
        timing.deltaInitial = 500
        timing.deltaRound = 10
        timing.deltaIdle = 1_000
        timing.deltaGrace = 5
        timing.deltaCertifiedCommitRequest = 100
        timing.deltaStage = 500
        timing.rMax = 50
        for index in 0..<4 {
            let instance = try InstanceConfiguration(
                label: InstanceLabel(destinationSelector: configuration.destination.rawValue, plugin: "commit"),
                digest: digest,
                oracles: (0..<4).map {
                    OracleIdentity(offchainPublicKey: [UInt8($0), 1], onchainSigner: keys[$0].address.bytes)
                },
                faulty: 1, ownIndex: index, timing: timing)
            instances.append(
                Instance(
                    configuration: instance, plugin: CommitPlugin(configuration: configuration),
                    crypto: Cryptography(
                        hashing: Hashing(sha256: { sha256($0).bytes }), offchain: KeyedHash(own: index),
                        attestation: ReportSignatures(keys: keys, own: index))))
        }
        for index in 0..<4 { push(.event(index, .started(.fresh)), after: 0) }
    }

    func observer(_ index: Int) -> CommitObserver { CommitObserver(configuration: configuration, ownIndex: index) }

    mutating func push(_ item: Item, after delay: UInt64) {
        queue.append((now + delay, order, item))
        order += 1
    }

    /// What an oracle sees, with what guards have signed of the set that is open after an outcome.
    func seen(_ index: Int, _ outcome: [UInt8]) throws -> CommitSnapshot {
        var snapshot = world.snapshot()
        if reachGuards.contains(index) {
            snapshot.signatures = world.guards.votes(
                try observer(index).needs(previousOutcome: outcome).blessing, world)
        }
        return snapshot
    }

    /// The chains have moved: whoever sees work says so.
    mutating func notify() throws {
        for index in 0..<4 where !silent.contains(index) {
            let outcome = instances[index].committedOutcome
            if try observer(index).hasWork(previousOutcome: outcome, snapshot: seen(index, outcome)) {
                push(.event(index, .workAvailable), after: 0)
            }
        }
    }

    mutating func run(until deadline: UInt64, while condition: (Cluster) -> Bool = { _ in true }) throws {
        while condition(self),
            let index = queue.indices.min(by: {
                (queue[$0].time, queue[$0].order) < (queue[$1].time, queue[$1].order)
            }), queue[index].time <= deadline
        {
            let (time, _, item) = queue.remove(at: index)
            world.now += time - now
            now = time
            switch item {
            case .event(let oracle, let event):
                guard !silent.contains(oracle) else { continue }
                for action in instances[oracle].handle(event, at: now) { try perform(action, oracle) }
            case .commit(let attested):
                try commit(attested)
            }
        }
    }

    private mutating func perform(_ action: Action, _ own: Int) throws {
        switch action {
        case .send(let to, let bytes):
            push(.event(to, .message(from: own, bytes: bytes)), after: Self.linkDelay)
        case .broadcast(let bytes):
            for to in 0..<4 where to != own {
                push(.event(to, .message(from: own, bytes: bytes)), after: Self.linkDelay)
            }
        case .setTimer(let id, let deadline):
            push(.event(own, .timerFired(id)), after: deadline > now ? deadline - now : 0)
        case .requestObservation(let tag, let previousOutcome, _):
            var bytes = try observer(own).observation(
                previousOutcome: previousOutcome, snapshot: seen(own, previousOutcome),
                sequenceNumber: tag.sequenceNumber)
            if lying.contains(own), var value = try? CommitObservation(encoded: bytes) {
                for lane in value.lanes.indices { value.lanes[lane].leaves?.leaves[0] = keccak256(bytes) }
                bytes = value.encoded
            }
            push(.event(own, .observationReady(tag, bytes)), after: 1)
        case .askAcceptance(let key, let report):
            let verdict = observer(own).shouldAccept(
                report, sequenceNumber: key.sequenceNumber, configurationDigest: digest, snapshot: world.snapshot())
            push(.event(own, .acceptanceAnswered(key, verdict.isAccepted)), after: 1)
        case .askTransmission(let key, let report):
            let verdict = observer(own).shouldTransmit(
                report, sequenceNumber: key.sequenceNumber, configurationDigest: digest, snapshot: world.snapshot())
            push(.event(own, .transmissionAnswered(key, verdict.isAccepted)), after: 1)
        case .transmit(let attested):
            // Into the next block.
            push(.commit(attested), after: Self.blockTime - now % Self.blockTime)
        case .outcomeCommitted(let sequenceNumber, let outcome):
            outcomes[own][sequenceNumber] = outcome
            try notify()
        case .alarm(let alarm):
            alarms.append(alarm)
        case .persist, .cancelTimer, .epochEntered, .refused:
            break
        }
    }

    /// What the contract does: F+1 distinct signers over the digest, then the rules of commit.
    private mutating func commit(_ attested: AttestedReport) throws {
        let context = ReportContext(configurationDigest: world.digest, sequenceNumber: attested.key.sequenceNumber)
        let signed = context.digest(report: attested.report.bytes)
        let signatures = try attested.signatures.map { try Signature(bytes: $0.signature) }
        let signers = Set(signatures.compactMap { Secp256k1.recoverAddress(digest: signed, signature: $0) })
        #expect(signers.count == 2 && signatures.count == 2, "exactly F+1 signatures of distinct oracles")
        #expect(signers.isSubset(of: Set(keys.map(\.address))))
        _ = try context.commitCall(encodedReport: attested.report.bytes, signatures: signatures)
        do {
            try world.commit(
                attested.report.bytes, sequenceNumber: attested.key.sequenceNumber, digest: world.digest)
            commits.append((now, try CommitReport(encoded: attested.report.bytes)))
            try notify()
        } catch { refusals.append("\(error)") }
    }

    /// All oracles that know an outcome know the same.
    func expectAgreement() {
        for number in Set(outcomes.flatMap(\.keys)) {
            #expect(Set(outcomes.compactMap { $0[number] }).count == 1, "outcome \(number)")
        }
    }
}

@Suite("Four oracles with real instances")
struct ClusterTests {
    @Test("messages of two lanes are committed with F+1 real signatures", arguments: [0, 1, 2])
    func commits(fault: Int) throws {
        let world = World()
        var cluster = try Cluster(world: world, configuration: try world.configuration(timeout: 5_000))
        if fault == 1 { cluster.silent = [2] }
        if fault == 2 { cluster.lying = [1] }
        try cluster.run(until: 20_000) { $0.instances.filter { $0.committedSequenceNumber > 0 }.count < 3 }
        for batch in 0..<5 {
            try cluster.world.send(1 + batch, on: batch % 2)
            try cluster.notify()
            let start = cluster.now
            try cluster.run(until: start + 20_000) { !$0.world.isEverythingCommitted }
            #expect(cluster.world.isEverythingCommitted, "batch \(batch)")
        }
        #expect(cluster.world.violations.isEmpty && cluster.alarms.isEmpty)
        #expect(cluster.commits.count >= 5)
        cluster.expectAgreement()
    }

    @Test("with healthy oracles a message takes 30 ms of agreement and the wait for a block")
    func latency() throws {
        let world = World(sources: 1)
        var cluster = try Cluster(world: world, configuration: try world.configuration())
        try cluster.run(until: 5_000) { $0.instances.contains { $0.committedSequenceNumber == 0 } }
        try cluster.run(until: cluster.now + 500)
        var slowest: UInt64 = 0
        for _ in 0..<20 {
            try cluster.run(until: cluster.now + 137)
            try cluster.world.send()
            try cluster.notify()
            let start = cluster.now
            try cluster.run(until: start + 5_000) { !$0.world.isEverythingCommitted }
            #expect(cluster.world.isEverythingCommitted)
            slowest = max(slowest, cluster.now - start)
        }
        #expect(slowest <= Cluster.blockTime + 30, "slowest \(slowest) ms of virtual time")
        #expect(cluster.refusals.isEmpty, "one transmitter sends, the others see it landed: \(cluster.refusals)")
    }

    @Test("messages that need guards are committed, with one oracle silent or lying and one alone in reach of the guards",
        arguments: [0, 1, 2])
    func blessed(fault: Int) throws {
        let world = World(sources: 3, blessed: [1, 2])
        var cluster = try Cluster(
            world: world, configuration: try world.configuration(blessing: GuardModel.blessing, timeout: 5_000))
        if fault == 1 { cluster.silent = [2] }
        if fault == 2 { cluster.lying = [1] }
        cluster.reachGuards = [3]
        try cluster.run(until: 20_000) { $0.instances.filter { $0.committedSequenceNumber > 0 }.count < 3 }
        for batch in 0..<6 {
            try cluster.world.send(1 + batch, on: batch % 3)
            try cluster.notify()
            let start = cluster.now
            try cluster.run(until: start + 20_000) { !$0.world.isEverythingCommitted }
            #expect(cluster.world.isEverythingCommitted, "batch \(batch)")
        }
        #expect(cluster.world.violations.isEmpty && cluster.alarms.isEmpty)
        #expect(cluster.commits.count { !$0.report.blessed.isEmpty } >= 4)
        cluster.expectAgreement()
    }

    @Test("a cluster whose leaves are not sent commits in two rounds")
    func twoRounds() throws {
        let world = World(sources: 1)
        var cluster = try Cluster(world: world, configuration: try world.configuration(buildsAtOnce: false))
        try cluster.run(until: 5_000) { $0.instances.contains { $0.committedSequenceNumber == 0 } }
        try cluster.world.send(3)
        try cluster.notify()
        let start = cluster.now
        try cluster.run(until: start + 5_000) { !$0.world.isEverythingCommitted }
        #expect(cluster.world.isEverythingCommitted && cluster.now - start <= 3 * Cluster.blockTime)
    }
}

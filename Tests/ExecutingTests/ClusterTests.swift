// Four real reporting instances with toy keys in one thread, from accepted roots to attested execution reports.

import CCIP
import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import Executing

/// Keyed hashing in the place of signatures, by the honour of the tests.
private struct ToyKeys: SignatureScheme {
    let own: Int
    static func mark(_ oracle: Int, _ message: [UInt8]) -> [UInt8] {
        keccak256([0x70, UInt8(oracle)] + message).bytes
    }
    func sign(_ message: [UInt8]) -> [UInt8] { Self.mark(own, message) }
    func verify(_ signature: [UInt8], _ message: [UInt8], oracle: Int) -> Bool {
        signature == Self.mark(oracle, message)
    }
}

private enum Item {
    case deliver(from: Int, to: Int, bytes: [UInt8])
    case event(Int, Event)
}

/// The cluster: every oracle sees the same model of the chains; messages take one millisecond.
private struct Cluster {
    var world: World
    var instances: [Instance] = []
    var observers: [ExecuteObserver]
    var outcomes: [[(UInt64, [UInt8])]] = Array(repeating: [], count: 4)
    var transmitted: [(oracle: Int, AttestedReport)] = []
    var dropped = 0
    var refused: [Refusal] = []
    var alarms: [Alarm] = []
    /// Oracles whose messages never arrive.
    var silent: Set<Int> = []
    /// Oracles that are handed a report and do not send it.
    var lazy: Set<Int> = []
    private var queue: [(time: UInt64, order: Int, item: Item)] = []
    private var order = 0
    private(set) var now: UInt64 = 0

    init(_ world: World) throws {
        self.world = world
        observers = world.observers()
        var timing = Timing()
        timing.deltaProgress = 2_000
        timing.deltaResend = 300
        timing.deltaInitial = 400
        timing.deltaRound = 10
        timing.deltaIdle = 1_500
        timing.deltaGrace = 10
        timing.deltaCertifiedCommitRequest = 100
        timing.deltaStage = 200
        let hashing = Hashing(sha256: { sha256($0).bytes })
        for own in 0..<4 {
            let configuration = try InstanceConfiguration(
                label: InstanceLabel(destinationSelector: destination.rawValue, plugin: "execute"),
                digest: try #require(Digest(testDigest.bytes)),
                oracles: (0..<4).map {
                    OracleIdentity(offchainPublicKey: [1, UInt8($0)], onchainSigner: [2, UInt8($0)])
                },
                faulty: 1, ownIndex: own, timing: timing, sizes: world.configuration.sizes)
            instances.append(
                Instance(
                    configuration: configuration, plugin: ExecutePlugin(configuration: world.configuration),
                    crypto: Cryptography(
                        hashing: hashing, offchain: ToyKeys(own: own), attestation: ToyKeys(own: own))))
        }
        for own in 0..<4 { push(.event(own, .started(.fresh)), at: 0) }
    }

    mutating func push(_ item: Item, at time: UInt64) {
        order += 1
        queue.append((time, order, item))
    }

    /// Runs for `milliseconds` of virtual time or until `done`.
    mutating func run(_ milliseconds: UInt64, until done: (Cluster) -> Bool) {
        let deadline = now + milliseconds
        while !done(self) {
            let first = queue.indices.min {
                (queue[$0].time, queue[$0].order) < (queue[$1].time, queue[$1].order)
            }
            guard let next = first, queue[next].time <= deadline else {
                now = deadline
                return
            }
            let (time, _, item) = queue.remove(at: next)
            now = max(now, time)
            switch item {
            case .deliver(let from, let to, let bytes): feed(to, .message(from: from, bytes: bytes))
            case .event(let own, let event): feed(own, event)
            }
        }
    }

    /// Every oracle tells its instance when there is work, as an edge does after a new block.
    mutating func newBlock() {
        for own in 0..<4 {
            let outcome = instances[own].committedOutcome
            observers[own].settle(previousOutcome: outcome, snapshot: world.snapshot(), now: now)
            if observers[own].hasWork(previousOutcome: outcome, snapshot: world.snapshot(), now: now) {
                push(.event(own, .workAvailable), at: now)
            }
        }
    }

    private mutating func feed(_ own: Int, _ event: Event) {
        for action in instances[own].handle(event, at: now) { perform(own, action) }
    }

    private mutating func perform(_ own: Int, _ action: Action) {
        switch action {
        case .persist, .cancelTimer, .epochEntered: break
        case .send(let to, let bytes): post(own, to, bytes)
        case .broadcast(let bytes): for to in 0..<4 where to != own { post(own, to, bytes) }
        case .setTimer(let id, let deadline): push(.event(own, .timerFired(id)), at: max(deadline, now))
        case .requestObservation(let tag, let previous, _):
            let bytes = observers[own].observation(previousOutcome: previous, snapshot: world.snapshot(), now: now)
            push(.event(own, .observationReady(tag, bytes)), at: now)
        case .outcomeCommitted(let number, let outcome):
            outcomes[own].append((number, outcome))
            observers[own].outcomeCommitted(outcome, installedDigest: testDigest, now: now)
        case .askAcceptance(let key, let report):
            let verdict = observers[own].shouldAccept(report: report.bytes, snapshot: world.snapshot())
            push(.event(own, .acceptanceAnswered(key, verdict == .proceed)), at: now)
        case .askTransmission(let key, let report):
            let verdict = observers[own].shouldTransmit(report: report.bytes, snapshot: world.snapshot())
            if verdict == .drop(.alreadyExecuted) { dropped += 1 }
            push(.event(own, .transmissionAnswered(key, verdict == .proceed)), at: now)
        case .transmit(let attested):
            transmitted.append((own, attested))
            if lazy.contains(own) { return }
            world.offRamp.execute(attested.report.bytes, world.configuration.limits)
        case .refused(let refusal): refused.append(refusal)
        case .alarm(let alarm): alarms.append(alarm)
        }
    }

    private mutating func post(_ from: Int, _ to: Int, _ bytes: [UInt8]) {
        guard !silent.contains(from), !silent.contains(to) else { return }
        push(.deliver(from: from, to: to, bytes: bytes), at: now + 1)
    }

    var reported: [ExecuteOutcome] {
        outcomes.flatMap { $0 }.compactMap { try? ExecuteOutcome(encoded: $0.1) }.filter { !$0.reports.isEmpty }
    }
}

@Suite("A cluster that executes")
struct ClusterTests {
    func world() throws -> World {
        var world = World(try configuration())
        for index in 0..<6 { world.send(sourceA, from: UInt64(index % 2), ordered: index < 4) }
        world.send(sourceB, tokens: 1)
        return world
    }

    @Test("four instances execute all messages once, in one round, and transmit no signatures")
    func completes() throws {
        var cluster = try Cluster(world())
        cluster.run(500) { cluster in cluster.outcomes.allSatisfy { !$0.isEmpty } }
        #expect(cluster.reported.isEmpty)
        try cluster.world.commit(sourceA, 6)
        try cluster.world.commit(sourceB, 1)
        let begun = cluster.now
        cluster.newBlock()
        cluster.run(1_000) { !$0.transmitted.isEmpty }
        // One round: observation, proposal, prepare, commit, signatures, a millisecond each, and the grace.
        #expect(cluster.now - begun < 100, "\(cluster.now - begun) ms")
        let attested = try #require(cluster.transmitted.first?.1)
        #expect(attested.signatures.isEmpty)
        #expect(attested.report.metadata.isEmpty)
        let reports = try [ExecutionReport](encodedReports: attested.report.bytes)
        #expect(reports.messages.count == 7)
        #expect(reports.encodedReports == attested.report.bytes)
        let context = ReportContext(
            configurationDigest: testDigest, sequenceNumber: attested.key.sequenceNumber)
        let call = context.executeCall(encodedReports: attested.report.bytes)
        let arguments = try ABI.decode(Bytes(call.dropFirst(4)), as: OffRampInterface.execute.inputs)
        #expect(arguments.last?.asBytes == attested.report.bytes)
        #expect(ExecutionGasPlan(reports: reports, context: context, maximum: 16_000_000) != nil)
        #expect(cluster.world.offRamp.successes.count == 7 && cluster.world.offRamp.violations.isEmpty)
        // The others find it executed when their turn comes.
        cluster.run(2_000) { $0.dropped == 3 }
        #expect(cluster.dropped == 3 && cluster.transmitted.count == 1)
        #expect(cluster.alarms.isEmpty)
    }

    @Test("all oracles commit the same outcomes")
    func agreement() throws {
        var cluster = try Cluster(world())
        try cluster.world.commit(sourceA, 6)
        cluster.newBlock()
        cluster.run(5_000) { _ in false }
        var byNumber: [UInt64: [UInt8]] = [:]
        for (number, outcome) in cluster.outcomes.flatMap({ $0 }) {
            if let known = byNumber[number] { #expect(known == outcome) }
            byNumber[number] = outcome
        }
        #expect(byNumber.count >= 2)
        #expect(cluster.world.offRamp.successes.count == 6)
    }

    @Test("with one oracle gone the other three execute everything", arguments: 0..<4)
    func oneGone(_ gone: Int) throws {
        var cluster = try Cluster(world())
        cluster.silent = [gone]
        try cluster.world.commit(sourceA, 6)
        try cluster.world.commit(sourceB, 1)
        var blocks = 0
        while cluster.world.offRamp.successes.count < 7, blocks < 300 {
            blocks += 1
            cluster.newBlock()
            cluster.run(100) { _ in false }
        }
        #expect(cluster.world.offRamp.successes.count == 7)
        #expect(cluster.world.offRamp.violations.isEmpty && cluster.world.offRamp.skippedNonces == 0)
    }

    @Test("a transmitter that never sends is followed by the next one in the order")
    func lazyTransmitter() throws {
        var cluster = try Cluster(world())
        cluster.lazy = [0, 1]
        try cluster.world.commit(sourceA, 6)
        cluster.newBlock()
        cluster.run(5_000) { $0.world.offRamp.successes.count == 6 }
        #expect(cluster.world.offRamp.successes.count == 6 && cluster.world.offRamp.violations.isEmpty)
    }
}

// Four whole oracles in one thread with the real agreement protocol, two instances each: the green one takes over from
// the blue one while prices flow. Virtual time, one seed for everything.

import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import PriceStreams

/// Not a signature: who knows the index can make it, by the honour of the tests.
struct HonourScheme: SignatureScheme {
    let own: Int
    static func tag(_ message: [UInt8], _ oracle: Int) -> [UInt8] { sha256([UInt8(oracle), 0x5c] + message).bytes }
    func sign(_ message: [UInt8]) -> [UInt8] { HonourScheme.tag(message, own) }
    func verify(_ signature: [UInt8], _ message: [UInt8], oracle: Int) -> Bool {
        signature == HonourScheme.tag(message, oracle)
    }
}

/// Reports are signed as on chain.
struct AttestationScheme: SignatureScheme {
    let key: PrivateKey
    let signers: [Address]

    func sign(_ message: [UInt8]) -> [UInt8] {
        key.sign(digest: Hash32(bytes: message) ?? .zero).bytes
    }

    func verify(_ signature: [UInt8], _ message: [UInt8], oracle: Int) -> Bool {
        guard let parsed = try? Signature(bytes: signature), let digest = Hash32(bytes: message) else { return false }
        return Secp256k1.recoverAddress(digest: digest, signature: parsed) == signers[oracle]
    }
}

final class HandoverWorld {
    enum Colour: Int, CaseIterable { case blue, green }
    enum Habit { case honest, silent, lying }

    struct Item {
        let time: UInt64
        let order: Int
        let oracle: Int
        let colour: Colour
        let generation: Int
        let event: Event
    }

    struct Oracle {
        var instances: [Instance?] = [nil, nil]
        var rows: [[DurableRecord.Slot: [UInt8]]] = [[:], [:]]
        var generations = [0, 0]
        var proof: AttestedRetirement?
        var transmitted: [[AttestedReport]] = [[], []]
    }

    let keys: [PrivateKey]
    let configurations: [StreamsConfiguration]
    let habits: [Habit]
    var oracles = [Oracle](repeating: Oracle(), count: 4)
    var random: SplitMix64
    var now: UInt64 = 0
    var queue: [Item] = []
    var counter = 0
    var promotedAt: UInt64 = 1 << 40
    var alarms: [Alarm] = []
    var outcomes: [[UInt64: [UInt8]]] = [[:], [:]]
    var disagreements = 0

    init(seed: UInt64, habits: [Habit]) throws {
        random = SplitMix64(seed: seed)
        self.habits = habits
        keys = Array(try StreamsVector.privateKeys().prefix(4))
        let digests = [Hash32(U256(0x0900)), Hash32(U256(0x0901))]
        let blue = try World.configuration(digest: digests[0])
        let set = try OracleSet(digest: digests[0], faulty: 1, signers: keys.map(\.address), donID: 42)
        configurations = [blue, try World.configuration(predecessor: set, digest: digests[1])]
    }

    func plugin(_ colour: Colour) -> StreamsPlugin { StreamsPlugin(configuration: configurations[colour.rawValue]) }

    func start(_ colour: Colour) throws {
        for oracle in oracles.indices where habits[oracle] != .silent { try boot(oracle, colour, .fresh) }
    }

    func boot(_ oracle: Int, _ colour: Colour, _ restored: RestoredState) throws {
        var timing = Timing()
        timing.deltaProgress = 1_000
        timing.deltaResend = 200
        timing.deltaInitial = 300
        timing.deltaRound = 80
        timing.deltaIdle = 80
        timing.deltaGrace = 10
        timing.deltaCertifiedCommitRequest = 100
        timing.deltaStage = 10
        timing.rMax = 20
        let identities = keys.enumerated().map { index, key in
            OracleIdentity(offchainPublicKey: [1, UInt8(index)], onchainSigner: key.address.bytes)
        }
        let configuration = try InstanceConfiguration(
            label: InstanceLabel(destinationSelector: 42, plugin: "streams"),
            digest: try #require(Digest(configurations[colour.rawValue].configurationDigest.bytes)),
            oracles: identities,
            faulty: 1, ownIndex: oracle, timing: timing, sizes: StreamsPlugin.sizes)
        oracles[oracle].instances[colour.rawValue] = Instance(
            configuration: configuration, plugin: plugin(colour),
            crypto: Cryptography(
                hashing: Hashing(sha256: { sha256($0).bytes }), offchain: HonourScheme(own: oracle),
                attestation: AttestationScheme(key: keys[oracle], signers: keys.map(\.address))))
        try feed(oracle, colour, .started(restored))
    }

    /// The process dies and comes back with its rows.
    func restart(_ oracle: Int, _ colour: Colour) throws {
        guard let instance = oracles[oracle].instances[colour.rawValue] else { return }
        oracles[oracle].generations[colour.rawValue] += 1
        let rows = DurableRecord.Slot.allCases.compactMap { oracles[oracle].rows[colour.rawValue][$0] }
        let state = try #require(try DurableState.restoring(rows, for: instance.configuration.digest))
        try boot(oracle, colour, .intact(state))
    }

    func run(until deadline: UInt64) throws {
        while let next = queue.min(by: { ($0.time, $0.order) < ($1.time, $1.order) }), next.time < deadline {
            queue.removeAll { $0.order == next.order }
            now = max(now, next.time)
            if next.generation == oracles[next.oracle].generations[next.colour.rawValue] {
                try feed(next.oracle, next.colour, next.event)
            }
        }
        now = max(now, deadline)
    }

    private func feed(_ oracle: Int, _ colour: Colour, _ event: Event) throws {
        guard var instance = oracles[oracle].instances[colour.rawValue] else { return }
        oracles[oracle].instances[colour.rawValue] = nil
        let actions = instance.handle(event, at: now)
        oracles[oracle].instances[colour.rawValue] = instance
        for action in actions { try perform(action, oracle, colour) }
    }

    private func perform(_ action: Action, _ oracle: Int, _ colour: Colour) throws {
        switch action {
        case .persist(let records):
            let digest = try #require(oracles[oracle].instances[colour.rawValue]).configuration.digest
            for record in records { oracles[oracle].rows[colour.rawValue][record.slot] = record.encoded(for: digest) }
        case .send(let to, let bytes): post(oracle, to, colour, bytes)
        case .broadcast(let bytes): for to in oracles.indices where to != oracle { post(oracle, to, colour, bytes) }
        case .setTimer(let id, let deadline): schedule(oracle, colour, .timerFired(id), deadline)
        case .requestObservation(let tag, let previous, _):
            schedule(oracle, colour, .observationReady(tag, try observation(oracle, colour, previous)), now + 1)
        case .askAcceptance(let key, _): schedule(oracle, colour, .acceptanceAnswered(key, true), now)
        case .askTransmission(let key, _): schedule(oracle, colour, .transmissionAnswered(key, true), now)
        case .transmit(let attested): try keep(attested, oracle, colour)
        case .outcomeCommitted(let sequenceNumber, let outcome):
            let known = outcomes[colour.rawValue].updateValue(outcome, forKey: sequenceNumber)
            if let known, known != outcome { disagreements += 1 }
        case .alarm(let alarm): alarms.append(alarm)
        case .cancelTimer, .epochEntered, .refused: break
        }
    }

    private func observation(_ oracle: Int, _ colour: Colour, _ previous: Bytes) throws -> Bytes {
        let clock = World.start + now * 1_000_000 + UInt64(oracle) * 3_000_000
        var snapshot = StreamsSnapshot(
            clockNanoseconds: clock, values: World.values(clock, noise: random.below(20)),
            shouldRetire: colour == .blue && now >= promotedAt + UInt64(oracle) * 70, retirement: oracles[oracle].proof)
        if habits[oracle] == .lying {
            snapshot.clockNanoseconds += 300_000_000_000
            for id in [World.pair, World.metal, World.status] {
                snapshot.values[id] = StreamsPropertyTests.lie(&random, clock: clock)
            }
            // A proof of its own making spoils its observation, and nothing else.
            if colour == .green, now.isMultiple(of: 3), oracles[oracle].proof == nil {
                let report = RetirementReport(protocolVersion: 1, validAfter: [])
                let forged = AttestedRetirement(
                    report: report.encoded, sequenceNumber: 1,
                    signatures: [0, 1].map { .init(signer: $0, signature: keys[oracle].sign(digest: .zero)) })
                var forgery = StreamsObservation(timestampNanoseconds: clock)
                forgery.retirement = forged
                return forgery.encoded
            }
        }
        return try StreamsObserver(configuration: configurations[colour.rawValue]).observation(
            after: previous, snapshot)
    }

    /// The edge: reports go out, the predecessor's retirement report is kept for the successor.
    private func keep(_ attested: AttestedReport, _ oracle: Int, _ colour: Colour) throws {
        oracles[oracle].transmitted[colour.rawValue].append(attested)
        guard try ReportLabel(encoded: attested.report.metadata).format == .retirement, oracles[oracle].proof == nil
        else {
            return
        }
        oracles[oracle].proof = AttestedRetirement(
            report: attested.report.bytes, sequenceNumber: attested.key.sequenceNumber,
            signatures: try attested.signatures.map {
                .init(signer: UInt8($0.signer), signature: try Signature(bytes: $0.signature))
            })
    }

    private func post(_ from: Int, _ to: Int, _ colour: Colour, _ bytes: [UInt8]) {
        guard habits[to] != .silent else { return }
        schedule(to, colour, .message(from: from, bytes: bytes), now + 1 + UInt64(random.below(4)))
    }

    /// What is under way to a process that dies is lost with it.
    private func schedule(_ oracle: Int, _ colour: Colour, _ event: Event, _ time: UInt64) {
        counter += 1
        queue.append(
            Item(
                time: max(time, now), order: counter, oracle: oracle, colour: colour,
                generation: oracles[oracle].generations[colour.rawValue], event: event))
    }

    /// Reports that anybody transmitted, each once, by sequence number and place.
    func reports(_ colour: Colour) -> [AttestedReport] {
        var found: [ReportKey: AttestedReport] = [:]
        for oracle in oracles { for report in oracle.transmitted[colour.rawValue] { found[report.key] = report } }
        return found.values.sorted { ($0.key.sequenceNumber, $0.key.index) < ($1.key.sequenceNumber, $1.key.index) }
    }
}

@Suite("Blue-green handover with whole oracles")
struct HandoverTests {
    static let habits: [[HandoverWorld.Habit]] = [
        [.honest, .honest, .honest, .honest], [.honest, .honest, .honest, .lying],
        [.silent, .honest, .honest, .honest],
    ]

    @Test(
        "the green instance begins exactly where the blue one ends, signed by F+1, whoever is silent or lies",
        arguments: 0..<3)
    func handover(habit: Int) throws {
        let seed = StreamsPropertyTests.base + UInt64(habit)
        let world = try HandoverWorld(seed: seed, habits: Self.habits[habit])
        try world.start(.blue)
        try world.run(until: 1_500)
        try world.start(.green)
        try world.run(until: 2_000)
        try world.restart(2, .blue)
        try world.restart(1, .green)
        try world.run(until: 3_000)
        // With one oracle silent a restart costs a change of epoch; let it pass.
        try world.run(until: 5_000)
        world.promotedAt = 5_000
        try world.run(until: 5_300)
        try world.restart(1, .green)
        try world.run(until: 10_000)

        #expect(world.alarms == [] && world.disagreements == 0, "seed \(seed)")
        let (blue, green) = (world.reports(.blue), world.reports(.green))
        for channel in [World.milliseconds, World.seconds, World.metals] {
            let old = try Self.blobs(blue, channel)
            let new = try Self.blobs(green, channel)
            let isFast = channel == World.milliseconds
            #expect(
                old.count >= (isFast ? 10 : 2) && new.count >= (isFast ? 10 : 2), "channel \(channel), seed \(seed)")
            #expect(HeaderTimes.breaks(old + new) == [], "channel \(channel), seed \(seed)")
            // The checker sees a handover that drops a report.
            #expect(HeaderTimes.breaks(old + new.dropFirst()) == [old.count])
        }
        // Before its promotion green makes specimens only; after its retirement blue makes nothing but its last word.
        let formats = try blue.map { try ReportLabel(encoded: $0.report.metadata).format }
        let retirement = try #require(formats.firstIndex(of: .retirement))
        #expect(formats[retirement...].allSatisfy { $0 == .retirement })
        let specimens = try green.prefix { try ReportLabel(encoded: $0.report.metadata).format == .json }
        #expect(specimens.contains { String(decoding: $0.report.bytes, as: UTF8.self).hasSuffix("\"Specimen\":true}") })
        try Self.verify(world)
    }

    static func blobs(_ reports: [AttestedReport], _ channel: ChannelID) throws -> [Bytes] {
        try reports.filter { try ReportLabel(encoded: $0.report.metadata).channelID == channel }.map(\.report.bytes)
    }

    /// Every EVM report verifies as a client would do it, and its prices are honest.
    static func verify(_ world: HandoverWorld) throws {
        for colour in HandoverWorld.Colour.allCases {
            let configuration = world.configurations[colour.rawValue]
            var verified = 0
            for attested in world.reports(colour) {
                let label = try ReportLabel(encoded: attested.report.metadata)
                guard label.feedID != nil else { continue }
                let context = try ReportContext(
                    configurationDigest: configuration.configurationDigest,
                    sequenceNumber: attested.key.sequenceNumber, donID: 42)
                let digest = signingDigest(blob: attested.report.bytes, context: context)
                let signers = try attested.signatures.map {
                    Secp256k1.recoverAddress(digest: digest, signature: try Signature(bytes: $0.signature))
                }
                #expect(signers.count == 2 && Set(signers).count == 2)
                #expect(signers.allSatisfy { $0.map(world.keys.map(\.address).contains) ?? false })
                let report = try PriceReport(blob: attested.report.bytes)
                if case .v3(let price, _, _) = report.body {
                    let e16 = U256(10_000_000_000_000_000)
                    #expect(price.word >= 250_000 * e16 && price.word < 250_020 * e16, "\(report)")
                }
                verified += 1
            }
            #expect(verified > 20)
        }
    }
}

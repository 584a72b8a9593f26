// Seeded randomness, toy cryptography and a toy plugin for the tests. Nothing here is secure; everything is repeatable.

@testable import OffchainReporting

struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func below(_ bound: UInt64) -> UInt64 { bound == 0 ? 0 : next() % bound }
    mutating func chance(_ percent: UInt64) -> Bool { below(100) < percent }
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// A fast 32-byte mixing function in the place of SHA-256.
func toyHash(_ bytes: [UInt8]) -> [UInt8] {
    var lanes: (UInt64, UInt64, UInt64, UInt64) = (
        0x6A09_E667_F3BC_C908, 0xBB67_AE85_84CA_A73B, 0x3C6E_F372_FE94_F82B, UInt64(bytes.count)
    )
    func mix(_ word: UInt64) {
        lanes.0 = (lanes.0 ^ word) &* 0x9FB2_1C65_1E98_DF25
        lanes.1 = (lanes.1 &+ (lanes.0 ^ (lanes.0 >> 29))) &* 0xD6E8_FEB8_6659_FD93
        lanes.2 = (lanes.2 ^ (lanes.1 &+ (lanes.1 >> 32))) &* 0xC2B2_AE3D_27D4_EB4F
        lanes.3 = (lanes.3 &+ lanes.2 ^ (lanes.2 >> 31)) &* 0x1656_67B1_9E37_79F9
        lanes.0 ^= lanes.3 >> 33
    }
    var index = 0
    while index < bytes.count {
        var word: UInt64 = 0
        for offset in index..<min(index + 8, bytes.count) { word = word << 8 | UInt64(bytes[offset]) }
        mix(word)
        index += 8
    }
    for round in 0..<4 { mix(UInt64(round) &+ 0xA5A5) }
    var output: [UInt8] = []
    output.reserveCapacity(32)
    for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            output.append(UInt8(truncatingIfNeeded: lane >> shift))
        }
    }
    return output
}

/// Keyed hash as signature: only who knows the secret can sign, by the honour of the tests.
struct ToyScheme: SignatureScheme {
    let kind: UInt8
    let own: Int
    /// Signs with another secret than verifiers expect: a wrong key.
    var broken = false

    static func sign(kind: UInt8, oracle: Int, _ message: [UInt8]) -> [UInt8] {
        toyHash([kind, UInt8(oracle), 0x5E, 0xC2] + message)
    }

    func sign(_ message: [UInt8]) -> [UInt8] {
        ToyScheme.sign(kind: broken ? kind ^ 0x80 : kind, oracle: own, message)
    }

    func verify(_ signature: [UInt8], _ message: [UInt8], oracle: Int) -> Bool {
        signature == ToyScheme.sign(kind: kind, oracle: oracle, message)
    }
}

let toyHashing = Hashing(sha256: { toyHash($0) })

func toyCryptography(_ own: Int, wrongAttestationKey: Bool = false) -> Cryptography {
    Cryptography(
        hashing: toyHashing, offchain: ToyScheme(kind: 1, own: own),
        attestation: ToyScheme(kind: 2, own: own, broken: wrongAttestationKey))
}

struct ToyPluginError: Error {
    let what: String
}

/// Outcome: sequence number and a hash over everything. Zero to two reports.
struct ToyPlugin: ReportingPlugin {
    let quorum: Int
    var transmitsSignatures = true
    var attestsByTurn = false
    /// Reports whose receivers' word counts for nothing, by metadata.
    var kept: UInt8?
    var queryBytes = 0

    func query(previousOutcome: [UInt8], sequenceNumber: UInt64) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: sequenceNumber), count: queryBytes)
    }

    func validateObservation(_ observation: AttributedObservation, in context: RoundContext) throws {
        guard observation.observation.first == 0xAA, observation.observation.count <= 64 else {
            throw ToyPluginError(what: "observation must begin with 0xAA")
        }
    }

    func observationQuorum(_ observations: [AttributedObservation], in context: RoundContext) -> Bool {
        observations.count >= quorum
    }

    func outcome(_ observations: [AttributedObservation], in context: RoundContext) throws -> [UInt8] {
        var writer = CanonicalWriter()
        writer.string(context.previousOutcome)
        writer.string(context.query)
        for item in observations {
            writer.u64(UInt64(item.observer))
            writer.string(item.observation)
        }
        var head = CanonicalWriter()
        head.u64(context.sequenceNumber)
        return head.bytes + toyHash(writer.bytes)
    }

    func reports(sequenceNumber: UInt64, outcome: [UInt8]) throws -> [Report] {
        (0..<Int((outcome.last ?? 0) % 3)).map { Report(bytes: outcome + [UInt8($0)], metadata: [UInt8($0)]) }
    }

    func isDelivered(_ report: Report) -> Bool { report.metadata.first != kept }

    func attestationDigest(of report: Report, sequenceNumber: UInt64, configurationDigest: Digest) -> Digest {
        var writer = CanonicalWriter()
        writer.digest(toyHashing.digest(report.bytes))
        writer.digest(configurationDigest)
        writer.u64(sequenceNumber)
        return toyHashing.digest(writer.bytes)
    }
}

let toyDigest = toyHashing.digest(Array("configuration".utf8))

func toyTiming() -> Timing {
    var timing = Timing()
    timing.deltaProgress = 1_000
    timing.deltaResend = 200
    timing.deltaInitial = 300
    timing.deltaRound = 20
    timing.deltaIdle = 100
    timing.deltaGrace = 20
    timing.deltaCertifiedCommitRequest = 100
    timing.deltaStage = 50
    timing.rMax = 5
    return timing
}

func toyConfiguration(
    faulty: Int = 1, own: Int = 0, timing: Timing = toyTiming(), digest: Digest = toyDigest, queryBytes: Int = 0
) throws -> InstanceConfiguration {
    var sizes = SizeLimits()
    sizes.observation = 1_024
    sizes.outcome = 4_096
    sizes.report = 4_096
    sizes.query = queryBytes
    return try InstanceConfiguration(
        label: InstanceLabel(destinationSelector: 77, plugin: "toy"), digest: digest,
        oracles: (0..<3 * faulty + 1).map {
            OracleIdentity(offchainPublicKey: [1, UInt8($0)], onchainSigner: [2, UInt8($0)])
        },
        faulty: faulty, ownIndex: own, timing: timing, sizes: sizes)
}

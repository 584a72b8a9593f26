// The messages between oracles as Swift values (2.6 of the off-chain specification). The wire is in Message+Wire.swift.

/// A leader message with the bytes its signature covers.
struct Seal: Equatable, Sendable {
    let body: [UInt8]
    let signature: [UInt8]
}

struct EpochStartRequest: Equatable, Sendable {
    let epoch: UInt64
    let certificate: Certificate
    let timestampSignature: [UInt8]
}

struct SignedTimestamp: Equatable, Sendable {
    let oracle: Int
    let timestamp: CertificateTimestamp
    let signature: [UInt8]
}

struct EpochStart: Equatable, Sendable {
    let epoch: UInt64
    let certificate: Certificate
    let timestamps: [SignedTimestamp]
}

struct RoundStart: Equatable, Sendable {
    let epoch: UInt64
    let sequenceNumber: UInt64
    let query: [UInt8]
}

struct ObservationMessage: Equatable, Sendable {
    let epoch: UInt64
    let sequenceNumber: UInt64
    let observation: [UInt8]
    let signature: [UInt8]
}

struct SignedObservation: Equatable, Sendable {
    let observer: Int
    let observation: [UInt8]
    let signature: [UInt8]

    var attributed: AttributedObservation { AttributedObservation(observer: observer, observation: observation) }
}

struct Proposal: Equatable, Sendable {
    let epoch: UInt64
    let sequenceNumber: UInt64
    let observations: [SignedObservation]
}

struct VoteMessage: Equatable, Sendable {
    let kind: VoteKind
    let epoch: UInt64
    let sequenceNumber: UInt64
    let inputsDigest: Digest
    let outcomeDigest: Digest
    let signature: [UInt8]
    /// The sender is still in this phase and asks for the receiver's votes again.
    let resent: Bool
}

extension VoteMessage {
    init(_ record: VoteRecord, resent: Bool) {
        self.init(
            kind: record.kind, epoch: record.epoch, sequenceNumber: record.sequenceNumber,
            inputsDigest: record.inputsDigest, outcomeDigest: record.outcomeDigest, signature: record.signature,
            resent: resent)
    }

    func sameChoice(as other: VoteMessage) -> Bool {
        inputsDigest == other.inputsDigest && outcomeDigest == other.outcomeDigest
    }
}

struct ReportSignatures: Equatable, Sendable {
    let sequenceNumber: UInt64
    let signatures: [[UInt8]]
    let resent: Bool
}

enum Message: Equatable, Sendable {
    case newEpochWish(epoch: UInt64)
    case epochStartRequest(EpochStartRequest)
    case epochStart(EpochStart, Seal)
    case roundStart(RoundStart, Seal)
    case observation(ObservationMessage)
    case proposal(Proposal, Seal)
    case vote(VoteMessage)
    case reportSignatures(ReportSignatures)
    case certifiedCommitRequest(sequenceNumber: UInt64)
    case certifiedCommit(CertifiedCommit)
    case workHint(epoch: UInt64)

    /// The epoch a message belongs to; nil for those outside epochs.
    var epoch: UInt64? {
        switch self {
        case .epochStartRequest(let message): return message.epoch
        case .epochStart(let message, _): return message.epoch
        case .roundStart(let message, _): return message.epoch
        case .observation(let message): return message.epoch
        case .proposal(let message, _): return message.epoch
        case .vote(let message): return message.epoch
        case .workHint(let epoch): return epoch
        case .newEpochWish, .reportSignatures, .certifiedCommitRequest, .certifiedCommit: return nil
        }
    }
}

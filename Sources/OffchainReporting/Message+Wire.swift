// Messages to and from Protocol Buffers, with every bound checked. The only file that touches generated code.
// Signed bytes are never taken from here, except the bodies of sealed leader messages.

import SwiftProtobuf

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A refused message: code and what was wrong.
struct WireError: Error, Equatable {
    let code: Refusal.Code
    let detail: String

    static func malformed(_ detail: String) -> WireError { WireError(code: .malformed, detail: detail) }
}

/// Decodes and encodes under one configuration.
struct WireCodec: Sendable {
    let configuration: InstanceConfiguration

    // MARK: Encoding

    func encode(_ message: Message) -> [UInt8] {
        var wire = WirePeerMessage()
        wire.configDigest = Data(configuration.digest.bytes)
        switch message {
        case .newEpochWish(let epoch):
            wire.newEpochWish = .with { $0.epoch = epoch }
        case .epochStartRequest(let request):
            wire.epochStartRequest = .with {
                $0.epoch = request.epoch
                $0.highestCertified = encode(request.certificate)
                $0.timestampSignature = Data(request.timestampSignature)
            }
        case .epochStart(_, let seal):
            wire.epochStart = encode(seal)
        case .roundStart(_, let seal):
            wire.roundStart = encode(seal)
        case .proposal(_, let seal):
            wire.proposal = encode(seal)
        case .observation(let message):
            wire.observation = .with {
                $0.epoch = message.epoch
                $0.sequenceNumber = message.sequenceNumber
                $0.observation = Data(message.observation)
                $0.signature = Data(message.signature)
            }
        case .vote(let vote):
            if vote.kind == .prepare { wire.prepare = encode(vote) } else { wire.commit = encode(vote) }
        case .reportSignatures(let list):
            wire.reportSignatures = .with {
                $0.sequenceNumber = list.sequenceNumber
                $0.signatures = list.signatures.map { Data($0) }
                $0.resent = list.resent
            }
        case .certifiedCommitRequest(let sequenceNumber):
            wire.certifiedCommitRequest = .with { $0.sequenceNumber = sequenceNumber }
        case .certifiedCommit(let certificate):
            wire.certifiedCommit = encode(certificate)
        case .workHint(let epoch):
            wire.workHint = .with { $0.epoch = epoch }
        }
        return serialize(wire)
    }

    func body(_ message: EpochStart) -> [UInt8] {
        serialize(
            WireEpochStart.with {
                $0.epoch = message.epoch
                $0.highestCertified = encode(message.certificate)
                $0.timestamps = message.timestamps.map { item in
                    .with {
                        $0.oracle = UInt32(item.oracle)
                        $0.timestamp = .with {
                            $0.sequenceNumber = item.timestamp.sequenceNumber
                            $0.committed = item.timestamp.committed
                            $0.epoch = item.timestamp.epoch
                        }
                        $0.signature = Data(item.signature)
                    }
                }
            })
    }

    func body(_ message: RoundStart) -> [UInt8] {
        serialize(
            WireRoundStart.with {
                $0.epoch = message.epoch
                $0.sequenceNumber = message.sequenceNumber
                $0.query = Data(message.query)
            })
    }

    func body(_ message: Proposal) -> [UInt8] {
        serialize(
            WireProposal.with {
                $0.epoch = message.epoch
                $0.sequenceNumber = message.sequenceNumber
                $0.observations = message.observations.map { item in
                    .with {
                        $0.observer = UInt32(item.observer)
                        $0.observation = Data(item.observation)
                        $0.signature = Data(item.signature)
                    }
                }
            })
    }

    private func serialize(_ message: any SwiftProtobuf.Message) -> [UInt8] {
        do {
            return try message.serializedBytes()
        } catch {
            fatalError("own message cannot be encoded: \(error)")
        }
    }

    private func encode(_ seal: Seal) -> WireSealedMessage {
        .with {
            $0.body = Data(seal.body)
            $0.signature = Data(seal.signature)
        }
    }

    private func encode(_ vote: VoteMessage) -> WireVote {
        .with {
            $0.epoch = vote.epoch
            $0.sequenceNumber = vote.sequenceNumber
            $0.inputsDigest = Data(vote.inputsDigest.bytes)
            $0.outcomeDigest = Data(vote.outcomeDigest.bytes)
            $0.signature = Data(vote.signature)
            $0.resent = vote.resent
        }
    }

    private func encode(_ signatures: [AttributedSignature]) -> [WireAttributedSignature] {
        signatures.map { item in
            .with {
                $0.signer = UInt32(item.signer)
                $0.signature = Data(item.signature)
            }
        }
    }

    private func encode(_ certificate: CertifiedCommit) -> WireCertifiedCommit {
        .with {
            $0.epoch = certificate.epoch
            $0.sequenceNumber = certificate.sequenceNumber
            $0.outcome = Data(certificate.outcome)
            $0.signatures = encode(certificate.signatures)
        }
    }

    private func encode(_ certificate: Certificate) -> WireCertificate {
        .with {
            switch certificate {
            case .genesis:
                $0.genesis = WireGenesis()
            case .prepare(let prepare):
                $0.prepare = .with {
                    $0.epoch = prepare.epoch
                    $0.sequenceNumber = prepare.sequenceNumber
                    $0.inputsDigest = Data(prepare.inputsDigest.bytes)
                    $0.outcome = Data(prepare.outcome)
                    $0.signatures = encode(prepare.signatures)
                }
            case .commit(let commit):
                $0.commit = encode(commit)
            }
        }
    }

    // MARK: Decoding

    /// - Throws: the named refusal. Nothing is verified here but shape and bounds.
    func decode(_ bytes: [UInt8]) throws(WireError) -> Message {
        guard bytes.count <= configuration.messageBytesMaximum else {
            throw WireError(
                code: .tooLarge, detail: "\(bytes.count) bytes, at most \(configuration.messageBytesMaximum)")
        }
        let wire = try parse(WirePeerMessage.self, bytes, "message")
        guard wire.configDigest.count == Digest.byteCount, Array(wire.configDigest) == configuration.digest.bytes else {
            throw WireError(code: .wrongConfiguration, detail: "\(wire.configDigest.count)-byte configuration digest")
        }
        switch wire.kind {
        case .newEpochWish(let wish):
            guard wish.epoch >= 1, wish.epoch <= Limits.epochMaximum else {
                throw WireError(code: .epochTooLarge, detail: "wish for epoch \(wish.epoch)")
            }
            return .newEpochWish(epoch: wish.epoch)
        case .epochStartRequest(let request):
            return .epochStartRequest(
                EpochStartRequest(
                    epoch: try epoch(request.epoch), certificate: try certificate(request.highestCertified),
                    timestampSignature: try signature(request.timestampSignature)))
        case .epochStart(let sealed):
            let seal = try self.seal(sealed)
            return .epochStart(try epochStart(seal.body), seal)
        case .roundStart(let sealed):
            let seal = try self.seal(sealed)
            return .roundStart(try roundStart(seal.body), seal)
        case .proposal(let sealed):
            let seal = try self.seal(sealed)
            return .proposal(try proposal(seal.body), seal)
        case .observation(let message):
            return .observation(
                ObservationMessage(
                    epoch: try epoch(message.epoch), sequenceNumber: try sequenceNumber(message.sequenceNumber),
                    observation: try bounded(
                        message.observation, configuration.sizes.observation, .observationTooLarge, "observation"),
                    signature: try signature(message.signature)))
        case .prepare(let vote):
            return .vote(try self.vote(vote, .prepare))
        case .commit(let vote):
            return .vote(try self.vote(vote, .commit))
        case .reportSignatures(let list):
            guard list.signatures.count <= configuration.sizes.reportsPerOutcome else {
                throw WireError(code: .tooLarge, detail: "\(list.signatures.count) report signatures")
            }
            var signatures: [[UInt8]] = []
            for item in list.signatures { signatures.append(try signature(item)) }
            return .reportSignatures(
                ReportSignatures(
                    sequenceNumber: try sequenceNumber(list.sequenceNumber), signatures: signatures, resent: list.resent
                ))
        case .certifiedCommitRequest(let request):
            return .certifiedCommitRequest(sequenceNumber: try sequenceNumber(request.sequenceNumber))
        case .certifiedCommit(let commit):
            return .certifiedCommit(try certifiedCommit(commit))
        case .workHint(let hint):
            return .workHint(epoch: try epoch(hint.epoch))
        case nil:
            throw WireError(code: .unknownKind, detail: "no known message kind")
        }
    }

    private func parse<T: SwiftProtobuf.Message>(
        _ type: T.Type, _ bytes: [UInt8], _ what: String
    ) throws(WireError) -> T {
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = 8
        do {
            return try T(serializedBytes: bytes, options: options)
        } catch {
            throw WireError.malformed("\(what) of \(bytes.count) bytes: \(error)")
        }
    }

    private func epochStart(_ body: [UInt8]) throws(WireError) -> EpochStart {
        let wire = try parse(WireEpochStart.self, body, "epoch start")
        guard wire.timestamps.count <= configuration.count else {
            throw .malformed("\(wire.timestamps.count) timestamps")
        }
        var timestamps: [SignedTimestamp] = []
        for item in wire.timestamps {
            timestamps.append(
                SignedTimestamp(
                    oracle: try oracle(item.oracle),
                    timestamp: CertificateTimestamp(
                        sequenceNumber: item.timestamp.sequenceNumber, committed: item.timestamp.committed,
                        epoch: item.timestamp.epoch),
                    signature: try signature(item.signature)))
        }
        return EpochStart(
            epoch: try epoch(wire.epoch), certificate: try certificate(wire.highestCertified), timestamps: timestamps)
    }

    private func roundStart(_ body: [UInt8]) throws(WireError) -> RoundStart {
        let wire = try parse(WireRoundStart.self, body, "round start")
        return RoundStart(
            epoch: try epoch(wire.epoch), sequenceNumber: try sequenceNumber(wire.sequenceNumber),
            query: try bounded(wire.query, configuration.sizes.query, .queryTooLarge, "query"))
    }

    private func proposal(_ body: [UInt8]) throws(WireError) -> Proposal {
        let wire = try parse(WireProposal.self, body, "proposal")
        guard wire.observations.count <= configuration.count else {
            throw WireError.malformed("\(wire.observations.count) observations")
        }
        var observations: [SignedObservation] = []
        for item in wire.observations {
            observations.append(
                SignedObservation(
                    observer: try oracle(item.observer),
                    observation: try bounded(
                        item.observation, configuration.sizes.observation, .observationTooLarge, "observation"),
                    signature: try signature(item.signature)))
        }
        return Proposal(
            epoch: try epoch(wire.epoch), sequenceNumber: try sequenceNumber(wire.sequenceNumber),
            observations: observations)
    }

    private func vote(_ wire: WireVote, _ kind: VoteKind) throws(WireError) -> VoteMessage {
        guard let inputs = Digest(Array(wire.inputsDigest)), let outcome = Digest(Array(wire.outcomeDigest)) else {
            throw WireError.malformed("a vote's digests have 32 bytes")
        }
        guard kind == .prepare || inputs == .zero else {
            throw WireError.malformed("a commit vote has no inputs digest")
        }
        return VoteMessage(
            kind: kind, epoch: try epoch(wire.epoch), sequenceNumber: try sequenceNumber(wire.sequenceNumber),
            inputsDigest: inputs, outcomeDigest: outcome, signature: try signature(wire.signature), resent: wire.resent)
    }

    private func certificate(_ wire: WireCertificate) throws(WireError) -> Certificate {
        switch wire.kind {
        case .genesis:
            return .genesis
        case .prepare(let prepare):
            guard let inputs = Digest(Array(prepare.inputsDigest)) else {
                throw WireError.malformed("a certificate's inputs digest has 32 bytes")
            }
            return .prepare(
                CertifiedPrepare(
                    epoch: try epoch(prepare.epoch), sequenceNumber: try sequenceNumber(prepare.sequenceNumber),
                    inputsDigest: inputs,
                    outcome: try bounded(prepare.outcome, configuration.sizes.outcome, .tooLarge, "outcome"),
                    signatures: try signatures(prepare.signatures)))
        case .commit(let commit):
            return .commit(try certifiedCommit(commit))
        case nil:
            throw WireError.malformed("no certificate")
        }
    }

    private func certifiedCommit(_ wire: WireCertifiedCommit) throws(WireError) -> CertifiedCommit {
        CertifiedCommit(
            epoch: try epoch(wire.epoch), sequenceNumber: try sequenceNumber(wire.sequenceNumber),
            outcome: try bounded(wire.outcome, configuration.sizes.outcome, .tooLarge, "outcome"),
            signatures: try signatures(wire.signatures))
    }

    private func signatures(_ wire: [WireAttributedSignature]) throws(WireError) -> [AttributedSignature] {
        guard wire.count <= configuration.count else { throw WireError.malformed("\(wire.count) signatures") }
        var list: [AttributedSignature] = []
        for item in wire {
            list.append(AttributedSignature(signer: try oracle(item.signer), signature: try signature(item.signature)))
        }
        return list
    }

    private func seal(_ wire: WireSealedMessage) throws(WireError) -> Seal {
        Seal(body: Array(wire.body), signature: try signature(wire.signature))
    }

    private func oracle(_ index: UInt32) throws(WireError) -> Int {
        guard index < UInt32(configuration.count) else { throw WireError.malformed("oracle index \(index)") }
        return Int(index)
    }

    private func epoch(_ value: UInt64) throws(WireError) -> UInt64 {
        guard value >= 1, value <= Limits.epochMaximum else {
            throw WireError(code: .epochTooLarge, detail: "epoch \(value)")
        }
        return value
    }

    private func sequenceNumber(_ value: UInt64) throws(WireError) -> UInt64 {
        guard value >= 1, value <= Limits.sequenceNumberMaximum else {
            throw WireError.malformed("sequence number \(value)")
        }
        return value
    }

    private func signature(_ data: Data) throws(WireError) -> [UInt8] {
        try bounded(data, Limits.signatureBytesMaximum, .malformed, "signature")
    }

    private func bounded(
        _ data: Data, _ maximum: Int, _ code: Refusal.Code, _ what: String
    ) throws(WireError) -> [UInt8] {
        guard data.count <= maximum else {
            throw WireError(code: code, detail: "\(what) of \(data.count) bytes, at most \(maximum)")
        }
        return Array(data)
    }
}

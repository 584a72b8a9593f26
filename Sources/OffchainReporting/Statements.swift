// What the off-chain keys sign: canonical payloads under a domain, the instance's label and the configuration digest
// (2.5 of the off-chain specification with its three deviations). The only place where signing bytes are made.

package enum VoteKind: UInt8, Sendable, CaseIterable {
    case prepare = 1
    case commit = 2
}

/// Leader messages that are signed as sent.
enum SealedKind: String, Sendable {
    case epochStart = "epoch start"
    case roundStart = "round start"
    case proposal = "proposal"
}

struct Statements: Sendable {
    /// Protocol and version; every signature begins with it.
    static let tag = Array("causeway/offchain-reporting/1:".utf8)

    let configuration: InstanceConfiguration
    let crypto: Cryptography

    func outcomeDigest(_ outcome: [UInt8]) -> Digest { crypto.hashing.digest(outcome) }

    /// Binds a proposal's inputs: previous outcome, query and the observations in proposal order.
    func inputsDigest(epoch: UInt64, _ context: RoundContext, _ observations: [AttributedObservation]) -> Digest {
        var writer = begin("inputs digest")
        writer.u64(epoch)
        writer.string(context.previousOutcome)
        writer.u64(context.sequenceNumber)
        writer.string(context.query)
        writer.u64(UInt64(observations.count))
        for item in observations {
            writer.string(item.observation)
            writer.u64(UInt64(item.observer))
        }
        return crypto.hashing.digest(writer.bytes)
    }

    func vote(
        _ kind: VoteKind, epoch: UInt64, sequenceNumber: UInt64, inputsDigest: Digest, outcomeDigest: Digest
    ) -> [UInt8] {
        var writer = begin(kind == .prepare ? "prepare vote" : "commit vote")
        writer.u64(epoch)
        writer.u64(sequenceNumber)
        if kind == .prepare { writer.digest(inputsDigest) }
        writer.digest(outcomeDigest)
        return finish(writer)
    }

    func observation(epoch: UInt64, sequenceNumber: UInt64, query: [UInt8], observation: [UInt8]) -> [UInt8] {
        var writer = begin("observation")
        writer.u64(epoch)
        writer.u64(sequenceNumber)
        writer.string(query)
        writer.string(observation)
        return finish(writer)
    }

    /// "My highest certificate on entering this epoch has this timestamp, and I vote in no lower epoch any more."
    func timestamp(epoch: UInt64, _ timestamp: CertificateTimestamp) -> [UInt8] {
        var writer = begin("highest certified timestamp")
        writer.u64(epoch)
        writer.u64(timestamp.sequenceNumber)
        writer.byte(timestamp.committed ? 1 : 0)
        writer.u64(timestamp.epoch)
        return finish(writer)
    }

    /// A leader message: the body exactly as sent.
    func sealed(_ kind: SealedKind, body: [UInt8]) -> [UInt8] {
        var writer = begin(kind.rawValue)
        writer.string(body)
        return finish(writer)
    }

    private func begin(_ domain: String) -> CanonicalWriter {
        var writer = CanonicalWriter()
        writer.text(domain)
        writer.u64(configuration.label.destinationSelector)
        writer.text(configuration.label.plugin)
        writer.digest(configuration.digest)
        return writer
    }

    private func finish(_ writer: CanonicalWriter) -> [UInt8] {
        Statements.tag + crypto.hashing.digest(writer.bytes).bytes
    }
}

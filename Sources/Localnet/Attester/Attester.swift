// What an attestation service knows and answers: messages that are final, when each is attested, and the two forms of its
// API (4.6 of the off-chain specification). A value: time, blocks and questions come in, answers go out.

import Ethereum

/// Where a message was logged.
package struct AttesterPlace: Sendable, Hashable, Comparable {
    package let domain: UInt32
    package let block: UInt64
    package let logIndex: UInt64
    package let transaction: Hash32

    package init(domain: UInt32, block: UInt64, logIndex: UInt64, transaction: Hash32) {
        self.domain = domain
        self.block = block
        self.logIndex = logIndex
        self.transaction = transaction
    }

    package static func < (a: AttesterPlace, b: AttesterPlace) -> Bool {
        (a.domain, a.block, a.logIndex) < (b.domain, b.block, b.logIndex)
    }
}

package struct Attester: Sendable {
    package enum Question: Sendable, Equatable {
        /// By the hash of the message.
        case v1(Hash32)
        case v2(domain: UInt32, transaction: Hash32)
    }

    package struct Answer: Sendable, Equatable {
        package var status: Int
        package var json: JSON
        package var retryAfterSeconds: UInt64?

        init(_ status: Int, _ json: JSON, retryAfterSeconds: UInt64? = nil) {
            self.status = status
            self.json = json
            self.retryAfterSeconds = retryAfterSeconds
        }
    }

    private struct Entry: Sendable {
        let place: AttesterPlace
        let message: AttestedMessage
        let hash: Hash32
        let nonce: Hash32
        /// Position among the messages of its domain, from 0.
        let position: Int
        /// When it was seen to be final.
        let since: UInt64
        var questions = 0
        /// What was signed, and the block from which on it is void.
        var signed: (message: Bytes, attestation: Bytes, expirationBlock: UInt64)?
    }

    private let keys: AttesterKeys
    private let threshold: Int
    package var faults = AttesterFaults()
    private var entries: [Entry] = []
    private var places: Set<AttesterPlace> = []
    private var counts: [UInt32: Int] = [:]
    /// The newest block of each chain, by domain.
    private var heads: [UInt32: UInt64] = [:]
    package private(set) var questions: UInt64 = 0

    package init(keys: AttesterKeys, threshold: Int) {
        precondition((1...keys.keys.count).contains(threshold), "a threshold of \(threshold) with \(keys.keys.count) keys")
        self.keys = keys
        self.threshold = threshold
    }

    // MARK: What the chains say

    /// A final message; seen twice it counts once, and past the limit the oldest are forgotten. `now` in milliseconds.
    package mutating func saw(_ message: AttestedMessage, at place: AttesterPlace, now: UInt64) {
        guard places.insert(place).inserted else { return }
        let position = counts[place.domain, default: 0]
        counts[place.domain] = position + 1
        // Nonces of version 2 are the service's to choose; these are the same on every run.
        let nonce = keccak256(U256(UInt64(place.domain)).bytes + place.transaction.bytes + U256(place.logIndex).bytes)
        entries.append(
            Entry(
                place: place, message: message, hash: keccak256(message.bytes), nonce: nonce, position: position, since: now))
        if entries.count > Limits.attesterMessagesMaximum { places.remove(entries.removeFirst().place) }
    }

    package mutating func sawHead(_ block: UInt64, of domain: UInt32) { heads[domain] = block }

    package var messages: Int { entries.count }
    package var attested: Int { entries.count { $0.signed != nil } }

    // MARK: Questions

    package mutating func answer(_ question: Question, now: UInt64) -> Answer {
        questions += 1
        if faults.refusedQuestions > 0 {
            faults.refusedQuestions -= 1
            return Answer(
                429, ["code": 429, "error": "Too many requests"], retryAfterSeconds: faults.retryAfterSeconds)
        }
        switch question {
        case .v1(let hash): return answerV1(hash, now)
        case .v2(let domain, let transaction): return answerV2(domain, transaction, now)
        }
    }

    private mutating func answerV1(_ hash: Hash32, _ now: UInt64) -> Answer {
        let unknown = Answer(404, ["error": "Message hash not found"])
        guard let index = entries.firstIndex(where: { $0.message.version == .v1 && $0.hash == hash })
        else { return unknown }
        switch look(index, now) {
        case .unknown: return unknown
        case .pending: return Answer(200, ["attestation": "PENDING", "status": "pending_confirmations"])
        case .complete(_, let attestation): return Answer(200, ["attestation": .data(attestation), "status": "complete"])
        }
    }

    private mutating func answerV2(_ domain: UInt32, _ transaction: Hash32, _ now: UInt64) -> Answer {
        var items: [JSON] = []
        for index in entries.indices where isV2(index, domain, transaction) {
            switch look(index, now) {
            case .unknown: continue
            case .pending:
                items.append([
                    "attestation": "PENDING", "message": "0x", "eventNonce": "0x", "cctpVersion": 2,
                    "status": "pending_confirmations",
                ])
            case .complete(let message, let attestation):
                items.append([
                    "attestation": .data(attestation), "message": .data(message),
                    "eventNonce": .hash(entries[index].nonce), "cctpVersion": 2, "status": "complete",
                ])
            }
        }
        guard !items.isEmpty else { return Answer(404, ["code": 404, "error": "Message not found"]) }
        if faults.reorderMilliseconds > 0 { items.reverse() }
        return Answer(200, ["messages": .array(items)])
    }

    private func isV2(_ index: Int, _ domain: UInt32, _ transaction: Hash32) -> Bool {
        let entry = entries[index]
        return entry.message.version == .v2 && entry.place.domain == domain && entry.place.transaction == transaction
    }

    private enum Look {
        case unknown
        case pending
        case complete(Bytes, Bytes)
    }

    /// What one question learns of a message: signed once, and the same from then on.
    private mutating func look(_ index: Int, _ now: UInt64) -> Look {
        entries[index].questions += 1
        if let signed = entries[index].signed { return .complete(signed.message, signed.attestation) }
        let entry = entries[index]
        if entry.questions <= faults.lostQuestions { return .unknown }
        if faults.withheld || entry.questions <= faults.lostQuestions + faults.pendingQuestions { return .pending }
        let reorder = entry.position % 2 == 0 ? faults.reorderMilliseconds : 0
        if now < entry.since + faults.delayMilliseconds + reorder { return .pending }
        let signed = sign(entry)
        entries[index].signed = signed
        return .complete(signed.message, signed.attestation)
    }

    private func sign(_ entry: Entry) -> (message: Bytes, attestation: Bytes, expirationBlock: UInt64) {
        // A transfer is void once the block is reached: one from now is too early for a delivery in the next block.
        let expiry = faults.expiryBlocks.map { max(1, heads[entry.message.destinationDomain, default: 0] + $0) } ?? 0
        let message = entry.message.completed(nonce: entry.nonce, expirationBlock: expiry)
        return (message, keys.attest(message, threshold: threshold), expiry)
    }

    /// `POST /v2/reattest/{nonce}`: an attestation that expired is made anew, by the faults of now.
    package mutating func reattest(_ nonce: Hash32) -> Answer {
        guard let index = entries.firstIndex(where: { $0.message.version == .v2 && $0.nonce == nonce }) else {
            return Answer(404, ["code": 404, "error": "Message not found"])
        }
        let head = heads[entries[index].message.destinationDomain, default: 0]
        guard let signed = entries[index].signed, signed.expirationBlock > 0, signed.expirationBlock <= head else {
            return Answer(400, ["code": 400, "error": "Message is not eligible for re-attestation"])
        }
        entries[index].signed = sign(entries[index])
        return Answer(200, ["message": "Re-attestation successfully requested for nonce.", "nonce": .hash(nonce)])
    }
}

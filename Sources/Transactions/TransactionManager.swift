// All transactions of one (chain, sender): nonces, prices, replacement, confirmation (ccip-offchain.md chapter 6).
// A pure state machine; signing is a deterministic function that is given to it.

import Ethereum

package struct TransactionManager: Sendable {
    /// Signs a draft: the raw transaction and its hash. Deterministic (RFC 6979).
    package typealias Sign = @Sendable (TransactionDraft) -> (raw: Bytes, hash: Hash32)

    package let sender: Address
    package let policy: FeePolicy
    private let sign: Sign
    /// In the order in which they came; entries with a nonce are in the order of their nonces.
    package private(set) var entries: [OutboxEntry]
    private var finished: [Hash32: RequestOutcome?] = [:]
    private var finishedOrder: [Hash32] = []
    private var head: ChainHead?
    private var nextNonce: UInt64?
    /// Nonces that the chain has used while we know of no receipt.
    private var doubts: [UInt64: Doubt] = [:]

    /// A nonce is taken by somebody else only when every attempt of ours was denied, head after head: silence proves
    /// nothing.
    private struct Doubt: Sendable {
        var deniedHeads = 0
        /// Attempts that were asked for and not denied since.
        var asked: [Hash32]
    }

    /// `restored` is what the outbox on disk holds, `finishedKeys` names the requests that it knows to be over.
    package init(
        sender: Address, policy: FeePolicy, restored: [OutboxEntry], finishedKeys: [Hash32] = [], sign: @escaping Sign
    ) {
        self.sender = sender
        self.policy = policy
        self.sign = sign
        entries = restored.sorted { ($0.nonce ?? .max, $0.request.key) < ($1.nonce ?? .max, $1.request.key) }
        for key in finishedKeys {
            finished[key] = .some(nil)
            finishedOrder.append(key)
        }
    }

    package var inFlightCount: Int { entries.count { if case .inFlight = $0.phase { true } else { false } } }
    package var queuedCount: Int { entries.count { $0.phase == .queued } }

    /// True when the request is over, in this run or in one before.
    package func isFinished(_ key: Hash32) -> Bool { finished[key] != nil }

    package mutating func handle(_ event: TransactionEvent) -> [TransactionAction] {
        switch event {
        case .submit(let request): submit(request)
        case .cancel(let key): cancel(key)
        case .obsolete(let key): obsolete(key)
        case .revalidated(let key, let isWanted): revalidated(key, isWanted)
        case .evicted(let nonce): evicted(nonce)
        case .head(let head): advance(to: head)
        case .broadcast(let hash, let outcome): broadcastEnded(hash, outcome)
        case .receipt(let hash, let receipt): receiptRead(hash, receipt)
        }
    }

    // MARK: Requests

    private mutating func submit(_ request: TransactionRequest) -> [TransactionAction] {
        if let outcome = finished[request.key] { return outcome.map { [.report(key: request.key, $0)] } ?? [] }
        if entries.contains(where: { $0.request.key == request.key }) { return [] }
        guard request.data.count <= Limits.dataBytesMaximum else {
            return finish(request.key, .refused("call data of \(request.data.count) bytes is over the limit"))
        }
        // No node takes it: the nonce would be used up by a filler, for money, and the request would come again.
        let gasLimitMaximum = min(policy.gasLimitMaximum, head?.gasLimit ?? .max)
        guard request.gasLimit <= gasLimitMaximum else {
            // Not remembered as finished: the chain may raise the limit of its blocks.
            return [.report(key: request.key, .refused("gas limit \(request.gasLimit) above \(gasLimitMaximum)"))]
        }
        guard queuedCount < Limits.queuedMaximum else {
            // Not remembered as finished: a later try may find room.
            return [.report(key: request.key, .refused("\(Limits.queuedMaximum) requests wait already"))]
        }
        let entry = OutboxEntry(request: request, phase: .queued, attempts: [], isFiller: false)
        entries.append(entry)
        return [.persist(entry)] + startQueued()
    }

    private mutating func cancel(_ key: Hash32) -> [TransactionAction] {
        guard let at = entries.firstIndex(where: { $0.request.key == key && $0.phase == .queued }) else { return [] }
        entries.remove(at: at)
        return [.forget(key: key)] + finish(key, .refused("cancelled before it was sent"))
    }

    /// Gives nonces to waiting requests while the window has room.
    private mutating func startQueued() -> [TransactionAction] {
        guard let head, var next = nextNonce else { return [] }
        var actions: [TransactionAction] = []
        while inFlightCount < Limits.inFlightMaximum, let at = entries.firstIndex(where: { $0.phase == .queued }) {
            var entry = entries.remove(at: at)
            entry.phase = .inFlight(nonce: next)
            next += 1
            let price = firstPrice(head)
            actions += send(&entry, nonce: next - 1, fee: price.fee, tip: price.tip, head: head)
            insertByNonce(entry)
        }
        nextNonce = next
        return actions
    }

    /// Signs an attempt, records it, and only then broadcasts it.
    private func send(
        _ entry: inout OutboxEntry, nonce: UInt64, fee: U256, tip: U256, head: ChainHead
    ) -> [TransactionAction] {
        let draft = TransactionDraft(
            nonce: nonce, to: entry.isFiller ? sender : entry.request.to, data: entry.isFiller ? [] : entry.request.data,
            value: entry.isFiller ? .zero : entry.request.value, gasLimit: entry.isFiller ? 21_000 : entry.request.gasLimit,
            maxFeePerGas: fee, maxPriorityFeePerGas: min(tip, fee))
        let (raw, hash) = sign(draft)
        entry.attempts.removeAll { $0.hash == hash }
        entry.attempts.append(
            TransactionAttempt(
                hash: hash, raw: raw, maxFeePerGas: fee, maxPriorityFeePerGas: min(tip, fee),
                broadcastAtBlock: head.number))
        return [.persist(entry), .broadcast(hash: hash, raw: raw)]
    }

    private mutating func insertByNonce(_ entry: OutboxEntry) {
        let at = entries.firstIndex { ($0.nonce ?? .max) > (entry.nonce ?? .max) } ?? entries.endIndex
        entries.insert(entry, at: at)
    }

    // MARK: Prices

    private func firstPrice(_ head: ChainHead) -> (fee: U256, tip: U256) {
        let tip = max(head.suggestedTip, policy.tipMinimumWei)
        var base = head.baseFee
        for _ in 0..<policy.baseFeeBufferBlocks { base = saturatingAdd(base, base / 8 &+ 1) }
        return (min(saturatingAdd(base, tip), policy.maxFeePerGasCap), tip)
    }

    /// The price of a replacement; nil at the cap of prices.
    private func bumped(_ attempt: TransactionAttempt, _ head: ChainHead) -> (fee: U256, tip: U256)? {
        let market = firstPrice(head)
        let tip = max(raised(attempt.maxPriorityFeePerGas), market.tip)
        let fee = max(max(raised(attempt.maxFeePerGas), market.fee), tip)
        return fee <= policy.maxFeePerGasCap ? (fee, tip) : nil
    }

    private func raised(_ value: U256) -> U256 {
        let byPercent = value.multiplied(by: U256(100 + policy.bumpPercent), dividedBy: 100) ?? .max
        return max(saturatingAdd(byPercent, 1), saturatingAdd(value, policy.bumpMinimumWei))
    }

    private func saturatingAdd(_ a: U256, _ b: U256) -> U256 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }

    // MARK: Heads

    private mutating func advance(to new: ChainHead) -> [TransactionAction] {
        let isFirst = head == nil
        head = new
        var actions: [TransactionAction] = []
        if isFirst { actions += recover(new) }
        for at in entries.indices {
            switch entries[at].phase {
            case .queued: break
            case .inFlight(let nonce): actions += follow(at, nonce: nonce, new)
            case .mined(_, _, let hash, _): actions.append(.queryReceipt(hash: hash))
            }
        }
        return actions + startQueued()
    }

    /// After a start: nonces go on behind what is stored and what the chain has used, stored bytes go out again
    /// unchanged, and a gap that we do not know is filled.
    private mutating func recover(_ head: ChainHead) -> [TransactionAction] {
        let stored = entries.compactMap(\.nonce)
        let next = max(head.nonce, (stored.max() ?? 0) + (stored.isEmpty ? 0 : 1))
        nextNonce = next
        var actions: [TransactionAction] = []
        for entry in entries {
            guard case .inFlight = entry.phase, let last = entry.attempts.last else { continue }
            actions.append(.broadcast(hash: last.hash, raw: last.raw))
        }
        let known = Set(stored)
        for nonce in head.nonce..<max(next, head.nonce) where !known.contains(nonce) {
            actions += fill(nonce, head)
        }
        return actions
    }

    /// Uses up a nonce with an empty transfer to ourselves.
    private mutating func fill(_ nonce: UInt64, _ head: ChainHead) -> [TransactionAction] {
        let key = keccak256(Bytes("causeway.filler".utf8) + sender.bytes + Bytes(bigEndian: nonce))
        let request = TransactionRequest(key: key, to: sender, data: [], gasLimit: 21_000)
        var entry = OutboxEntry(request: request, phase: .inFlight(nonce: nonce), attempts: [], isFiller: true)
        let price = firstPrice(head)
        let actions = send(&entry, nonce: nonce, fee: price.fee, tip: price.tip, head: head)
        insertByNonce(entry)
        return [.alarm("nonce \(nonce) of \(sender) is a gap: filled with an empty transfer")] + actions
    }

    private mutating func follow(_ at: Int, nonce: UInt64, _ head: ChainHead) -> [TransactionAction] {
        var actions = entries[at].attempts.map { TransactionAction.queryReceipt(hash: $0.hash) }
        if head.nonce > nonce {
            let attempts = entries[at].attempts.map(\.hash)
            var doubt = doubts[nonce] ?? Doubt(asked: attempts)
            if doubt.asked.isEmpty {
                doubt.deniedHeads += 1
                doubt.asked = attempts
            }
            doubts[nonce] = doubt
            if doubt.deniedHeads > Limits.foreignNonceHeads { actions += requeue(at, nonce: nonce) }
            return actions
        }
        doubts[nonce] = nil
        guard let last = entries[at].attempts.last,
            head.number >= last.broadcastAtBlock + policy.bumpThresholdBlocks
        else { return actions }
        if policy.revalidates, !entries[at].isFiller { return actions + [.revalidate(key: entries[at].request.key)] }
        return actions + replace(at, nonce: nonce, last, head)
    }

    // MARK: Still wanted?

    private mutating func revalidated(_ key: Hash32, _ isWanted: Bool?) -> [TransactionAction] {
        guard let head, let at = entries.firstIndex(where: { $0.request.key == key }),
            case .inFlight(let nonce) = entries[at].phase, head.nonce <= nonce, let last = entries[at].attempts.last,
            head.number >= last.broadcastAtBlock + policy.bumpThresholdBlocks
        else { return [] }
        return isWanted == false ? obsolete(key) : replace(at, nonce: nonce, last, head)
    }

    /// An attempt that is out may still be mined instead of the empty transfer: both use the same nonce.
    private mutating func obsolete(_ key: Hash32) -> [TransactionAction] {
        guard let at = entries.firstIndex(where: { $0.request.key == key }), !entries[at].isFiller else { return [] }
        switch entries[at].phase {
        case .queued: return cancel(key)
        case .mined: return []
        case .inFlight(let nonce):
            guard let head, let last = entries[at].attempts.last else { return [] }
            // Without a higher price no node takes a replacement: then what is out goes on as it is.
            guard let price = bumped(last, head) else { return replace(at, nonce: nonce, last, head) }
            let actions = finish(key, .refused("nobody wants it any more"))
            entries[at].isFiller = true
            return actions + send(&entries[at], nonce: nonce, fee: price.fee, tip: price.tip, head: head)
        }
    }

    /// At the cap of prices an attempt can only go out again unchanged; nodes that dropped it take any price afresh, and
    /// the market may have fallen.
    private mutating func evicted(_ nonce: UInt64) -> [TransactionAction] {
        guard let head, head.nonce <= nonce,
            let at = entries.firstIndex(where: { $0.phase == .inFlight(nonce: nonce) }),
            let last = entries[at].attempts.last,
            entries[at].attempts.count < Limits.attemptsWithEvictionsMaximum
        else { return [] }
        let price = firstPrice(head)
        guard price.fee < last.maxFeePerGas else { return [] }
        return send(&entries[at], nonce: nonce, fee: price.fee, tip: price.tip, head: head)
    }

    /// A higher price for the same nonce; at a cap the last attempt goes out again, since it may have been evicted.
    /// No attempt is ever forgotten while its nonce is open: each of them may be the one that is mined.
    private mutating func replace(
        _ at: Int, nonce: UInt64, _ last: TransactionAttempt, _ head: ChainHead
    ) -> [TransactionAction] {
        if entries[at].attempts.count < Limits.attemptsMaximum, let price = bumped(last, head) {
            return send(&entries[at], nonce: nonce, fee: price.fee, tip: price.tip, head: head)
        }
        entries[at].attempts[entries[at].attempts.count - 1].broadcastAtBlock = head.number
        return [
            .alarm("nonce \(nonce) of \(sender) waits at the price cap"), .persist(entries[at]),
            .broadcast(hash: last.hash, raw: last.raw),
            .locate(nonce: nonce, hashes: entries[at].attempts.map(\.hash)),
        ]
    }

    /// Somebody else used our nonce: the payload goes back into the queue, a filler has done its duty.
    private mutating func requeue(_ at: Int, nonce: UInt64) -> [TransactionAction] {
        doubts[nonce] = nil
        let alarm = TransactionAction.alarm(
            "nonce \(nonce) of \(sender) was used by a transaction that is not ours: is the key in use elsewhere?")
        if entries[at].isFiller {
            // Turned into a queued entry without payload it would be sent again: it must not be.
            entries[at].phase = .mined(nonce: nonce, block: 0, hash: entries[at].attempts.last?.hash ?? .zero, succeeded: true)
            return [alarm, .persist(entries[at])]
        }
        entries[at].phase = .queued
        entries[at].attempts = []
        if let next = nextNonce, let head { nextNonce = max(next, head.nonce) }
        return [alarm, .persist(entries[at])]
    }

    // MARK: Answers

    private mutating func broadcastEnded(_ hash: Hash32, _ outcome: BroadcastOutcome) -> [TransactionAction] {
        guard let at = entries.firstIndex(where: { $0.attempts.contains { $0.hash == hash } }),
            case .inFlight(let nonce) = entries[at].phase, let head, let last = entries[at].attempts.last
        else { return [] }
        switch outcome {
        case .accepted, .alreadyKnown, .unknown: return []
        case .nonceTooLow: return entries[at].attempts.map { .queryReceipt(hash: $0.hash) }
        case .underpriced: return last.hash == hash ? replace(at, nonce: nonce, last, head) : []
        case .insufficientFunds: return [.alarm("\(sender) cannot pay for nonce \(nonce): top up the account")]
        case .nonceTooHigh:
            return entries.compactMap { entry in
                guard case .inFlight(let other) = entry.phase, other < nonce, let attempt = entry.attempts.last else {
                    return nil
                }
                return .broadcast(hash: attempt.hash, raw: attempt.raw)
            }
        case .rejected(let reason): return reject(at, nonce: nonce, reason, head)
        }
    }

    /// The node will never take the payload, but the nonces behind it need this one: an empty transfer takes its place.
    private mutating func reject(
        _ at: Int, nonce: UInt64, _ reason: String, _ head: ChainHead
    ) -> [TransactionAction] {
        guard !entries[at].isFiller else { return [.alarm("filler for nonce \(nonce) refused: \(reason)")] }
        let actions = finish(entries[at].request.key, .refused(reason))
        entries[at].isFiller = true
        let price = entries[at].attempts.last.flatMap { bumped($0, head) } ?? firstPrice(head)
        return actions + send(&entries[at], nonce: nonce, fee: price.fee, tip: price.tip, head: head)
    }

    private mutating func receiptRead(_ hash: Hash32, _ receipt: TransactionReceiptSummary?) -> [TransactionAction] {
        guard let at = entries.firstIndex(where: { $0.attempts.contains { $0.hash == hash } }),
            let nonce = entries[at].nonce
        else { return [] }
        guard let receipt else {
            doubts[nonce]?.asked.removeAll { $0 == hash }
            return receiptGone(at, hash, nonce: nonce)
        }
        doubts[nonce] = nil
        let key = entries[at].request.key
        if let head, receipt.block <= head.finalized {
            let wasFiller = entries[at].isFiller
            entries.remove(at: at)
            let actions: [TransactionAction] = [.forget(key: key)]
            return wasFiller ? actions : actions + finish(key, .finalized(hash: hash, succeeded: receipt.succeeded))
        }
        let phase = OutboxEntry.Phase.mined(
            nonce: nonce, block: receipt.block, hash: hash, succeeded: receipt.succeeded)
        guard entries[at].phase != phase else { return [] }
        entries[at].phase = phase
        let persisted = TransactionAction.persist(entries[at])
        if entries[at].isFiller { return [persisted] }
        return [
            persisted,
            .report(key: key, .included(hash: hash, block: receipt.block, succeeded: receipt.succeeded)),
        ]
    }

    /// A block that held our transaction is gone: the same bytes go out again under the same nonce.
    private mutating func receiptGone(_ at: Int, _ hash: Hash32, nonce: UInt64) -> [TransactionAction] {
        guard case .mined(_, let block, hash, _) = entries[at].phase, block > 0 else {
            if case .mined(_, 0, hash, _) = entries[at].phase {
                let key = entries.remove(at: at).request.key
                return [.forget(key: key)]
            }
            return []
        }
        entries[at].phase = .inFlight(nonce: nonce)
        var actions: [TransactionAction] = [.persist(entries[at])]
        if let attempt = entries[at].attempts.first(where: { $0.hash == hash }) {
            actions.append(.broadcast(hash: hash, raw: attempt.raw))
        }
        return actions
    }

    private mutating func finish(_ key: Hash32, _ outcome: RequestOutcome) -> [TransactionAction] {
        if finished.updateValue(outcome, forKey: key) == nil { finishedOrder.append(key) }
        if finishedOrder.count > Limits.finishedMaximum { finished.removeValue(forKey: finishedOrder.removeFirst()) }
        return [.report(key: key, outcome)]
    }
}

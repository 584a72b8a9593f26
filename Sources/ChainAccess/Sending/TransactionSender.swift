// The edge of Transactions: performs what the state machine decides for one (chain, key). The outbox is written before
// anything goes out; what goes out does so one after the other, in the order of the decisions.

import CCIP
import Ethereum
import Logging
import Storage
import Transactions

package actor TransactionSender {
    package nonisolated let address: Address
    private let endpoints: ChainEndpointSet
    private let store: Store
    private let logger: Logger
    private let alarm: Alarm
    private var manager: TransactionManager
    private let kind: SigningKind

    /// Things to do on the wire, oldest first.
    private enum Errand: Sendable {
        case broadcast(hash: Hash32, raw: Bytes)
        case receipts([Hash32])
        case revalidate(Hash32)
        case locate(nonce: UInt64, hashes: [Hash32])
        case explain(TransactionRequest, hash: Hash32, block: UInt64, finalized: Bool)
    }
    private var errands: [Errand] = []
    private var isWorking = false

    /// Whether a request is still wanted, by its key. Requests of an earlier run have none, and count as wanted.
    private var wanted: [Hash32: @Sendable () async -> Bool?] = [:]

    private var fedHead: Hash32?
    private var nonce: UInt64?
    private var tip: (wei: U256, at: Double)?
    /// Broadcasts that nobody answered or could not be paid, by hash, with the time of the next try.
    private var unanswered: [Hash32: (raw: Bytes, due: Double)] = [:]
    /// Receipts that could not be read.
    private var unread: Set<Hash32> = []
    /// Requests that were reported as in a block.
    private var reported: Set<Hash32> = []
    private var streams: [UInt64: AsyncStream<TransactionOutcome>.Continuation] = [:]
    private var nextStream: UInt64 = 0

    /// Set when a write to the outbox failed: from then on nothing goes out until a restart.
    package private(set) var failure: ChainAccessError?

    /// Restores from the outbox. Throws `storage` when it holds what cannot be read.
    package init(
        key: PrivateKey, endpoints: ChainEndpointSet, store: Store, policy: FeePolicy,
        logger: Logger, alarm: @escaping Alarm = { _ in }
    ) throws(ChainAccessError) {
        let chainID = endpoints.chainID
        let kind = SigningKind(endpoints.policy.fees.kind ?? .dynamicFee)
        self.kind = kind
        address = key.address
        self.endpoints = endpoints
        self.store = store
        self.alarm = alarm
        var logger = logger
        logger[metadataKey: LogKey.chain] = "\(endpoints.name)"
        logger[metadataKey: LogKey.sender] = "\(key.address)"
        self.logger = logger
        var restored: [OutboxEntry] = []
        let finished: [Hash32]
        do throws(StorageError) {
            for bytes in try store.outbox(chain: chainID, sender: key.address) {
                do throws(EthereumError) { restored.append(try OutboxEntry(decoding: bytes)) } catch {
                    throw StorageError(
                        .corrupted, "an outbox entry cannot be read: \(error)", path: store.path,
                        hint: "the store is damaged, or was written by a newer version")
                }
            }
            finished = try store.finishedKeys(chain: chainID, sender: key.address)
        } catch { throw ChainAccessError(error) }
        manager = TransactionManager(
            sender: key.address, policy: policy, restored: restored, finishedKeys: finished,
            sign: Self.signing(key, kind: kind, chainID: chainID))
        for entry in restored { if case .mined = entry.phase { reported.insert(entry.request.key) } }
        if !restored.isEmpty {
            logger.notice("outbox restored", metadata: ["entries": "\(restored.count)"])
        }
    }

    private static func signing(
        _ key: PrivateKey, kind: SigningKind, chainID: UInt64
    ) -> TransactionManager.Sign {
        { draft in
            let transaction =
                kind.value == .legacy
                ? Transaction.legacy(
                    chainID: chainID, nonce: draft.nonce, gasPrice: draft.maxFeePerGas, gasLimit: draft.gasLimit,
                    to: draft.to, value: draft.value, data: draft.data)
                : Transaction.dynamicFee(
                    chainID: chainID, nonce: draft.nonce, maxPriorityFeePerGas: draft.maxPriorityFeePerGas,
                    maxFeePerGas: draft.maxFeePerGas, gasLimit: draft.gasLimit, to: draft.to, value: draft.value,
                    data: draft.data)
            let signed = transaction.signed(by: key)
            return (signed.encoded, signed.hash)
        }
    }

    // MARK: For callers

    /// Requests that are not over.
    package var pending: Int { manager.entries.count }

    /// Takes a request. When it returns, the request is on disk and will be sent however often the process dies; the
    /// same key is never sent twice. `isWanted` is asked before a higher price is paid: false replaces the request by an
    /// empty transfer. Throws `storage` when it could not be written; a full queue shows as `failed`.
    @discardableResult
    package func submit(
        key: Hash32, to: Address, data: Bytes, value: U256 = .zero, gasLimit: UInt64,
        isWanted: (@Sendable () async -> Bool?)? = nil
    ) throws(ChainAccessError) -> TransactionStatus {
        if let failure { throw failure }
        let known = try status(key)
        guard known == .unknown else { return known }
        let request = TransactionRequest(key: key, to: to, data: data, value: value, gasLimit: gasLimit)
        let refusal = handle(.submit(request))
        if let failure { throw failure }
        let now = try status(key)
        if now != .unknown { wanted[key] = isWanted }
        return now == .unknown ? .failed(refusal ?? "refused") : now
    }

    /// Drops a request that has no nonce yet; one that is out stays out.
    package func cancel(_ key: Hash32) { _ = handle(.cancel(key: key)) }

    package func status(_ key: Hash32) throws(ChainAccessError) -> TransactionStatus {
        if let entry = manager.entries.first(where: { $0.request.key == key }), !entry.isFiller {
            return TransactionStatus(entry)
        }
        do throws(StorageError) {
            let finished = try store.finished(chain: endpoints.chainID, sender: address, key: key)
            return finished.isFinished ? TransactionStatus(finished: finished.outcome) : .unknown
        } catch { throw ChainAccessError(error) }
    }

    /// Outcomes from now on. A reader that falls far behind loses the oldest; `status` still knows.
    package func outcomes() -> AsyncStream<TransactionOutcome> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: TransactionOutcome.self, bufferingPolicy: .bufferingNewest(Limits.outcomesBuffered))
        let id = nextStream
        nextStream += 1
        streams[id] = continuation
        continuation.onTermination = { [weak self] _ in Task { await self?.removeStream(id) } }
        return stream
    }

    private func removeStream(_ id: UInt64) { streams[id] = nil }

    /// Feeds heads until the task is cancelled or a write failed.
    package func run(heads tracker: HeadTracker) async {
        for await heads in await tracker.updates() {
            if Task.isCancelled || failure != nil { break }
            await advance(heads)
        }
        for (_, stream) in streams { stream.finish() }
        streams = [:]
    }

    // MARK: Heads

    /// One head. Returns when everything that follows from it is done.
    ///
    /// A head is fed only after every receipt asked for at the one before was answered: the state machine takes heads
    /// without a receipt as proof that somebody else used our nonce, and would send the payload again.
    package func advance(_ heads: ChainHeads) async {
        for hash in unread.sorted() { ask(hash) }
        unread = []
        rebroadcast()
        await work()
        guard !isWorking, unread.isEmpty, failure == nil, heads.latest.hash != fedHead,
            let head = await head(heads), !isWorking
        else { return }
        fedHead = heads.latest.hash
        _ = handle(.head(head))
        await work()
    }

    /// Nil when the chain did not tell what is needed; the next update tries again.
    private func head(_ heads: ChainHeads) async -> ChainHead? {
        let isBusy = !manager.entries.isEmpty
        do throws(ChainAccessError) {
            if nonce == nil || isBusy { nonce = try await endpoints.nonce(address) }
            let now = ChainEndpoint.now
            if tip.map({ $0.at + Limits.tipCacheSeconds < now }) ?? true {
                let fees = try await endpoints.fees()
                // Without a base fee the whole price takes the tip's place.
                tip = (fees.baseFee == nil ? fees.gasPrice : fees.tip, now)
            }
        } catch {
            logger.warning("the sender has no head", metadata: [LogKey.error: "\(error)"])
            return nil
        }
        guard let nonce, let tip else { return nil }
        // What is on disk stays as it was signed; what is signed from now on is of the kind that this head takes.
        kind.value = endpoints.policy.fees.kind ?? (heads.latest.baseFee == nil ? .legacy : .dynamicFee)
        return ChainHead(
            number: heads.latest.number, finalized: heads.finalized.number, baseFee: heads.latest.baseFee ?? .zero,
            suggestedTip: tip.wei, nonce: nonce, gasLimit: heads.latest.gasLimit > 0 ? heads.latest.gasLimit : nil)
    }

    private func rebroadcast() {
        let now = ChainEndpoint.now
        for (hash, item) in unanswered.sorted(by: { $0.key < $1.key }) where item.due <= now {
            unanswered[hash] = nil
            guard
                manager.entries.contains(where: { entry in
                    if case .inFlight = entry.phase { entry.attempts.contains { $0.hash == hash } } else { false }
                })
            else { continue }
            errands.append(.broadcast(hash: hash, raw: item.raw))
        }
    }

    // MARK: Decisions

    /// Lets the state machine decide, writes what must be written in one transaction, and only then queues what goes
    /// out. Returns the text of a refusal.
    private func handle(_ event: TransactionEvent) -> String? {
        guard failure == nil else { return nil }
        let before = manager.entries
        let actions = manager.handle(event)
        var changes: [OutboxChange] = []
        for action in actions {
            switch action {
            case .persist(let entry): changes.append(.put(key: entry.request.key, entry: entry.encoded))
            case .forget(let key): changes.append(.forget(key: key))
            case .report(let key, let outcome):
                // A request that found no room is not over: it may come again.
                if let bytes = outcome.encoded, manager.isFinished(key) { changes.append(.outcome(key: key, bytes)) }
            case .broadcast, .queryReceipt, .revalidate, .locate, .alarm: break
            }
        }
        do throws(StorageError) {
            try store.applyOutbox(chain: endpoints.chainID, sender: address, changes)
        } catch {
            failure = ChainAccessError(error)
            errands = []
            raise("the outbox cannot be written: nothing more is sent until a restart (\(error.message))")
            return nil
        }
        return perform(actions, after: event, before)
    }

    private func perform(
        _ actions: [TransactionAction], after event: TransactionEvent, _ before: [OutboxEntry]
    ) -> String? {
        var refusal: String?
        for action in actions {
            switch action {
            case .persist, .forget: break
            case .broadcast(let hash, let raw): errands.append(.broadcast(hash: hash, raw: raw))
            case .queryReceipt(let hash): ask(hash)
            case .revalidate(let key): errands.append(.revalidate(key))
            case .locate(let nonce, let hashes): errands.append(.locate(nonce: nonce, hashes: hashes))
            case .alarm(let text): raise(text)
            case .report(let key, let outcome):
                if case .refused(let why) = outcome { refusal = why }
                report(key, outcome, event, before)
            }
        }
        if !errands.isEmpty, !isWorking { Task { await work() } }
        return refusal
    }

    private func ask(_ hash: Hash32) {
        if case .receipts(var hashes) = errands.last, hashes.count < Limits.receiptsPerBatch {
            if !hashes.contains(hash) { hashes.append(hash) }
            errands[errands.count - 1] = .receipts(hashes)
        } else {
            errands.append(.receipts([hash]))
        }
    }

    private func raise(_ text: String) {
        logger.error("\(text)")
        alarm(text)
    }

    // MARK: Reports

    private func report(
        _ key: Hash32, _ outcome: RequestOutcome, _ event: TransactionEvent, _ before: [OutboxEntry]
    ) {
        switch outcome {
        case .refused(let why): emit(key, .failed(why))
        case .included(let hash, let block, let succeeded):
            reported.insert(key)
            included(key, hash, block, succeeded, before, finalized: false)
        case .finalized(let hash, let succeeded):
            // A chain that finalizes at once skips the block that can still go away.
            if reported.remove(key) == nil, case .receipt(_, let receipt?) = event {
                included(key, hash, receipt.block, succeeded, before, finalized: true)
            } else {
                emit(key, .finalized(hash: hash, succeeded: succeeded))
            }
        }
    }

    private func included(
        _ key: Hash32, _ hash: Hash32, _ block: UInt64, _ succeeded: Bool, _ before: [OutboxEntry], finalized: Bool
    ) {
        if !succeeded, let request = before.first(where: { $0.request.key == key })?.request {
            errands.append(.explain(request, hash: hash, block: block, finalized: finalized))
            return
        }
        emit(key, .confirmed(hash: hash, block: block))
        if finalized { emit(key, .finalized(hash: hash, succeeded: succeeded)) }
    }

    private func emit(_ key: Hash32, _ kind: TransactionOutcome.Kind) {
        switch kind {
        case .finalized, .failed: wanted[key] = nil
        case .confirmed, .reverted: break
        }
        logger.info("transaction", metadata: [LogKey.request: "\(key)", "outcome": "\(kind)"])
        let outcome = TransactionOutcome(key: key, kind: kind)
        for (_, stream) in streams { stream.yield(outcome) }
    }

    // MARK: Errands

    /// Works the errands off, one after the other. Only one such loop runs at a time.
    private func work() async {
        guard !isWorking else { return }
        isWorking = true
        defer { isWorking = false }
        while failure == nil, !errands.isEmpty {
            switch errands.removeFirst() {
            case .broadcast(let hash, let raw): await broadcast(hash, raw)
            case .receipts(let hashes): await read(hashes)
            case .revalidate(let key):
                let answer = await wanted[key]?()
                _ = handle(.revalidated(key: key, isWanted: answer ?? nil))
            case .locate(let nonce, let hashes):
                if await endpoints.knowsNone(of: hashes) { _ = handle(.evicted(nonce: nonce)) }
            case .explain(let request, let hash, let block, let finalized):
                let reason = await explain(request, block)
                emit(request.key, .reverted(hash: hash, block: block, reason: reason))
                if finalized { emit(request.key, .finalized(hash: hash, succeeded: false)) }
            }
        }
    }

    private func broadcast(_ hash: Hash32, _ raw: Bytes) async {
        let outcome = await endpoints.sendRaw(raw)
        logger.debug("broadcast", metadata: [LogKey.transaction: "\(hash)", "outcome": "\(outcome)"])
        unanswered[hash] = Self.rest(after: outcome).map { (raw: raw, due: ChainEndpoint.now + $0) }
        _ = handle(.broadcast(hash: hash, outcome))
    }

    /// Seconds until the same bytes go out again; nil when they are out, or never will be. An account is topped up, and
    /// a missing nonce is filled, without any sign that we would see on a chain that makes no blocks of its own accord.
    private static func rest(after outcome: BroadcastOutcome) -> Double? {
        switch outcome {
        case .unknown: Limits.rebroadcastSeconds
        case .insufficientFunds, .nonceTooHigh: Limits.unpaidSeconds
        case .accepted, .alreadyKnown, .nonceTooLow, .underpriced, .rejected: nil
        }
    }

    private func read(_ hashes: [Hash32]) async {
        do throws(ChainAccessError) {
            let receipts = try await endpoints.receipts(hashes)
            for (hash, receipt) in zip(hashes, receipts) {
                var receipt = receipt
                if receipt == nil, isOvertaken(hash) {
                    switch await endpoints.receiptAnywhere(hash) {
                    case .ready(let found): receipt = found
                    case .notYet, .refused:
                        unread.insert(hash)
                        continue
                    }
                }
                let summary = receipt.map {
                    TransactionReceiptSummary(block: $0.blockNumber, succeeded: $0.succeeded)
                }
                _ = handle(.receipt(hash: hash, summary))
            }
        } catch {
            unread.formUnion(hashes)
            logger.warning("receipts could not be read", metadata: [LogKey.error: "\(error)"])
        }
    }

    /// The chain has used the nonce of this attempt: one endpoint's word that there is no receipt is not enough then.
    private func isOvertaken(_ hash: Hash32) -> Bool {
        guard let used = nonce, let entry = manager.entries.first(where: { $0.attempts.contains { $0.hash == hash } }),
            let own = entry.nonce
        else { return false }
        return own < used
    }

    /// Why a call reverted: played again on the state after its block and, when it passes there, before it.
    private func explain(_ request: TransactionRequest, _ block: UInt64) async -> RevertReason {
        for number in [block, block > 0 ? block - 1 : 0] {
            do throws(ChainAccessError) {
                _ = try await endpoints.call(
                    to: request.to, data: request.data, from: address, gas: request.gasLimit, value: request.value,
                    at: .number(number))
            } catch {
                if error.code == .reverted { return RevertReason(error.revertData ?? []) }
            }
        }
        return RevertReason([])
    }
}

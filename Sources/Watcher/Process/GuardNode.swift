// The edge of the Guard: feeds it with what is seen and asked, and performs its actions strictly in their order. No
// decision about a root lives here.

import CCIP
import ChainAccess
import Ethereum
import Guarding
import JSONRPC
import Logging
import MessageBus
import Storage
import Transactions

/// `handle` never suspends, so that no event comes between the record of a leaf and its signature.
actor GuardNode: GuardAudience {
    private var machine: Guard
    private let store: GuardStore
    private let keys: GuardKeys
    private let logger: Logger
    private var readers: [ChainSelector: DestinationReader] = [:]
    private var curses: [ChainSelector: CurseSender] = [:]
    private var send: @Sendable (RelayerIndex, Bytes) -> Void = { _, _ in }
    /// What ended it; nothing is signed after.
    private(set) var failure: WatcherError?
    private let onFailure: @Sendable (WatcherError) -> Void
    private var alarms: [Alarm] = []
    private var malformedRequests: UInt64 = 0

    struct Alarm: Sendable {
        let at: GuardTime
        let anomaly: Anomaly
    }

    init(
        configuration: GuardConfiguration, store: GuardStore, keys: GuardKeys, chains: [WatchedCluster.Chain],
        logger: Logger, onFailure: @escaping @Sendable (WatcherError) -> Void
    ) throws(StorageError) {
        self.store = store
        self.keys = keys
        self.logger = logger
        self.onFailure = onFailure
        var messages: [DerivedMessage] = []
        var records: [GuardRecord] = []
        let most = Guarding.Limits.messagesPerLaneMaximum
        for lane in configuration.lanes {
            let (source, destination) = (lane.source.rawValue, lane.destination.rawValue)
            messages += try store.messages(source: source, destination: destination, newest: most).map(DerivedMessage.init)
            records += try store.signed(source: source, destination: destination, newest: most).map { row in
                GuardRecord(lane: lane, number: row.sequence, leaf: row.leaf)
            }
        }
        var buckets: [PoolBucket] = []
        for gate in configuration.pools.keys.sorted() {
            guard let bytes = try store.store.value(PoolBucket.key(gate)) else { continue }
            if let bucket = PoolBucket(gate: gate, encoded: bytes) { buckets.append(bucket) }
        }
        let stops = try store.store.activeStops().map { stop in GuardStop(stop, chains: chains) }
        machine = Guard(configuration: configuration, messages: messages, records: records, stops: stops, buckets: buckets)
        logger.notice(
            "guard restored",
            metadata: ["messages": "\(messages.count)", "signed": "\(records.count)", "stops": "\(stops.count)"])
    }

    func connect(
        readers: [ChainSelector: DestinationReader], curses: [ChainSelector: CurseSender],
        send: @escaping @Sendable (RelayerIndex, Bytes) -> Void
    ) {
        self.readers = readers
        self.curses = curses
        self.send = send
    }

    // MARK: Events

    func sees(_ event: GuardEvent) throws {
        if let reason = try handle(event) { throw WatcherError(.logsRefused, reason) }
    }

    /// A frame of a relayer. What is no request is counted and dropped.
    func received(_ payload: Bytes, from relayer: RelayerIndex) {
        do throws(WatcherError) {
            let request = try GuardWire.request(payload)
            _ = try handle(.request(request, from: relayer, now: ChainEye.now))
        } catch {
            guard error.code == .malformedRequest else { return }
            malformedRequests += 1
            logger.warning("request refused", metadata: ["relayer": "\(relayer)", "error": "\(error)"])
        }
    }

    /// Why logs are not taken; nil when they are. Throws when an action failed: the process must end.
    private func handle(_ event: GuardEvent) throws(WatcherError) -> String? {
        if let failure { throw failure }
        var refusal: String?
        for action in machine.handle(event) {
            do throws(StorageError) {
                if case .refuseLogs(_, let reason) = action { refusal = reason } else { try perform(action) }
            } catch {
                let failure = WatcherError(.store, "\(error.message) (\(error.path))", hint: error.hint)
                self.failure = failure
                onFailure(failure)
                throw failure
            }
        }
        return refusal
    }

    private func perform(_ action: GuardAction) throws(StorageError) {
        switch action {
        case .read(let destination): read(destination)
        case .keep(let messages): try store.keep(messages.map(GuardMessageRow.init))
        case .record(let records):
            try store.sign(records.map { record in
                GuardSignedRow(
                    source: record.lane.source.rawValue, destination: record.lane.destination.rawValue,
                    sequence: record.number, leaf: record.leaf)
            })
        case .keepBucket(let bucket): try store.store.setValue(PoolBucket.key(bucket.gate), bucket.encoded)
        case .raiseStop(let stop):
            try store.store.raiseStop(scope: stop.scope, kind: stop.kind.rawValue, reason: stop.reason)
        case .sign(let id, let relayer, let digest):
            let signature = RMNSignature(keys.signer.sign(digest: digest.digest))
            logger.info(
                "roots signed",
                metadata: [
                    "destination": "\(digest.destination)", "relayer": "\(relayer)",
                    "roots": "\(digest.roots.map { "\($0.source) \($0.first)...\($0.last)" }.joined(separator: ", "))",
                ])
            send(relayer, GuardWire.signed(id, signature))
        case .answer(let id, let relayer, let answer):
            logger.debug("request answered", metadata: ["relayer": "\(relayer)", "answer": "\(answer)"])
            send(relayer, GuardWire.answer(id, answer))
        case .alarm(let anomaly): tell(anomaly)
        case .curse(let source, let destination, let reason): curse(source, on: destination, reason)
        case .refuseLogs: break
        }
    }

    private func read(_ destination: ChainSelector) {
        guard let reader = readers[destination] else { return }
        Task {
            let event: GuardEvent =
                switch await reader.read() {
                case .ready(let facts): .destination(facts, now: ChainEye.now)
                case .notYet(let why): .destinationSilent(destination, reason: why)
                case .refused(let error): .destinationSilent(destination, reason: error.message)
                }
            _ = try? handle(event)
        }
    }

    private func tell(_ anomaly: Anomaly) {
        alarms.append(Alarm(at: ChainEye.now, anomaly: anomaly))
        if alarms.count > Limits.alarmsShown { alarms.removeFirst() }
        logger.critical(
            "anomaly",
            metadata: [
                "kind": "\(anomaly.kind.rawValue)", "lane": "\(anomaly.lane.map { "\($0)" } ?? "all")",
                "detail": "\(anomaly.detail)",
            ])
    }

    private func curse(_ source: ChainSelector, on destination: ChainSelector, _ reason: String) {
        guard let sender = curses[destination], let reader = readers[destination] else {
            return logger.error("no key to curse with", metadata: ["destination": "\(destination)"])
        }
        logger.critical("cursing", metadata: ["source": "\(source)", "destination": "\(destination)", "reason": "\(reason)"])
        Task { await sender.curse(source, reader: reader) }
    }

    // MARK: Condition

    struct Condition: Sendable {
        var tallies: GuardTallies
        var stops: [Stop]
        var alarms: [Alarm]
        var lanes: [(lane: GuardLane, finalizedThrough: UInt64, stop: GuardStop?)]
        var unverified: Int
        var malformedRequests: UInt64
        var failure: WatcherError?
        var behind: [ChainSelector]
        var pools: [(allowance: PoolAllowance, limiter: LimiterState?, left: U256)]
    }

    func condition() -> Condition {
        let configuration = machine.configuration
        return Condition(
            tallies: machine.tallies, stops: (try? store.store.activeStops()) ?? [], alarms: alarms,
            lanes: configuration.lanes.map { ($0, machine.finalizedThrough($0), machine.stop(of: $0)) },
            unverified: machine.unverifiedCount, malformedRequests: malformedRequests, failure: failure,
            behind: configuration.sources.keys.sorted().filter { !machine.isCaughtUp($0) },
            pools: machine.poolViews(now: ChainEye.now / 1_000))
    }
}

// MARK: Rows

extension DerivedMessage {
    init(_ row: GuardMessageRow) {
        let amounts = stride(from: 0, to: row.amounts.count - 51, by: 52).compactMap { start -> DerivedAmount? in
            guard let pool = Address(bytes: row.amounts[start..<start + 20]),
                let amount = U256(bigEndianBytes: row.amounts[start + 20..<start + 52])
            else { return nil }
            return DerivedAmount(pool: pool, amount: amount)
        }
        self.init(
            lane: GuardLane(source: ChainSelector(row.source), destination: ChainSelector(row.destination)),
            number: row.sequence, messageID: row.messageID, leaf: row.leaf, block: row.block, amounts: amounts)
    }
}

extension GuardMessageRow {
    init(_ message: DerivedMessage) {
        self.init(
            source: message.lane.source.rawValue, destination: message.lane.destination.rawValue,
            sequence: message.number, messageID: message.messageID, leaf: message.leaf, block: message.block,
            amounts: message.amounts.flatMap { $0.pool.bytes + $0.amount.bytes })
    }
}

extension PoolBucket {
    static func key(_ gate: PoolGate) -> String {
        "guard-pool/\(gate.chain)/\(gate.pool.hex)/\(gate.remote)/\(gate.direction.rawValue)"
    }

    /// Tokens, time, block, position.
    var encoded: Bytes {
        tokens.bytes + Bytes(bigEndian: updated) + Bytes(bigEndian: block) + Bytes(bigEndian: logIndex)
    }

    /// Nil for bytes that are none; the bucket is full then.
    init?(gate: PoolGate, encoded: Bytes) {
        guard encoded.count == 56, let tokens = U256(bigEndianBytes: encoded[..<32]),
            let updated = UInt64(bigEndianBytes: Bytes(encoded[32..<40])),
            let block = UInt64(bigEndianBytes: Bytes(encoded[40..<48])),
            let logIndex = UInt64(bigEndianBytes: Bytes(encoded[48...]))
        else { return nil }
        self.init(gate: gate, tokens: tokens, updated: updated, block: block, logIndex: logIndex)
    }
}

extension GuardStop {
    /// ChainAccess names chains by their ids where it stores a finality violation; a guard names them by selectors.
    init(_ stop: Stop, chains: [WatchedCluster.Chain]) {
        let isViolation = stop.kind == LogPoller.violationKind
        let chain = chains.first { isViolation && LogPoller.stopScope(chainID: $0.chainID) == stop.scope }
        self.init(
            scope: chain.map { GuardStop.scope($0.selector) } ?? stop.scope, kind: AnomalyKind(rawValue: stop.kind),
            reason: stop.reason)
    }
}

// A model of two source chains and an OffRamp for the tests: messages, roots, states, nonces. It executes reports by
// the rules of the contract (13 of the on-chain specification) and records every rule that a report breaks.

import CCIP
import Ethereum
import OffchainReporting
import TestSupport

@testable import Executing

let destination: ChainSelector = 945_045_181_441_419_236
let sourceA: ChainSelector = 10_344_971_235_874_465_080
let sourceB: ChainSelector = 16_015_286_601_757_825_753
let testDigest = Hash32(U256(0xd1_9e57))

func configuration(
    limits: ExecuteLimits = ExecuteLimits(), delays: ExecuteDelays = ExecuteDelays(),
    readersA: [Int] = [0, 1, 2, 3], destinationReaders: [Int] = [0, 1, 2, 3], oracles: Int = 4, faulty: Int = 1
) throws -> ExecuteConfiguration {
    try ExecuteConfiguration(
        oracleCount: oracles, faulty: faulty,
        destination: ChainReaders(selector: destination, readers: destinationReaders, faulty: 1),
        sources: [
            ChainReaders(selector: sourceA, readers: readersA, faulty: 1),
            ChainReaders(selector: sourceB, readers: [0, 1, 2, 3], faulty: 1),
        ],
        configurationDigest: testDigest, limits: limits, delays: delays)
}

func onRamp(_ source: ChainSelector) -> Bytes { Address(truncating: U256(source.rawValue)).abiWord }

func sender(_ name: UInt64) -> Bytes { Address(truncating: U256(0x5E00_0000 + name)).abiWord }

struct ModelOffRamp {
    var roots: [RootKey: CommittedRoot] = [:]
    var states: [MessageKey: MessageExecutionState] = [:]
    var nonces: [SenderKey: UInt64] = [:]
    /// Receivers that revert.
    var failing: Set<MessageKey> = []
    var successes: [MessageKey: Int] = [:]
    var order: [MessageKey] = []
    /// Broken rules: none may ever appear.
    var violations: [String] = []
    var skippedNonces = 0
    var skippedExecuted = 0
    var attempted = 0

    mutating func execute(_ bytes: Bytes, _ limits: ExecuteLimits) {
        guard bytes.count <= limits.reportBytesMaximum else { return violations.append("\(bytes.count) bytes") }
        guard let reports = try? [ExecutionReport](encodedReports: bytes), !reports.isEmpty else {
            return violations.append("undecodable or empty")
        }
        let gas = reports.reduce(UInt64(0)) { total, report in
            zip(report.messages, report.offchainTokenData).reduce(total) {
                $0 + MessageGas.estimate($1.0, tokenData: $1.1)
            }
        }
        if gas > limits.batchGasLimit { violations.append("batch gas \(gas)") }
        let context = ReportContext(configurationDigest: testDigest, sequenceNumber: 1)
        if ExecutionGasPlan(reports: reports, context: context, maximum: limits.transactionGasMaximum) == nil {
            violations.append("transaction gas")
        }
        for report in reports { execute(report) }
    }

    private mutating func execute(_ report: ExecutionReport) {
        guard !report.messages.isEmpty, report.messages.count == report.offchainTokenData.count else {
            return violations.append("EmptyReport or UnexpectedTokenData")
        }
        guard let root = try? report.root(onRamp: onRamp(report.source)),
            roots[RootKey(source: report.source, root: root)] != nil
        else { return violations.append("RootNotCommitted") }
        for (message, data) in zip(report.messages, report.offchainTokenData) {
            if message.header.destination != destination || message.header.source != report.source {
                violations.append("wrong selector")
            }
            if data.count != message.tokenAmounts.count { violations.append("TokenDataMismatch") }
            execute(message)
        }
    }

    private mutating func execute(_ message: Any2EVMRampMessage) {
        switch states[message.key] ?? .untouched {
        case .success, .inProgress: skippedExecuted += 1
        case .failure: attempted += 1
        case .untouched:
            if let sender = message.orderedSender {
                guard message.header.nonce == (nonces[sender] ?? 0) + 1 else {
                    skippedNonces += 1
                    return
                }
                nonces[sender] = message.header.nonce
            }
            order.append(message.key)
            if failing.contains(message.key) {
                states[message.key] = .failure
            } else {
                states[message.key] = .success
                successes[message.key, default: 0] += 1
            }
        }
    }
}

struct World {
    let configuration: ExecuteConfiguration
    var messages: [ChainSelector: [Any2EVMRampMessage]] = [:]
    var committed: [ChainSelector: Int] = [:]
    var outbound: [SenderKey: UInt64] = [:]
    var offRamp = ModelOffRamp()
    var time: UInt64 = 1_000_000
    var tokenNotReady: Set<MessageKey> = []
    var cursed = CursedSubjects([])
    private var ids: UInt64 = 0

    init(_ configuration: ExecuteConfiguration) { self.configuration = configuration }

    @discardableResult
    mutating func send(
        _ source: ChainSelector, from name: UInt64 = 1, ordered: Bool = false, dataBytes: Int = 20,
        gas: UInt64 = 200_000, tokens: Int = 0
    ) -> MessageKey {
        ids += 1
        let number = SequenceNumber(UInt64(messages[source, default: []].count) + 1)
        let key = SenderKey(source: source, sender: sender(name))
        if ordered { outbound[key, default: 0] += 1 }
        let message = Any2EVMRampMessage(
            header: RampMessageHeader(
                messageID: MessageID(keccak256(Bytes(bigEndian: ids))), source: source, destination: destination,
                sequenceNumber: number, nonce: ordered ? outbound[key, default: 0] : 0),
            sender: sender(name), data: Bytes(repeating: UInt8(truncatingIfNeeded: ids), count: dataBytes),
            receiver: Address(truncating: U256(ids)), gasLimit: U256(gas),
            tokenAmounts: (0..<tokens).map {
                Any2EVMTokenTransfer(
                    sourcePool: Address(truncating: U256(UInt64($0) + 7)).abiWord,
                    destinationToken: Address(truncating: U256(9)), destinationGas: 90_000,
                    extraData: U256(18).bytes, amount: U256(1_000))
            })
        messages[source, default: []].append(message)
        return message.key
    }

    /// A root over the next `count` messages.
    @discardableResult
    mutating func commit(_ source: ChainSelector, _ count: Int) throws -> CommittedRoot? {
        let start = committed[source] ?? 0
        let all = messages[source] ?? []
        let end = min(all.count, start + count)
        guard end > start else { return nil }
        committed[source] = end
        let leaves = all[start..<end].map { $0.leafHash(onRamp: onRamp(source)) }
        let root = MerkleRoot(
            source: source, onRamp: onRamp(source), first: SequenceNumber(UInt64(start) + 1),
            last: SequenceNumber(UInt64(end)), root: try MerkleTree(leaves: leaves).root)
        time += 1
        let result = CommittedRoot(root: root, timestamp: time)
        offRamp.roots[root.key] = result
        return result
    }

    func message(_ key: MessageKey) -> Any2EVMRampMessage? {
        let index = Int(key.sequenceNumber.rawValue) - 1
        let all = messages[key.source] ?? []
        return all.indices.contains(index) ? all[index] : nil
    }

    /// Everything, as an oracle sees it whose reads are complete.
    func snapshot() -> ExecuteSnapshot {
        var snapshot = ExecuteSnapshot(
            destinationTimestamp: time, curse: .known(cursed), installedDigest: testDigest)
        for source in [sourceA, sourceB] {
            snapshot.sources[source] = SourceChainConfig(
                router: Address(truncating: U256(1)), isEnabled: true,
                minSequenceNumber: SequenceNumber(UInt64(committed[source] ?? 0) + 1),
                isRMNVerificationDisabled: true, onRamp: onRamp(source))
            for message in messages[source] ?? [] {
                let data: [TokenData] = message.tokenAmounts.map { _ in
                    tokenNotReady.contains(message.key) ? .notReady("pending") : .none
                }
                snapshot.messages[message.key] = SourceMessage(message, onRamp: onRamp(source), tokenData: data)
                snapshot.states[message.key] = ExecutionRecord(
                    offRamp.states[message.key] ?? .untouched, isFinal: true)
                if let sender = message.orderedSender { snapshot.nonces[sender] = offRamp.nonces[sender] ?? 0 }
            }
        }
        snapshot.roots = offRamp.roots.values.sorted()
        return snapshot
    }

    func observers() -> [ExecuteObserver] {
        (0..<configuration.oracleCount).map { ExecuteObserver(configuration: configuration, ownIndex: $0) }
    }

    /// Observations of oracles that all see everything.
    func honest(_ previous: ExecuteOutcome = .none, now: UInt64 = 0) -> [ExecuteObservation] {
        observers().map { $0.observe(previous: previous, snapshot: snapshot(), now: now) }
    }

    func outcome(
        _ observations: [ExecuteObservation], previous: ExecuteOutcome = .none, round: UInt64 = 1
    ) throws -> ExecuteOutcome {
        let plugin = ExecutePlugin(configuration: configuration)
        let context = RoundContext(
            sequenceNumber: round, previousOutcome: previous == .none ? [] : previous.encoded, query: [])
        let attributed = observations.enumerated().map {
            AttributedObservation(observer: $0.offset, observation: $0.element.encoded)
        }
        for item in attributed { try plugin.validateObservation(item, in: context) }
        return try ExecuteOutcome(encoded: plugin.outcome(attributed, in: context))
    }
}

extension ExecuteOutcome {
    func executionReports() throws -> [[ExecutionReport]] {
        try reports.map { try [ExecutionReport](encodedReports: $0) }
    }
    func keys() throws -> [MessageKey] { try reportedMessages().map(\.key) }
    func verdicts(_ source: ChainSelector) -> [ClusterVerdict] {
        pending.filter { $0.committed.root.source == source }.flatMap(\.verdicts)
    }
}

func key(_ source: ChainSelector, _ number: UInt64) -> MessageKey {
    MessageKey(source: source, sequenceNumber: SequenceNumber(number))
}

// The replicated state of the execute plugin: roots still to be worked on, senders whose nonce is wanted, reports.
// Canonical bytes; the same value on all honest oracles.

import CCIP
import Ethereum

/// What the cluster did with one message of a pending root, and why not more. One byte on the wire; unknown values of
/// other versions survive.
package struct ClusterVerdict: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let executed = ClusterVerdict(rawValue: 0)
    package static let reported = ClusterVerdict(rawValue: 1)
    /// Fewer than FChain + 1 source readers observed it in full: unread, in flight, or held back by them.
    package static let notObserved = ClusterVerdict(rawValue: 2)
    package static let tokenDataNotAgreed = ClusterVerdict(rawValue: 3)
    package static let nonceNotAgreed = ClusterVerdict(rawValue: 4)
    package static let waitsForPredecessor = ClusterVerdict(rawValue: 5)
    package static let nonceAlreadyUsed = ClusterVerdict(rawValue: 6)
    package static let tooMuchGas = ClusterVerdict(rawValue: 7)
    package static let tooLarge = ClusterVerdict(rawValue: 8)
    /// Ready, but this batch had no room: next round.
    package static let batchFull = ClusterVerdict(rawValue: 9)
    /// Leaves or message do not lead to the accepted root: never executed, an alarm.
    package static let rootMismatch = ClusterVerdict(rawValue: 10)
}

package struct PendingRoot: Hashable, Sendable {
    package var committed: CommittedRoot
    /// With FChain + 1 votes each.
    package var executed: MessageSet
    /// OCR sequence number of the first outcome in the row that holds this root.
    package var firstRound: UInt64
    /// One for each message.
    package var verdicts: [ClusterVerdict]

    package init(committed: CommittedRoot, executed: MessageSet, firstRound: UInt64, verdicts: [ClusterVerdict]) {
        self.committed = committed
        self.executed = executed
        self.firstRound = firstRound
        self.verdicts = verdicts
    }

    /// A next round can bring what is missing here.
    var lacksObservations: Bool { verdicts.contains { $0 == .notObserved || $0 == .nonceNotAgreed } }
}

package struct ExecuteOutcome: Hashable, Sendable {
    /// OCR sequence number of this outcome.
    package var round: UInt64
    /// Oldest first.
    package var pending: [PendingRoot]
    /// Senders of agreed ordered messages whose nonce found no agreement: destination readers answer next round.
    package var wantedSenders: [SenderKey]
    /// `abi.encode(ExecutionReport[])` each.
    package var reports: [Bytes]

    package init(
        round: UInt64 = 0, pending: [PendingRoot] = [], wantedSenders: [SenderKey] = [], reports: [Bytes] = []
    ) {
        self.round = round
        self.pending = pending
        self.wantedSenders = wantedSenders
        self.reports = reports
    }

    /// Before the first round.
    package static let none = ExecuteOutcome()

    /// Whether the next round should start at once: ready messages had no room, or a fresh root lacks messages or
    /// nonces that oracles are now asked for.
    package var wantsNextRound: Bool {
        pending.contains { root in
            if root.verdicts.contains(.batchFull), !reports.isEmpty { return true }
            return root.lacksObservations && round - min(round, root.firstRound) < Limits.eagerRounds
        }
    }

    /// The messages of all reports.
    package func reportedMessages() throws(ExecutingError) -> [Any2EVMRampMessage] {
        var all: [Any2EVMRampMessage] = []
        for bytes in reports { all += try [ExecutionReport](checked: bytes).messages }
        return all
    }

    package func pending(_ key: RootKey) -> PendingRoot? { pending.first { $0.committed.key == key } }
    package func pending(covering key: MessageKey) -> PendingRoot? {
        pending.first { $0.committed.root.contains(key) }
    }
}

extension [ExecutionReport] {
    /// As `init(encodedReports:)`, with this room's error.
    init(checked bytes: Bytes) throws(ExecutingError) {
        do { try self.init(encodedReports: bytes) } catch { throw ExecutingError(.malformedReport, error) }
    }
}

// MARK: Canonical bytes

extension ExecuteOutcome {
    static let version: UInt8 = 1

    package var encoded: Bytes {
        var writer = CanonicalWriter()
        writer.byte(Self.version)
        writer.u64(round)
        writer.list(pending) { writer, item in
            writer.committedRoot(item.committed)
            writer.word(item.executed.bits)
            writer.u64(item.firstRound)
            writer.string(item.verdicts.map(\.rawValue))
        }
        writer.list(wantedSenders) { $0.sender($1) }
        writer.list(reports) { $0.string($1) }
        return writer.bytes
    }

    /// Strict; empty bytes are the state before the first round. Throws `malformedOutcome`.
    package init(encoded: Bytes) throws(ExecutingError) {
        guard !encoded.isEmpty else {
            self = .none
            return
        }
        do { try self.init(reading: encoded) } catch { throw ExecutingError(.malformedOutcome, error) }
    }

    private init(reading bytes: Bytes) throws(CCIPError) {
        var reader = CanonicalReader(bytes, "execute outcome")
        guard try reader.byte() == Self.version else { throw reader.malformed("unknown version") }
        round = try reader.u64()
        pending = try reader.list(maximum: Limits.rootsPerOutcome) { reader throws(CCIPError) in
            let committed = try reader.committedRoot()
            let executed = MessageSet(bits: try reader.word())
            let firstRound = try reader.u64()
            let verdicts = try reader.string(maximum: CCIP.Limits.treeLeavesMaximum)
            guard let count = committed.root.checkedCount, verdicts.count == count, executed.fits(count) else {
                throw reader.malformed("a root of other size")
            }
            return PendingRoot(
                committed: committed, executed: executed, firstRound: firstRound,
                verdicts: verdicts.map { ClusterVerdict(rawValue: $0) })
        }
        for (a, b) in zip(pending, pending.dropFirst()) where !(a.committed < b.committed) {
            throw reader.malformed("roots do not ascend")
        }
        wantedSenders = try reader.list(maximum: Limits.sendersPerObservation) { reader throws(CCIPError) in
            try reader.sender()
        }
        for (a, b) in zip(wantedSenders, wantedSenders.dropFirst()) where !(a < b) {
            throw reader.malformed("senders do not ascend")
        }
        reports = try reader.list(maximum: Limits.reportsPerOutcomeMaximum) { reader throws(CCIPError) in
            try reader.string(maximum: Limits.outcomeBytesMaximum)
        }
        try reader.finish()
    }

    /// Largest encoding under these limits.
    static func bytesMaximum(_ limits: ExecuteLimits) -> Int {
        let root = 8 + 4 + Limits.onRampBytesMaximum + 16 + 32 + 8 + 32 + 8 + 4 + CCIP.Limits.treeLeavesMaximum
        let sender = 8 + 4 + Limits.senderBytesMaximum
        return 1 + 8 + 12 + Limits.rootsPerOutcome * root + Limits.sendersPerObservation * sender
            + limits.reportsPerOutcome * (4 + limits.reportBytesMaximum)
    }
}

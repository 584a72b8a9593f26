// Which agreed messages go into this outcome's reports (4.7, 4.8 of the off-chain specification). Deterministic: oldest
// root first, messages by sequence, sources share the gas, and a message that cannot go never holds back another.

import CCIP
import Ethereum

struct ReportBuilder {
    private let limits: ExecuteLimits
    private let roots: [AgreedRoot]
    private let nonces: [SenderKey: UInt64]
    private var packable: [PackableRoot] = []
    /// Next nonce of each ordered sender; advanced only by what is really included.
    private var expected: [SenderKey: UInt64] = [:]
    /// Place of the last included message of a sender: later nonces must stand behind it.
    private var lastPlace: [SenderKey: (Int, Int)] = [:]
    private var taken: Set<MessageKey> = []

    private(set) var verdicts: [[ClusterVerdict]] = []
    private(set) var wantedSenders: [SenderKey] = []
    private(set) var reports: [Bytes] = []

    init(_ agreement: Agreement, _ limits: ExecuteLimits) throws(ExecutingError) {
        self.limits = limits
        roots = agreement.roots
        nonces = agreement.nonces
        for root in roots { prepare(root) }
        for (position, root) in packable.enumerated() { prepareNonces(position, root) }
        try fill()
        nameTheRest()
        wantedSenders = wantedSenders.sorted()
        if wantedSenders.count > Limits.sendersPerObservation {
            wantedSenders.removeLast(wantedSenders.count - Limits.sendersPerObservation)
        }
    }

    // MARK: What may be executed at all

    /// Messages that stay `.batchFull` are the candidates.
    private mutating func prepare(_ root: AgreedRoot) {
        var list = [ClusterVerdict](repeating: .notObserved, count: root.count)
        var messages = [PackableMessage?](repeating: nil, count: root.count)
        for index in 0..<root.count where root.executed.contains(index) { list[index] = .executed }
        let tree = root.leaves.flatMap { try? MerkleTree(leaves: $0) }
        let isProven = tree?.root == root.committed.root.root
        for index in 0..<root.count where list[index] != .executed {
            guard let leaves = root.leaves else { continue }
            guard isProven else {
                list[index] = .rootMismatch
                continue
            }
            guard let agreed = root.messages[index] else { continue }
            guard agreed.message.leafHash(onRamp: root.committed.root.onRamp) == leaves[index] else {
                list[index] = .rootMismatch
                continue
            }
            guard let tokenData = agreed.tokenData else {
                list[index] = .tokenDataNotAgreed
                continue
            }
            messages[index] = PackableMessage(
                agreed.message, tokenData: tokenData, encodedCount: agreed.encodedCount)
            list[index] = .batchFull
        }
        // An unproven root keeps its place with a tree of one filler leaf and no message.
        guard let kept = isProven ? tree : try? MerkleTree(leaves: [HashDomain.padding]) else { return }
        packable.append(PackableRoot(committed: root.committed, tree: kept, messages: messages))
        verdicts.append(list)
        refuseWhatNeverFits(packable.count - 1)
    }

    private mutating func refuseWhatNeverFits(_ position: Int) {
        for index in verdicts[position].indices where verdicts[position][index] == .batchFull {
            if packable[position].messages[index]?.fitsEasily(limits) == true { continue }
            var alone = Packer(limits, [packable[position]])
            switch alone.add(0, [index]) {
            case .gas: verdicts[position][index] = .tooMuchGas
            case .size, .count: verdicts[position][index] = .tooLarge
            case nil: break
            }
        }
    }

    private mutating func prepareNonces(_ position: Int, _ root: PackableRoot) {
        for index in verdicts[position].indices where verdicts[position][index] == .batchFull {
            guard let sender = root.messages[index]?.message.orderedSender, expected[sender] == nil else { continue }
            if let nonce = nonces[sender], nonce < .max {
                expected[sender] = nonce + 1
            } else if !wantedSenders.contains(sender) {
                wantedSenders.append(sender)
            }
        }
    }

    // MARK: Filling

    private mutating func fill() throws(ExecutingError) {
        for number in 0..<limits.reportsPerOutcome {
            var packer = Packer(limits, packable)
            // Ordered messages only in the first report: reports land in any order (4.15).
            let ordered = number == 0
            if hasSeveralSources(ordered) {
                place(&packer, ordered, sourceCap: limits.batchGasLimit / 2)
            }
            place(&packer, ordered, sourceCap: nil)
            guard !packer.isEmpty else { return }
            let encoded = try packer.finished().encodedReports
            guard encoded.count <= limits.reportBytesMaximum else {
                throw ExecutingError(
                    .malformedReport, "a report of \(encoded.count) bytes", hint: "a defect of this build: report it")
            }
            reports.append(encoded)
        }
    }

    private func hasSeveralSources(_ ordered: Bool) -> Bool {
        var first: ChainSelector?
        for position in packable.indices where !chain(position, ordered).isEmpty {
            let source = packable[position].committed.root.source
            if let first, first != source { return true }
            first = source
        }
        return false
    }

    private mutating func place(_ packer: inout Packer, _ ordered: Bool, sourceCap: UInt64?) {
        for position in packable.indices {
            let ready = chain(position, ordered)
            guard !ready.isEmpty else { continue }
            if packer.add(position, ready, sourceCap: sourceCap) == nil {
                for index in ready { include(position, index) }
                continue
            }
            for index in ready where isNext(position, index, expected, lastPlace) {
                if packer.add(position, [index], sourceCap: sourceCap) == nil { include(position, index) }
            }
        }
    }

    /// Candidates of a root that could all go now, one behind the other.
    private func chain(_ position: Int, _ ordered: Bool) -> [Int] {
        var expected = expected
        var lastPlace = lastPlace
        var ready: [Int] = []
        for index in verdicts[position].indices where verdicts[position][index] == .batchFull {
            guard let message = packable[position].messages[index]?.message, !taken.contains(message.key) else {
                continue
            }
            if let sender = message.orderedSender {
                guard ordered, isNext(position, index, expected, lastPlace) else { continue }
                expected[sender] = message.header.nonce &+ 1
                lastPlace[sender] = (position, index)
            }
            ready.append(index)
        }
        return ready
    }

    private func isNext(
        _ position: Int, _ index: Int, _ expected: [SenderKey: UInt64], _ lastPlace: [SenderKey: (Int, Int)]
    ) -> Bool {
        guard let message = packable[position].messages[index]?.message else { return false }
        guard let sender = message.orderedSender else { return true }
        guard expected[sender] == message.header.nonce else { return false }
        return lastPlace[sender].map { $0 < (position, index) } ?? true
    }

    private mutating func include(_ position: Int, _ index: Int) {
        guard let message = packable[position].messages[index]?.message else { return }
        verdicts[position][index] = .reported
        taken.insert(message.key)
        guard let sender = message.orderedSender else { return }
        expected[sender] = message.header.nonce &+ 1
        lastPlace[sender] = (position, index)
    }

    /// Why the candidates that were not included were not.
    private mutating func nameTheRest() {
        for (position, root) in packable.enumerated() {
            for index in verdicts[position].indices where verdicts[position][index] == .batchFull {
                guard let message = root.messages[index]?.message, let sender = message.orderedSender else { continue }
                guard let next = expected[sender] else {
                    verdicts[position][index] = .nonceNotAgreed
                    continue
                }
                if message.header.nonce > next { verdicts[position][index] = .waitsForPredecessor }
                if message.header.nonce < next { verdicts[position][index] = .nonceAlreadyUsed }
            }
        }
    }
}

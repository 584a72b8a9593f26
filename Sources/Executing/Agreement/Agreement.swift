// From the observations of a round to what at least one honest reader vouches for (1.4 of the off-chain specification).
// Every value needs more votes than its chain can have liars. No order here depends on hashing.

import CCIP
import Ethereum
import OffchainReporting

/// A message whose body has FChain + 1 votes; its token data may still lack them.
struct AgreedMessage: Hashable, Sendable {
    let message: Any2EVMRampMessage
    let encodedCount: Int
    /// Nil while one token's data has too few equal votes.
    let tokenData: [Bytes]?
}

struct AgreedRoot: Hashable, Sendable {
    let committed: CommittedRoot
    let count: Int
    let executed: MessageSet
    /// Nil while too few source readers agree on them.
    let leaves: [Hash32]?
    /// By index; nil where not agreed.
    let messages: [AgreedMessage?]
}

struct Agreement: Sendable {
    /// Oldest first.
    private(set) var roots: [AgreedRoot] = []
    /// Looked up only.
    private(set) var nonces: [SenderKey: UInt64] = [:]

    private let configuration: ExecuteConfiguration
    private let observations: [ExecuteObservation]

    init(_ observations: [ExecuteObservation], _ configuration: ExecuteConfiguration) {
        self.configuration = configuration
        self.observations = observations
        agreeOnRoots()
        agreeOnNonces()
    }

    // MARK: Roots: destination readers, FChain of the destination + 1 equal tuples

    private mutating func agreeOnRoots() {
        let threshold = configuration.destination.faulty + 1
        var tally = Tally<CommittedRoot>()
        for observation in observations { for item in observation.roots { tally.vote(item.committed) } }
        let winners = tally.winners(threshold)
        var seen = Tally<RootKey>()
        for winner in winners { seen.vote(winner.key) }
        for committed in winners.sorted() where seen.votes(committed.key) == 1 {
            guard let count = committed.root.checkedCount, let source = configuration.source(committed.root.source)
            else { continue }
            let leaves = agreedLeaves(committed.root, count, source.faulty + 1)
            roots.append(
                AgreedRoot(
                    committed: committed, count: count, executed: executed(committed.root, count, threshold),
                    leaves: leaves,
                    messages: leaves.map { agreedMessages(committed.root, $0, source.faulty + 1) }
                        ?? [AgreedMessage?](repeating: nil, count: count)))
        }
    }

    private func executed(_ root: MerkleRoot, _ count: Int, _ threshold: Int) -> MessageSet {
        var votes = [Int](repeating: 0, count: count)
        for observation in observations {
            for item in observation.roots where item.committed.root == root {
                for index in 0..<count where item.executed.contains(index) { votes[index] += 1 }
            }
        }
        var set = MessageSet()
        for index in 0..<count where votes[index] >= threshold { set.insert(index) }
        return set
    }

    // MARK: Leaves and messages: source readers, FChain of the source + 1 equal values

    private func sections(_ root: MerkleRoot) -> [ObservedLeaves] {
        observations.compactMap { observation in
            observation.leaves.first { $0.key == root.key && $0.first == root.first }
        }
    }

    private func agreedLeaves(_ root: MerkleRoot, _ count: Int, _ threshold: Int) -> [Hash32]? {
        var tally = Tally<[Hash32]>()
        for section in sections(root) where section.leaves.count == count { tally.vote(section.leaves) }
        let winners = tally.winners(threshold)
        return winners.count == 1 ? winners[0] : nil
    }

    private func agreedMessages(_ root: MerkleRoot, _ leaves: [Hash32], _ threshold: Int) -> [AgreedMessage?] {
        var bodies = [Tally<Bytes>](repeating: Tally(), count: leaves.count)
        let sections = sections(root).filter { $0.leaves == leaves }
        for section in sections { for entry in section.messages { bodies[entry.index].vote(entry.encoded) } }
        return leaves.indices.map { index in
            let winners = bodies[index].winners(threshold)
            // Valid observations carry canonical encodings only, so this decodes.
            guard winners.count == 1, let message = try? Any2EVMRampMessage(encoded: winners[0]) else { return nil }
            let supporters = sections.compactMap { section in
                section.messages.first { $0.index == index && $0.encoded == winners[0] }
            }
            return AgreedMessage(
                message: message, encodedCount: winners[0].count,
                tokenData: Self.tokenData(supporters, message.tokenAmounts.count, threshold))
        }
    }

    private static func tokenData(_ supporters: [ObservedMessage], _ tokens: Int, _ threshold: Int) -> [Bytes]? {
        var all: [Bytes] = []
        for token in 0..<tokens {
            var tally = Tally<Bytes>()
            for supporter in supporters where supporter.tokenData.count == tokens {
                tally.vote(supporter.tokenData[token])
            }
            let winners = tally.winners(threshold)
            guard winners.count == 1 else { return nil }
            all.append(winners[0])
        }
        return all
    }

    // MARK: Nonces: destination readers, more than FChain observations, an order statistic

    private mutating func agreeOnNonces() {
        var senders: [SenderKey] = []
        var values: [SenderKey: [UInt64]] = [:]
        for observation in observations {
            for item in observation.nonces {
                if values[item.sender] == nil { senders.append(item.sender) }
                values[item.sender, default: []].append(item.nonce)
            }
        }
        for sender in senders {
            nonces[sender] = Self.nonce(values[sender] ?? [], faulty: configuration.destination.faulty)
        }
    }

    /// `sorted[f]` as in 4.5 where there are 2f+1 observations: honest values bound it on both sides. With fewer than
    /// that, f liars on top could choose it; then the (f+1)-th largest is taken, which an honest reader has seen or
    /// passed, so that a lie can delay a sender by a round and never let a nonce run ahead of the chain.
    static func nonce(_ values: [UInt64], faulty: Int) -> UInt64? {
        guard values.count > faulty else { return nil }
        return values.sorted()[min(faulty, values.count - 1 - faulty)]
    }
}

/// Counts equal values, keeping the order in which they came first.
struct Tally<Value: Hashable & Sendable>: Sendable {
    private var order: [Value] = []
    private var counts: [Value: Int] = [:]

    mutating func vote(_ value: Value) {
        if counts[value] == nil { order.append(value) }
        counts[value, default: 0] += 1
    }

    func votes(_ value: Value) -> Int { counts[value] ?? 0 }
    func winners(_ threshold: Int) -> [Value] { order.filter { (counts[$0] ?? 0) >= threshold } }
}

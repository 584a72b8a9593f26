// A model of the chains for the tests: sources with their true messages, an OffRamp with the contract's rules, and
// snapshots as honest oracles take them. The model knows what is right; nothing here is under test.

import CCIP
import Committing
import Ethereum

let destinationChain = ChainSelector(900)

/// The contract's refusals, by its error names.
enum Refusal: String, Error {
    case digest, staleCommitReport, notEnabled, onRamp, interval, emptyRoot, cursed, blessing
    case configNotSet, outOfOrderSignatures, unexpectedSigner, thresholdNotMet
    case unauthorizedCaller
}

struct World {
    struct Source {
        let lane: MessageLane
        var leaves: [MessageLeaf] = []
        var isEnabled = true
        var requiresBlessing = false
        var next: UInt64 = 1
        /// Roots in the order of their acceptance.
        var accepted: [MerkleRoot] = []

        /// The OffRamp's configuration of this source, as it was when `next` had that value.
        func config(next: UInt64) -> SourceChainConfig {
            SourceChainConfig(
                router: Address(truncating: U256(7)), isEnabled: isEnabled, minSequenceNumber: SequenceNumber(next),
                isRMNVerificationDisabled: !requiresBlessing, onRamp: lane.onRampBytes)
        }
    }

    var sources: [Source]
    var curses: [Bytes] = []
    let digest = keccak256(text: "configuration")
    var latestPriceSequenceNumber: UInt64 = 0
    var gasPrices: [ChainSelector: TimestampedPrice] = [:]
    var tokenPrices: [Address: TimestampedPrice] = [:]
    /// The oracles' clocks, milliseconds.
    var now: UInt64 = 1_700_000_000_000
    /// How far the destination's clock is ahead of them, seconds.
    var chainAhead: Int64 = 0
    /// The OffRamp may write prices.
    var takesPrices = true
    /// Seconds, as the destination's blocks have it.
    var blockTime: UInt64 { UInt64(Int64(now / 1_000) + chainAhead) }
    var guards = GuardModel()
    var rmn: RMNRemoteConfiguration?
    /// Wrong things that the model accepted: must stay empty.
    var violations: [String] = []

    init(sources count: Int = 2) {
        sources = (0..<count).map { World.source($0) }
    }

    static func source(_ index: Int) -> Source {
        Source(
            lane: MessageLane(
                source: ChainSelector(UInt64(101 + index)), destination: destinationChain,
                onRamp: Address(truncating: U256(UInt64(0xA0 + index)))))
    }

    /// A message with a true id, the `number`-th of the lane.
    static func message(_ lane: MessageLane, _ number: UInt64, data: Bytes = []) -> EVM2AnyRampMessage {
        var message = EVM2AnyRampMessage(
            header: RampMessageHeader(
                messageID: MessageID(.zero), source: lane.source, destination: lane.destination,
                sequenceNumber: SequenceNumber(number), nonce: 0),
            sender: Address(truncating: U256(5)), data: data, receiver: Address(truncating: U256(6)).abiWord,
            extraArgs: ExtraArgs.evmV2(gasLimit: 200_000, allowOutOfOrderExecution: true).encoded,
            feeToken: Address(truncating: U256(8)), feeTokenAmount: 1, feeValueJuels: 1, tokenAmounts: [])
        message.header.messageID = message.computedID(onRamp: lane.onRamp)
        return message
    }

    mutating func send(_ count: Int = 1, on index: Int = 0) throws {
        for _ in 0..<count {
            let number = UInt64(sources[index].leaves.count + 1)
            let message = World.message(sources[index].lane, number, data: Bytes(bigEndian: number))
            sources[index].leaves.append(try MessageValidation.leaf(of: message, lane: sources[index].lane))
        }
    }

    func trueRoot(_ source: Int, _ first: UInt64, _ last: UInt64) throws -> Hash32 {
        try MerkleTree(leaves: sources[source].leaves[Int(first - 1)..<Int(last)].map(\.leaf)).root
    }

    var isEverythingCommitted: Bool { sources.allSatisfy { $0.next == UInt64($0.leaves.count + 1) } }

    // MARK: The OffRamp

    /// `commit` without signatures: all or nothing.
    mutating func commit(_ bytes: Bytes, sequenceNumber: UInt64, digest: Hash32) throws {
        guard digest == self.digest else { throw Refusal.digest }
        let report = try CommitReport(encoded: bytes)
        var next = self
        if !report.prices.isEmpty {
            guard takesPrices else { throw Refusal.unauthorizedCaller }
            if sequenceNumber > latestPriceSequenceNumber {
                next.latestPriceSequenceNumber = sequenceNumber
                let seconds = UInt32(blockTime)
                for update in report.prices.gas {
                    next.gasPrices[update.destination] = TimestampedPrice(
                        value: update.usdPerUnitGas, timestamp: seconds)
                }
                for update in report.prices.tokens {
                    next.tokenPrices[update.token] = TimestampedPrice(value: update.usdPerToken, timestamp: seconds)
                }
            } else if report.roots.isEmpty {
                throw Refusal.staleCommitReport
            }
        }
        if !report.blessed.isEmpty { try verify(report) }
        for root in report.unblessed { try next.accept(root, isBlessed: false) }
        for root in report.blessed { try next.accept(root, isBlessed: true) }
        self = next
    }

    /// `RMNRemote.verify` (17.2).
    private func verify(_ report: CommitReport) throws {
        guard let rmn, rmn.version > 0 else { throw Refusal.configNotSet }
        guard report.rmnSignatures.count >= rmn.faultySigners + 1 else { throw Refusal.thresholdNotMet }
        let digest = GuardModel.digest(of: report.blessed, rmn)
        var last = Address.zero
        for signature in report.rmnSignatures {
            guard let signer = digest.signer(of: signature) else { throw Refusal.unexpectedSigner }
            guard signer > last else { throw Refusal.outOfOrderSignatures }
            guard rmn.signers.contains(signer) else { throw Refusal.unexpectedSigner }
            last = signer
        }
    }

    private mutating func accept(_ root: MerkleRoot, isBlessed: Bool) throws {
        guard let index = sources.firstIndex(where: { $0.lane.source == root.source }), sources[index].isEnabled else {
            throw Refusal.notEnabled
        }
        guard sources[index].requiresBlessing == isBlessed else { throw Refusal.blessing }
        guard !CursedSubjects(curses).covers(root.source) else { throw Refusal.cursed }
        guard root.onRamp == sources[index].lane.onRampBytes else { throw Refusal.onRamp }
        guard root.first.rawValue == sources[index].next, root.last >= root.first else { throw Refusal.interval }
        guard !root.root.isZero else { throw Refusal.emptyRoot }
        sources[index].next = root.last.rawValue + 1
        sources[index].accepted.append(root)
        // The contract cannot know, the model does.
        guard root.last.rawValue <= UInt64(sources[index].leaves.count),
            let right = try? trueRoot(index, root.first.rawValue, root.last.rawValue), right == root.root
        else {
            violations.append("a wrong root for \(root.source) \(root.first)...\(root.last)")
            return
        }
    }

    // MARK: Snapshots

    /// What an honest oracle reads; `lag` is how many of the newest messages of each source it has not seen final yet,
    /// `next` stands for an older state of the OffRamp.
    func snapshot(lag: [Int] = [], next: [UInt64]? = nil) -> CommitSnapshot {
        var snapshot = CommitSnapshot(timestampMilliseconds: now)
        var configs: [ChainSelector: SourceChainConfig] = [:]
        for (index, source) in sources.enumerated() {
            let seen = max(0, source.leaves.count - (index < lag.count ? lag[index] : 0))
            snapshot.sources[source.lane.source] = SourceSnapshot(
                finalizedMaximum: UInt64(seen), leaves: Array(source.leaves.prefix(seen)),
                fees: FeeComponents(execution: 2_000_000_000),
                nativePrice: U256(3_000) * U256(1_000_000_000_000_000_000))
            configs[source.lane.source] = source.config(next: next?[index] ?? source.next)
        }
        snapshot.destination = DestinationSnapshot(
            curse: .known(CursedSubjects(curses)), sourceConfigs: configs, configurationDigest: digest,
            latestPriceSequenceNumber: latestPriceSequenceNumber, gasPrices: gasPrices, tokenPrices: tokenPrices,
            blockTimestamp: blockTime, rmn: rmn)
        return snapshot
    }

    // MARK: Configuration

    func configuration(
        prices: PriceConfiguration? = nil, blessing: BlessingConfiguration? = nil, leavesPerRoot: Int = 256, rootsPerReport: Int = 16,
        buildsAtOnce: Bool = true, timeout: UInt64 = 10_000, disabled: Set<ChainSelector> = [],
        readers: [ChainSelector: [Int]] = [:], faulty: Int = 1
    ) throws -> CommitConfiguration {
        let everybody = Array(0..<3 * faulty + 1)
        let chains = (sources.map(\.lane.source) + [destinationChain]).map {
            ChainReaders(chain: $0, faulty: 1, readers: readers[$0] ?? everybody)
        }
        return try CommitConfiguration(
            destination: destinationChain, oracleCount: everybody.count, faulty: faulty, chains: chains,
            lanes: sources.map { CommitLane(lane: $0.lane, isEnabled: !disabled.contains($0.lane.source)) },
            prices: prices, blessing: blessing, leavesPerRootMaximum: leavesPerRoot, rootsPerReportMaximum: rootsPerReport,
            transmissionTimeoutMilliseconds: timeout, buildsAtOnce: buildsAtOnce)
    }
}

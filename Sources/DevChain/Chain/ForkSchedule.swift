// Which fork's rules hold when. Forks begin at block numbers until the merge, with it at a total difficulty, and at
// timestamps since.

import EVM
import Ethereum

package struct ForkSchedule: Sendable, Hashable {
    /// With what a fork begins.
    package enum Activation: Sendable, Hashable {
        case number(UInt64)
        /// The first block over a parent that reached the terminal total difficulty (EIP-3675).
        case merge
        /// Seconds since 1970.
        case time(UInt64)
    }

    /// A fork with its first block.
    package struct Step: Sendable, Hashable {
        package var activation: Activation
        package var fork: Fork
        /// The fork's rules, with the blob figures that the chain sets.
        package var rules: RuleSet

        package init(_ activation: Activation, fork: Fork, rules: RuleSet? = nil) {
            self.activation = activation
            self.fork = fork
            self.rules = rules ?? RuleSet(fork)
        }

        /// A fork that begins at a time, in seconds since 1970.
        package init(since: UInt64, fork: Fork, rules: RuleSet? = nil) {
            self.init(.time(since), fork: fork, rules: rules)
        }

        /// The time or number of its first block; zero for the merge, which has neither.
        package var since: UInt64 {
            switch activation {
            case .number(let since), .time(let since): since
            case .merge: 0
            }
        }
    }

    /// Where a block stands, as far as forks look at it.
    package struct Place: Sendable, Hashable {
        package var number: UInt64
        /// Seconds since 1970.
        package var timestamp: UInt64
        /// The parent reached the terminal total difficulty.
        package var isMerged: Bool

        package init(number: UInt64, timestamp: UInt64, isMerged: Bool) {
            self.number = number
            self.timestamp = timestamp
            self.isMerged = isMerged
        }
    }

    /// In the order of the forks; the first holds from the start.
    package let steps: [Step]
    /// The total difficulty with which proof of work ends; the largest word for a chain where it never does.
    package let terminalTotalDifficulty: U256
    /// Where clients split the network at the merge, which changes no rule and counts for the fork ID (EIP-3675).
    package let netsplit: UInt64?

    private init(unchecked steps: [Step], terminalTotalDifficulty: U256? = nil) {
        self.steps = steps
        let isMerged = steps.contains { $0.fork >= .paris }
        self.terminalTotalDifficulty = terminalTotalDifficulty ?? (isMerged ? .zero : .max)
        netsplit = nil
    }

    /// One fork from the start.
    package init(_ fork: Fork) { self.init(unchecked: [Step(since: 0, fork: fork)]) }

    /// One fork from the start, with the figures for blobs that a profile sets from when on (EIP-7892).
    package init(_ fork: Fork, blobs: ChainProfile.Blobs) {
        var steps = [Step(since: 0, fork: fork)]
        for entry in blobs.schedule where fork >= .cancun {
            var rules = RuleSet(fork)
            rules.blobsTarget = entry.target
            rules.blobsMaximum = entry.maximum
            rules.blobBaseFeeFraction = entry.updateFraction
            let step = Step(since: entry.timestamp, fork: fork, rules: rules)
            if entry.timestamp == 0 { steps = [step] } else { steps.append(step) }
        }
        self.init(unchecked: steps)
    }

    /// Throws unless the first step holds from the start and each later one begins with a younger fork, not before the
    /// one before it: first those by number, then the merge, then those by time.
    /// - Parameter terminalTotalDifficulty: where the merge is not at the start.
    package init(
        _ steps: [Step], terminalTotalDifficulty: U256? = nil, netsplit: UInt64? = nil
    ) throws(DevChainError) {
        func order(_ activation: Activation) -> (Int, UInt64) {
            switch activation {
            case .number(let number): (0, number)
            case .merge: (1, 0)
            case .time(let time): (2, time)
            }
        }
        let pairs = zip(steps, steps.dropFirst())
        guard let first = steps.first, first.activation != .merge, first.since == 0,
            pairs.allSatisfy({ $0.fork < $1.fork && order($0.activation) <= order($1.activation) })
        else {
            throw DevChainError(
                .invalidForkSchedule,
                "forks begin at timestamp or block 0 and follow each other in their order and in time")
        }
        self.steps = steps
        let isMerged = steps.contains { $0.fork >= .paris }
        self.terminalTotalDifficulty = terminalTotalDifficulty ?? (isMerged ? .zero : .max)
        self.netsplit = netsplit
    }

    /// The position of the step that holds for a block there.
    package func position(at place: Place) -> Int {
        steps.lastIndex { step in
            switch step.activation {
            case .number(let number): number <= place.number
            case .merge: place.isMerged
            case .time(let time): time <= place.timestamp
            }
        } ?? 0
    }

    /// The position of the step that holds for a block of proof of stake of this timestamp.
    package func position(at timestamp: UInt64) -> Int {
        position(at: Place(number: .max, timestamp: timestamp, isMerged: true))
    }

    /// Whether a block over a parent of this total difficulty is one of proof of stake.
    package func isMerged(after totalDifficulty: U256) -> Bool { totalDifficulty >= terminalTotalDifficulty }

    /// The place of a block that is there already: proof of work has a difficulty.
    package func place(of header: BlockHeader) -> Place {
        Place(number: header.number, timestamp: header.timestamp, isMerged: header.difficulty.isZero)
    }

    /// What a genesis block is the first block of.
    package func atStart(_ timestamp: UInt64) -> Fork {
        steps[position(at: Place(number: 0, timestamp: timestamp, isMerged: terminalTotalDifficulty.isZero))].fork
    }
}

extension Blockchain {
    /// A fork's rules with the executors that know them.
    package struct Era: Sendable {
        package let fork: Fork
        package let engines: EnginePool
        package var rules: RuleSet { engines.rules }

        init(_ step: ForkSchedule.Step, quirks: ChainProfile.Quirks) {
            fork = step.fork
            var precompiles = PrecompileSet(step.fork)
            var rules = step.rules
            if quirks.noPointEvaluation {
                // A chain that cannot look into blobs has none.
                precompiles[10] = nil
                rules.transactions.remove(.blobs)
            }
            engines = EnginePool(rules: rules, precompiles: precompiles)
        }
    }

    /// What holds for a block of proof of stake of this timestamp.
    package func era(at timestamp: UInt64) -> Era { eras[schedule.position(at: timestamp)] }

    /// What holds for a block that is there already.
    package func era(of header: BlockHeader) -> Era { eras[schedule.position(at: schedule.place(of: header))] }

    /// What holds for a block over `parent`.
    package func era(over parent: StoredBlock, timestamp: UInt64) -> Era {
        eras[
            schedule.position(
                at: ForkSchedule.Place(
                    number: parent.number + 1, timestamp: timestamp,
                    isMerged: schedule.isMerged(after: parent.totalDifficulty)))]
    }

    /// What holds for the head.
    package var fork: Fork { era(of: head.header).fork }
    package var engines: EnginePool { era(of: head.header).engines }
    package var rules: RuleSet { engines.rules }
}

// Which fork's rules hold when. Forks begin at timestamps, as they have since the merge.

import EVM
import Ethereum

package struct ForkSchedule: Sendable, Hashable {
    /// A fork with the time of its first block.
    package struct Step: Sendable, Hashable {
        /// Seconds since 1970.
        package var since: UInt64
        package var fork: Fork
        /// The fork's rules, with the blob figures that the chain sets.
        package var rules: RuleSet

        package init(since: UInt64, fork: Fork, rules: RuleSet? = nil) {
            self.since = since
            self.fork = fork
            self.rules = rules ?? RuleSet(fork)
        }
    }

    /// By ascending time; the first holds from the start.
    package let steps: [Step]

    /// One fork from the start.
    package init(_ fork: Fork) { steps = [Step(since: 0, fork: fork)] }

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
        self.steps = steps
    }

    /// Throws unless the first step begins at zero and no later one begins before, or with an older fork than, the one
    /// before it.
    package init(_ steps: [Step]) throws(DevChainError) {
        let pairs = zip(steps, steps.dropFirst())
        guard steps.first?.since == 0, pairs.allSatisfy({ $0.since <= $1.since && $0.fork < $1.fork }) else {
            throw DevChainError(
                .invalidForkSchedule, "forks begin at timestamp 0 and follow each other in their order and in time")
        }
        self.steps = steps
    }

    /// The position of the step that holds for a block of this timestamp.
    package func position(at timestamp: UInt64) -> Int {
        (steps.lastIndex { $0.since <= timestamp }) ?? 0
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

    /// What holds for a block of this timestamp.
    package func era(at timestamp: UInt64) -> Era { eras[schedule.position(at: timestamp)] }

    /// What holds for the head.
    package var fork: Fork { era(at: head.header.timestamp).fork }
    package var engines: EnginePool { era(at: head.header.timestamp).engines }
    package var rules: RuleSet { engines.rules }
}

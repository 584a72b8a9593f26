// Proof of work as far as it is looked at here: the difficulty that a block must have, and who is paid for it. Seals
// are not looked at: whether a nonce solves ethash is not known.

import EVM
import Ethereum

package enum Difficulty {
    /// No block is easier (Yellow Paper 4.3.4, D_0).
    package static let minimum = U256(131_072)

    /// The difficulty of a block over this parent.
    /// - Parameters:
    ///   - timestamp: of the block, in seconds since 1970; later than the parent's.
    ///   - fork: of the block.
    package static func next(after parent: BlockHeader, timestamp: UInt64, fork: Fork) -> U256 {
        let step = parent.difficulty / U256(2_048)
        let seconds = timestamp - parent.timestamp
        let raised: U256
        switch fork {
        case .frontier: raised = moved(parent.difficulty, by: step, times: seconds < 13 ? 1 : -1)
        case ..<Fork.byzantium:
            // EIP-2.
            raised = moved(parent.difficulty, by: step, times: 1 - Int64(min(seconds / 10, 100)))
        default:
            // EIP-100: a parent with ommers counts as one that came sooner.
            let base: Int64 = parent.ommersHash == .emptyListHash ? 1 : 2
            raised = moved(parent.difficulty, by: step, times: max(base - Int64(min(seconds / 9, 1_000)), -99))
        }
        return max(raised, minimum) &+ bomb(number: parent.number + 1, fork)
    }

    private static func moved(_ difficulty: U256, by step: U256, times: Int64) -> U256 {
        let distance = step * U256(times.magnitude)
        return times < 0 ? difficulty &- min(distance, difficulty) : difficulty &+ distance
    }

    /// What doubles every 100,000 blocks, so that miners do not stay behind at a fork.
    private static func bomb(number: UInt64, _ fork: Fork) -> U256 {
        let delay = delay(fork)
        let period = (number > delay ? number - delay : 0) / 100_000
        return period < 2 ? .zero : period - 2 > 255 ? U256.max >> 1 : U256.one << Int(period - 2)
    }

    /// Blocks by which forks have put the bomb off (EIP-649, EIP-1234, EIP-2384, EIP-3554, EIP-4345, EIP-5133).
    private static func delay(_ fork: Fork) -> UInt64 {
        switch fork {
        case ..<Fork.byzantium: 0
        case .byzantium: 3_000_000
        case ..<Fork.muirGlacier: 5_000_000
        case ..<Fork.london: 9_000_000
        case .london: 9_700_000
        case .arrowGlacier: 10_700_000
        default: 11_400_000
        }
    }
}

/// What a block of proof of work pays (Yellow Paper 11.3, EIP-649, EIP-1234).
package enum BlockReward {
    /// Wei for the block itself.
    package static func base(_ fork: Fork) -> U256 {
        let ether = U256(1_000_000_000_000_000_000)
        return fork < .byzantium ? ether * 5 : fork < .constantinople ? ether * 3 : ether * 2
    }

    /// Wei for the block's beneficiary, with a 32nd for each ommer, and for those of the ommers, less with each block
    /// that they are older.
    package static func all(
        number: UInt64, beneficiary: Address, ommers: [BlockHeader], fork: Fork
    ) -> [(address: Address, wei: U256)] {
        let base = base(fork)
        var rewards = ommers.map { ommer in
            (ommer.beneficiary, base * U256(8 - min(number - min(ommer.number, number), 8)) / 8)
        }
        rewards.append((beneficiary, base + base / 32 * U256(UInt64(ommers.count))))
        return rewards
    }
}

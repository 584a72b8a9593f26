// The machine's door to one state and to the hashes of the blocks before it.

import EVM
import Ethereum

/// The hashes of the latest blocks, oldest first. A copy costs nothing until it is appended to.
package struct RecentHashes: Sendable, Equatable {
    /// The number of the first one.
    package private(set) var first: UInt64 = 0
    private var hashes: [Hash32] = []

    package init() {}

    package subscript(number: UInt64) -> Hash32? {
        guard number >= first, number - first < UInt64(hashes.count) else { return nil }
        return hashes[Int(number - first)]
    }

    package mutating func append(_ hash: Hash32) {
        hashes.append(hash)
        // Trimmed rarely, so that an append seldom moves the rest.
        if hashes.count > 4 * Limits.blockHashesKept {
            let surplus = hashes.count - Limits.blockHashesKept
            hashes.removeFirst(surplus)
            first += UInt64(surplus)
        }
    }

    /// These numbers and hashes, and no others.
    init(first: UInt64, _ hashes: [Hash32]) {
        self.first = first
        self.hashes = hashes
    }
}

package struct ChainReader: StateReader {
    let state: WorldState
    let hashes: RecentHashes
    /// BLOCKHASH(n) is Keccak-256 of the decimal text of n (jovay.md 1.4).
    let blockHashOfDecimalText: Bool

    package init(state: WorldState, hashes: RecentHashes, blockHashOfDecimalText: Bool = false) {
        self.state = state
        self.hashes = hashes
        self.blockHashOfDecimalText = blockHashOfDecimalText
    }

    package func account(_ address: Address) -> AccountState? { state.account(address)?.state }
    package func code(_ hash: Hash32) -> Bytes { state.code(hash) }
    package func storage(_ address: Address, _ slot: U256) -> U256 { state.storage(address, slot) }
    package func hasStorage(_ address: Address) -> Bool { state.hasStorage(address) }

    package func blockHash(_ number: UInt64) -> Hash32 {
        blockHashOfDecimalText ? keccak256(text: String(number)) : hashes[number] ?? .zero
    }
}

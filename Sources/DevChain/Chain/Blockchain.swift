// The simulated chain as a value: blocks, states, pool, finality. No clock, no lock, no socket: real time comes in with
// each call, and what happened goes out by `takeEvents`. Making blocks is in Blockchain+Blocks.swift, reading in
// Blockchain+Reading.swift, the development methods in Blockchain+Development.swift.

import EVM
import Ethereum

package struct Blockchain: Sendable {
    package struct Configuration: Sendable {
        package var profile: ChainProfile
        package var fork: Fork
        /// Seconds since 1970.
        package var genesisTimestamp: UInt64
        /// Wei by account at the start.
        package var balances: [(address: Address, wei: U256)]
        /// Code by account at the start, beside the system contracts.
        package var codes: [(address: Address, code: Bytes)]
        /// States that are kept; at least two.
        package var statesKept: Int

        package init(
            profile: ChainProfile, fork: Fork = .prague, genesisTimestamp: UInt64,
            balances: [(address: Address, wei: U256)] = [], codes: [(address: Address, code: Bytes)] = [],
            statesKept: Int = Limits.statesKept
        ) {
            self.profile = profile
            self.fork = fork
            self.genesisTimestamp = genesisTimestamp
            self.balances = balances
            self.codes = codes
            self.statesKept = max(statesKept, 2)
        }
    }

    /// Where a transaction stands.
    package struct Place: Sendable, Equatable {
        package let number: UInt64
        package let index: Int
    }

    /// The states around one block. `before` differs from the parent's when a development method changed it.
    package struct States: Sendable {
        package let before: WorldState
        package let after: WorldState
    }

    /// What evm_revert goes back to.
    struct Snapshot: Sendable {
        let id: UInt64
        let number: UInt64
        let hash: Hash32
        let headState: WorldState
        let safe: UInt64
        let finalized: UInt64
        let pool: TransactionPool
        let settings: BlockSettings
    }

    /// What the chain began with, for `reset`.
    let configuration: Configuration
    package let profile: ChainProfile
    package let fork: Fork
    package let engines: EnginePool
    let statesKept: Int

    /// By number; the first is the genesis block.
    package internal(set) var blocks: [StoredBlock] = []
    /// By number; nil where the state was let go.
    var states: [States?] = []
    /// What the next block starts from: the last block's state and what development methods changed since.
    package internal(set) var headState: WorldState
    var hashes = RecentHashes()
    var numbers: [Hash32: UInt64] = [:]
    var places: [Hash32: Place] = [:]
    package internal(set) var pool = TransactionPool()
    package internal(set) var settings: BlockSettings
    /// Number of the newest block that is called safe.
    package internal(set) var safe: UInt64 = 0
    /// Number of the newest block that is called finalized; never above `safe`.
    package internal(set) var finalized: UInt64 = 0
    var snapshots: [Snapshot] = []
    var snapshotCount: UInt64 = 0
    package internal(set) var impersonated: Set<Address> = []
    package internal(set) var impersonatesAll = false
    /// Counts every change of the head or its state, so that a block built over an older one is known.
    var version: UInt64 = 0
    var events: [ChainEvent] = []
    /// Why the latest dropped transactions left the pool, oldest first.
    private var drops: [(hash: Hash32, reason: String)] = []

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        profile = configuration.profile
        fork = configuration.fork
        statesKept = configuration.statesKept
        let rules = RuleSet(configuration.fork)
        var precompiles = PrecompileSet(configuration.fork)
        if configuration.profile.quirks.noPointEvaluation { precompiles[10] = nil }
        engines = EnginePool(rules: rules, precompiles: precompiles)
        settings = BlockSettings(gasLimit: profile.gasLimit, coinbase: profile.coinbase)
        var state = WorldState()
        for contract in SystemContracts.genesis(fork) {
            state.setCode(contract.code, of: contract.address)
            state.setNonce(contract.nonce, of: contract.address)
        }
        for (address, code) in configuration.codes { state.setCode(code, of: address) }
        for (address, wei) in configuration.balances { state.setBalance(wei, of: address) }
        headState = state
        var header = BlockHeader(
            parentHash: .zero, beneficiary: profile.coinbase, stateRoot: state.root, number: 0,
            gasLimit: profile.gasLimit, timestamp: configuration.genesisTimestamp)
        header.baseFeePerGas = BaseFees.initial(profile.baseFee)
        header.setForkFields(fork, requestsHash: sha256([]))
        let genesis = StoredBlock(header: header, transactions: [], outcomes: [])
        append(genesis, States(before: state, after: state))
    }

    package var chainID: UInt64 { profile.chainID }
    package var rules: RuleSet { engines.rules }

    /// The last block.
    package var head: StoredBlock {
        guard let last = blocks.last else { preconditionFailure("a chain has its genesis block") }
        return last
    }

    /// What happened since the last call, in its order.
    package mutating func takeEvents() -> [ChainEvent] {
        let taken = events
        events = []
        return taken
    }

    /// Why a transaction left the pool without a block, if that was not long ago.
    package func lastDrop(of hash: Hash32) -> String? { drops.last { $0.hash == hash }?.reason }

    mutating func tellDropped(_ hash: Hash32, _ reason: String) {
        if drops.count >= 2 * Limits.dropReasonsKept { drops.removeFirst(Limits.dropReasonsKept) }
        drops.append((hash, reason))
        events.append(.dropped(hash, reason: reason))
    }

    // MARK: The list of blocks

    mutating func append(_ block: StoredBlock, _ around: States) {
        assert(block.number == UInt64(blocks.count), "blocks are numbered by their position")
        blocks.append(block)
        states.append(around)
        hashes.append(block.hash)
        numbers[block.hash] = block.number
        for (index, transaction) in block.transactions.enumerated() {
            places[transaction.hash] = Place(number: block.number, index: index)
        }
        headState = around.after
        if blocks.count > statesKept { states[blocks.count - 1 - statesKept] = nil }
        version += 1
        settleFinality()
    }

    /// Takes the newest block off the chain.
    mutating func removeLast() -> (block: StoredBlock, states: States?) {
        precondition(blocks.count > 1, "the genesis block stays")
        let block = blocks.removeLast()
        let around = states.removeLast()
        numbers[block.hash] = nil
        for (index, transaction) in block.transactions.enumerated()
        where places[transaction.hash] == Place(number: block.number, index: index) {
            places[transaction.hash] = nil
        }
        snapshots.removeAll { $0.number >= block.number }
        version += 1
        events.append(.removed(block))
        return (block, around)
    }

    /// Moves the finality tags up as the head moves; they never move down here.
    private mutating func settleFinality() {
        let head = blocks.count - 1
        safe = max(safe, UInt64(max(head - Int(profile.finality.safeDepth), 0)))
        finalized = max(finalized, UInt64(max(head - Int(profile.finality.finalizedDepth), 0)))
        precondition(finalized <= safe && safe <= UInt64(head), "finalized <= safe <= latest")
    }
}

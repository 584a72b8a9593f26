// The simulated chain as a value: blocks, states, pool, finality. No clock, no lock, no socket: real time comes in with
// each call, and what happened goes out by `takeEvents`. Making blocks is in Blockchain+Blocks.swift, reading in
// Blockchain+Reading.swift, the development methods in Blockchain+Development.swift.

import EVM
import Ethereum

package struct Blockchain: Sendable {
    package struct Configuration: Sendable {
        package var profile: ChainProfile
        package var schedule: ForkSchedule
        /// Seconds since 1970.
        package var genesisTimestamp: UInt64
        /// Wei by account at the start.
        package var balances: [(address: Address, wei: U256)]
        /// Code by account at the start, beside the system contracts.
        package var codes: [(address: Address, code: Bytes)]
        /// Accounts at the start, whole.
        package var accounts: [AccountChange] = []
        /// States that are kept; at least two.
        package var statesKept: Int
        /// A start that is given whole: nothing of the above, no system contract, is added to it.
        package var genesis: Genesis?
        /// The contract whose logs are deposits (EIP-6110).
        package var depositContract = SystemContracts.deposits
        /// Memory that old blocks and states may take; what is beyond is let go, the oldest first.
        package var memory = MemoryPlan()

        package init(
            profile: ChainProfile, fork: Fork = .prague, genesisTimestamp: UInt64,
            balances: [(address: Address, wei: U256)] = [], codes: [(address: Address, code: Bytes)] = [],
            statesKept: Int = Limits.statesKept
        ) {
            self.profile = profile
            schedule = ForkSchedule(fork, blobs: profile.blobs)
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
    package let schedule: ForkSchedule
    /// One for each step of the schedule.
    let eras: [Era]
    let depositContract: Address
    let statesKept: Int

    /// By number; the first is the genesis block.
    package internal(set) var blocks = BlockList()
    /// By number; nil where the state was let go.
    var states: [States?] = []
    /// What the next block starts from: the last block's state and what development methods changed since.
    package internal(set) var headState: WorldState
    var hashes = RecentHashes()
    var numbers: [Hash32: UInt64] = [:]
    var places = PlaceIndex()
    var logIndex = LogIndex()
    /// The oldest block whose state is kept, and about how many changes lie between it and the head.
    var firstState = 0
    var stateChanges = 0
    package internal(set) var pool = TransactionPool()
    package internal(set) var settings: BlockSettings
    /// What the pending block shows already, on a chain that preconfirms.
    package internal(set) var preconfirmed = Preconfirmations()
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
    /// Blocks that came from elsewhere and stand on no way to the head.
    var branches = SideBlocks()
    /// Why the latest dropped transactions left the pool, oldest first.
    private var drops: [(hash: Hash32, reason: String)] = []

    /// A chain at its genesis block.
    /// - Parameter empty: the state without accounts that it begins in; one of its own when not given.
    package init(_ configuration: Configuration, in empty: WorldState = WorldState()) {
        self.init(unbegun: configuration, state: empty)
        let (header, state) = configuration.genesis?.start(in: empty) ?? Self.start(configuration, in: empty)
        headState = state
        append(StoredBlock(header: header, transactions: [], outcomes: []), States(before: state, after: state))
    }

    /// A chain without any block.
    init(unbegun configuration: Configuration, state: WorldState) {
        self.configuration = configuration
        let profile = configuration.profile
        self.profile = profile
        schedule = configuration.schedule
        eras = configuration.schedule.steps.map { Era($0, quirks: profile.quirks) }
        depositContract = configuration.depositContract
        statesKept = configuration.statesKept
        settings = BlockSettings(gasLimit: profile.gasLimit, coinbase: profile.coinbase)
        headState = state
    }

    /// The genesis block of a development chain.
    private static func start(_ configuration: Configuration, in empty: WorldState) -> (BlockHeader, WorldState) {
        let profile = configuration.profile
        let fork = configuration.schedule.atStart(configuration.genesisTimestamp)
        var state = empty
        for contract in SystemContracts.genesis(fork) {
            state.setCode(contract.code, of: contract.address)
            state.setNonce(contract.nonce, of: contract.address)
        }
        for account in profile.predeploys { state.place(account) }
        state.apply(configuration.accounts)
        for (address, code) in configuration.codes { state.setCode(code, of: address) }
        // An account that is named twice has what was said last.
        let balances = Dictionary(configuration.balances.map { ($0.address, $0.wei) }) { $1 }
        state.apply(
            balances.sorted { $0.key < $1.key }.compactMap { address, wei in
                var account = state.account(address)?.state ?? AccountState()
                account.balance = wei
                return account.isEmpty ? nil : AccountChange(address: address, state: account)
            })
        var header = BlockHeader(
            parentHash: .zero, beneficiary: profile.shownMiner(profile.coinbase), stateRoot: state.root, number: 0,
            gasLimit: profile.gasLimit, timestamp: configuration.genesisTimestamp)
        if fork < .paris { header.difficulty = Difficulty.minimum }
        if fork >= .london { header.baseFeePerGas = BaseFees.initial(profile.baseFee) }
        header.setEmptyForkFields(fork)
        return (header, state)
    }

    package var chainID: UInt64 { profile.chainID }

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
            places.insert(transaction.hash, Place(number: block.number, index: index))
        }
        logIndex.add(block)
        headState = around.after
        stateChanges += block.stateChangeEstimate
        letStatesGo()
        version += 1
        settleFinality()
    }

    /// Keeps to the limits of what states may take; the newest two stay.
    private mutating func letStatesGo() {
        while blocks.count - firstState > statesKept
            || (stateChanges > configuration.memory.stateChanges && blocks.count - firstState > 2)
        {
            states[firstState] = nil
            firstState += 1
            // The changes of the block itself lead up to its own state, so the next one's go with it.
            stateChanges -= blocks[firstState].stateChangeEstimate
        }
    }

    /// Takes the newest block off the chain.
    mutating func removeLast() -> (block: StoredBlock, states: States?) {
        precondition(blocks.count > 1, "the genesis block stays")
        let block = blocks.removeLast()
        let around = states.removeLast()
        numbers[block.hash] = nil
        for (index, transaction) in block.transactions.enumerated() {
            places.remove(transaction.hash, Place(number: block.number, index: index))
        }
        logIndex.removeLast(block)
        stateChanges -= block.stateChangeEstimate
        firstState = min(firstState, blocks.count - 1)
        snapshots.removeAll { $0.number >= block.number }
        version += 1
        events.append(.removed(block))
        return (block, around)
    }

    /// Moves the finality tags up as the head moves; they never move down here.
    private mutating func settleFinality() {
        let head = head.number
        let tags = profile.finality.tags(head: head) { block(.number($0))?.header.timestamp ?? 0 }
        finalized = max(finalized, tags.finalized)
        safe = max(safe, tags.safe, finalized)
        precondition(finalized <= safe && safe <= head, "finalized <= safe <= latest")
    }
}

// Runs simulated blocks over a state, one after another, each over what the one before left. Nothing of it is kept.

import EVM
import Ethereum
import JSONRPC

/// One call of a simulated block with what it came to.
struct SimulatedCall: Sendable {
    let result: ExecutionResult
    let logs: [TransferTracer.Entry]
}

struct SimulatedBlock: Sendable {
    let block: StoredBlock
    let calls: [SimulatedCall]
}

struct SimulatedChain: Sendable {
    private let simulation: Simulation
    private let chainID: UInt64
    private let baseFeeRule: ChainProfile.BaseFeeRule
    private let blockHashOfDecimalText: Bool
    private let depositContract: Address
    private let era: @Sendable (ForkSchedule.Place) -> Blockchain.Era
    /// Of the base; blocks over it are of the same kind.
    private let work: BlockPlan.Work?
    private var totalDifficulty: U256
    private var parent: BlockHeader
    private var state: WorldState
    private var hashes: RecentHashes
    /// Gas that is left for all calls of all blocks.
    private var budget: UInt64

    /// - Parameters:
    ///   - base: the block over which the first one stands, with the state after it and the hashes up to its own.
    init(
        _ simulation: Simulation, chain: Blockchain, base: StoredBlock, state: WorldState, hashes: RecentHashes
    ) {
        self.simulation = simulation
        chainID = chain.chainID
        baseFeeRule = chain.profile.baseFee
        blockHashOfDecimalText = chain.profile.quirks.blockHashOfDecimalText
        depositContract = chain.depositContract
        era = { chain.eras[chain.schedule.position(at: $0)] }
        // go-ethereum keeps the base's difficulty: nobody mines these blocks.
        work =
            chain.schedule.isMerged(after: base.totalDifficulty)
            ? nil : BlockPlan.Work(difficulty: base.header.difficulty)
        totalDifficulty = base.totalDifficulty
        parent = base.header
        self.state = state
        self.hashes = hashes
        budget = Limits.simulatedGasMaximum
    }

    mutating func run() throws(JSONRPCError) -> [SimulatedBlock] {
        var results: [SimulatedBlock] = []
        var bytes = 0
        for placed in try simulation.placed(over: parent) {
            let simulated = try run(placed)
            bytes += simulated.calls.reduce(0) { sum, call in
                call.logs.reduce(sum + call.result.output.count) { $0 + 400 + $1.log.data.count }
            }
            guard bytes <= Limits.simulatedBytesMaximum else {
                throw JSONRPCError(code: -38026, message: "the answer is too large: ask for less at a time")
            }
            results.append(simulated)
        }
        return results
    }

    // MARK: One block

    private mutating func run(_ placed: Simulation.PlacedBlock) throws(JSONRPCError) -> SimulatedBlock {
        let era = era(ForkSchedule.Place(number: placed.number, timestamp: placed.time, isMerged: work == nil))
        let plan = plan(placed, era)
        let result = try era.engines.use { engine throws(JSONRPCError) in
            let journal = Journal(reader: plan.reader, codeCache: engine.codeCache)
            let executor = try refusable { () throws(DevChainError) in
                try CallView.apply(placed.block.accounts, to: journal, engine)
            }
            var draft = SimulatedDraft(
                plan: plan, engine: engine, executor: executor, journal: journal, simulation: simulation,
                gasBudget: budget)
            for call in placed.block.calls { try draft.run(call) }
            return try draft.finish()
        }
        budget = result.gasBudget
        parent = result.simulated.block.header
        totalDifficulty = result.simulated.block.totalDifficulty
        hashes.append(result.simulated.block.hash)
        state = result.after
        return result.simulated
    }

    private func plan(_ placed: Simulation.PlacedBlock, _ era: Blockchain.Era) -> BlockPlan {
        let overrides = placed.block.overrides
        let baseFee =
            overrides.baseFeePerGas
            ?? (simulation.validation ? BaseFees.next(after: parent, rule: baseFeeRule, fork: era.fork) : nil) ?? .zero
        let excess = era.fork >= .cancun ? era.rules.excessBlobGas(after: parent) : 0
        let environment = BlockEnvironment(
            chainID: chainID, number: placed.number, timestamp: placed.time,
            coinbase: overrides.feeRecipient ?? parent.beneficiary, gasLimit: overrides.gasLimit ?? parent.gasLimit,
            baseFee: baseFee,
            prevRandao: overrides.prevRandao ?? work.map { Hash32($0.difficulty) } ?? .zero, excessBlobGas: excess,
            blobBaseFee: overrides.blobBaseFee ?? era.rules.blobBaseFee(excessBlobGas: excess))
        return BlockPlan(
            parentHash: parent.hash, before: state, environment: environment, extraData: [], hashes: hashes,
            candidates: [], fork: era.fork, engines: era.engines, blockHashOfDecimalText: blockHashOfDecimalText,
            withdrawals: overrides.withdrawals, work: work, parentTotalDifficulty: totalDifficulty,
            parentBeaconBlockRoot: overrides.beaconRoot ?? .zero,
            depositContract: depositContract, realSeconds: 0, version: 0)
    }
}

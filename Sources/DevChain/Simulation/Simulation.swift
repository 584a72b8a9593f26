// What eth_simulateV1 asks for, and the chain of blocks that it means: numbers and times in order, gaps filled. The
// rules are those of the execution-apis' specification, errors included.

import Ethereum
import JSONRPC

struct Simulation: Sendable {
    /// What a caller wants of one block.
    struct BlockOverrides: Sendable {
        var number: UInt64?
        /// Seconds since 1970.
        var time: UInt64?
        var gasLimit: UInt64?
        var feeRecipient: Address?
        var prevRandao: Hash32?
        var baseFeePerGas: U256?
        var blobBaseFee: U256?
        var beaconRoot: Hash32?
        var withdrawals: [Withdrawal] = []
    }

    struct Block: Sendable {
        var overrides = BlockOverrides()
        var accounts: [CallView.AccountOverride] = []
        var calls: [TransactionRequest] = []
    }

    /// A block with its place in the chain.
    struct PlacedBlock: Sendable {
        let number: UInt64
        let time: UInt64
        let block: Block
    }

    var blocks: [Block]
    var traceTransfers = false
    var validation = false
    var returnFullTransactions = false

    /// The blocks over `base` with numbers and times, empty ones in the gaps.
    func placed(over base: BlockHeader) throws(JSONRPCError) -> [PlacedBlock] {
        guard !blocks.isEmpty else { throw .invalidParams("empty input") }
        guard blocks.count <= Limits.simulatedBlocksMaximum else { throw Self.tooManyBlocks }
        var result: [PlacedBlock] = []
        var (lastNumber, lastTime) = (base.number, base.timestamp)
        for block in blocks {
            let number = block.overrides.number ?? lastNumber &+ 1
            guard number > lastNumber else {
                throw JSONRPCError(code: -38020, message: "block numbers must be in order: \(number) <= \(lastNumber)")
            }
            guard number - base.number <= UInt64(Limits.simulatedBlocksMaximum) else { throw Self.tooManyBlocks }
            while lastNumber + 1 < number {
                lastNumber += 1
                lastTime = Self.after(lastTime)
                result.append(PlacedBlock(number: lastNumber, time: lastTime, block: Block()))
            }
            let time = block.overrides.time ?? Self.after(lastTime)
            guard time > lastTime else {
                throw JSONRPCError(
                    code: -38021, message: "block timestamps must be in order: \(time) <= \(lastTime)")
            }
            result.append(PlacedBlock(number: number, time: time, block: block))
            (lastNumber, lastTime) = (number, time)
        }
        return result
    }

    /// Blocks come every twelve seconds where nobody says otherwise, as on Ethereum.
    private static func after(_ time: UInt64) -> UInt64 {
        let (sum, overflow) = time.addingReportingOverflow(12)
        return overflow ? .max : sum
    }

    private static var tooManyBlocks: JSONRPCError { JSONRPCError(code: -38026, message: "too many blocks") }
}

// MARK: - From JSON

extension Simulation {
    init(_ json: JSON) throws(JSONRPCError) {
        let members = try Members(json, "argument 0")
        guard let items = members["blockStateCalls"]?.asArray else { throw .invalidParams("empty input") }
        guard !items.isEmpty else { throw .invalidParams("empty input") }
        guard items.count <= Limits.simulatedBlocksMaximum else { throw Self.tooManyBlocks }
        traceTransfers = try members.flag("traceTransfers")
        validation = try members.flag("validation")
        returnFullTransactions = try members.flag("returnFullTransactions")
        blocks = []
        var callCount = 0
        for (index, item) in items.enumerated() {
            let block = try Self.block(item, "\(members.path("blockStateCalls"))[\(index)]")
            callCount += block.calls.count
            guard callCount <= Limits.simulatedCallsMaximum else {
                throw JSONRPCError(
                    code: -38026, message: "too many calls: at most \(Limits.simulatedCallsMaximum) in all blocks")
            }
            blocks.append(block)
        }
    }

    private static func block(_ json: JSON, _ place: String) throws(JSONRPCError) -> Block {
        let members = try Members(json, place)
        var block = Block()
        if let overrides = members["blockOverrides"] {
            block.overrides = try self.overrides(Members(overrides, members.path("blockOverrides")))
        }
        block.accounts = try Overrides.accounts(members["stateOverrides"], place: members.path("stateOverrides"))
        let calls = try members.list("calls", atMost: Limits.simulatedCallsMaximum) ?? []
        for (index, call) in calls.enumerated() {
            block.calls.append(try TransactionRequest(call, place: "\(members.path("calls"))[\(index)]"))
        }
        return block
    }

    private static func overrides(_ members: Members) throws(JSONRPCError) -> BlockOverrides {
        var result = BlockOverrides()
        result.number = try members.uint64("number")
        result.time = try members.uint64("time", or: "timestamp")
        result.gasLimit = try members.uint64("gasLimit")
        result.feeRecipient = try members.address("feeRecipient", or: "coinbase")
        result.prevRandao = try members.hash("prevRandao", or: "random")
        result.baseFeePerGas = try members.quantity("baseFeePerGas", or: "baseFee")
        result.blobBaseFee = try members.quantity("blobBaseFee")
        result.beaconRoot = try members.hash("beaconRoot", or: "parentBeaconBlockRoot")
        result.withdrawals = try members.withdrawals(atMost: Limits.simulatedCallsMaximum)
        return result
    }
}

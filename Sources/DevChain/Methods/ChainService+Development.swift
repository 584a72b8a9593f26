// The methods that only a development chain has.

import EVM
import Ethereum
import JSONRPC
import Logging

extension ChainService {
    func develop(_ method: Method, _ p: Parameters) async throws(JSONRPCError) -> JSON {
        switch method {
        case .evmMine: return try await evmMine(p)
        case .mine: return try await mine(p)
        case .mineDetailed: return try await mineDetailed(p)
        case .snapshot:
            return .quantity(try await changing { chain, _ throws(DevChainError) in try chain.takeSnapshot() })
        case .revert: return try await revert(p)
        case .reset: return try await reset(p)
        case .increaseTime, .setNextBlockTimestamp, .setTime: return try await travel(method, p)
        case .setTimestampInterval:
            let seconds = try p.uint64(0)
            _ = try await changing { chain, _ throws(DevChainError) in try chain.setTimestampInterval(seconds) }
            return .null
        case .removeTimestampInterval:
            return .bool(try await changing { chain, _ throws(DevChainError) in try chain.setTimestampInterval(nil) })
        case .setAutomine, .setIntervalMining, .setIntervalMiningSeconds, .automine, .intervalMining:
            return try await pace(method, p)
        case .setBalance, .addBalance, .setCode, .setNonce, .setStorageAt: return try await setState(method, p)
        case .impersonate, .stopImpersonating, .autoImpersonate: return try impersonation(method, p)
        case .dropTransaction:
            let hash = try p.hash(0)
            return await producer.perform { chain, _ in chain.drop(hash) } ? .hash(hash) : .null
        case .dropAllTransactions:
            await producer.perform { chain, _ in chain.dropAll() }
            return .null
        case .removePoolTransactions:
            let sender = try p.address(0)
            await producer.perform { chain, _ in chain.dropAll(of: sender) }
            return .null
        case .setLogging:
            await producer.setLogging(try p.bool(0))
            return true
        case .setMinimumGasPrice:
            throw JSONRPCError(
                code: -32000,
                message: "a least gas price does not go together with base fees (EIP-1559); set the next one with "
                    + "anvil_setNextBlockBaseFeePerGas")
        // Calls of every transaction can be told by debug_traceTransaction, always.
        case .enableTraces: return .null
        case .sendUnsigned: return try await sendUnsigned(p)
        case .setCoinbase, .setBlockGasLimit, .setNextBaseFee, .setPrevRandao: return try await setBlock(method, p)
        case .reorg, .rollback, .causewayReorg: return try await reorganise(method, p)
        case .nodeInfo: return nodeInfo()
        case .dumpState:
            let dump = try await changing { chain, _ throws(DevChainError) in try StateDump(chain) }
            return .data(dump.file)
        case .loadState:
            let file = try p.data(0)
            let accounts = try refusable { () throws(DevChainError) in try StateDump.read(file) }
            await producer.perform { chain, _ in chain.load(accounts) }
            return true
        case .preconfirm: return .integer(await producer.preconfirm())
        case .rollBackPreconfirmations: return try await rollBackPreconfirmations(p)
        case .finality: return finality()
        case .setFaults, .faults, .clearFaults: return try administerFaults(method, p)
        default: throw .methodNotFound(method.rawValue)
        }
    }

    private func changing<Result: Sendable>(
        _ body: @Sendable (inout Blockchain, _ realSeconds: UInt64) throws(DevChainError) -> Result
    ) async throws(JSONRPCError) -> Result {
        do throws(DevChainError) { return try await producer.perform(body) } catch { throw JSONRPCError(error) }
    }

    // MARK: Blocks

    /// evm_mine(timestamp?) or evm_mine({timestamp, blocks}).
    private func evmMine(_ p: Parameters) async throws(JSONRPCError) -> JSON {
        try await mineAsked(p, atMost: Limits.blocksMinedMaximum)
        return "0x0"
    }

    /// As evm_mine, but answers the blocks, with their transactions.
    private func mineDetailed(_ p: Parameters) async throws(JSONRPCError) -> JSON {
        let before = hub.read { $0.head.number }
        try await mineAsked(p, atMost: Limits.blocksDetailedMaximum)
        let blocks = hub.read { chain in
            chain.head.number > before ? (before + 1...chain.head.number).compactMap { chain.block(.number($0)) } : []
        }
        return .array(
            blocks.map {
                Answers.block(
                    $0, whole: true, quirks: profile.quirks)
            })
    }

    private func mineAsked(_ p: Parameters, atMost most: UInt64) async throws(JSONRPCError) {
        var count: UInt64 = 1
        var timestamp: UInt64?
        if let value = p[0] {
            if case .object = value {
                let members = try Members(value, "argument 0")
                timestamp = try members.uint64("timestamp")
                count = try members.uint64("blocks") ?? 1
            } else {
                timestamp = try p.uint64(0)
            }
        }
        try checkCount(count, most)
        if let timestamp {
            try await changing { chain, _ throws(DevChainError) in try chain.setNextTimestamp(timestamp) }
        }
        _ = await producer.mine(count: count, interval: nil)
    }

    /// anvil_mine(blocks = 1, secondsBetween = nil).
    private func mine(_ p: Parameters) async throws(JSONRPCError) -> JSON {
        let count = try p.uint64(0, default: 1)
        let interval = p[1] == nil ? nil : try p.uint64(1)
        try checkCount(count, Limits.blocksMinedMaximum)
        _ = await producer.mine(count: count, interval: interval)
        return .null
    }

    private func checkCount(_ count: UInt64, _ most: UInt64) throws(JSONRPCError) {
        guard count <= most else { throw .limitExceeded("\(count) blocks, at most \(most) in one call") }
    }

    /// Back to the genesis block. There is no chain to fork from here.
    private func reset(_ p: Parameters) async throws(JSONRPCError) -> JSON {
        if case .object(let options)? = p[0], options["forking"].map({ !$0.isNull }) ?? false {
            throw .invalidParams("argument 0.forking: this chain stands for itself and forks no other")
        }
        await producer.perform { chain, _ in chain.reset() }
        return .null
    }

    private func revert(_ p: Parameters) async throws(JSONRPCError) -> JSON {
        let id = try p.uint64(0)
        return .bool(await producer.perform { chain, _ in chain.revert(to: id) })
    }

    private func travel(_ method: Method, _ p: Parameters) async throws(JSONRPCError) -> JSON {
        let value = try p.uint64(0)
        switch method {
        case .increaseTime:
            return .integer(try await changing { chain, _ throws(DevChainError) in try chain.increaseTime(by: value) })
        case .setNextBlockTimestamp:
            try await changing { chain, _ throws(DevChainError) in try chain.setNextTimestamp(value) }
        default: try await changing { chain, now throws(DevChainError) in try chain.setTime(value, at: now) }
        }
        return .null
    }

    /// evm_setIntervalMining counts milliseconds, as Hardhat does; anvil_setIntervalMining seconds, as anvil does.
    private func pace(_ method: Method, _ p: Parameters) async throws(JSONRPCError) -> JSON {
        switch method {
        case .automine: return .bool(cadence.current.automine)
        case .intervalMining:
            let milliseconds = cadence.current.intervalMilliseconds
            return milliseconds == 0 ? .null : .integer((milliseconds + 999) / 1000)
        case .setAutomine:
            let on = try p.bool(0)
            cadence.change { $0.automine = on }
            if on { await producer.mineWaiting() }
        default:
            let value = try p.uint64(0)
            let (milliseconds, overflow) = value.multipliedReportingOverflow(
                by: method == .setIntervalMiningSeconds ? 1000 : 1)
            guard !overflow, milliseconds <= 3_600_000 else {
                throw .invalidParams("argument 0: expected an interval of at most an hour")
            }
            cadence.change {
                $0.intervalMilliseconds = milliseconds
                $0.heartbeatMilliseconds = milliseconds
            }
        }
        hub.bell.ring()
        return method == .setIntervalMiningSeconds ? .null : true
    }

    // MARK: State

    private func setState(_ method: Method, _ p: Parameters) async throws(JSONRPCError) -> JSON {
        let address = try p.address(0)
        switch method {
        case .setBalance:
            let wei = try p.quantity(1)
            await producer.perform { chain, _ in chain.setBalance(wei, of: address) }
        case .addBalance:
            let wei = try p.quantity(1)
            await producer.perform { chain, _ in
                let (sum, overflow) = chain.headState.balance(address).addingReportingOverflow(wei)
                chain.setBalance(overflow ? .max : sum, of: address)
            }
        case .setCode:
            let code = try p.data(1)
            await producer.perform { chain, _ in chain.setCode(code, of: address) }
        case .setNonce:
            let nonce = try p.uint64(1)
            guard nonce < .max else { throw .invalidParams("argument 1: a nonce is below 2^64 - 1 (EIP-2681)") }
            await producer.perform { chain, _ in chain.setNonce(nonce, of: address) }
        default:
            let slot = try p.slot(1)
            let value = try p.quantity(2)
            await producer.perform { chain, _ in chain.setStorage(slot, to: value, of: address) }
            return true
        }
        return .null
    }

    private func impersonation(_ method: Method, _ p: Parameters) throws(JSONRPCError) -> JSON {
        if method == .autoImpersonate {
            let on = try p.bool(0)
            hub.change { $0.setAutoImpersonation(on) }
            return .null
        }
        let address = try p.address(0)
        if method == .impersonate {
            hub.change { $0.impersonate(address) }
        } else {
            hub.change { _ = $0.stopImpersonating(address) }
        }
        return .null
    }

    private func setBlock(_ method: Method, _ p: Parameters) async throws(JSONRPCError) -> JSON {
        switch method {
        case .setCoinbase:
            let address = try p.address(0)
            try await changing { chain, _ throws(DevChainError) in try chain.setCoinbase(address) }
        case .setBlockGasLimit:
            let limit = try p.uint64(0)
            guard limit >= 21_000, limit < 1 << 63 else {
                throw .invalidParams("argument 0: a block's gas limit is from 21000 to 2^63 - 1")
            }
            await producer.perform { chain, _ in chain.setGasLimit(limit) }
            return true
        case .setNextBaseFee:
            let wei = try p.quantity(0)
            guard wei.bitWidth <= 128 else { throw .invalidParams("argument 0: a base fee is below 2^128 wei") }
            await producer.perform { chain, _ in chain.setNextBaseFee(wei) }
        default:
            let value = Hash32(try p.quantity(0))
            await producer.perform { chain, _ in chain.setNextPrevRandao(value) }
        }
        return .null
    }

    // MARK: Reorgs

    /// - anvil_reorg(depth, [[transaction, block], ...]): the removed transactions are gone, as with anvil.
    /// - causeway_reorg({depth, restore, transactions}): with `restore` they go back to the pool, as in a real network.
    /// - anvil_rollback(depth = 1): blocks go and none come.
    private func reorganise(_ method: Method, _ p: Parameters) async throws(JSONRPCError) -> JSON {
        if method == .rollback {
            let depth = try p.uint64(0, default: 1)
            _ = try await changing { chain, _ throws(DevChainError) in try chain.rollback(depth: depth) }
            return .null
        }
        let depth: UInt64
        let pairs: JSON?
        var restoring = false
        if case .object? = p[0] {
            let members = try Members(try p.required(0, "options"), "argument 0")
            guard let asked = try members.uint64("depth") else {
                throw .invalidParams("argument 0.depth: missing: how many blocks to replace")
            }
            depth = asked
            pairs = members["transactions"] ?? members["txBlockPairs"]
            if let flag = members["restore"] {
                guard let on = flag.asBool else { throw .invalidParams("argument 0.restore: expected true or false") }
                restoring = on
            }
        } else {
            depth = try p.uint64(0)
            pairs = p[1]
            restoring = try p.bool(2, default: false)
        }
        let branch = try branch(pairs)
        let restores = restoring
        let added = try await changing { chain, now throws(DevChainError) in
            try chain.reorg(depth: depth, transactions: branch, restoring: restores, at: now)
        }
        logger.notice("chain reorganised by request", metadata: [LogKey.depth: "\(added.count)"])
        return method == .reorg ? .null : .array(added.map { .hash($0.hash) })
    }

    /// Pairs of a transaction (raw, or an object of an own or impersonated account) and the position of its block.
    private func branch(_ json: JSON?) throws(JSONRPCError) -> [Int: [PooledTransaction]] {
        guard let json else { return [:] }
        guard let pairs = json.asArray, pairs.count <= Limits.reorgTransactionsMaximum else {
            throw .invalidParams(
                "argument 1: expected at most \(Limits.reorgTransactionsMaximum) pairs of a transaction and a position")
        }
        var result: [Int: [PooledTransaction]] = [:]
        for (index, pair) in pairs.enumerated() {
            guard let items = pair.asArray, items.count == 2, let position = items[1].asUInt256?.asInt else {
                throw .invalidParams("argument 1[\(index)]: expected a transaction and the position of its block")
            }
            result[position, default: []].append(try branchTransaction(items[0], "argument 1[\(index)]"))
        }
        return result
    }

    private func branchTransaction(_ json: JSON, _ place: String) throws(JSONRPCError) -> PooledTransaction {
        guard case .object = json else {
            let raw = try Parameters.data(json, place)
            return try refusable { () throws(DevChainError) in
                try PooledTransaction(raw: raw, chainID: profile.chainID, rules: hub.engines.rules)
            }
        }
        let request = try TransactionRequest(json, place: place)
        return try pooled(request)
    }

    /// causeway_rollbackPreconfirmations({drop}): what the pending block showed is taken back; the hashes.
    private func rollBackPreconfirmations(_ p: Parameters) async throws(JSONRPCError) -> JSON {
        var drops = false
        if let value = p[0] {
            let flag = try Members(value, "argument 0")["drop"]
            guard let asked = flag.map(\.asBool) ?? false else {
                throw .invalidParams("argument 0.drop: expected true or false")
            }
            drops = asked
        }
        let dropping = drops
        let hashes = await producer.perform { chain, _ in chain.rollBackPreconfirmations(dropping: dropping) }
        return .array(hashes.map { .hash($0) })
    }

    /// What is safe and finalized, and on a rollup how far its levels are.
    private func finality() -> JSON {
        let (latest, safe, finalized, levels) = hub.read {
            ($0.head.number, $0.safe, $0.finalized, $0.rollupLevels)
        }
        var answer = JSONObject([
            ("latest", .quantity(latest)), ("safe", .quantity(safe)), ("finalized", .quantity(finalized)),
        ])
        if let levels {
            answer["levels"] = .object(JSONObject(levels.map { ($0.level.rawValue, .quantity($0.block)) }))
        }
        return .object(answer)
    }

    private func nodeInfo() -> JSON {
        let (head, settings, nextFee) = hub.read { ($0.head, $0.settings, $0.nextBaseFee) }
        let pace = cadence.current
        return [
            "clientVersion": .string(Self.clientVersion),
            "currentBlockNumber": .quantity(head.number), "currentBlockTimestamp": .integer(head.header.timestamp),
            "currentBlockHash": .hash(head.hash), "hardFork": .string(hub.read { $0.fork.name }),
            "transactionOrder": "fees", "subscriptions": .integer(subscriptions.count),
            "profile": .string(profile.name),
            "automine": .bool(pace.automine), "intervalMilliseconds": .integer(pace.intervalMilliseconds),
            "heartbeatMilliseconds": .integer(pace.heartbeatMilliseconds),
            "environment": [
                "chainId": .quantity(profile.chainID), "baseFee": .quantity(nextFee),
                "gasLimit": .quantity(settings.gasLimit), "timeOffset": .integer(settings.clock.offset),
            ],
            "forkConfig": [:],
        ]
    }
}

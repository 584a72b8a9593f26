// Which method is answered where. What each does is in the extensions beside this file.

import EVM
import Ethereum
import JSONRPC
import Logging
import Synchronization

final class ChainService: JSONRPCService {
    let hub: ChainHub
    let producer: BlockProducer
    let cadence: CadenceControl
    let clock: WallClock
    let logger: Logger
    let faults = FaultControl()
    let quota: Mutex<CallQuota>
    let subscriptions: Subscriptions
    /// The keys that this node signs with, and their order.
    let accounts: [PrivateKey]
    let keys: [Address: PrivateKey]

    var profile: ChainProfile { hub.profile }
    var seconds: UInt64 { clock() / 1000 }

    init(
        hub: ChainHub, producer: BlockProducer, cadence: CadenceControl, accounts: [PrivateKey],
        clock: @escaping WallClock, logger: Logger
    ) {
        self.hub = hub
        self.producer = producer
        self.cadence = cadence
        self.accounts = accounts
        self.clock = clock
        self.logger = logger
        quota = Mutex(CallQuota(perMinute: hub.profile.rpc.callsPerMinute))
        subscriptions = Subscriptions(faults: faults)
        keys = Dictionary(accounts.map { ($0.address, $0) }) { first, _ in first }
    }

    func connectionClosed(_ connection: JSONRPCConnection) { subscriptions.removeAll(of: connection) }

    func answer(
        _ name: String, _ parameters: JSON, on connection: JSONRPCConnection?
    ) async throws(JSONRPCError) -> JSON {
        guard let method = Method.byName[name], !isMissing(method, name) else { throw .methodNotFound(name) }
        let faults = faults.strike(call: name)
        guard faults.isNone else { return try await answer(method, parameters, on: connection, under: faults) }
        return try await profiledAnswer(method, parameters, on: connection)
    }

    func answer(
        _ method: Method, _ p: Parameters, on connection: JSONRPCConnection?
    ) async throws(JSONRPCError) -> JSON {
        switch method {
        case .chainID: return .quantity(profile.chainID)
        case .blockNumber: return .quantity(hub.read { $0.head.number })
        case .blockByNumber, .blockByHash: return try block(p)
        case .headerByNumber, .headerByHash: return try header(p)
        case .blockReceipts: return try blockReceipts(p)
        case .transactionCountByNumber, .transactionCountByHash: return try blockTransactionCount(p)
        case .uncleCountByNumber, .uncleCountByHash: return try uncleCount(p)
        case .uncleByNumber, .uncleByHash: return try uncle(p)
        case .syncing, .mining: return false
        case .protocolVersion: return "0x41"
        case .coinbase: return .address(profile.shownMiner(hub.read { $0.settings.coinbase }))
        case .hashrate: return "0x0"

        case .balance: return .quantity(try state(p, at: 1).balance(p.address(0)))
        case .code: return .data(try state(p, at: 1).code(of: p.address(0)))
        case .storage: return try storage(p)
        case .transactionCount: return try transactionCount(p)
        case .account: return try account(p)
        case .accountInfo: return try accountInfo(p)
        case .storageValues: return try storageValues(p)
        case .proof: return try proof(p)

        case .call: return try call(p)
        case .estimateGas: return try estimateGas(p)
        case .createAccessList: return try createAccessList(p)
        case .simulate: return try simulate(p)

        case .gasPrice: return .quantity(hub.read { $0.nextBaseFee &+ $0.suggestedTip })
        case .baseFee: return .quantity(hub.read { $0.nextBaseFee })
        case .maxPriorityFee: return .quantity(hub.read { $0.suggestedTip })
        case .blobBaseFee: return .quantity(hub.read { $0.environment(of: $0.head).blobBaseFee })
        case .feeHistory: return try feeHistory(p)

        case .sendRawTransaction: return .hash(try await sendRaw(p).hash)
        case .sendRawTransactionSync: return try await sendRawSync(p)
        case .sendTransaction: return try await sendTransaction(p)
        case .signTransaction: return try signTransaction(p)
        case .fillTransaction: return try fillTransaction(p)
        case .pendingTransactions: return pendingTransactions()
        case .sign: return try sign(account: p, 0, message: 1)
        case .personalSign: return try sign(account: p, 1, message: 0)
        case .signTypedData: return try signTypedData(p)
        case .accounts: return profile.rpc.accountsHidden ? [] : .array(accounts.map { .address($0.address) })
        case .transactionByHash: return try transactionByHash(p)
        case .transactionByNumberAndIndex, .transactionByHashAndIndex: return try transactionByIndex(p)
        case .rawTransaction, .debugRawTransaction: return try rawTransaction(p)
        case .rawTransactionByNumberAndIndex, .rawTransactionByHashAndIndex: return try rawTransactionByIndex(p)
        case .receipt: return try receipt(p)

        case .logs: return try logs(p)
        case .newFilter: return try newFilter(.logs(try LogFilter(p[0])))
        case .newBlockFilter: return try newFilter(.blocks)
        case .newPendingTransactionFilter: return try newFilter(.pendingTransactions)
        case .filterChanges: return try filterChanges(p)
        case .filterLogs: return try filterLogs(p)
        case .uninstallFilter: return try uninstallFilter(p)
        case .subscribe: return try subscribe(p, connection)
        case .unsubscribe: return try unsubscribe(p, connection)

        case .networkVersion: return .string(String(profile.chainID))
        case .networkListening: return true
        case .networkPeerCount: return "0x0"
        case .clientVersion: return .string(Self.clientVersion)
        case .sha3: return .hash(keccak256(try p.data(0)))
        case .poolStatus: return poolStatus()
        case .poolContent: return poolContent()
        case .poolContentFrom: return try poolContentFrom(p)
        case .poolInspection: return poolInspection()
        case .configuration: return configuration()
        case .capabilities: return capabilities()
        case .buildBlock: return try buildBlock(p)
        case .modules:
            return ["eth": "1.0", "net": "1.0", "web3": "1.0", "txpool": "1.0", "debug": "1.0", "evm": "1.0"]

        case .traceTransaction: return try traceTransaction(p)
        case .traceCall: return try traceCall(p)
        case .traceBlockByNumber, .traceBlockByHash: return try traceBlock(p)
        case .traceRawBlock: return try traceRawBlock(p)
        case .badBlocks: return []
        case .rawHeader: return .data(try knownBlock(p, at: 0).header.rlp.encoded)
        case .rawBlock: return try rawBlock(p)
        case .rawReceipts: return .array(try knownBlock(p, at: 0).outcomes.map { .data($0.receipt.encoded) })

        case .evmMine, .snapshot, .revert, .increaseTime, .setNextBlockTimestamp, .setTime, .setAutomine,
            .setIntervalMining, .setBlockGasLimit, .setIntervalMiningSeconds, .automine, .mine, .setBalance,
            .addBalance, .setCode, .setNonce, .setStorageAt, .impersonate, .stopImpersonating, .autoImpersonate,
            .dropTransaction, .dropAllTransactions, .setCoinbase, .setNextBaseFee, .setPrevRandao, .reorg, .rollback,
            .causewayReorg, .nodeInfo, .setFaults, .faults, .clearFaults, .dumpState, .loadState, .preconfirm,
            .rollBackPreconfirmations, .finality, .reset, .setTimestampInterval,
            .removeTimestampInterval, .intervalMining, .mineDetailed, .removePoolTransactions, .setLogging,
            .setMinimumGasPrice, .enableTraces, .sendUnsigned:
            return try await develop(method, p)
        }
    }

    static let clientVersion = "causeway/0.1.0"
}

/// Runs what the chain may refuse, and tells the refusal in the numbers of JSON-RPC.
func refusable<Result>(_ body: () throws(DevChainError) -> Result) throws(JSONRPCError) -> Result {
    do throws(DevChainError) { return try body() } catch { throw JSONRPCError(error) }
}

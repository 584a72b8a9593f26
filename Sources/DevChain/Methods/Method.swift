// The methods that a chain answers, by name. docs/reference/rpc-methods.md lists them; a test compares.

package enum Method: String, CaseIterable, Sendable {
    // The chain and its blocks
    case chainID = "eth_chainId"
    case blockNumber = "eth_blockNumber"
    case blockByNumber = "eth_getBlockByNumber"
    case blockByHash = "eth_getBlockByHash"
    case headerByNumber = "eth_getHeaderByNumber"
    case headerByHash = "eth_getHeaderByHash"
    case blockReceipts = "eth_getBlockReceipts"
    case transactionCountByNumber = "eth_getBlockTransactionCountByNumber"
    case transactionCountByHash = "eth_getBlockTransactionCountByHash"
    case uncleCountByNumber = "eth_getUncleCountByBlockNumber"
    case uncleCountByHash = "eth_getUncleCountByBlockHash"
    case uncleByNumber = "eth_getUncleByBlockNumberAndIndex"
    case uncleByHash = "eth_getUncleByBlockHashAndIndex"
    case syncing = "eth_syncing"
    case protocolVersion = "eth_protocolVersion"
    case coinbase = "eth_coinbase"
    case mining = "eth_mining"
    case hashrate = "eth_hashrate"

    // State
    case balance = "eth_getBalance"
    case code = "eth_getCode"
    case storage = "eth_getStorageAt"
    case transactionCount = "eth_getTransactionCount"
    case account = "eth_getAccount"
    case accountInfo = "eth_getAccountInfo"
    case storageValues = "eth_getStorageValues"
    case proof = "eth_getProof"

    // Calls
    case call = "eth_call"
    case estimateGas = "eth_estimateGas"
    case createAccessList = "eth_createAccessList"
    case simulate = "eth_simulateV1"

    // Fees
    case gasPrice = "eth_gasPrice"
    case baseFee = "eth_baseFee"
    case maxPriorityFee = "eth_maxPriorityFeePerGas"
    case blobBaseFee = "eth_blobBaseFee"
    case feeHistory = "eth_feeHistory"

    // Transactions
    case sendRawTransaction = "eth_sendRawTransaction"
    case sendRawTransactionSync = "eth_sendRawTransactionSync"
    case sendTransaction = "eth_sendTransaction"
    case signTransaction = "eth_signTransaction"
    case fillTransaction = "eth_fillTransaction"
    case pendingTransactions = "eth_pendingTransactions"
    case sign = "eth_sign"
    case personalSign = "personal_sign"
    case signTypedData = "eth_signTypedData_v4"
    case accounts = "eth_accounts"
    case transactionByHash = "eth_getTransactionByHash"
    case transactionByNumberAndIndex = "eth_getTransactionByBlockNumberAndIndex"
    case transactionByHashAndIndex = "eth_getTransactionByBlockHashAndIndex"
    case rawTransaction = "eth_getRawTransactionByHash"
    case rawTransactionByNumberAndIndex = "eth_getRawTransactionByBlockNumberAndIndex"
    case rawTransactionByHashAndIndex = "eth_getRawTransactionByBlockHashAndIndex"
    case receipt = "eth_getTransactionReceipt"

    // Logs, filters, subscriptions
    case logs = "eth_getLogs"
    case newFilter = "eth_newFilter"
    case newBlockFilter = "eth_newBlockFilter"
    case newPendingTransactionFilter = "eth_newPendingTransactionFilter"
    case filterChanges = "eth_getFilterChanges"
    case filterLogs = "eth_getFilterLogs"
    case uninstallFilter = "eth_uninstallFilter"
    case subscribe = "eth_subscribe"
    case unsubscribe = "eth_unsubscribe"

    // Node
    case networkVersion = "net_version"
    case networkListening = "net_listening"
    case networkPeerCount = "net_peerCount"
    case clientVersion = "web3_clientVersion"
    case sha3 = "web3_sha3"
    case poolStatus = "txpool_status"
    case poolContent = "txpool_content"
    case poolContentFrom = "txpool_contentFrom"
    case poolInspection = "txpool_inspect"
    case configuration = "eth_config"
    case capabilities = "eth_capabilities"
    case modules = "rpc_modules"
    case buildBlock = "testing_buildBlockV1"

    // Debugging
    case traceTransaction = "debug_traceTransaction"
    case traceCall = "debug_traceCall"
    case traceBlockByNumber = "debug_traceBlockByNumber"
    case traceBlockByHash = "debug_traceBlockByHash"
    case traceRawBlock = "debug_traceBlock"
    case rawHeader = "debug_getRawHeader"
    case rawBlock = "debug_getRawBlock"
    case rawReceipts = "debug_getRawReceipts"
    case debugRawTransaction = "debug_getRawTransaction"
    case badBlocks = "debug_getBadBlocks"

    // Development
    case evmMine = "evm_mine"
    case snapshot = "evm_snapshot"
    case revert = "evm_revert"
    case increaseTime = "evm_increaseTime"
    case setNextBlockTimestamp = "evm_setNextBlockTimestamp"
    case setTime = "evm_setTime"
    case setAutomine = "evm_setAutomine"
    case setIntervalMining = "evm_setIntervalMining"
    case setBlockGasLimit = "evm_setBlockGasLimit"
    case setIntervalMiningSeconds = "anvil_setIntervalMining"
    case automine = "anvil_getAutomine"
    case mine = "anvil_mine"
    case setBalance = "anvil_setBalance"
    case addBalance = "anvil_addBalance"
    case setCode = "anvil_setCode"
    case setNonce = "anvil_setNonce"
    case setStorageAt = "anvil_setStorageAt"
    case impersonate = "anvil_impersonateAccount"
    case stopImpersonating = "anvil_stopImpersonatingAccount"
    case autoImpersonate = "anvil_autoImpersonateAccount"
    case dropTransaction = "anvil_dropTransaction"
    case dropAllTransactions = "anvil_dropAllTransactions"
    case setCoinbase = "anvil_setCoinbase"
    case setNextBaseFee = "anvil_setNextBlockBaseFeePerGas"
    case setPrevRandao = "hardhat_setPrevRandao"
    case reorg = "anvil_reorg"
    case rollback = "anvil_rollback"
    case causewayReorg = "causeway_reorg"
    case nodeInfo = "anvil_nodeInfo"
    case reset = "anvil_reset"
    case setTimestampInterval = "anvil_setBlockTimestampInterval"
    case removeTimestampInterval = "anvil_removeBlockTimestampInterval"
    case intervalMining = "anvil_getIntervalMining"
    case mineDetailed = "evm_mine_detailed"
    case removePoolTransactions = "anvil_removePoolTransactions"
    case setLogging = "anvil_setLoggingEnabled"
    case setMinimumGasPrice = "anvil_setMinGasPrice"
    case enableTraces = "anvil_enableTraces"
    case sendUnsigned = "eth_sendUnsignedTransaction"
    case dumpState = "anvil_dumpState"
    case loadState = "anvil_loadState"
    case preconfirm = "causeway_preconfirm"
    case rollBackPreconfirmations = "causeway_rollbackPreconfirmations"
    case finality = "causeway_finality"
    case setFaults = "causeway_setFaults"
    case faults = "causeway_getFaults"
    case clearFaults = "causeway_clearFaults"

    /// Every name that is answered, aliases included.
    package static let byName: [String: Method] = {
        var names: [String: Method] = [:]
        for method in allCases { names[method.rawValue] = method }
        for (alias, method) in aliases { names[alias] = method }
        return names
    }()

    /// The names that other development chains have for the same.
    package static let aliases: [(name: String, method: Method)] = {
        var result: [(String, Method)] = [
            ("hardhat_mine", .mine), ("hardhat_getAutomine", .automine), ("evm_setAccountNonce", .setNonce),
            ("anvil_snapshot", .snapshot), ("anvil_revert", .revert), ("anvil_increaseTime", .increaseTime),
            ("anvil_setNextBlockTimestamp", .setNextBlockTimestamp), ("anvil_setTime", .setTime),
            ("anvil_setAutomine", .setAutomine), ("anvil_setBlockGasLimit", .setBlockGasLimit),
            ("anvil_setPrevRandao", .setPrevRandao), ("hardhat_setCoinbase", .setCoinbase),
            ("hardhat_setNextBlockBaseFeePerGas", .setNextBaseFee), ("hardhat_metadata", .nodeInfo),
            ("anvil_metadata", .nodeInfo), ("hardhat_reset", .reset), ("hardhat_setLoggingEnabled", .setLogging),
            ("hardhat_setMinGasPrice", .setMinimumGasPrice), ("anvil_mineDetailed", .mineDetailed),
            ("eth_signTypedData", .signTypedData),
        ]
        let shared: [Method] = [
            .setBalance, .setCode, .setNonce, .setStorageAt, .impersonate, .stopImpersonating, .autoImpersonate,
            .dropTransaction,
        ]
        for method in shared {
            result.append(("hardhat_" + method.rawValue.dropFirst("anvil_".count), method))
        }
        return result
    }()

    /// The filter family, which some chains do not have (jovay.md 1.5).
    var isFilter: Bool {
        switch self {
        case .newFilter, .newBlockFilter, .newPendingTransactionFilter, .filterChanges, .filterLogs, .uninstallFilter:
            true
        default: false
        }
    }
}

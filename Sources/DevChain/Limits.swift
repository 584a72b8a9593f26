// Every bound of this room, each with its reason.

import Ethereum

package enum Limits {
    /// Blocks whose state is kept to be read; older states are let go, their blocks and logs stay. At ten blocks a
    /// second this is close to three hours.
    package static let statesKept = 100_000
    /// Addresses that a state may take: nodes are named by 32 bits in units of 16 bytes. Only what is used costs memory.
    static let stateBytesMaximum = 1 << 36
    /// Blocks that were let go and read again, which are kept in memory for the next reader.
    static let archivedBlocksCached = 64
    /// Bytes of the pool's file after which it is written anew without what is in blocks by now.
    static let poolJournalBytesMaximum = 64 << 20
    /// Least memory that a budget may name: the process itself takes about as much.
    package static let memoryBudgetMinimum = 128 << 20
    /// Block hashes that BLOCKHASH can name.
    static let blockHashesKept = 256
    /// Transactions that wait in the pool: two seconds of the fastest load that is aimed at, and more.
    package static let poolTransactionsMaximum = 200_000
    /// Transactions of one sender that wait, so that one account cannot fill the pool.
    package static let poolSenderTransactionsMaximum = 20_000
    /// Transactions of one sender that wait behind a gap in its nonces, as geth's `accountqueue`.
    package static let poolGappedTransactionsMaximum = 64
    /// How far past the sender's nonce a transaction may be.
    package static let poolNonceDistanceMaximum: UInt64 = 20_000
    /// A replacement pays at least this many hundredths more, as in geth.
    package static let replacementRisePercent: UInt64 = 10
    /// Largest raw transaction that the pool takes, as in geth (128 KiB).
    package static let transactionBytesMaximum = 128 * 1024
    /// Largest block that is imported, in bytes: three times what Ethereum's peers send each other (10 MiB).
    package static let blockBytesMaximum = 32 << 20
    /// Largest block since Osaka, in bytes (EIP-7934): 10 MiB less 2 MiB for the beacon block around it.
    package static let blockBytesMaximumOsaka = 8 << 20
    /// Bytes of a block that are not its transactions and withdrawals: the header has some 700.
    static let headerBytesReserved = 1_024
    /// Valid blocks beside the chain that are kept with their states; a reorg of Ethereum has had at most seven.
    static let sideBlocksMaximum = 1_024
    /// Snapshots that are held at a time; each holds on to the states of its branch.
    package static let snapshotsMaximum = 1_000
    /// Blocks that one call may mine.
    package static let blocksMinedMaximum: UInt64 = 100_000
    /// Blocks that one call may mine and answer in full.
    package static let blocksDetailedMaximum: UInt64 = 1_000
    /// The highest price of a byte on the L1, in wei: an ether. An oracle that says more is not believed.
    static let l1FeePerByteMaximum: U256 = 1_000_000_000_000_000_000
    /// Accounts and slots of a state dump: with them it stays below what one request may carry.
    package static let dumpEntriesMaximum = 100_000
    /// Bytes that a dump unfolds to.
    package static let dumpBytesMaximum = 64 << 20
    /// Deepest reorg that one call may ask for.
    package static let reorgDepthMaximum: UInt64 = 1_024
    /// Seconds that one call may add to the chain's clock: a thousand years.
    package static let timeStepMaximum: UInt64 = 31_536_000_000
    /// Blocks that one eth_getLogs may look through.
    package static let logBlocksMaximum: UInt64 = 1_000_000
    /// Logs that one eth_getLogs may return, as public endpoints limit it.
    package static let logResultsMaximum = 20_000
    /// Addresses, and topics in one position, of a log filter, as in geth.
    package static let logFilterItemsMaximum = 1_000
    /// Filters that are installed at a time.
    package static let filtersMaximum = 10_000
    /// Seconds after which a filter that nobody polls is removed, as in geth.
    package static let filterSecondsMaximum: UInt64 = 300
    /// Changes that a filter holds until it is polled; the oldest are lost then, and the poll says so.
    package static let filterChangesMaximum = 20_000
    /// Subscriptions of one connection.
    package static let subscriptionsPerConnectionMaximum = 1_000
    /// Blocks of one eth_feeHistory, as in geth.
    package static let feeHistoryBlocksMaximum: UInt64 = 1_024
    /// Percentiles of one eth_feeHistory, as in geth.
    package static let feeHistoryPercentilesMaximum = 100
    /// Gas of one eth_call or estimate, as in geth, unless the block's limit is larger.
    package static let callGasMaximum: UInt64 = 50_000_000
    /// Storage keys of one eth_getProof, as in geth.
    package static let proofKeysMaximum = 1_024
    /// Accounts of the state overrides of one call.
    package static let overridesMaximum = 1_000
    /// Slots of the state overrides of one account.
    package static let overrideSlotsMaximum = 100_000
    /// Development accounts that can be asked for.
    package static let accountsMaximum = 1_000
    /// Executors that are kept warm for calls beside the one that builds blocks.
    static let enginesKept = 4
    /// Ports that are tried after the first one.
    static let portAttemptsMaximum = 100
    /// How long eth_sendRawTransactionSync waits unless told otherwise, in milliseconds.
    static let syncWaitMilliseconds: UInt64 = 10_000
    /// The longest that eth_sendRawTransactionSync waits, in milliseconds.
    static let syncWaitMillisecondsMaximum: UInt64 = 120_000
    /// How often eth_sendRawTransactionSync looks for its receipt, in milliseconds: far below a block's time.
    static let syncPollMilliseconds: UInt64 = 5
    /// Transactions that a reorg may name for its new branch.
    static let reorgTransactionsMaximum = 10_000
    /// Reasons of dropped transactions that are remembered, for those who ask why a transaction is gone.
    static let dropReasonsKept = 1_000
    /// Fault rules that are in force at a time: each is looked at for each call.
    static let faultRulesMaximum = 100
    /// The longest that a fault delays an answer: longer than any client waits.
    static let faultDelayMillisecondsMaximum: UInt64 = 600_000
    /// Blocks by which a fault may move a head, a number or a tag.
    static let faultBlocksMaximum: UInt64 = 1_000_000
    /// Letters of the message of a fault's error.
    static let faultMessageCharactersMaximum = 1_000
    /// Bytes of all traces of one block; a larger block's transactions are traced one by one.
    static let blockTraceBytesMaximum = 256 << 20
    /// A replacement of a blob transaction pays at least this many hundredths more, as in geth.
    package static let blobReplacementRisePercent: UInt64 = 100
    /// Blobs that wait in the pool: 128 MiB of them.
    package static let poolBlobsMaximum = 1_024
    /// Blob hashes that a call may name.
    static let requestBlobsMaximum = 1_000
    /// Blob transactions of one sender that wait, as in geth.
    package static let poolSenderBlobTransactionsMaximum = 16
    /// Withdrawals that a block that is asked for may have: Ethereum's have sixteen.
    static let payloadWithdrawalsMaximum = 1_000
    /// Transactions that a block that is asked for may name.
    static let payloadTransactionsMaximum = 10_000
    /// Blocks of one eth_simulateV1, those in gaps included, as in geth.
    static let simulatedBlocksMaximum = 256
    /// Calls of one eth_simulateV1, as in geth.
    static let simulatedCallsMaximum = 10_000
    /// Gas of all calls of one eth_simulateV1 together, as in geth.
    static let simulatedGasMaximum: UInt64 = 50_000_000
    /// Bytes that the results and logs of one eth_simulateV1 may hold.
    static let simulatedBytesMaximum = 32 << 20
}

// What makes one simulated chain differ from another: identity, cadence, gas, fees, finality, quirks. One YAML file
// each under chains/profiles; docs/reference/chain-profiles.md explains every key. Reading is in ChainProfile+Reading.swift.

import Ethereum

/// A validated chain profile.
package struct ChainProfile: Sendable, Equatable {
    /// When a block is made.
    package struct Cadence: Sendable, Equatable {
        /// Shortest time between two blocks while transactions wait, in milliseconds.
        package var intervalMilliseconds: Int
        /// A block is made after this time even when it is empty, in milliseconds; 0 makes none.
        package var heartbeatMilliseconds: Int
        /// True when each transaction gets its block at once and time makes none.
        package var onDemand: Bool
        /// How often the pending block takes up what waits, in milliseconds, and shows it at once; 0 never.
        package var preconfirmationMilliseconds = 0
        /// Each timestamp is above its parent's, as consensus on Ethereum wants it; else blocks may share a second.
        package var risingTimestamps = false
    }

    /// How the base fee of a block follows from its parent.
    package enum BaseFeeRule: Sendable, Equatable {
        /// EIP-1559; the target is the gas limit by `elasticity`, the largest step one part in `denominator`.
        case eip1559(initialWei: UInt64, elasticity: UInt64 = 2, denominator: UInt64 = 8)
        case constant(wei: UInt64)
    }

    /// Whether blob transactions (EIP-4844) are taken, and how many blobs blocks have from when on.
    package struct Blobs: Sendable, Equatable {
        package struct Entry: Sendable, Equatable {
            /// Blocks from this timestamp on, in seconds since 1970.
            package var timestamp: UInt64
            package var target: Int
            package var maximum: Int
            /// The divisor of the blob base fee's exponent (EIP-4844, EIP-7691, EIP-7892).
            package var updateFraction: UInt64
        }

        package var areTaken = true
        /// By rising timestamp; before the first one, and without any, the fork's own figures hold.
        package var schedule: [Entry] = []
    }

    /// Who gets what a transaction pays beside the tip.
    package struct Fees: Sendable, Equatable {
        /// The base fee goes to the coinbase instead of being burnt.
        package var baseFeeToCoinbase = false
        /// Where the price of a byte on the L1 stands, in wei; nil charges none (jovay.md 1.7).
        package var oracle: (address: Address, slot: U256)? {
            oracleAddress.map { ($0, oracleSlot) }
        }
        package var oracleAddress: Address?
        package var oracleSlot = U256.zero
    }

    /// What differs from Ethereum in blocks and in the machine.
    package struct Quirks: Sendable, Equatable {
        /// PREVRANDAO and `mixHash` are always zero (jovay.md 1.2, 1.4).
        package var prevRandaoZero: Bool
        /// BLOCKHASH(n) is Keccak-256 of the decimal text of n (jovay.md 1.4).
        package var blockHashOfDecimalText: Bool
        /// `eth_maxPriorityFeePerGas` answers zero.
        package var priorityFeeZero: Bool
        /// The methods of the filter family answer -32601 (jovay.md 1.5).
        package var filterMethodsMissing: Bool
        /// The precompile 0x0a is not there (jovay.md 1.4).
        package var noPointEvaluation: Bool
        /// BLOBBASEFEE is zero (jovay.md 1.4).
        package var blobBaseFeeZero = false
        /// Headers say that nobody made the block, while COINBASE is the fee recipient (jovay.md 1.2, 1.4).
        package var minerZero = false
        /// `size` of a block is zero (jovay.md 1.2).
        package var sizeZero = false
        /// Blocks have a `totalDifficulty`, which is zero (jovay.md 1.2).
        package var totalDifficultyZero = false
    }

    /// What differs from Ethereum in the RPC.
    package struct RPC: Sendable, Equatable {
        /// These answer -32601.
        package var missingMethods: Set<String> = []
        /// `eth_accounts` is empty; the funded accounts are there all the same.
        package var accountsHidden = false
        /// A transaction that waits is not told by `eth_getTransactionByHash`.
        package var poolTransactionsHidden = false
        /// The code of the error for a nonce that is too low or too far; -32000 on Ethereum.
        package var nonceErrorCode = -32000
        /// The answers of a batch carry each other's ids.
        package var mismatchedBatchIDs = false
        /// A batch is refused as a whole, over HTTP with status 400.
        package var batchesMissing = false
        /// Names of blocks (`finalized`, `safe`, `pending`) that no method knows.
        package var missingBlockTags: Set<String> = []
        /// `eth_getLogs` knows no `blockHash`.
        package var logsByHashMissing = false
        /// `eth_call` in a block that is not there runs in the latest.
        package var unknownBlockIsLatest = false
        /// The error of a failed call's trace is `status code: 2` as hexadecimal bytes.
        package var traceErrorsInHex = false
        /// Calls that one minute allows before HTTP 429; 0 allows all.
        package var callsPerMinute = 0
        /// Blocks of one `eth_getLogs`, both ends counted.
        package var logBlocksMaximum = Limits.logBlocksMaximum
    }

    /// An account that is there from the genesis block on.
    package struct Predeploy: Sendable, Equatable {
        package var address: Address
        /// For people.
        package var name: String
        package var nonce: UInt64
        package var balance: U256
        package var code: Bytes
        package var storage: [Slot]

        package struct Slot: Sendable, Equatable {
            package var slot: U256
            package var value: U256
        }
    }

    package var name: String
    package var displayName: String
    package var chainID: UInt64
    /// CCIP chain selector.
    package var selector: UInt64
    package var gasTokenSymbol: String
    package var gasLimit: UInt64
    package var cadence: Cadence
    package var baseFee: BaseFeeRule
    package var finality: Finality
    package var blobs = Blobs()
    package var fees = Fees()
    package var coinbase: Address
    package var quirks: Quirks
    package var rpc = RPC()
    package var predeploys: [Predeploy] = []
    /// RPC port that is tried first.
    package var port: Int
}

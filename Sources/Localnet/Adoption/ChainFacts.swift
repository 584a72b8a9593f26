// What a chain told about itself and the contracts on it: answers only, no judgement. Nil and missing entries are reads
// without an answer.

import CCIP
import Ethereum

package struct ChainFacts: Sendable {
    package struct Endpoint: Sendable, Equatable {
        /// Holds no secret.
        package var label: String
        package var chainID: UInt64?
        package var failure: String?

        package init(label: String, chainID: UInt64? = nil, failure: String? = nil) {
            self.label = label
            self.chainID = chainID
            self.failure = failure
        }
    }

    package struct Node: Sendable, Equatable {
        package var head: UInt64 = 0
        /// Seconds of the head's clock.
        package var time: UInt64 = 0
        package var gasLimit: UInt64 = 0
        /// Nil on a chain without EIP-1559.
        package var baseFee: U256?
        /// Mean distance of the last blocks by their clock.
        package var blockMilliseconds: UInt64 = 0
        /// The block that the node calls finalized; nil when it knows no such tag.
        package var finalized: UInt64?
        package var hasGasPrice = true
        package var takesBatches = true
        /// Blocks of one log query that passed.
        package var logBlocks: UInt64 = 1
        /// The node had as many blocks as were tried.
        package var isLogRangeKnown = false

        package init() {}
    }

    package struct Contract: Sendable, Equatable {
        package var address: Address
        package var hasCode: Bool
        /// `typeAndVersion`; nil when it has none.
        package var version: String?

        package init(address: Address, hasCode: Bool, version: String? = nil) {
            self.address = address
            self.hasCode = hasCode
            self.version = version
        }
    }

    /// One token and its pool, and what the pool knows of the other chains.
    package struct Token: Sendable, Equatable {
        package struct Remote: Sendable, Equatable {
            package var isSupported: Bool
            package var token: Bytes
            package var pools: [Bytes]
            package var outbound: TokenBucket?
            package var inbound: TokenBucket?
        }

        package var address: Address
        package var symbol: String
        package var decimals: UInt8?
        /// Zero when the registry knows none.
        package var pool: Address
        package var poolVersion: String?
        package var poolToken: Address?
        package var poolRouter: Address?
        package var poolProxy: Address?
        package var allowsListedOnly = false
        package var remotes: [ChainSelector: Remote] = [:]
    }

    /// The reads that concern one other chain.
    package struct Remote: Sendable {
        /// Where the Router sends messages to that chain; zero for nowhere.
        package var onRamp: Address?
        package var destination: OnRampDestination?
        package var expectedNext: SequenceNumber?
        package var feeConfig: DestinationChainConfig?
        package var gasPrice: TimestampedPrice?
        /// The OffRamp's entry of that source.
        package var source: SourceChainConfig?
        /// The Router takes this OffRamp for messages from there.
        package var routerKnowsOffRamp: Bool?

        package init() {}
    }

    package var name: String
    package var endpoints: [Endpoint] = []
    package var node = Node()
    package var chainID: UInt64?
    package var selector: ChainSelector?
    /// Resolved: what the file gave where it gave it, else what the chain tells.
    package var contracts: [ContractRole: Contract] = [:]
    /// What other contracts tell of a role, with who tells it.
    package var told: [(role: ContractRole, by: String, address: Address)] = []
    package var offRampStatic: OffRampStaticConfig?
    package var offRampDynamic: OffRampDynamicConfig?
    package var onRampStatic: OnRampStaticConfig?
    package var onRampDynamic: OnRampDynamicConfig?
    package var plugins: [PluginType: OCRConfigDetails] = [:]
    package var remotes: [ChainSelector: Remote] = [:]
    /// Other chains that the OffRamp takes messages from, known here or not.
    package var allSources: [ChainSelector] = []
    package var feeQuoterCallers: [Address]?
    package var nonceManagerCallers: [Address]?
    package var feeTokens: [Address] = []
    package var nativePrice: TimestampedPrice?
    /// What stands behind the proxy; nil when there is no proxy.
    package var rmnImplementation: Address?
    package var rmnSelector: ChainSelector?
    package var rmn: RMNInstalledConfiguration?
    package var cursed: CursedSubjects?
    package var tokens: [Token] = []
    package var balances: [Address: U256] = [:]
    /// The first block that can hold a log of the ramps.
    package var startBlock: UInt64 = 0
    /// Reads that got no sound answer, in words.
    package var failures: [String] = []

    package init(name: String) { self.name = name }

    package func address(_ role: ContractRole) -> Address? { contracts[role]?.address }
    package func token(_ address: Address) -> Token? { tokens.first { $0.address == address } }
    /// True when some endpoint answered with the chain's id.
    package var isReached: Bool { chainID != nil }
}

// What is read from a chain, as plain values: blocks, heads, logs, receipts, and how they are asked for.

import Ethereum

package struct BlockReference: Hashable, Sendable {
    package var number: UInt64
    package var hash: Hash32
    package var parentHash: Hash32
    /// Seconds since 1970.
    package var timestamp: UInt64
    /// Wei for one gas; nil before London.
    package var baseFee: U256?
    package var gasLimit: UInt64

    package init(
        number: UInt64, hash: Hash32, parentHash: Hash32 = .zero, timestamp: UInt64 = 0, baseFee: U256? = nil,
        gasLimit: UInt64 = 0
    ) {
        self.number = number
        self.hash = hash
        self.parentHash = parentHash
        self.timestamp = timestamp
        self.baseFee = baseFee
        self.gasLimit = gasLimit
    }
}

package enum BlockSelector: Hashable, Sendable {
    case latest, safe, finalized, pending
    case number(UInt64)
    /// EIP-1898 for calls, `eth_getBlockByHash` for blocks.
    case hash(Hash32)

    var parameter: JSON {
        switch self {
        case .latest: "latest"
        case .safe: "safe"
        case .finalized: "finalized"
        case .pending: "pending"
        case .number(let number): .quantity(number)
        case .hash(let hash): ["blockHash": .hash(hash)]
        }
    }
}

/// Heads as one endpoint saw them at one moment: finalized <= safe <= latest.
package struct ChainHeads: Hashable, Sendable {
    package var latest: BlockReference
    /// The finalized block where the chain has no such tag.
    package var safe: BlockReference
    /// By the chain's finality rule.
    package var finalized: BlockReference

    package init(latest: BlockReference, safe: BlockReference, finalized: BlockReference) {
        self.latest = latest
        self.safe = safe
        self.finalized = finalized
    }
}

/// When a block of this chain counts as final (5.2). There is no default: it is stated per chain.
package enum FinalityRule: Hashable, Sendable, CustomStringConvertible {
    /// The node's `finalized` tag, less `offset` blocks.
    case tag(offset: UInt64)
    /// `depth` blocks behind the latest, less `offset` blocks.
    case depth(UInt64, offset: UInt64)

    package var description: String {
        switch self {
        case .tag(let offset): offset == 0 ? "tag finalized" : "tag finalized less \(offset) blocks"
        case .depth(let depth, let offset): "\(depth + offset) blocks behind latest"
        }
    }
}

package struct LogFilter: Hashable, Sendable {
    /// Empty: any address.
    package var addresses: [Address]
    /// By position, alternatives each; an empty position takes anything.
    package var topics: [[Hash32]]

    package init(addresses: [Address], topics: [[Hash32]] = []) {
        self.addresses = addresses
        self.topics = topics
    }

    package func matches(_ log: Log) -> Bool {
        guard addresses.isEmpty || addresses.contains(log.address) else { return false }
        for (position, alternatives) in topics.enumerated() where !alternatives.isEmpty {
            guard position < log.topics.count, alternatives.contains(log.topics[position]) else { return false }
        }
        return true
    }

    var members: [(String, JSON)] {
        var members: [(String, JSON)] = []
        if !addresses.isEmpty { members.append(("address", .array(addresses.map { .address($0) }))) }
        if !topics.isEmpty {
            members.append(("topics", .array(topics.map { $0.isEmpty ? .null : .array($0.map { .hash($0) }) })))
        }
        return members
    }
}

package struct ChainLog: Hashable, Sendable {
    package var log: Log
    package var blockNumber: UInt64
    package var blockHash: Hash32
    package var transactionHash: Hash32
    package var transactionIndex: UInt64
    /// Position in the block.
    package var logIndex: UInt64
    /// Seconds since 1970; only where the node gives it.
    package var blockTimestamp: UInt64?

    package init(
        log: Log, blockNumber: UInt64, blockHash: Hash32, transactionHash: Hash32, transactionIndex: UInt64,
        logIndex: UInt64, blockTimestamp: UInt64? = nil
    ) {
        self.log = log
        self.blockNumber = blockNumber
        self.blockHash = blockHash
        self.transactionHash = transactionHash
        self.transactionIndex = transactionIndex
        self.logIndex = logIndex
        self.blockTimestamp = blockTimestamp
    }
}

package struct ChainReceipt: Hashable, Sendable {
    package var transactionHash: Hash32
    package var blockNumber: UInt64
    package var blockHash: Hash32
    package var transactionIndex: UInt64
    package var succeeded: Bool
    package var gasUsed: UInt64
    package var effectiveGasPrice: U256
    package var contractAddress: Address?
    package var logs: [ChainLog]
}

/// One `eth_call` or gas estimate.
package struct CallTarget: Hashable, Sendable {
    package var to: Address?
    package var data: Bytes
    package var from: Address?
    package var value: U256?
    package var gas: UInt64?

    package init(to: Address?, data: Bytes, from: Address? = nil, value: U256? = nil, gas: UInt64? = nil) {
        self.to = to
        self.data = data
        self.from = from
        self.value = value
        self.gas = gas
    }

    var parameter: JSON {
        var members: [(String, JSON)] = []
        if let from { members.append(("from", .address(from))) }
        if let to { members.append(("to", .address(to))) }
        if let gas { members.append(("gas", .quantity(gas))) }
        if let value { members.append(("value", .quantity(value))) }
        members.append(("data", .data(data)))
        return .object(JSONObject(members))
    }
}

/// What a call gave, when the chain answered at all.
package enum CallResult: Hashable, Sendable {
    case returned(Bytes)
    case reverted(Bytes)
}

/// Wei for one gas.
package struct FeeSuggestion: Hashable, Sendable {
    /// Nil before London.
    package var baseFee: U256?
    package var tip: U256
    /// For chains without EIP-1559.
    package var gasPrice: U256
}

package enum EndpointState: String, Hashable, Sendable {
    case unverified, ready, failing, behind
    /// It serves another chain: never asked again until the process restarts.
    case refused
}

package struct EndpointStatus: Hashable, Sendable {
    package var label: String
    package var state: EndpointState
    /// 0 is best.
    package var penalty: Int
    package var latest: UInt64?
    package var finalized: UInt64?
    package var lastError: String?
}

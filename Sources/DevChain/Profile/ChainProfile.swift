// What makes one simulated chain differ from another: identity, cadence, gas, fees, finality. One YAML file each under
// chains/profiles; docs/reference/chain-profiles.md explains every key.

import Configuration
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
    }

    /// How the base fee of a block follows from its parent.
    package enum BaseFeeRule: Sendable, Equatable {
        /// EIP-1559 with its usual denominator and elasticity.
        case eip1559(initialWei: UInt64)
        case constant(wei: UInt64)
    }

    /// Depths below the head at which a block is called safe and finalized, in blocks.
    package struct Finality: Sendable, Equatable {
        package var safeDepth: UInt64
        package var finalizedDepth: UInt64
    }

    /// What differs from Ethereum in the machine and its RPC.
    package struct Quirks: Sendable, Equatable {
        /// PREVRANDAO is always zero (jovay.md 1.4).
        package var prevRandaoZero: Bool
        /// BLOCKHASH(n) is Keccak-256 of the decimal text of n (jovay.md 1.4).
        package var blockHashOfDecimalText: Bool
        /// `eth_maxPriorityFeePerGas` answers zero.
        package var priorityFeeZero: Bool
        /// The methods of the filter family answer -32601 (jovay.md 1.5).
        package var filterMethodsMissing: Bool
        /// The precompile 0x0a is not there (jovay.md 1.4).
        package var noPointEvaluation: Bool
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
    package var coinbase: Address
    package var quirks: Quirks
    /// RPC port that is tried first.
    package var port: Int
}

extension ChainProfile {
    /// Reads and validates a profile; throws `ConfigurationError` that names file, line, key and what was expected.
    /// `localnet` takes the scaled cadence and finality that the file lists under that key.
    package init(
        yaml text: String, file: String, localnet: Bool = false, flags: [String: String] = [:]
    ) throws(ConfigurationError) {
        let reader = try ConfigurationReader(text: text, file: file, flags: flags)
        var root = reader.root
        name = try root.value("name", expected: "lower-case letters, digits and '-'") { text in
            let allowed = text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
            return allowed && !text.isEmpty && text.count <= 32 ? text : nil
        }
        displayName = try root.string("displayName", default: name)
        chainID = try root.value("chainId", expected: "a chain id from 1 to 2^64 - 1") {
            UInt64($0).flatMap { $0 > 0 ? $0 : nil }
        }
        selector = try root.value("selector", expected: "a CCIP chain selector") {
            UInt64($0).flatMap { $0 > 0 ? $0 : nil }
        }
        gasTokenSymbol = try root.string("gasToken", default: "ETH")
        port = try root.integer("port", in: 1...65535, default: 8545)
        gasLimit = try root.value("gasLimit", expected: "a gas limit from 1000000 to 2^63 - 1", default: "30000000") {
            text in
            UInt64(text).flatMap { $0 >= 1_000_000 && $0 < 1 << 63 ? $0 : nil }
        }
        coinbase = try root.value("coinbase", expected: "an address", default: Address.zero.hex) {
            try? Address(hex: $0)
        }
        baseFee = try Self.readBaseFee(&root)
        quirks = try Self.readQuirks(&root)
        var usual = try Self.readPace(&root)
        var scaled = try root.section("localnet")
        if root.has("localnet") {
            let local = try Self.readPace(&scaled)
            if localnet { usual = local }
        }
        try scaled.finish()
        cadence = usual.0
        finality = usual.1
        try root.finish()
        try reader.finish()
    }

    private static func readBaseFee(_ root: inout ConfigurationSection) throws(ConfigurationError) -> BaseFeeRule {
        var section = try root.section("baseFee")
        let rule = try section.string("rule", default: "eip1559")
        let wei: UInt64 = try section.value("wei", expected: "an amount in wei", default: "1000000000") { UInt64($0) }
        try section.finish()
        switch rule {
        case "eip1559": return .eip1559(initialWei: wei)
        case "constant": return .constant(wei: wei)
        default: throw section.refused("rule", rule, "eip1559 or constant")
        }
    }

    private static func readPace(_ section: inout ConfigurationSection) throws(ConfigurationError) -> (
        Cadence, Finality
    ) {
        var blocks = try section.section("blocks")
        let cadence = Cadence(
            intervalMilliseconds: try blocks.integer("intervalMilliseconds", in: 1...3_600_000, default: 1000),
            heartbeatMilliseconds: try blocks.integer("heartbeatMilliseconds", in: 0...3_600_000, default: 1000),
            onDemand: try blocks.bool("onDemand", default: false))
        try blocks.finish()
        var depths = try section.section("finality")
        let safe = try depths.integer("safeDepth", in: 0...100_000, default: 0)
        let finalized = try depths.integer("finalizedDepth", in: 0...100_000, default: 0)
        guard finalized >= safe else {
            throw depths.refused(
                "finalizedDepth", "\(finalized)", "at least safeDepth (\(safe)): finalized is never above safe")
        }
        try depths.finish()
        return (cadence, Finality(safeDepth: UInt64(safe), finalizedDepth: UInt64(finalized)))
    }

    private static func readQuirks(_ root: inout ConfigurationSection) throws(ConfigurationError) -> Quirks {
        var section = try root.section("quirks")
        let quirks = Quirks(
            prevRandaoZero: try section.bool("prevRandaoZero", default: false),
            blockHashOfDecimalText: try section.bool("blockHashOfDecimalText", default: false),
            priorityFeeZero: try section.bool("priorityFeeZero", default: false),
            filterMethodsMissing: try section.bool("filterMethodsMissing", default: false),
            noPointEvaluation: try section.bool("noPointEvaluation", default: false))
        try section.finish()
        return quirks
    }
}

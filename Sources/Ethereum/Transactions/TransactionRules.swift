// Which rules of the forks hold for transactions. Names of forks as Ethereum's public tests write them.

/// A set of rules; take a preset by fork, or join single ones for a chain that differs.
package struct TransactionRules: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Low s only, and 32,000 gas more for a creation (EIP-2).
    package static let homestead = TransactionRules(rawValue: 1 << 0)
    /// Replay protection by chain id (EIP-155).
    package static let replayProtection = TransactionRules(rawValue: 1 << 1)
    /// 16 instead of 68 gas for a non-zero byte of data (EIP-2028).
    package static let cheapData = TransactionRules(rawValue: 1 << 2)
    /// Type 1 (EIP-2930).
    package static let accessLists = TransactionRules(rawValue: 1 << 3)
    /// Type 2 (EIP-1559).
    package static let dynamicFees = TransactionRules(rawValue: 1 << 4)
    /// Init code has a largest size and costs gas by the word (EIP-3860).
    package static let meteredInitCode = TransactionRules(rawValue: 1 << 5)
    /// Type 3 (EIP-4844).
    package static let blobs = TransactionRules(rawValue: 1 << 6)
    /// Type 4 (EIP-7702).
    package static let setCode = TransactionRules(rawValue: 1 << 7)
    /// A floor of 10 gas a token of data (EIP-7623).
    package static let dataFloor = TransactionRules(rawValue: 1 << 8)

    /// No transaction asks for more than 2^24 gas (EIP-7825).
    package static let gasLimitCap = TransactionRules(rawValue: 1 << 9)

    package static let frontier: TransactionRules = []
    package static let spuriousDragon: TransactionRules = [.homestead, .replayProtection]
    package static let istanbul: TransactionRules = [.spuriousDragon, .cheapData]
    package static let berlin: TransactionRules = [.istanbul, .accessLists]
    package static let london: TransactionRules = [.berlin, .dynamicFees]
    package static let shanghai: TransactionRules = [.london, .meteredInitCode]
    package static let cancun: TransactionRules = [.shanghai, .blobs]
    package static let prague: TransactionRules = [.cancun, .setCode, .dataFloor]
    package static let osaka: TransactionRules = [.prague, .gasLimitCap]

    /// The rules of a fork by its name in the public tests; nil for an unknown name.
    package init?(fork name: String) {
        switch name {
        case "Frontier": self = .frontier
        case "Homestead", "EIP150": self = .homestead
        case "EIP158", "Byzantium", "Constantinople", "ConstantinopleFix": self = .spuriousDragon
        case "Istanbul": self = .istanbul
        case "Berlin": self = .berlin
        case "London", "Paris": self = .london
        case "Shanghai": self = .shanghai
        case "Cancun": self = .cancun
        case "Prague": self = .prague
        case "Osaka": self = .osaka
        default: return nil
        }
    }
}

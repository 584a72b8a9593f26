// Prices of Berlin and later (EIP-2929), with the EIPs that changed them since, as far as no rule names them. What came
// before is in EarlyPrices.swift. Only numbers live here.

enum Gas {
    static let warmAccess: Int64 = 100
    static let coldAccount: Int64 = 2_600
    static let coldSlot: Int64 = 2_100
    static let slotSet: Int64 = 20_000
    /// 5,000 less the cold access, which is charged apart.
    static let slotReset: Int64 = 2_900
    /// SSTORE needs more than this (EIP-2200).
    static let storeSentry: Int64 = 2_300
    static let callValue: Int64 = 9_000
    static let callStipend: Int64 = 2_300
    static let newAccount: Int64 = 25_000
    static let create: Int64 = 32_000
    static let codeDepositByte: Int64 = 200
    /// EIP-3860.
    static let initCodeWord: Int64 = 2
    static let selfDestruct: Int64 = 5_000
    static let keccak: Int64 = 30
    static let keccakWord: Int64 = 6
    static let copyWord: Int64 = 3
    static let log: Int64 = 375
    static let logByte: Int64 = 8
    static let exponentiation: Int64 = 10
    /// EIP-7939.
    static let leadingZeros: Int64 = 5
    static let blockHash: Int64 = 20
    /// EIP-7702: given back for an authority that the state knows.
    static let knownAuthorityRefund: Int64 = 12_500
}

// What opcodes that look at accounts and slots cost before Berlin, when nothing was cold or warm. Only numbers live
// here.

/// Prices of one fork before EIP-2929, in gas. From Berlin on nobody reads them.
package struct EarlyPrices: Sendable, Hashable, BitwiseCopyable {
    package var balance: Int64
    /// EXTCODESIZE, and EXTCODECOPY before what it copies.
    package var code: Int64
    package var codeHash: Int64
    package var load: Int64
    /// CALL and its kin before value, new accounts and what they pass on.
    package var call: Int64
    package var selfDestruct: Int64
    /// SELFDESTRUCT pays for an heir that there is not yet (EIP-150).
    package var selfDestructPaysForHeir: Bool
    /// What a write of no consequence costs where SSTORE is metered by its net effect (EIP-1283, EIP-2200).
    package var storeUnchanged: Int64

    package init(_ fork: Fork) {
        // EIP-150 raised what reads the disk, EIP-1884 raised it again.
        let isRaised = fork >= .tangerineWhistle
        let isRaisedAgain = fork >= .istanbul
        balance = isRaisedAgain ? 700 : isRaised ? 400 : 20
        code = isRaised ? 700 : 20
        codeHash = isRaisedAgain ? 700 : 400
        load = isRaisedAgain ? 800 : isRaised ? 200 : 50
        call = isRaised ? 700 : 40
        selfDestruct = isRaised ? 5_000 : 0
        selfDestructPaysForHeir = isRaised
        storeUnchanged = isRaisedAgain ? 800 : 200
    }

    /// BALANCE, EXTCODESIZE or EXTCODEHASH.
    func inspection(_ opcode: UInt8) -> Int64 {
        switch opcode {
        case 0x31: balance
        case 0x3b: code
        default: codeHash
        }
    }
}

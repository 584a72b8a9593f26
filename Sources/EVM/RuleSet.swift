// Which rules hold: the set of rules that each fork stands for. A chain that differs from Ethereum starts from a fork's
// set and changes single rules. What a fork's opcodes cost before Berlin is in EarlyPrices.swift.

import Ethereum

/// The rules by which transactions run.
package struct RuleSet: Sendable, Hashable {
    /// How SSTORE is priced, and what it gives back.
    package enum StoreRule: UInt8, Sendable, Hashable {
        /// By the present value alone (Frontier to Byzantium, and Petersburg).
        case plain
        /// By original and present value (EIP-1283), as Constantinople had it.
        case net
        /// The same with Istanbul's prices and a sentry (EIP-2200).
        case netWithSentry
        /// With cold and warm slots (EIP-2929).
        case byAccess

        /// SSTORE needs more gas than a call's stipend (EIP-2200).
        var hasSentry: Bool { self == .netWithSentry || self == .byAccess }
    }

    /// Which kinds of transactions there are, and what they cost before they run.
    package var transactions: TransactionRules
    /// The opcodes that there are. Only forks before Shanghai lack any that the loop does by itself.
    package var opcodes: OpcodeSet
    /// Accounts and slots are cold or warm (EIP-2929); before, opcodes have the prices of `early`.
    package var hasAccessPrices: Bool
    package var early: EarlyPrices
    package var storeRule: StoreRule
    /// Gas given back for a slot that becomes zero, where `storeRule` looks at accesses (EIP-2200, EIP-3529).
    package var slotClearedRefund: Int64
    /// Gas given back for an account's first SELFDESTRUCT of a transaction; none since EIP-3529.
    package var selfDestructRefund: Int64
    /// The part of the gas that may be given back is one in so many (EIP-3529).
    package var refundQuotient: UInt64
    /// EXP for each byte of the exponent (EIP-160).
    package var exponentByte: Int64
    /// A caller keeps a 64th of its gas, and asking for more than there is gives what there is (EIP-150).
    package var keepsOne64th: Bool
    /// Empty accounts that are touched leave the state, and none comes into it (EIP-161).
    package var clearsEmptyAccounts: Bool
    /// Whether a new contract begins with nonce one (EIP-161).
    package var startsAtNonceOne: Bool
    /// A creation that cannot pay for its code fails (EIP-2); before, the account stays without code.
    package var requiresCodeDeposit: Bool
    /// No new code begins with 0xef (EIP-3541).
    package var refusesEFCode: Bool
    /// The beneficiary is warm from the start (EIP-3651).
    package var warmsBeneficiary: Bool
    /// TLOAD, TSTORE (EIP-1153), MCOPY (EIP-5656), BLOBHASH (EIP-4844), BLOBBASEFEE (EIP-7516).
    package var hasCancunOpcodes: Bool
    /// CLZ (EIP-7939).
    package var hasLeadingZeros: Bool
    /// SELFDESTRUCT removes only what the same transaction created (EIP-6780).
    package var destroysOnlyNewAccounts: Bool
    /// An account's code may name another account's code (EIP-7702).
    package var hasDelegations: Bool
    /// Most blobs of a block.
    package var blobsMaximum: Int
    /// Most blobs of a transaction (EIP-7594); a block's limit binds it too.
    package var blobsPerTransactionMaximum: Int
    /// Sidecars may have proofs of cells (EIP-7594).
    package var takesCellProofs: Bool
    /// Blobs of a block above which their price rises.
    package var blobsTarget: Int
    /// The divisor of the blob base fee's exponent (EIP-4844, EIP-7691).
    package var blobBaseFeeFraction: UInt64
    /// Gas of execution that a blob is worth at least, for each blob (EIP-7918); nil without that bound.
    package var blobBaseCost: UInt64?
    /// Largest code of an account (EIP-170).
    package var codeBytesMaximum: Int
    /// Largest init code (EIP-3860).
    package var initCodeBytesMaximum: Int

    package init(_ fork: Fork) {
        transactions = TransactionRules(fork)
        opcodes = OpcodeSet(fork)
        hasAccessPrices = fork >= .berlin
        early = EarlyPrices(fork)
        storeRule =
            switch fork {
            case .constantinople: .net
            case ..<Fork.istanbul: .plain
            case ..<Fork.berlin: .netWithSentry
            default: .byAccess
            }
        slotClearedRefund = fork >= .london ? 4_800 : 15_000
        selfDestructRefund = fork >= .london ? 0 : 24_000
        refundQuotient = fork >= .london ? 5 : 2
        exponentByte = fork >= .spuriousDragon ? 50 : 10
        keepsOne64th = fork >= .tangerineWhistle
        clearsEmptyAccounts = fork >= .spuriousDragon
        startsAtNonceOne = fork >= .spuriousDragon
        requiresCodeDeposit = fork >= .homestead
        refusesEFCode = fork >= .london
        warmsBeneficiary = fork >= .shanghai
        hasCancunOpcodes = fork >= .cancun
        hasLeadingZeros = fork >= .osaka
        destroysOnlyNewAccounts = fork >= .cancun
        hasDelegations = fork >= .prague
        (blobsTarget, blobsMaximum, blobBaseFeeFraction) =
            switch fork {
            case ..<Fork.cancun: (0, 0, 1)
            case .cancun: (3, 6, 3_338_477)
            case .prague, .osaka: (6, 9, 5_007_716)
            case .bpo1: (10, 15, 8_346_193)
            case .bpo3: (21, 32, 20_609_697)
            case .bpo4: (14, 21, 13_739_630)
            default: (14, 21, 11_684_671)
            }
        blobsPerTransactionMaximum = fork >= .osaka ? 6 : .max
        takesCellProofs = fork >= .osaka
        blobBaseCost = fork >= .osaka ? 1 << 13 : nil
        codeBytesMaximum = fork >= .spuriousDragon ? 24_576 : .max
        initCodeBytesMaximum = fork >= .shanghai ? 49_152 : .max
    }

    /// The excess blob gas of a block over a parent with these figures (EIP-4844 and EIP-7918, `calc_excess_blob_gas`).
    /// - Parameter parentBaseFee: wei a gas.
    package func excessBlobGas(parentExcess: UInt64, parentUsed: UInt64, parentBaseFee: U256 = .zero) -> UInt64 {
        let (sum, overflow) = parentExcess.addingReportingOverflow(parentUsed)
        let target = Transaction.gasPerBlob * UInt64(blobsTarget)
        if !overflow, sum < target { return 0 }
        if let blobBaseCost, blobsMaximum > 0 {
            let (floor, large) = parentBaseFee.multipliedReportingOverflow(by: U256(blobBaseCost))
            let (price, larger) = blobBaseFee(excessBlobGas: parentExcess)
                .multipliedReportingOverflow(by: U256(Transaction.gasPerBlob))
            if !larger, large || floor > price {
                // The product is below 2^64: what a block may use is a few megabytes of gas.
                let part = parentUsed.multipliedFullWidth(by: UInt64(blobsMaximum - blobsTarget))
                let rise = part.high == 0 ? part.low / UInt64(blobsMaximum) : .max
                let (raised, past) = parentExcess.addingReportingOverflow(rise)
                return past ? .max : raised
            }
        }
        return overflow ? .max - target : sum - target
    }

    /// The price of a blob gas in wei after `excessBlobGas` (EIP-4844, `fake_exponential`).
    package func blobBaseFee(excessBlobGas: UInt64) -> U256 {
        var output = U256.zero
        var term = U256(blobBaseFeeFraction)
        var index: UInt64 = 1
        // The term shrinks once the index passes excess / fraction, so this ends; an overflow ends it early.
        while !term.isZero {
            let (sum, carried) = output.addingReportingOverflow(term)
            let (product, lost) = term.multipliedReportingOverflow(by: U256(excessBlobGas))
            guard !carried, !lost else { return .max }
            output = sum
            let (divisor, large) = blobBaseFeeFraction.multipliedReportingOverflow(by: index)
            guard !large else { return .max }
            term = product / U256(divisor)
            index += 1
        }
        return output / U256(blobBaseFeeFraction)
    }
}

extension TransactionRules {
    package init(_ fork: Fork) {
        switch fork {
        case .frontier: self = .frontier
        case .homestead, .tangerineWhistle: self = .homestead
        case .spuriousDragon, .byzantium, .constantinople, .petersburg: self = .spuriousDragon
        case .istanbul, .muirGlacier: self = .istanbul
        case .berlin: self = .berlin
        case .london, .arrowGlacier, .grayGlacier, .paris: self = .london
        case .shanghai: self = .shanghai
        case .cancun: self = .cancun
        case .prague: self = .prague
        case .osaka, .bpo1, .bpo2, .bpo3, .bpo4: self = .osaka
        }
    }
}

/// Which of the 256 opcodes a fork has.
package struct OpcodeSet: Sendable, Hashable {
    private var bits = U256.zero

    /// With the EIPs that brought what came after Frontier.
    package init(_ fork: Fork) {
        insert(0x00...0x0b)
        insert(0x10...0x1a)
        insert(0x20...0x20)
        insert(0x30...0x3c)
        insert(0x40...0x45)
        insert(0x50...0x5b)
        insert(0x60...0xa4)
        insert(0xf0...0xf3)
        insert(0xfe...0xff)
        // DELEGATECALL (EIP-7).
        if fork >= .homestead { insert(0xf4...0xf4) }
        if fork >= .byzantium {
            // RETURNDATASIZE and RETURNDATACOPY (EIP-211), STATICCALL (EIP-214), REVERT (EIP-140).
            insert(0x3d...0x3e)
            insert(0xfa...0xfa)
            insert(0xfd...0xfd)
        }
        if fork >= .constantinople {
            // SHL, SHR, SAR (EIP-145), EXTCODEHASH (EIP-1052), CREATE2 (EIP-1014).
            insert(0x1b...0x1d)
            insert(0x3f...0x3f)
            insert(0xf5...0xf5)
        }
        // CHAINID (EIP-1344), SELFBALANCE (EIP-1884).
        if fork >= .istanbul { insert(0x46...0x47) }
        // BASEFEE (EIP-3198).
        if fork >= .london { insert(0x48...0x48) }
        // PUSH0 (EIP-3855).
        if fork >= .shanghai { insert(0x5f...0x5f) }
        if fork >= .cancun {
            insert(0x49...0x4a)
            insert(0x5c...0x5e)
        }
        if fork >= .osaka { insert(0x1e...0x1e) }
    }

    private mutating func insert(_ opcodes: ClosedRange<UInt8>) {
        for opcode in opcodes { bits = bits | U256.one << Int(opcode) }
    }

    package func contains(_ opcode: UInt8) -> Bool { !((bits >> Int(opcode)) & U256.one).isZero }

    /// False where the loop itself would do what the fork does not have: SHL, SHR, SAR or PUSH0.
    var hasAllOfTheLoop: Bool { contains(0x1b) && contains(0x5f) }
}

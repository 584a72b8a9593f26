// Which rules hold: the forks by name, and the set of rules that each stands for. A chain that differs from Ethereum
// starts from a fork's set and changes single rules.

import Ethereum

/// A fork of Ethereum's execution layer.
package enum Fork: String, Sendable, CaseIterable, Comparable {
    case shanghai, cancun, prague

    package static func < (a: Fork, b: Fork) -> Bool { a.order < b.order }

    private var order: Int {
        switch self {
        case .shanghai: 0
        case .cancun: 1
        case .prague: 2
        }
    }
}

/// The rules by which transactions run.
package struct RuleSet: Sendable, Hashable {
    /// Which kinds of transactions there are, and what they cost before they run.
    package var transactions: TransactionRules
    /// TLOAD, TSTORE (EIP-1153), MCOPY (EIP-5656), BLOBHASH (EIP-4844), BLOBBASEFEE (EIP-7516).
    package var hasCancunOpcodes: Bool
    /// SELFDESTRUCT removes only what the same transaction created (EIP-6780).
    package var destroysOnlyNewAccounts: Bool
    /// An account's code may name another account's code (EIP-7702).
    package var hasDelegations: Bool
    /// Most blobs of a block, and so of a transaction.
    package var blobsMaximum: Int
    /// Blobs of a block above which their price rises.
    package var blobsTarget: Int
    /// The divisor of the blob base fee's exponent (EIP-4844, EIP-7691).
    package var blobBaseFeeFraction: UInt64
    /// Largest code of an account (EIP-170).
    package var codeBytesMaximum = 24_576
    /// Largest init code (EIP-3860).
    package var initCodeBytesMaximum = 49_152

    package init(_ fork: Fork) {
        switch fork {
        case .shanghai: transactions = .shanghai
        case .cancun: transactions = .cancun
        case .prague: transactions = .prague
        }
        hasCancunOpcodes = fork >= .cancun
        destroysOnlyNewAccounts = fork >= .cancun
        hasDelegations = fork >= .prague
        switch fork {
        case .shanghai: (blobsTarget, blobsMaximum, blobBaseFeeFraction) = (0, 0, 1)
        case .cancun: (blobsTarget, blobsMaximum, blobBaseFeeFraction) = (3, 6, 3_338_477)
        case .prague: (blobsTarget, blobsMaximum, blobBaseFeeFraction) = (6, 9, 5_007_716)
        }
    }

    /// The excess blob gas of a block over a parent with these figures (EIP-4844, `calc_excess_blob_gas`).
    package func excessBlobGas(parentExcess: UInt64, parentUsed: UInt64) -> UInt64 {
        let (sum, overflow) = parentExcess.addingReportingOverflow(parentUsed)
        let target = Transaction.gasPerBlob * UInt64(blobsTarget)
        return overflow ? .max - target : sum < target ? 0 : sum - target
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

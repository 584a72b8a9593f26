// What a transaction costs before it runs, and the checks that need no state. Balances, nonces and base fees are for
// the chain to check.

extension Transaction {
    /// Gas for the transaction itself, before any code runs (Yellow Paper 6.2, and the EIPs of the rules).
    package func intrinsicGas(_ rules: TransactionRules) -> UInt64 {
        let zeros = data.count { $0 == 0 }
        var gas = 21_000 + 4 * UInt64(zeros) + (rules.contains(.cheapData) ? 16 : 68) * UInt64(data.count - zeros)
        if isCreation {
            if rules.contains(.homestead) { gas += 32_000 }
            if rules.contains(.meteredInitCode) { gas += 2 * UInt64((data.count + 31) / 32) }
        }
        for entry in accessList { gas += 2_400 + 1_900 * UInt64(entry.storageKeys.count) }
        return gas + 25_000 * UInt64(authorizations.count)
    }

    /// The least that the transaction pays for, whatever its code uses (EIP-7623); zero before that rule.
    package func floorGas(_ rules: TransactionRules) -> UInt64 {
        guard rules.contains(.dataFloor) else { return 0 }
        let zeros = data.count { $0 == 0 }
        return 21_000 + 10 * UInt64(zeros + 4 * (data.count - zeros))
    }

    /// The gas of the blobs, which has its own price.
    package var blobGas: UInt64 { Self.gasPerBlob * UInt64(blobVersionedHashes.count) }

    /// Blob gas of one blob (EIP-4844).
    package static let gasPerBlob: UInt64 = 131_072

    /// The most gas that a transaction may ask for where there is such a limit (EIP-7825).
    package static let gasLimitMaximum: UInt64 = 1 << 24

    /// The most wei that the sender can lose: value and fees; nil when that passes 2^256 - 1.
    package var costMaximum: U256? {
        let (fees, lost) = maxFeePerGas.multipliedReportingOverflow(by: U256(gasLimit))
        let (blobFees, blobLost) = maxFeePerBlobGas.multipliedReportingOverflow(by: U256(blobGas))
        let (total, carried) = fees.addingReportingOverflow(value)
        let (sum, blobCarried) = total.addingReportingOverflow(blobFees)
        return lost || blobLost || carried || blobCarried ? nil : sum
    }

    /// Checks all that needs neither state nor signature; throws `malformedTransaction` or `unsupported`.
    package func checkRules(_ rules: TransactionRules) throws(EthereumError) {
        guard rules.contains(kind.rule) else {
            throw EthereumError(.unsupported, "the chain's fork has no transactions of type \(kind.rawValue)")
        }
        guard nonce < .max else { throw refused("the nonce must be below 2^64 - 1 (EIP-2681)") }
        guard maxPriorityFeePerGas <= maxFeePerGas else {
            throw refused("the priority fee \(maxPriorityFeePerGas) is above the maximum fee \(maxFeePerGas)")
        }
        guard !maxFeePerGas.multipliedReportingOverflow(by: U256(gasLimit)).overflow else {
            throw refused("gas limit times gas price does not fit 256 bits")
        }
        if isCreation, rules.contains(.meteredInitCode), data.count > Limits.initCodeBytesMaximum {
            throw refused("init code of \(data.count) bytes, at most \(Limits.initCodeBytesMaximum) (EIP-3860)")
        }
        if kind == .blob, blobVersionedHashes.isEmpty || blobVersionedHashes.contains(where: { $0.bytes[0] != 1 }) {
            throw refused("a blob transaction names blobs by hashes of version 1 (EIP-4844)")
        }
        if kind == .setCode, authorizations.isEmpty { throw refused("a set-code transaction without authorizations") }
        if kind == .blob || kind == .setCode, isCreation {
            throw refused("type \(kind.rawValue) cannot create a contract")
        }
        if rules.contains(.gasLimitCap), gasLimit > Self.gasLimitMaximum {
            throw refused("the gas limit \(gasLimit) is above \(Self.gasLimitMaximum) (EIP-7825)")
        }
        let least = max(intrinsicGas(rules), floorGas(rules))
        guard gasLimit >= least else { throw refused("the gas limit \(gasLimit) is below the intrinsic gas \(least)") }
    }

    private func refused(_ why: String) -> EthereumError {
        EthereumError(.malformedTransaction, "transaction refused: \(why)")
    }
}

extension Transaction.Kind {
    /// The rule that brought this kind.
    var rule: TransactionRules {
        switch self {
        case .legacy: []
        case .accessList: .accessLists
        case .dynamicFee: .dynamicFees
        case .blob: .blobs
        case .setCode: .setCode
        }
    }
}

extension SignedTransaction {
    /// Checks all that needs no state, for a chain with this id, and returns the sender.
    /// Throws `malformedTransaction`, `invalidSignature` or `unsupported`.
    @discardableResult
    package func validate(rules: TransactionRules, chainID: UInt64) throws(EthereumError) -> Address {
        try transaction.checkRules(rules)
        if let id = transaction.chainID {
            guard rules.contains(.replayProtection) else {
                throw EthereumError(.invalidSignature, "v \(v) is not 27 or 28, and the fork has no EIP-155")
            }
            guard id == chainID else {
                throw EthereumError(.malformedTransaction, "signed for chain \(id), this is chain \(chainID)")
            }
        }
        guard !rules.contains(.homestead) || signature.isLowS else {
            throw EthereumError(.invalidSignature, "s is in the upper half of the order (EIP-2)")
        }
        return try sender()
    }
}

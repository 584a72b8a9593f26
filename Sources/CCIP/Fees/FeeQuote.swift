// The FeeQuoter's fee as a pure function of its configuration and prices (15.4, 15.5 of the on-chain specification),
// with the arithmetic limits of the contract. No price is read here.

import Ethereum

/// The 19 fields of a destination's configuration (15.2).
package struct DestinationChainConfig: Hashable, Sendable {
    package var isEnabled = true
    package var maxNumberOfTokensPerMessage: UInt16 = 1
    package var maxDataBytes: UInt32 = 30_000
    package var maxPerMessageGasLimit: UInt32 = 3_000_000
    package var destinationGasOverhead: UInt32 = 225_000
    package var destinationGasPerPayloadByteBase: UInt8 = 16
    package var destinationGasPerPayloadByteHigh: UInt8 = 40
    package var destinationGasPerPayloadByteThreshold: UInt16 = 3_000
    package var dataAvailabilityOverheadGas: UInt32 = 0
    package var gasPerDataAvailabilityByte: UInt16 = 0
    package var dataAvailabilityMultiplierBps: UInt16 = 0
    /// First four bytes of keccak256("CCIP ChainFamilySelector " + name).
    package var chainFamilySelector: Bytes = ChainFamily.evm
    package var enforceOutOfOrder = false
    package var defaultTokenFeeUSDCents: UInt16 = 25
    package var defaultTokenDestinationGasOverhead: UInt32 = 90_000
    package var defaultTransactionGasLimit: UInt32 = 200_000
    package var gasMultiplierWeiPerEth: UInt64 = 1_100_000_000_000_000_000
    package var gasPriceStalenessThreshold: UInt32 = 90_000
    package var networkFeeUSDCents: UInt32 = 10

    /// The defaults of section 15.9 for EVM lanes.
    package init() {}
}

package enum ChainFamily {
    package static let evm: Bytes = [0x28, 0x12, 0xd5, 0x2c]
    package static let svm: Bytes = [0x1e, 0x10, 0xbd, 0xc4]
    package static let aptos: Bytes = [0xac, 0x77, 0xff, 0xec]
    package static let sui: Bytes = [0xc4, 0xe0, 0x59, 0x53]
    package static let tvm: Bytes = [0x64, 0x7e, 0x2b, 0xa9]
}

package struct TokenTransferFeeConfig: Hashable, Sendable {
    package var minFeeUSDCents: UInt32
    package var maxFeeUSDCents: UInt32
    package var deciBps: UInt16
    package var destinationGasOverhead: UInt32
    package var destinationBytesOverhead: UInt32
    package var isEnabled: Bool

    package init(
        minFeeUSDCents: UInt32, maxFeeUSDCents: UInt32, deciBps: UInt16, destinationGasOverhead: UInt32,
        destinationBytesOverhead: UInt32, isEnabled: Bool
    ) {
        self.minFeeUSDCents = minFeeUSDCents
        self.maxFeeUSDCents = maxFeeUSDCents
        self.deciBps = deciBps
        self.destinationGasOverhead = destinationGasOverhead
        self.destinationBytesOverhead = destinationBytesOverhead
        self.isEnabled = isEnabled
    }
}

/// Everything that a quote depends on.
package struct FeeQuote: Sendable {
    package var configuration: DestinationChainConfig
    package var gasPrice: PackedGasPrice
    package var tokenPrices: [Address: UInt224]
    package var premiumMultipliers: [Address: UInt64]
    package var tokenTransferFees: [Address: TokenTransferFeeConfig]

    package init(
        configuration: DestinationChainConfig, gasPrice: PackedGasPrice, tokenPrices: [Address: UInt224],
        premiumMultipliers: [Address: UInt64], tokenTransferFees: [Address: TokenTransferFeeConfig]
    ) {
        self.configuration = configuration
        self.gasPrice = gasPrice
        self.tokenPrices = tokenPrices
        self.premiumMultipliers = premiumMultipliers
        self.tokenTransferFees = tokenTransferFees
    }

    /// The fee in the fee token's smallest units, for an EVM destination. Throws `feeRefused` where the FeeQuoter
    /// reverts by name, `feeOverflow` where it panics.
    package func fee(
        dataLength: Int, tokenAmounts: [EVMTokenAmount], feeToken: Address, extraArgs: Bytes
    ) throws(CCIPError) -> U256 {
        guard configuration.isEnabled else { throw refused("DestinationChainNotEnabled") }
        guard dataLength >= 0, dataLength <= Int(configuration.maxDataBytes) else { throw refused("MessageTooLarge") }
        guard tokenAmounts.count <= Int(configuration.maxNumberOfTokensPerMessage) else {
            throw refused("UnsupportedNumberOfTokens")
        }
        let gasLimit = try validatedGasLimit(extraArgs)
        let feeTokenPrice = try price(of: feeToken)
        let tokens = try tokenPart(tokenAmounts, feeToken: feeToken, feeTokenPrice: feeTokenPrice)
        let bytes = UInt64(dataLength) + UInt64(tokens.bytes)
        let gas32 = try added(configuration.destinationGasOverhead, tokens.gas)
        let gas = try sum(sum(U256(UInt64(gas32)), callGas(bytes)), gasLimit)
        let execution = try product(
            product(gas, gasPrice.execution), U256(configuration.gasMultiplierWeiPerEth))
        let premium = try product(tokens.premiumUSD18, U256(premiumMultipliers[feeToken] ?? 0))
        let availability = try dataAvailability(
            bytes: bytes + 480 + 288 * UInt64(tokenAmounts.count))
        return try sum(sum(execution, premium), availability) / feeTokenPrice
    }

    private func validatedGasLimit(_ extraArgs: Bytes) throws(CCIPError) -> U256 {
        let normalised = try ExtraArgs.normalised(
            extraArgs, defaultGasLimit: configuration.defaultTransactionGasLimit)
        guard case .evmV2(let gasLimit, let outOfOrder) = normalised else { throw refused("InvalidExtraArgsTag") }
        guard gasLimit <= U256(UInt64(configuration.maxPerMessageGasLimit)) else {
            throw refused("MessageGasLimitTooHigh")
        }
        guard outOfOrder || !configuration.enforceOutOfOrder else {
            throw refused("ExtraArgOutOfOrderExecutionMustBeTrue")
        }
        return gasLimit
    }

    private struct TokenPart {
        var premiumUSD18 = U256.zero
        var gas: UInt32 = 0
        var bytes: UInt32 = 0
    }

    private func tokenPart(
        _ amounts: [EVMTokenAmount], feeToken: Address, feeTokenPrice: U256
    ) throws(CCIPError) -> TokenPart {
        var part = TokenPart()
        guard !amounts.isEmpty else {
            part.premiumUSD18 = cents(UInt64(configuration.networkFeeUSDCents))
            return part
        }
        for amount in amounts {
            guard let fee = tokenTransferFees[amount.token], fee.isEnabled else {
                part.premiumUSD18 += cents(UInt64(configuration.defaultTokenFeeUSDCents))
                part.gas = try added(part.gas, configuration.defaultTokenDestinationGasOverhead)
                part.bytes = try added(part.bytes, 32)
                continue
            }
            part.gas = try added(part.gas, fee.destinationGasOverhead)
            part.bytes = try added(part.bytes, fee.destinationBytesOverhead)
            let proportional = try proportionalFee(fee, amount, feeToken: feeToken, feeTokenPrice: feeTokenPrice)
            let floor = cents(UInt64(fee.minFeeUSDCents))
            let ceiling = cents(UInt64(fee.maxFeeUSDCents))
            part.premiumUSD18 += proportional < floor ? floor : min(proportional, ceiling)
        }
        return part
    }

    private func proportionalFee(
        _ fee: TokenTransferFeeConfig, _ amount: EVMTokenAmount, feeToken: Address, feeTokenPrice: U256
    ) throws(CCIPError) -> U256 {
        guard fee.deciBps > 0 else { return .zero }
        let unitPrice = amount.token == feeToken ? feeTokenPrice : try price(of: amount.token)
        let value = try product(unitPrice, amount.amount) / U256(1_000_000_000_000_000_000 as UInt64)
        return try product(value, U256(UInt64(fee.deciBps))) / U256(100_000 as UInt64)
    }

    /// Gas of the call data, dearer above the threshold (EIP-7623).
    private func callGas(_ length: UInt64) throws(CCIPError) -> U256 {
        let base = UInt64(configuration.destinationGasPerPayloadByteBase)
        let threshold = UInt64(configuration.destinationGasPerPayloadByteThreshold)
        if length <= threshold { return U256(length * base) }
        // The contract multiplies these two in 16 bits and panics past them (15.5).
        guard base * threshold <= UInt64(UInt16.max) else { throw overflow() }
        return U256(base * threshold + (length - threshold) * UInt64(configuration.destinationGasPerPayloadByteHigh))
    }

    private func dataAvailability(bytes: UInt64) throws(CCIPError) -> U256 {
        guard configuration.dataAvailabilityMultiplierBps > 0 else { return .zero }
        let gas =
            bytes * UInt64(configuration.gasPerDataAvailabilityByte)
            + UInt64(configuration.dataAvailabilityOverheadGas)
        let scaled = try product(
            product(U256(gas), gasPrice.dataAvailability),
            U256(UInt64(configuration.dataAvailabilityMultiplierBps)))
        return try product(scaled, U256(100_000_000_000_000 as UInt64))
    }

    private func price(of token: Address) throws(CCIPError) -> U256 {
        guard let price = tokenPrices[token], price > .zero else { throw refused("TokenNotSupported(\(token))") }
        return price.value
    }

    private func cents(_ value: UInt64) -> U256 { U256(value) * U256(10_000_000_000_000_000 as UInt64) }

    private func added(_ a: UInt32, _ b: UInt32) throws(CCIPError) -> UInt32 {
        let (sum, lost) = a.addingReportingOverflow(b)
        guard !lost else { throw overflow() }
        return sum
    }

    private func sum(_ a: U256, _ b: U256) throws(CCIPError) -> U256 {
        let (sum, lost) = a.addingReportingOverflow(b)
        guard !lost else { throw overflow() }
        return sum
    }

    private func product(_ a: U256, _ b: U256) throws(CCIPError) -> U256 {
        let (product, lost) = a.multipliedReportingOverflow(by: b)
        guard !lost else { throw overflow() }
        return product
    }

    private func refused(_ name: String) -> CCIPError {
        CCIPError(.feeRefused, "the FeeQuoter refuses: \(name)", hint: "change the message, or ask the lane's owner")
    }

    private func overflow() -> CCIPError {
        CCIPError(.feeOverflow, "the fee overflows as it does in the contract", hint: "check amounts and prices")
    }
}

// The functions of FeeQuoter 1.6: prices and fees.
// Signatures only (annex A of the on-chain specification); typed calls stand in ContractCalls.swift.

import Ethereum

/// FeeQuoter 1.6: prices and fees.
package enum FeeQuoterInterface {
    package static let applyAuthorizedCallerUpdates = ABIFunction(
        constant: "applyAuthorizedCallerUpdates((address[],address[]))")
    package static let applyDestChainConfigUpdates = ABIFunction(
        constant: "applyDestChainConfigUpdates((uint64,(bool,uint16,uint32,uint32,uint32,uint8,uint8,uint16,"
            + "uint32,uint16,uint16,bytes4,bool,uint16,uint32,uint32,uint64,uint32,uint32))[])")
    package static let applyFeeTokensUpdates = ABIFunction(constant: "applyFeeTokensUpdates(address[],address[])")
    package static let applyPremiumMultiplierWeiPerEthUpdates = ABIFunction(
        constant: "applyPremiumMultiplierWeiPerEthUpdates((address,uint64)[])")
    package static let applyTokenTransferFeeConfigUpdates = ABIFunction(
        constant: "applyTokenTransferFeeConfigUpdates((uint64,(address,(uint32,uint32,uint16,uint32,uint32,"
            + "bool))[])[],(uint64,address)[])")
    package static let convertTokenAmount = ABIFunction(
        constant: "convertTokenAmount(address,uint256,address)", returns: "(uint256)")
    package static let getAllAuthorizedCallers = ABIFunction(
        constant: "getAllAuthorizedCallers()", returns: "(address[])")
    package static let getDestChainConfig = ABIFunction(
        constant: "getDestChainConfig(uint64)",
        returns: "((bool,uint16,uint32,uint32,uint32,uint8,uint8,uint16,uint32,uint16,uint16,bytes4,"
            + "bool,uint16,uint32,uint32,uint64,uint32,uint32))")
    package static let getDestinationChainGasPrice = ABIFunction(
        constant: "getDestinationChainGasPrice(uint64)", returns: "((uint224,uint32))")
    package static let getFeeTokens = ABIFunction(constant: "getFeeTokens()", returns: "(address[])")
    package static let getPremiumMultiplierWeiPerEth = ABIFunction(
        constant: "getPremiumMultiplierWeiPerEth(address)", returns: "(uint64)")
    package static let getStaticConfig = ABIFunction(
        constant: "getStaticConfig()", returns: "((uint96,address,uint32))")
    package static let getTokenAndGasPrices = ABIFunction(
        constant: "getTokenAndGasPrices(address,uint64)", returns: "(uint224,uint224)")
    package static let getTokenPrice = ABIFunction(constant: "getTokenPrice(address)", returns: "((uint224,uint32))")
    package static let getTokenPriceFeedConfig = ABIFunction(
        constant: "getTokenPriceFeedConfig(address)", returns: "((address,uint8,bool))")
    package static let getTokenPrices = ABIFunction(
        constant: "getTokenPrices(address[])", returns: "((uint224,uint32)[])")
    package static let getTokenTransferFeeConfig = ABIFunction(
        constant: "getTokenTransferFeeConfig(uint64,address)", returns: "((uint32,uint32,uint16,uint32,uint32,bool))")
    package static let getValidatedFee = ABIFunction(
        constant: "getValidatedFee(uint64,(bytes,bytes,(address,uint256)[],address,bytes))", returns: "(uint256)")
    package static let getValidatedTokenPrice = ABIFunction(
        constant: "getValidatedTokenPrice(address)", returns: "(uint224)")
    package static let onReport = ABIFunction(constant: "onReport(bytes,bytes)")
    package static let processMessageArgs = ABIFunction(
        constant: "processMessageArgs(uint64,address,uint256,bytes,bytes)", returns: "(uint256,bool,bytes,bytes)")
    package static let processPoolReturnData = ABIFunction(
        constant: "processPoolReturnData(uint64,(address,bytes,bytes,uint256,bytes)[],(address,uint256)[])",
        returns: "(bytes[])")
    package static let setReportPermissions = ABIFunction(
        constant: "setReportPermissions((address,bytes10,bytes2,address,bool)[])")
    package static let supportsInterface = ABIFunction(constant: "supportsInterface(bytes4)", returns: "(bool)")
    package static let updatePrices = ABIFunction(constant: "updatePrices(((address,uint224)[],(uint64,uint224)[]))")
    package static let updateTokenPriceFeeds = ABIFunction(
        constant: "updateTokenPriceFeeds((address,(address,uint8,bool))[])")
}

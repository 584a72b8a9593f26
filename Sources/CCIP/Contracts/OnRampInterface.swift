// The functions of OnRamp 1.6.0: the source end of a lane.
// Signatures only (annex A of the on-chain specification); typed calls stand in ContractCalls.swift.

import Ethereum

/// OnRamp 1.6.0: the source end of a lane.
package enum OnRampInterface {
    package static let applyAllowlistUpdates = ABIFunction(
        constant: "applyAllowlistUpdates((uint64,bool,address[],address[])[])")
    package static let applyDestChainConfigUpdates = ABIFunction(
        constant: "applyDestChainConfigUpdates((uint64,address,bool)[])")
    package static let forwardFromRouter = ABIFunction(
        constant: "forwardFromRouter(uint64,(bytes,bytes,(address,uint256)[],address,bytes),uint256,address)",
        returns: "(bytes32)")
    package static let getAllowedSendersList = ABIFunction(
        constant: "getAllowedSendersList(uint64)", returns: "(bool,address[])")
    package static let getDestChainConfig = ABIFunction(
        constant: "getDestChainConfig(uint64)", returns: "(uint64,bool,address)")
    package static let getDynamicConfig = ABIFunction(
        constant: "getDynamicConfig()", returns: "((address,bool,address,address,address))")
    package static let getExpectedNextSequenceNumber = ABIFunction(
        constant: "getExpectedNextSequenceNumber(uint64)", returns: "(uint64)")
    package static let getFee = ABIFunction(
        constant: "getFee(uint64,(bytes,bytes,(address,uint256)[],address,bytes))", returns: "(uint256)")
    package static let getPoolBySourceToken = ABIFunction(
        constant: "getPoolBySourceToken(uint64,address)", returns: "(address)")
    package static let getStaticConfig = ABIFunction(
        constant: "getStaticConfig()", returns: "((uint64,address,address,address))")
    package static let getSupportedTokens = ABIFunction(constant: "getSupportedTokens(uint64)", returns: "(address[])")
    package static let setDynamicConfig = ABIFunction(
        constant: "setDynamicConfig((address,bool,address,address,address))")
    package static let withdrawFeeTokens = ABIFunction(constant: "withdrawFeeTokens(address[])")
}

// The functions of Token pools 1.6.1 (1.5.1 has the same functions): remote chains, rate limits.
// Signatures only (annex A of the on-chain specification); typed calls stand in ContractCalls.swift.

import Ethereum

/// Token pools 1.6.1 (1.5.1 has the same functions): remote chains, rate limits.
package enum TokenPoolInterface {
    package static let addRemotePool = ABIFunction(constant: "addRemotePool(uint64,bytes)")
    package static let applyAllowListUpdates = ABIFunction(constant: "applyAllowListUpdates(address[],address[])")
    package static let applyChainUpdates = ABIFunction(
        constant: "applyChainUpdates(uint64[],(uint64,bytes[],bytes,(bool,uint128,uint128),(bool,uint128,uint128))[])")
    package static let getAllowList = ABIFunction(constant: "getAllowList()", returns: "(address[])")
    package static let getAllowListEnabled = ABIFunction(constant: "getAllowListEnabled()", returns: "(bool)")
    package static let getCurrentInboundRateLimiterState = ABIFunction(
        constant: "getCurrentInboundRateLimiterState(uint64)", returns: "((uint128,uint32,bool,uint128,uint128))")
    package static let getCurrentOutboundRateLimiterState = ABIFunction(
        constant: "getCurrentOutboundRateLimiterState(uint64)", returns: "((uint128,uint32,bool,uint128,uint128))")
    package static let getRateLimitAdmin = ABIFunction(constant: "getRateLimitAdmin()", returns: "(address)")
    package static let getRemotePools = ABIFunction(constant: "getRemotePools(uint64)", returns: "(bytes[])")
    package static let getRemoteToken = ABIFunction(constant: "getRemoteToken(uint64)", returns: "(bytes)")
    package static let getRmnProxy = ABIFunction(constant: "getRmnProxy()", returns: "(address)")
    package static let getRouter = ABIFunction(constant: "getRouter()", returns: "(address)")
    package static let getSupportedChains = ABIFunction(constant: "getSupportedChains()", returns: "(uint64[])")
    package static let getToken = ABIFunction(constant: "getToken()", returns: "(address)")
    package static let getTokenDecimals = ABIFunction(constant: "getTokenDecimals()", returns: "(uint8)")
    package static let isRemotePool = ABIFunction(constant: "isRemotePool(uint64,bytes)", returns: "(bool)")
    package static let isSupportedChain = ABIFunction(constant: "isSupportedChain(uint64)", returns: "(bool)")
    package static let isSupportedToken = ABIFunction(constant: "isSupportedToken(address)", returns: "(bool)")
    package static let lockOrBurn = ABIFunction(
        constant: "lockOrBurn((bytes,uint64,address,uint256,address))", returns: "((bytes,bytes))")
    package static let releaseOrMint = ABIFunction(
        constant: "releaseOrMint((bytes,uint64,address,uint256,address,bytes,bytes,bytes))", returns: "((uint256))")
    package static let removeRemotePool = ABIFunction(constant: "removeRemotePool(uint64,bytes)")
    package static let setChainRateLimiterConfig = ABIFunction(
        constant: "setChainRateLimiterConfig(uint64,(bool,uint128,uint128),(bool,uint128,uint128))")
    package static let setChainRateLimiterConfigs = ABIFunction(
        constant: "setChainRateLimiterConfigs(uint64[],(bool,uint128,uint128)[],(bool,uint128,uint128)[])")
    package static let setRateLimitAdmin = ABIFunction(constant: "setRateLimitAdmin(address)")
    package static let setRouter = ABIFunction(constant: "setRouter(address)")
    package static let supportsInterface = ABIFunction(constant: "supportsInterface(bytes4)", returns: "(bool)")
}

// The functions of Router 1.2.0: where applications send, and who may speak for a lane.
// Signatures only (annex A of the on-chain specification); typed calls stand in ContractCalls.swift.

import Ethereum

/// Router 1.2.0: where applications send, and who may speak for a lane.
package enum RouterInterface {
    package static let applyRampUpdates = ABIFunction(
        constant: "applyRampUpdates((uint64,address)[],(uint64,address)[],(uint64,address)[])")
    package static let ccipSend = ABIFunction(
        constant: "ccipSend(uint64,(bytes,bytes,(address,uint256)[],address,bytes))", returns: "(bytes32)")
    package static let getArmProxy = ABIFunction(constant: "getArmProxy()", returns: "(address)")
    package static let getFee = ABIFunction(
        constant: "getFee(uint64,(bytes,bytes,(address,uint256)[],address,bytes))", returns: "(uint256)")
    package static let getOffRamps = ABIFunction(constant: "getOffRamps()", returns: "((uint64,address)[])")
    package static let getOnRamp = ABIFunction(constant: "getOnRamp(uint64)", returns: "(address)")
    package static let getSupportedTokens = ABIFunction(constant: "getSupportedTokens(uint64)", returns: "(address[])")
    package static let getWrappedNative = ABIFunction(constant: "getWrappedNative()", returns: "(address)")
    package static let isChainSupported = ABIFunction(constant: "isChainSupported(uint64)", returns: "(bool)")
    package static let isOffRamp = ABIFunction(constant: "isOffRamp(uint64,address)", returns: "(bool)")
    package static let recoverTokens = ABIFunction(constant: "recoverTokens(address,address,uint256)")
    package static let routeMessage = ABIFunction(
        constant: "routeMessage((bytes32,uint64,bytes,bytes,(address,uint256)[]),uint16,uint256,address)",
        returns: "(bool,bytes,uint256)")
    package static let setWrappedNative = ABIFunction(constant: "setWrappedNative(address)")
}

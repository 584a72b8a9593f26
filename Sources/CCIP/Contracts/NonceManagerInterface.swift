// The functions of NonceManager 1.6.0: order of ordered messages.
// Signatures only (annex A of the on-chain specification); typed calls stand in ContractCalls.swift.

import Ethereum

/// NonceManager 1.6.0: order of ordered messages.
package enum NonceManagerInterface {
    package static let applyAuthorizedCallerUpdates = ABIFunction(
        constant: "applyAuthorizedCallerUpdates((address[],address[]))")
    package static let applyPreviousRampsUpdates = ABIFunction(
        constant: "applyPreviousRampsUpdates((uint64,bool,(address,address))[])")
    package static let getAllAuthorizedCallers = ABIFunction(
        constant: "getAllAuthorizedCallers()", returns: "(address[])")
    package static let getInboundNonce = ABIFunction(constant: "getInboundNonce(uint64,bytes)", returns: "(uint64)")
    package static let getIncrementedOutboundNonce = ABIFunction(
        constant: "getIncrementedOutboundNonce(uint64,address)", returns: "(uint64)")
    package static let getOutboundNonce = ABIFunction(constant: "getOutboundNonce(uint64,address)", returns: "(uint64)")
    package static let getPreviousRamps = ABIFunction(
        constant: "getPreviousRamps(uint64)", returns: "((address,address))")
    package static let incrementInboundNonce = ABIFunction(
        constant: "incrementInboundNonce(uint64,uint64,bytes)", returns: "(bool)")
}

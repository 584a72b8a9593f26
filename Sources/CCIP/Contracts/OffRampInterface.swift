// The functions of OffRamp 1.6.0: the destination end: commit, execute, state.
// Signatures only (annex A of the on-chain specification); typed calls stand in ContractCalls.swift.

import Ethereum

/// OffRamp 1.6.0: the destination end: commit, execute, state.
package enum OffRampInterface {
    package static let applySourceChainConfigUpdates = ABIFunction(
        constant: "applySourceChainConfigUpdates((address,uint64,bool,bool,bytes)[])")
    package static let ccipReceive = ABIFunction(
        constant: "ccipReceive((bytes32,uint64,bytes,bytes,(address,uint256)[]))")
    package static let commit = ABIFunction(constant: "commit(bytes32[2],bytes,bytes32[],bytes32[],bytes32)")
    package static let execute = ABIFunction(constant: "execute(bytes32[2],bytes)")
    package static let executeSingleMessage = ABIFunction(
        constant: "executeSingleMessage(((bytes32,uint64,uint64,uint64,uint64),bytes,bytes,address,uint256,"
            + "(bytes,address,uint32,bytes,uint256)[]),bytes[],uint32[])")
    package static let getAllSourceChainConfigs = ABIFunction(
        constant: "getAllSourceChainConfigs()", returns: "(uint64[],(address,bool,uint64,bool,bytes)[])")
    package static let getDynamicConfig = ABIFunction(
        constant: "getDynamicConfig()", returns: "((address,uint32,address))")
    package static let getExecutionState = ABIFunction(constant: "getExecutionState(uint64,uint64)", returns: "(uint8)")
    package static let getLatestPriceSequenceNumber = ABIFunction(
        constant: "getLatestPriceSequenceNumber()", returns: "(uint64)")
    package static let getMerkleRoot = ABIFunction(constant: "getMerkleRoot(uint64,bytes32)", returns: "(uint256)")
    package static let getSourceChainConfig = ABIFunction(
        constant: "getSourceChainConfig(uint64)", returns: "((address,bool,uint64,bool,bytes))")
    package static let getStaticConfig = ABIFunction(
        constant: "getStaticConfig()", returns: "((uint64,uint16,address,address,address))")
    package static let latestConfigDetails = ABIFunction(
        constant: "latestConfigDetails(uint8)", returns: "(((bytes32,uint8,uint8,bool),address[],address[]))")
    package static let manuallyExecute = ABIFunction(
        constant: "manuallyExecute((uint64,((bytes32,uint64,uint64,uint64,uint64),bytes,bytes,address,uint256,"
            + "(bytes,address,uint32,bytes,uint256)[])[],bytes[][],bytes32[],uint256)[],(uint256,"
            + "uint32[])[][])")
    package static let setDynamicConfig = ABIFunction(constant: "setDynamicConfig((address,uint32,address))")
    package static let setOCR3Configs = ABIFunction(
        constant: "setOCR3Configs((bytes32,uint8,uint8,bool,address[],address[])[])")
}

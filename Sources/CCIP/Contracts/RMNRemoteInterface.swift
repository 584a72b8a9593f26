// The functions of RMNRemote 1.6.0 and the ARMProxy before it: curses.
// Signatures only (annex A of the on-chain specification); typed calls stand in ContractCalls.swift.

import Ethereum

/// RMNRemote 1.6.0 and the ARMProxy before it: curses.
package enum RMNRemoteInterface {
    package static let curse = ABIFunction(constant: "curse(bytes16)")
    package static let curseAll = ABIFunction(constant: "curse(bytes16[])")
    package static let getCursedSubjects = ABIFunction(constant: "getCursedSubjects()", returns: "(bytes16[])")
    package static let getLocalChainSelector = ABIFunction(constant: "getLocalChainSelector()", returns: "(uint64)")
    package static let getReportDigestHeader = ABIFunction(constant: "getReportDigestHeader()", returns: "(bytes32)")
    package static let getVersionedConfig = ABIFunction(
        constant: "getVersionedConfig()", returns: "(uint32,(bytes32,(address,uint64)[],uint64))")
    package static let isBlessed = ABIFunction(constant: "isBlessed((address,bytes32))", returns: "(bool)")
    package static let isCursed = ABIFunction(constant: "isCursed()", returns: "(bool)")
    package static let isCursedSubject = ABIFunction(constant: "isCursed(bytes16)", returns: "(bool)")
    package static let setConfig = ABIFunction(constant: "setConfig((bytes32,(address,uint64)[],uint64))")
    package static let uncurse = ABIFunction(constant: "uncurse(bytes16)")
    package static let uncurseAll = ABIFunction(constant: "uncurse(bytes16[])")
    package static let verify = ABIFunction(
        constant: "verify(address,(uint64,bytes,uint64,uint64,bytes32)[],(bytes32,bytes32)[])")
    package static let getARM = ABIFunction(constant: "getARM()", returns: "(address)")
    package static let setARM = ABIFunction(constant: "setARM(address)")
}

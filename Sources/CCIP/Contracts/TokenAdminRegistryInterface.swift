// The functions of TokenAdminRegistry 1.5.0 and its registry module: which pool serves a token.
// Signatures only (annex A of the on-chain specification); typed calls stand in ContractCalls.swift.

import Ethereum

/// TokenAdminRegistry 1.5.0 and its registry module: which pool serves a token.
package enum TokenAdminRegistryInterface {
    package static let acceptAdminRole = ABIFunction(constant: "acceptAdminRole(address)")
    package static let addRegistryModule = ABIFunction(constant: "addRegistryModule(address)")
    package static let getAllConfiguredTokens = ABIFunction(
        constant: "getAllConfiguredTokens(uint64,uint64)", returns: "(address[])")
    package static let getPool = ABIFunction(constant: "getPool(address)", returns: "(address)")
    package static let getPools = ABIFunction(constant: "getPools(address[])", returns: "(address[])")
    package static let getTokenConfig = ABIFunction(
        constant: "getTokenConfig(address)", returns: "((address,address,address))")
    package static let isAdministrator = ABIFunction(constant: "isAdministrator(address,address)", returns: "(bool)")
    package static let isRegistryModule = ABIFunction(constant: "isRegistryModule(address)", returns: "(bool)")
    package static let proposeAdministrator = ABIFunction(constant: "proposeAdministrator(address,address)")
    package static let removeRegistryModule = ABIFunction(constant: "removeRegistryModule(address)")
    package static let setPool = ABIFunction(constant: "setPool(address,address)")
    package static let transferAdminRole = ABIFunction(constant: "transferAdminRole(address,address)")
    package static let registerAccessControlDefaultAdmin = ABIFunction(
        constant: "registerAccessControlDefaultAdmin(address)")
    package static let registerAdminViaGetCCIPAdmin = ABIFunction(constant: "registerAdminViaGetCCIPAdmin(address)")
    package static let registerAdminViaOwner = ABIFunction(constant: "registerAdminViaOwner(address)")
}

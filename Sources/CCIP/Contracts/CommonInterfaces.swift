// Functions that many contracts share: tokens, ownership, versions, and the constructors that deployment needs.
// Signatures only.

import Ethereum

package enum ERC20Interface {
    package static let name = ABIFunction(constant: "name()", returns: "(string)")
    package static let symbol = ABIFunction(constant: "symbol()", returns: "(string)")
    package static let decimals = ABIFunction(constant: "decimals()", returns: "(uint8)")
    package static let totalSupply = ABIFunction(constant: "totalSupply()", returns: "(uint256)")
    package static let balanceOf = ABIFunction(constant: "balanceOf(address)", returns: "(uint256)")
    package static let allowance = ABIFunction(constant: "allowance(address,address)", returns: "(uint256)")
    package static let approve = ABIFunction(constant: "approve(address,uint256)", returns: "(bool)")
    package static let transfer = ABIFunction(constant: "transfer(address,uint256)", returns: "(bool)")
    package static let transferFrom = ABIFunction(
        constant: "transferFrom(address,address,uint256)", returns: "(bool)")
    package static let mint = ABIFunction(constant: "mint(address,uint256)")
    package static let burn = ABIFunction(constant: "burn(uint256)")
    package static let burnFrom = ABIFunction(constant: "burnFrom(address,uint256)")
    package static let getCCIPAdmin = ABIFunction(constant: "getCCIPAdmin()", returns: "(address)")
    package static let deposit = ABIFunction(constant: "deposit()")
    package static let withdraw = ABIFunction(constant: "withdraw(uint256)")
    package static let transferEvent = ABIEvent(constant: "Transfer(address,address,uint256)", indexed: [0, 1])
}

package enum OwnableInterface {
    package static let owner = ABIFunction(constant: "owner()", returns: "(address)")
    package static let transferOwnership = ABIFunction(constant: "transferOwnership(address)")
    package static let acceptOwnership = ABIFunction(constant: "acceptOwnership()")
    package static let typeAndVersion = ABIFunction(constant: "typeAndVersion()", returns: "(string)")
    package static let supportsInterface = ABIFunction(constant: "supportsInterface(bytes4)", returns: "(bool)")
}

package enum ReceiverInterface {
    package static let ccipReceive = ABIFunction(
        constant: "ccipReceive((bytes32,uint64,bytes,bytes,(address,uint256)[]))")
    /// What a receiver must answer true for to be called.
    package static let interfaceID: Bytes = [0x85, 0x57, 0x2f, 0xfb]
}

/// Argument lists of constructors, as ABI types in order.
package enum ContractConstructors {
    package static let router = list("(address,address)")
    package static let onRamp = list(
        "((uint64,address,address,address),(address,bool,address,address,address),(uint64,address,bool)[])")
    package static let offRamp = list(
        "((uint64,uint16,address,address,address),(address,uint32,address),(address,uint64,bool,bool,bytes)[])")
    package static let feeQuoter = list(
        "((uint96,address,uint32),address[],address[],(address,(address,uint8,bool))[],"
            + "(uint64,(address,(uint32,uint32,uint16,uint32,uint32,bool))[])[],(address,uint64)[],"
            + "(uint64,(bool,uint16,uint32,uint32,uint32,uint8,uint8,uint16,uint32,uint16,uint16,bytes4,bool,uint16,"
            + "uint32,uint32,uint64,uint32,uint32))[])")
    package static let nonceManager = list("(address[])")
    package static let rmnRemote = list("(uint64,address)")
    package static let armProxy = list("(address)")
    package static let registryModule = list("(address)")
    package static let tokenPool = list("(address,uint8,address[],address,address)")

    private static func list(_ text: String) -> [ABIType] {
        if case .tuple(let members) = ABIType(constant: text) { return members }
        preconditionFailure("'\(text)' is no list")
    }
}

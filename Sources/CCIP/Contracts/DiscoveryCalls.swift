// Reads that only the review of a deployment needs: who may call whom, what the RMN has installed, what a pool knows of
// its remote sides.

import Ethereum

/// `RMNRemote.getVersionedConfig`; version 0 when nothing was ever installed (section 17).
package struct RMNInstalledConfiguration: Hashable, Sendable {
    package struct Signer: Hashable, Sendable {
        package let address: Address
        package let nodeIndex: UInt64
    }

    package let version: UInt32
    package let homeDigest: Hash32
    package let signers: [Signer]
    /// fSign: fSign + 1 signatures are needed.
    package let faulty: UInt64
}

package enum DiscoveryCalls {
    package static func feeQuoterCallers() -> ContractCall<[Address]> {
        addresses(FeeQuoterInterface.getAllAuthorizedCallers)
    }

    package static func nonceManagerCallers() -> ContractCall<[Address]> {
        addresses(NonceManagerInterface.getAllAuthorizedCallers)
    }

    /// The contract behind an ARMProxy.
    package static func implementation() -> ContractCall<Address> { address(RMNRemoteInterface.getARM) }

    package static func rmnChainSelector() -> ContractCall<ChainSelector> {
        ContractCall(RMNRemoteInterface.getLocalChainSelector) { cursor throws(CCIPError) in try cursor.selector() }
    }

    package static func rmnConfiguration() -> ContractCall<RMNInstalledConfiguration> {
        ContractCall(RMNRemoteInterface.getVersionedConfig) { cursor throws(CCIPError) in
            let version = try cursor.uint32()
            var config = try cursor.tuple()
            let digest = try config.hash()
            let signers = try config.array { item throws(CCIPError) in
                var fields = try item.tuple()
                return RMNInstalledConfiguration.Signer(address: try fields.address(), nodeIndex: try fields.uint64())
            }
            return RMNInstalledConfiguration(
                version: version, homeDigest: digest, signers: signers, faulty: try config.uint64())
        }
    }

    /// At most `maximum` tokens from position `first` on.
    package static func configuredTokens(from first: UInt64, maximum: UInt64) -> ContractCall<[Address]> {
        ContractCall(TokenAdminRegistryInterface.getAllConfiguredTokens, [.uint(first), .uint(maximum)]) {
            cursor throws(CCIPError) in try cursor.array { item throws(CCIPError) in try item.address() }
        }
    }

    package static func routerProxy() -> ContractCall<Address> { address(RouterInterface.getArmProxy) }
    package static func poolToken() -> ContractCall<Address> { address(TokenPoolInterface.getToken) }
    package static func poolRouter() -> ContractCall<Address> { address(TokenPoolInterface.getRouter) }
    package static func poolProxy() -> ContractCall<Address> { address(TokenPoolInterface.getRmnProxy) }

    package static func poolAllowsListedOnly() -> ContractCall<Bool> {
        ContractCall(TokenPoolInterface.getAllowListEnabled) { cursor throws(CCIPError) in try cursor.bool() }
    }

    package static func poolSupports(_ remote: ChainSelector) -> ContractCall<Bool> {
        ContractCall(TokenPoolInterface.isSupportedChain, [.uint(remote.rawValue)]) { cursor throws(CCIPError) in
            try cursor.bool()
        }
    }

    /// 32 bytes for an EVM chain; empty for an unknown one.
    package static func remoteToken(_ remote: ChainSelector) -> ContractCall<Bytes> {
        ContractCall(TokenPoolInterface.getRemoteToken, [.uint(remote.rawValue)]) { cursor throws(CCIPError) in
            try cursor.bytes()
        }
    }

    package static func remotePools(_ remote: ChainSelector) -> ContractCall<[Bytes]> {
        ContractCall(TokenPoolInterface.getRemotePools, [.uint(remote.rawValue)]) { cursor throws(CCIPError) in
            try cursor.array { item throws(CCIPError) in try item.bytes() }
        }
    }

    private static func address(_ function: ABIFunction) -> ContractCall<Address> {
        ContractCall(function) { cursor throws(CCIPError) in try cursor.address() }
    }

    private static func addresses(_ function: ABIFunction) -> ContractCall<[Address]> {
        ContractCall(function) { cursor throws(CCIPError) in
            try cursor.array { item throws(CCIPError) in try item.address() }
        }
    }
}

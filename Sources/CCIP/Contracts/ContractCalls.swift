// Typed reads of the contracts, each with its answer. Writes are call data: ReportContext, ManualExecution, and
// `encodeCall` of the interfaces.

import Ethereum

package enum OffRampCalls {
    package static func sourceChainConfig(_ source: ChainSelector) -> ContractCall<SourceChainConfig> {
        ContractCall(OffRampInterface.getSourceChainConfig, [.uint(source.rawValue)]) { cursor throws(CCIPError) in
            try SourceChainConfig(&cursor)
        }
    }

    /// In the contract's order, which is that of their addition.
    package static func allSourceChainConfigs() -> ContractCall<[(ChainSelector, SourceChainConfig)]> {
        ContractCall(OffRampInterface.getAllSourceChainConfigs) { cursor throws(CCIPError) in
            let selectors = try cursor.array { item throws(CCIPError) in try item.selector() }
            let configs = try cursor.array { item throws(CCIPError) in try SourceChainConfig(&item) }
            guard selectors.count == configs.count else {
                throw CCIPError(
                    .malformedAnswer, "\(selectors.count) selectors for \(configs.count) configurations",
                    hint: "the endpoint lies, or the contract is no CCIP 1.6 OffRamp")
            }
            return Array(zip(selectors, configs))
        }
    }

    package static func staticConfig() -> ContractCall<OffRampStaticConfig> {
        ContractCall(OffRampInterface.getStaticConfig) { cursor throws(CCIPError) in try OffRampStaticConfig(&cursor) }
    }

    package static func dynamicConfig() -> ContractCall<OffRampDynamicConfig> {
        ContractCall(OffRampInterface.getDynamicConfig) { cursor throws(CCIPError) in
            try OffRampDynamicConfig(&cursor)
        }
    }

    package static func latestConfigDetails(_ plugin: PluginType) -> ContractCall<OCRConfigDetails> {
        ContractCall(OffRampInterface.latestConfigDetails, [.uint(UInt64(plugin.rawValue))]) {
            cursor throws(CCIPError) in try OCRConfigDetails(&cursor)
        }
    }

    package static func latestPriceSequenceNumber() -> ContractCall<UInt64> {
        ContractCall(OffRampInterface.getLatestPriceSequenceNumber) { cursor throws(CCIPError) in try cursor.uint64() }
    }

    package static func executionState(
        _ source: ChainSelector, _ number: SequenceNumber
    ) -> ContractCall<MessageExecutionState> {
        ContractCall(OffRampInterface.getExecutionState, [.uint(source.rawValue), .uint(number.rawValue)]) {
            cursor throws(CCIPError) in try cursor.executionState()
        }
    }

    /// Seconds of the commit, 0 when the root is unknown.
    package static func merkleRoot(_ source: ChainSelector, _ root: Hash32) -> ContractCall<U256> {
        ContractCall(OffRampInterface.getMerkleRoot, [.uint(source.rawValue), .hash(root)]) {
            cursor throws(CCIPError) in try cursor.uint256()
        }
    }
}

package enum OnRampCalls {
    package static func staticConfig() -> ContractCall<OnRampStaticConfig> {
        ContractCall(OnRampInterface.getStaticConfig) { cursor throws(CCIPError) in try OnRampStaticConfig(&cursor) }
    }

    package static func dynamicConfig() -> ContractCall<OnRampDynamicConfig> {
        ContractCall(OnRampInterface.getDynamicConfig) { cursor throws(CCIPError) in try OnRampDynamicConfig(&cursor) }
    }

    package static func destination(_ destination: ChainSelector) -> ContractCall<OnRampDestination> {
        ContractCall(OnRampInterface.getDestChainConfig, [.uint(destination.rawValue)]) { cursor throws(CCIPError) in
            OnRampDestination(
                sequenceNumber: try cursor.sequenceNumber(), allowlistEnabled: try cursor.bool(),
                router: try cursor.address())
        }
    }

    package static func expectedNextSequenceNumber(_ destination: ChainSelector) -> ContractCall<SequenceNumber> {
        ContractCall(OnRampInterface.getExpectedNextSequenceNumber, [.uint(destination.rawValue)]) {
            cursor throws(CCIPError) in try cursor.sequenceNumber()
        }
    }
}

package enum RouterCalls {
    /// Zero when there is no lane.
    package static func onRamp(_ destination: ChainSelector) -> ContractCall<Address> {
        ContractCall(RouterInterface.getOnRamp, [.uint(destination.rawValue)]) { cursor throws(CCIPError) in
            try cursor.address()
        }
    }

    package static func offRamps() -> ContractCall<[(ChainSelector, Address)]> {
        ContractCall(RouterInterface.getOffRamps) { cursor throws(CCIPError) in
            try cursor.array { item throws(CCIPError) in
                var fields = try item.tuple()
                return (try fields.selector(), try fields.address())
            }
        }
    }

    package static func fee(_ destination: ChainSelector, _ message: EVM2AnyMessage) -> ContractCall<U256> {
        ContractCall(RouterInterface.getFee, [.uint(destination.rawValue), message.abi]) { cursor throws(CCIPError) in
            try cursor.uint256()
        }
    }

    package static func isChainSupported(_ destination: ChainSelector) -> ContractCall<Bool> {
        ContractCall(RouterInterface.isChainSupported, [.uint(destination.rawValue)]) { cursor throws(CCIPError) in
            try cursor.bool()
        }
    }

    package static func wrappedNative() -> ContractCall<Address> {
        ContractCall(RouterInterface.getWrappedNative) { cursor throws(CCIPError) in try cursor.address() }
    }

    /// Call data of `ccipSend`; its answer is the message id.
    package static func send(_ destination: ChainSelector, _ message: EVM2AnyMessage) -> Bytes {
        RouterInterface.ccipSend.selector
            + ABICodec.encode([.uint(destination.rawValue), message.abi], as: RouterInterface.ccipSend.inputs)
    }

    /// Strict inverse of `send`.
    package static func decodeSend(_ callData: Bytes) throws(CCIPError) -> (ChainSelector, EVM2AnyMessage) {
        guard callData.starts(with: RouterInterface.ccipSend.selector) else {
            throw CCIPError(.malformedMessage, "the call data is no ccipSend", hint: "selector 0x96f4e9f9")
        }
        var cursor = try ABICodec.decode(
            Bytes(callData.dropFirst(4)), as: RouterInterface.ccipSend.inputs, .malformedMessage, "ccipSend")
        return (try cursor.selector(), try EVM2AnyMessage(&cursor))
    }
}

package enum FeeQuoterCalls {
    package static func destinationChainConfig(
        _ destination: ChainSelector
    ) -> ContractCall<DestinationChainConfig> {
        ContractCall(FeeQuoterInterface.getDestChainConfig, [.uint(destination.rawValue)]) {
            cursor throws(CCIPError) in try DestinationChainConfig(&cursor)
        }
    }

    package static func gasPrice(_ destination: ChainSelector) -> ContractCall<TimestampedPrice> {
        ContractCall(FeeQuoterInterface.getDestinationChainGasPrice, [.uint(destination.rawValue)]) {
            cursor throws(CCIPError) in try TimestampedPrice(&cursor)
        }
    }

    package static func tokenPrice(_ token: Address) -> ContractCall<TimestampedPrice> {
        ContractCall(FeeQuoterInterface.getTokenPrice, [.address(token)]) { cursor throws(CCIPError) in
            try TimestampedPrice(&cursor)
        }
    }

    package static func tokenPrices(_ tokens: [Address]) -> ContractCall<[TimestampedPrice]> {
        ContractCall(FeeQuoterInterface.getTokenPrices, [.array(tokens.map { .address($0) })]) {
            cursor throws(CCIPError) in
            try cursor.array { item throws(CCIPError) in try TimestampedPrice(&item) }
        }
    }

    package static func feeTokens() -> ContractCall<[Address]> {
        ContractCall(FeeQuoterInterface.getFeeTokens) { cursor throws(CCIPError) in
            try cursor.array { item throws(CCIPError) in try item.address() }
        }
    }
}

package enum NonceManagerCalls {
    /// `sender` is the message's sender bytes: 32 for EVM sources.
    package static func inboundNonce(_ source: ChainSelector, _ sender: Bytes) -> ContractCall<UInt64> {
        ContractCall(NonceManagerInterface.getInboundNonce, [.uint(source.rawValue), .bytes(sender)]) {
            cursor throws(CCIPError) in try cursor.uint64()
        }
    }

    package static func outboundNonce(_ destination: ChainSelector, _ sender: Address) -> ContractCall<UInt64> {
        ContractCall(NonceManagerInterface.getOutboundNonce, [.uint(destination.rawValue), .address(sender)]) {
            cursor throws(CCIPError) in try cursor.uint64()
        }
    }
}

/// What an RMNRemote (or the proxy before it) has cursed.
package struct CursedSubjects: Hashable, Sendable {
    /// 16 bytes each.
    package let subjects: [Bytes]

    package init(_ subjects: [Bytes]) { self.subjects = subjects }

    package var isGlobal: Bool { subjects.contains(CurseSubject.global) }
    /// The chain itself, or everything.
    package func covers(_ chain: ChainSelector) -> Bool { isGlobal || subjects.contains(chain.curseSubject) }
}

package enum RMNRemoteCalls {
    package static func cursedSubjects() -> ContractCall<CursedSubjects> {
        ContractCall(RMNRemoteInterface.getCursedSubjects) { cursor throws(CCIPError) in
            CursedSubjects(try cursor.array { item throws(CCIPError) in try item.bytes() })
        }
    }

    package static func isCursed(_ chain: ChainSelector) -> ContractCall<Bool> {
        ContractCall(RMNRemoteInterface.isCursedSubject, [.bytes(chain.curseSubject)]) { cursor throws(CCIPError) in
            try cursor.bool()
        }
    }

    /// Works at the proxy too, which forwards everything but its own functions.
    package static func versionedConfig() -> ContractCall<RMNVersionedConfig> {
        ContractCall(RMNRemoteInterface.getVersionedConfig) { cursor throws(CCIPError) in
            try RMNVersionedConfig(&cursor)
        }
    }

    /// The contract behind an ARMProxy; an RMNRemote itself reverts.
    package static func arm() -> ContractCall<Address> {
        ContractCall(RMNRemoteInterface.getARM) { cursor throws(CCIPError) in try cursor.address() }
    }
}

package enum TokenCalls {
    package static func balance(of account: Address) -> ContractCall<U256> {
        ContractCall(ERC20Interface.balanceOf, [.address(account)]) { cursor throws(CCIPError) in
            try cursor.uint256()
        }
    }

    package static func allowance(_ owner: Address, _ spender: Address) -> ContractCall<U256> {
        ContractCall(ERC20Interface.allowance, [.address(owner), .address(spender)]) { cursor throws(CCIPError) in
            try cursor.uint256()
        }
    }

    package static func decimals() -> ContractCall<UInt8> {
        ContractCall(ERC20Interface.decimals) { cursor throws(CCIPError) in try cursor.uint8() }
    }

    package static func symbol() -> ContractCall<String> {
        ContractCall(ERC20Interface.symbol) { cursor throws(CCIPError) in try cursor.string() }
    }

    /// Zero when the registry knows no pool.
    package static func pool(of token: Address) -> ContractCall<Address> {
        ContractCall(TokenAdminRegistryInterface.getPool, [.address(token)]) { cursor throws(CCIPError) in
            try cursor.address()
        }
    }

    package static func approve(_ spender: Address, _ amount: U256) -> Bytes {
        ERC20Interface.approve.selector
            + ABICodec.encode([.address(spender), .uint(amount)], as: ERC20Interface.approve.inputs)
    }

    package static func typeAndVersion() -> ContractCall<String> {
        ContractCall(OwnableInterface.typeAndVersion) { cursor throws(CCIPError) in try cursor.string() }
    }
}

/// `(tokens, lastUpdated, isEnabled, capacity, rate)` as of now.
package enum TokenPoolCalls {
    package static func inboundRateLimit(_ remote: ChainSelector) -> ContractCall<TokenBucket> {
        bucket(TokenPoolInterface.getCurrentInboundRateLimiterState, remote)
    }

    package static func outboundRateLimit(_ remote: ChainSelector) -> ContractCall<TokenBucket> {
        bucket(TokenPoolInterface.getCurrentOutboundRateLimiterState, remote)
    }

    private static func bucket(_ function: ABIFunction, _ remote: ChainSelector) -> ContractCall<TokenBucket> {
        ContractCall(function, [.uint(remote.rawValue)]) { cursor throws(CCIPError) in
            var fields = try cursor.tuple()
            return TokenBucket(
                tokens: try fields.uint256(), lastUpdated: UInt64(try fields.uint32()), isEnabled: try fields.bool(),
                capacity: try fields.uint256(), rate: try fields.uint256())
        }
    }
}

// Every event and every transaction of the CCIP 1.6 contracts (annexes A and B of the on-chain specification), with the
// names of their arguments: what `causeway show` decodes transactions and logs with.

import Ethereum

/// A decoded call or log: its name and its arguments by theirs.
package struct NamedCall: Sendable {
    package let name: String
    package let arguments: [(name: String, value: ABIValue)]
}

package enum ContractCatalogue {
    private struct Entry: Sendable {
        var types: [String] = []
        var names: [String] = []
        var indexed: Set<Int> = []
        let name: String

        /// Reads `Name(type indexed name, type name)`; types may hold commas in brackets.
        init(_ line: Substring) {
            guard let open = line.firstIndex(of: "("), line.last == ")" else {
                preconditionFailure("no entry: \(line)")
            }
            name = String(line[..<open])
            var depth = 0
            var part = ""
            for letter in String(line[line.index(after: open)...].dropLast()) + "," {
                if letter == ",", depth == 0 {
                    let words = part.split(separator: " ")
                    if let type = words.first, let name = words.last, words.count >= 2 {
                        if words.count == 3 { indexed.insert(types.count) }
                        types.append(String(type))
                        names.append(String(name))
                    }
                    part = ""
                    continue
                }
                if letter == "(" { depth += 1 }
                if letter == ")" { depth -= 1 }
                part.append(letter)
            }
        }

        var signature: String { "\(name)(\(types.joined(separator: ",")))" }
    }

    /// Looked up only, never iterated. Two contracts may declare an event with other indexed arguments.
    private static let eventsByTopic: [Hash32: (event: ABIEvent, names: [String])] = {
        var table: [Hash32: (event: ABIEvent, names: [String])] = [:]
        for line in events.split(separator: "\n") {
            let entry = Entry(line)
            let event = ABIEvent(constant: entry.signature, indexed: entry.indexed)
            table[event.topic] = (event, entry.names)
        }
        return table
    }()

    private static let callsBySelector: [Bytes: (function: ABIFunction, names: [String])] = {
        var table: [Bytes: (function: ABIFunction, names: [String])] = [:]
        for line in transactions.split(separator: "\n") {
            let entry = Entry(line)
            let function = ABIFunction(constant: entry.signature)
            table[function.selector] = (function, entry.names)
        }
        return table
    }()

    package static var eventCount: Int { eventsByTopic.count }
    package static var transactionCount: Int { callsBySelector.count }

    /// Nil for a log that no contract of CCIP 1.6 writes, or that does not decode.
    package static func event(topics: [Hash32], data: Bytes) -> NamedCall? {
        guard let topic = topics.first, let known = eventsByTopic[topic],
            let values = try? known.event.decode(topics: topics, data: data)
        else { return nil }
        return NamedCall(name: known.event.name, arguments: Array(zip(known.names, values)).map { ($0, $1) })
    }

    /// Nil for call data that no contract of CCIP 1.6 takes, or that does not decode.
    package static func call(_ data: Bytes) -> NamedCall? {
        guard data.count >= 4, let known = callsBySelector[Bytes(data.prefix(4))],
            let values = try? known.function.decodeCall(data, .solidity)
        else { return nil }
        return NamedCall(name: known.function.name, arguments: Array(zip(known.names, values)).map { ($0, $1) })
    }

    private static let events = """
        ARMSet(address arm)
        ActiveConfigRevoked(bytes32 indexed configDigest)
        AdministratorRegistered(address indexed token, address indexed administrator)
        AdministratorTransferRequested(address indexed token, address indexed currentAdmin, address indexed newAdmin)
        AdministratorTransferred(address indexed token, address indexed newAdmin)
        AllowListAdd(address sender)
        AllowListAdminSet(address indexed allowlistAdmin)
        AllowListRemove(address sender)
        AllowListSendersAdded(uint64 indexed destChainSelector, address[] senders)
        AllowListSendersRemoved(uint64 indexed destChainSelector, address[] senders)
        AllowedCallerAdded(address indexed caller)
        AllowedCallerRemoved(address indexed caller)
        AlreadyAttempted(uint64 sourceChainSelector, uint64 sequenceNumber)
        Approval(address indexed owner, address indexed spender, uint256 value)
        AuthorizedCallerAdded(address caller)
        AuthorizedCallerRemoved(address caller)
        BurnAccessGranted(address burner)
        BurnAccessRevoked(address burner)
        Burned(address indexed sender, uint256 amount)
        CCIPAdminTransferred(address indexed previousAdmin, address indexed newAdmin)
        CCIPMessageSent(uint64 indexed destChainSelector, uint64 indexed sequenceNumber, ((bytes32,uint64,uint64,\
        uint64,uint64),address,bytes,bytes,bytes,address,uint256,uint256,(address,bytes,bytes,uint256,\
        bytes)[]) message)
        CandidateConfigRevoked(bytes32 indexed configDigest)
        CapabilityConfigurationSet()
        ChainAdded(uint64 remoteChainSelector, bytes remoteToken, (bool,uint128,uint128) outboundRateLimiterConfig,\
         (bool,uint128,uint128) inboundRateLimiterConfig)
        ChainConfigRemoved(uint64 chainSelector)
        ChainConfigSet(uint64 chainSelector, (bytes32[],uint8,bytes) chainConfig)
        ChainConfigured(uint64 remoteChainSelector, (bool,uint128,uint128) outboundRateLimiterConfig, (bool,uint128,\
        uint128) inboundRateLimiterConfig)
        ChainRemoved(uint64 remoteChainSelector)
        ChainSiloed(uint64 remoteChainSelector, address rebalancer)
        ChainUnsiloed(uint64 remoteChainSelector, uint256 amountUnsiloed)
        CommitReportAccepted((uint64,bytes,uint64,uint64,bytes32)[] blessedMerkleRoots, (uint64,bytes,uint64,uint64,\
        bytes32)[] unblessedMerkleRoots, ((address,uint224)[],(uint64,uint224)[]) priceUpdates)
        ConfigChanged((bool,uint128,uint128) config)
        ConfigPromoted(bytes32 indexed configDigest)
        ConfigSet((uint64,address,address,address) staticConfig, (address,bool,address,address,address) dynamicConfig)
        ConfigSet(address tokenMessenger)
        ConfigSet(bytes32 indexed configDigest, uint32 version, ((bytes32,bytes32)[],bytes) staticConfig, ((uint64,\
        uint64,uint256)[],bytes) dynamicConfig)
        ConfigSet(bytes32 indexed configDigest, uint32 version, (uint8,uint64,uint8,uint64,bytes,bytes,(bytes32,\
        bytes,bytes)[],bytes) config)
        ConfigSet(uint32 indexed version, (bytes32,(address,uint64)[],uint64) config)
        ConfigSet(uint8 ocrPluginType, bytes32 configDigest, address[] signers, address[] transmitters, uint8 F)
        Cursed(bytes16[] subjects)
        Deposit(address indexed dst, uint256 wad)
        DestChainAdded(uint64 indexed destChainSelector, (bool,uint16,uint32,uint32,uint32,uint8,uint8,uint16,uint32,\
        uint16,uint16,bytes4,bool,uint16,uint32,uint32,uint64,uint32,uint32) destChainConfig)
        DestChainConfigSet(uint64 indexed destChainSelector, uint64 sequenceNumber, address router,\
         bool allowlistEnabled)
        DestChainConfigUpdated(uint64 indexed destChainSelector, (bool,uint16,uint32,uint32,uint32,uint8,uint8,\
        uint16,uint32,uint16,uint16,bytes4,bool,uint16,uint32,uint32,uint64,uint32,uint32) destChainConfig)
        DomainsSet((bytes32,bytes32,uint32,uint64,bool)[] _)
        DomainsSet((bytes32,uint32,uint64,bool)[] _)
        DynamicConfigSet((address,uint32,address) dynamicConfig)
        DynamicConfigSet(bytes32 indexed configDigest, ((uint64,uint64,uint256)[],bytes) dynamicConfig)
        ExecutionStateChanged(uint64 indexed sourceChainSelector, uint64 indexed sequenceNumber,\
         bytes32 indexed messageId, bytes32 messageHash, uint8 state, bytes returnData, uint256 gasUsed)
        FeeQuoterSet(address newFeeQuoter)
        FeeTokenAdded(address indexed feeToken)
        FeeTokenRemoved(address indexed feeToken)
        FeeTokenWithdrawn(address indexed feeAggregator, address indexed feeToken, uint256 amount)
        InboundRateLimitConsumed(uint64 indexed remoteChainSelector, address token, uint256 amount)
        LiquidityAdded(address indexed provider, uint256 indexed amount)
        LiquidityAdded(uint64 remoteChainSelector, address indexed provider, uint256 amount)
        LiquidityRemoved(address indexed provider, uint256 indexed amount)
        LiquidityRemoved(uint64 remoteChainSelector, address indexed remover, uint256 amount)
        LiquidityTransferred(address indexed from, uint256 amount)
        Locked(address indexed sender, uint256 amount)
        LockedOrBurned(uint64 indexed remoteChainSelector, address token, address sender, uint256 amount)
        MessageExecuted(bytes32 messageId, uint64 sourceChainSelector, address offRamp, bytes32 calldataHash)
        MintAccessGranted(address minter)
        MintAccessRevoked(address minter)
        Minted(address indexed sender, address indexed recipient, uint256 amount)
        OffRampAdded(uint64 indexed sourceChainSelector, address offRamp)
        OffRampRemoved(uint64 indexed sourceChainSelector, address offRamp)
        OnRampSet(uint64 indexed destChainSelector, address onRamp)
        OutboundRateLimitConsumed(uint64 indexed remoteChainSelector, address token, uint256 amount)
        OwnershipTransferRequested(address indexed from, address indexed to)
        OwnershipTransferred(address indexed from, address indexed to)
        PoolSet(address indexed token, address indexed previousPool, address indexed newPool)
        PremiumMultiplierWeiPerEthUpdated(address indexed token, uint64 premiumMultiplierWeiPerEth)
        PreviousRampsUpdated(uint64 indexed remoteChainSelector, (address,address) prevRamp)
        PriceFeedPerTokenUpdated(address indexed token, (address,uint8,bool) priceFeedConfig)
        RateLimitAdminSet(address rateLimitAdmin)
        RateLimiterConfigUpdated(uint64 indexed remoteChainSelector, bool isOutboundLane, (bool,uint128,\
        uint128) config)
        RebalancerSet(address oldRebalancer, address newRebalancer)
        RegistryModuleAdded(address module)
        RegistryModuleRemoved(address indexed module)
        Released(address indexed sender, address indexed recipient, uint256 amount)
        ReleasedOrMinted(uint64 indexed remoteChainSelector, address token, address sender, address recipient,\
         uint256 amount)
        RemoteChainConfigUpdated(uint64 indexed remoteChainSelector, (address,address,address,\
        uint8) remoteChainConfig)
        RemotePoolAdded(uint64 indexed remoteChainSelector, bytes remotePoolAddress)
        RemotePoolRemoved(uint64 indexed remoteChainSelector, bytes remotePoolAddress)
        ReportPermissionSet(bytes32 indexed reportId, (address,bytes10,bytes2,address,bool) permission)
        RootRemoved(bytes32 root)
        RouterUpdated(address oldRouter, address newRouter)
        SiloRebalancerSet(uint64 indexed remoteChainSelector, address oldRebalancer, address newRebalancer)
        SkippedAlreadyExecutedMessage(uint64 sourceChainSelector, uint64 sequenceNumber)
        SkippedIncorrectNonce(uint64 sourceChainSelector, uint64 nonce, bytes sender)
        SkippedReportExecution(uint64 sourceChainSelector)
        SourceChainConfigSet(uint64 indexed sourceChainSelector, (address,bool,uint64,bool,bytes) sourceConfig)
        SourceChainSelectorAdded(uint64 sourceChainSelector)
        StaticConfigSet((uint64,uint16,address,address,address) staticConfig)
        TokenAggregateRateLimitAdded(uint64 remoteChainSelector, bytes remoteToken, address localToken)
        TokenAggregateRateLimitRemoved(uint64 remoteChainSelector, address localToken)
        TokenTransferFeeConfigDeleted(uint64 indexed destChainSelector, address indexed token)
        TokenTransferFeeConfigUpdated(uint64 indexed destChainSelector, address indexed token, (uint32,uint32,uint16,\
        uint32,uint32,bool) tokenTransferFeeConfig)
        TokensConsumed(uint256 tokens)
        Transfer(address indexed from, address indexed to, uint256 value)
        Transmitted(uint8 indexed ocrPluginType, bytes32 configDigest, uint64 sequenceNumber)
        Uncursed(bytes16[] subjects)
        UnsiloedRebalancerSet(address oldRebalancer, address newRebalancer)
        UsdPerTokenUpdated(address indexed token, uint256 value, uint256 timestamp)
        UsdPerUnitGasUpdated(uint64 indexed destChain, uint256 value, uint256 timestamp)
        Withdrawal(address indexed src, uint256 wad)
        """

    private static let transactions = """
        acceptAdminRole(address localToken)
        acceptOwnership()
        addRegistryModule(address module)
        addRemotePool(uint64 remoteChainSelector, bytes remotePoolAddress)
        applyAllowListUpdates(address[] removes, address[] adds)
        applyAllowlistUpdates((uint64,bool,address[],address[])[] allowlistConfigArgsItems)
        applyAuthorizedCallerUpdates((address[],address[]) authorizedCallerArgs)
        applyChainConfigUpdates(uint64[] chainSelectorRemoves, (uint64,(bytes32[],uint8,bytes))[] chainConfigAdds)
        applyChainUpdates(uint64[] remoteChainSelectorsToRemove, (uint64,bytes[],bytes,(bool,uint128,uint128),(bool,\
        uint128,uint128))[] chainsToAdd)
        applyDestChainConfigUpdates((uint64,(bool,uint16,uint32,uint32,uint32,uint8,uint8,uint16,uint32,uint16,\
        uint16,bytes4,bool,uint16,uint32,uint32,uint64,uint32,uint32))[] destChainConfigArgs)
        applyDestChainConfigUpdates((uint64,address,bool)[] destChainConfigArgs)
        applyFeeTokensUpdates(address[] feeTokensToRemove, address[] feeTokensToAdd)
        applyPremiumMultiplierWeiPerEthUpdates((address,uint64)[] premiumMultiplierWeiPerEthArgs)
        applyPreviousRampsUpdates((uint64,bool,(address,address))[] previousRampsArgs)
        applyRampUpdates((uint64,address)[] onRampUpdates, (uint64,address)[] offRampRemoves, (uint64,\
        address)[] offRampAdds)
        applyRateLimiterConfigUpdates((uint64,bool,(bool,uint128,uint128))[] rateLimiterUpdates)
        applySourceChainConfigUpdates((address,uint64,bool,bool,bytes)[] sourceChainConfigUpdates)
        applyTokenTransferFeeConfigUpdates((uint64,(address,(uint32,uint32,uint16,uint32,uint32,\
        bool))[])[] tokenTransferFeeConfigArgs, (uint64,address)[] tokensToUseDefaultFeeConfigs)
        approve(address spender, uint256 amount)
        beforeCapabilityConfigSet(bytes32[] _, bytes update, uint64 _, uint32 donId)
        burn(address account, uint256 amount)
        burn(uint256 amount)
        burnFrom(address account, uint256 amount)
        ccipReceive((bytes32,uint64,bytes,bytes,(address,uint256)[]) message)
        ccipSend(uint64 destinationChainSelector, (bytes,bytes,(address,uint256)[],address,bytes) message)
        commit(bytes32[2] reportContext, bytes report, bytes32[] rs, bytes32[] ss, bytes32 rawVs)
        configureAllowedCallers((address,bool)[] configArgs)
        curse(bytes16 subject)
        curse(bytes16[] subjects)
        decreaseAllowance(address spender, uint256 subtractedValue)
        decreaseApproval(address spender, uint256 subtractedValue)
        deployTokenAndTokenPool((uint64,bytes,bytes,(address,address,address,uint8),uint8,bytes,bytes,(bool,uint128,\
        uint128))[] remoteTokenPools, uint8 localTokenDecimals, bytes tokenInitCode, bytes tokenPoolInitCode,\
         bytes32 salt)
        deployTokenPoolWithExistingToken(address token, uint8 localTokenDecimals, (uint64,bytes,bytes,(address,\
        address,address,uint8),uint8,bytes,bytes,(bool,uint128,uint128))[] remoteTokenPools, bytes tokenPoolInitCode,\
         bytes32 salt, uint8 poolType)
        deposit()
        execute(bytes32[2] reportContext, bytes report)
        executeSingleMessage(((bytes32,uint64,uint64,uint64,uint64),bytes,bytes,address,uint256,(bytes,address,\
        uint32,bytes,uint256)[]) message, bytes[] offchainTokenData, uint32[] tokenGasOverrides)
        forwardFromRouter(uint64 destChainSelector, (bytes,bytes,(address,uint256)[],address,bytes) message,\
         uint256 feeTokenAmount, address originalSender)
        getIncrementedOutboundNonce(uint64 destChainSelector, address sender)
        grantBurnRole(address burner)
        grantMintAndBurnRoles(address burnAndMinter)
        grantMintRole(address minter)
        increaseAllowance(address spender, uint256 addedValue)
        increaseApproval(address spender, uint256 addedValue)
        incrementInboundNonce(uint64 sourceChainSelector, uint64 expectedNonce, bytes sender)
        lockOrBurn((bytes,uint64,address,uint256,address) lockOrBurnIn)
        manuallyExecute((uint64,((bytes32,uint64,uint64,uint64,uint64),bytes,bytes,address,uint256,(bytes,address,\
        uint32,bytes,uint256)[])[],bytes[][],bytes32[],uint256)[] reports, (uint256,uint32[])[][] gasLimitOverrides)
        mint(address account, uint256 amount)
        onInboundMessage((bytes32,uint64,bytes,bytes,(address,uint256)[]) message)
        onOutboundMessage(uint64 destChainSelector, (bytes,bytes,(address,uint256)[],address,bytes) message)
        onReport(bytes metadata, bytes report)
        promoteCandidateAndRevokeActive(bytes32 digestToPromote, bytes32 digestToRevoke)
        promoteCandidateAndRevokeActive(uint32 donId, uint8 pluginType, bytes32 digestToPromote,\
         bytes32 digestToRevoke)
        proposeAdministrator(address localToken, address administrator)
        provideLiquidity(uint256 amount)
        provideSiloedLiquidity(uint64 remoteChainSelector, uint256 amount)
        receiveMessage(bytes message, bytes attestation)
        recoverTokens(address tokenAddress, address to, uint256 amount)
        registerAccessControlDefaultAdmin(address token)
        registerAdminViaGetCCIPAdmin(address token)
        registerAdminViaOwner(address token)
        releaseOrMint((bytes,uint64,address,uint256,address,bytes,bytes,bytes) releaseOrMintIn)
        removeRegistryModule(address module)
        removeRemotePool(uint64 remoteChainSelector, bytes remotePoolAddress)
        revokeBurnRole(address burner)
        revokeCandidate(bytes32 configDigest)
        revokeCandidate(uint32 donId, uint8 pluginType, bytes32 configDigest)
        revokeMintRole(address minter)
        routeMessage((bytes32,uint64,bytes,bytes,(address,uint256)[]) message, uint16 gasForCallExactCheck,\
         uint256 gasLimit, address receiver)
        setARM(address arm)
        setCCIPAdmin(address newAdmin)
        setCandidate(((bytes32,bytes32)[],bytes) staticConfig, ((uint64,uint64,uint256)[],bytes) dynamicConfig,\
         bytes32 digestToOverwrite)
        setCandidate(uint32 donId, uint8 pluginType, (uint8,uint64,uint8,uint64,bytes,bytes,(bytes32,bytes,bytes)[],\
        bytes) config, bytes32 digestToOverwrite)
        setChainRateLimiterConfig(uint64 remoteChainSelector, (bool,uint128,uint128) outboundConfig, (bool,uint128,\
        uint128) inboundConfig)
        setChainRateLimiterConfigs(uint64[] remoteChainSelectors, (bool,uint128,uint128)[] outboundConfigs, (bool,\
        uint128,uint128)[] inboundConfigs)
        setConfig((bytes32,(address,uint64)[],uint64) newConfig)
        setDomains((bytes32,bytes32,uint32,uint64,bool)[] domains)
        setDomains((bytes32,uint32,uint64,bool)[] domains)
        setDynamicConfig(((uint64,uint64,uint256)[],bytes) newDynamicConfig, bytes32 currentDigest)
        setDynamicConfig((address,bool,address,address,address) dynamicConfig)
        setDynamicConfig((address,uint32,address) dynamicConfig)
        setFeeQuoter(address newFeeQuoter)
        setOCR3Configs((bytes32,uint8,uint8,bool,address[],address[])[] ocrConfigArgs)
        setPool(address localToken, address pool)
        setRateLimitAdmin(address rateLimitAdmin)
        setRebalancer(address newRebalancer)
        setReportPermissions((address,bytes10,bytes2,address,bool)[] permissions)
        setRouter(address newRouter)
        setSiloRebalancer(uint64 remoteChainSelector, address newRebalancer)
        setWrappedNative(address wrappedNative)
        transfer(address to, uint256 amount)
        transferAdminRole(address localToken, address newAdmin)
        transferFrom(address from, address to, uint256 amount)
        transferLiquidity(address from, uint256 amount)
        transferOwnership(address to)
        uncurse(bytes16 subject)
        uncurse(bytes16[] subjects)
        updatePrices(((address,uint224)[],(uint64,uint224)[]) priceUpdates)
        updateRateLimitTokens((uint64,address)[] removes, ((uint64,address),bytes)[] adds)
        updateSiloDesignations(uint64[] removes, (uint64,address)[] adds)
        updateTokenPriceFeeds((address,(address,uint8,bool))[] tokenPriceFeedUpdates)
        withdraw(uint256 wad)
        withdrawFeeTokens(address[] feeTokens)
        withdrawLiquidity(uint256 amount)
        withdrawSiloedLiquidity(uint64 remoteChainSelector, uint256 amount)
        """
}

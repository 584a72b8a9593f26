// Every selector and topic of the interfaces against the numbers that the specification lists.

import CCIP
import Ethereum
import Testing

@testable import CCIP

@Suite("Contract interfaces")
struct InterfaceTests {
    @Test(
        "error selectors are those of the contracts", arguments: zip(ErrorSignatures.all, InterfaceTests.errorSelectors)
    )
    func errors(signature: String, selector: String) throws {
        #expect(Hex.encode(try ABIFunction(signature).selector) == selector)
    }

    @Test("the list of errors is complete")
    func errorCount() {
        #expect(ErrorSignatures.all.count == 209 && Self.errorSelectors.count == 209)
        #expect(RevertTable.bySelector.count == 215, "no two errors share a selector, those of tokens included")
    }

    static let errorSelectors: [String] = [
        "0x9fabe1c1", "0xf94ebcd1", "0x15279c08", "0x35f4a7b3", "0x19d5c79b", "0x45ed80e9", "0xc1483715",
        "0x9725942a", "0x728fe07b", "0x371a7328", "0xc454d182", "0x5cf04449", "0xdad89dca", "0x1d5ad3c5",
        "0xa9902c7e", "0x46f5f12b", "0x1bd4d2d2", "0x698cf8e0", "0xb80d8fa9", "0x93df584c", "0xace124bc",
        "0x4ca249dc", "0x53ad11d8", "0xfdbd6a72", "0x8a6e4ce8", "0x10cb51d1", "0x99ac52f2", "0xd0b2c031",
        "0xd68af9cc", "0xae00651d", "0x28cae27d", "0x221a8ae8", "0x3857f84d", "0xc2e5347d", "0xced9e496",
        "0x08c379a0", "0x2b11b8d9", "0xee433e99", "0xa9b3766e", "0x2db22040", "0x4856694e", "0xb06ebf3d",
        "0xe417b80b", "0x2502348c", "0x0f01ce85", "0x9e7177c8", "0xcf479181", "0x07da6ee6", "0xea7f4b12",
        "0x2882569d", "0xbb55fd27", "0xa17e11d5", "0xe0d7fb02", "0x463258ff", "0xab4c44f0", "0x2ee82075",
        "0xd9a9cd68", "0x35be3ac8", "0x367f56a2", "0x78ef8024", "0x655a7c0e", "0x7be225b6", "0x24ecdc02",
        "0xc35aa79d", "0x77e48026", "0xa606c635", "0xa087bd29", "0x8d666f60", "0x0389caa2", "0xb00b53dc",
        "0x5247fdce", "0x0b4f67a2", "0xd5e0f0d6", "0x7531a8c6", "0x48e617b3", "0x38432a22", "0x758b22cc",
        "0x68d2f8d6", "0x960693cd", "0x24ff10b0", "0x22e102a0", "0x1841b4e1", "0x926c5a3e", "0x9fa40314",
        "0xf917ffea", "0x420b006e", "0x3302dbd7", "0xb534f0f4", "0x09bde339", "0x8020d124", "0xa3c8cf09",
        "0x26a78f8f", "0x953576f7", "0x74f23c7c", "0x504570e3", "0xafa93308", "0x12ba286f", "0x8baa579f",
        "0x44851517", "0xe366a117", "0x24eb47e5", "0x04bbdfd0", "0xd794ef95", "0x373b0e44", "0x961c9a4f",
        "0xb5d1ce28", "0x3785f8f1", "0x962b60e6", "0x5bed5192", "0x54642676", "0xa176027f", "0xf6b2911f",
        "0x0a7c4edd", "0x11a6b264", "0xa90c0d19", "0xe93f8fa4", "0x70a193fd", "0x83e3f564", "0xa9cfc862",
        "0xcbbf1113", "0x2e2b0c29", "0x6a92a483", "0x4c4fc93a", "0x86933789", "0x09c25325", "0x568efce2",
        "0x1c0a3529", "0x02b543c6", "0x0c3b563c", "0xafa32a2c", "0x7b4d1e4f", "0x1e670e4b", "0xf67bc7c4",
        "0xae9b4ce9", "0x73281fa1", "0x37c3be29", "0xa804bcb3", "0x014c5020", "0x548dd21f", "0x49647790",
        "0x358c1927", "0xed5d85b5", "0x2b5c74de", "0x905d7d9b", "0xac7a7efd", "0xd2316ede", "0x3edffe75",
        "0x51ca1ec3", "0xd6c62c9b", "0xaf26d5e3", "0x2847b606", "0xbbe15e7f", "0xa9cb113d", "0x9b15e16f",
        "0x4e487b71", "0x393b8ad2", "0xc6117ae2", "0x9a655f7b", "0xdee98574", "0x433fc33d", "0x0a8d6e8c",
        "0x3ee5aeb5", "0xa966e21f", "0x097e17ff", "0x86e0b344", "0x0849d8cc", "0x32cf0cbf", "0x91c57266",
        "0x7dd17a7e", "0xa4ec7479", "0xd0d25976", "0xc820b10b", "0xe2c8c9d5", "0xf718e9a0", "0x2f7b1ba2",
        "0xa75d88af", "0xed053c59", "0x6c95f1eb", "0x36f536ca", "0x22611167", "0xf08bcb3e", "0x87f6037c",
        "0x59fa4a93", "0x1cfe6d8b", "0x9fe2f95a", "0x1a76572a", "0x06439c6b", "0xd0c8d23a", "0x8a0d71f7",
        "0x1b925da6", "0xc327a56c", "0x8e4a23d6", "0xd86ad9cf", "0xca31867a", "0xda0f08e8", "0xaaaa9141",
        "0x57e0e083", "0xd201c48a", "0xbf969f22", "0xae236d9c", "0xd88dddd6", "0xbf16aab6", "0x8e1192e1",
        "0x71253a25", "0xd92e233d", "0x14c880ca", "0x8579befe", "0xc6560895", "0x9cf8540c",
    ]

    @Test("function selectors are those of the contracts", arguments: InterfaceTests.functions)
    func functionSelector(function: ABIFunction, selector: String) {
        #expect(Hex.encode(function.selector) == selector, "\(function.signature)")
    }

    @Test("the list of functions is complete")
    func functionCount() { #expect(Self.functions.count == 132) }

    static let functions: [(ABIFunction, String)] = [
        (RouterInterface.applyRampUpdates, "0xda5fcac8"),
        (RouterInterface.ccipSend, "0x96f4e9f9"),
        (RouterInterface.getArmProxy, "0x5246492f"),
        (RouterInterface.getFee, "0x20487ded"),
        (RouterInterface.getOffRamps, "0xa40e69c7"),
        (RouterInterface.getOnRamp, "0xa8d87a3b"),
        (RouterInterface.getSupportedTokens, "0xfbca3b74"),
        (RouterInterface.getWrappedNative, "0xe861e907"),
        (RouterInterface.isChainSupported, "0xa48a9058"),
        (RouterInterface.isOffRamp, "0x83826b2b"),
        (RouterInterface.recoverTokens, "0x5f3e849f"),
        (RouterInterface.routeMessage, "0x3cf97983"),
        (RouterInterface.setWrappedNative, "0x52cb60ca"),
        (OnRampInterface.applyAllowlistUpdates, "0xc9b146b3"),
        (OnRampInterface.applyDestChainConfigUpdates, "0x2716072b"),
        (OnRampInterface.forwardFromRouter, "0xdf0aa9e9"),
        (OnRampInterface.getAllowedSendersList, "0x972b4612"),
        (OnRampInterface.getDestChainConfig, "0x6def4ce7"),
        (OnRampInterface.getDynamicConfig, "0x7437ff9f"),
        (OnRampInterface.getExpectedNextSequenceNumber, "0x9041be3d"),
        (OnRampInterface.getFee, "0x20487ded"),
        (OnRampInterface.getPoolBySourceToken, "0x48a98aa4"),
        (OnRampInterface.getStaticConfig, "0x06285c69"),
        (OnRampInterface.getSupportedTokens, "0xfbca3b74"),
        (OnRampInterface.setDynamicConfig, "0x27e936f1"),
        (OnRampInterface.withdrawFeeTokens, "0x5cb80c5d"),
        (OffRampInterface.applySourceChainConfigUpdates, "0xcd197237"),
        (OffRampInterface.ccipReceive, "0x85572ffb"),
        (OffRampInterface.commit, "0xde5e0b9a"),
        (OffRampInterface.execute, "0xf58e03fc"),
        (OffRampInterface.executeSingleMessage, "0x60987c20"),
        (OffRampInterface.getAllSourceChainConfigs, "0x5215505b"),
        (OffRampInterface.getDynamicConfig, "0x7437ff9f"),
        (OffRampInterface.getExecutionState, "0x5e36480c"),
        (OffRampInterface.getLatestPriceSequenceNumber, "0x3f4b04aa"),
        (OffRampInterface.getMerkleRoot, "0xccd37ba3"),
        (OffRampInterface.getSourceChainConfig, "0xe9d68a8e"),
        (OffRampInterface.getStaticConfig, "0x06285c69"),
        (OffRampInterface.latestConfigDetails, "0xc673e584"),
        (OffRampInterface.manuallyExecute, "0x5e7bb008"),
        (OffRampInterface.setDynamicConfig, "0x6f9e320f"),
        (OffRampInterface.setOCR3Configs, "0xf716f99f"),
        (FeeQuoterInterface.applyAuthorizedCallerUpdates, "0x91a2749a"),
        (FeeQuoterInterface.applyDestChainConfigUpdates, "0x87b8d879"),
        (FeeQuoterInterface.applyFeeTokensUpdates, "0x7afac322"),
        (FeeQuoterInterface.applyPremiumMultiplierWeiPerEthUpdates, "0xa69c64c0"),
        (FeeQuoterInterface.applyTokenTransferFeeConfigUpdates, "0x770e2dc4"),
        (FeeQuoterInterface.convertTokenAmount, "0x0041e5be"),
        (FeeQuoterInterface.getAllAuthorizedCallers, "0x2451a627"),
        (FeeQuoterInterface.getDestChainConfig, "0x6def4ce7"),
        (FeeQuoterInterface.getDestinationChainGasPrice, "0x514e8cff"),
        (FeeQuoterInterface.getFeeTokens, "0xcdc73d51"),
        (FeeQuoterInterface.getPremiumMultiplierWeiPerEth, "0x061877e3"),
        (FeeQuoterInterface.getStaticConfig, "0x06285c69"),
        (FeeQuoterInterface.getTokenAndGasPrices, "0xffdb4b37"),
        (FeeQuoterInterface.getTokenPrice, "0xd02641a0"),
        (FeeQuoterInterface.getTokenPriceFeedConfig, "0xbf78e03f"),
        (FeeQuoterInterface.getTokenPrices, "0x45ac924d"),
        (FeeQuoterInterface.getTokenTransferFeeConfig, "0x82b49eb0"),
        (FeeQuoterInterface.getValidatedFee, "0xd8694ccd"),
        (FeeQuoterInterface.getValidatedTokenPrice, "0x4ab35b0b"),
        (FeeQuoterInterface.onReport, "0x805f2132"),
        (FeeQuoterInterface.processMessageArgs, "0x3a49bb49"),
        (FeeQuoterInterface.processPoolReturnData, "0x01447eaa"),
        (FeeQuoterInterface.setReportPermissions, "0x41ed29e7"),
        (FeeQuoterInterface.supportsInterface, "0x01ffc9a7"),
        (FeeQuoterInterface.updatePrices, "0x3937306f"),
        (FeeQuoterInterface.updateTokenPriceFeeds, "0xfbe3f778"),
        (NonceManagerInterface.applyAuthorizedCallerUpdates, "0x91a2749a"),
        (NonceManagerInterface.applyPreviousRampsUpdates, "0x7a75a094"),
        (NonceManagerInterface.getAllAuthorizedCallers, "0x2451a627"),
        (NonceManagerInterface.getInboundNonce, "0xc9223625"),
        (NonceManagerInterface.getIncrementedOutboundNonce, "0xea458c0c"),
        (NonceManagerInterface.getOutboundNonce, "0xbf18402a"),
        (NonceManagerInterface.getPreviousRamps, "0x294b5630"),
        (NonceManagerInterface.incrementInboundNonce, "0xe0e03cae"),
        (RMNRemoteInterface.curse, "0x62eed415"),
        (RMNRemoteInterface.curseAll, "0xf8bb876e"),
        (RMNRemoteInterface.getCursedSubjects, "0xd881e092"),
        (RMNRemoteInterface.getLocalChainSelector, "0xeaa83ddd"),
        (RMNRemoteInterface.getReportDigestHeader, "0x6509a954"),
        (RMNRemoteInterface.getVersionedConfig, "0x1add205f"),
        (RMNRemoteInterface.isBlessed, "0x4d616771"),
        (RMNRemoteInterface.isCursed, "0x397796f7"),
        (RMNRemoteInterface.isCursedSubject, "0x2cbc26bb"),
        (RMNRemoteInterface.setConfig, "0x198f0f77"),
        (RMNRemoteInterface.uncurse, "0x6d2d3993"),
        (RMNRemoteInterface.uncurseAll, "0x9a19b329"),
        (RMNRemoteInterface.verify, "0x70a9089e"),
        (RMNRemoteInterface.getARM, "0x2e90aa21"),
        (RMNRemoteInterface.setARM, "0x458fec3b"),
        (TokenAdminRegistryInterface.acceptAdminRole, "0x156194da"),
        (TokenAdminRegistryInterface.addRegistryModule, "0x3dc45772"),
        (TokenAdminRegistryInterface.getAllConfiguredTokens, "0x72d64a81"),
        (TokenAdminRegistryInterface.getPool, "0xbbe4f6db"),
        (TokenAdminRegistryInterface.getPools, "0x5e63547a"),
        (TokenAdminRegistryInterface.getTokenConfig, "0xcb67e3b1"),
        (TokenAdminRegistryInterface.isAdministrator, "0xc1af6e03"),
        (TokenAdminRegistryInterface.isRegistryModule, "0x7d3f2552"),
        (TokenAdminRegistryInterface.proposeAdministrator, "0xe677ae37"),
        (TokenAdminRegistryInterface.removeRegistryModule, "0x10cbcf18"),
        (TokenAdminRegistryInterface.setPool, "0x4e847fc7"),
        (TokenAdminRegistryInterface.transferAdminRole, "0xddadfa8e"),
        (TokenAdminRegistryInterface.registerAccessControlDefaultAdmin, "0x69c0081e"),
        (TokenAdminRegistryInterface.registerAdminViaGetCCIPAdmin, "0xff12c354"),
        (TokenAdminRegistryInterface.registerAdminViaOwner, "0x96ea2f7a"),
        (TokenPoolInterface.addRemotePool, "0x62ddd3c4"),
        (TokenPoolInterface.applyAllowListUpdates, "0x54c8a4f3"),
        (TokenPoolInterface.applyChainUpdates, "0xe8a1da17"),
        (TokenPoolInterface.getAllowList, "0xa7cd63b7"),
        (TokenPoolInterface.getAllowListEnabled, "0xe0351e13"),
        (TokenPoolInterface.getCurrentInboundRateLimiterState, "0xaf58d59f"),
        (TokenPoolInterface.getCurrentOutboundRateLimiterState, "0xc75eea9c"),
        (TokenPoolInterface.getRateLimitAdmin, "0x6d3d1a58"),
        (TokenPoolInterface.getRemotePools, "0xa42a7b8b"),
        (TokenPoolInterface.getRemoteToken, "0xb7946580"),
        (TokenPoolInterface.getRmnProxy, "0xdc0bd971"),
        (TokenPoolInterface.getRouter, "0xb0f479a1"),
        (TokenPoolInterface.getSupportedChains, "0xc4bffe2b"),
        (TokenPoolInterface.getToken, "0x21df0da7"),
        (TokenPoolInterface.getTokenDecimals, "0x24f65ee7"),
        (TokenPoolInterface.isRemotePool, "0x4c5ef0ed"),
        (TokenPoolInterface.isSupportedChain, "0x8926f54f"),
        (TokenPoolInterface.isSupportedToken, "0x240028e8"),
        (TokenPoolInterface.lockOrBurn, "0x9a4575b9"),
        (TokenPoolInterface.releaseOrMint, "0x39077537"),
        (TokenPoolInterface.removeRemotePool, "0xacfecf91"),
        (TokenPoolInterface.setChainRateLimiterConfig, "0xcf7401f3"),
        (TokenPoolInterface.setChainRateLimiterConfigs, "0x962d4020"),
        (TokenPoolInterface.setRateLimitAdmin, "0x7d54534e"),
        (TokenPoolInterface.setRouter, "0xc0d78655"),
        (TokenPoolInterface.supportsInterface, "0x01ffc9a7"),
    ]

    @Test("event topics are those of the contracts", arguments: InterfaceTests.events)
    func eventTopic(event: ABIEvent, topic: String) {
        #expect(event.topic.hex == topic, "\(event.signature)")
    }

    static let events: [(ABIEvent, String)] = [
        (MessageSentEvent.event, "0x192442a2b2adb6a7948f097023cb6b57d29d3a7a5dd33e6666d33c39cc456f32"),
        (OffRampEvents.executionStateChanged, "0x05665fe9ad095383d018353f4cbcba77e84db27dd215081bbf7cdf9ae6fbe48b"),
        (OffRampEvents.commitReportAccepted, "0xb967c9b9e1b7af9a61ca71ff00e9f5b89ec6f2e268de8dacf12f0de8e51f3e47"),
        (
            OffRampEvents.skippedAlreadyExecutedMessage,
            "0x3b575419319662b2a6f5e2467d84521517a3382b908eb3d557bb3fdb0c50e23c"
        ),
        (OffRampEvents.alreadyAttempted, "0x3ef2a99c550a751d4b0b261268f05a803dfb049ab43616a1ffb388f61fe65120"),
        (OffRampEvents.skippedReportExecution, "0xaab522ed53d887e56ed53dd37398a01aeef6a58e0fa77c2173beb9512d894933"),
        (OffRampEvents.skippedIncorrectNonce, "0x606ff8179e5e3c059b82df931acc496b7b6053e8879042f8267f930e0595f69f"),
        (OffRampEvents.transmitted, "0x198d6990ef96613a9026203077e422916918b03ff47f0be6bee7b02d8e139ef0"),
        (OffRampEvents.configSet, "0xab8b1b57514019638d7b5ce9c638fe71366fe8e2be1c40a7a80f1733d0e9f547"),
        (OffRampEvents.sourceChainConfigSet, "0xbd1ab25a0ff0a36a588597ba1af11e30f3f210de8b9e818cc9bbc457c94c8d8c"),
        (ERC20Interface.transferEvent, "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"),
    ]
}

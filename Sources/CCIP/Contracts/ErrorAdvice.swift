// What an error of the contracts means for whoever meets it: who can do something about it, and what. One entry for each
// name of ErrorSignatures; a test finds the ones that have none.

/// Advice on one error of CCIP 1.6 (annex C of the on-chain specification), its pools and its tokens.
package struct ErrorAdvice: Hashable, Sendable {
    /// Who can do something about it.
    package enum Actor: String, Sendable, CaseIterable {
        /// Whoever sends, or executes by hand.
        case user
        /// Whoever wrote the contract that receives.
        case receiver
        /// The administrator of the token and of its pool.
        case tokenOwner
        /// The owner of the CCIP contracts.
        case owner
        /// Whoever runs the relayers.
        case `operator`
        /// A defect of this program, or of whatever made the call.
        case ours
        /// Nobody: it is part of a healthy life.
        case none
    }

    package let actor: Actor
    /// What to do, or what to type next; without a full stop.
    package let hint: String

    /// Nil for a name that the contracts do not have.
    package static func of(_ name: String) -> ErrorAdvice? { table[name] }

    /// Looked up only, never iterated.
    private static let table: [String: ErrorAdvice] = {
        var table: [String: ErrorAdvice] = [:]
        var advice: ErrorAdvice?
        for line in text.split(separator: "\n") {
            if line.hasPrefix("  ") {
                for name in line.split(separator: " ") { table[String(name)] = advice }
            } else if let colon = line.firstIndex(of: ":"), let actor = Actor(rawValue: String(line[..<colon])) {
                advice = ErrorAdvice(actor: actor, hint: String(line[line.index(colon, offsetBy: 2)...]))
            } else {
                preconditionFailure("not a line of advice: \(line)")
            }
        }
        return table
    }()

    /// Who can help: what to do; below, indented, the errors that it holds for.
    private static let text = """
        user: causeway lanes shows what can go where
          UnsupportedDestinationChain DestinationChainNotEnabled
        user: this token has no pool, or its pool does not serve that chain: causeway tokens
          UnsupportedToken
        user: pay with another --fee-token: causeway fee lists what the chain takes
          FeeTokenNotSupported
        user: the FeeQuoter has no price for this token: pay with another --fee-token, or ask its owner for the price
          TokenNotSupported
        user: send less data: the destination takes up to the second number of bytes
          MessageTooLarge
        user: ask for less with --gas-limit: the lane has a maximum
          MessageGasLimitTooHigh MessageComputeUnitLimitTooHigh
        user: send fewer kinds of tokens in one message: the second number is the most
          UnsupportedNumberOfTokens
        user: the price moved between fee and send: try again
          InsufficientFeeTokenAmount
        user: the fee is above the lane's maximum: send less data, or ask for less gas
          MessageFeeTooHigh
        user: pay a fee in the chain's own coin with exactly that coin, and no coin beside a fee in tokens
          InvalidMsgValue
        user: an amount of 0 cannot be sent: leave the token out
          CannotSendZeroTokens
        user: the lane has an allow-list and this account is not on it: ask the owner of the OnRamp or of the pool
          SenderNotAllowed
        user: extra arguments begin with the tag of version 1 or 2: --extra-args v1, v2 or none
          InvalidExtraArgsTag
        user: extra arguments of this tag have another form: --extra-args v2 writes them
          InvalidExtraArgsData
        user: this lane takes messages in any order only: send without --ordered
          ExtraArgOutOfOrderExecutionMustBeTrue
        user: the receiver is no account of an EVM chain: 20 bytes, not a precompile, padded to 32 with zeros
          InvalidEVMAddress
        user: the receiver is no address of that chain: 32 bytes
          Invalid32ByteAddress
        user: the receiver is no address of that chain: 36 bytes
          InvalidTVMAddress
        user: tokens for that chain need a token receiver in the extra arguments
          InvalidTokenReceiver
        user: the extra arguments name more accounts than that chain takes
          TooManySVMExtraArgsAccounts TooManySuiExtraArgsReceiverObjectIds
        user: the bitmap names an account that is not in the list
          InvalidSVMExtraArgsWritableBitmap
        user: the receiver of a token transfer has another form at that chain
          InvalidReceiver
        user: the lane is cursed: causeway lanes tells which; wait until the curse is lifted
          CursedByRMN BadARMSignal
        user: more than the pool's rate limit can ever hold: send less
          TokenMaxCapacityExceeded AggregateValueMaxCapacityExceeded
        user: the pool's rate limit is used up for now: the first number is the seconds to wait, or send less
          TokenRateLimitReached AggregateValueRateLimitReached
        user: the account has too little of the token
          ERC20InsufficientBalance
        user: the Router may not take enough of the token: causeway send approves it by itself
          ERC20InsufficientAllowance
        user: the token refuses this account
          ERC20InvalidReceiver ERC20InvalidSender ERC20InvalidSpender ERC20InvalidApprover
        user: the relayers still have time: causeway show tells until when
          ManualExecutionNotYetEnabled
        user: one override for each report and message, and for each token: causeway exec writes them
          ManualExecutionGasLimitMismatch ManualExecutionGasAmountCountMismatch
        user: a gas override may not be below what the message asked for: --gas-limit with more, or without
          InvalidManualExecutionGasLimit InvalidManualExecutionTokenGasOverride
        receiver: the message fails still: mend the receiver or give more gas, then causeway exec again
          ExecutionError
        receiver: the receiver reverted: mend it, or causeway exec with a higher --gas-limit when it ran out of gas
          ReceiverError
        receiver: the receiver's message checks refused it
          MessageValidationError
        receiver: the words of the contract that was called: mend what they name, then try again
          Error
        receiver: an assertion, overflow or bad index in the code that was called: mend it
          Panic
        tokenOwner: the token or its pool reverted: look at the inner error, then causeway exec
          TokenHandlingError
        tokenOwner: the pool gave another amount than it said: the token takes a fee on transfers, which pools do not support
          ReleaseOrMintBalanceMismatch
        tokenOwner: no pool of this interface stands at the address: set the token's pool in the TokenAdminRegistry
          NotACompatiblePool InvalidTokenPoolToken InvalidToken
        tokenOwner: the pool holds too little to release: its rebalancer must provide liquidity, then causeway exec
          InsufficientLiquidity
        tokenOwner: the pool does not serve this chain: applyChainUpdates
          ChainNotAllowed NonExistentChain
        tokenOwner: the chain is there already: remove it in the same update, or change what it has
          ChainAlreadyExists
        tokenOwner: the chain has no silo of its own
          ChainNotSiloed
        tokenOwner: the source pool is not one of those this pool trusts: addRemotePool
          InvalidSourcePoolAddress InvalidRemotePoolForChain
        tokenOwner: the remote pool is there already
          PoolAlreadyAdded
        tokenOwner: the source pool told decimals that cannot be: one word, at most 255
          InvalidRemoteChainDecimals InvalidDecimalArgs
        tokenOwner: the amount does not fit after conversion between the two tokens' decimals
          OverflowDetected
        tokenOwner: the pool was made for another Router: setRouter, or take the pool of this one
          CallerIsNotARampOnRouter
        tokenOwner: the token's maximum supply is reached
          MaxSupplyExceeded
        tokenOwner: grant the pool the burner role of the token
          SenderNotBurner
        tokenOwner: grant the pool the minter role of the token
          SenderNotMinter
        tokenOwner: the pool was made without liquidity: another pool is needed
          LiquidityNotAccepted
        tokenOwner: give an amount above 0
          LiquidityAmountCannotBeZero
        tokenOwner: a limit needs a rate below its capacity, both above 0
          InvalidRateLimitRate
        tokenOwner: a disabled limit has capacity and rate 0
          DisabledNonZeroRateLimit RateLimitMustBeDisabled
        tokenOwner: a defect of the limiter: tell the developers
          BucketOverfilled
        tokenOwner: the pool was made without an allow-list
          AllowListNotEnabled
        tokenOwner: only the token's administrator may: TokenAdminRegistry.getTokenConfig names it
          OnlyAdministrator
        tokenOwner: only the account that was proposed may accept
          OnlyPendingAdministrator
        tokenOwner: the token has an administrator already
          AlreadyRegistered
        tokenOwner: the registry takes proposals from its modules and its owner only
          OnlyRegistryModuleOrOwner
        tokenOwner: a token registers itself only: the caller must be its CCIP admin or owner
          CanOnlySelfRegister RequiredRoleNotFound
        tokenOwner: the pool's data exceeds what the lane pays for: raise destBytesOverhead in the FeeQuoter
          SourceTokenDataTooLarge InvalidSourcePoolDataLength
        tokenOwner: the old pool does not fit
          InvalidPreviousPool InvalidTransmitterInProxy
        tokenOwner: the CCTP settings of the pool name another domain: setDomains
          UnknownDomain InvalidDomain InvalidDestinationDomain InvalidSourceDomain
        operator: the CCTP message is not the one of this transfer: check the attestation API of the cluster
          InvalidNonce InvalidMessageVersion InvalidMessageLength InvalidDepositHash UnlockingUSDCFailed InvalidMinFee
          InvalidMinFinalityThreshold InvalidExecutionFinalityThreshold
        tokenOwner: the pool was made for another version of CCTP
          InvalidTokenMessengerVersion InvalidBurnToken
        operator: the gas price of the destination is too old in the FeeQuoter: do the relayers report prices? causeway status
          StaleGasPrice
        owner: the FeeQuoter has no price for this token: add it to tokenPrices of the cluster, or ask its owner
          PriceNotFoundForToken
        owner: the price feed answers with a number that does not fit
          DataFeedValueOutOfUint224Range
        owner: the workflow that reports prices is not permitted: updateReportPermissions
          ReportForwarderUnauthorized
        owner: give a minimum below the maximum
          InvalidFeeRange
        owner: at least 32 bytes
          InvalidDestBytesOverhead
        owner: the FeeQuoter does not know this family of chains
          InvalidChainFamilySelector
        operator: the OffRamp has another OCR3 configuration: write the cluster file anew (causeway adopt, causeway check)
          ConfigDigestMismatch UnauthorizedTransmitter UnauthorizedSigner
        operator: the OffRamp takes another OnRamp for this source: causeway check
          CommitOnRampMismatch
        operator: blessed and unblessed roots changed sides: the lane's RMN switch was turned meanwhile; the next report has it right
          RootBlessingMismatch
        owner: the source is not enabled at the OffRamp: ask its owner
          SourceChainNotEnabled
        owner: the OffRamp may not write prices: add it to the FeeQuoter's authorised callers
          UnauthorizedCaller Unauthorized
        none: another report was first: nothing to do
          StaleCommitReport InvalidInterval RootAlreadyCommitted
        operator: the root is not on this chain: not committed yet, or gone in a reorganisation
          RootNotCommitted
        ours: a report was not made as the contract wants it: keep the log and tell the developers
          NonUniqueSignatures WrongNumberOfSignatures SignaturesOutOfRegistration WrongMessageLength InvalidRoot
          InvalidProof LeavesCannotBeEmpty EmptyReport EmptyBatch UnexpectedTokenData TokenDataMismatch
          InvalidMessageDestChainSelector SourceChainSelectorMismatch InvalidDataLength InvalidNewState
        ours: too little gas reached the message: the attempt is spent, causeway exec delivers it; tell the developers
          NotEnoughGasForCall NoGasForCallExactCheck InsufficientGasForStaticCall
        none: seen in simulations only: more gas is tried
          InsufficientGasToCompleteTx
        receiver: nothing stands at the address that was called
          NoContract
        owner: the chain has another id than at deployment: these contracts serve the original chain only
          ForkedChain
        operator: too few guards signed: are they running, and of the RMN configuration that is installed? causeway check
          ThresholdNotMet
        ours: RMN signatures are not ascending by signer, or of strangers: tell the developers
          OutOfOrderSignatures UnexpectedSigner InvalidSignature
        owner: the RMN contract has no configuration: RMNRemote.setConfig
          ConfigNotSet IsBlessedNotAvailable
        owner: only the owner may: sign with its key
          OnlyCallableByOwner OnlyCallableByOwnerOrAllowlistAdmin MustBeProposedOwner
        owner: an owner cannot hand over to itself, or to nobody
          CannotTransferToSelf OwnerCannotBeZero
        owner: the subject is cursed already: causeway lanes
          AlreadyCursed
        owner: the subject is not cursed: causeway lanes
          NotCursed
        owner: call it through the Router
          MustBeCalledByRouter RouterMustSetOriginalSender
        owner: only an OffRamp of the Router may deliver
          OnlyOffRamp OffRampMismatch
        owner: an address or selector in the arguments is zero
          AddressZero ZeroAddress ZeroAddressInvalid ZeroAddressNotAllowed InvalidZeroAddress
          ZeroChainSelectorNotAllowed ZeroValueNotAllowed ChainSelectorNotSet OfframpAddressCannotBeZero
          OracleCannotBeZeroAddress RMNHomeAddressCannotBeZero RevokingZeroDigestNotAllowed
        owner: the configuration is refused: see the contract's section of the specification for what it must hold
          InvalidConfig InvalidStaticConfig InvalidDestChainConfig ChainSelectorNotFound InvalidChainSelector
          InvalidAllowListRequest InvalidOnRampUpdate InvalidSelector InvalidPluginType InvalidVersion StaticConfigCannotBeChanged MismatchedArrayLengths
          NoOpStateTransitionNotAllowed PreviousRampAlreadySet DONIdMismatch DigestNotFound
          OnlyCapabilitiesRegistryCanCall CanOnlySelfCall
        owner: commit reports are signed, execution reports are not: the switch cannot be changed
          SignatureVerificationNotAllowedInExecutionPlugin SignatureVerificationRequiredInCommitPlugin
        owner: F does not fit the number of oracles: N is at least 3F + 1, F at least 1
          FChainMustBePositive FChainTooHigh FTooHigh NotEnoughTransmitters NotEnoughSigners NotEnoughObservers
          TooManySigners
        owner: a node is listed twice, out of order or with a bad index
          DuplicateOffchainPublicKey DuplicateOnchainPublicKey DuplicatePeerId DuplicateSourceChain InvalidNode
          InvalidSignerOrder OutOfBoundsNodesLength OutOfBoundsObserverNodeIndex
        owner: a deployment failed
          Create2EmptyBytecode FailedDeployment
        owner: the contract holds too little of the chain's own coin for the call
          InsufficientBalance
        owner: what the Router holds cannot be handed to this account: name one that takes it
          FailedToSendValue InvalidRecipientAddress
        ours: called again while it was running: the call was not meant to nest
          ReentrancyGuardReentrantCall
        owner: ask the TokenAdminRegistry: this Router does not list tokens any more
          GetSupportedTokensFunctionalityRemovedCheckAdminRegistry
        """
}

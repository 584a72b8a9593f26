# pragma version 0.4.3
# What the owner sets about fees: destinations, fee tokens with their premium, and what the transfer of a token costs
# (spec section 15.2). Packed so that a quote reads two words for its destination and one for each token. No prices.

import fee_version
from modules import ownable_2step as ownable
from modules import refusal

uses: ownable

struct DestChainConfig:
    isEnabled: bool
    maxNumberOfTokensPerMsg: uint16
    maxDataBytes: uint32
    maxPerMsgGasLimit: uint32
    destGasOverhead: uint32
    destGasPerPayloadByteBase: uint8
    destGasPerPayloadByteHigh: uint8
    destGasPerPayloadByteThreshold: uint16
    destDataAvailabilityOverheadGas: uint32
    destGasPerDataAvailabilityByte: uint16
    destDataAvailabilityMultiplierBps: uint16
    chainFamilySelector: bytes4
    enforceOutOfOrder: bool
    defaultTokenFeeUSDCents: uint16
    defaultTokenDestGasOverhead: uint32
    defaultTxGasLimit: uint32
    gasMultiplierWeiPerEth: uint64
    gasPriceStalenessThreshold: uint32
    networkFeeUSDCents: uint32

struct DestChainConfigArgs:
    destChainSelector: uint64
    destChainConfig: DestChainConfig

struct TokenTransferFeeConfig:
    minFeeUSDCents: uint32
    maxFeeUSDCents: uint32
    deciBps: uint16
    destGasOverhead: uint32
    destBytesOverhead: uint32
    isEnabled: bool

struct TokenTransferFeeConfigSingleTokenArgs:
    token: address
    tokenTransferFeeConfig: TokenTransferFeeConfig

struct TokenTransferFeeConfigArgs:
    destChainSelector: uint64
    tokenTransferFeeConfigs: DynArray[TokenTransferFeeConfigSingleTokenArgs, MAX_TOKENS_AT_ONCE]

struct TokenTransferFeeConfigRemoveArgs:
    destChainSelector: uint64
    token: address

struct PremiumMultiplierWeiPerEthArgs:
    token: address
    premiumMultiplierWeiPerEth: uint64

event DestChainAdded:
    destChainSelector: indexed(uint64)
    destChainConfig: DestChainConfig

event DestChainConfigUpdated:
    destChainSelector: indexed(uint64)
    destChainConfig: DestChainConfig

event FeeTokenAdded:
    feeToken: indexed(address)

event FeeTokenRemoved:
    feeToken: indexed(address)

event PremiumMultiplierWeiPerEthUpdated:
    token: indexed(address)
    premiumMultiplierWeiPerEth: uint64

event TokenTransferFeeConfigUpdated:
    destChainSelector: indexed(uint64)
    token: indexed(address)
    tokenTransferFeeConfig: TokenTransferFeeConfig

event TokenTransferFeeConfigDeleted:
    destChainSelector: indexed(uint64)
    token: indexed(address)

# Most entries of one list in a setter; of token fees there are lists of lists.
MAX_UPDATES: constant(uint256) = 32
MAX_LISTS: constant(uint256) = 8
MAX_TOKENS_AT_ONCE: constant(uint256) = 16
MAX_FEE_TOKENS: constant(uint256) = 64
# The fewest bytes that a token's transfer may be billed for: its pool's data.
MIN_BYTES_OVERHEAD: constant(uint32) = 32
# Members of packed words.
U16: constant(uint256) = 2**16 - 1
U32: constant(uint256) = 2**32 - 1
U64: constant(uint256) = 2**64 - 1
# Chain families.
FAMILY_EVM: constant(uint256) = 672322860  # 0x2812d52c
FAMILY_SVM: constant(uint256) = 504413636  # 0x1e10bdc4
FAMILY_APTOS: constant(uint256) = 2893545452  # 0xac77ffec
FAMILY_SUI: constant(uint256) = 3303037267  # 0xc4e05953
FAMILY_TVM: constant(uint256) = 1685990313  # 0x647e2ba9

# Where the members of a DestChainConfig lie: two words, each member above the one before it.
# First word: enabled 0, tokens 8, data bytes 24, gas limit 56, overhead 88, byte gas base 120, high 128, threshold 136,
# data availability overhead 152, per byte 184, multiplier 200, family 216, out-of-order enforced 248.
# Second word: token fee 0, token gas 16, default gas limit 48, gas multiplier 80, staleness 144, network fee 176.
_dests: HashMap[uint64, uint256[2]]
# destination -> token -> min fee 0, max fee 32, deciBps 64, gas 80, bytes 112, enabled 144
_transfers: HashMap[uint64, HashMap[address, uint256]]
# premium multiplier | (position in _feeTokenList plus one) << 64
_feeTokens: HashMap[address, uint256]
_feeTokenList: DynArray[address, MAX_FEE_TOKENS]


@internal
@pure
def _pack_dest(c: DestChainConfig) -> uint256[2]:
    return [
        convert(c.isEnabled, uint256)
        | (convert(c.maxNumberOfTokensPerMsg, uint256) << 8)
        | (convert(c.maxDataBytes, uint256) << 24)
        | (convert(c.maxPerMsgGasLimit, uint256) << 56)
        | (convert(c.destGasOverhead, uint256) << 88)
        | (convert(c.destGasPerPayloadByteBase, uint256) << 120)
        | (convert(c.destGasPerPayloadByteHigh, uint256) << 128)
        | (convert(c.destGasPerPayloadByteThreshold, uint256) << 136)
        | (convert(c.destDataAvailabilityOverheadGas, uint256) << 152)
        | (convert(c.destGasPerDataAvailabilityByte, uint256) << 184)
        | (convert(c.destDataAvailabilityMultiplierBps, uint256) << 200)
        | (convert(convert(c.chainFamilySelector, uint32), uint256) << 216)
        | (convert(c.enforceOutOfOrder, uint256) << 248),
        convert(c.defaultTokenFeeUSDCents, uint256)
        | (convert(c.defaultTokenDestGasOverhead, uint256) << 16)
        | (convert(c.defaultTxGasLimit, uint256) << 48)
        | (convert(c.gasMultiplierWeiPerEth, uint256) << 80)
        | (convert(c.gasPriceStalenessThreshold, uint256) << 144)
        | (convert(c.networkFeeUSDCents, uint256) << 176),
    ]


@internal
@pure
def _u32(word: uint256, low: uint256) -> uint32:
    return convert((word >> low) & U32, uint32)


@internal
@pure
def _u16(word: uint256, low: uint256) -> uint16:
    return convert((word >> low) & U16, uint16)


@external
@view
def getDestChainConfig(destChainSelector: uint64) -> DestChainConfig:
    words: uint256[2] = self._dests[destChainSelector]
    a: uint256 = words[0]
    b: uint256 = words[1]
    return DestChainConfig(
        isEnabled=a & 1 == 1,
        maxNumberOfTokensPerMsg=self._u16(a, 8),
        maxDataBytes=self._u32(a, 24),
        maxPerMsgGasLimit=self._u32(a, 56),
        destGasOverhead=self._u32(a, 88),
        destGasPerPayloadByteBase=convert((a >> 120) & 255, uint8),
        destGasPerPayloadByteHigh=convert((a >> 128) & 255, uint8),
        destGasPerPayloadByteThreshold=self._u16(a, 136),
        destDataAvailabilityOverheadGas=self._u32(a, 152),
        destGasPerDataAvailabilityByte=self._u16(a, 184),
        destDataAvailabilityMultiplierBps=self._u16(a, 200),
        chainFamilySelector=convert(self._u32(a, 216), bytes4),
        enforceOutOfOrder=a >> 248 == 1,
        defaultTokenFeeUSDCents=self._u16(b, 0),
        defaultTokenDestGasOverhead=self._u32(b, 16),
        defaultTxGasLimit=self._u32(b, 48),
        gasMultiplierWeiPerEth=convert((b >> 80) & U64, uint64),
        gasPriceStalenessThreshold=self._u32(b, 144),
        networkFeeUSDCents=self._u32(b, 176),
    )


@external
def applyDestChainConfigUpdates(destChainConfigArgs: DynArray[DestChainConfigArgs, MAX_UPDATES]):
    ownable._check_owner()
    self._set_dests(destChainConfigArgs)


@internal
def _set_dests(updates: DynArray[DestChainConfigArgs, MAX_UPDATES]):
    for update: DestChainConfigArgs in updates:
        dest: uint64 = update.destChainSelector
        config: DestChainConfig = update.destChainConfig
        family: uint256 = convert(convert(config.chainFamilySelector, uint32), uint256)
        known: bool = family in [FAMILY_EVM, FAMILY_SVM, FAMILY_APTOS, FAMILY_SUI]
        if fee_version.IS_1_6_3:
            known = known or family == FAMILY_TVM
        if (
            dest == 0
            or config.defaultTxGasLimit == 0
            or config.defaultTxGasLimit > config.maxPerMsgGasLimit
            or not known
        ):
            refusal._one(
                convert(method_id("InvalidDestChainConfig(uint64)", output_type=bytes4), uint32), convert(dest, uint256)
            )
        if self._u32(self._dests[dest][0], 216) == 0:
            log DestChainAdded(destChainSelector=dest, destChainConfig=config)
        else:
            log DestChainConfigUpdated(destChainSelector=dest, destChainConfig=config)
        self._dests[dest] = self._pack_dest(config)


@external
@view
def getFeeTokens() -> DynArray[address, MAX_FEE_TOKENS]:
    return self._feeTokenList


@external
@view
def getPremiumMultiplierWeiPerEth(token: address) -> uint64:
    return convert(self._feeTokens[token] & U64, uint64)


@external
def applyFeeTokensUpdates(
    feeTokensToRemove: DynArray[address, MAX_UPDATES], feeTokensToAdd: DynArray[address, MAX_UPDATES]
):
    """Removals first. The premium multiplier of a token outlives its removal."""
    ownable._check_owner()
    for token: address in feeTokensToRemove:
        entry: uint256 = self._feeTokens[token]
        place: uint256 = entry >> 64
        if place == 0:
            continue
        # The last token takes the place of the one that leaves.
        last: address = self._feeTokenList.pop()
        if last != token:
            self._feeTokenList[unsafe_sub(place, 1)] = last
            self._feeTokens[last] = (self._feeTokens[last] & U64) | (place << 64)
        self._feeTokens[token] = entry & U64
        log FeeTokenRemoved(feeToken=token)
    self._add_fee_tokens(feeTokensToAdd)


@internal
def _add_fee_tokens(tokens: DynArray[address, MAX_UPDATES]):
    for token: address in tokens:
        entry: uint256 = self._feeTokens[token]
        if entry >> 64 == 0:
            self._feeTokenList.append(token)
            self._feeTokens[token] = entry | (len(self._feeTokenList) << 64)
            log FeeTokenAdded(feeToken=token)


@external
def applyPremiumMultiplierWeiPerEthUpdates(
    premiumMultiplierWeiPerEthArgs: DynArray[PremiumMultiplierWeiPerEthArgs, MAX_UPDATES]
):
    ownable._check_owner()
    self._set_premiums(premiumMultiplierWeiPerEthArgs)


@internal
def _set_premiums(updates: DynArray[PremiumMultiplierWeiPerEthArgs, MAX_UPDATES]):
    for update: PremiumMultiplierWeiPerEthArgs in updates:
        self._feeTokens[update.token] = (self._feeTokens[update.token] >> 64 << 64) | convert(
            update.premiumMultiplierWeiPerEth, uint256
        )
        log PremiumMultiplierWeiPerEthUpdated(
            token=update.token, premiumMultiplierWeiPerEth=update.premiumMultiplierWeiPerEth
        )


@external
@view
def getTokenTransferFeeConfig(destChainSelector: uint64, token: address) -> TokenTransferFeeConfig:
    packed: uint256 = self._transfers[destChainSelector][token]
    return TokenTransferFeeConfig(
        minFeeUSDCents=self._u32(packed, 0),
        maxFeeUSDCents=self._u32(packed, 32),
        deciBps=self._u16(packed, 64),
        destGasOverhead=self._u32(packed, 80),
        destBytesOverhead=self._u32(packed, 112),
        isEnabled=packed >> 144 == 1,
    )


@external
def applyTokenTransferFeeConfigUpdates(
    tokenTransferFeeConfigArgs: DynArray[TokenTransferFeeConfigArgs, MAX_LISTS],
    tokensToUseDefaultFeeConfigs: DynArray[TokenTransferFeeConfigRemoveArgs, MAX_UPDATES],
):
    """Sets first, then returns tokens to the destination's default."""
    ownable._check_owner()
    self._set_transfers(tokenTransferFeeConfigArgs)
    for removal: TokenTransferFeeConfigRemoveArgs in tokensToUseDefaultFeeConfigs:
        self._transfers[removal.destChainSelector][removal.token] = 0
        log TokenTransferFeeConfigDeleted(destChainSelector=removal.destChainSelector, token=removal.token)


@internal
def _set_transfers(updates: DynArray[TokenTransferFeeConfigArgs, MAX_LISTS]):
    for update: TokenTransferFeeConfigArgs in updates:
        for item: TokenTransferFeeConfigSingleTokenArgs in update.tokenTransferFeeConfigs:
            c: TokenTransferFeeConfig = item.tokenTransferFeeConfig
            minimum: uint256 = convert(c.minFeeUSDCents, uint256)
            maximum: uint256 = convert(c.maxFeeUSDCents, uint256)
            if minimum >= maximum:
                refusal._two(
                    convert(method_id("InvalidFeeRange(uint256,uint256)", output_type=bytes4), uint32), minimum, maximum
                )
            if c.destBytesOverhead < MIN_BYTES_OVERHEAD:
                refusal._two(
                    convert(method_id("InvalidDestBytesOverhead(address,uint32)", output_type=bytes4), uint32),
                    convert(item.token, uint256),
                    convert(c.destBytesOverhead, uint256),
                )
            self._transfers[update.destChainSelector][item.token] = (
                minimum
                | (maximum << 32)
                | (convert(c.deciBps, uint256) << 64)
                | (convert(c.destGasOverhead, uint256) << 80)
                | (convert(c.destBytesOverhead, uint256) << 112)
                | (convert(c.isEnabled, uint256) << 144)
            )
            log TokenTransferFeeConfigUpdated(
                destChainSelector=update.destChainSelector, token=item.token, tokenTransferFeeConfig=c
            )

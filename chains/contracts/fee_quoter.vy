# pragma version 0.4.3
# FeeQuoter 1.6.0 and 1.6.3, which are compiled from the same source (versions/): what a message costs, and the prices
# that follow from commit reports (spec section 15). Here: the fee formula and what the on-ramp asks for while it sends.
# Prices are in modules/fee_prices, the owner's settings in modules/fee_config, extra arguments and foreign addresses in
# modules/extra_args.
#
# getValidatedFee, processMessageArgs, processPoolReturnData and updatePrices are served by __default__, because Vyper
# would decode a message into memory laid out for the largest one. The call data is read in place instead. Answers of
# the usual shape leave early; the buffer for the others lies at the far end of __default__'s frame.

import fee_version
from modules import authorized_callers
from modules import cursor
from modules import extra_args
from modules import fee_config
from modules import fee_prices
from modules import ownable_2step as ownable
from modules import refusal

initializes: ownable
initializes: authorized_callers[ownable := ownable]
initializes: fee_prices[authorized_callers := authorized_callers, ownable := ownable]
initializes: fee_config[ownable := ownable]
exports: (
    ownable.owner,
    ownable.transferOwnership,
    ownable.acceptOwnership,
    authorized_callers.getAllAuthorizedCallers,
    authorized_callers.applyAuthorizedCallerUpdates,
    fee_prices.FEE_BASE_DECIMALS,
    fee_prices.KEYSTONE_PRICE_DECIMALS,
    fee_prices.getTokenPrice,
    fee_prices.getValidatedTokenPrice,
    fee_prices.getTokenPrices,
    fee_prices.getTokenPriceFeedConfig,
    fee_prices.getDestinationChainGasPrice,
    fee_prices.convertTokenAmount,
    fee_prices.updateTokenPriceFeeds,
    fee_prices.setReportPermissions,
    fee_prices.onReport,
    fee_config.getDestChainConfig,
    fee_config.applyDestChainConfigUpdates,
    fee_config.getFeeTokens,
    fee_config.getPremiumMultiplierWeiPerEth,
    fee_config.applyFeeTokensUpdates,
    fee_config.applyPremiumMultiplierWeiPerEthUpdates,
    fee_config.getTokenTransferFeeConfig,
    fee_config.applyTokenTransferFeeConfigUpdates,
)

struct StaticConfig:
    maxFeeJuelsPerMsg: uint96
    linkToken: address
    tokenPriceStalenessThreshold: uint32

# Bytes that every message, and each of its tokens, adds to what is posted on the destination.
MESSAGE_BYTES: constant(uint256) = 480
TOKEN_BYTES: constant(uint256) = 288
# Bytes of pool data that are always allowed, and billed when nothing else is set.
POOL_DATA_BYTES: constant(uint256) = 32
# What accounts and tokens add to a message to the SVM family.
SVM_FIXED_ACCOUNTS: constant(uint256) = 2
SVM_TOKEN_BYTES: constant(uint256) = 300
# The same for object ids and tokens of the Sui family.
SUI_FIXED_IDS: constant(uint256) = 1
SUI_TOKEN_BYTES: constant(uint256) = 108
# A US cent with 18 decimals.
CENT: constant(uint256) = 10**16
U112: constant(uint256) = 2**112 - 1
# Words of the buffer for unusual answers, and the most bytes of one in bytes.
BUFFER: constant(uint256) = 160
ANSWER: constant(uint256) = 5120

# Selectors served by __default__.
GET_VALIDATED_FEE: constant(uint32) = 3630779597  # 0xd8694ccd
PROCESS_MESSAGE_ARGS: constant(uint32) = 977910601  # 0x3a49bb49
PROCESS_POOL_RETURN_DATA: constant(uint32) = 21266090  # 0x01447eaa
UPDATE_PRICES: constant(uint32) = 959918191  # 0x3937306f

LINK_TOKEN: immutable(address)
MAX_FEE_JUELS: immutable(uint256)


@deploy
def __init__(
    staticConfig: StaticConfig,
    priceUpdaters: DynArray[address, 32],
    feeTokens: DynArray[address, fee_config.MAX_UPDATES],
    tokenPriceFeeds: DynArray[fee_prices.TokenPriceFeedUpdate, fee_prices.MAX_UPDATES],
    tokenTransferFeeConfigArgs: DynArray[fee_config.TokenTransferFeeConfigArgs, fee_config.MAX_LISTS],
    premiumMultiplierWeiPerEthArgs: DynArray[fee_config.PremiumMultiplierWeiPerEthArgs, fee_config.MAX_UPDATES],
    destChainConfigArgs: DynArray[fee_config.DestChainConfigArgs, fee_config.MAX_UPDATES],
):
    if (
        staticConfig.linkToken == empty(address)
        or staticConfig.maxFeeJuelsPerMsg == 0
        or staticConfig.tokenPriceStalenessThreshold == 0
    ):
        refusal._plain(convert(method_id("InvalidStaticConfig()", output_type=bytes4), uint32))
    LINK_TOKEN = staticConfig.linkToken
    MAX_FEE_JUELS = convert(staticConfig.maxFeeJuelsPerMsg, uint256)
    ownable.__init__()
    authorized_callers.__init__(priceUpdaters)
    fee_prices.__init__(staticConfig.tokenPriceStalenessThreshold, tokenPriceFeeds)
    fee_config._add_fee_tokens(feeTokens)
    fee_config._set_dests(destChainConfigArgs)
    fee_config._set_premiums(premiumMultiplierWeiPerEthArgs)
    fee_config._set_transfers(tokenTransferFeeConfigArgs)


@external
@view
def typeAndVersion() -> String[32]:
    return fee_version.TYPE_AND_VERSION


@external
@view
def getStaticConfig() -> StaticConfig:
    return StaticConfig(
        maxFeeJuelsPerMsg=convert(MAX_FEE_JUELS, uint96),
        linkToken=LINK_TOKEN,
        tokenPriceStalenessThreshold=convert(fee_prices.STALENESS, uint32),
    )


@external
@pure
def supportsInterface(interfaceId: bytes4) -> bool:
    """Receiver of pushed prices, fee quoter, ERC-165, and in version 1.6.0 typeAndVersion."""
    if fee_version.IS_1_6_3:
        return interfaceId in [0x805f2132, 0x66792e80, 0x01ffc9a7]
    return interfaceId in [0x805f2132, 0xe364892e, 0x01ffc9a7, 0x181f5a77]


@internal
@pure
def _not_enabled(dest: uint64):
    refusal._one(
        convert(method_id("DestinationChainNotEnabled(uint64)", output_type=bytes4), uint32), convert(dest, uint256)
    )


@external
@view
def getTokenAndGasPrices(token: address, destChainSelector: uint64) -> (uint224, uint224):
    words: uint256[2] = fee_config._dests[destChainSelector]
    if words[0] & 1 == 0:
        self._not_enabled(destChainSelector)
    gasPrice: uint256 = fee_prices._validated_gas_price(destChainSelector, (words[1] >> 144) & fee_config.U32)
    return convert(fee_prices._validated_token_price(token), uint224), convert(gasPrice, uint224)


# ------------------------------------------------------------------------------------------------------------- the fee


@internal
@pure
def _too_large(most: uint256, size: uint256):
    refusal._two(convert(method_id("MessageTooLarge(uint256,uint256)", output_type=bytes4), uint32), most, size)


@internal
@pure
def _too_many_accounts(accounts: uint256, most: uint256):
    refusal._two(
        convert(method_id("TooManySVMExtraArgsAccounts(uint256,uint256)", output_type=bytes4), uint32), accounts, most
    )


@internal
@view
def _check_svm(
    dest: uint64, config: uint256, args: uint256[5], receiver: uint256, dataLength: uint256, tokens: uint256
):
    """What a message to the SVM family must keep to, and its size with accounts and tokens (spec section 15.6)."""
    accounts: uint256 = args[4]
    count: uint256 = cursor._word(tokens)
    size: uint256 = dataLength
    if receiver != 0:
        size += (accounts + SVM_FIXED_ACCOUNTS) * 32
    elif accounts != 0:
        self._too_many_accounts(accounts, 0)
    if count != 0 and args[3] == 0:
        refusal._plain(convert(method_id("InvalidTokenReceiver()", output_type=bytes4), uint32))
    if accounts > extra_args.MAX_ACCOUNTS:
        self._too_many_accounts(accounts, extra_args.MAX_ACCOUNTS)
    if args[1] >> accounts != 0:
        refusal._two(
            convert(method_id("InvalidSVMExtraArgsWritableBitmap(uint64,uint256)", output_type=bytes4), uint32),
            args[1],
            accounts,
        )
    self._check_size(dest, config, size + count * SVM_TOKEN_BYTES, tokens)


@internal
@pure
def _too_many_ids(ids: uint256, most: uint256):
    refusal._two(
        convert(method_id("TooManySuiExtraArgsReceiverObjectIds(uint256,uint256)", output_type=bytes4), uint32),
        ids,
        most,
    )


@internal
@view
def _check_sui(dest: uint64, config: uint256, message: uint256, dataLength: uint256, tokens: uint256):
    """What a message to the Sui family must keep to in version 1.6.3 (spec section 15.6)."""
    # Limits have been checked; what else the arguments say has not.
    args: uint256[5] = extra_args._sui(message + cursor._item(message, 4), False, max_value(uint256))
    receiver: uint256 = cursor._item(message + cursor._word(message), 1)
    ids: uint256 = args[4]
    count: uint256 = cursor._word(tokens)
    size: uint256 = dataLength
    if receiver != 0:
        size += (ids + SUI_FIXED_IDS) * 32
    elif ids != 0:
        self._too_many_ids(ids, 0)
    if count != 0 and args[3] == 0:
        refusal._plain(convert(method_id("InvalidTokenReceiver()", output_type=bytes4), uint32))
    if ids > extra_args.MAX_ACCOUNTS:
        self._too_many_ids(ids, extra_args.MAX_ACCOUNTS)
    self._check_size(dest, config, size + count * SUI_TOKEN_BYTES, tokens)


@internal
@view
def _check_size(dest: uint64, config: uint256, fixed: uint256, tokens: uint256):
    """A message with all that it becomes on the destination must not be too large."""
    size: uint256 = fixed
    count: uint256 = cursor._word(tokens)
    for i: uint256 in range(count, bound=fee_config.U16):
        token: uint256 = cursor._item(tokens, unsafe_add(1, i << 1))
        overhead: uint256 = (fee_config._transfers[dest][convert(token, address)] >> 112) & fee_config.U32
        if overhead == 0:
            overhead = POOL_DATA_BYTES
        size += overhead
    if size > (config >> 24) & fee_config.U32:
        self._too_large((config >> 24) & fee_config.U32, size)


@internal
@view
def _token_costs(
    dest: uint64, tokens: uint256, count: uint256, defaults: uint256, feeToken: address, feeTokenPrice: uint256
) -> (uint256, uint256, uint256):
    """Premium in US dollars with 18 decimals, destination gas, and bytes, of all tokens together."""
    premium: uint256 = 0
    tokenGas: uint256 = 0
    tokenBytes: uint256 = 0
    at: uint256 = unsafe_add(tokens, 32)
    for i: uint256 in range(count, bound=fee_config.U16):
        pair: uint256[2] = abi_decode(slice(msg.data, at, 64), uint256[2])
        assert pair[0] >> 160 == 0
        at = unsafe_add(at, 64)
        token: address = convert(pair[0], address)
        config: uint256 = fee_config._transfers[dest][token]
        if config >> 144 == 0:
            premium = unsafe_add(premium, unsafe_mul(defaults & fee_config.U16, CENT))
            tokenGas = unsafe_add(tokenGas, (defaults >> 16) & fee_config.U32)
            tokenBytes = unsafe_add(tokenBytes, POOL_DATA_BYTES)
            continue
        share: uint256 = 0
        deciBps: uint256 = (config >> 64) & fee_config.U16
        if deciBps != 0:
            price: uint256 = feeTokenPrice
            if token != feeToken:
                price = fee_prices._validated_token_price(token)
            share = unsafe_div(unsafe_mul(unsafe_div(price * pair[1], 10**18), deciBps), 10**5)
        share = max(share, unsafe_mul(config & fee_config.U32, CENT))
        premium = unsafe_add(premium, min(share, unsafe_mul((config >> 32) & fee_config.U32, CENT)))
        tokenGas = unsafe_add(tokenGas, (config >> 80) & fee_config.U32)
        tokenBytes = unsafe_add(tokenBytes, (config >> 112) & fee_config.U32)
    # Both are sums in 32 bits in the protocol.
    assert tokenGas <= fee_config.U32 and tokenBytes <= fee_config.U32
    return premium, tokenGas, tokenBytes


@internal
@view
def _validated_fee() -> (uint256, uint256, uint256):
    """
    getValidatedFee(uint64,EVM2AnyMessage): the fee in the smallest units of the fee token, then zero and zero; or, for
    a receiver that is no address of the destination, zero, where it lies, and the family (spec sections 15.4, 15.5).
    """
    # Destination, and where the message lies, which as a rule is at once; of it: receiver, data, tokens, fee token,
    # extra arguments. All but the fee token are offsets.
    head: uint256[7] = abi_decode(slice(msg.data, 4, 224), uint256[7])
    dest: uint64 = convert(head[0], uint64)
    message: uint256 = 4 + head[1]
    if message != 68:
        head = abi_decode(slice(msg.data, message - 64, 224), uint256[7])
    config: uint256[2] = fee_config._dests[dest]
    a: uint256 = config[0]
    if a & 1 == 0:
        self._not_enabled(dest)
    feeToken: address = convert(head[5], address)
    feeTokenEntry: uint256 = fee_config._feeTokens[feeToken]
    if feeTokenEntry >> 64 == 0:
        refusal._one(convert(method_id("FeeTokenNotSupported(address)", output_type=bytes4), uint32), head[5])
    dataLength: uint256 = extra_args._length(message + head[3])
    if dataLength > (a >> 24) & fee_config.U32:
        self._too_large((a >> 24) & fee_config.U32, dataLength)
    tokens: uint256 = message + head[4]
    count: uint256 = cursor._word(tokens)
    if count > (a >> 8) & fee_config.U16:
        refusal._two(
            convert(method_id("UnsupportedNumberOfTokens(uint256,uint256)", output_type=bytes4), uint32),
            count,
            (a >> 8) & fee_config.U16,
        )

    family: uint256 = (a >> 216) & fee_config.U32
    gasLimit: uint256 = 0
    receiver: uint256 = message + head[2]
    if family == fee_config.FAMILY_SVM:
        args: uint256[5] = extra_args._svm(message + head[6], a >> 248 != 0, (a >> 56) & fee_config.U32)
        gasLimit = args[0]
        if not extra_args._is_address(receiver, family, min(gasLimit, 1)):
            return 0, receiver, family
        self._check_svm(dest, a, args, cursor._word(unsafe_add(receiver, 32)), dataLength, tokens)
    else:
        ordered: uint256 = 0
        if fee_version.IS_1_6_3:
            if family == fee_config.FAMILY_SUI:
                gasLimit = extra_args._sui(message + head[6], a >> 248 != 0, (a >> 56) & fee_config.U32)[0]
                ordered = 1
            else:
                gasLimit, ordered = extra_args._generic(message + head[6], (config[1] >> 48) & fee_config.U32)
        else:
            gasLimit, ordered = extra_args._generic(message + head[6], (config[1] >> 48) & fee_config.U32)
        if gasLimit > (a >> 56) & fee_config.U32:
            refusal._plain(convert(method_id("MessageGasLimitTooHigh()", output_type=bytes4), uint32))
        if a >> 248 > ordered:
            refusal._plain(convert(method_id("ExtraArgOutOfOrderExecutionMustBeTrue()", output_type=bytes4), uint32))
        if fee_version.IS_1_6_3:
            if not extra_args._is_address(receiver, family, min(gasLimit, 1)):
                return 0, receiver, family
            if family == fee_config.FAMILY_SUI:
                self._check_sui(dest, a, message, dataLength, tokens)
        elif not extra_args._is_address(receiver, family, 0):
            return 0, receiver, family

    # None of the unchecked steps below can overflow with members of their widths; those that can are checked.
    feeTokenPrice: uint256 = fee_prices._validated_token_price(feeToken)
    gasPrice: uint256 = fee_prices._validated_gas_price(dest, (config[1] >> 144) & fee_config.U32)
    premium: uint256 = 0
    totalGas: uint256 = (a >> 88) & fee_config.U32
    tokenBytes: uint256 = 0
    if count == 0:
        premium = unsafe_mul((config[1] >> 176) & fee_config.U32, CENT)
    else:
        tokenGas: uint256 = 0
        premium, tokenGas, tokenBytes = self._token_costs(dest, tokens, count, config[1], feeToken, feeTokenPrice)
        totalGas = unsafe_add(totalGas, tokenGas)
        # A sum in 32 bits in the protocol.
        assert totalGas <= fee_config.U32
    fee: uint256 = unsafe_mul(premium, feeTokenEntry & fee_config.U64)

    payload: uint256 = unsafe_add(dataLength, tokenBytes)
    multiplier: uint256 = (a >> 200) & fee_config.U16
    if multiplier != 0:
        posted: uint256 = unsafe_add(unsafe_add(MESSAGE_BYTES, payload), unsafe_mul(TOKEN_BYTES, count))
        posted = unsafe_add(unsafe_mul(posted, (a >> 184) & fee_config.U16), (a >> 152) & fee_config.U32)
        fee = unsafe_add(fee, unsafe_mul(unsafe_mul(posted, gasPrice >> 112), unsafe_mul(multiplier, 10**14)))

    base: uint256 = (a >> 120) & 255
    threshold: uint256 = (a >> 136) & fee_config.U16
    if payload <= threshold:
        totalGas = unsafe_add(totalGas, unsafe_mul(payload, base))
    else:
        below: uint256 = unsafe_mul(base, threshold)
        # A product in 16 bits in the protocol.
        assert below <= fee_config.U16
        totalGas = unsafe_add(
            totalGas, unsafe_add(below, unsafe_mul(unsafe_sub(payload, threshold), (a >> 128) & 255))
        )
    totalGas = unsafe_add(totalGas, gasLimit)
    fee = unsafe_add(fee, unsafe_mul(unsafe_mul(totalGas, gasPrice & U112), (config[1] >> 80) & fee_config.U64))
    return unsafe_div(fee, feeTokenPrice), 0, 0


# ----------------------------------------------------------------------------------------------------- while it is sent


@internal
@pure
def _unknown_family(family: uint256):
    refusal._one(convert(method_id("InvalidChainFamilySelector(bytes4)", output_type=bytes4), uint32), family << 224)


@internal
@view
def _juels(feeToken: address, amount: uint256) -> uint256:
    """The fee in LINK."""
    juels: uint256 = amount
    if feeToken != LINK_TOKEN:
        juels = fee_prices._convert_amount(feeToken, amount, LINK_TOKEN)
    if juels > MAX_FEE_JUELS:
        refusal._two(
            convert(method_id("MessageFeeTooHigh(uint256,uint256)", output_type=bytes4), uint32), juels, MAX_FEE_JUELS
        )
    return juels


@internal
@view
def _pool_data(
    dest: uint64, config: uint256[2], family: uint256, transfers: uint256, amounts: uint256, i: uint256
) -> (uint256, uint256):
    """Destination gas of token `i` of processPoolReturnData; and where its address lies, if that is none."""
    assert i < cursor._word(amounts)
    tokenWord: uint256 = cursor._item(amounts, unsafe_add(1, i << 1))
    # Of the transfer: its pool, and where remote token and pool data lie.
    transfer: uint256 = transfers + 32 + cursor._item(transfers, unsafe_add(i, 1))
    head: uint256[3] = abi_decode(slice(msg.data, transfer, 96), uint256[3])
    packed: uint256 = fee_config._transfers[dest][convert(tokenWord, address)]
    dataLength: uint256 = extra_args._length(transfer + head[2])
    if dataLength > POOL_DATA_BYTES and dataLength > (packed >> 112) & fee_config.U32:
        refusal._one(convert(method_id("SourceTokenDataTooLarge(address)", output_type=bytes4), uint32), tokenWord)
    if family == 0:
        self._unknown_family(family)
    remote: uint256 = transfer + head[1]
    if not extra_args._is_address(remote, family, 1):
        return 0, remote
    if packed >> 144 != 0:
        return (packed >> 80) & fee_config.U32, 0
    return (config[1] >> 16) & fee_config.U32, 0


@external
@raw_return
def __default__() -> Bytes[ANSWER]:
    """getValidatedFee, processMessageArgs, processPoolReturnData, updatePrices; others are refused with no data."""
    selector: uint32 = convert(convert(slice(msg.data, 0, 4), bytes4), uint32)
    if selector == UPDATE_PRICES:
        fee_prices._update_prices()
        return b""
    # Where something that should be an address of the destination lies, and of which family.
    wrong: uint256 = 0
    family: uint256 = 0
    answer: uint256 = 0
    if selector == GET_VALIDATED_FEE:
        answer, wrong, family = self._validated_fee()
        if wrong == 0:
            return abi_encode(answer)
    # The arguments of the other two: destination; then fee token, amount, extra arguments, receiver, or transfers,
    # amounts and what follows them.
    args: uint256[5] = abi_decode(slice(msg.data, 4, 160), uint256[5])
    dest: uint64 = convert(args[0], uint64)
    config: uint256[2] = empty(uint256[2])
    count: uint256 = 0
    first: uint256 = 0
    second: uint256 = 0
    if wrong == 0:
        config = fee_config._dests[dest]
        family = (config[0] >> 216) & fee_config.U32
        if selector == PROCESS_MESSAGE_ARGS:
            answer = self._juels(convert(args[1], address), args[2])
            first = 4 + args[3]
            second = 4 + args[4]
            if family == 0:
                self._unknown_family(family)
            count = extra_args._length(second)
            if fee_version.IS_1_6_3:
                if family == fee_config.FAMILY_SUI:
                    # Not the usual shape, whatever its receiver.
                    count = 0
            if family != fee_config.FAMILY_SVM and count == 32:
                gasLimit: uint256 = 0
                unordered: uint256 = 0
                gasLimit, unordered = extra_args._generic(first, (config[1] >> 48) & fee_config.U32)
                # Tag, gas limit and flag are 68 bytes, spread over three words.
                return abi_encode(
                    answer,
                    unordered,
                    convert(128, uint256),
                    convert(256, uint256),
                    convert(68, uint256),
                    (extra_args.GENERIC_V2 << 224) | (gasLimit >> 32),
                    gasLimit << 224,
                    unordered << 224,
                    convert(32, uint256),
                    cursor._word(unsafe_add(second, 32)),
                )
        else:
            assert selector == PROCESS_POOL_RETURN_DATA
            first = 4 + args[1]
            second = 4 + args[2]
            count = cursor._word(first)
            if count == 1:
                answer, wrong = self._pool_data(dest, config, family, first, second, 0)
                if wrong == 0:
                    return abi_encode(
                        convert(32, uint256), convert(1, uint256), convert(32, uint256), convert(32, uint256), answer
                    )

    # What is left is rare: several tokens, receivers of unusual length, the SVM family, addresses refused by name.
    words: uint256[BUFFER] = empty(uint256[BUFFER])
    size: uint256 = 0
    if wrong == 0 and selector == PROCESS_MESSAGE_ARGS:
        words[0] = answer
        words[2] = 128
        foreign: bool = family == fee_config.FAMILY_SVM
        if fee_version.IS_1_6_3:
            foreign = foreign or family == fee_config.FAMILY_SUI
        if foreign:
            parsed: uint256[5] = empty(uint256[5])
            enforced: bool = config[0] >> 248 != 0
            most: uint256 = (config[0] >> 56) & fee_config.U32
            if family == fee_config.FAMILY_SVM:
                parsed = extra_args._svm(first, enforced, most)
            elif fee_version.IS_1_6_3:
                parsed = extra_args._sui(first, enforced, most)
            words[1] = 1
            count = cursor._word(first)
            words[4] = count
            size = 5 + (unsafe_add(count, 31) >> 5)
            for i: uint256 in range(unsafe_sub(size, 5), bound=BUFFER):
                words[5 + i] = cursor._item(first, unsafe_add(i, 1))
            words[3] = size << 5
            words[size] = 32
            words[size + 1] = parsed[3]
            size += 2
        else:
            gasLimit: uint256 = 0
            gasLimit, words[1] = extra_args._generic(first, (config[1] >> 48) & fee_config.U32)
            words[3] = 256
            words[4] = 68
            words[5] = (extra_args.GENERIC_V2 << 224) | (gasLimit >> 32)
            words[6] = gasLimit << 224
            words[7] = words[1] << 224
            words[8] = count
            size = 9 + (unsafe_add(count, 31) >> 5)
            for i: uint256 in range(unsafe_sub(size, 9), bound=BUFFER):
                words[9 + i] = cursor._item(second, unsafe_add(i, 1))
        return slice(abi_encode(words), 0, size << 5)
    if wrong == 0:
        # One word of gas for each token.
        words[0] = 32
        words[1] = count
        for i: uint256 in range(count, bound=cursor.MAX_TOKENS):
            answer, wrong = self._pool_data(dest, config, family, first, second, i)
            if wrong != 0:
                break
            size = 2 + count + 2 * i
            words[2 + i] = (size - 2) << 5
            words[size] = 32
            words[size + 1] = answer
        if wrong == 0:
            return slice(abi_encode(words), 0, (2 + 3 * count) << 5)
    words[0] = convert(method_id("Invalid32ByteAddress(bytes)", output_type=bytes4), uint256)
    if family == fee_config.FAMILY_EVM:
        words[0] = convert(method_id("InvalidEVMAddress(bytes)", output_type=bytes4), uint256)
    if fee_version.IS_1_6_3:
        if family == fee_config.FAMILY_TVM:
            words[0] = convert(method_id("InvalidTVMAddress(bytes)", output_type=bytes4), uint256)
    words[1] = 32
    count = extra_args._length(wrong)
    words[2] = count
    size = 3 + (unsafe_add(count, 31) >> 5)
    for i: uint256 in range(unsafe_sub(size, 3), bound=BUFFER):
        words[3 + i] = cursor._item(wrong, unsafe_add(i, 1))
    raw_revert(slice(abi_encode(words), 28, (size << 5) - 28))

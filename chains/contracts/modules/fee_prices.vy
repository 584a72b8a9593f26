# pragma version 0.4.3
# What tokens and gas cost in US dollars: the stored prices, the data feeds behind stale ones, and who may write them
# (spec section 15.3). No fees here, and no destination configuration beyond the age a gas price may have.

from modules import authorized_callers
from modules import cursor
from modules import ownable_2step as ownable
from modules import refusal

uses: authorized_callers
uses: ownable

interface Aggregator:
    def latestRoundData() -> (uint80, int256, uint256, uint256, uint80): view
    def decimals() -> uint8: view

struct TimestampedPackedUint224:
    value: uint224
    timestamp: uint32

struct TokenPriceFeedConfig:
    dataFeedAddress: address
    tokenDecimals: uint8
    isEnabled: bool

struct TokenPriceFeedUpdate:
    sourceToken: address
    feedConfig: TokenPriceFeedConfig

struct Permission:
    forwarder: address
    workflowName: bytes10
    reportName: bytes2
    workflowOwner: address
    isAllowed: bool

struct ReceivedFeedReport:
    token: address
    price: uint224
    timestamp: uint32

event UsdPerTokenUpdated:
    token: indexed(address)
    value: uint256
    timestamp: uint256

event UsdPerUnitGasUpdated:
    destChain: indexed(uint64)
    value: uint256
    timestamp: uint256

event PriceFeedPerTokenUpdated:
    token: indexed(address)
    priceFeedConfig: TokenPriceFeedConfig

event ReportPermissionSet:
    reportId: indexed(bytes32)
    permission: Permission

# Most entries of one list in a setter or a question.
MAX_UPDATES: constant(uint256) = 32
MAX_ANSWER: constant(uint256) = 128
MAX_FEED_REPORTS: constant(uint256) = 64
# Decimals that every price is brought to, and those of the prices that onReport brings.
BASE_DECIMALS: constant(uint256) = 36
REPORT_DECIMALS: constant(uint8) = 18
U160: constant(uint256) = 2**160 - 1
U224: constant(uint256) = 2**224 - 1

STALENESS: immutable(uint256)

# Prices as the value in the low 224 bits and the time it was written at above.
_tokenPrices: HashMap[address, uint256]
_gasPrices: HashMap[uint64, uint256]
# address | decimals << 160 | enabled << 168
_feeds: HashMap[address, uint256]
_permissions: HashMap[bytes32, bool]


@deploy
def __init__(staleness: uint32, feeds: DynArray[TokenPriceFeedUpdate, MAX_UPDATES]):
    STALENESS = convert(staleness, uint256)
    self._set_feeds(feeds)


@external
@view
def FEE_BASE_DECIMALS() -> uint256:
    return BASE_DECIMALS


@external
@view
def KEYSTONE_PRICE_DECIMALS() -> uint256:
    return convert(REPORT_DECIMALS, uint256)


@internal
@pure
def _unpack(price: uint256) -> TimestampedPackedUint224:
    return TimestampedPackedUint224(
        value=convert(price & U224, uint224), timestamp=convert(price >> 224, uint32)
    )


@internal
@pure
def _unsupported(token: address):
    refusal._one(convert(method_id("TokenNotSupported(address)", output_type=bytes4), uint32), convert(token, uint256))


@internal
@pure
def _rebase(feedDecimals: uint8, tokenDecimals: uint8, amount: uint256) -> uint256:
    """A price per whole token as one per 1e18 smallest units with 18 decimals."""
    decimals: uint256 = convert(feedDecimals + tokenDecimals, uint256)
    rebased: uint256 = 0
    if decimals > BASE_DECIMALS:
        rebased = amount // 10 ** unsafe_sub(decimals, BASE_DECIMALS)
    else:
        rebased = amount * 10 ** unsafe_sub(BASE_DECIMALS, decimals)
    if rebased > U224:
        refusal._plain(convert(method_id("DataFeedValueOutOfUint224Range()", output_type=bytes4), uint32))
    return rebased


@internal
@view
def _feed_price(feed: uint256) -> uint256:
    """What the data feed says now, packed like a stored price."""
    aggregator: Aggregator = Aggregator(convert(feed & U160, address))
    roundId: uint80 = 0
    answer: int256 = 0
    startedAt: uint256 = 0
    updatedAt: uint256 = 0
    answeredInRound: uint80 = 0
    roundId, answer, startedAt, updatedAt, answeredInRound = staticcall aggregator.latestRoundData()
    if answer < 0:
        refusal._plain(convert(method_id("DataFeedValueOutOfUint224Range()", output_type=bytes4), uint32))
    return self._rebase(
        staticcall aggregator.decimals(), convert((feed >> 160) & 255, uint8), convert(answer, uint256)
    ) | (updatedAt << 224)


@internal
@view
def _token_price(token: address) -> uint256:
    """The stored price, or a data feed's if the stored one is stale and the feed is not older. Packed."""
    price: uint256 = self._tokenPrices[token]
    if block.timestamp - (price >> 224) < STALENESS:
        return price
    feed: uint256 = self._feeds[token]
    if feed >> 168 == 0 or feed << 96 == 0:
        return price
    current: uint256 = self._feed_price(feed)
    if current >> 224 >= price >> 224:
        return current
    return price


@internal
@view
def _validated_token_price(token: address) -> uint256:
    price: uint256 = self._token_price(token)
    if price >> 224 == 0 or price & U224 == 0:
        self._unsupported(token)
    return price & U224


@internal
@view
def _validated_gas_price(destChainSelector: uint64, threshold: uint256) -> uint256:
    """The packed gas price; a threshold of zero lets it be of any age."""
    price: uint256 = self._gasPrices[destChainSelector]
    if threshold != 0:
        passed: uint256 = block.timestamp - (price >> 224)
        if passed > threshold:
            refusal._three(
                convert(method_id("StaleGasPrice(uint64,uint256,uint256)", output_type=bytes4), uint32),
                convert(destChainSelector, uint256),
                threshold,
                passed,
            )
    return price & U224


@internal
@view
def _convert_amount(fromToken: address, amount: uint256, toToken: address) -> uint256:
    return amount * self._validated_token_price(fromToken) // self._validated_token_price(toToken)


@external
@view
def getTokenPrice(token: address) -> TimestampedPackedUint224:
    return self._unpack(self._token_price(token))


@external
@view
def getValidatedTokenPrice(token: address) -> uint224:
    return convert(self._validated_token_price(token), uint224)


@external
@view
def getTokenPrices(tokens: DynArray[address, MAX_ANSWER]) -> DynArray[TimestampedPackedUint224, MAX_ANSWER]:
    prices: DynArray[TimestampedPackedUint224, MAX_ANSWER] = []
    for token: address in tokens:
        prices.append(self._unpack(self._token_price(token)))
    return prices


@external
@view
def getTokenPriceFeedConfig(token: address) -> TokenPriceFeedConfig:
    feed: uint256 = self._feeds[token]
    return TokenPriceFeedConfig(
        dataFeedAddress=convert(feed & U160, address),
        tokenDecimals=convert((feed >> 160) & 255, uint8),
        isEnabled=feed >> 168 != 0,
    )


@external
@view
def getDestinationChainGasPrice(destChainSelector: uint64) -> TimestampedPackedUint224:
    return self._unpack(self._gasPrices[destChainSelector])


@external
@view
def convertTokenAmount(fromToken: address, fromTokenAmount: uint256, toToken: address) -> uint256:
    return self._convert_amount(fromToken, fromTokenAmount, toToken)


@internal
def _update_prices():
    """updatePrices(PriceUpdates), read in place: a report brings few prices, the type allows many."""
    authorized_callers._check_caller()
    at: uint256 = 4 + cursor._word(4)
    stamp: uint256 = block.timestamp << 224
    prices: uint256 = at + cursor._word(at)
    count: uint256 = cursor._count(prices, cursor.MAX_PRICES)
    for i: uint256 in range(count, bound=cursor.MAX_PRICES):
        pair: uint256[2] = abi_decode(slice(msg.data, unsafe_add(unsafe_add(prices, 32), i << 6), 64), uint256[2])
        assert pair[0] >> 160 | pair[1] >> 224 == 0
        token: address = convert(pair[0], address)
        self._tokenPrices[token] = pair[1] | stamp
        log UsdPerTokenUpdated(token=token, value=pair[1], timestamp=block.timestamp)
    prices = at + cursor._item(at, 1)
    count = cursor._count(prices, cursor.MAX_PRICES)
    for i: uint256 in range(count, bound=cursor.MAX_PRICES):
        pair: uint256[2] = abi_decode(slice(msg.data, unsafe_add(unsafe_add(prices, 32), i << 6), 64), uint256[2])
        assert pair[0] >> 64 | pair[1] >> 224 == 0
        destChain: uint64 = convert(pair[0], uint64)
        self._gasPrices[destChain] = pair[1] | stamp
        log UsdPerUnitGasUpdated(destChain=destChain, value=pair[1], timestamp=block.timestamp)


@external
def updateTokenPriceFeeds(tokenPriceFeedUpdates: DynArray[TokenPriceFeedUpdate, MAX_UPDATES]):
    ownable._check_owner()
    self._set_feeds(tokenPriceFeedUpdates)


@internal
def _set_feeds(updates: DynArray[TokenPriceFeedUpdate, MAX_UPDATES]):
    for update: TokenPriceFeedUpdate in updates:
        feed: TokenPriceFeedConfig = update.feedConfig
        self._feeds[update.sourceToken] = (
            convert(feed.dataFeedAddress, uint256)
            | (convert(feed.tokenDecimals, uint256) << 160)
            | (convert(feed.isEnabled, uint256) << 168)
        )
        log PriceFeedPerTokenUpdated(token=update.sourceToken, priceFeedConfig=feed)


# Prices pushed by a workflow: the forwarder, the workflow's owner and name, and the report's name together are allowed.


@internal
@pure
def _report_id(forwarder: address, workflowOwner: address, workflowName: bytes10, reportName: bytes2) -> bytes32:
    return keccak256(abi_encode(forwarder, workflowOwner, workflowName, reportName))


@external
def setReportPermissions(permissions: DynArray[Permission, MAX_UPDATES]):
    ownable._check_owner()
    for permission: Permission in permissions:
        reportId: bytes32 = self._report_id(
            permission.forwarder, permission.workflowOwner, permission.workflowName, permission.reportName
        )
        self._permissions[reportId] = permission.isAllowed
        log ReportPermissionSet(reportId=reportId, permission=permission)


@external
def onReport(metadata: Bytes[128], report: Bytes[6208]):
    """Prices older than the stored ones are left out; a token without an enabled feed refuses the whole report."""
    # Workflow id (32 bytes), workflow name (10), workflow owner (20), report name (2).
    workflowName: bytes10 = convert(slice(metadata, 32, 10), bytes10)
    workflowOwner: address = convert(convert(slice(metadata, 42, 20), bytes20), address)
    reportName: bytes2 = convert(slice(metadata, 62, 2), bytes2)
    if not self._permissions[self._report_id(msg.sender, workflowOwner, workflowName, reportName)]:
        raw_revert(
            abi_encode(
                msg.sender,
                workflowOwner,
                workflowName,
                reportName,
                method_id=method_id("ReportForwarderUnauthorized(address,address,bytes10,bytes2)"),
            )
        )
    entries: DynArray[ReceivedFeedReport, MAX_FEED_REPORTS] = abi_decode(
        report, DynArray[ReceivedFeedReport, MAX_FEED_REPORTS]
    )
    for entry: ReceivedFeedReport in entries:
        feed: uint256 = self._feeds[entry.token]
        if feed >> 168 == 0:
            self._unsupported(entry.token)
        rebased: uint256 = self._rebase(
            REPORT_DECIMALS, convert((feed >> 160) & 255, uint8), convert(entry.price, uint256)
        )
        timestamp: uint256 = convert(entry.timestamp, uint256)
        if timestamp < self._tokenPrices[entry.token] >> 224:
            continue
        self._tokenPrices[entry.token] = rebased | (timestamp << 224)
        log UsdPerTokenUpdated(token=entry.token, value=rebased, timestamp=timestamp)

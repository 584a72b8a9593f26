# pragma version 0.4.3
# Token buckets, one outbound and one inbound per remote chain (spec section 19.5).
# It counts; which token, which chain and who may configure is the pool's business.

from modules import refusal

struct Config:
    isEnabled: bool
    capacity: uint128
    rate: uint128

struct TokenBucket:
    tokens: uint128
    lastUpdated: uint32
    isEnabled: bool
    capacity: uint128
    rate: uint128

event ConfigChanged:
    config: Config

# Directions of a bucket.
OUTBOUND: constant(uint256) = 0
INBOUND: constant(uint256) = 1
U128: constant(uint256) = 2**128 - 1
U32: constant(uint256) = 2**32 - 1

# direction -> chain -> tokens | lastUpdated << 128 | isEnabled << 160, and capacity | rate << 128
_levels: HashMap[uint256, HashMap[uint64, uint256]]
_limits: HashMap[uint256, HashMap[uint64, uint256]]


@internal
@pure
def _check(config: Config, strict: bool):
    """Enabled: rate not above capacity, and where strict neither zero nor the capacity. Disabled: both zero."""
    if config.isEnabled:
        if config.rate > config.capacity or (strict and (config.rate == 0 or config.rate == config.capacity)):
            raw_revert(abi_encode(config, method_id=method_id("InvalidRateLimitRate((bool,uint128,uint128))")))
    elif config.rate != 0 or config.capacity != 0:
        raw_revert(abi_encode(config, method_id=method_id("DisabledNonZeroRateLimit((bool,uint128,uint128))")))


@internal
@view
def _counts(direction: uint256, selector: uint64) -> bool:
    """Whether the bucket limits at all."""
    return (self._levels[direction][selector] >> 160) & 1 == 1


@internal
@view
def _bucket(direction: uint256, selector: uint64) -> TokenBucket:
    """The bucket as of now."""
    level: uint256 = self._levels[direction][selector]
    limit: uint256 = self._limits[direction][selector]
    capacity: uint256 = limit & U128
    rate: uint256 = limit >> 128
    elapsed: uint256 = block.timestamp - ((level >> 128) & U32)
    return TokenBucket(
        tokens=convert(min(capacity, (level & U128) + rate * elapsed), uint128),
        lastUpdated=convert(block.timestamp & U32, uint32),
        isEnabled=(level >> 160) & 1 == 1,
        capacity=convert(capacity, uint128),
        rate=convert(rate, uint128),
    )


@internal
def _store(direction: uint256, selector: uint64, tokens: uint128, config: Config):
    level: uint256 = convert(tokens, uint256) | ((block.timestamp & U32) << 128)
    if config.isEnabled:
        level |= 1 << 160
    self._levels[direction][selector] = level
    self._limits[direction][selector] = convert(config.capacity, uint256) | (convert(config.rate, uint256) << 128)


@internal
def _fill(direction: uint256, selector: uint64, config: Config):
    """A new bucket begins full."""
    self._store(direction, selector, config.capacity, config)


@internal
def _clear(selector: uint64):
    for direction: uint256 in range(2):
        self._levels[direction][selector] = 0
        self._limits[direction][selector] = 0


@internal
def _reconfigure(direction: uint256, selector: uint64, config: Config):
    """New limits: the bucket keeps what it holds, cut to the new capacity."""
    bucket: TokenBucket = self._bucket(direction, selector)
    self._store(direction, selector, min(config.capacity, bucket.tokens), config)
    log ConfigChanged(config=config)


@internal
def _consume(direction: uint256, selector: uint64, amount: uint256, token: address):
    if amount == 0 or (self._levels[direction][selector] >> 160) & 1 == 0:
        return
    level: uint256 = self._levels[direction][selector]
    bucket: TokenBucket = self._bucket(direction, selector)
    capacity: uint256 = convert(bucket.capacity, uint256)
    if level & U128 > capacity:
        refusal._plain(convert(method_id("BucketOverfilled()", output_type=bytes4), uint32))
    if capacity < amount:
        refusal._three(
            convert(method_id("TokenMaxCapacityExceeded(uint256,uint256,address)", output_type=bytes4), uint32),
            capacity,
            amount,
            convert(token, uint256),
        )
    tokens: uint256 = convert(bucket.tokens, uint256)
    if tokens < amount:
        rate: uint256 = convert(bucket.rate, uint256)
        if rate == 0:
            refusal._one(convert(method_id("Panic(uint256)", output_type=bytes4), uint32), 17)
        refusal._three(
            convert(method_id("TokenRateLimitReached(uint256,uint256,address)", output_type=bytes4), uint32),
            (amount - tokens + rate - 1) // rate,
            tokens,
            convert(token, uint256),
        )
    self._levels[direction][selector] = (tokens - amount) | ((block.timestamp & U32) << 128) | (1 << 160)


@internal
def _consume_worth(direction: uint256, selector: uint64, worth: uint256):
    """The same for a bucket over all tokens together, whose refusals name no token."""
    level: uint256 = self._levels[direction][selector]
    bucket: TokenBucket = self._bucket(direction, selector)
    capacity: uint256 = convert(bucket.capacity, uint256)
    if level & U128 > capacity:
        refusal._plain(convert(method_id("BucketOverfilled()", output_type=bytes4), uint32))
    if capacity < worth:
        refusal._two(
            convert(method_id("AggregateValueMaxCapacityExceeded(uint256,uint256)", output_type=bytes4), uint32),
            capacity,
            worth,
        )
    tokens: uint256 = convert(bucket.tokens, uint256)
    if tokens < worth:
        # The rate is above zero: the rule of these buckets.
        rate: uint256 = convert(bucket.rate, uint256)
        refusal._two(
            convert(method_id("AggregateValueRateLimitReached(uint256,uint256)", output_type=bytes4), uint32),
            (worth - tokens + rate - 1) // rate,
            tokens,
        )
    self._levels[direction][selector] = (tokens - worth) | ((block.timestamp & U32) << 128) | (1 << 160)

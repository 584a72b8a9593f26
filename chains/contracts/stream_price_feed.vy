# pragma version 0.4.3
# StreamPriceFeed 1.0.0: one feed of the price streams as a data feed (AggregatorV3Interface), so that a FeeQuoter, or
# whoever else reads data feeds, takes its price from signed reports. Anybody brings reports; each is verified at the
# proxy and must be what a consumer has to ask of it (data streams specification, sections 6.5 and 12.5).
#
# A price that is not brought any more stays, as data feeds do it: `updatedAt` tells its age. freshRoundData refuses.

from modules import refusal

interface Proxy:
    def verify(payload: Bytes[MAX_REPORT], parameterPayload: Bytes[32]) -> Bytes[MAX_BLOB]: nonpayable

event AnswerUpdated:
    current: indexed(int256)
    roundId: indexed(uint256)
    updatedAt: uint256

struct Layout:
    # Words of the blob; where each is found, zero for none. `statusAt` is a market status, or a ripcord.
    words: uint256
    priceAt: uint256
    statusAt: uint256
    # When the price itself was last seen, in units of `seenUnit` a second.
    seenAt: uint256
    seenUnit: uint256
    # Units of the header's timestamps a second.
    headerUnit: uint256

struct Settings:
    proxy: address
    feedId: bytes32
    # Of the prices in the reports; they are passed on as they are.
    decimals: uint8
    description: String[64]
    # Oldest report that is taken, and oldest price that freshRoundData gives, in seconds.
    maxAge: uint32
    # Statuses in which the price is taken, bit by status; for a feed with a ripcord 1, which is status zero only.
    statuses: uint256
    # What cannot be the price is refused, not cut to these.
    minAnswer: int192
    maxAnswer: int192

# The verifier's bounds, in bytes.
MAX_REPORT: constant(uint256) = 2048
MAX_BLOB: constant(uint256) = 1024
# Rounds that getRoundData still knows.
RECENT: constant(uint256) = 32
# Seconds that the oracles' clock may be ahead of the chain's: a block carries the time at which its making began.
MAX_AHEAD: constant(uint256) = 30
# Words of a blob that all schemas have.
OBSERVED_AT: constant(uint256) = 2
EXPIRES_AT: constant(uint256) = 5
# First byte of feed ids whose header counts milliseconds; the second is the schema.
MILLISECONDS: constant(uint256) = 15
NO_DATA: constant(String[15]) = "No data present"

PROXY: immutable(address)
FEED_ID: immutable(bytes32)
DECIMALS: immutable(uint8)
DESCRIPTION: immutable(String[64])
MAX_AGE: immutable(uint256)
STATUSES: immutable(uint256)
MIN_ANSWER: immutable(int192)
MAX_ANSWER: immutable(int192)
LAYOUT: immutable(Layout)

# The latest round's id, and the observation timestamp of its report in the header's units << 80.
_latest: uint256
# round id % RECENT -> answer << 64 | time of the price << 32 | low 32 bits of the round id
_rounds: uint256[RECENT]


@deploy
def __init__(settings: Settings):
    if settings.proxy == empty(address):
        refusal._plain(convert(method_id("ZeroAddress()", output_type=bytes4), uint32))
    if settings.maxAge == 0 or settings.minAnswer <= 0 or settings.maxAnswer < settings.minAnswer:
        refusal._plain(convert(method_id("InvalidSettings()", output_type=bytes4), uint32))
    PROXY = settings.proxy
    FEED_ID = settings.feedId
    DECIMALS = settings.decimals
    DESCRIPTION = settings.description
    MAX_AGE = convert(settings.maxAge, uint256)
    STATUSES = settings.statuses
    MIN_ANSWER = settings.minAnswer
    MAX_ANSWER = settings.maxAnswer
    LAYOUT = self._layout(convert(settings.feedId, uint256) >> 240)
    if (LAYOUT.statusAt == 0) != (settings.statuses == 0):
        refusal._plain(convert(method_id("InvalidSettings()", output_type=bytes4), uint32))


@internal
@pure
def _layout(version: uint256) -> Layout:
    """Where the schemas keep price, status and time of the price (specification, section 2.3)."""
    # words, price, status, time, units of it a second
    found: uint256[5] = empty(uint256[5])
    schema: uint256 = version & 255
    if schema == 2 or schema == 7:
        found = [7, 6, 0, 0, 1]
    elif schema == 3:
        found = [9, 6, 0, 0, 1]
    elif schema == 4:
        found = [8, 6, 7, 0, 1]
    elif schema == 8:
        found = [9, 7, 8, 6, 10**9]
    elif schema == 9:
        found = [10, 6, 9, 7, 10**3]
    elif schema == 10:
        found = [13, 7, 8, 6, 10**9]
    elif schema == 11:
        found = [14, 6, 13, 7, 10**9]
    elif schema == 12:
        found = [10, 6, 9, 8, 10**9]
    headerUnit: uint256 = 1
    if version >> 8 == MILLISECONDS:
        headerUnit = 10**3
    if found[0] == 0 or (version >> 8 != 0 and version >> 8 != MILLISECONDS):
        refusal._one(convert(method_id("UnsupportedSchema(uint16)", output_type=bytes4), uint32), version)
    return Layout(
        words=found[0], priceAt=found[1], statusAt=found[2], seenAt=found[3], seenUnit=found[4], headerUnit=headerUnit
    )


# -------------------------------------------------------------------------------------------------------------- update


@external
def update(fullReport: Bytes[MAX_REPORT]) -> uint80:
    """Verifies a report and takes its price as a new round, whose id it answers. Nothing changes when it is refused."""
    blob: Bytes[MAX_BLOB] = extcall Proxy(PROXY).verify(fullReport, b"")
    feedId: bytes32 = extract32(blob, 0)
    if feedId != FEED_ID:
        refusal._one(convert(method_id("WrongFeed(bytes32)", output_type=bytes4), uint32), convert(feedId, uint256))
    if len(blob) != LAYOUT.words << 5:
        refusal._one(convert(method_id("WrongLength(uint256)", output_type=bytes4), uint32), len(blob))

    observed: uint256 = self._word(blob, OBSERVED_AT)
    latest: uint256 = self._latest
    if observed <= latest >> 80:
        refusal._two(
            convert(method_id("NotNewer(uint256,uint256)", output_type=bytes4), uint32), observed, latest >> 80
        )
    observedAt: uint256 = observed // LAYOUT.headerUnit
    if self._word(blob, EXPIRES_AT) // LAYOUT.headerUnit < block.timestamp:
        refusal._plain(convert(method_id("ExpiredReport()", output_type=bytes4), uint32))
    if observedAt + MAX_AGE < block.timestamp:
        refusal._one(convert(method_id("StaleReport(uint256)", output_type=bytes4), uint32), observedAt)
    # A timestamp far ahead would keep every honest report out until then.
    if observedAt > block.timestamp + MAX_AHEAD:
        refusal._one(convert(method_id("FutureReport(uint256)", output_type=bytes4), uint32), observedAt)
    if LAYOUT.statusAt != 0:
        status: uint256 = self._word(blob, LAYOUT.statusAt)
        if status > 255 or (STATUSES >> status) & 1 == 0:
            refusal._one(convert(method_id("StatusForbids(uint256)", output_type=bytes4), uint32), status)
    answer: int256 = extract32(blob, LAYOUT.priceAt << 5, output_type=int256)
    if answer < convert(MIN_ANSWER, int256) or answer > convert(MAX_ANSWER, int256):
        refusal._one(
            convert(method_id("AnswerOutOfRange(int256)", output_type=bytes4), uint32),
            self._word(blob, LAYOUT.priceAt),
        )

    # The price is as old as it was last seen, however new the report; and never of the future, which readers subtract.
    updatedAt: uint256 = min(observedAt, block.timestamp)
    if LAYOUT.seenAt != 0:
        updatedAt = min(updatedAt, self._word(blob, LAYOUT.seenAt) // LAYOUT.seenUnit)
    roundId: uint256 = unsafe_add(latest & (2**80 - 1), 1)
    self._rounds[roundId % RECENT] = (
        (convert(answer, uint256) << 64) | (updatedAt << 32) | (roundId & (2**32 - 1))
    )
    self._latest = (observed << 80) | roundId
    log AnswerUpdated(current=answer, roundId=roundId, updatedAt=updatedAt)
    return convert(roundId, uint80)


@internal
@pure
def _word(blob: Bytes[MAX_BLOB], i: uint256) -> uint256:
    return convert(extract32(blob, i << 5), uint256)


# --------------------------------------------------------------------------------------------------------------- views


@external
@view
def typeAndVersion() -> String[32]:
    return "StreamPriceFeed 1.0.0"


@external
@view
def version() -> uint256:
    return 1


@external
@view
def decimals() -> uint8:
    return DECIMALS


@external
@view
def description() -> String[64]:
    return DESCRIPTION


@external
@view
def getSettings() -> Settings:
    return Settings(
        proxy=PROXY,
        feedId=FEED_ID,
        decimals=DECIMALS,
        description=DESCRIPTION,
        maxAge=convert(MAX_AGE, uint32),
        statuses=STATUSES,
        minAnswer=MIN_ANSWER,
        maxAnswer=MAX_ANSWER,
    )


@external
@view
def latestObservation() -> uint256:
    """The observation timestamp of the latest report, in the units of its header; a newer one is taken next."""
    return self._latest >> 80


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """The latest price of whatever age; "No data present" before the first."""
    return self._round(self._latest & (2**80 - 1))


@external
@view
def getRoundData(roundId: uint80) -> (uint80, int256, uint256, uint256, uint80):
    """One of the last 32 rounds; "No data present" for any other."""
    return self._round(convert(roundId, uint256))


@external
@view
def freshRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """latestRoundData, refused when the price is older than the age that was set."""
    roundId: uint80 = 0
    answer: int256 = 0
    startedAt: uint256 = 0
    updatedAt: uint256 = 0
    answeredInRound: uint80 = 0
    roundId, answer, startedAt, updatedAt, answeredInRound = self._round(self._latest & (2**80 - 1))
    if updatedAt + MAX_AGE < block.timestamp:
        refusal._one(convert(method_id("StalePrice(uint256)", output_type=bytes4), uint32), updatedAt)
    return roundId, answer, startedAt, updatedAt, answeredInRound


@internal
@view
def _round(roundId: uint256) -> (uint80, int256, uint256, uint256, uint80):
    found: uint256 = self._rounds[roundId % RECENT]
    latest: uint256 = self._latest & (2**80 - 1)
    assert found != 0 and roundId <= latest and latest - roundId < RECENT, NO_DATA
    updatedAt: uint256 = (found >> 32) & (2**32 - 1)
    short: uint80 = convert(roundId, uint80)
    return short, convert(found >> 64, int256), updatedAt, updatedAt, short

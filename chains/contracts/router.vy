# pragma version 0.4.3
# pragma optimize codesize
# Router 1.2.0: the one address that applications send through and receive from (spec section 6). It moves fees and
# tokens to where the on-ramp wants them, and calls receivers for the off-ramps it knows. It knows nothing of lanes,
# fees or proofs.
#
# ccipSend, getFee and routeMessage are served by __default__, because Vyper would decode their messages into memory
# laid out for the largest one. The call data is checked and passed on in place: small messages through small buffers,
# large ones through buffers that cost nothing until a large message touches them.

from modules import cursor
from modules import gas_exact
from modules import outgoing
from modules import ownable_2step_strings as ownable
from modules import refusal
from modules import safe_erc20

initializes: ownable
exports: (ownable.owner, ownable.transferOwnership, ownable.acceptOwnership)

interface ARM:
    def isCursed() -> bool: view

interface OnRamp:
    def getPoolBySourceToken(destChainSelector: uint64, sourceToken: address) -> address: view
    def getSupportedTokens(destChainSelector: uint64) -> DynArray[address, 256]: view

interface WrappedNative:
    def deposit(): payable

struct OnRampUpdate:
    destChainSelector: uint64
    onRamp: address

struct OffRampUpdate:
    sourceChainSelector: uint64
    offRamp: address

event OnRampSet:
    destChainSelector: indexed(uint64)
    onRamp: address

event OffRampAdded:
    sourceChainSelector: indexed(uint64)
    offRamp: address

event OffRampRemoved:
    sourceChainSelector: indexed(uint64)
    offRamp: address

event MessageExecuted:
    messageId: bytes32
    sourceChainSelector: uint64
    offRamp: address
    calldataHash: bytes32

# Most updates of one kind in one call, and most off-ramps at a time.
MAX_UPDATES: constant(uint256) = 64
MAX_OFF_RAMPS: constant(uint256) = 512
# Longest answer: that of routeMessage, with MAX_RET_BYTES of return data.
MAX_ANSWER: constant(uint256) = 288
U160: constant(uint256) = 2**160 - 1

# The most return data of a receiver that is passed on.
MAX_RET_BYTES: public(constant(uint16)) = 132

# Selectors served by __default__, and those it calls with payloads built by hand.
CCIP_SEND: constant(uint32) = 2532633081  # 0x96f4e9f9
GET_FEE: constant(uint32) = 541621741  # 0x20487ded
ROUTE_MESSAGE: constant(uint32) = 1022982531  # 0x3cf97983
GET_FEE_BYTES: constant(bytes4) = 0x20487ded
FORWARD_FROM_ROUTER: constant(bytes4) = 0xdf0aa9e9
CCIP_RECEIVE: constant(bytes4) = 0x85572ffb
# Where the message of a forwardFromRouter call begins, from its arguments on.
FORWARD_OFFSET: constant(uint256) = 128

ARM_PROXY: immutable(address)

_wrappedNative: address
_onRamps: HashMap[uint64, address]
# sourceChainSelector << 160 | offRamp
_offRamps: DynArray[uint256, MAX_OFF_RAMPS]
# pair -> its place in _offRamps, from 1
_offRampIndex: HashMap[uint256, uint256]


@deploy
def __init__(wrappedNative: address, armProxy: address):
    ownable.__init__()
    self._wrappedNative = wrappedNative
    ARM_PROXY = armProxy


# ------------------------------------------------------------------------------------------------------------ views


@external
@view
def typeAndVersion() -> String[32]:
    return "Router 1.2.0"


@external
@view
def getWrappedNative() -> address:
    return self._wrappedNative


@external
@view
def getArmProxy() -> address:
    return ARM_PROXY


@external
@view
def getOnRamp(destChainSelector: uint64) -> address:
    return self._onRamps[destChainSelector]


@external
@view
def isChainSupported(chainSelector: uint64) -> bool:
    return self._onRamps[chainSelector] != empty(address)


@external
@view
def getOffRamps() -> DynArray[OffRampUpdate, MAX_OFF_RAMPS]:
    offRamps: DynArray[OffRampUpdate, MAX_OFF_RAMPS] = []
    for pair: uint256 in self._offRamps:
        offRamps.append(
            OffRampUpdate(
                sourceChainSelector=convert(pair >> 160, uint64), offRamp=convert(pair & U160, address)
            )
        )
    return offRamps


@external
@view
def isOffRamp(sourceChainSelector: uint64, offRamp: address) -> bool:
    return self._offRampIndex[self._pair(sourceChainSelector, offRamp)] != 0


@external
@view
def getSupportedTokens(chainSelector: uint64) -> DynArray[address, 256]:
    """Empty for an unknown chain; version 1.6 on-ramps refuse for a known one."""
    onRamp: address = self._onRamps[chainSelector]
    if onRamp == empty(address):
        return []
    return staticcall OnRamp(onRamp).getSupportedTokens(chainSelector)


# ---------------------------------------------------------------------------------------------------- configuration


@internal
@pure
def _pair(sourceChainSelector: uint64, offRamp: address) -> uint256:
    return convert(sourceChainSelector, uint256) << 160 | convert(offRamp, uint256)


@external
def applyRampUpdates(
    onRampUpdates: DynArray[OnRampUpdate, MAX_UPDATES],
    offRampRemoves: DynArray[OffRampUpdate, MAX_UPDATES],
    offRampAdds: DynArray[OffRampUpdate, MAX_UPDATES],
):
    """Sets on-ramps (the zero address closes a destination), then removes, then adds off-ramps."""
    ownable._check_owner()
    for update: OnRampUpdate in onRampUpdates:
        self._onRamps[update.destChainSelector] = update.onRamp
        log OnRampSet(destChainSelector=update.destChainSelector, onRamp=update.onRamp)
    for update: OffRampUpdate in offRampRemoves:
        pair: uint256 = self._pair(update.sourceChainSelector, update.offRamp)
        index: uint256 = self._offRampIndex[pair]
        if index == 0:
            refusal._two(
                convert(method_id("OffRampMismatch(uint64,address)", output_type=bytes4), uint32),
                convert(update.sourceChainSelector, uint256),
                convert(update.offRamp, uint256),
            )
        # The last pair takes the place of the one that leaves.
        last: uint256 = self._offRamps.pop()
        if last != pair:
            self._offRamps[unsafe_sub(index, 1)] = last
            self._offRampIndex[last] = index
        self._offRampIndex[pair] = 0
        log OffRampRemoved(sourceChainSelector=update.sourceChainSelector, offRamp=update.offRamp)
    for update: OffRampUpdate in offRampAdds:
        pair: uint256 = self._pair(update.sourceChainSelector, update.offRamp)
        if self._offRampIndex[pair] == 0:
            self._offRamps.append(pair)
            self._offRampIndex[pair] = len(self._offRamps)
            log OffRampAdded(sourceChainSelector=update.sourceChainSelector, offRamp=update.offRamp)


@external
def setWrappedNative(wrappedNative: address):
    ownable._check_owner()
    self._wrappedNative = wrappedNative


@external
def recoverTokens(tokenAddress: address, to: address, amount: uint256):
    """Sends out tokens, or native coins for the zero address, that were sent here by mistake."""
    ownable._check_owner()
    if to == empty(address):
        refusal._one(convert(method_id("InvalidRecipientAddress(address)", output_type=bytes4), uint32), 0)
    if tokenAddress == empty(address):
        if not raw_call(to, b"", value=amount, revert_on_failure=False):
            refusal._plain(convert(method_id("FailedToSendValue()", output_type=bytes4), uint32))
        return
    safe_erc20._transfer(tokenAddress, to, amount)


# ---------------------------------------------------------------------------------------------- sending and delivery


@internal
@view
def _check_arm():
    """Refuses everything while the global curse is on."""
    if staticcall ARM(ARM_PROXY).isCursed():
        refusal._plain(convert(method_id("BadARMSignal()", output_type=bytes4), uint32))


@internal
@view
def _on_ramp(dest: uint64) -> address:
    onRamp: address = self._onRamps[dest]
    if onRamp == empty(address):
        refusal._one(
            convert(method_id("UnsupportedDestinationChain(uint64)", output_type=bytes4), uint32),
            convert(dest, uint256),
        )
    return onRamp


@internal
@payable
def _pay(onRamp: address, feeToken: address, native: bool, fee: uint256) -> uint256:
    """Moves the fee to the on-ramp and returns what was paid: for a native fee, all that was sent."""
    if not native:
        safe_erc20._transfer_from(feeToken, msg.sender, onRamp, fee)
        return fee
    if msg.value < fee:
        refusal._plain(convert(method_id("InsufficientFeeTokenAmount()", output_type=bytes4), uint32))
    extcall WrappedNative(feeToken).deposit(value=msg.value)
    safe_erc20._transfer(feeToken, onRamp, msg.value)
    return msg.value


@internal
def _pull_tokens(onRamp: address, dest: uint64):
    """Moves the tokens of the message at byte 68 from the sender into their pools."""
    tokens: uint256 = cursor._follow(68, 2)
    at: uint256 = unsafe_add(tokens, 32)
    for i: uint256 in range(cursor._word(tokens), bound=outgoing.MAX_TOKENS):
        token: address = convert(cursor._word(at), address)
        pool: address = staticcall OnRamp(onRamp).getPoolBySourceToken(dest, token)
        safe_erc20._transfer_from(token, msg.sender, pool, cursor._item(at, 1))
        at = unsafe_add(at, 64)


@external
@payable
@raw_return
def __default__() -> Bytes[MAX_ANSWER]:
    """ccipSend, getFee, routeMessage; anything else, plain coins too, is refused with no data."""
    selector: uint32 = convert(convert(slice(msg.data, 0, 4), bytes4), uint32)
    small: bool = len(msg.data) <= outgoing.SMALL
    if selector == ROUTE_MESSAGE:
        assert msg.value == 0
        # Where the message is, gas for the check, gas, receiver; at byte 132 id, source, and where the rest is.
        head: uint256[9] = abi_decode(slice(msg.data, 4, 288), uint256[9])
        gasLimit: uint256 = head[2]
        receiver: address = convert(head[3], address)
        source: uint64 = convert(head[5], uint64)
        assert head[0] == 128
        assert head[1] >> 16 == 0
        assert head[6] == 160
        end: uint256 = cursor._bytes_end(292)
        assert head[7] == unsafe_sub(end, 132)
        end = cursor._bytes_end(end)
        assert head[8] == unsafe_sub(end, 132)
        count: uint256 = cursor._count(end, cursor.MAX_TOKENS)
        end = unsafe_add(end, 32)
        for i: uint256 in range(count, bound=cursor.MAX_TOKENS):
            assert cursor._word(end) >> 160 == 0
            end = unsafe_add(end, 64)
        assert end <= len(msg.data)
        self._check_arm()
        if self._offRampIndex[head[5] << 160 | convert(msg.sender, uint256)] == 0:
            refusal._plain(convert(method_id("OnlyOffRamp()", output_type=bytes4), uint32))
        ok: bool = False
        answer: Bytes[132] = b""
        before: uint256 = 0
        used: uint256 = 0
        calldataHash: bytes32 = empty(bytes32)
        if small:
            payload: Bytes[outgoing.SMALL + 196] = concat(
                CCIP_RECEIVE, convert(32, bytes32), slice(msg.data, 132, 160), cursor._range(292, end)
            )
            calldataHash = keccak256(payload)
            gas_exact._check_gas(receiver, gasLimit, head[1])
            before = msg.gas
            ok, answer = raw_call(receiver, payload, gas=gasLimit, max_outsize=132, revert_on_failure=False)
            used = unsafe_sub(before, msg.gas)
        else:
            payload: Bytes[outgoing.LARGE + 36] = concat(
                CCIP_RECEIVE,
                convert(32, bytes32),
                slice(
                    raw_call(cursor.IDENTITY, msg.data, max_outsize=outgoing.LARGE, is_static_call=True),
                    132,
                    unsafe_sub(end, 132),
                ),
            )
            calldataHash = keccak256(payload)
            gas_exact._check_gas(receiver, gasLimit, head[1])
            before = msg.gas
            ok, answer = raw_call(receiver, payload, gas=gasLimit, max_outsize=132, revert_on_failure=False)
            used = unsafe_sub(before, msg.gas)
        log MessageExecuted(
            messageId=convert(head[4], bytes32),
            sourceChainSelector=source,
            offRamp=msg.sender,
            calldataHash=calldataHash,
        )
        return abi_encode(ok, answer, used)

    assert selector == CCIP_SEND or selector == GET_FEE
    # The message is at byte 68, its fee token at byte 164. What follows the fee token is passed on as it came.
    assert cursor._word(4) >> 64 == 0
    assert cursor._word(36) == 64
    end: uint256 = outgoing._message_end(68)
    if selector == CCIP_SEND:
        self._check_arm()
    else:
        assert msg.value == 0
    dest: uint64 = convert(cursor._word(4), uint64)
    onRamp: address = self._on_ramp(dest)
    feeToken: address = convert(cursor._word(164), address)
    native: bool = feeToken == empty(address)
    if native:
        feeToken = self._wrappedNative
    elif msg.value != 0:
        refusal._plain(convert(method_id("InvalidMsgValue()", output_type=bytes4), uint32))
    fee: uint256 = 0
    if small:
        body: Bytes[outgoing.SMALL + 128] = concat(
            slice(msg.data, 68, 96), convert(feeToken, bytes32), cursor._range(196, end)
        )
        fee = extract32(
            raw_call(
                onRamp, concat(GET_FEE_BYTES, slice(msg.data, 4, 64), body), max_outsize=32, is_static_call=True
            ),
            0,
            output_type=uint256,
        )
        if selector == GET_FEE:
            return abi_encode(fee)
        fee = self._pay(onRamp, feeToken, native, fee)
        self._pull_tokens(onRamp, dest)
        return raw_call(
            onRamp,
            concat(abi_encode(dest, FORWARD_OFFSET, fee, msg.sender, method_id=FORWARD_FROM_ROUTER), body),
            max_outsize=32,
        )
    # The same with buffers for the largest message.
    body: Bytes[outgoing.LARGE] = slice(
        raw_call(cursor.IDENTITY, msg.data, max_outsize=outgoing.LARGE, is_static_call=True),
        196,
        unsafe_sub(end, 196),
    )
    fee = extract32(
        raw_call(
            onRamp,
            concat(GET_FEE_BYTES, slice(msg.data, 4, 160), convert(feeToken, bytes32), body),
            max_outsize=32,
            is_static_call=True,
        ),
        0,
        output_type=uint256,
    )
    if selector == GET_FEE:
        return abi_encode(fee)
    fee = self._pay(onRamp, feeToken, native, fee)
    self._pull_tokens(onRamp, dest)
    return raw_call(
        onRamp,
        concat(
            abi_encode(dest, FORWARD_OFFSET, fee, msg.sender, method_id=FORWARD_FROM_ROUTER),
            slice(msg.data, 68, 96),
            convert(feeToken, bytes32),
            body,
        ),
        max_outsize=32,
    )

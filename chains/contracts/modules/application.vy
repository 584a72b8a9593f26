# pragma version 0.4.3
# What every application on the bridge shares: its router, the shapes of messages in and out, and what it may ask the
# router for (spec sections 4.1 and 6). What a message means is the application's business.

interface Router:
    def getFee(destinationChainSelector: uint64, message: EVM2AnyMessage) -> uint256: view
    def ccipSend(destinationChainSelector: uint64, message: EVM2AnyMessage) -> bytes32: payable

struct TokenAmount:
    token: address
    amount: uint256

struct EVM2AnyMessage:
    receiver: Bytes[MAX_ADDRESS]
    data: Bytes[MAX_DATA]
    tokenAmounts: DynArray[TokenAmount, MAX_TOKENS]
    feeToken: address
    extraArgs: Bytes[MAX_EXTRA_ARGS]

struct Any2EVMMessage:
    messageId: bytes32
    sourceChainSelector: uint64
    sender: Bytes[MAX_ADDRESS]
    data: Bytes[MAX_DATA]
    destTokenAmounts: DynArray[TokenAmount, MAX_TOKENS]

# Longest address of a chain, longest data and most tokens that these applications handle, and extra arguments of the
# longest kind for EVM chains.
MAX_ADDRESS: constant(uint256) = 64
MAX_DATA: constant(uint256) = 2048
MAX_TOKENS: constant(uint256) = 8
MAX_EXTRA_ARGS: constant(uint256) = 68
# Begins extra arguments of gas limit and out-of-order flag.
GENERIC_V2: constant(bytes4) = 0x181dcf10

ROUTER: immutable(address)


@deploy
def __init__(router: address):
    if router == empty(address):
        self._refuse(router)
    ROUTER = router


@internal
@pure
def _refuse(router: address):
    raw_revert(abi_encode(router, method_id=method_id("InvalidRouter(address)")))


@external
@view
def getRouter() -> address:
    return ROUTER


@external
@pure
def supportsInterface(interfaceId: bytes4) -> bool:
    """ERC-165 itself and IAny2EVMMessageReceiver."""
    return interfaceId == 0x85572ffb or interfaceId == 0x01ffc9a7


@internal
@view
def _check_router():
    """Whoever else calls could say anything about where a message comes from."""
    if msg.sender != ROUTER:
        self._refuse(msg.sender)


@internal
@pure
def _extra_args(gasLimit: uint256, outOfOrder: bool) -> Bytes[MAX_EXTRA_ARGS]:
    return concat(GENERIC_V2, abi_encode(gasLimit, outOfOrder))

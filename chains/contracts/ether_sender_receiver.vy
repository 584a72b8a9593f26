# pragma version 0.4.3
# An example application: sends native coins to an address on another chain, wrapped for the way, and pays out there
# what arrives for somebody. Fees are paid in native coins on top, or in a token.

from modules import application
from modules import refusal
from modules import safe_erc20

initializes: application
exports: application.__interface__

interface WrappedNative:
    def deposit(): payable
    def withdraw(wad: uint256): nonpayable

interface WrappingRouter:
    def getWrappedNative() -> address: view

WRAPPED: immutable(address)


@deploy
def __init__(router: address):
    application.__init__(router)
    WRAPPED = staticcall WrappingRouter(router).getWrappedNative()
    safe_erc20._approve(WRAPPED, router, max_value(uint256))


@external
@pure
def typeAndVersion() -> String[32]:
    return "EtherSenderReceiver 1.6.0"


@external
@view
def i_weth() -> address:
    return WRAPPED


@external
@payable
def __default__():
    """Takes native coins from the wrapping contract only."""
    assert msg.sender == WRAPPED and len(msg.data) == 0


@internal
@view
def _prepared(message: application.EVM2AnyMessage, beneficiary: address) -> application.EVM2AnyMessage:
    """The message as it is sent: the wrapped token for the coins, and who is paid there as its data."""
    if len(message.tokenAmounts) != 1:
        self._refuse_amounts(len(message.tokenAmounts))
    return application.EVM2AnyMessage(
        receiver=message.receiver,
        data=abi_encode(beneficiary),
        tokenAmounts=[application.TokenAmount(token=WRAPPED, amount=message.tokenAmounts[0].amount)],
        feeToken=message.feeToken,
        extraArgs=message.extraArgs,
    )


@internal
@pure
def _refuse_amounts(count: uint256):
    refusal._one(convert(method_id("InvalidTokenAmounts(uint256)", output_type=bytes4), uint32), count)


@external
@view
def getFee(destinationChainSelector: uint64, message: application.EVM2AnyMessage) -> uint256:
    """What ccipSend costs beyond the coins sent, in the message's fee token."""
    return staticcall application.Router(application.ROUTER).getFee(
        destinationChainSelector, self._prepared(message, msg.sender)
    )


@external
@payable
def ccipSend(destinationChainSelector: uint64, message: application.EVM2AnyMessage) -> bytes32:
    """
    Sends the one token amount of the message in coins, to be paid to the sender's address there. With a zero fee token
    all coins beyond the amount are the fee; with any other, exactly the amount must come along.
    """
    prepared: application.EVM2AnyMessage = self._prepared(message, msg.sender)
    amount: uint256 = prepared.tokenAmounts[0].amount
    router: application.Router = application.Router(application.ROUTER)
    fee: uint256 = staticcall router.getFee(destinationChainSelector, prepared)
    if prepared.feeToken == empty(address):
        if msg.value < amount + fee:
            self._refuse_value(
                convert(method_id("InsufficientMsgValue(uint256,uint256)", output_type=bytes4), uint32), amount + fee
            )
        extcall WrappedNative(WRAPPED).deposit(value=amount)
        return extcall router.ccipSend(destinationChainSelector, prepared, value=msg.value - amount)
    if msg.value != amount:
        self._refuse_value(
            convert(method_id("TokenAmountNotEqualToMsgValue(uint256,uint256)", output_type=bytes4), uint32), amount
        )
    safe_erc20._transfer_from(prepared.feeToken, msg.sender, self, fee)
    # The allowance for wrapped coins is there already, without limit.
    if prepared.feeToken != WRAPPED:
        safe_erc20._approve(prepared.feeToken, router.address, fee)
    extcall WrappedNative(WRAPPED).deposit(value=amount)
    return extcall router.ccipSend(destinationChainSelector, prepared)


@internal
@payable
def _refuse_value(selector: uint32, due: uint256):
    refusal._two(selector, due, msg.value)


@external
def ccipReceive(message: application.Any2EVMMessage):
    """Unwraps the coins and pays them to whom the data names; who takes no coins gets them wrapped."""
    application._check_router()
    if len(message.destTokenAmounts) != 1:
        self._refuse_amounts(len(message.destTokenAmounts))
    token: address = message.destTokenAmounts[0].token
    if token != WRAPPED:
        refusal._two(
            convert(method_id("UnexpectedToken(address,address)", output_type=bytes4), uint32),
            convert(token, uint256),
            convert(WRAPPED, uint256),
        )
    amount: uint256 = message.destTokenAmounts[0].amount
    beneficiary: address = abi_decode(message.data, address)
    extcall WrappedNative(WRAPPED).withdraw(amount)
    if not raw_call(beneficiary, b"", value=amount, revert_on_failure=False):
        extcall WrappedNative(WRAPPED).deposit(value=amount)
        safe_erc20._transfer(WRAPPED, beneficiary, amount)

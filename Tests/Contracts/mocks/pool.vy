# pragma version 0.4.3
# A token pool that locks nothing and answers what it was told to.

struct LockOrBurnInV1:
    receiver: Bytes[256]
    remoteChainSelector: uint64
    originalSender: address
    amount: uint256
    localToken: address

struct LockOrBurnOutV1:
    destTokenAddress: Bytes[64]
    destPoolData: Bytes[512]

event Asked:
    receiver: Bytes[256]
    remoteChainSelector: uint64
    originalSender: address
    amount: uint256
    localToken: address

_answer: LockOrBurnOutV1
_isPool: bool


@deploy
def __init__(isPool: bool):
    self._isPool = isPool


@external
def answer(destTokenAddress: Bytes[64], destPoolData: Bytes[512]):
    self._answer = LockOrBurnOutV1(destTokenAddress=destTokenAddress, destPoolData=destPoolData)


@external
@view
def supportsInterface(interfaceId: bytes4) -> bool:
    return self._isPool and interfaceId == 0xaff2afbf


@external
@view
def isSupportedToken(token: address) -> bool:
    return True


@external
def lockOrBurn(lockOrBurnIn: LockOrBurnInV1) -> LockOrBurnOutV1:
    log Asked(
        receiver=lockOrBurnIn.receiver,
        remoteChainSelector=lockOrBurnIn.remoteChainSelector,
        originalSender=lockOrBurnIn.originalSender,
        amount=lockOrBurnIn.amount,
        localToken=lockOrBurnIn.localToken,
    )
    return self._answer

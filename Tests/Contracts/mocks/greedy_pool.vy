# pragma version 0.4.3
# A pool around a real burn-mint pool, with a fault of choice: 0 none, 1 mints as much again to the receiver and says
# so, 2 mints as much again to its maker, 3 mints back what was burnt, 4 moves tokens without the pool and its limits.
# To the ramps it is the pool, and to the pool inside it is the router, whose only ramp is itself.

struct LockOrBurnInV1:
    receiver: Bytes[256]
    remoteChainSelector: uint64
    originalSender: address
    amount: uint256
    localToken: address

struct LockOrBurnOutV1:
    destTokenAddress: Bytes[64]
    destPoolData: Bytes[32]

struct ReleaseOrMintInV1:
    originalSender: Bytes[256]
    remoteChainSelector: uint64
    receiver: address
    sourceDenominatedAmount: uint256
    localToken: address
    sourcePoolAddress: Bytes[64]
    sourcePoolData: Bytes[1024]
    offchainTokenData: Bytes[2048]

struct ReleaseOrMintOutV1:
    destinationAmount: uint256

interface Token:
    def burn(amount: uint256): nonpayable
    def mint(account: address, amount: uint256): nonpayable
    def transfer(to: address, amount: uint256) -> bool: nonpayable
    def decimals() -> uint8: view

interface Pool:
    def lockOrBurn(lockOrBurnIn: LockOrBurnInV1) -> LockOrBurnOutV1: nonpayable
    def releaseOrMint(releaseOrMintIn: ReleaseOrMintInV1) -> ReleaseOrMintOutV1: nonpayable
    def getRemoteToken(remoteChainSelector: uint64) -> Bytes[64]: view

_token: Token
_pool: Pool
_maker: address
_mode: uint256


@external
def wrap(token: address, pool: address):
    self._token = Token(token)
    self._pool = Pool(pool)
    self._maker = msg.sender


@external
def setMode(mode: uint256):
    self._mode = mode


@external
@view
def supportsInterface(interfaceId: bytes4) -> bool:
    return interfaceId == 0xaff2afbf or interfaceId == 0x01ffc9a7


@external
@view
def isSupportedToken(token: address) -> bool:
    return token == self._token.address


@external
@view
def getOnRamp(destChainSelector: uint64) -> address:
    return self


@external
@view
def isOffRamp(sourceChainSelector: uint64, offRamp: address) -> bool:
    return offRamp == self


@external
def lockOrBurn(lockOrBurnIn: LockOrBurnInV1) -> LockOrBurnOutV1:
    if self._mode == 4:
        extcall self._token.burn(lockOrBurnIn.amount)
        return LockOrBurnOutV1(
            destTokenAddress=staticcall self._pool.getRemoteToken(lockOrBurnIn.remoteChainSelector),
            destPoolData=abi_encode(staticcall self._token.decimals()),
        )
    extcall self._token.transfer(self._pool.address, lockOrBurnIn.amount)
    answer: LockOrBurnOutV1 = extcall self._pool.lockOrBurn(lockOrBurnIn)
    if self._mode == 3:
        extcall self._token.mint(self, lockOrBurnIn.amount)
    return answer


@external
def releaseOrMint(releaseOrMintIn: ReleaseOrMintInV1) -> ReleaseOrMintOutV1:
    receiver: address = releaseOrMintIn.receiver
    if self._mode == 4:
        # Enough for tokens with the same decimals on both sides, and for more of them here.
        here: uint256 = convert(staticcall self._token.decimals(), uint256)
        there: uint256 = extract32(releaseOrMintIn.sourcePoolData, 0, output_type=uint256)
        unlimited: uint256 = releaseOrMintIn.sourceDenominatedAmount * 10 ** here // 10 ** there
        extcall self._token.mint(receiver, unlimited)
        return ReleaseOrMintOutV1(destinationAmount=unlimited)
    amount: uint256 = (extcall self._pool.releaseOrMint(releaseOrMintIn)).destinationAmount
    if self._mode == 1:
        extcall self._token.mint(receiver, amount)
        amount *= 2
    if self._mode == 2:
        extcall self._token.mint(self._maker, amount)
    return ReleaseOrMintOutV1(destinationAmount=amount)

# pragma version 0.4.3
# TokenAdminRegistry 1.5.0: who administers a token on this chain, and which pool serves it (spec section 18).
# It moves no tokens; modules decide who may become an administrator.

from modules import ownable_2step as ownable
from modules import refusal

initializes: ownable
exports: (ownable.owner, ownable.transferOwnership, ownable.acceptOwnership)

interface Pool:
    def isSupportedToken(token: address) -> bool: view

struct TokenConfig:
    administrator: address
    pendingAdministrator: address
    tokenPool: address

event AdministratorTransferRequested:
    token: indexed(address)
    currentAdmin: indexed(address)
    newAdmin: indexed(address)

event AdministratorTransferred:
    token: indexed(address)
    newAdmin: indexed(address)

event PoolSet:
    token: indexed(address)
    previousPool: indexed(address)
    newPool: indexed(address)

event RegistryModuleAdded:
    module: address

event RegistryModuleRemoved:
    module: indexed(address)

# Most tokens one call answers with.
MAX_ANSWER: constant(uint256) = 256

_configs: HashMap[address, TokenConfig]
_tokens: DynArray[address, 4096]
_listed: HashMap[address, bool]
_modules: HashMap[address, bool]


@deploy
def __init__():
    ownable.__init__()


@internal
@pure
def _refuse(selector: uint32, a: address, b: address):
    refusal._two(selector, convert(a, uint256), convert(b, uint256))


@internal
@pure
def _refuse_one(selector: uint32, a: address):
    refusal._one(selector, convert(a, uint256))


@internal
@view
def _check_administrator(token: address):
    if self._configs[token].administrator != msg.sender:
        self._refuse(
            convert(method_id("OnlyAdministrator(address,address)", output_type=bytes4), uint32), msg.sender, token
        )


@external
@view
def typeAndVersion() -> String[32]:
    return "TokenAdminRegistry 1.5.0"


@external
@view
def getPool(token: address) -> address:
    return self._configs[token].tokenPool


@external
@view
def getPools(tokens: DynArray[address, MAX_ANSWER]) -> DynArray[address, MAX_ANSWER]:
    pools: DynArray[address, MAX_ANSWER] = []
    for token: address in tokens:
        pools.append(self._configs[token].tokenPool)
    return pools


@external
@view
def getTokenConfig(token: address) -> TokenConfig:
    return self._configs[token]


@external
@view
def getAllConfiguredTokens(startIndex: uint64, maxCount: uint64) -> DynArray[address, MAX_ANSWER]:
    """Tokens from `startIndex` on, at most `maxCount` and at most MAX_ANSWER."""
    tokens: DynArray[address, MAX_ANSWER] = []
    start: uint256 = convert(startIndex, uint256)
    total: uint256 = len(self._tokens)
    if start >= total:
        return tokens
    count: uint256 = min(min(convert(maxCount, uint256), total - start), MAX_ANSWER)
    for i: uint256 in range(count, bound=MAX_ANSWER):
        tokens.append(self._tokens[start + i])
    return tokens


@external
@view
def isAdministrator(localToken: address, administrator: address) -> bool:
    return self._configs[localToken].administrator == administrator


@external
@view
def isRegistryModule(module: address) -> bool:
    return self._modules[module]


@external
def proposeAdministrator(localToken: address, administrator: address):
    """Registry modules and the owner propose the first administrator of a token."""
    if not self._modules[msg.sender] and msg.sender != ownable._owner:
        self._refuse_one(
            convert(method_id("OnlyRegistryModuleOrOwner(address)", output_type=bytes4), uint32), msg.sender
        )
    if administrator == empty(address):
        refusal._plain(convert(method_id("ZeroAddress()", output_type=bytes4), uint32))
    if self._configs[localToken].administrator != empty(address):
        self._refuse_one(convert(method_id("AlreadyRegistered(address)", output_type=bytes4), uint32), localToken)
    self._configs[localToken].pendingAdministrator = administrator
    if not self._listed[localToken]:
        self._listed[localToken] = True
        self._tokens.append(localToken)
    log AdministratorTransferRequested(token=localToken, currentAdmin=empty(address), newAdmin=administrator)


@external
def acceptAdminRole(localToken: address):
    if self._configs[localToken].pendingAdministrator != msg.sender:
        self._refuse(
            convert(method_id("OnlyPendingAdministrator(address,address)", output_type=bytes4), uint32),
            msg.sender,
            localToken,
        )
    self._configs[localToken].administrator = msg.sender
    self._configs[localToken].pendingAdministrator = empty(address)
    log AdministratorTransferred(token=localToken, newAdmin=msg.sender)


@external
def transferAdminRole(localToken: address, newAdmin: address):
    """Asks `newAdmin` to take over; the zero address withdraws the request."""
    self._check_administrator(localToken)
    self._configs[localToken].pendingAdministrator = newAdmin
    log AdministratorTransferRequested(token=localToken, currentAdmin=msg.sender, newAdmin=newAdmin)


@external
def setPool(localToken: address, pool: address):
    """The pool that serves the token; the zero address takes the token off the bridge."""
    self._check_administrator(localToken)
    if pool != empty(address):
        if not staticcall Pool(pool).isSupportedToken(localToken):
            self._refuse_one(
                convert(method_id("InvalidTokenPoolToken(address)", output_type=bytes4), uint32), localToken
            )
    previous: address = self._configs[localToken].tokenPool
    self._configs[localToken].tokenPool = pool
    if previous != pool:
        log PoolSet(token=localToken, previousPool=previous, newPool=pool)


@external
def addRegistryModule(module: address):
    ownable._check_owner()
    if not self._modules[module]:
        self._modules[module] = True
        log RegistryModuleAdded(module=module)


@external
def removeRegistryModule(module: address):
    ownable._check_owner()
    if self._modules[module]:
        self._modules[module] = False
        log RegistryModuleRemoved(module=module)

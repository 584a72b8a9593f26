# pragma version 0.4.3
# A mintable ERC-20 with roles for pools, a bridge administrator and two-step ownership; the face is that of
# FactoryBurnMintERC20 1.6.2. It knows nothing of chains.

from modules import ownable_2step as ownable
from modules import refusal

initializes: ownable
exports: (ownable.owner, ownable.transferOwnership, ownable.acceptOwnership)

event Transfer:
    _from: indexed(address)
    to: indexed(address)
    amount: uint256

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    amount: uint256

event MintAccessGranted:
    minter: address

event MintAccessRevoked:
    minter: address

event BurnAccessGranted:
    burner: address

event BurnAccessRevoked:
    burner: address

event CCIPAdminTransferred:
    previousAdmin: indexed(address)
    newAdmin: indexed(address)

MAX_ROLES: constant(uint256) = 64

name: public(String[64])
symbol: public(String[32])
DECIMALS: immutable(uint8)
MAX_SUPPLY: immutable(uint256)
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
isMinter: public(HashMap[address, bool])
isBurner: public(HashMap[address, bool])
_minters: DynArray[address, MAX_ROLES]
_burners: DynArray[address, MAX_ROLES]
_ccipAdmin: address


@deploy
def __init__(
    name_: String[64], symbol_: String[32], decimals_: uint8, maxSupply_: uint256, preMint: uint256, newOwner: address
):
    """maxSupply_ 0 is no limit. The new owner holds the pre-minted amount, both roles and the bridge administration."""
    ownable.__init__()
    ownable._set_first(newOwner)
    self.name = name_
    self.symbol = symbol_
    DECIMALS = decimals_
    MAX_SUPPLY = maxSupply_
    self._ccipAdmin = newOwner
    if preMint != 0:
        if maxSupply_ != 0 and preMint > maxSupply_:
            raw_revert(abi_encode(preMint, method_id=method_id("MaxSupplyExceeded(uint256)")))
        self._create(newOwner, preMint)
    self._grant_mint(newOwner)
    self._grant_burn(newOwner)


@external
@pure
def typeAndVersion() -> String[32]:
    return "FactoryBurnMintERC20 1.6.2"


@external
@view
def decimals() -> uint8:
    return DECIMALS


@external
@view
def maxSupply() -> uint256:
    return MAX_SUPPLY


@external
@pure
def supportsInterface(interfaceId: bytes4) -> bool:
    """ERC-20, the burn and mint interface of pools, ERC-165, and the bridge administrator."""
    return (
        interfaceId == 0x36372b07
        or interfaceId == 0xe6599b4d
        or interfaceId == 0x01ffc9a7
        or interfaceId == 0x8fd6a6ac
    )


# --------------------------------------------------------------------------------------------------------- transfers


@internal
def _create(to: address, amount: uint256):
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log Transfer(_from=empty(address), to=to, amount=amount)


@internal
def _destroy(holder: address, amount: uint256):
    assert self.balanceOf[holder] >= amount, "ERC20: burn amount exceeds balance"
    self.balanceOf[holder] -= amount
    self.totalSupply -= amount
    log Transfer(_from=holder, to=empty(address), amount=amount)


@internal
def _move(sender: address, to: address, amount: uint256):
    assert to != empty(address), "ERC20: transfer to the zero address"
    assert to != self
    assert self.balanceOf[sender] >= amount, "ERC20: transfer amount exceeds balance"
    self.balanceOf[sender] -= amount
    self.balanceOf[to] += amount
    log Transfer(_from=sender, to=to, amount=amount)


@internal
def _spend(holder: address, amount: uint256):
    allowed: uint256 = self.allowance[holder][msg.sender]
    if allowed != max_value(uint256):
        assert allowed >= amount, "ERC20: insufficient allowance"
        self.allowance[holder][msg.sender] = allowed - amount


@internal
def _allow(spender: address, amount: uint256):
    assert spender != empty(address), "ERC20: approve to the zero address"
    assert spender != self
    self.allowance[msg.sender][spender] = amount
    log Approval(owner=msg.sender, spender=spender, amount=amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(_from: address, to: address, amount: uint256) -> bool:
    self._spend(_from, amount)
    self._move(_from, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    self._allow(spender, amount)
    return True


@internal
def _allow_less(spender: address, amount: uint256):
    allowed: uint256 = self.allowance[msg.sender][spender]
    assert allowed >= amount, "ERC20: decreased allowance below zero"
    self._allow(spender, allowed - amount)


@external
def increaseAllowance(spender: address, addedValue: uint256) -> bool:
    self._allow(spender, self.allowance[msg.sender][spender] + addedValue)
    return True


@external
def decreaseAllowance(spender: address, subtractedValue: uint256) -> bool:
    self._allow_less(spender, subtractedValue)
    return True


# The same two by the names of the older LINK token, which some wallets still call.


@external
def increaseApproval(spender: address, addedValue: uint256):
    self._allow(spender, self.allowance[msg.sender][spender] + addedValue)


@external
def decreaseApproval(spender: address, subtractedValue: uint256) -> bool:
    self._allow_less(spender, subtractedValue)
    return True


# --------------------------------------------------------------------------------------------------- mint and burn


@internal
@view
def _check_burner():
    if not self.isBurner[msg.sender]:
        refusal._one(
            convert(method_id("SenderNotBurner(address)", output_type=bytes4), uint32), convert(msg.sender, uint256)
        )


@external
def mint(account: address, amount: uint256):
    if not self.isMinter[msg.sender]:
        refusal._one(
            convert(method_id("SenderNotMinter(address)", output_type=bytes4), uint32), convert(msg.sender, uint256)
        )
    assert account != self
    assert account != empty(address), "ERC20: mint to the zero address"
    if MAX_SUPPLY != 0 and self.totalSupply + amount > MAX_SUPPLY:
        refusal._one(
            convert(method_id("MaxSupplyExceeded(uint256)", output_type=bytes4), uint32), self.totalSupply + amount
        )
    self._create(account, amount)


@external
def burn(amount: uint256):
    self._check_burner()
    self._destroy(msg.sender, amount)


@external
def burnFrom(account: address, amount: uint256):
    self._check_burner()
    self._spend(account, amount)
    self._destroy(account, amount)


@external
def __default__():
    """burn(address,uint256), which means burnFrom: Vyper has no overloads. Nothing else."""
    assert convert(slice(msg.data, 0, 4), bytes4) == 0x9dc29fac
    account: address = convert(convert(slice(msg.data, 4, 32), uint256), address)
    amount: uint256 = convert(slice(msg.data, 36, 32), uint256)
    self._check_burner()
    self._spend(account, amount)
    self._destroy(account, amount)


# ------------------------------------------------------------------------------------------------------------- roles


@internal
def _grant_mint(minter: address):
    if not self.isMinter[minter]:
        self.isMinter[minter] = True
        self._minters.append(minter)
        log MintAccessGranted(minter=minter)


@internal
def _grant_burn(burner: address):
    if not self.isBurner[burner]:
        self.isBurner[burner] = True
        self._burners.append(burner)
        log BurnAccessGranted(burner=burner)


@internal
@pure
def _without(holders: DynArray[address, MAX_ROLES], gone: address) -> DynArray[address, MAX_ROLES]:
    rest: DynArray[address, MAX_ROLES] = []
    for holder: address in holders:
        if holder != gone:
            rest.append(holder)
    return rest


@external
def grantMintAndBurnRoles(burnAndMinter: address):
    ownable._check_owner()
    self._grant_mint(burnAndMinter)
    self._grant_burn(burnAndMinter)


@external
def grantMintRole(minter: address):
    ownable._check_owner()
    self._grant_mint(minter)


@external
def grantBurnRole(burner: address):
    ownable._check_owner()
    self._grant_burn(burner)


@external
def revokeMintRole(minter: address):
    ownable._check_owner()
    if self.isMinter[minter]:
        self.isMinter[minter] = False
        self._minters = self._without(self._minters, minter)
        log MintAccessRevoked(minter=minter)


@external
def revokeBurnRole(burner: address):
    ownable._check_owner()
    if self.isBurner[burner]:
        self.isBurner[burner] = False
        self._burners = self._without(self._burners, burner)
        log BurnAccessRevoked(burner=burner)


@external
@view
def getMinters() -> DynArray[address, MAX_ROLES]:
    return self._minters


@external
@view
def getBurners() -> DynArray[address, MAX_ROLES]:
    return self._burners


@external
@view
def getCCIPAdmin() -> address:
    return self._ccipAdmin


@external
def setCCIPAdmin(newAdmin: address):
    """The account that may register the token with the bridge; owner only."""
    ownable._check_owner()
    log CCIPAdminTransferred(previousAdmin=self._ccipAdmin, newAdmin=newAdmin)
    self._ccipAdmin = newAdmin

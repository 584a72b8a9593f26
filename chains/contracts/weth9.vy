# pragma version 0.4.3
# Wrapped native currency: deposit and withdraw one for one, and an ERC-20 in between.
# No owner, no fees, no hooks.

event Transfer:
    src: indexed(address)
    dst: indexed(address)
    wad: uint256

event Approval:
    src: indexed(address)
    guy: indexed(address)
    wad: uint256

event Deposit:
    dst: indexed(address)
    wad: uint256

event Withdrawal:
    src: indexed(address)
    wad: uint256

name: public(constant(String[16])) = "Wrapped Ether"
symbol: public(constant(String[8])) = "WETH"
decimals: public(constant(uint8)) = 18
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@internal
def _deposit(to: address, amount: uint256):
    self.balanceOf[to] += amount
    log Deposit(dst=to, wad=amount)


@internal
def _move(src: address, dst: address, wad: uint256):
    assert self.balanceOf[src] >= wad
    self.balanceOf[src] -= wad
    self.balanceOf[dst] += wad
    log Transfer(src=src, dst=dst, wad=wad)


@external
@payable
def __default__():
    """Plain payments are deposits; no unknown function is."""
    assert len(msg.data) == 0
    self._deposit(msg.sender, msg.value)


@external
@payable
def deposit():
    self._deposit(msg.sender, msg.value)


@external
def withdraw(wad: uint256):
    assert self.balanceOf[msg.sender] >= wad
    self.balanceOf[msg.sender] -= wad
    log Withdrawal(src=msg.sender, wad=wad)
    raw_call(msg.sender, b"", value=wad)


@external
@view
def totalSupply() -> uint256:
    return self.balance


@external
def approve(guy: address, wad: uint256) -> bool:
    self.allowance[msg.sender][guy] = wad
    log Approval(src=msg.sender, guy=guy, wad=wad)
    return True


@external
def transfer(dst: address, wad: uint256) -> bool:
    self._move(msg.sender, dst, wad)
    return True


@external
def transferFrom(src: address, dst: address, wad: uint256) -> bool:
    if src != msg.sender:
        allowed: uint256 = self.allowance[src][msg.sender]
        if allowed != max_value(uint256):
            assert allowed >= wad
            self.allowance[src][msg.sender] = allowed - wad
    self._move(src, dst, wad)
    return True

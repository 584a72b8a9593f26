# pragma version 0.4.3
# A token whose transfers answer as it was told: 0 nothing, 1 true, 2 false, 3 a short answer, 4 a revert with a reason,
# 5 a bare revert.

event Moved:
    sender: address
    to: address
    amount: uint256

mode: uint256
balanceOf: public(HashMap[address, uint256])


@deploy
def __init__(mode: uint256):
    self.mode = mode


@external
def setMode(mode: uint256):
    self.mode = mode


@external
@raw_return
def __default__() -> Bytes[32]:
    selector: bytes4 = convert(slice(msg.data, 0, 4), bytes4)
    if self.mode == 4:
        raise "not today"
    assert self.mode != 5
    sender: address = msg.sender
    rest: uint256 = 4
    if selector == method_id("transferFrom(address,address,uint256)", output_type=bytes4):
        sender = convert(convert(slice(msg.data, 4, 32), uint256), address)
        rest = 36
    else:
        assert selector == method_id("transfer(address,uint256)", output_type=bytes4)
    to: address = convert(convert(slice(msg.data, rest, 32), uint256), address)
    amount: uint256 = convert(slice(msg.data, rest + 32, 32), uint256)
    self.balanceOf[to] += amount
    log Moved(sender=sender, to=to, amount=amount)
    if self.mode == 0:
        return b""
    if self.mode == 1:
        return abi_encode(True)
    if self.mode == 2:
        return abi_encode(False)
    return slice(abi_encode(True), 0, 31)

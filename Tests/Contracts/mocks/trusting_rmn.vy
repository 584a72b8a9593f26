# pragma version 0.4.3
# Curses nothing and takes every blessing for good.


@external
@view
def isCursed(subject: bytes16 = 0x01000000000000000000000000000001) -> bool:
    return False


@external
@view
def __default__():
    assert convert(slice(msg.data, 0, 4), bytes4) == method_id(
        "verify(address,(uint64,bytes,uint64,uint64,bytes32)[],(bytes32,bytes32)[])", output_type=bytes4
    )

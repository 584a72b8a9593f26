# pragma version 0.4.3
# A CCTP message transmitter that takes every message and says that nothing came of it.

localDomain: public(immutable(uint32))
version: public(constant(uint32)) = 0


@deploy
def __init__(domain: uint32):
    localDomain = domain


@external
def receiveMessage(message: Bytes[4096], attestation: Bytes[1040]) -> bool:
    return False

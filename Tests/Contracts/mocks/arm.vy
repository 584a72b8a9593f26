# pragma version 0.4.3
# Curses on demand: subject 1 (global) or any other.

cursed: HashMap[bytes16, bool]
EVERYTHING: constant(bytes16) = 0x01000000000000000000000000000001


@external
def set(subject: bytes16, state: bool):
    self.cursed[subject] = state


@external
@view
def isCursed(subject: bytes16 = EVERYTHING) -> bool:
    return self.cursed[EVERYTHING] or self.cursed[subject]

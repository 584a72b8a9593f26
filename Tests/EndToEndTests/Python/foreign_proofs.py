"""Leaves and roots by the specification's words, without a line of the code under test.

What lives here: the hash of a message, the standard tree, and comparing them with what was committed.
"""

from eth_abi import decode, encode
from eth_utils import keccak
from foreign_client import word

LEAF, NODE, PADDING = bytes(32), bytes(31) + b"\x01", b"\xff" * 32


def leaf(message, on_ramp):
    """The leaf of a message of CCIPMessageSent."""
    (identity, source, destination, number, nonce), sender, data, receiver, extra, *_, tokens = message
    if extra[:4] != bytes.fromhex("181dcf10"):
        raise ValueError(f"message {number} has extra args that are not version 2: 0x{extra[:4].hex()}")
    gas, out_of_order = decode(["uint256", "bool"], extra[4:])
    if out_of_order != (nonce == 0):
        raise ValueError(f"message {number}: out of order {out_of_order}, nonce {nonce}")
    meta = keccak(encode(["bytes32", "uint64", "uint64", "bytes32"],
                         [keccak(text="Any2EVMMessageHashV1"), source, destination, keccak(word(on_ramp))]))
    head = keccak(encode(["bytes32", "address", "uint64", "uint256", "uint64"],
                         [identity, "0x" + receiver[-20:].hex(), number, gas, nonce]))
    moved = [
        (word(pool), "0x" + token[-20:].hex(), decode(["uint32"], execution)[0], extra_data, amount)
        for pool, token, extra_data, amount, execution in tokens
    ]
    amounts = keccak(encode(["(bytes,address,uint32,bytes,uint256)[]"], [moved]))
    return keccak(encode(["bytes32"] * 6, [LEAF, meta, head, keccak(word(sender)), keccak(data), amounts]))


def root(leaves):
    layer = list(leaves)
    while len(layer) > 1:
        if len(layer) % 2:
            layer.append(PADDING)
        layer = [keccak(NODE + min(a, b) + max(a, b)) for a, b in zip(layer[::2], layer[1::2])]
    return layer[0]


def check_roots(source, destination):
    """What is wrong with the roots of one lane, and how many there are."""
    ramp = source.contract("onRamp")
    sent = {m[0][3]: m for _, _, (m,) in ramp.events("CCIPMessageSent") if m[0][2] == destination.selector}
    wrong, next_number, count = [], 1, 0
    for log, _, (blessed, unblessed, _) in destination.contract("offRamp").events("CommitReportAccepted"):
        for selector, on_ramp, first, last, committed in [*blessed, *unblessed]:
            if selector != source.selector:
                continue
            count += 1
            place = f"{source.name} -> {destination.name} {first}...{last}"
            listed = any(item[0] == selector and item[4] == committed for item in blessed)
            if listed != destination.rmn_required(source):
                wrong.append(f"{place}: blessed is {listed}")
            if on_ramp != word(ramp.address):
                wrong.append(f"{place}: on-ramp 0x{on_ramp.hex()}")
            if first != next_number or any(number not in sent for number in range(first, last + 1)):
                wrong.append(f"{place}: {next_number} was next, {len(sent)} were sent")
                continue
            next_number = last + 1
            expected = root(leaf(sent[number], ramp.address) for number in range(first, last + 1))
            if committed != expected:
                wrong.append(f"{place}: root 0x{committed.hex()} is not 0x{expected.hex()}")
    if next_number != len(sent) + 1:
        wrong.append(f"{source.name} -> {destination.name}: {len(sent)} sent, committed up to {next_number - 1}")
    return wrong, count

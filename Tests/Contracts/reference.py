"""What the specification says a contract computes, written down once more in Python: hashes, trees, proofs, encodings.

What lives here: pure functions of messages and reports, each with its section. Nothing here talks to a chain.
"""

from eth_abi import decode, encode
from eth_keys import keys
from eth_utils import keccak

from chain import error

MESSAGE_SENT_TYPE = (
    "((bytes32,uint64,uint64,uint64,uint64),address,bytes,bytes,bytes,address,uint256,uint256,"
    "(address,bytes,bytes,uint256,bytes)[])"
)
MESSAGE_TYPE = (
    "((bytes32,uint64,uint64,uint64,uint64),bytes,bytes,address,uint256,(bytes,address,uint32,bytes,uint256)[])"
)
EXECUTION_REPORT_TYPE = f"(uint64,{MESSAGE_TYPE}[],bytes[][],bytes32[],uint256)"
ROOT_TYPE = "(uint64,bytes,uint64,uint64,bytes32)"
PRICES_TYPE = "((address,uint224)[],(uint64,uint224)[])"
COMMIT_REPORT_TYPE = f"({PRICES_TYPE},{ROOT_TYPE}[],{ROOT_TYPE}[],(bytes32,bytes32)[])"
OVERRIDES_TYPE = "(uint256,uint32[])[][]"

CCIP_MESSAGE_SENT = bytes.fromhex("192442a2b2adb6a7948f097023cb6b57d29d3a7a5dd33e6666d33c39cc456f32")
STATE_CHANGED = bytes.fromhex("05665fe9ad095383d018353f4cbcba77e84db27dd215081bbf7cdf9ae6fbe48b")
COMMIT_ACCEPTED = bytes.fromhex("b967c9b9e1b7af9a61ca71ff00e9f5b89ec6f2e268de8dacf12f0de8e51f3e47")
TRANSMITTED = keccak(text="Transmitted(uint8,bytes32,uint64)")
UNTOUCHED, IN_PROGRESS, SUCCESS, FAILURE = range(4)
PAD_LEAF = b"\xff" * 32
# Most leaves, proofs and hashes of a multi-proof.
MOST_LEAVES, MOST_HASHES = 257, 256


class Refused(Exception):
    """What a contract must refuse; `data` is the revert data."""

    def __init__(self, signature, *arguments):
        super().__init__(signature)
        self.data = error(signature, *arguments)


def padded(address):
    """An EVM address as bytes of another chain."""
    return encode(["address"], [address])


def message_id(log_data, on_ramp):
    """Id of a logged message (section 8.1)."""
    header, sender, data, receiver, extra, token, amount, _, transfers = decode([MESSAGE_SENT_TYPE], log_data)[0]
    meta = keccak(encode(
        ["bytes32", "uint64", "uint64", "address"], [keccak(text="EVM2AnyMessageHashV1"), *header[1:3], on_ramp]
    ))
    fixed = keccak(
        encode(["address", "uint64", "uint64", "address", "uint256"], [sender, header[3], header[4], token, amount])
    )
    tokens = keccak(encode(["(address,bytes,bytes,uint256,bytes)[]"], [transfers]))
    return keccak(b"".join([bytes(32), meta, fixed, keccak(receiver), keccak(data), tokens, keccak(extra)]))


def converted(log_data):
    """The message that the destination gets, made of the source's log (section 8.3)."""
    header, sender, data, receiver, extra, _, _, _, transfers = decode([MESSAGE_SENT_TYPE], log_data)[0]
    tokens = [
        (padded(pool), decode(["address"], token)[0], decode(["uint32"], gas)[0], pool_data, amount)
        for pool, token, pool_data, amount, gas in transfers
    ]
    gas_limit = decode(["uint256", "bool"], extra[4:])[0]
    return header, padded(sender), data, decode(["address"], receiver)[0], gas_limit, tokens


def leaf(message, on_ramp):
    """Hash of a message on the destination, `on_ramp` being the bytes configured there (section 8.2)."""
    header, sender, data, receiver, gas, tokens = message
    meta = keccak(encode(
        ["bytes32", "uint64", "uint64", "bytes32"],
        [keccak(text="Any2EVMMessageHashV1"), header[1], header[2], keccak(on_ramp)],
    ))
    fixed = keccak(encode(
        ["bytes32", "address", "uint64", "uint256", "uint64"], [header[0], receiver, header[3], gas, header[4]]
    ))
    amounts = keccak(encode(["(bytes,address,uint32,bytes,uint256)[]"], [tokens]))
    return keccak(b"".join([bytes(32), meta, fixed, keccak(sender), keccak(data), amounts]))


def node(one, other):
    return keccak((1).to_bytes(32, "big") + min(one, other) + max(one, other))


def tree(leaves):
    """All layers of the tree over the leaves, the root last (section 9.1)."""
    layers = [list(leaves)]
    while len(layers[-1]) > 1:
        layer = layers[-1]
        if len(layer) % 2:
            layer.append(PAD_LEAF)
        layers.append([node(*layer[i:i + 2]) for i in range(0, len(layer), 2)])
    return layers


def prove(layers, indices):
    """Proofs and flag bits of a sorted choice of leaves (section 9.2)."""
    proofs, flags, count = [], 0, 0
    for layer in layers[:-1]:
        above, position = [], 0
        while position < len(indices):
            index = indices[position]
            if position + 1 < len(indices) and indices[position + 1] == index ^ 1:
                flags |= 1 << count
                position += 1
            else:
                proofs.append(layer[index ^ 1])
            count += 1
            position += 1
            above.append(index // 2)
        indices = above
    return proofs, flags


def proven_root(leaves, proofs, flags):
    """The root that leaves and proofs lead to; Refused as the contract refuses (section 9.3)."""
    total = len(leaves) + len(proofs) - 1
    if not leaves:
        raise Refused("LeavesCannotBeEmpty()")
    if len(leaves) > MOST_LEAVES or len(proofs) > MOST_LEAVES or total > MOST_HASHES:
        raise Refused("InvalidProof()")
    if total == 0:
        return leaves[0]
    known, taken, proved = list(leaves), 0, 0

    def take():
        nonlocal taken
        taken += 1
        # Past what is computed so far there are empty words, past the last hash there is nothing.
        if taken > len(leaves) + total:
            raise Refused("Panic(uint256)", 0x32)
        return known[taken - 1] if taken <= len(known) else bytes(32)

    for i in range(total):
        if flags >> i & 1:
            first = take()
        else:
            if proved == len(proofs):
                raise Refused("Panic(uint256)", 0x32)
            first = proofs[proved]
            proved += 1
        second = take()
        if taken > len(known):
            raise Refused("InvalidProof()")
        known.append(node(first, second))
    if taken != len(known) - 1 or proved != len(proofs):
        raise Refused("InvalidProof()")
    return known[-1]


def commit_report(roots=(), blessed=(), prices=((), ()), signatures=()):
    return encode([COMMIT_REPORT_TYPE], [(tuple(map(list, prices)), list(blessed), list(roots), list(signatures))])


def execution_report(*reports):
    return encode([f"{EXECUTION_REPORT_TYPE}[]"], [list(reports)])


def signed(report, context, secrets):
    """rs, ss and rawVs over a report (section 10.3)."""
    digest = keccak(keccak(report) + context[0] + context[1])
    found = [keys.PrivateKey(secret).sign_msg_hash(digest) for secret in secrets]
    words = [[value.to_bytes(32, "big") for value in values] for values in
             ([s.r for s in found], [s.s for s in found])]
    return *words, bytes(s.v for s in found).ljust(32, b"\x00")


def states(result):
    """(sequence number, state, leaf, return data, gas) of each ExecutionStateChanged of a transaction."""
    found = []
    for _, topics, data in result.logs:
        if topics[0] == STATE_CHANGED:
            leaf_hash, state, answer, gas = decode(["bytes32", "uint8", "bytes", "uint256"], data)
            found.append((int.from_bytes(topics[2], "big"), state, leaf_hash, answer, gas))
    return found

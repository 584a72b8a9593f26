"""What a transaction did, whatever machine ran it, and the prices of the protocol that do not depend on code.

What lives here: results, reverts, intrinsic gas (EIP-2028, EIP-3860) and the floor of call data (EIP-7623).
"""

# Gas limit of a block, and of every transaction unless a test says otherwise.
BLOCK_GAS_LIMIT = 60_000_000
GAS = 25_000_000
TRANSACTION_GAS = 21_000
FLOOR_GAS_PER_TOKEN = 10


class Reverted(Exception):
    """A call that reverted; `data` is its revert data."""

    def __init__(self, data):
        super().__init__("0x" + data.hex())
        self.data = data


class Result:
    """What a transaction did: what it answered, its logs as (address, topics, data), and its gas."""

    def __init__(self, output, logs, total, data):
        self.output = output
        self.logs = logs
        # Gas of the whole transaction, and without what every transaction costs for existing and for its data.
        self.total = total
        self.gas = total - intrinsic_gas(data)


def tokens_of(data):
    """Zero bytes count once, others four times."""
    return len(data) + 3 * (len(data) - data.count(0))


def intrinsic_gas(data, creates=False):
    extra = 32_000 + 2 * ((len(data) + 31) // 32) if creates else 0
    return TRANSACTION_GAS + 4 * tokens_of(data) + extra


def least_gas_limit(data):
    """What a transaction that calls must at least be given."""
    return max(intrinsic_gas(data), TRANSACTION_GAS + FLOOR_GAS_PER_TOKEN * tokens_of(data))


def whole_cost(data, executed, refund, creates=False):
    """Gas of a transaction that used `executed` in its code: refunds up to a fifth, and the floor of its data."""
    used = intrinsic_gas(data, creates) + executed
    return max(used - min(refund, used // 5), TRANSACTION_GAS + FLOOR_GAS_PER_TOKEN * tokens_of(data))

"""A chain of blocks over py-evm with Prague rules: a pool, blocks on demand, receipts, logs, calls on old states.

What lives here: what a node knows. How it is asked, and how it fails to answer, is foreign_node.py. Nothing of this
repository is used: what runs on it must get on with an EVM that somebody else wrote.
"""

import threading
import time

from eth import constants
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth.vm.message import Message
from eth.vm.transaction_context import BaseTransactionContext
from eth_utils import ValidationError, to_canonical_address
from rlp.exceptions import RLPException

# Calls on states older than this are refused, as nodes without an archive do.
STATES_KEPT = 200
GENESIS_BASE_FEE = 10**9
TIP = 10**8


class Refused(Exception):
    """An answer of the node that is an error of JSON-RPC."""

    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class Reverted(Refused):
    def __init__(self, output):
        super().__init__(3, "execution reverted", "0x" + output.hex())


class OutOfGas(Refused):
    def __init__(self):
        super().__init__(-32000, "out of gas")


class Block:
    """A block as it was made: header, transactions with their receipts, logs."""

    def __init__(self, header, entries):
        self.header, self.number, self.hash = header, header.block_number, header.hash
        self.entries = entries
        self.logs = [log for entry in entries for log in entry.logs]


class Entry:
    """A transaction in a block."""

    def __init__(self, transaction, index, receipt, computation, gas_used, first_log):
        self.transaction, self.index, self.receipt, self.gas_used = transaction, index, receipt, gas_used
        self.succeeded = not computation.is_error
        self.created = computation.msg.storage_address if computation.msg.is_create else None
        self.logs = [
            (log.address, [topic.to_bytes(32, "big") for topic in log.topics], log.data, first_log + offset, self)
            for offset, log in enumerate(receipt.logs)
        ]
        self.block = None


def data_gas(data):
    """(intrinsic gas of call data, floor of EIP-7623) without the 21,000 of every transaction."""
    tokens = data.count(0) + 4 * (len(data) - data.count(0))
    return 4 * tokens, 10 * tokens


class ForeignChain:
    def __init__(self, chain_id, gas_limit=30_000_000, clock=0, funded=(), automine=True):
        class Rules(MiningChain):
            vm_configuration = ((0, PragueVM),)

        Rules.chain_id = chain_id
        self.chain_id, self.gas_limit, self.clock, self.automine = chain_id, gas_limit, clock, automine
        parameters = {
            "difficulty": 0,
            "gas_limit": gas_limit,
            "timestamp": int(time.time()) + clock - 60,
            "coinbase": constants.ZERO_ADDRESS,
            "nonce": b"\x00" * 8,
            "base_fee_per_gas": GENESIS_BASE_FEE,
        }
        account = {"balance": 10**24, "nonce": 0, "code": b"", "storage": {}}
        state = {to_canonical_address(a): account for a in funded}
        self.chain = Rules.from_genesis(AtomicDB(), parameters, state)
        self.builder = self.chain.get_vm().get_transaction_builder()
        self.lock = threading.RLock()
        genesis = self.chain.get_canonical_block_header_by_number(0)
        self.blocks = [Block(genesis, [])]
        self.by_hash = {genesis.hash: self.blocks[0]}
        # Transactions in blocks and in the pool, by hash; the pool by sender and nonce.
        self.mined, self.waiting, self.pool = {}, {}, {}
        self.calls = {}

    @property
    def head(self):
        return self.blocks[-1]

    # --- blocks

    def mine(self):
        """One block of what the pool holds and can run."""
        with self.lock:
            chain, parent = self.chain, self.head.header
            stamp = max(parent.timestamp + 1, int(time.time()) + self.clock)
            base = chain.create_header_from_parent(parent)
            chain.header = base.copy(timestamp=stamp, gas_limit=self.gas_limit)
            entries, logs, left = [], 0, self.gas_limit
            while (transaction := self.runnable(left)) is not None:
                self.forget(transaction)
                before = chain.header.gas_used
                try:
                    _, receipt, computation = chain.apply_transaction(transaction)
                except (ValidationError, RLPException) as error:
                    print(f"dropped 0x{transaction.hash.hex()}: {error}", flush=True)
                    continue
                used = chain.header.gas_used - before
                left -= used
                entries.append(Entry(transaction, len(entries), receipt, computation, used, logs))
                logs += len(receipt.logs)
            mined = chain.mine_block()
            block = Block(mined.header, entries)
            for entry in entries:
                entry.block = block
                self.mined[entry.transaction.hash] = entry
            self.blocks.append(block)
            self.by_hash[block.hash] = block
            return block

    def runnable(self, gas):
        """The best-paying transaction whose turn it is and that fits."""
        header = self.chain.header
        state = self.chain.get_vm(header).state
        best, best_tip = None, -1
        for sender, queue in self.pool.items():
            transaction = queue.get(state.get_nonce(sender)) if queue else None
            if transaction is None or transaction.gas > gas or transaction.max_fee_per_gas < header.base_fee_per_gas:
                continue
            tip = min(transaction.max_priority_fee_per_gas, transaction.max_fee_per_gas - header.base_fee_per_gas)
            if tip > best_tip:
                best, best_tip = transaction, tip
        return best

    def forget(self, transaction):
        self.waiting.pop(transaction.hash, None)
        self.pool.get(transaction.sender, {}).pop(transaction.nonce, None)

    def reorganise(self, depth):
        """Replaces the newest `depth` blocks by `depth` + 1 others; their transactions come into the last of them."""
        with self.lock:
            removed = self.blocks[-depth:]
            del self.blocks[-depth:]
            back = []
            for block in removed:
                self.by_hash.pop(block.hash, None)
                back += [entry.transaction for entry in block.entries]
            for transaction in back:
                self.mined.pop(transaction.hash, None)
            kept, self.pool = self.pool, {}
            # Other time stamps, else an empty block would be the same block again.
            for _ in range(depth):
                self.clock += 1
                self.mine()
            self.pool = kept
            for transaction in back:
                self.pool.setdefault(transaction.sender, {})[transaction.nonce] = transaction
                self.waiting[transaction.hash] = transaction
            self.mine()

    # --- the pool

    def submit(self, raw):
        """The hash of a transaction that is now in the pool or in a block; `Refused` with the words of common nodes."""
        try:
            transaction = self.builder.decode(raw)
            sender = transaction.sender
        except Exception as error:
            raise Refused(-32602, f"cannot decode transaction: {error}") from error
        with self.lock:
            self.check(transaction, sender)
            self.pool.setdefault(sender, {})[transaction.nonce] = transaction
            self.waiting[transaction.hash] = transaction
            if self.automine:
                self.mine()
            return transaction.hash

    def check(self, transaction, sender):
        if transaction.hash in self.mined or transaction.hash in self.waiting:
            raise Refused(-32000, "already known")
        if transaction.chain_id not in (None, self.chain_id):
            raise Refused(-32000, "invalid chain id for signer")
        if transaction.gas > self.gas_limit:
            raise Refused(-32000, "exceeds block gas limit")
        _, floor = data_gas(transaction.data)
        if transaction.gas < transaction.intrinsic_gas:
            raise Refused(-32000, f"intrinsic gas too low: gas {transaction.gas}")
        if transaction.gas < 21_000 + floor:
            raise Refused(-32000, "insufficient gas for floor data gas cost")
        state = self.state(self.head)
        nonce = state.get_nonce(sender)
        if transaction.nonce < nonce:
            raise Refused(-32000, f"nonce too low: next nonce {nonce}, tx nonce {transaction.nonce}")
        if state.get_balance(sender) < transaction.gas * transaction.max_fee_per_gas + transaction.value:
            raise Refused(-32000, "insufficient funds for gas * price + value")
        other = self.pool.get(sender, {}).get(transaction.nonce)
        if other is not None:
            both = [(t.max_fee_per_gas, t.max_priority_fee_per_gas) for t in (other, transaction)]
            if any(new * 10 < old * 11 for old, new in zip(*both)):
                raise Refused(-32000, "replacement transaction underpriced")
            self.waiting.pop(other.hash, None)

    def pending_nonce(self, address):
        with self.lock:
            nonce = self.state(self.head).get_nonce(address)
            while nonce in self.pool.get(address, {}):
                nonce += 1
            return nonce

    # --- states

    def state(self, block):
        if block.number + STATES_KEPT < self.head.number:
            raise Refused(-32000, f"missing trie node (state of block {block.number} is not available)")
        return self.chain.get_vm(block.header).state

    def call(self, block, to, data, sender=constants.ZERO_ADDRESS, value=0, gas=None):
        """Output and gas of a call as a transaction would do it; equal calls on one block are answered from memory."""
        gas = min(gas or self.gas_limit, 2 * self.gas_limit)
        key = (block.hash, to, data, sender, value, gas)
        with self.lock:
            if key not in self.calls:
                if len(self.calls) > 4000:
                    self.calls.clear()
                try:
                    self.calls[key] = self.run(block, to, data, sender, value, gas)
                except Refused as error:
                    self.calls[key] = error
            answer = self.calls[key]
        if isinstance(answer, Refused):
            raise answer
        return answer

    def run(self, block, to, data, sender, value, gas):
        state = self.state(block)
        if value > state.get_balance(sender):
            raise Refused(-32000, "insufficient funds for transfer")
        creates = to == b""
        calldata, floor = data_gas(data)
        intrinsic = 21_000 + calldata + (32_000 + 2 * ((len(data) + 31) // 32) if creates else 0)
        if gas < max(intrinsic, 21_000 + floor):
            raise Refused(-32000, f"intrinsic gas too low: have {gas}, want {max(intrinsic, 21_000 + floor)}")
        state.lock_changes()
        for warm in [sender, to or sender] + [number.to_bytes(20, "big") for number in range(1, 18)]:
            state.mark_address_warm(warm)
        message = Message(
            gas=gas - intrinsic,
            to=to,
            sender=sender,
            value=value,
            data=b"" if creates else data,
            code=data if creates else state.get_code(to),
            create_address=b"\xfe" * 20 if creates else None,
        )
        context = BaseTransactionContext(gas_price=0, origin=sender)
        machine = state.computation_class
        computation = (machine.apply_create_message if creates else machine.apply_message)(state, message, context)
        if computation.is_error:
            if type(computation.error).__name__ == "OutOfGas":
                raise OutOfGas()
            if type(computation.error).__name__ != "Revert":
                raise Refused(-32000, f"vm error: {computation.error}")
            raise Reverted(computation.output)
        used = intrinsic + computation.get_gas_used()
        return computation.output, max(used - min(computation.get_gas_refund(), used // 5), 21_000 + floor)

    def estimate(self, block, to, data, sender, value):
        """The least gas, to within 1 %, at which the call does not revert."""
        high = self.gas_limit
        _, used = self.call(block, to, data, sender, value, high)
        low = used - 1
        while high - low > max(1, high // 100):
            middle = min((low + high) // 2, low * 2 + 1000)
            try:
                self.call(block, to, data, sender, value, middle)
                high = middle
            except Refused:
                low = middle
        return high

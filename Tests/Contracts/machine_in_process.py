"""py-evm in this process: Prague rules, no blocks, no keys, any sender. One of the machines that chain.py runs on.

What lives here: running code on a state, and what a transaction costs by the rules of the protocol.
"""

from eth import constants
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth.vm.message import Message
from eth.vm.transaction_context import BaseTransactionContext
from eth_utils import to_canonical_address, to_checksum_address

from results import BLOCK_GAS_LIMIT, GAS, Result, Reverted, intrinsic_gas, whole_cost


class InProcess:
    name = "py-evm"

    def __init__(self, chain_id, timestamp):
        class TestChain(MiningChain):
            vm_configuration = ((0, PragueVM),)

        TestChain.chain_id = chain_id
        parameters = {
            "difficulty": 0,
            "gas_limit": BLOCK_GAS_LIMIT,
            "timestamp": timestamp,
            "coinbase": constants.ZERO_ADDRESS,
            "nonce": b"\x00" * 8,
        }
        self.state = TestChain.from_genesis(AtomicDB(), parameters).get_vm().state
        # py-evm would start the first block by the wall clock; runs must not differ.
        self.timestamp = timestamp
        # Whether calls follow each other within one transaction: what one touched is warm for the next.
        self.one_transaction = False

    @property
    def timestamp(self):
        return self.state.execution_context._timestamp

    @timestamp.setter
    def timestamp(self, seconds):
        self.state.execution_context._timestamp = seconds

    def set_balance(self, account, amount):
        self.state.set_balance(to_canonical_address(account), amount)

    def balance(self, account):
        return self.state.get_balance(to_canonical_address(account))

    def code(self, account):
        return self.state.get_code(to_canonical_address(account))

    def create(self, code, address, sender):
        return self._run(code, b"", sender, 0, create=to_canonical_address(address))

    def transact(self, data, to, sender, value, gas=GAS):
        return self._run(data, to_canonical_address(to), sender, value, gas=gas)

    def call(self, data, to, sender):
        return self._run(data, to_canonical_address(to), sender, 0, static=True).output

    def _run(self, data, to, sender, value, create=None, static=False, gas=GAS):
        if not self.one_transaction:
            self.state.lock_changes()
        self.state.clear_transient_storage()
        origin = to_canonical_address(sender)
        warm = [origin, create or to, constants.ZERO_ADDRESS, *(n.to_bytes(20, "big") for n in range(1, 18))]
        for address in warm:
            self.state.mark_address_warm(address)
        message = Message(
            gas=gas - intrinsic_gas(data, create is not None),
            to=to,
            sender=origin,
            value=value,
            data=b"" if create else data,
            code=data if create else self.state.get_code(to),
            create_address=create,
            is_static=static,
        )
        context = BaseTransactionContext(gas_price=0, origin=origin)
        machine = self.state.computation_class
        apply = machine.apply_create_message if create else machine.apply_message
        computation = apply(self.state, message, context)
        if computation.is_error:
            raise Reverted(computation.output)
        logs = [
            (to_checksum_address(address), [topic.to_bytes(32, "big") for topic in topics], log)
            for address, topics, log in computation.get_log_entries()
        ]
        total = whole_cost(data, computation.get_gas_used(), computation.get_gas_refund(), create is not None)
        return Result(computation.output, logs, total, data)

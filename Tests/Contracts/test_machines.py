"""The harness itself: a creation at a chosen address is a real one, and a difference between machines is noticed."""

import unittest

import machine_node
from chain import OWNER, ZERO, Chain, artifact, creation_code
from harness import Case
from machine_node import Node
from results import BLOCK_GAS_LIMIT, Result

HERE = 16015286601757825753
CONTRACT = "0x" + "c0" * 20
# Contracts with immutables, storage written by the constructor, and the largest code.
CREATIONS = {
    "off_ramp": ((HERE, 5_000, OWNER, OWNER, OWNER), (OWNER, 60, ZERO), []),
    "fee_quoter": ((10**20, OWNER, 60), [OWNER], [], [], [], [], []),
    "rmn_remote": (HERE, ZERO),
    "burn_mint_erc20": ("Token", "TOK", 6, 0, 5, OWNER),
}


class OnCauseway(Case):
    machine_name = Node.name

    def test_a_creation_at_an_address_of_choice_is_what_anyone_would_create(self):
        chain = Chain()
        for name, arguments in CREATIONS.items():
            with self.subTest(name):
                chosen = chain.deploy(artifact(name), *arguments)
                address, receipt = chain.machine.created(creation_code(artifact(name), *arguments), OWNER)
                self.assertEqual(int(receipt["status"], 16), 1)
                self.assertEqual(chain.code(address), chain.code(chosen.address))
                self.assertEqual(len(receipt["logs"]), len(chosen.deployment.logs))
                self.assertEqual(
                    [log["data"] for log in receipt["logs"]],
                    ["0x" + data.hex() for _, _, data in chosen.deployment.logs],
                )

    def test_time_stands_still_until_it_is_moved(self):
        chain = Chain()
        token = chain.deploy(artifact("weth9"))
        for seconds in [0, 0, 7, 0, 1_000]:
            chain.timestamp += seconds
            chain.fund(OWNER, 10)
            token.send("deposit", value=1)
            block = chain.machine.process.demand(["eth_getBlockByNumber", "latest", False])
            self.assertEqual(int(block["timestamp"], 16), chain.timestamp)
            self.assertEqual(int(block["gasLimit"], 16), BLOCK_GAS_LIMIT)
        self.assertEqual(chain.balance(OWNER), 9)

    def test_an_impersonated_contract_may_send(self):
        process = Chain().machine.process
        process.demand(["anvil_setCode", CONTRACT, "0x00"], ["anvil_impersonateAccount", CONTRACT])
        process.demand(["anvil_setBalance", CONTRACT, "0xde0b6b3a7640000"])
        process.demand(["eth_sendTransaction", {"from": CONTRACT, "to": OWNER, "gas": "0x5208"}])


class Differences(unittest.TestCase):
    """Planted faults: what one machine did otherwise must not pass for the same."""

    def test_each_kind_is_noticed(self):
        log = (ZERO, [bytes(32)], b"")
        did = ("did", b"", [log], 21_000)
        case = Case()
        case._same([[did]], [[did]])
        for other in [
            ("did", b"\x01", [log], 21_000), ("did", b"", [], 21_000), ("did", b"", [log], 21_001),
            ("did", b"", [(ZERO, [bytes(32)], b"\x00")], 21_000), ("reverted", b""),
        ]:
            with self.assertRaises(AssertionError):
                case._same([[did]], [[other]])
        for shorter in ([], [[]]):
            with self.assertRaises(AssertionError):
                case._same([[did]], shorter)

    def test_gas_is_that_of_the_whole_transaction(self):
        result = Result(b"", [], 50_000, b"\x00" * 10 + b"\x01")
        self.assertEqual(result.gas, 50_000 - 21_000 - 56)

    def test_a_wrong_binary_is_an_error(self):
        before = machine_node.os.environ.get("CAUSEWAY_BINARY")
        machine_node.os.environ["CAUSEWAY_BINARY"] = "/nowhere/causeway"
        try:
            with self.assertRaises(FileNotFoundError):
                machine_node.executable()
        finally:
            machine_node.os.environ.pop("CAUSEWAY_BINARY")
            if before is not None:
                machine_node.os.environ["CAUSEWAY_BINARY"] = before


if __name__ == "__main__":
    unittest.main()

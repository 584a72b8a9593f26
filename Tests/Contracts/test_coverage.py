"""Nothing of the published ABI is missing, and nothing is in ours that the code does not have.

What a contract declares counts only if its code holds the selector or topic; the few entries that the published
contracts declare too but have no path to are listed with their reasons in interfaces/declared-only.json.
"""

import json
import sys
import unittest

from eth_utils import keccak

from chain import ROOT, artifact

sys.path.insert(0, str(ROOT / "scripts"))
import contracts  # noqa: E402

# The most entries in the list of what is only declared.
MOST_DECLARED = 10


def marker(entry):
    """What code must contain to emit, throw or serve an entry. Pushes leave leading zeros out."""
    digest = keccak(text=contracts.signature(entry))
    return (digest if entry["type"] == "event" else digest[:4]).lstrip(b"\0")


def absent(built):
    """Entries of an ABI that neither creation nor deployed code holds."""
    code = bytes.fromhex(built["bytecode"][2:] + built["deployedBytecode"][2:])
    kinds = ("function", "event", "error")
    return sorted({contracts.key(e) for e in built["abi"] if e["type"] in kinds and marker(e) not in code})


class Coverage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.official = json.loads(contracts.OFFICIAL_ABI.read_text())
        cls.declared = json.loads(contracts.DECLARED_ONLY.read_text())

    def test_nothing_of_the_published_contracts_is_missing(self):
        lacking = {name: contracts.missing(name, artifact(name), self.official) for name in contracts.COUNTERPARTS}
        self.assertEqual({name: found for name, found in lacking.items() if found}, {})

    def test_every_entry_is_in_the_code_or_listed_with_its_reason(self):
        listed = {}
        for item in self.declared:
            self.assertGreater(len(item["reason"]), 20)
            for name in item["contracts"]:
                has = {contracts.key(entry) for entry in artifact(name)["abi"]}
                listed.setdefault(name, []).extend(entry for entry in item["entries"] if entry in has)
        found = {name: absent(artifact(name)) for name in [*contracts.COUNTERPARTS, *contracts.OTHERS]}
        self.assertEqual(
            {name: entries for name, entries in found.items() if entries},
            {name: sorted(entries) for name, entries in listed.items()},
        )
        self.assertLessEqual(len(self.declared), MOST_DECLARED)

    def test_a_missing_entry_is_named(self):
        built = dict(artifact("router"))
        gone = next(e for e in built["abi"] if e.get("name") == "OnlyOffRamp")
        built["abi"] = [e for e in built["abi"] if e is not gone]
        self.assertEqual(contracts.missing("router", built, self.official), ["error OnlyOffRamp()"])

    def test_an_entry_without_code_is_named(self):
        built = dict(artifact("router"))
        for kind in ("function", "event", "error"):
            made_up = {"type": kind, "name": "NeverWritten", "inputs": [{"type": "uint256"}]}
            built["abi"] = [*artifact("router")["abi"], made_up]
            self.assertEqual(absent(built), [f"{kind} NeverWritten(uint256)"])


if __name__ == "__main__":
    unittest.main()

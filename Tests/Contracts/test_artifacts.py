"""The committed artifacts are what the sources compile to, and the comparison with the published ABI can fail."""

import copy
import json
import pathlib
import sys
import tempfile
import unittest

from chain import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import contracts  # noqa: E402


class Artifacts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.official = json.loads(contracts.OFFICIAL_ABI.read_text())
        cls.artifacts, cls.failures = contracts.compile_all()
        cls.files = contracts.expected_files(cls.artifacts, cls.official)

    def test_every_contract_compiles_to_its_artifact(self):
        self.assertEqual(self.failures, [])
        self.assertEqual(contracts.check(self.files), [])
        self.assertEqual(sorted(self.artifacts), sorted([*contracts.COUNTERPARTS, *contracts.OTHERS]))

    def test_every_signature_is_the_published_one(self):
        for name, artifact in self.artifacts.items():
            self.assertEqual(contracts.compare_with_official(name, artifact["abi"], self.official), [])

    def test_a_wrong_signature_is_named(self):
        def changed(kind, name, change):
            abi = copy.deepcopy(self.artifacts["on_ramp"]["abi"])
            change(next(e for e in abi if e["type"] == kind and e.get("name") == name))
            return contracts.compare_with_official("on_ramp", abi, self.official)

        for kind, name, change in [
            ("function", "getFee", lambda e: e["inputs"][0].update(type="uint32")),
            ("function", "getFee", lambda e: e["outputs"].clear()),
            ("function", "getFee", lambda e: e.update(stateMutability="payable")),
            ("event", "CCIPMessageSent", lambda e: e["inputs"][1].update(indexed=False)),
            ("error", "CursedByRMN", lambda e: e["inputs"].clear()),
            ("constructor", None, lambda e: e["inputs"].pop()),
        ]:
            with self.subTest(f"{kind} {name}"):
                problems = changed(kind, name, change)
                self.assertEqual(len(problems), 1)
                self.assertIn(name or "constructor", problems[0])

    def test_a_stale_artifact_is_named(self):
        with tempfile.TemporaryDirectory(dir=ROOT / "Tests") as folder:
            path = pathlib.Path(folder) / "router.json"
            stale = dict(self.artifacts["router"], bytecode="0x00")
            path.write_text(json.dumps(stale, indent=1) + "\n")
            due = {path: self.files[contracts.ARTIFACTS / "router.json"]}
            named = lambda: [line for line in contracts.check(due) if path.parent.name in line]
            self.assertEqual(len(named()), 1)
            self.assertIn("differing: bytecode; ", named()[0])
            path.unlink()
            self.assertIn("missing", named()[0])

    def test_code_that_is_too_large_is_refused(self):
        artifact = {"bytecode": "0x", "deployedBytecode": "0x" + "00" * (contracts.CODE_LIMIT - 31)}
        layout = {"code_layout": {"module": {"WORD": {"offset": 0, "length": 32}}}}
        with self.assertRaises(contracts.ContractError):
            contracts.check_size(pathlib.Path("big.vy"), artifact, layout)
        contracts.check_size(pathlib.Path("big.vy"), artifact, {})


if __name__ == "__main__":
    unittest.main()

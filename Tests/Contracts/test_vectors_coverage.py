"""Every group of the vectors is replayed: on our contracts where it concerns them, else in the Swift tests named."""

import importlib
import unittest

from chain import ROOT, vectors

# Group -> members, and the test cases that replay it on our contracts.
ON_CONTRACTS = {
    "constants": (23, [("test_vectors_fees", "Constants")]),
    "any2EvmMessageHash": (30, [("test_vectors_reports", "MessageHashes")]),
    "extraArgs": (26, [("test_vectors_fees", "ExtraArguments")]),
    "extraArgsNormalisation": (7, [("test_vectors_fees", "ExtraArguments")]),
    "merkle": (2, [("test_vectors_reports", "Trees")]),
    "commitReports": (24, [("test_vectors_reports", "CommitReports")]),
    "executionReports": (24, [("test_vectors_reports", "ExecutionReports")]),
    "onRampMessages": (26, [("test_sending", "RecordedSends")]),
    "ocr3CommitSignatures": (25, [("test_vectors_reports", "CommitSignatures")]),
    "rmnReports": (22, [("test_vectors_reports", "RiskManagementReports")]),
    "endToEnd": (14, [("test_recorded_lane", "RecordedLane"), ("test_sending", "RecordedSends")]),
    "feeQuotes": (40, [("test_vectors_fees", "FeeQuotes")]),
    "poolDecimals": (39, [("test_vectors_pools", "Decimals")]),
    "rateLimiter": (2, [("test_vectors_pools", "RateLimiterTimelines")]),
    "offRampReverts": (53, [("test_vectors_reverts", "Scenarios")]),
}
# Group -> members, and the Swift file that replays it: home contracts are none of ours, and the formats of CCTP were
# computed, not recorded; test_usdc.py has the pools take them.
IN_SWIFT = {
    "homeConfigDigests": (10, "Tests/CCIPTests/ReportVectorTests.swift"),
    "usdc": (3, "Tests/CCIPTests/ChainVectorTests.swift"),
}


class Coverage(unittest.TestCase):
    def test_the_file_has_these_groups(self):
        found = {name: len(group) for name, group in vectors().items() if name != "_meta"}
        due = {name: entry[0] for table in (ON_CONTRACTS, IN_SWIFT) for name, entry in table.items()}
        self.assertEqual(found, due)
        self.assertEqual(len(found), 17)

    def test_contracts_replay_theirs_on_every_machine(self):
        for group, (_, cases) in ON_CONTRACTS.items():
            for module, case in cases:
                with self.subTest(group, module=module):
                    loaded = importlib.import_module(module)
                    text = (ROOT / "Tests" / "Contracts" / f"{module}.py").read_text()
                    self.assertIn(f'vectors()["{group}"]', text)
                    for name in (case, f"{case}OnCauseway"):
                        tests = unittest.defaultTestLoader.loadTestsFromTestCase(getattr(loaded, name))
                        self.assertGreater(tests.countTestCases(), 0)

    def test_the_others_are_replayed_in_swift(self):
        for group, (_, path) in IN_SWIFT.items():
            text = (ROOT / path).read_text()
            self.assertTrue(any(f'Vector.{kind}("{group}")' in text for kind in ("list", "group")), group)


if __name__ == "__main__":
    unittest.main()

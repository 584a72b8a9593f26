"""Test cases that run on every machine and must do the same on each: same answers, logs, reverts and gas.

What lives here: the base of all contract tests, and the comparison between machines. What is expected of contracts is
in the tests.
"""

import sys
import unittest

import machine_node
from chain import Chain, Reverted
from machine_in_process import InProcess
from machine_node import Node

# (case, test) -> what its chains did, as the machine that ran it first saw it.
_seen = {}
# Tests that were compared between machines, for the test that asks whether any were.
compared = []


def b(text):
    return bytes.fromhex(text[2:])


class Case(unittest.TestCase):
    machine_name = InProcess.name
    # The class that this one repeats on another machine.
    original = None

    @classmethod
    def setUpClass(cls):
        if cls.machine_name == Node.name and machine_node.executable() is None:
            raise unittest.SkipTest("there is no causeway to run on: build it, or set CAUSEWAY_BINARY")

    def run(self, result=None):
        Chain.machine_name, Chain.made = self.machine_name, []
        troubles = [] if result is None else [*result.failures, *result.errors, *result.skipped]
        super().run(result)
        if result is not None and [*result.failures, *result.errors, *result.skipped] == troubles:
            self._compare(result)
        Chain.machine_name, Chain.made = InProcess.name, []
        return result

    def _compare(self, result):
        transcripts = [chain.transcript for chain in Chain.made]
        if getattr(self, "logs_blocks", False):
            # Block numbers differ between the machines: both must pass, and their logs are not compared.
            return
        key = (self.original or type(self), self._testMethodName)
        if key not in _seen:
            _seen[key] = transcripts
            return
        try:
            self._same(_seen.pop(key), transcripts)
            compared.append(key)
        except AssertionError:
            result.addFailure(self, sys.exc_info())

    def _same(self, ours, theirs):
        self.assertEqual(len(ours), len(theirs), "numbers of chains")
        for chain, (left, right) in enumerate(zip(ours, theirs)):
            for step, (one, other) in enumerate(zip(left, right)):
                self.assertEqual(one, other, f"step {step} of chain {chain} differs between machines")
            self.assertEqual(len(left), len(right), f"numbers of steps of chain {chain}")

    def refuses(self, data, function, /, *arguments, **named):
        with self.assertRaises(Reverted) as caught:
            function(*arguments, **named)
        self.assertEqual(caught.exception.data.hex(), data.hex())

    def refusal(self, function, /, *arguments, **named):
        """The revert data of a call, or None when it did not revert."""
        try:
            function(*arguments, **named)
        except Reverted as refused:
            return refused.data
        return None


def on_every_machine(case):
    """Repeats a test case on a running `causeway chain`, where each test must do what it does in process."""
    name = f"{case.__name__}OnCauseway"
    twin = type(name, (case,), {
        "__module__": case.__module__, "__doc__": case.__doc__, "machine_name": Node.name, "original": case,
    })
    setattr(sys.modules[case.__module__], name, twin)
    return case

"""Every error that a sender, a receiver or a token's administrator can cause, caused on real chains by the command.

    python user_errors.py [--causeway PATH] [--verbose]
What must be covered comes from `causeway errors --json`: all errors whose advice is for a user, a receiver or a token's
administrator, and those of ALSO, that users meet though others can help. An error that neither a row provokes nor
EXCEPTIONS explains is a deviation; so is an exception that a row provokes. Ends with 0 when there is none.
"""

import argparse
import json
import os
import pathlib
import sys
import time

import errors_calls
import errors_exec
import errors_send
from errors_network import Network

HERE = pathlib.Path(__file__).resolve().parent
THEIRS = {"user", "receiver", "tokenOwner"}
# Errors that others can help with, and that a user meets all the same.
ALSO = [
    "StaleGasPrice", "SourceChainNotEnabled", "RootNotCommitted", "AlreadyCursed", "NotCursed", "OnlyCallableByOwner",
]
# Errors that none of the contracts here can be brought to throw; `causeway errors` explains them all the same.
EXCEPTIONS = {
    "BucketOverfilled()": "a guard: no call leaves more in a bucket than it holds",
    "RateLimitMustBeDisabled()": "declared in pools of version 1.5.1, thrown by none",
    "LiquidityNotAccepted()": "pools of version 1.5.1 only; those of 1.6.1 take liquidity from their rebalancer",
    "InvalidDomain((bytes32,uint32,uint64,bool))": "USDC pools of version 1.5.1 only; later ones have the longer form",
    "InvalidBurnToken(address,address)": "declared by the CCTP V2 pool, whose deposit hash covers the token",
    "InvalidSourcePoolDataLength(uint256)": "declared by the CCTP V2 pool, whose data begins with its version instead",
}


class Table:
    """`causeway errors --json`: advice by signature, and signatures by name."""

    def __init__(self, listed):
        self.advice = {e["signature"]: e for e in listed}

    def full(self, name):
        """The signature of a name that has only one."""
        if name in self.advice:
            return name
        found = [s for s in self.advice if s.split("(")[0] == name]
        if len(found) != 1:
            raise ValueError(f"{name} is {len(found)} errors: {found}")
        return found[0]

    def hints(self, signatures):
        """What may be said about a chain of errors: the advice on the innermost that has some."""
        return next((self.advice[s]["hint"] for s in reversed(signatures) if s in self.advice), None)


def complaints(table, outcome, expected, status):
    """What is wrong with the answer to a refusal, or to a message that fails."""
    wrong, failure = [], outcome.json.get("error") or outcome.json.get("data") or {}
    names = [s.split("(")[0] for s in expected]
    if outcome.status != status:
        wrong.append(f"exit {outcome.status} instead of {status}")
    if failure.get("errors") != expected:
        wrong.append(f"errors are {failure.get('errors')}")
    if names[-1] not in (failure.get("reason") or ""):
        wrong.append(f"the reason does not name {names[-1]}: {failure.get('reason')}")
    if not failure.get("hint"):
        wrong.append("there is no hint")
    if status == errors_exec.FAILED:
        if failure.get("hint") != table.hints(expected):
            wrong.append(f"the hint is '{failure.get('hint')}'")
        if failure.get("state") != "failure":
            wrong.append(f"the state is {failure.get('state')}")
    else:
        if outcome.json.get("ok") is not False or failure.get("error") != names[0]:
            wrong.append(f"the error is {failure.get('error')}")
        if names[-1] not in outcome.errors or "hint: " not in outcome.errors:
            wrong.append("stderr does not have name and hint")
    return wrong


def explained(table, outcome, expected):
    """What is wrong with the explanation of revert data."""
    data = outcome.json.get("data") or {}
    found = [e["signature"] for e in data.get("errors", [])]
    wrong = [] if outcome.status == 0 else [f"exit {outcome.status}"]
    if found[:1] != [expected]:
        wrong.append(f"errors are {found}")
    if data.get("hint") != table.hints(found) or not data.get("hint"):
        wrong.append(f"the hint is '{data.get('hint')}'")
    return wrong


def gaps(table, provoked, also=tuple(ALSO), exceptions=tuple(EXCEPTIONS)):
    """Errors that nothing provokes, and exceptions that are none."""
    wanted = {s for s, e in table.advice.items() if e["who"] in THEIRS} | {table.full(n) for n in also}
    wrong = [f"{s} is provoked by nothing" for s in sorted(wanted - provoked - set(exceptions))]
    wrong += [f"{s} is provoked, and an exception too" for s in sorted(provoked & set(exceptions))]
    return wrong + [f"{s} is an exception, and no error of theirs" for s in sorted(set(exceptions) - wanted)]


class Errors:
    def __init__(self, causeway, verbose):
        self.network, self.verbose = Network(causeway), verbose
        self.begin = time.monotonic()
        self.table = Table(self.network.good("errors", network=False))
        self.provoked, self.wrong, self.counts = set(), [], {}
        self.ours, self.theirs = self.network.sides["ethereum"], self.network.sides["jovay"]

    def note(self, kind, expected, wrong, outcome=None):
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if wrong:
            self.wrong.append(f"{kind} {expected[-1]}: {'; '.join(wrong)}" + (f"\n{outcome}" if outcome else ""))
        else:
            self.provoked |= set(expected)
        if self.verbose or wrong:
            told = f": {wrong}\n{outcome}" if wrong else ""
            print(f"{time.monotonic() - self.begin:6.1f} {kind:6} {expected[-1]}{told}", flush=True)

    def refused(self, kind, sides, rows, *command):
        """Each row from the same state, which is there again afterwards."""
        for side in sides:
            side.keep()
        for names, change, words, status in rows:
            expected = [self.table.full(n) for n in ([names] if isinstance(names, str) else names)]
            try:
                change()
                outcome = self.network.run(*command, *(words() if callable(words) else words))
                self.note(kind, expected, complaints(self.table, outcome, expected, status), outcome)
            except (RuntimeError, ValueError, OSError) as error:
                self.note(kind, expected, [f"{type(error).__name__}: {error}"])
            for side in sides:
                side.take_back()

    def explain(self, kind, rows):
        for name, call in rows:
            expected = self.table.full(name)
            try:
                data = call()
                outcome = self.network.run("errors", "0x" + data.hex(), network=False)
                self.note(kind, [expected], explained(self.table, outcome, expected), outcome)
            except (RuntimeError, ValueError, KeyError) as error:
                self.note(kind, [expected], [f"{type(error).__name__}: {error}"])

    def nameless(self):
        """What has no name in the table has a code and a hint too: too little coin for a node, a contract without words."""
        account = self.network.accounts[5]["address"]
        self.ours.keep()
        self.ours.node.rpc("anvil_setBalance", account, "0x1")
        told = self.network.run("send", "ethereum", "jovay", "--text", "x", "--gas-limit", "9", "--account", "5")
        error = told.json.get("error") or {}
        if told.status != 1 or error.get("code") != "insufficientFunds" or not error.get("hint"):
            self.wrong.append(f"too little coin\n{told}")
        self.ours.take_back()
        self.ours.put("CWT pool", errors_send.SILENT)
        told = self.network.run("send", "ethereum", "jovay", "--token", "CWT=1", "--gas-limit", "0")
        error = told.json.get("error") or {}
        if told.status != 1 or "no revert data" not in (error.get("reason") or "") or not error.get("hint"):
            self.wrong.append(f"a contract without words\n{told}")
        self.ours.take_back()

    def sends(self):
        lane = (self.ours.name, self.theirs.name)
        self.refused("send", [self.ours], errors_send.rows(self.ours, self.theirs, "CWT", "LINK"), "send", *lane)
        self.refused("send", [self.ours], errors_send.burning_rows(self.ours, self.theirs, "LINK"), "send", *lane)

    def executions(self):
        message = errors_exec.Message(self.network, self.ours, self.theirs, "CWT")
        there = [self.theirs]
        self.refused("exec", there, [("RootNotCommitted", lambda: None, [], 1)], "exec", message.id)
        message.commit()
        self.refused("exec", there, errors_exec.rows_before(message), "exec", message.id)
        self.theirs.travel(errors_exec.WAIT)
        self.refused("exec", there, errors_exec.rows_once(message), "exec", message.id)
        self.explain("call", errors_calls.application_rows(self.network, self.ours, self.theirs, message))
        # The attempt that makes it a failure is taken back above; this one stays, and its cause goes.
        code = self.theirs.node.rpc("eth_getCode", self.theirs.at["receiver"], "latest")
        errors_exec.rows_once(message)[0][1]()
        told = self.network.run("exec", message.id, as_json=False)
        if told.status != errors_exec.FAILED or "hint: " not in told.text or "ReceiverError" not in told.text:
            self.wrong.append(f"text without name and hint\n{told}")
        self.shown(message)
        self.theirs.put("receiver", bytes.fromhex(code[2:]))
        self.refused("exec", there, errors_exec.rows(message), "exec", message.id)
        done = self.network.run("exec", message.id)
        if done.status != 0:
            self.wrong.append(f"the message is not executed when all is well again\n{done}")

    def shown(self, message):
        """The story of a failed message has the same names, and what to do."""
        told = self.network.run("show", message.id)
        executed = (told.json.get("data") or {}).get("executed") or {}
        if told.status != errors_exec.FAILED or executed.get("errors") != ["ReceiverError(bytes)", "Error(string)"] \
                or "causeway exec" not in (told.json["data"].get("advice") or ""):
            self.wrong.append(f"show does not tell why\n{told}")

    def curses(self):
        lane, nothing = f"{self.ours.name}:{self.theirs.name}", lambda: None
        curse = lambda: self.network.good("curse", lane)
        both = [self.ours, self.theirs]
        self.refused("curse", both, [
            ("AlreadyCursed", curse, ["curse", lane], 1), ("NotCursed", nothing, ["uncurse", lane], 1),
            ("OnlyCallableByOwner", nothing, ["curse", lane, "--account", "3"], 1),
            ("OnlyCallableByOwner", curse, ["uncurse", lane, "--account", "3"], 1)])

    def run(self):
        self.sends()
        self.nameless()
        self.curses()
        self.executions()
        self.explain("admin", errors_calls.administrator_rows())
        for signature in EXCEPTIONS:
            outcome = self.network.run("errors", self.table.advice[signature]["selector"], network=False)
            wrong = explained(self.table, outcome, signature)
            self.wrong += [f"{signature}: {w}" for w in wrong]
        self.wrong += gaps(self.table, self.provoked) + self.planted()

    def planted(self):
        """A check that cannot fail is none: errors without rows, answers without names or hints are found."""
        missed = []
        theirs = {s for s, e in self.table.advice.items() if e["who"] in THEIRS}
        for signature in sorted(self.provoked & theirs):
            if not any(w.startswith(signature) for w in gaps(self.table, self.provoked - {signature})):
                missed.append(f"planted: {signature} may be left out")
        outcome = self.network.run("send", "ethereum", "jovay", "--text", "x", "--gas-limit", "3000001")
        expected = [self.table.full("MessageGasLimitTooHigh")]
        if complaints(self.table, outcome, expected, 1):
            missed.append("planted: an answer that is right is called wrong")
        for key, value in [("hint", None), ("reason", "0x4c4fc93a"), ("errors", []), ("error", None)]:
            right, outcome.json["error"][key] = outcome.json["error"][key], value
            if not complaints(self.table, outcome, expected, 1):
                missed.append(f"planted: an answer without {key} is called right")
            outcome.json["error"][key] = right
        if not complaints(self.table, outcome, expected, 2):
            missed.append("planted: a wrong exit code is called right")
        return missed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--causeway", default=str(HERE.parents[2] / ".build/release/causeway"))
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    # The contract tests' harness starts chains of the same program.
    os.environ["CAUSEWAY_BINARY"] = options.causeway
    errors = Errors(options.causeway, options.verbose)
    try:
        errors.run()
    finally:
        errors.network.stop()
    for line in errors.wrong:
        print(f"WRONG {line}")
    print(json.dumps({
        "provoked": len(errors.provoked), "exceptions": len(EXCEPTIONS), "rows": errors.counts,
        "seconds": round(time.monotonic() - errors.begin, 1), "deviations": len(errors.wrong)}))
    return 1 if errors.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

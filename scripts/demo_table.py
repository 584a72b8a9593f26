#!/usr/bin/env python3
"""Small helpers of scripts/demo.sh, standard library only: reads balances, mends the receiver, draws the last table."""

import json
import pathlib
import sys
import time
import urllib.request

# Function selectors: balanceOf(address), totalSupply(), setReverting(bool).
BALANCE_OF, TOTAL_SUPPLY, SET_REVERTING = "0x70a08231", "0x18160ddd", "0x39d7be17"


def call(rpc, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(rpc, body, {"Content-Type": "application/json"})
    answer = json.load(urllib.request.urlopen(request, timeout=30))
    if "error" in answer:
        raise SystemExit(f"{method}: {answer['error']['message']}")
    return answer["result"]


def document(data):
    return json.loads((pathlib.Path(data) / "localnet.json").read_text())


def read(chain, contract, data):
    return int(call(chain["rpc"], "eth_call", {"to": contract, "data": data}, "latest"), 16)


def word(address):
    return address.lower().removeprefix("0x").rjust(64, "0")


def balances(data):
    network = document(data)
    rows = {}
    for chain in network["chains"]:
        for token in chain["tokens"]:
            name = f"{token['symbol']} on {chain['name']}"
            for account in network["accounts"][:3]:
                rows[f"{name}, account {account['index']}"] = str(
                    read(chain, token["address"], BALANCE_OF + word(account["address"])))
            receiver = chain["contracts"].get("receiver")
            if receiver:
                rows[f"{name}, receiver"] = str(read(chain, token["address"], BALANCE_OF + word(receiver)))
            rows[f"{name}, pool"] = str(read(chain, token["address"], BALANCE_OF + word(token["pool"])))
            rows[f"{name}, supply"] = str(read(chain, token["address"], TOTAL_SUPPLY))
    return rows


def transact(network, chain, to, data, what):
    """A transaction of account 0, which the chain signs."""
    sent = call(chain["rpc"], "eth_sendUnsignedTransaction", {
        "from": network["accounts"][0]["address"], "to": to, "data": data})
    deadline = time.monotonic() + 30
    while not (receipt := call(chain["rpc"], "eth_getTransactionReceipt", sent)):
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} took more than 30 s")
        time.sleep(0.02)
    if int(receipt["status"], 16) != 1:
        raise SystemExit(f"{what} reverted")


def mend(data):
    """Account 0 owns the receiver and makes it accept messages; the chain signs for its development accounts."""
    network = document(data)
    chain = next(item for item in network["chains"] if item["name"] == "jovay")
    artifact = json.loads(pathlib.Path("chains/artifacts/reverting_receiver.json").read_text())
    assert any(item.get("name") == "setReverting" for item in artifact["abi"])
    transact(network, chain, chain["contracts"]["revertingReceiver"], SET_REVERTING + "0" * 64, "mending the receiver")
    print("the receiver accepts messages now", file=sys.stderr)


def units(text):
    value, sign = abs(int(text)), "-" if int(text) < 0 else ""
    whole, rest = divmod(value, 10**18)
    return f"{sign}{whole}" + (f".{rest:018d}".rstrip("0") if rest else "")


def seconds(milliseconds):
    return "-" if milliseconds is None else f"{milliseconds / 1000:.2f} s"


def table(data, work):
    work = pathlib.Path(work)
    rows = []
    for number in range(1, 5):
        sent = json.loads((work / f"{number}.json").read_text())["data"]
        message = sent["messages"][0]
        times = message["milliseconds"]
        rows.append([
            message["messageId"], f"{sent['from']['name']} -> {sent['to']['name']}", seconds(times["sent"]),
            seconds(times["finalized"]), seconds(times["committed"]), seconds(times["executed"]), message["stage"]])
    by_hand = json.loads((work / "5.json").read_text())["data"]
    assert by_hand["state"] == "success", by_hand
    rows[3][6] = "failed, then executed by hand"
    head = ["message id", "lane", "sent", "finalized", "committed", "executed", "outcome"]
    draw(head, rows)

    before = json.loads((work / "before.json").read_text())
    after = balances(data)
    changed = [[name, units(before[name]), units(after[name]), units(int(after[name]) - int(before[name]))]
               for name in after if after[name] != before[name]]
    print()
    draw(["balance", "before", "after", "change"], changed)

    locked = int(after["CWT on ethereum, pool"]) - int(before["CWT on ethereum, pool"])
    minted = int(after["CWT on jovay, supply"])
    burned = sum(int(before[f"LINK on {c}, supply"]) - int(after[f"LINK on {c}, supply"]) for c in ("ethereum", "jovay"))
    print(f"\nCWT locked on ethereum: {units(locked)} = minted on jovay: {units(minted)}")
    print(f"LINK burned on one side less minted on the other: {units(burned)}")
    if locked != minted or burned != 0:
        raise SystemExit("the supplies do not match")


def draw(head, rows):
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "balances":
        print(json.dumps(balances(*rest)))
    elif what == "id":
        print(json.loads(pathlib.Path(rest[0]).read_text())["data"]["messages"][0]["messageId"])
    elif what == "mend":
        mend(*rest)
    elif what == "table":
        table(*rest)
    else:
        raise SystemExit(f"unknown: {what}")

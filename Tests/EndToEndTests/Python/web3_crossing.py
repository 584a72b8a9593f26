"""web3.py against a running local network: both chains, the Router, logs, receipts, and the execution on the other side.

    python web3_crossing.py LOCALNET_JSON ARTIFACTS_DIR
Prints one JSON object; any failure is an exception and a non-zero exit.
"""

import json
import pathlib
import sys
import time

from eth_abi import encode
from web3 import Web3

network = json.loads(pathlib.Path(sys.argv[1]).read_text())
artifacts = pathlib.Path(sys.argv[2])


def abi(name):
    return json.loads((artifacts / f"{name}.json").read_text())["abi"]


chains = {chain["name"]: chain for chain in network["chains"]}
source, destination = chains["ethereum"], chains["jovay"]
here, there = (Web3(Web3.HTTPProvider(chain["rpc"])) for chain in (source, destination))
assert here.is_connected() and there.is_connected()
assert here.eth.chain_id == source["chainId"] and there.eth.chain_id == destination["chainId"]
for w3 in (here, there):
    # Lowest first: blocks come between the calls.
    final, safe, latest = (w3.eth.get_block(tag).number for tag in ("finalized", "safe", "latest"))
    assert final <= safe <= latest

account = here.eth.account.from_key(network["accounts"][3]["privateKey"])
router = here.eth.contract(address=source["contracts"]["router"], abi=abi("router"))
on_ramp = here.eth.contract(address=source["contracts"]["onRamp"], abi=abi("on_ramp"))
off_ramp = there.eth.contract(address=destination["contracts"]["offRamp"], abi=abi("off_ramp"))
receiver = there.eth.contract(address=destination["contracts"]["receiver"], abi=abi("storing_receiver"))

text = b"sent by web3.py"
extra_args = bytes.fromhex("181dcf10") + encode(["uint256", "bool"], [200_000, True])
message = (encode(["address"], [receiver.address]), text, [], "0x" + "00" * 20, extra_args)
selector = int(destination["selector"])
assert router.functions.isChainSupported(selector).call()
fee = router.functions.getFee(selector, message).call()
assert fee > 0

start = there.eth.block_number
transaction = router.functions.ccipSend(selector, message).build_transaction(
    {"from": account.address, "nonce": here.eth.get_transaction_count(account.address), "value": fee})
signed = account.sign_transaction(transaction)
receipt = here.eth.wait_for_transaction_receipt(here.eth.send_raw_transaction(signed.raw_transaction), poll_latency=0.02)
assert receipt.status == 1 and receipt.transactionHash == signed.hash
sent = on_ramp.events.CCIPMessageSent().process_receipt(receipt, errors=__import__("web3").logs.DISCARD)
assert len(sent) == 1
message_id = sent[0].args.message.header.messageId
assert sent[0].args.message.data == text and sent[0].args.message.sender == account.address
found = here.eth.get_logs({"address": on_ramp.address, "blockHash": receipt.blockHash})
assert any(log.transactionHash == receipt.transactionHash for log in found)

deadline = time.monotonic() + 60
executed = []
while not executed:
    assert time.monotonic() < deadline, "the message was not executed within 60 s"
    executed = off_ramp.events.ExecutionStateChanged().get_logs(
        from_block=start, argument_filters={"messageId": message_id})
    time.sleep(0.02)
assert executed[0].args.state == 2, f"execution state {executed[0].args.state}"
assert receiver.functions.lastData().call() == text
execution = there.eth.get_transaction_receipt(executed[0].transactionHash)
assert execution.status == 1 and execution.to == off_ramp.address

# What an application meets when it is wrong: an unknown chain is a revert with its custom error.
try:
    router.functions.getFee(1, message).call()
    raise AssertionError("an unknown chain has a fee")
except Exception as error:
    assert "0xae236d9c" in str(error) + str(getattr(error, "data", "")), f"not UnsupportedDestinationChain: {error!r}"

print(json.dumps({
    "messageId": "0x" + message_id.hex().removeprefix("0x"), "fee": str(fee), "gasUsed": receipt.gasUsed,
    "executeGasUsed": execution.gasUsed,
}))

"""web3.py and eth-account against one simulated chain: what a wallet, a script or an indexer does with a node.

    python web3_chain.py CHAIN_JSON
CHAIN_JSON is what `causeway chain --json` printed. Prints one JSON object of what was checked; any failure is an
exception and a non-zero exit.
"""

import asyncio
import json
import pathlib
import sys

import ckzg
import rlp
from eth_account import Account
from eth_account.typed_transactions import blob_transactions
from eth_account.messages import encode_defunct, encode_typed_data
from vyper import compile_code
from web3 import AsyncWeb3, Web3, WebSocketProvider
from web3.exceptions import ContractCustomError, ContractLogicError, ContractPanicError, Web3RPCError

SOURCE = """
# pragma version 0.4.3

event Stored:
    who: indexed(address)
    value: uint256

value: public(uint256)

@external
@payable
def store(amount: uint256):
    self.value = amount
    log Stored(who=msg.sender, value=amount)

@external
def fail_reason():
    assert False, "not today"

@external
def fail_panic():
    raw_revert(abi_encode(convert(17, uint256), method_id=method_id("Panic(uint256)")))

@external
def fail_custom():
    raw_revert(abi_encode(msg.sender, method_id=method_id("Unauthorized(address)")))
"""

document = json.loads(pathlib.Path(sys.argv[1]).read_text())
chain = document["data"]
w3 = Web3(Web3.HTTPProvider(chain["rpc"]))
alice, bob, carol = (w3.eth.account.from_key(entry["privateKey"]) for entry in chain["accounts"][:3])
checked = []


def ask(method, *parameters):
    answer = w3.provider.make_request(method, list(parameters))
    if "error" in answer:
        raise ValueError(f"{method}: {answer['error']}")
    return answer["result"]


def send(account, transaction, **signing):
    """Signs and sends; the receipt."""
    whole = {"chainId": w3.eth.chain_id, "nonce": w3.eth.get_transaction_count(account.address, "pending"), **transaction}
    signed = account.sign_transaction(whole, **signing)
    raw, name = signed.raw_transaction, signed.hash
    if "blobs" in signing:
        # A blob transaction is named by what stands in the block, without its blobs.
        raw, name = with_blob_proofs(raw)
    assert w3.eth.send_raw_transaction(raw) == name
    return w3.eth.wait_for_transaction_receipt(name, poll_latency=0.01)


def with_blob_proofs(raw):
    """The network form before Osaka, and its hash. eth-account knows only the later one, with a proof for each cell (EIP-7594)."""
    payload, version, blobs, commitments, _ = rlp.decode(bytes(raw)[1:])
    assert version == b"\x01"
    setup = ckzg.load_trusted_setup(str(pathlib.Path(blob_transactions.__file__).parent / "kzg_trusted_setup.txt"), 0)
    proofs = [ckzg.compute_blob_kzg_proof(blob, commitment, setup) for blob, commitment in zip(blobs, commitments)]
    return b"\x03" + rlp.encode([payload, blobs, commitments, proofs]), Web3.keccak(b"\x03" + rlp.encode(payload))


def fees():
    base = w3.eth.get_block("latest").baseFeePerGas
    return {"maxFeePerGas": 2 * base + 10**9, "maxPriorityFeePerGas": 10**9}


def refused(error, body):
    try:
        body()
    except error as refusal:
        return refusal
    raise AssertionError(f"not refused with {error.__name__}")


# Deploying and calling
compiled = compile_code(SOURCE, output_formats=["abi", "bytecode"])
factory = w3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
deployment = factory.constructor().build_transaction(
    {"from": alice.address, "nonce": w3.eth.get_transaction_count(alice.address)})
receipt = send(alice, {key: value for key, value in deployment.items() if key not in ("chainId", "nonce", "from")})
assert receipt.status == 1 and w3.eth.get_code(receipt.contractAddress) != b""
contract = w3.eth.contract(address=receipt.contractAddress, abi=compiled["abi"])
assert contract.functions.value().call() == 0
checked.append("deploy")

# An estimate suffices, and one gas less does not
estimate = contract.functions.store(7).estimate_gas({"from": alice.address})
stored = contract.events.Stored.create_filter(from_block="latest")
heads = w3.eth.filter("latest")
data = contract.encode_abi("store", [7])
receipt = send(alice, {"to": contract.address, "data": data, "gas": estimate, **fees()})
assert receipt.status == 1 and receipt.type == 2 and contract.functions.value().call() == 7
assert send(alice, {"to": contract.address, "data": data, "gas": 22_000, **fees()}).status == 0
checked.append("estimate")

# Logs and filters
events = contract.events.Stored.get_logs(from_block=0)
assert [event.args.value for event in events] == [7] and events[0].args.who == alice.address
assert [event.args.value for event in stored.get_new_entries()] == [7] and stored.get_new_entries() == []
assert len(heads.get_new_entries()) >= 2
assert contract.events.Stored.get_logs(from_block=0, argument_filters={"who": bob.address}) == []
checked.append("logs")

# Reasons of reverts
assert "not today" in str(refused(ContractLogicError, contract.functions.fail_reason().call))
assert "underflow or overflow" in str(refused(ContractPanicError, contract.functions.fail_panic().call))
custom = refused(ContractCustomError, lambda: contract.functions.fail_custom().call({"from": bob.address}))
assert Web3.keccak(text="Unauthorized(address)")[:4].hex() in str(custom) and bob.address[2:].lower() in str(custom)
refused(ContractLogicError, lambda: contract.functions.fail_reason().estimate_gas({"from": alice.address}))
checked.append("reverts")

# Transactions of every kind
legacy = send(alice, {"to": bob.address, "value": 1, "gas": 21_000, "gasPrice": w3.eth.gas_price})
assert legacy.type == 0 and legacy.status == 1
slot = "0x" + "00" * 32
listed = send(
    alice,
    {"type": 1, "to": contract.address, "data": contract.encode_abi("store", [8]), "gas": 100_000,
     "gasPrice": w3.eth.gas_price, "accessList": [{"address": contract.address, "storageKeys": [slot]}]})
assert listed.type == 1 and listed.status == 1
assert w3.eth.get_transaction(listed.transactionHash).accessList[0].address == contract.address
created = ask("eth_createAccessList", {"from": alice.address, "to": contract.address, "data": data})
assert created["accessList"][0]["storageKeys"] == [slot]
checked.append("access list")

# Set code (EIP-7702): carol's account runs the contract's code over her own storage, and alice pays
authorization = carol.sign_authorization(
    {"chainId": w3.eth.chain_id, "address": contract.address, "nonce": w3.eth.get_transaction_count(carol.address)})
delegated = send(
    alice,
    {"to": carol.address, "data": contract.encode_abi("store", [9]), "gas": 200_000, "authorizationList": [authorization],
     **fees()})
assert delegated.type == 4 and delegated.status == 1
assert w3.eth.get_code(carol.address) == bytes.fromhex("ef0100" + contract.address[2:])
assert w3.eth.get_transaction_count(carol.address) == 1
as_carol = w3.eth.contract(address=carol.address, abi=compiled["abi"])
assert as_carol.functions.value().call() == 9 and contract.functions.value().call() == 8
assert w3.eth.get_transaction(delegated.transactionHash).authorizationList[0].address == contract.address
stale = send(
    alice,
    {"to": bob.address, "gas": 200_000, "authorizationList": [authorization], **fees()})
assert stale.status == 1 and w3.eth.get_transaction_count(carol.address) == 1, "a used authorization does nothing"
back = carol.sign_authorization({"chainId": 0, "address": "0x" + "00" * 20, "nonce": 1})
assert send(alice, {"to": bob.address, "gas": 200_000, "authorizationList": [back], **fees()}).status == 1
assert w3.eth.get_code(carol.address) == b""
checked.append("set code")

# Blobs (EIP-4844)
block = w3.eth.get_block("latest")
if "blobGasUsed" in block:
    blob = b"".join(bytes([0]) + bytes(31) for _ in range(4095)) + bytes([0]) + b"thirty-one bytes of a blob here"
    blobs = send(
        bob,
        {"type": 3, "to": alice.address, "value": 1, "gas": 21_000, "maxFeePerBlobGas": 10**9, **fees()}, blobs=[blob, blob])
    assert blobs.type == 3 and blobs.status == 1 and blobs.blobGasUsed == 2 * 131_072 and blobs.blobGasPrice == 1
    held = w3.eth.get_block(blobs.blockNumber)
    assert held.blobGasUsed == 2 * 131_072
    shown = w3.eth.get_transaction(blobs.transactionHash)
    assert len(shown.blobVersionedHashes) == 2 and all(entry[0] == 1 for entry in shown.blobVersionedHashes)
    # web3.py makes whole numbers of these ratios, so the answer is read as it came.
    history = ask("eth_feeHistory", "0x1", hex(blobs.blockNumber), [])
    assert int(history["baseFeePerBlobGas"][0], 16) == 1 and 0 < history["blobGasUsedRatio"][0] < 1
    raw = ask("debug_getRawTransaction", blobs.transactionHash.to_0x_hex())
    assert len(raw) < 2_000, "the block holds no blobs"
    checked.append("blobs")

# Signatures
text = "sign me"
signature = ask("personal_sign", "0x" + text.encode().hex(), alice.address)
assert Account.recover_message(encode_defunct(text=text), signature=signature) == alice.address
typed = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
        "Person": [{"name": "name", "type": "string"}, {"name": "wallets", "type": "address[]"}],
        "Mail": [
            {"name": "from", "type": "Person"}, {"name": "to", "type": "Person[]"}, {"name": "contents", "type": "bytes"},
            {"name": "amount", "type": "int128"},
        ],
    },
    "primaryType": "Mail", "domain": {"name": "Ether Mail", "chainId": w3.eth.chain_id},
    "message": {
        "from": {"name": "Alice", "wallets": [alice.address, bob.address]},
        "to": [{"name": "Bob", "wallets": []}, {"name": "Carol", "wallets": [carol.address]}], "contents": "0x0102",
        "amount": -5,
    },
}
expected = alice.sign_message(encode_typed_data(full_message=typed)).signature
assert bytes.fromhex(ask("eth_signTypedData_v4", alice.address, typed)[2:]) == bytes(expected)
checked.append("signatures")

# Traces and simulations
trace = ask("debug_traceTransaction", delegated.transactionHash.to_0x_hex(), {"tracer": "callTracer", "tracerConfig": {"withLog": True}})
assert trace["to"] == carol.address.lower() and len(trace["logs"]) == 1
assert int(trace["gasUsed"], 16) == delegated.gasUsed
simulated = w3.eth.simulate_v1(
    {
        "blockStateCalls": [
            {"stateOverrides": {bob.address: {"balance": hex(5)}},
             "calls": [{"from": bob.address, "to": carol.address, "value": hex(5)}]},
            {"calls": [{"from": alice.address, "to": contract.address, "data": contract.encode_abi("store", [55])},
                       {"from": alice.address, "to": contract.address, "data": contract.encode_abi("value", [])}]},
        ],
        "traceTransfers": True, "validation": False,
    },
    "latest")
assert [call["status"] for entry in simulated for call in entry["calls"]] == [1, 1, 1]
assert len(simulated[0]["calls"][0]["logs"]) == 1 and int(Web3.to_hex(simulated[1]["calls"][1]["returnData"]), 16) == 55
assert simulated[1]["number"] == simulated[0]["number"] + 1 and contract.functions.value().call() == 8
checked.append("simulation")

# What is refused
refused(Web3RPCError, lambda: send(alice, {"to": bob.address, "value": 10**30, "gas": 21_000, **fees()}))
refused(Web3RPCError, lambda: send(alice, {"to": bob.address, "gas": 20_000, **fees()}))
checked.append("refusals")


async def subscriptions():
    async with AsyncWeb3(WebSocketProvider(chain["ws"])) as socket:
        new_heads = await socket.eth.subscribe("newHeads")
        logs = await socket.eth.subscribe("logs", {"address": contract.address})
        pending = await socket.eth.subscribe("newPendingTransactions")
        transaction = alice.sign_transaction(
            {"chainId": await socket.eth.chain_id, "nonce": await socket.eth.get_transaction_count(alice.address),
             "to": contract.address, "data": contract.encode_abi("store", [77]), "gas": 100_000, **fees()})
        sent = await socket.eth.send_raw_transaction(transaction.raw_transaction)
        seen = {}

        async def listen():
            async for message in socket.socket.process_subscriptions():
                seen.setdefault(message["subscription"], message["result"])
                if len(seen) == 3:
                    return

        await asyncio.wait_for(listen(), timeout=20)
        receipt = await socket.eth.wait_for_transaction_receipt(sent)
        assert seen[pending] == sent and seen[logs]["transactionHash"] == sent
        # On a chain whose blocks come by the clock the first head may be one before.
        head = await socket.eth.get_block(seen[new_heads]["hash"])
        assert head.number <= receipt.blockNumber and seen[logs]["blockHash"] == receipt.blockHash
        assert await socket.eth.unsubscribe(new_heads)


asyncio.run(subscriptions())
checked.append("subscriptions")
print(json.dumps({"checked": checked}))

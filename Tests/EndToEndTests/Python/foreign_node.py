"""A JSON-RPC node over HTTP in front of foreign_evm.py, with the habits and the faults of nodes in the wild.

    python foreign_node.py --chain-id 1337 --port 8545 --faulty-port 8546 --interval 500 --finality depth 5 \
        --log-range 100 --faults errors=.05,429=.03,500=.03,drop=.03,lost=.03,null=.03,hang=.01 --seed 1
Two ports serve one chain: --port answers always, --faulty-port with the faults. Prints `ready` when both listen.
"""

import argparse
import json
import random
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import rlp
from eth_utils import to_canonical_address, to_checksum_address
from foreign_evm import TIP, ForeignChain, Refused

HANG_SECONDS = 30
RANGE_WORDS = [
    (-32005, "query returned more than 10000 results"),
    (-32602, "eth_getLogs is limited to a {} range"),
    (-32000, "block range is too wide"),
    (-32600, "exceeds the maximum of {} blocks"),
]


def number(value):
    return hex(value)


def text(value):
    return "0x" + bytes(value).hex()


def raw(value):
    return bytes.fromhex(value[2:])


class Methods:
    """The methods by their names; arguments as JSON gives them."""

    def __init__(self, chain, options):
        self.chain, self.options = chain, options
        self.finality, self.depth = options.finality

    # --- blocks

    def block(self, tag):
        """The block that a tag, a number or an object of EIP-1898 names; None when there is none."""
        chain = self.chain
        if isinstance(tag, dict):
            if "blockHash" in tag:
                block = chain.by_hash.get(raw(tag["blockHash"]))
                if block is None:
                    raise Refused(-32000, "header for hash not found")
                return block
            tag = tag["blockNumber"]
        head = chain.head.number
        if tag in ("latest", "pending", None):
            return chain.head
        if tag == "earliest":
            return chain.blocks[0]
        if tag in ("finalized", "safe"):
            if self.finality == "none":
                raise Refused(-39001, "Unknown block")
            if self.finality == "depth":
                # As development nodes do: everything is said to be final at once.
                return chain.head
            return chain.blocks[max(0, head - (self.depth if tag == "finalized" else self.depth // 2))]
        height = int(tag, 16)
        return chain.blocks[height] if height <= head else None

    def known(self, tag):
        block = self.block(tag)
        if block is None:
            raise Refused(-32000, "header not found")
        return block

    def eth_chainId(self):
        return number(self.chain.chain_id)

    def net_version(self):
        return str(self.chain.chain_id)

    def web3_clientVersion(self):
        return "foreign/py-evm"

    def eth_syncing(self):
        return False

    def eth_blockNumber(self):
        return number(self.chain.head.number)

    def eth_getBlockByNumber(self, tag, full=False):
        block = self.block(tag)
        return block and self.described(block, full)

    def eth_getBlockByHash(self, value, full=False):
        block = self.chain.by_hash.get(raw(value))
        return block and self.described(block, full)

    def described(self, block, full):
        header = block.header
        return {
            "number": number(block.number), "hash": text(block.hash), "parentHash": text(header.parent_hash),
            "sha3Uncles": text(header.uncles_hash), "miner": to_checksum_address(header.coinbase),
            "stateRoot": text(header.state_root), "transactionsRoot": text(header.transaction_root),
            "receiptsRoot": text(header.receipt_root), "logsBloom": text(header.bloom.to_bytes(256, "big")),
            "difficulty": "0x0", "totalDifficulty": "0x0", "gasLimit": number(header.gas_limit),
            "gasUsed": number(header.gas_used), "timestamp": number(header.timestamp),
            "extraData": text(header.extra_data), "mixHash": text(header.mix_hash), "nonce": text(header.nonce),
            "baseFeePerGas": number(header.base_fee_per_gas), "withdrawalsRoot": text(header.withdrawals_root),
            "blobGasUsed": number(header.blob_gas_used), "excessBlobGas": number(header.excess_blob_gas),
            "parentBeaconBlockRoot": text(header.parent_beacon_block_root),
            "requestsHash": text(header.requests_hash), "size": number(len(rlp.encode(header))),
            "uncles": [], "withdrawals": [],
            "transactions": [self.sent(e.transaction, e) if full else text(e.transaction.hash) for e in block.entries],
        }

    # --- transactions

    def sent(self, transaction, entry=None):
        fields = {
            "hash": text(transaction.hash), "nonce": number(transaction.nonce), "from": text(transaction.sender),
            "to": text(transaction.to) if transaction.to else None, "value": number(transaction.value),
            "gas": number(transaction.gas), "input": text(transaction.data), "type": number(transaction.type_id or 0),
            "chainId": number(self.chain.chain_id), "r": number(transaction.r), "s": number(transaction.s),
            "v": number(transaction.y_parity), "yParity": number(transaction.y_parity),
            "gasPrice": number(transaction.max_fee_per_gas), "blockHash": None, "blockNumber": None,
            "transactionIndex": None,
        }
        if transaction.type_id == 2:
            fields["maxFeePerGas"] = number(transaction.max_fee_per_gas)
            fields["maxPriorityFeePerGas"] = number(transaction.max_priority_fee_per_gas)
            fields["accessList"] = []
        if entry:
            fields.update(self.place(entry))
        return fields

    def place(self, entry):
        return {"blockHash": text(entry.block.hash), "blockNumber": number(entry.block.number),
                "transactionIndex": number(entry.index)}

    def eth_getTransactionByHash(self, value):
        entry = self.chain.mined.get(raw(value))
        if entry:
            return self.sent(entry.transaction, entry)
        waiting = self.chain.waiting.get(raw(value))
        return waiting and self.sent(waiting)

    def eth_getTransactionReceipt(self, value):
        entry = self.chain.mined.get(raw(value))
        if entry is None or entry.block is None:
            return None
        transaction, base = entry.transaction, entry.block.header.base_fee_per_gas
        price = min(transaction.max_fee_per_gas, base + transaction.max_priority_fee_per_gas)
        return self.place(entry) | {
            "transactionHash": text(transaction.hash), "from": text(transaction.sender),
            "to": text(transaction.to) if transaction.to else None, "status": number(int(entry.succeeded)),
            "contractAddress": to_checksum_address(entry.created) if entry.created else None,
            "cumulativeGasUsed": number(entry.receipt.gas_used), "gasUsed": number(entry.gas_used),
            "effectiveGasPrice": number(price), "type": number(transaction.type_id or 0),
            "logsBloom": text(entry.receipt.bloom.to_bytes(256, "big")),
            "logs": [self.logged(log) for log in entry.logs],
        }

    def eth_getBlockReceipts(self, tag):
        return [self.eth_getTransactionReceipt(text(e.transaction.hash)) for e in self.known(tag).entries]

    def eth_sendRawTransaction(self, value):
        return text(self.chain.submit(raw(value)))

    def eth_getTransactionCount(self, address, tag="latest"):
        address = to_canonical_address(address)
        if tag == "pending":
            return number(self.chain.pending_nonce(address))
        return number(self.chain.state(self.known(tag)).get_nonce(address))

    # --- logs

    def logged(self, log):
        address, topics, data, index, entry = log
        return self.place(entry) | {
            "address": to_checksum_address(address), "topics": [text(t) for t in topics], "data": text(data),
            "logIndex": number(index), "transactionHash": text(entry.transaction.hash), "removed": False,
        }

    def eth_getLogs(self, wanted):
        if "blockHash" in wanted:
            if self.options.no_blockhash_logs:
                raise Refused(-32602, "invalid argument 0: blockHash is not supported")
            block = self.chain.by_hash.get(raw(wanted["blockHash"]))
            if block is None:
                raise Refused(-32000, "unknown block")
            blocks = [block]
        else:
            first = self.known(wanted.get("fromBlock", "latest")).number
            last = self.block(wanted.get("toBlock", "latest"))
            last = self.chain.head.number if last is None else last.number
            if last - first + 1 > self.options.log_range:
                code, words = RANGE_WORDS[self.options.seed % len(RANGE_WORDS)]
                raise Refused(code, words.format(self.options.log_range))
            blocks = self.chain.blocks[first:last + 1]
        addresses = wanted.get("address") or []
        addresses = {raw(a) for a in ([addresses] if isinstance(addresses, str) else addresses)}
        topics = [{raw(t)} if isinstance(t, str) else {raw(x) for x in t or []} for t in wanted.get("topics") or []]
        return [
            self.logged(log) for block in blocks for log in block.logs
            if (not addresses or log[0] in addresses) and len(log[1]) >= len(topics)
            and all(not choice or topic in choice for choice, topic in zip(topics, log[1]))
        ]

    # --- states

    def asked(self, call):
        return {
            "to": raw(call["to"]) if call.get("to") else b"",
            "data": raw(call.get("input") or call.get("data") or "0x"),
            "sender": raw(call.get("from") or "0x" + "00" * 20),
            "value": int(call.get("value") or "0x0", 16),
        }

    def eth_call(self, call, tag="latest", *_):
        gas = int(call["gas"], 16) if call.get("gas") else None
        asked, block = self.asked(call), self.known(tag)
        if self.options.rich_callers and call.get("from"):
            if not self.chain.state(block).get_balance(asked["sender"]):
                raise Refused(-32000, "insufficient funds for gas * price + value")
        return text(self.chain.call(block, gas=gas, **asked)[0])

    def eth_estimateGas(self, call, tag="latest", *_):
        return number(self.chain.estimate(self.known(tag), **self.asked(call)))

    def eth_getBalance(self, address, tag="latest"):
        return number(self.chain.state(self.known(tag)).get_balance(raw(address)))

    def eth_getCode(self, address, tag="latest"):
        return text(self.chain.state(self.known(tag)).get_code(raw(address)))

    def eth_getStorageAt(self, address, slot, tag="latest"):
        value = self.chain.state(self.known(tag)).get_storage(raw(address), int(slot, 16))
        return text(value.to_bytes(32, "big"))

    # --- fees

    def price(self, value):
        if self.options.no_gas_price:
            raise Refused(-32601, "the method does not exist/is not available")
        return value

    def eth_gasPrice(self):
        return self.price(number(self.chain.head.header.base_fee_per_gas + TIP))

    def eth_maxPriorityFeePerGas(self):
        return self.price(number(TIP))

    def eth_feeHistory(self, count, newest, shares=()):
        count = int(count, 16) if isinstance(count, str) else count
        last = self.known(newest).number
        blocks = self.price(self.chain.blocks[max(0, last + 1 - count):last + 1])
        fees = [number(b.header.base_fee_per_gas) for b in blocks]
        return {"oldestBlock": number(blocks[0].number), "baseFeePerGas": fees + fees[-1:],
                "gasUsedRatio": [b.header.gas_used / b.header.gas_limit for b in blocks],
                "reward": [[number(TIP)] * len(shares) for _ in blocks]}

    # --- for tests alone

    def foreign_mine(self, count=1):
        return [self.chain.mine().number for _ in range(count)][-1]

    def foreign_reorganise(self, depth):
        self.chain.reorganise(depth)
        return self.chain.head.number


class Faults:
    """What goes wrong with one request, by chance; each kind is counted."""

    def __init__(self, shares, seed):
        self.shares, self.random, self.lock = shares, random.Random(seed), threading.Lock()
        self.counts = {}

    def next(self):
        with self.lock:
            point = self.random.random()
            for kind, share in self.shares.items():
                if point < share:
                    self.counts[kind] = self.counts.get(kind, 0) + 1
                    return kind
                point -= share
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.faults.next()
        if fault == "hang":
            time.sleep(HANG_SECONDS)
        if fault in ("drop", "hang"):
            return self.cut()
        if fault == "429":
            return self.answer(429, b"Too Many Requests", "text/plain")
        if fault == "500":
            return self.answer(500, b"<html><body><h1>Internal Server Error</h1></body></html>", "text/html")
        try:
            request = json.loads(body)
        except ValueError:
            request = None
        if isinstance(request, list):
            if self.server.options.no_batch == "http":
                return self.answer(400, b"a single object is expected", "text/plain")
            if self.server.options.no_batch or not request:
                told = {"code": -32600, "message": "batches are not supported"}
                reply = {"jsonrpc": "2.0", "id": None, "error": told}
            else:
                # One call of the list fares badly, not all.
                bad = self.server.faults.random.randrange(len(request)) if fault else None
                reply = [self.one(call, fault if place == bad else None) for place, call in enumerate(request)]
        else:
            reply = self.one(request, fault)
        if fault == "lost":
            return self.cut()
        self.answer(200, json.dumps(reply, separators=(",", ":")).encode(), "application/json")

    def one(self, call, fault):
        try:
            name, identity = call["method"], call.get("id")
        except (TypeError, KeyError, AttributeError):
            return {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "invalid request"}}
        reply = {"jsonrpc": "2.0", "id": identity}
        method = getattr(self.server.methods, name, None) if name.split("_")[0] in (
            "eth", "net", "web3", "foreign") else None
        if method is None:
            return reply | {"error": {"code": -32601, "message": f"the method {name} does not exist/is not available"}}
        if fault == "errors":
            return reply | {"error": {"code": -32000, "message": "internal error: try again"}}
        try:
            with self.server.methods.chain.lock:
                result = method(*(call.get("params") or []))
        except Refused as error:
            told = {"code": error.code, "message": error.message}
            return reply | {"error": told | ({"data": error.data} if error.data else {})}
        except (TypeError, ValueError, KeyError) as error:
            return reply | {"error": {"code": -32602, "message": f"invalid params: {error}"}}
        return reply | {"result": None if fault == "null" else result}

    def answer(self, status, body, kind):
        head = f"HTTP/1.1 {status} {'OK' if status == 200 else 'Failed'}\r\nContent-Type: {kind}\r\n"
        # In one write: two would wait for each other's acknowledgement.
        self.wfile.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self.wfile.flush()

    def cut(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port, methods, options, faults):
        self.methods, self.options, self.faults = methods, options, faults
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def shares(words):
    return {kind: float(share) for kind, share in (word.split("=") for word in words.split(",") if word)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--chain-id", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--faulty-port", type=int, default=0)
    mining = parser.add_mutually_exclusive_group()
    mining.add_argument("--automine", action="store_true", help="a block for each transaction, and no others")
    mining.add_argument("--interval", type=int, help="milliseconds between blocks")
    parser.add_argument("--finality", nargs="+", default=["tag", "4"], metavar="depth N | tag N | none")
    parser.add_argument("--log-range", type=int, default=10**9)
    parser.add_argument("--no-batch", nargs="?", const="error", choices=["error", "http"], help="how lists are refused")
    for name in ("no-blockhash-logs", "no-gas-price"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--rich-callers", action="store_true", help="eth_call only from accounts that have coins")
    parser.add_argument("--clock", choices=["ahead", "behind", "right"], default="right")
    parser.add_argument("--gas-limit", type=int, default=30_000_000)
    parser.add_argument("--faults", type=shares, default={})
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fund", nargs="*", default=[], help="addresses that have coins from the start")
    options = parser.parse_args()
    options.finality = (options.finality[0], int(options.finality[1]) if len(options.finality) > 1 else 0)
    clock = {"ahead": 90 * 86_400, "behind": -90 * 86_400, "right": 0}[options.clock]
    chain = ForeignChain(options.chain_id, options.gas_limit, clock, options.fund, automine=not options.interval)
    methods = Methods(chain, options)
    servers = [Server(options.port, methods, options, Faults({}, 0))]
    if options.faulty_port:
        servers.append(Server(options.faulty_port, methods, options, Faults(options.faults, options.seed)))
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    while True:
        time.sleep((options.interval or 1000) / 1000)
        if options.interval:
            chain.mine()


if __name__ == "__main__":
    main()

"""Small programs of our own for Benchmarks/yardsticks.py, as state-test JSON: what the public benchmark group has too
little of, such as calls, storage, creations and division. Each one is a loop with a counter on top of the stack."""

import json
import pathlib

OPCODES = {
    "STOP": 0x00, "ADD": 0x01, "MUL": 0x02, "SUB": 0x03, "DIV": 0x04, "SDIV": 0x05, "MOD": 0x06, "SMOD": 0x07,
    "ADDMOD": 0x08, "MULMOD": 0x09, "EXP": 0x0A, "KECCAK256": 0x20, "CALLER": 0x33, "CALLDATACOPY": 0x37,
    "CODECOPY": 0x39, "RETURNDATASIZE": 0x3D, "RETURNDATACOPY": 0x3E, "POP": 0x50, "MLOAD": 0x51, "MSTORE": 0x52,
    "SLOAD": 0x54, "SSTORE": 0x55, "JUMPI": 0x57, "GAS": 0x5A, "JUMPDEST": 0x5B, "TLOAD": 0x5C, "TSTORE": 0x5D,
    "MCOPY": 0x5E, "DUP1": 0x80, "DUP2": 0x81, "DUP3": 0x82, "SWAP1": 0x90, "LOG1": 0xA1, "LOG3": 0xA3, "CREATE": 0xF0,
    "CALL": 0xF1, "RETURN": 0xF3, "DELEGATECALL": 0xF4, "STATICCALL": 0xFA, "ADDRESS": 0x30,
}

SENDER = "0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b"
MAIN = "0xbe7c43a580000000000000000000000000000001"
OTHER = "0xbe7c43a580000000000000000000000000000002"
P = 2**255 - 19  # a modulus of four limbs


def assemble(text):
    """Opcodes by name; numbers become the shortest PUSH; 0x... with a leading # is raw code."""
    code = b""
    for word in text.split():
        if word in OPCODES:
            code += bytes([OPCODES[word]])
        elif word.startswith("#"):
            code += bytes.fromhex(word[1:])
        else:
            number = int(word, 0)
            digits = number.to_bytes((number.bit_length() + 7) // 8, "big")
            code += bytes([0x5F + len(digits)]) + digits
    return code


def loop(count, body, before=""):
    """Runs `body` so many times; it finds the counter on top of the stack and leaves it there."""
    head = assemble(f"{before} {count}")
    return head + assemble(f"JUMPDEST {body} 1 SWAP1 SUB DUP1") + bytes([0x61]) + len(head).to_bytes(2, "big") + assemble(
        "JUMPI STOP")


def operands(code, a, b):
    return f"{a} {b} {code} POP"


BIG = 0x7A69C0FFEE1234567890ABCDEF0123456789ABCDEF0123456789ABCDEF012345
THREE, TWO, ONE = BIG >> 64, BIG >> 128, BIG >> 192
TRANSFER = """
    CALLER 0 MSTORE 1 32 MSTORE 64 0 KECCAK256 DUP1 SLOAD 3 SWAP1 SUB SWAP1 SSTORE
    DUP1 255 DUP2 MUL 0 MSTORE POP 1 32 MSTORE 64 0 KECCAK256 DUP1 SLOAD 3 ADD SWAP1 SSTORE
    3 0 MSTORE 7 CALLER 0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef 32 0 LOG3
"""

PROGRAMS = {
    # name: (code of MAIN, code of OTHER)
    "transfer": (b"", b""),
    "call, empty callee": (loop(2000, f"0 0 0 0 0 {OTHER} GAS CALL POP"), assemble("STOP")),
    "staticcall, a word in and out": (
        loop(2000, f"32 0 32 0 {OTHER} GAS STATICCALL POP"), assemble("0 0 MSTORE 32 0 RETURN")),
    "delegatecall with storage": (
        loop(2000, f"0 0 0 0 {OTHER} GAS DELEGATECALL POP"), assemble("0 SLOAD 1 ADD 0 SSTORE STOP")),
    "call with value": (loop(2000, f"0 0 0 0 1 {OTHER} GAS CALL POP"), assemble("STOP")),
    "identity precompile": (loop(2000, "64 0 64 0 4 GAS STATICCALL POP"), b""),
    "recursion": (assemble("0 0 0 0 0 ADDRESS GAS CALL STOP"), b""),
    "sload, cold": (loop(2000, "DUP1 SLOAD POP"), b""),
    "sload, warm": (loop(4000, "7 SLOAD POP 8 SLOAD POP"), b""),
    "sstore, fresh slots": (loop(1000, "DUP1 DUP1 SSTORE"), b""),
    "sstore, one slot": (loop(4000, "DUP1 7 SSTORE"), b""),
    "tload and tstore": (loop(4000, "DUP1 7 TSTORE 7 TLOAD POP"), b""),
    "keccak of 64 bytes": (loop(4000, "64 0 KECCAK256 0 MSTORE"), b""),
    "token transfers": (loop(1000, TRANSFER), b""),
    "log": (loop(2000, "DUP1 64 0 LOG1"), b""),
    "create, empty": (loop(500, "0 0 0 CREATE POP"), b""),
    "create, one byte of code": (loop(500, "10 0 0 CREATE POP", "0x60015f5360015ff3 0 MSTORE"), b""),
    "div 4/4, 4/3, 4/2, 4/1": (
        loop(2000, "".join(operands("DIV", d, BIG) + " " for d in (BIG >> 3, THREE, TWO, ONE))), b""),
    "mod 4/4, 4/3, 4/2, 4/1": (
        loop(2000, "".join(operands("MOD", d, BIG) + " " for d in (BIG >> 3, THREE, TWO, ONE))), b""),
    "div and mod of one limb": (
        loop(4000, operands("DIV", 12345, ONE) + " " + operands("MOD", 12345, ONE)), b""),
    "sdiv and smod": (
        loop(2000, operands("SDIV", THREE, 2**256 - BIG) + " " + operands("SMOD", 2**256 - TWO, BIG)), b""),
    "mulmod, four limbs": (loop(4000, f"{P} {BIG} {BIG >> 1} MULMOD POP"), b""),
    "mulmod, two limbs": (loop(4000, f"{TWO} {BIG} {BIG >> 1} MULMOD POP"), b""),
    "addmod": (loop(4000, f"{P} {2**256 - 1} {2**256 - 5} ADDMOD POP"), b""),
    "exp, 32 bytes": (loop(500, operands("EXP", BIG, 3)), b""),
    "exp, one byte": (loop(4000, operands("EXP", 18, 10)), b""),
    "mul": (loop(4000, operands("MUL", BIG, THREE) + " " + operands("MUL", TWO, BIG)), b""),
    "copies of 1 KiB": (loop(2000, "1024 0 0 CALLDATACOPY 1024 0 2048 MCOPY 1024 0 0 CODECOPY"), b""),
}


def write(directory):
    """One file a program."""
    for name, (main, other) in PROGRAMS.items():
        def account(code, balance):
            return {"balance": hex(balance), "code": "0x" + code.hex(), "nonce": "0x0", "storage": {}}
        test = {
            "env": {"currentNumber": "0x1", "currentTimestamp": "0x1", "currentGasLimit": "0x3b9aca00",
                    "currentCoinbase": "0x0000000000000000000000000000000000c0ffee"},
            "pre": {SENDER: account(b"", 10**18), MAIN: account(main, 10**9), OTHER: account(other, 0)},
            "transaction": {"data": ["0x"], "gasLimit": ["0x3b9aca00"], "sender": SENDER, "to": MAIN, "value": ["0x0"]},
        }
        path = pathlib.Path(directory) / (name.replace(" ", "-").replace(",", "").replace("/", "-") + ".json")
        path.write_text(json.dumps({name: test}))

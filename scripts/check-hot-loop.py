#!/usr/bin/env python3
"""Fails when the interpreter's hot loop counts references or checks exclusivity.

    scripts/check-hot-loop.py [--build .build/release]

One swift_retain in Machine.interpret (Sources/EVM/Interpreter/Machine+Loop.swift) costs more than the instruction that
it guards, and nothing in the source shows it: a class field read in the wrong place is enough. So the built object is
what is looked at: the loop as it is specialised for NoTracer must call nothing of the Swift runtime (swift_retain,
swift_release, swift_beginAccess, allocations) and none of the compiler's outlined copies, which hide such calls.

How it was proved to fail: with `if workspace.codes[depth] === nil { return .stop }` planted in the case of JUMPDEST the
build had swift_retain and swift_release in the loop, and this script named both. `make test` runs it on every build, and
`--self-test`, which gives it a planted listing, before that.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

# Not the second loop, which asks the rules for each opcode (Sources/EVM/Tracing/OpcodeGate.swift).
LOOP = re.compile(r"\$s3EVM7MachineC9interpret(?!\w*OpcodeGate)\w*NoTracer\w*")
CALL = re.compile(r"\b(?:call|jmp|bl|b)\s+[0-9a-f]+ <([^>+]+)>|R_(?:X86_64|AARCH64)_\w+\s+([\w$.]+)")
# Suffixes of mangled names for outlined copies, retains, releases and destroys of values.
OUTLINED = re.compile(r"WO[a-z]$")


def callees(listing):
    """What a disassembled function calls or jumps to, relocations included."""
    for line in listing.splitlines():
        for match in CALL.finditer(line):
            yield match.group(1) or match.group(2)


def refused(listing):
    return sorted({
        name for name in callees(listing)
        if name.startswith("swift_") or OUTLINED.search(name.split("-")[0].split("@")[0])
    })


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def listings(build):
    """The loop's symbols and their disassembly, from the object files of the room."""
    for file in sorted((build / "EVM.build").glob("*.o")):
        if "interpret" not in run("nm", "--defined-only", str(file)):
            continue
        text = run("objdump", "--disassemble", "--reloc", "--no-show-raw-insn", str(file))
        for function in re.split(r"^(?=[0-9a-f]+ <[^>]+>:$)", text, flags=re.MULTILINE):
            symbol = re.match(r"[0-9a-f]+ <([^>]+)>:", function)
            if symbol and LOOP.fullmatch(symbol.group(1)):
                yield symbol.group(1), function


def self_test():
    clean = "  10:\tcall   20 <$s3EVM7MachineC4cold>\n\t\t11: R_X86_64_PLT32\t$s3EVM7MachineC4cold-0x4\n"
    for planted in ("\t\t21: R_X86_64_PLT32\tswift_retain-0x4", "  20:\tcall   90 <swift_beginAccess@plt>",
                    "\t\t21: R_X86_64_PLT32\t$s3EVM4CodeCSgWOe-0x4"):
        if refused(clean) or not refused(clean + planted):
            sys.exit("check-hot-loop: the self-test failed: a planted call is not seen")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path(".build/release"))
    parser.add_argument("--self-test", action="store_true", help="only show that a planted call is seen")
    options = parser.parse_args()
    self_test()
    if options.self_test:
        return
    if not shutil.which("objdump"):
        sys.exit("check-hot-loop: objdump is missing (Debian package binutils)")
    instructions = 0
    for symbol, listing in listings(options.build):
        instructions += len(re.findall(r"^\s+[0-9a-f]+:\t", listing, re.MULTILINE))
        if found := refused(listing):
            sys.exit(f"check-hot-loop: {symbol} calls {', '.join(found)}")
    # The whole switch is thousands of instructions; less means that the loop is somewhere else now.
    if instructions < 1000:
        sys.exit(f"check-hot-loop: the loop was not found in {options.build}/EVM.build ({instructions} instructions)")
    print(f"check-hot-loop: {instructions} instructions, no call into the Swift runtime")


if __name__ == "__main__":
    main()

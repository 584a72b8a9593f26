#!/usr/bin/env python3
"""Compiles chains/contracts/*.vy into chains/artifacts and compares their outer face with that of CCIP 1.6.

What lives here: compiling, the ABI comparison, the coverage page. What a contract does, and where it is deployed,
is no business of this file.

    scripts/contracts.py            write chains/artifacts and docs/reference/contracts-coverage.md
    scripts/contracts.py --check    compile again, compare, name what differs, exit 1 if anything does

Contracts are compiled in two processes, each file by its own pragmas. A sidecar `NAME.interface.json` lists what the
compiler cannot know: functions that are served from __default__ and custom errors; a string in it names another sidecar
whose entries it takes over. interfaces/declared-only.json names what the published contracts declare but never emit or
throw, and ours therefore only declare too.
"""

import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys

from vyper.evm.opcodes import DEFAULT_EVM_VERSION

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ROOT / "chains" / "contracts"
ARTIFACTS = ROOT / "chains" / "artifacts"
OFFICIAL_ABI = SOURCES / "interfaces" / "ccip-1.6-abi.json"
DECLARED_ONLY = SOURCES / "interfaces" / "declared-only.json"
COVERAGE = ROOT / "docs" / "reference" / "contracts-coverage.md"

# The most bytes a deployed contract may have (EIP-170), and its creation code (EIP-3860).
CODE_LIMIT = 24_576
INITCODE_LIMIT = 49_152
# Compilers that run at the same time.
PROCESSES = 2

# Artifact -> its name, and the contract of the published ABI that it stands for.
COUNTERPARTS = {
    "arm_proxy": ("ARMProxy", "ARMProxy"),
    "burn_from_mint_token_pool": ("BurnFromMintTokenPool", "BurnFromMintTokenPool_1_6_1"),
    "burn_mint_erc20": ("BurnMintERC20", "FactoryBurnMintERC20_1_6_2"),
    "burn_mint_token_pool": ("BurnMintTokenPool", "BurnMintTokenPool_1_6_1"),
    "burn_to_address_token_pool": ("BurnToAddressTokenPool", "BurnToAddressMintTokenPool_1_6_1"),
    "burn_with_from_mint_token_pool": ("BurnWithFromMintTokenPool", "BurnWithFromMintTokenPool_1_6_1"),
    "cctp_message_transmitter_proxy": ("CCTPMessageTransmitterProxy", "CCTPMessageTransmitterProxy"),
    "defensive_receiver": ("DefensiveReceiver", "IAny2EVMMessageReceiver"),
    "ether_sender_receiver": ("EtherSenderReceiver", "IAny2EVMMessageReceiver"),
    "fee_quoter": ("FeeQuoter", "FeeQuoter_1_6_0"),
    "fee_quoter_1_6_3": ("FeeQuoter163", "FeeQuoter_1_6_3"),
    "lock_release_token_pool": ("LockReleaseTokenPool", "LockReleaseTokenPool_1_6_1"),
    "message_hasher": ("MessageHasher", "MessageHasher_helper"),
    "multi_aggregate_rate_limiter": ("MultiAggregateRateLimiter", "MultiAggregateRateLimiter"),
    "nonce_manager": ("NonceManager", "NonceManager"),
    "off_ramp": ("OffRamp", "OffRamp"),
    "on_ramp": ("OnRamp", "OnRamp"),
    "ping_pong_demo": ("PingPongDemo", "IAny2EVMMessageReceiver"),
    "registry_module_owner_custom": ("RegistryModuleOwnerCustom", "RegistryModuleOwnerCustom"),
    "remote_reader": ("RemoteReader", "IAny2EVMMessageReceiver"),
    "reverting_receiver": ("RevertingReceiver", "IAny2EVMMessageReceiver"),
    "rmn_remote": ("RMNRemote", "RMNRemote"),
    "router": ("Router", "Router"),
    "siloed_lock_release_token_pool": ("SiloedLockReleaseTokenPool", "SiloedLockReleaseTokenPool_1_6_0"),
    "storing_receiver": ("StoringReceiver", "IAny2EVMMessageReceiver"),
    "token_admin_registry": ("TokenAdminRegistry", "TokenAdminRegistry"),
    "usdc_token_pool": ("USDCTokenPool", "USDCTokenPool_1_6_2"),
    "usdc_token_pool_cctp_v2": ("USDCTokenPoolCCTPV2", "USDCTokenPoolCCTPV2_1_6_5"),
    "weth9": ("WETH9", "IWrappedNative"),
}

# Artifacts that stand for no contract of CCIP: Circle's transfer protocol, which USDC pools speak to, the contracts of
# the price streams (whose face is compared with the vectors of their specification, by Tests/Contracts), and a chain's
# own.
OTHERS = {
    "cctp_message_transmitter": "CCTPMessageTransmitter",
    "cctp_message_transmitter_v2": "CCTPMessageTransmitterV2",
    "cctp_token_messenger": "CCTPTokenMessenger",
    "cctp_token_messenger_v2": "CCTPTokenMessengerV2",
    "channel_config_store": "ChannelConfigStore",
    "configurator": "Configurator",
    "l1_gas_oracle": "L1GasOracle",
    "stream_price_feed": "StreamPriceFeed",
    "verifier": "Verifier",
    "verifier_proxy": "VerifierProxy",
}

# Artifacts that are one source compiled for several published versions: source, and the folder of versions/ that goes
# on the import path.
VERSIONS = {
    "fee_quoter": ("fee_quoter", "1.6.0"),
    "fee_quoter_1_6_3": ("fee_quoter", "1.6.3"),
}


class ContractError(Exception):
    """Something a person has to mend; the message names the file and what is wrong with it."""


# -------------------------------------------------------------------------------------------------------- compiling


def source_of(name):
    """The source file of an artifact."""
    return SOURCES / (VERSIONS.get(name, (name,))[0] + ".vy")


def label_of(name):
    """The contract's own name of an artifact."""
    return COUNTERPARTS[name][0] if name in COUNTERPARTS else OTHERS[name]


def compile_contract(name):
    """One artifact, a dictionary, from its source file."""
    source = source_of(name)
    paths = ["-p", str(SOURCES)]
    if name in VERSIONS:
        paths += ["-p", str(SOURCES / "versions" / VERSIONS[name][1])]
    vyper = pathlib.Path(sys.executable).parent / "vyper"
    outputs = "abi,bytecode,bytecode_runtime,settings,layout"
    command = [str(vyper), "--no-bytecode-metadata", *paths, "-f", outputs, str(source)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ContractError(f"{source.name}: does not compile\n{result.stderr.strip()}")
    lines = [line for line in result.stdout.splitlines() if line.strip()]
    if len(lines) != 5:
        raise ContractError(f"{source.name}: the compiler gave {len(lines)} outputs, not 5")
    abi, bytecode, runtime, settings, layout = lines
    artifact = {
        "contractName": label_of(name),
        "compiler": "vyper " + pinned_version(),
        "settings": {"evm_version": DEFAULT_EVM_VERSION, **json.loads(settings)},
        "abi": merged_abi(name, json.loads(abi)),
        "bytecode": bytecode,
        "deployedBytecode": runtime,
    }
    check_size(source, artifact, json.loads(layout))
    return artifact


def pinned_version():
    for line in (ROOT / "scripts" / "requirements.txt").read_text().splitlines():
        if line.startswith("vyper=="):
            return line.split("==")[1].strip()
    raise ContractError("scripts/requirements.txt: no line vyper==VERSION")


def check_size(source, artifact, layout):
    """EIP-170 and EIP-3860. Immutables follow the runtime code when it is deployed."""
    immutables = sum(entry["length"] for entry in leaves(layout.get("code_layout", {})))
    deployed = (len(artifact["deployedBytecode"]) - 2) // 2 + immutables
    created = (len(artifact["bytecode"]) - 2) // 2
    if deployed > CODE_LIMIT:
        raise ContractError(f"{source.name}: {deployed} bytes deployed, the limit is {CODE_LIMIT}")
    if created > INITCODE_LIMIT:
        raise ContractError(f"{source.name}: {created} bytes of creation code, the limit is {INITCODE_LIMIT}")


def leaves(layout):
    """The entries of a layout, those of modules included."""
    found, pending = [], [layout]
    while pending:
        for value in pending.pop().values():
            if isinstance(value, dict):
                if "offset" in value and "length" in value:
                    found.append(value)
                else:
                    pending.append(value)
    return found


def sidecar(name):
    """What the compiler cannot know of an artifact or module, with what the named sidecars say."""
    path = SOURCES / f"{name}.interface.json"
    if not path.exists():
        return []
    entries = []
    for entry in json.loads(path.read_text()):
        entries += sidecar(entry) if isinstance(entry, str) else [entry]
    keys = [key(entry) for entry in entries]
    for doubled in sorted({k for k in keys if keys.count(k) > 1}):
        raise ContractError(f"{path.name}: {doubled} is listed twice")
    return entries


def merged_abi(name, abi):
    """The compiler's ABI and the sidecar's; where both have an entry, the sidecar's names it better."""
    extra = sidecar(name)
    keys = [key(entry) for entry in extra]
    served = any(entry["type"] == "function" for entry in extra)
    kept = [e for e in abi if key(e) not in keys and not (served and e["type"] == "fallback")]
    order = {"constructor": 0, "fallback": 1, "receive": 1, "function": 2, "event": 3, "error": 4}
    return sorted(kept + extra, key=lambda entry: (order[entry["type"]], key(entry)))


def compile_all():
    """Artifacts by source name, in the order of names."""
    names = sorted([*COUNTERPARTS, *OTHERS])
    unknown = {path.stem for path in SOURCES.glob("*.vy")} - {source_of(name).stem for name in names}
    if unknown:
        raise ContractError(f"{', '.join(sorted(unknown))}: not listed in scripts/contracts.py")
    artifacts, failures = {}, []
    with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
        for name, job in [(name, pool.submit(compile_contract, name)) for name in names]:
            try:
                artifacts[name] = job.result()
            except ContractError as error:
                failures.append(str(error))
    return artifacts, failures


# -------------------------------------------------------------------------------------------------- signatures


def canonical(parameter):
    """The canonical type of an ABI parameter: tuples spelled out."""
    kind = parameter["type"]
    if kind.startswith("tuple"):
        return "(" + ",".join(canonical(c) for c in parameter["components"]) + ")" + kind[len("tuple"):]
    return kind


def signature(entry):
    return entry.get("name", entry["type"]) + "(" + ",".join(canonical(i) for i in entry.get("inputs", [])) + ")"


def key(entry):
    return entry["type"] + " " + signature(entry)


def face(entry):
    """What a caller or a reader of logs depends on, beyond the name: argument types, results, indexed, payable."""
    arguments = ",".join(
        canonical(i) + (" indexed" if i.get("indexed") else "") for i in entry.get("inputs", [])
    )
    text = f"{entry.get('name', '')}({arguments})"
    if entry["type"] == "function":
        text += " -> (" + ",".join(canonical(o) for o in entry["outputs"]) + ")"
    if entry.get("stateMutability") == "payable":
        text += " payable"
    return text


def compare_with_official(name, abi, official):
    """Entries of ours that bear a name of theirs and differ from every entry of that name, as lines to print."""
    theirs = official["contracts"][COUNTERPARTS[name][1]]["abi"] if name in COUNTERPARTS else []
    everyone = [entry for contract in official["contracts"].values() for entry in contract["abi"]]
    problems = []
    for entry in abi:
        if entry["type"] not in ("function", "event", "error", "constructor"):
            continue
        peers = [e for e in theirs if same_name(e, entry)]
        if not peers and entry["type"] == "error":
            peers = [e for e in everyone if same_name(e, entry)]
        if peers and face(entry) not in [face(e) for e in peers]:
            due = " or ".join(sorted({face(e) for e in peers}))
            problems.append(f"{name}: {entry['type']} {face(entry)} should be {due}")
    return problems


def same_name(a, b):
    return a["type"] == b["type"] and a.get("name") == b.get("name")


# ------------------------------------------------------------------------------------------------------- coverage


def missing(name, artifact, official):
    """Functions, events and errors of the published contract that ours lacks, by exact signature."""
    theirs = official["contracts"][COUNTERPARTS[name][1]]["abi"]
    kinds = ("function", "event", "error")
    return sorted({key(e) for e in theirs if e["type"] in kinds} - {key(e) for e in artifact["abi"]})


def coverage_page(artifacts, official, declared):
    """What the published contracts have that ours lack, and what ours have beyond them."""
    lines = [
        "# Contract coverage",
        "",
        "What the published CCIP 1.6 contracts have and ours still lack, by exact signature. Written by",
        "`make contracts` from chains/contracts and its interfaces/ccip-1.6-abi.json; do not edit.",
        "",
        "| Contract | Source | Functions | Events | Errors | Deployed bytes |",
        "|---|---|---|---|---|---|",
    ]
    sections = []
    for name in sorted(COUNTERPARTS, key=lambda n: COUNTERPARTS[n][0].lower()):
        label, counterpart = COUNTERPARTS[name]
        if name not in artifacts:
            sections += ["", f"## {label}", "", "Does not compile."]
            continue
        artifact = artifacts[name]
        ours = {key(entry) for entry in artifact["abi"]}
        theirs = official["contracts"][counterpart]["abi"]
        counts = []
        for kind in ("function", "event", "error"):
            due = {key(entry) for entry in theirs if entry["type"] == kind}
            counts.append(f"{len(due & ours)} of {len(due)}")
        size = (len(artifact["deployedBytecode"]) - 2) // 2
        lines.append(f"| {label} | `{source_of(name).name}` | {' | '.join(counts)} | {size} |")
        sections += section(name, artifact, official)
    return "\n".join(lines + declared_section(declared) + sections) + "\n"


def declared_section(declared):
    lines = [
        "",
        "## Declared only",
        "",
        "What the published contracts declare, for they inherit it, but have no path to; ours declare it as well and",
        "have no path to it either. Everything else in our ABIs is in the code, which Tests/Contracts checks.",
        "",
        "| Contracts | Entries | Why nothing leads there |",
        "|---|---|---|",
    ]
    for item in declared:
        names = ", ".join(label_of(name) for name in item["contracts"])
        entries = "<br>".join(f"{entry.replace(' ', ' `', 1)}`" for entry in item["entries"])
        lines.append(f"| {names} | {entries} | {item['reason']} |")
    return lines


def section(name, artifact, official):
    label, counterpart = COUNTERPARTS[name]
    lines = ["", f"## {label}", "", f"Compared with `{counterpart}`.", ""]
    due = {key(e) for e in official["contracts"][counterpart]["abi"]}
    lacking = missing(name, artifact, official)
    extra = sorted({key(e) for e in artifact["abi"] if e["type"] in ("function", "event", "error")} - due)
    lines.append("Ours lacks: " + ("nothing." if not lacking else ""))
    lines += [f"- {entry.replace(' ', ' `', 1)}`" for entry in lacking]
    if extra:
        lines += ["", "Ours adds:", *[f"- {entry.replace(' ', ' `', 1)}`" for entry in extra]]
    return [line.rstrip() for line in lines]


# ------------------------------------------------------------------------------------------------------------- main


def expected_files(artifacts, official):
    """Every file this script owns, by path, with the text it should have."""
    files = {ARTIFACTS / f"{name}.json": json.dumps(artifact, indent=1) + "\n" for name, artifact in artifacts.items()}
    files[COVERAGE] = coverage_page(artifacts, official, json.loads(DECLARED_ONLY.read_text()))
    return files


def check(files):
    """Lines that name each file that is not as it should be."""
    problems = []
    for path, text in files.items():
        relative = path.relative_to(ROOT)
        if not path.exists():
            problems.append(f"{relative}: missing; run `make contracts`")
        elif path.read_text() != text:
            problems.append(f"{relative}: differs from what the sources compile to; {difference(path, text)}")
    for path in sorted(ARTIFACTS.glob("*.json")):
        if path not in files:
            problems.append(f"{path.relative_to(ROOT)}: has no source; remove it")
    return problems


def difference(path, text):
    """Which parts of an artifact differ."""
    if path.suffix != ".json":
        return "run `make contracts`"
    try:
        stored, due = json.loads(path.read_text()), json.loads(text)
    except ValueError:
        return "it is not JSON; run `make contracts`"
    names = [name for name in due if not isinstance(stored, dict) or stored.get(name) != due[name]]
    return "differing: " + (", ".join(names) or "layout of the file") + "; run `make contracts`"


def write(files):
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    # What does not compile keeps its last artifact; what has no source any more loses it.
    for path in ARTIFACTS.glob("*.json"):
        if path.stem not in COUNTERPARTS and path.stem not in OTHERS:
            path.unlink()


def main():
    parser = argparse.ArgumentParser(description="Compile the contracts and compare them with CCIP 1.6.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 naming what differs")
    arguments = parser.parse_args()
    try:
        official = json.loads(OFFICIAL_ABI.read_text())
        artifacts, problems = compile_all()
        for name, artifact in artifacts.items():
            problems += compare_with_official(name, artifact["abi"], official)
    except (ContractError, OSError, ValueError) as error:
        print(f"contracts: {error}", file=sys.stderr)
        return 1
    files = expected_files(artifacts, official)
    if arguments.check:
        problems += check(files)
    else:
        write(files)
    for problem in problems:
        print(f"contracts: {problem}", file=sys.stderr)
    done = "match" if arguments.check else "compiled"
    print(f"contracts: {len(artifacts)} {done}, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

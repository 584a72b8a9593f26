#!/usr/bin/env bash
# Two acts on fresh local networks, told as they happen: four crossings between two chains, then every kind of message and
# token over six lanes between three. `make demo` builds first. Ends with tables, leaves no
# process behind; --first-act ends after the four. With --data-dir DIR (or DEMO_FLAGS="--data-dir DIR" make demo) the
# networks' files are kept there.
set -euo pipefail
cd "$(dirname "$0")/.."
causeway=.build/release/causeway

kept=
data=
first=
while [ $# -gt 0 ]; do
    case "$1" in
        --data-dir) [ $# -ge 2 ] || { echo "--data-dir wants a directory" >&2; exit 2; }; kept=1; data=$2; shift 2 ;;
        --first-act) first=1; shift ;;
        *) echo "unknown option $1 (known: --data-dir DIR, --first-act)" >&2; exit 2 ;;
    esac
done
[ -n "$data" ] || data=$(mktemp -d -t causeway-demo-XXXXXX)
work=$(mktemp -d -t causeway-demo-notes-XXXXXX)

finish() {
    status=$?
    "$causeway" down --network "$data" >/dev/null 2>&1 || true
    "$causeway" down --network "$data/act-two" >/dev/null 2>&1 || true
    [ $status -eq 0 ] || { echo "the demo failed (exit $status); logs are in $data/logs" >&2; kept=1; }
    rm -rf "$work"
    [ -n "$kept" ] || rm -rf "$data"
    exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n\033[1m%s\033[0m\n' "$*" >&2; }
expect() { # expect STATUS COMMAND...: runs it, fails unless it exits so
    local wanted=$1 status=0
    shift
    "$@" || status=$?
    [ "$status" -eq "$wanted" ] || { echo "exit $status instead of $wanted: $*" >&2; exit 1; }
}

say "Starting Ethereum, Jovay, their contracts and four relayers (eight processes)"
"$causeway" up --detach --data-dir "$data"
export CAUSEWAY_NETWORK=$data
python3 scripts/demo_table.py balances "$data" >"$work/before.json"

say "1. Data, Ethereum -> Jovay, to a contract that keeps it"
expect 0 "$causeway" send ethereum jovay --text "hello from Ethereum" --wait --json >"$work/1.json"

say "2. Tokens, Ethereum -> Jovay: locked there, minted here"
expect 0 "$causeway" send ethereum jovay --receiver account:2 --token CWT=25 --gas-limit 0 --wait --json >"$work/2.json"

say "3. Data and tokens, Jovay -> Ethereum"
expect 0 "$causeway" send jovay ethereum --text "and back" --token LINK=1.5 --wait --json >"$work/3.json"

say "4. A receiver that reverts: the message fails, the receiver is mended, the message is executed by hand"
expect 4 "$causeway" send ethereum jovay --receiver revertingReceiver --text "try me" --wait --json >"$work/4.json"
id=$(python3 scripts/demo_table.py id "$work/4.json")
expect 4 "$causeway" show "$id" >&2
python3 scripts/demo_table.py mend "$data"
expect 0 "$causeway" exec "$id" --json >"$work/5.json"

say "What crossed"
python3 scripts/demo_table.py table "$data" "$work"
"$causeway" down --network "$data" >/dev/null
[ -z "$first" ] || exit 0

say "The second act: Ethereum, Jovay and Pharos, six lanes, every kind of message and token; four guards sign for two lanes"
"$causeway" up --detach --chains ethereum,jovay,pharos --guards 4 --rmn ethereum:jovay,jovay:pharos --no-streams \
    --tokens all --data-dir "$data/act-two"
export CAUSEWAY_NETWORK=$data/act-two
python3 scripts/demo_act_two.py "$data/act-two"

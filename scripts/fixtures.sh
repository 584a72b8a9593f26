#!/usr/bin/env bash
# Runs the public suites, or any folder or archive laid out like them, and prints one line for each group: files,
# subtests, passed, failed, left out and why. Exits 1 on a failure, or when nothing was found to run.
#
# usage: scripts/fixtures.sh [PATH] [--extreme]
# The tests are built before: `make fixtures` does it.
set -euo pipefail
log=$(mktemp -t causeway-fixtures-XXXXXX)
trap 'rm -f "$log"' EXIT
for argument in "$@"; do
    case "$argument" in
        --extreme) export CAUSEWAY_SOAK=1 ;;
        *) CAUSEWAY_CONFORMANCE=$(realpath "$argument") && export CAUSEWAY_CONFORMANCE ;;
    esac
done
cd "$(dirname "$0")/.."
status=0
swift test -c release -Xswiftc -enable-testing --skip-build --filter '^ConformanceTests\.ConformanceTests' 2>&1 |
    tee "$log" | grep --line-buffered -E '^([^ ]+: ([0-9]+ files, |left out)|left out: |  failed: )' || status=1
if [ "$status" -ne 0 ] && ! grep -q 'failed: ' "$log"; then
    tail -n 20 "$log" >&2
fi
exit "$status"

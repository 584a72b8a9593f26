#!/usr/bin/env bash
# The figures that docs/concepts/performance.md quotes, from one run: gas, latency, throughput, memory. Writes
# Benchmarks/results.json too. `make bench` builds first.
set -euo pipefail
cd "$(dirname "$0")/.."
data=$(mktemp -d -t causeway-bench-XXXXXX)
finish() {
    status=$?
    .build/release/causeway down --network "$data" >/dev/null 2>&1 || true
    rm -rf "$data"
    exit $status
}
trap finish EXIT
.build/release/causeway up --detach --json --data-dir "$data" >/dev/null
.venv/bin/python Benchmarks/crossing.py "$data/localnet.json" --causeway .build/release/causeway \
    --json Benchmarks/results.json "$@"

#!/usr/bin/env bash
# The Python environment that tests and `make contracts` use: web3.py as a foreign client, pyzmq as a foreign
# subscriber, Vyper as the contract compiler, py-evm to test the contracts on. Versions are pinned in
# scripts/requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --requirement scripts/requirements.txt
touch .venv/.complete

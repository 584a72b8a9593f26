#!/usr/bin/env bash
# Installs the Debian packages that Causeway builds and runs with, and nothing when they are there.
set -euo pipefail
needed=(libzmq3-dev libsecp256k1-dev libssl-dev libsqlite3-dev python3 python3-venv binutils)
missing=()
for package in "${needed[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
command -v apt-get >/dev/null || {
    echo "missing packages: ${missing[*]}. This is no Debian system: install their equivalents, then run make again." >&2
    exit 1
}
echo "installing: ${missing[*]}" >&2
run=()
[ "$(id -u)" -eq 0 ] || run=(sudo)
"${run[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

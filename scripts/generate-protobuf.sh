#!/bin/sh
# Generates the Swift code of every Sources/*/Schema/*.proto beside its schema. Needs protoc and protoc-gen-swift
# (built from the swift-protobuf version that Package.swift names) on PATH. The result is committed.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)

for tool in protoc protoc-gen-swift; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "generate-protobuf: $tool is not on PATH." >&2
        echo "  protoc: install the protobuf compiler (Debian: protobuf-compiler)." >&2
        echo "  protoc-gen-swift: in a checkout of apple/swift-protobuf run" >&2
        echo "    swift build -c release --product protoc-gen-swift   and put .build/release on PATH." >&2
        exit 1
    fi
done

found=0
for schema in "$root"/Sources/*/Schema/*.proto; do
    [ -e "$schema" ] || continue
    folder=$(dirname -- "$schema")
    protoc --proto_path="$folder" --swift_out="$folder" \
        --swift_opt=Visibility=Package --swift_opt=FileNaming=DropPath "$schema"
    echo "generated ${schema#"$root"/}"
    found=1
done
[ "$found" = 1 ] || { echo "generate-protobuf: no schema found under Sources/*/Schema" >&2; exit 1; }

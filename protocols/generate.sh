#!/usr/bin/env bash
# Writes Sources/CohortWire/Generated from the .proto files. With --check it only compares and fails on a difference.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v protoc >/dev/null; then
    echo "protocols/generate.sh: protoc is missing; install it with: apt-get install protobuf-compiler" >&2
    exit 1
fi

swift build --product protoc-gen-swift >&2
plugin="$(swift build --show-bin-path)/protoc-gen-swift"
[ -x "$plugin" ] || plugin="$(swift build --show-bin-path)/protoc-gen-swift-tool"

target=Sources/CohortWire/Generated
output="$target"
if [ "${1:-}" = --check ]; then
    output="$(mktemp -d)"
    trap 'rm -rf "$output"' EXIT
fi

protoc --plugin=protoc-gen-swift="$plugin" --proto_path=protocols/cohort/v1 \
    --swift_opt=Visibility=Internal --swift_opt=UseAccessLevelOnImports=true --swift_out="$output" \
    protocols/cohort/v1/*.proto

if [ "${1:-}" = --check ]; then
    diff -ru "$target" "$output" || {
        echo "protocols/generate.sh: the committed code is not what the .proto files give; run protocols/generate.sh" >&2
        exit 1
    }
fi

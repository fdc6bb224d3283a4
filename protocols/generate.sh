#!/usr/bin/env bash
# Writes Sources/CohortWire/Generated from the .proto files.
#
#   protocols/generate.sh            writes
#   protocols/generate.sh --check    compares only, and fails on a difference
#
# SWIFT_FLAGS goes to `swift build`, for example "--scratch-path /tmp/build".
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "protocols/generate.sh: $*" >&2
    exit 1
}

case "$#:${1:-}" in
    0: | 1:--check) ;;
    *) fail "unknown arguments '$*'; usage: protocols/generate.sh [--check]" ;;
esac
command -v protoc >/dev/null || fail "protoc is missing; install it with: apt-get install protobuf-compiler"

# The plugin comes from the same package, in the same version, as the library that the generated code uses.
read -ra flags <<<"${SWIFT_FLAGS:-}"
swift build ${flags[@]+"${flags[@]}"} --product protoc-gen-swift >&2
plugin="$(swift build ${flags[@]+"${flags[@]}"} --show-bin-path)/protoc-gen-swift"
[ -x "$plugin" ] || fail "the build has left no plugin at $plugin"

target=Sources/CohortWire/Generated
output="$(mktemp -d)"
trap 'rm -rf "$output"' EXIT
protoc --plugin=protoc-gen-swift="$plugin" --proto_path=protocols/cohort/v1 \
    --swift_opt=Visibility=Internal --swift_opt=UseAccessLevelOnImports=true --swift_out="$output" \
    protocols/cohort/v1/*.proto

if [ "${1:-}" = --check ]; then
    diff -ru "$target" "$output" >&2 || fail "$target is not what the .proto files give; run protocols/generate.sh"
else
    # Written only now, so that a failure of protoc leaves the old code alone.
    mkdir -p "$target"
    rm -f "$target"/*.swift
    cp "$output"/*.swift "$target"/
fi

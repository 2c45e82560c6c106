#!/bin/sh
# Writes src/ffi/bindings.rs from include/autofix_host.h, or with --check only compares.
# Needs libclang; without it says so and ends with 77 (skipped).
set -eu
cd "$(dirname "$0")/.."
committed=src/ffi/bindings.rs
made=$(mktemp)
trap 'rm -f "$made"' EXIT
if ! ldconfig -p 2>/dev/null | grep -q 'libclang[-.0-9]*\.so' && [ -z "${LIBCLANG_PATH:-}" ] &&
    ! ls /usr/lib/llvm*/lib/libclang*.so* >/dev/null 2>&1; then
    echo "SKIPPED bindings: no libclang here" >&2
    exit 77
fi
AUTOFIX_BINDINGS_TO=$made cargo build --quiet --lib --features bindings
if [ "${1:-}" = --check ]; then
    diff -u "$committed" "$made"
else
    cp "$made" "$committed"
fi

#!/bin/sh
# `make e2e`: every case of the demo through the library in each Fluent Bit that is here, with
# the optimised build. A host that is absent is said.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
for host in fluent-bit fluent-bit-1.9; do
    if ! command -v "$host" >/dev/null 2>&1; then
        echo "SKIPPED e2e in $host: not on PATH"
        continue
    fi
    for case in 1 2 3; do
        said=$work/said
        if CASE=$case DEMO_DIR=$work/$case PLAYER=fluent-bit FLUENT_BIT=$host NO_COLOR=1 \
            sh examples/demo/run.sh >"$said" 2>&1 && grep -q '^One incident' "$said"; then
            echo "ok   $("$host" --version | head -n 1): case $case"
            passed=$((passed + 1))
        else
            echo "FAIL $("$host" --version | head -n 1): case $case"
            tail -n 40 "$said"
            failed=$((failed + 1))
        fi
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

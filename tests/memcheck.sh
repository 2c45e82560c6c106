#!/bin/sh
# Runs the built library in the C host under Valgrind: no error, nothing definitely lost.
# AUTOFIX_LIBRARY names a library to check instead of the one built here.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
work=$target/memcheck
mkdir -p "$work"
if ! command -v valgrind >/dev/null; then
    echo "SKIPPED memcheck: no valgrind here (Debian: apt-get install valgrind)"
    exit 0
fi
library=${AUTOFIX_LIBRARY:-}
if [ -z "$library" ]; then
    cargo rustc --lib --crate-type cdylib
    cp "$target/debug/libautofix.so" "$work/out_autofix.so"
    library=$work/out_autofix.so
fi

failed=0
passed=0
check() { # RELEASE SCENARIO [KEY=VALUE...]
    release=$1
    shift
    host=$work/host-$release
    [ -x "$host" ] && [ "$host" -nt tests/host/host.c ] ||
        ${CC:-cc} -g -O1 -rdynamic "-DRELEASE=$release" tests/host/host.c -o "$host" -ldl -lpthread
    state=$(mktemp -d)
    said=$work/$release-$1.txt
    scenario=$1
    shift
    if HOME=$state valgrind --quiet --error-exitcode=9 --leak-check=full --num-callers=30 \
        --errors-for-leak-kinds=definite --show-leak-kinds=definite --fair-sched=try \
        --suppressions=tests/host/memcheck.supp \
        "$host" "$library" "$scenario" "State_Dir=$state" "$@" >"$said" 2>&1 &&
        ! grep -q '^==[0-9]*== ' "$said"; then
        echo "ok   $release $scenario"
        passed=$((passed + 1))
    else
        echo "FAIL $release $scenario: $said"
        tail -n 40 "$said"
        failed=$((failed + 1))
    fi
    rm -rf "$state"
}

check 50101 unused
check 50101 crash
check 50101 life
check 50101 payloads
check 50101 reload
check 50101 contexts
check 50101 plain
check 50101 init Mode=nonsense
check 20200 init Mode=nonsense
check 10910 crash
check 10910 old_exit
check 20006 old_exit
echo "memcheck: $passed passed, $failed failed"
[ "$failed" -eq 0 ]

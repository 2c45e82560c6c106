#!/bin/sh
# `make bench`: what autofix costs, as rows of Markdown. PARTS picks some of
# "router lane stages templates triage flush memory tools"; SIZE_MB, ROUNDS and others are benches/router.py's.
set -eu
cd "$(dirname "$0")/.."
parts=${PARTS:-router lane stages templates triage flush memory tools}
library=$PWD/dist/out_autofix.so
autofix=$PWD/dist/autofix
# cargo names the program after its hash. PROFILE=quick builds sooner, and measures slower code.
built() {
    program=$(cargo bench --locked --profile "${PROFILE:-bench}" --bench "$1" --no-run --message-format short 2>&1 |
        sed -n 's/.*Executable.*(\(.*\))$/\1/p')
    [ -x "$program" ] || { echo "benches/$1 was not built" >&2; exit 1; }
    echo "$program"
}
# What measures the tools needs nothing else.
[ "$parts" = tools ] || fast_lane=$(built fast_lane)

echo "$(date -u +%Y-%m-%d), $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(rustc --version)"
for part in $parts; do
    printf '\n## %s\n\n' "$part"
    case $part in
    router)
        if command -v "${FLUENT_BIT:-fluent-bit}" >/dev/null 2>&1; then
            python3 benches/router.py "$library" "$autofix" "$fast_lane"
        else
            echo "SKIPPED router: no ${FLUENT_BIT:-fluent-bit} on PATH"
        fi
        ;;
    templates)
        if [ -f benches/templates.sh ]; then sh benches/templates.sh; else echo "SKIPPED templates: no benches/templates.sh"; fi
        ;;
    stages) "$fast_lane" stages ;;
    # LOGS names files of other systems.
    triage) python3 benches/triage.py "$autofix" ${LOGS:-} ;;
    lane)
        for count in 10 1000 10000; do
            "$fast_lane" lane "$library" "$count" 200000
        done
        ;;
    # BIG names a folder in which such a repository was made before.
    tools)
        tools=$(built tools)
        if ! command -v git >/dev/null 2>&1; then
            echo "SKIPPED tools: no git on PATH"
        elif [ -n "${BIG:-}" ]; then
            "$tools" run "$BIG"
        else
            big=$(mktemp -d)
            trap 'rm -rf "$big"' EXIT
            "$tools" make "$big"
            "$tools" run "$big"
        fi
        ;;
    flush | memory) "$fast_lane" "$part" "$library" ;;
    *) echo "no part $part" >&2; exit 2 ;;
    esac
done

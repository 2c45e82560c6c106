#!/bin/sh
# Runs the fuzz targets one after the other: SECONDS_EACH for each (60), TARGET names one. Seeds of
# the languages, and of what reads any line, are what the programs of tests/corpus printed. What was found stays in
# fuzz/artifacts, what was learnt in fuzz/corpus; neither is committed.
set -eu
cd "$(dirname "$0")/.."

if ! cargo +nightly --version >/dev/null 2>&1; then
    echo "missing: the nightly compiler: rustup toolchain install nightly" >&2
    exit 1
fi
if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    echo "missing: cargo-fuzz: cargo +nightly install cargo-fuzz" >&2
    exit 1
fi

seconds=${SECONDS_EACH:-60}
known=$(sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"$/\1/p' fuzz/Cargo.toml)
targets=${TARGET:-$known}
for target in $targets; do
    if ! echo "$known" | grep -qx "$target"; then
        echo "no target $target; there are:" $known >&2
        exit 2
    fi
done

# Copies what is there to begin with: of a language every output in the corpus, else its seeds.
sow() {
    mkdir -p "fuzz/corpus/$1" "fuzz/artifacts/$1"
    find "tests/corpus/traces/$1" "tests/corpus/documented/$1" "tests/corpus/crashes/$1" \
        -name output.txt 2>/dev/null | while read -r output; do
        name=$(dirname "$output" | tr / -)
        cp "$output" "fuzz/corpus/$1/$name"
        # The byte 01 asks for a long text made of this one; those take their time.
        if [ ! -e "fuzz/corpus/$1/long" ]; then
            { printf '\001'; head -c 300 "$output"; } >"fuzz/corpus/$1/long"
        fi
    done
    case "$1" in
        templates | replay) cp tests/corpus/plain/*.log "fuzz/corpus/$1/" ;;
        redact)
            # A line a seed, without its marks.
            cat tests/corpus/redact/*.txt | grep -v '^#' | sed 's/«[a-z-]*://g; s/»//g' |
                split -l 2 -a 4 - "fuzz/corpus/$1/line-"
            ;;
    esac
    if [ -d "fuzz/seeds/$1" ]; then
        cp "fuzz/seeds/$1"/* "fuzz/corpus/$1/"
    fi
}

longest() {
    case "$1" in
        join | rates) echo 512 ;;
        msgpack | matches) echo 4096 ;;
        *) echo 8192 ;;
    esac
}

for target in $targets; do
    sow "$target"
    set -- -max_total_time="$seconds" -max_len="$(longest "$target")" -timeout=5 \
        -rss_limit_mb=2048 -print_final_stats=1
    if [ -f "fuzz/dictionaries/$target.dict" ]; then
        set -- "$@" "-dict=fuzz/dictionaries/$target.dict"
    fi
    echo "fuzz $target: $seconds s"
    cargo +nightly fuzz run "$target" "fuzz/corpus/$target" -- "$@"
done

#!/bin/sh
# `make dist`: the library and the program for x86-64 Linux with glibc 2.17 or newer, built by
# cargo-zigbuild with PyPI's ziglang, checked by reading the ELF files, with checksums.
set -eu
cd "$(dirname "$0")/.."
glibc=2.17
triple=x86_64-unknown-linux-gnu
# Eight megabytes of it are tables of tree-sitter's grammars.
limit=$((26 * 1024 * 1024))
target=${TARGET:-target}
mkdir -p "$target" dist
target=$(cd "$target" && pwd)

tools=$target/zig-tools
if ! "$tools/bin/cargo-zigbuild" --version >/dev/null 2>&1; then
    echo "installing cargo-zigbuild and ziglang into $tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check cargo-zigbuild ziglang
fi

# cargo-zigbuild finds zig as a module of the python3 on PATH.
PATH=$tools/bin:$PATH
export PATH CARGO_TARGET_DIR="$target/portable"
echo "building for glibc $glibc; about 6 minutes on two cores the first time"
zig="--locked --quiet --release --target $triple.$glibc"
# shellcheck disable=SC2086 # several words
cargo-zigbuild rustc $zig --lib --crate-type cdylib
# shellcheck disable=SC2086
cargo-zigbuild zigbuild $zig --bin autofix
built=$CARGO_TARGET_DIR/$triple/release
cp "$built/libautofix.so" dist/out_autofix.so
cp "$built/autofix" dist/autofix

fault() { echo "dist/$1: $2" >&2; exit 1; }

check() {
    size=$(wc -c <"dist/$1")
    [ "$size" -le "$limit" ] || fault "$1" "$size bytes, more than $limit"
    readelf -h "dist/$1" | grep -q 'X86-64' || fault "$1" "not for x86-64"
    newest=$(readelf -W --version-info "dist/$1" | grep -o 'GLIBC_[0-9][0-9.]*' | sort -uV | tail -n 1)
    highest=$(printf '%s\nGLIBC_%s\n' "$newest" "$glibc" | sort -V | tail -n 1)
    [ "$highest" = "GLIBC_$glibc" ] || fault "$1" "needs $newest"
    needed=$(readelf -d "dist/$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    for library in $needed; do
        case "$library" in
            libc.so.6 | libm.so.6 | libpthread.so.0 | libdl.so.2 | librt.so.1 | libgcc_s.so.1 | ld-linux-x86-64.so.2) ;;
            *) fault "$1" "needs $library" ;;
        esac
    done
    echo "dist/$1: $size bytes, newest symbol version $newest, needs $(echo $needed)"
}

check out_autofix.so
check autofix
others=$(nm -D --defined-only dist/out_autofix.so | awk '{ print $3 }' | grep -v '^FLBPlugin' || true)
[ -z "$others" ] || fault out_autofix.so "exports $(echo $others)"
readelf -d dist/out_autofix.so | grep -q NODELETE || fault out_autofix.so "not linked with nodelete"
(cd dist && sha256sum out_autofix.so autofix >SHA256SUMS && cat SHA256SUMS)

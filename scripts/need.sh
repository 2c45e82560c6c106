#!/bin/sh
# Makes sure that tools are there: `need.sh cc git valgrind`. As root on Debian it installs what
# is missing; elsewhere it names the command that does. Not for Rust crates: cargo does those.
set -u

package_of() {
    case "$1" in
        cc) echo "gcc libc6-dev" ;;
        readelf) echo binutils ;;
        pip) echo "python3-pip python3-venv" ;;
        *) echo "$1" ;;
    esac
}

present() {
    case "$1" in
        fluent-bit) command -v "${FLUENT_BIT:-fluent-bit}" >/dev/null 2>&1 ;;
        supervisor) command -v supervisord >/dev/null 2>&1 ;;
        pip) python3 -m venv --help >/dev/null 2>&1 && python3 -c 'import ensurepip' 2>/dev/null ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing=""
for tool in "$@"; do
    present "$tool" && continue
    if [ "$tool" = cargo ]; then
        echo "cargo is missing: install Rust 1.91 or newer (https://rustup.rs), then run make again" >&2
        exit 1
    fi
    if [ "$tool" = fluent-bit ]; then
        echo "fluent-bit is missing: install it (https://docs.fluentbit.io, or FLUENT_BIT=PATH), then run make again" >&2
        exit 1
    fi
    missing="$missing $(package_of "$tool")"
done
[ -z "$missing" ] && exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing"
    # An old package list is the usual reason for a first failure.
    DEBIAN_FRONTEND=noninteractive $install >/dev/null 2>&1 && exit 0
    apt-get update >/dev/null && DEBIAN_FRONTEND=noninteractive $install >/dev/null && exit 0
fi
echo "missing:$missing. On Debian or Ubuntu: sudo $install" >&2
exit 1

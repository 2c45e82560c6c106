#!/usr/bin/env bash
# `cargo test`, with what tests print left out but for the lines that say that one was skipped:
# cargo alone hides those together with the rest.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --locked "$@" -- --show-output | awk '
    /^successes:$/ { quiet = 1 }
    /^failures:$/ || /^test result:/ { quiet = 0 }
    !quiet || /^SKIPPED / { print; fflush() }
'

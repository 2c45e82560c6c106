#!/bin/sh
# Installs Prism and GitHub's own description of its API, which tests/forge.rs then holds every
# request against. Beside what cargo builds; nothing outside it is touched.
set -eu
cd "$(dirname "$0")/.."
into="${CARGO_TARGET_DIR:-target}/prism-tools"
mkdir -p "$into"
cd "$into"
[ -f package.json ] || printf '{"private": true}\n' > package.json
npm install --no-audit --no-fund --save-exact @stoplight/prism-cli@5 @octokit/openapi@19
echo "$PWD"

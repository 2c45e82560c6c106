#!/bin/sh
# How output.log was made: the deployed tree in /app, built by Go 1.19, run twice over the same
# addresses as a container runtime does after a crash. usage: record.sh REPOSITORY OUTPUT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rm -rf /app && mkdir -p /app
git -C "$1" archive HEAD | tar -x -C /app
(cd /app && go build -buildvcs=false -o press-bin .)
for attempt in 1 2; do
    (cd /app && ./press-bin <"$here/addresses.jsonl" 2>&1) || sleep 3
done >"$2"
rm -rf /app

#!/bin/sh
# How output.log was made: the deployed tree in /app, run by Python 3.11, started again three
# times after it died, as a container runtime does. usage: record.sh REPOSITORY OUTPUT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rm -rf /app && mkdir -p /app
git -C "$1" archive HEAD | tar -x -C /app
cp "$here/queue.jsonl" /app/queue.jsonl
for attempt in 1 2 3 4; do
    (cd /app && /usr/bin/python3 -u worker.py queue.jsonl 2>&1) || sleep 3
done >"$2"
rm -rf /app

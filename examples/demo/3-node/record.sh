#!/bin/sh
# How output.log was made: the deployed tree in /app, run by Node.js 20 and asked for the paths
# of requests.txt, one every 0.4 s. usage: record.sh REPOSITORY OUTPUT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rm -rf /app && mkdir -p /app
git -C "$1" archive HEAD | tar -x -C /app
(cd /app && PORT=18099 exec node src/server.js) >"$2" 2>&1 &
server=$!
trap 'kill $server; rm -rf /app' EXIT
sleep 1
while read -r path; do
    curl -s -o /dev/null "http://127.0.0.1:18099$path"
    sleep 0.4
done <"$here/requests.txt"

#!/bin/sh
# Runs every program here and writes what it printed beside it. `===` lines are written by hand
# afterwards (what each case is), so do not run this over them.
# The server with an expired certificate:
#   openssl req -newkey rsa:2048 -nodes -keyout k.pem -out r.csr -subj /CN=localhost; openssl ca
#   -batch -selfsign -keyfile k.pem -in r.csr -out c.pem -startdate 20200101000000Z -enddate
#   20200201000000Z -extfile ext -policy policy_anything -md sha256 -notext
#   openssl s_server -accept 18443 -key k.pem -cert c.pem -quiet
T=${T:-/tmp/env-corpus}; mkdir -p "$T"; chmod 777 "$T"; cp -r python node java c rust "$T"; chmod -R a+rX "$T"
gcc -o "$T/c/cases" c/cases.c; rustc --edition 2021 -o "$T/rust/cases" rust/cases.rs
nobody="setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=$T"
run() { language=$1 command=$2; shift 2; for one in "$@"; do echo "=== TODO $language $one"; (cd "$T/$language" && timeout 20 $nobody $command "$one" 2>&1); done > "$language/output.txt"; }
run python "${PYTHON:-python3} cases.py" refused url_refused unresolved http_unresolved timeout reset full denied in_use files certificate untrusted own_lock own_permission own_key handler
run node "node cases.js" refused unresolved fetch_refused full denied in_use certificate hang_up own type
run java "java -XX:+UseSerialGC Cases.java" refused unresolved timeout client full denied denied_io in_use certificate wrapped own
run c "./cases" refused unresolved full denied files in_use
run rust "./cases" refused unresolved full denied in_use missing

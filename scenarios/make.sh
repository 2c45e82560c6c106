#!/bin/bash
# Makes the logs of the scenarios anew: runs the programs of programs/ and real servers, all of them
# on loopback, and records what they print. `./make.sh NAME...`, or without names every scenario.
# Needs python3 (gunicorn for one), node, go, a JDK, gcc, openssl, psql and postgres, nginx,
# redis-server, haproxy, supervisord and fluent-bit; as root for two (a small disk, another user).
# Debian: apt-get install nginx redis-server haproxy supervisor golang-go default-jdk-headless
set -u
cd "$(dirname "$0")" || exit 1
P=$PWD/programs
W=$(mktemp -d)
chmod 755 "$W"
trap 'rm -rf "$W"' EXIT
START=2026-03-01T10:00:00Z

# record NAME FACTOR [record.py's options] -- command...
record() {
    local name=$1 factor=$2
    shift 2
    python3 "$P/record.py" --out "$PWD/$name/app.log" --start $START --factor "$factor" "$@"
}
# Sends a text to a port of loopback and waits for what comes back.
knock() { printf '%b' "$2" | timeout 1 bash -c "exec 3<>/dev/tcp/127.0.0.1/$1; cat >&3; head -c 200 <&3" 2>&1; }

# --- the sample shop, well and broken ---
shop() { local name=$1; shift; record "$name" 60 -- python3 -u "$P/shop.py" "$@"; }
checkout_keyerror() { shop checkout_keyerror --name checkout --seconds 30 --rate 6 --fault keyerror@15 --fault dns@22; }
declined_payments() { shop declined_payments --name payments --seconds 40 --rate 30 --json --quiet-access --fault declined@20 --fault keyerror@30; }
orders_latency() { shop orders_latency --name orders --seconds 40 --rate 10 --json --fault slow@10; }
dns_failure() { shop dns_failure --name reserve --seconds 26 --rate 5 --fault dns@10 --fault keyerror@18; }
stock_timeouts() { shop stock_timeouts --name checkout --seconds 30 --rate 6 --json --fault timeout@10 --fault keyerror@18; }
cart_log_storm() { shop cart_log_storm --name cart --seconds 30 --rate 9 --fault storm@14 --fault keyerror@19; }
login_validation() { shop login_validation --name accounts --seconds 36 --rate 14 --fault validation@0 --fault keyerror@20 --fault schema@28; }
retry_recovers() { shop retry_recovers --name tax-client --seconds 36 --rate 10 --fault retry@0 --fault keyerror@18 --fault schema@27; }
canceled_requests() { shop canceled_requests --name storefront --seconds 36 --rate 8 --fault cancel@0; }
chaos_debug() { shop chaos_debug --name catalog --seconds 24 --rate 6 --debug --fault chaos@0; }
partner_errors_are_normal() { shop partner_errors_are_normal --name loyalty --seconds 30 --rate 14 --fault partner@0; }
scanner_404() { shop scanner_404 --name storefront --seconds 36 --rate 9 --json --fault scanner@0 --fault schema@18 --fault keyerror@26; }
quiet_day() { record quiet_day 1440 -- python3 -u "$P/shop.py" --name shop --seconds 58 --rate 22; }
quiet_json() { record quiet_json 600 -- python3 -u "$P/shop.py" --name shop --json --seconds 48 --rate 14; }
error_spike() { record error_spike 720 -- python3 -u "$P/shop.py" --name cart --seconds 60 --rate 55 --fault hiccups@0 --fault spike@50; }
steady_errors() { record steady_errors 1440 -- python3 -u "$P/shop.py" --name cart --seconds 56 --rate 22 --fault hiccups@0; }
# Two copies of a service in one stream, as a rolling deploy leaves them.
deploy() {
    local name=$1 fault=$2 origin
    origin=$(date +%s.%N)
    record "$name" 60 --origin "$origin" -- python3 -u "$P/shop.py" --name orders --json --commit 3f9a1c2d7b --seconds 18 --rate 6 &
    sleep 15
    record "$name" 60 --origin "$origin" -- python3 -u "$P/shop.py" --name orders --json --commit 8be04417aa --seed 2 --seconds 19 --rate 6 --fault "$fault"
    wait
}
deploy_bad() { deploy deploy_bad schema@0; }
deploy_good() { deploy deploy_good none@0; }

# --- other programs ---
go_panic() { go build -o "$W/refund" "$P/refund.go"; record go_panic 60 -- "$W/refund"; }
redis_refused() {
    go build -o "$W/session" "$P/session.go"
    redis-server --port 39461 --bind 127.0.0.1 --save '' --dir "$W" >/dev/null & local pid=$!
    (sleep 12; kill $pid) &
    record redis_refused 60 -- "$W/session" 127.0.0.1:39461
    wait
}
segfault() { gcc -O0 -o "$W/resize" "$P/resize.c"; record segfault 60 -- bash "$P/thumbs.sh" "$W/resize"; }
unhandled_rejection() { record unhandled_rejection 60 -- node "$P/mailer.js"; }
cert_expired() {
    faketime '2025-11-01' openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj /CN=id.example.org \
        -addext subjectAltName=DNS:id.example.org -keyout "$W/key.pem" -out "$W/cert.pem" 2>/dev/null
    record cert_expired 60 -- node "$P/tokens.js" "$W"
}
node_heap() { record node_heap 60 -- node --max-old-space-size=48 "$P/leak.js"; }
port_in_use() {
    python3 "$P/site.py" 39462 2>/dev/null & local pid=$!
    sleep 1
    for _ in 1 2 3; do record port_in_use 60 --origin "${ORIGIN:=$(date +%s.%N)}" -- node "$P/port.js" 39462; sleep 1; done
    kill $pid; wait
}
java_interleaved() {
    javac -d "$W" "$P/Pricing.java"
    local origin; origin=$(date +%s.%N)
    record java_interleaved 60 --origin "$origin" --form firelens --container pricing -- java -Xlog:disable -cp "$W" Pricing &
    record java_interleaved 60 --origin "$origin" --form firelens --container storefront -- python3 -u "$P/shop.py" --name storefront --seconds 19 --rate 5 --fault keyerror@9 &
    wait
}
java_oom() { javac -d "$W" "$P/Pricing.java"; record java_oom 60 --form cri -- java -Xmx24m -cp "$W" Pricing oom; }
disk_full() { mkdir "$W/out"; mount -t tmpfs -o size=1m none "$W/out"; record disk_full 60 -- python3 -u "$P/reports.py" "$W/out" 48 40; umount "$W/out"; }
permission_denied() {
    mkdir -m 755 "$W/nightly"
    record permission_denied 60 -- setpriv --reuid 65534 --regid 65534 --clear-groups python3 -u "$P/reports.py" "$W/nightly" 8 30
}
pool_import() { record pool_import 60 -- python3 -u "$P/pool.py"; }
fanout_timeouts() { record fanout_timeouts 60 -- python3 -u "$P/fanout.py" 10 26; }
prompt_injection() { record prompt_injection 60 -- python3 -u "$P/support.py"; }
missing_variable() {
    cat >"$W/supervisord.conf" <<S
[supervisord]
nodaemon=true
user=root
pidfile=$W/supervisord.pid
logfile=/dev/null
logfile_maxbytes=0
[program:ingest]
command=python3 $P/ingest.py
startsecs=1
startretries=3
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
stderr_logfile=/dev/fd/2
stderr_logfile_maxbytes=0
S
    record missing_variable 60 --form docker --seconds 12 -- env -u DATABASE_URL supervisord -c "$W/supervisord.conf"
}
gunicorn_killed() {
    printf 'import os, time\nkept = []\ndef app(environ, start):\n    if environ["PATH_INFO"] == "/export": kept.append(bytearray(os.urandom(1 << 20)) * 24)\n    start("200 OK", [("Content-Length", "3")])\n    return [b"ok\\n"]\n' >"$W/export.py"
    # Plays the part of a memory limit: kills a worker of more than 160 MB, as the kernel would.
    (for _ in $(seq 140); do sleep 0.2; for p in $(pgrep -f "export:app --pid $W/g"); do
        kb=$(awk '/VmRSS/ {print $2}' "/proc/$p/status" 2>/dev/null); [ "${kb:-0}" -gt 160000 ] && kill -9 "$p"; done; done) &
    (sleep 3; for at in $(seq 22); do for path in / /a /b; do knock 39463 "GET $path HTTP/1.0\r\n\r\n" >/dev/null; done; [ "$at" -gt 6 ] && knock 39463 "GET /export HTTP/1.0\r\n\r\n" >/dev/null; sleep 0.6; done) &
    (cd "$W" && exec python3 "$P/record.py" --out "$OLDPWD/gunicorn_killed/app.log" --start $START --factor 60 --seconds 26 -- gunicorn -b 127.0.0.1:39463 -w 1 --access-logfile - export:app --pid "$W/g")
    wait
}

quota_exceeded() { record quota_exceeded 60 -- node "$P/geocode.js"; }
deadlock() {
    local origin; origin=$(date +%s.%N)
    record deadlock 60 --origin "$origin" --form firelens --container booking -- python3 -u "$P/booking.py" serve 39475 14 36 &
    record deadlock 60 --origin "$origin" --form firelens --container prober -- python3 -u "$P/booking.py" probe 39475 32 &
    wait
}
clean_restarts() {
    cat >"$W/batch.conf" <<S
[supervisord]
nodaemon=true
user=root
pidfile=$W/batch.pid
logfile=/dev/null
logfile_maxbytes=0
[program:batch]
command=python3 $P/batch.py
autorestart=true
startsecs=1
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
redirect_stderr=true
S
    record clean_restarts 60 --form docker --seconds 40 -- supervisord -c "$W/batch.conf"
}

# --- real servers ---
nginx_typo() {
    nginx_conf 39476 39477
    sed -i 's/proxy_pass http/proxy_passs http/' "$W/nginx.conf"
    for _ in 1 2 3 4; do
        record nginx_typo 60 --origin "${ORIGIN:=$(date +%s.%N)}" -- nginx -c "$W/nginx.conf"
        sleep 1
    done
}
nginx_conf() {
    cat >"$W/nginx.conf" <<S
daemon off;
pid $W/nginx.pid;
worker_processes 1;
user root;
error_log /dev/stderr warn;
events {}
http { access_log /dev/stdout combined; client_body_temp_path $W/b; proxy_temp_path $W/p; fastcgi_temp_path $W/f; uwsgi_temp_path $W/u; scgi_temp_path $W/s;
  upstream site { server 127.0.0.1:$1 max_fails=0; }
  server { listen 127.0.0.1:$2; location / { proxy_pass http://site; } } }
S
}
nginx_quiet() {
    nginx_conf 39464 39465
    python3 "$P/site.py" 39464 2>/dev/null & local pid=$!
    (sleep 1; python3 "$P/load.py" http://127.0.0.1:39465 40 14 0.04) &
    record nginx_quiet 300 --seconds 43 -- nginx -c "$W/nginx.conf" 
    kill $pid; wait
}
nginx_upstream_dead() {
    nginx_conf 39466 39467
    python3 "$P/site.py" 39466 2>/dev/null & local pid=$!
    (sleep 1; python3 "$P/load.py" http://127.0.0.1:39467 30 8) &
    (sleep 16; kill $pid) &
    record nginx_upstream_dead 60 --seconds 32 -- nginx -c "$W/nginx.conf"
    wait
}
redis_quiet() {
    (sleep 2; for at in $(seq 12); do knock 39468 "SET a$at b\r\nSAVE\r\n" >/dev/null; sleep 1; done) &
    for _ in 1 2; do
        record redis_quiet 300 --origin "${ORIGIN:=$(date +%s.%N)}" --seconds 12 -- redis-server --port 39468 --bind 127.0.0.1 --dir "$W" --save '1 1'
    done
    wait
}
haproxy_down() {
    cat >"$W/haproxy.cfg" <<S
global
  log stdout format raw local0
defaults
  log global
  mode http
  option httplog
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend shop
  bind 127.0.0.1:39471
  default_backend web
backend web
  server web1 127.0.0.1:39469 check inter 500
  server web2 127.0.0.1:39470 check inter 500
S
    python3 "$P/site.py" 39469 2>/dev/null & local one=$!
    python3 "$P/site.py" 39470 2>/dev/null & local two=$!
    sleep 3
    (sleep 8; kill $one; sleep 4; kill $two) &
    (sleep 1; python3 "$P/load.py" http://127.0.0.1:39471 18 5) &
    record haproxy_down 60 --form docker --seconds 20 -- haproxy -db -f "$W/haproxy.cfg"
    wait
}
postgres_clients() {
    mkdir "$W/pg"; chown postgres "$W/pg"; chmod 755 "$W"
    su postgres -c "initdb -D $W/pg/data -A trust >/dev/null"
    (sleep 4; for _ in 1 2 3; do psql -h 127.0.0.1 -p 39472 -U postgres -c 'select 1' postgres; psql -h 127.0.0.1 -p 39472 -U postgres -c 'select nope' postgres; sleep 2; done
     for _ in $(seq 14); do psql -h 127.0.0.1 -p 39472 -U postgres -c 'select pg_sleep(7)' postgres & sleep 0.4; done; wait) >/dev/null 2>&1 &
    record postgres_clients 60 --seconds 26 -- su postgres -c "exec postgres -D $W/pg/data -p 39472 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$W/pg -c max_connections=8 -c superuser_reserved_connections=1 -c log_connections=on -c log_timezone=UTC"
    wait
}
backup_cron() {
    mkdir "$W/cron"; chown postgres "$W/cron"
    su postgres -c "initdb -D $W/cron/data -A trust >/dev/null"
    su postgres -c "exec postgres -D $W/cron/data -p 39473 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$W/cron" >/dev/null 2>&1 &
    sleep 4
    record backup_cron 1200 -- bash "$P/nightly.sh" 39473 "$(head -1 "$W/cron/data/postmaster.pid")"
    wait
}
fluentbit_refused() {
    record fluentbit_refused 60 --seconds 25 -- fluent-bit -f 1 -i dummy -p rate=1 -o http -p host=127.0.0.1 -p port=39474 -p retry_limit=2
}

ALL=$(declare -F | awk '{print $3}' | while read -r f; do [ -f "$f/scenario.toml" ] && echo "$f"; done)
for name in ${*:-$ALL}; do
    ORIGIN=
    rm -f "$name/app.log"
    mkdir -p "$name"
    "$name"
    # Nothing in a log may tell where it was made.
    sed -i "s#$W#/srv/data#g; s#$P#/srv/app#g; s#/root/\.pyenv/versions/[0-9.]*/#/usr/#g" "$name/app.log"
    echo "$name: $(wc -l <"$name/app.log") lines, $(wc -c <"$name/app.log") bytes"
done

"""Makes a log up, times Drain3 on a log, and prints the table; called by templates.sh."""

import json
import random
import sys
import time

USERS = ["root", "admin", "guest", "oracle", "backup", "deploy"]
HOSTS = ["web", "db", "cache", "queue"]


def line(r):
    """One message of a shop: a few dozen events, values of every kind."""
    ip = ".".join(str(r.randint(1, 254)) for _ in range(4))
    host = f"{r.choice(HOSTS)}-{r.randint(1, 40)}.shop.internal:{r.randint(1024, 65000)}"
    ids = f"{r.getrandbits(32):08x}-{r.getrandbits(16):04x}-4{r.getrandbits(12):03x}"
    number = r.randint(0, 99999)
    return r.choice([
        f"session opened for user {r.choice(USERS)} by (uid={number})",
        f"Failed password for {r.choice(USERS)} from {ip} port {number} ssh2",
        f'{ip} "GET /v2/{ids}/items?page={number} HTTP/1.1" status: 200 len: {number} time: 0.{number}',
        f"[order {ids}] charged {number}.{number % 100} EUR in {number % 900} ms",
        f"connection to {host} lost: Connection reset by peer",
        f"connection to {host} established after {number % 9} attempts",
        f"Received block blk_{number}{number} of size {number} from /{ip}",
        f"wrote snapshot /var/lib/shop/{ids}.db ({number % 512}.5 MB) in 0x{number:08x}",
        f"worker {number % 64} started",
        f"worker {number % 64} stopped: {r.choice(['idle', 'timeout', 'signal'])}",
        f"cache hit={number} miss={number % 77} ratio={number % 100}% host={host}",
        f"Expiring session 0x{number:x}, timeout of {number % 9}000ms exceeded",
    ])


def make(path, lines):
    r = random.Random(1)
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(line(r) + "\n" for _ in range(lines))


def drain3(path):
    from drain3 import TemplateMiner

    with open(path, encoding="utf-8", errors="replace") as log:
        lines = log.read().splitlines()
    miner = TemplateMiner()
    begun = time.perf_counter()
    for text in lines:
        miner.add_log_message(text)
    took = time.perf_counter() - begun
    print(json.dumps({"lines": len(lines), "seconds": took, "templates": len(miner.drain.clusters)}))


def table(ours, theirs):
    ours, theirs = json.loads(ours), json.loads(theirs)
    speed = [one["lines"] / one["seconds"] for one in (ours, theirs)]
    print("| miner | lines | lines/s | templates |")
    print("|---|---|---|---|")
    for name, one, rate in zip(("autofix", "Drain3"), (ours, theirs), speed):
        print(f"| {name} | {one['lines']:,} | {rate:,.0f} | {one['templates']} |")
    print(f"\nautofix reads {speed[0] / speed[1]:.0f} x Drain3's lines a second (aim: 20 x)")


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "make":
        make(rest[0], int(rest[1]))
    elif what == "drain3":
        drain3(rest[0])
    else:
        table(*rest)

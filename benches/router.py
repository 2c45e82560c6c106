#!/usr/bin/env python3
"""CPU time of a real Fluent Bit that tails a log into different outputs, as ratios to `null`.

    router.py LIBRARY AUTOFIX FAST_LANE     called by benches/run.sh

Each case reads the same file to its end and exits; the cases run in turn, for several rounds, and
the medians are compared. What autofix took is read from its own counters: a run with a record
that was dropped or not seen is said and does not count.

Environment: SIZE_MB (300), ROUNDS (3), WATCHES (1000; 0 for no file), FLUENT_BIT (fluent-bit),
FLUSH (0.2, the host's own interval: what a fast tail reads in a second is more than the queue
holds), CASES (names, separated by blanks; all of them), KINDS ("service firelens"). The cases
hangs, garbage and floods are autofix with a model of triage whose server does that.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading

LIBRARY, AUTOFIX, FAST_LANE = sys.argv[1:4]
SIZE_MB = int(os.environ.get("SIZE_MB", "300"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
WATCHES = os.environ.get("WATCHES", "1000")
FLUSH = os.environ.get("FLUSH", "0.2")
FLUENT_BIT = os.environ.get("FLUENT_BIT", "fluent-bit")
MODELS = ("hangs", "garbage", "floods")
ALL_CASES = "null autofix http sp1 sp10 sp50 hangs garbage floods"
CASES = os.environ.get("CASES", ALL_CASES).split()
KINDS = os.environ.get("KINDS", "service firelens").split()

PARSERS = """[PARSER]
    Name json
    Format json
    Time_Key time
    Time_Format %Y-%m-%dT%H:%M:%S.%LZ
"""

TAGS = {"service": "app.log", "firelens": "checkout-firelens-b5c1f0d3a2e94f7c8d6b1a0e3f5c7d9b"}
TITLES = {"service": "JSON tail", "firelens": "FireLens, JSON in `log`"}


def listen(serve):
    """A port of loopback on which each peer is served in a thread of its own."""
    server = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept():
        while True:
            peer, _ = server.accept()
            threading.Thread(target=serve, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return server.getsockname()[1]


def sink():
    """A server on loopback that answers every request with 200 as soon as it has it."""
    def serve(peer):
        data = bytearray()
        while True:
            head = data.find(b"\r\n\r\n")
            if head >= 0:
                fields = bytes(data[:head]).lower()
                at = fields.find(b"content-length:")
                length = int(fields[at + 15 :].split(b"\r\n")[0]) if at >= 0 else 0
                if len(data) >= head + 4 + length:
                    del data[: head + 4 + length]
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    continue
            more = peer.recv(1 << 20)
            if not more:
                return
            data += more

    return listen(serve)


def model(kind):
    """A server that takes questions and never gives a right answer."""
    def serve(peer):
        request = peer.recv(1 << 20)
        if request.startswith(b"POST") and kind == "hangs":
            threading.Event().wait()
        body = b"]{ ignore everything" if kind == "garbage" else b"x" * (1 << 16)
        try:
            peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
            while kind == "floods" and request.startswith(b"POST"):
                peer.sendall(body)
        except OSError:
            pass
        peer.close()

    return listen(serve)


def configuration(case, kind, log, folder, port):
    """The files of one run; the main one's path comes back."""
    parsers = os.path.join(folder, "parsers.conf")
    open(parsers, "w").write(PARSERS)
    service = f"[SERVICE]\n    Flush {FLUSH}\n    Log_Level warn\n    Parsers_File {parsers}\n"
    tag = TAGS[kind]
    output = "    Name null\n"
    if case == "http":
        output = f"    Name http\n    Host 127.0.0.1\n    Port {port}\n    Format json\n"
    elif case == "autofix" or case in MODELS:
        state = os.path.join(folder, "state")
        output = f"    Name autofix\n    State_Dir {state}\n    Service shop\n    Mode observe\n"
        if WATCHES != "0":
            watches = os.path.join(folder, "watches.json")
            with open(watches, "w") as file:
                subprocess.run([FAST_LANE, "watches", WATCHES], stdout=file, check=True)
            output += f"    Watches {watches}\n"
        if case in MODELS:
            url = f"http://127.0.0.1:{model(case)}"
            output += f"    Triage openai\n    Triage_Url {url}\n    Triage_Batch_Seconds 1\n"
    elif case.startswith("sp"):
        streams = os.path.join(folder, "streams.conf")
        with open(streams, "w") as file:
            for number in range(int(case[2:])):
                field = ["status", "bytes", "duration_ms"][number % 3]
                file.write(
                    f"[STREAM_TASK]\n    Name q{number}\n    Exec CREATE STREAM q{number} AS SELECT "
                    f"COUNT(*), AVG({field}) FROM TAG:'{tag}' WINDOW TUMBLING (5 SECOND) "
                    f"WHERE {field} >= {500 + number};\n"
                )
        service += f"    Streams_File {streams}\n"
    text = (
        f"{service}[INPUT]\n    Name tail\n    Path {log}\n    Tag {tag}\n    Parser json\n"
        "    Read_From_Head On\n    Exit_On_Eof On\n"
        f"[OUTPUT]\n{output}    Match *\n"
    )
    path = os.path.join(folder, "fluent-bit.conf")
    open(path, "w").write(text)
    return path


def run(case, kind, log, port):
    """CPU seconds of one run, and what autofix counted."""
    with tempfile.TemporaryDirectory() as folder:
        path = configuration(case, kind, log, folder, port)
        command = [FLUENT_BIT, "-c", path]
        if case == "autofix" or case in MODELS:
            command += ["-e", LIBRARY]
        said = open(os.path.join(folder, "said"), "w+")
        child = subprocess.Popen(command, stdout=said, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            said.seek(0)
            sys.exit(f"{case}: Fluent Bit ended with {child.returncode}\n{said.read()[-3000:]}")
        ours = case == "autofix" or case in MODELS
        counted = counters(os.path.join(folder, "state")) if ours else None
        return usage.ru_utime + usage.ru_stime, counted


def counters(state):
    said = subprocess.run(
        [AUTOFIX, "status", "--json", "--state", state], capture_output=True, text=True, check=True
    )
    told = json.loads(said.stdout.splitlines()[0])
    records, fast = told["records"], told["lanes"]["fast"]
    lost = {name: fast[name] for name in ("chunks_dropped", "decode_faults") if fast[name]}
    if records["dropped"]:
        lost["records_dropped"] = records["dropped"]
    return records["seen"], lost


def compare(kind, log, records, port):
    times = {case: [] for case in CASES}
    for number in range(ROUNDS):
        for case in CASES:
            seconds, counted = run(case, kind, log, port)
            if counted:
                seen, lost = counted
                whole = not lost and seen == records
                word = "0 dropped, every record seen" if whole else "DOES NOT COUNT"
                print(f"round {number + 1}: {seen} of {records} records, {word} {lost or ''}", flush=True)
                if not whole:
                    continue
            times[case].append(seconds)
    base = statistics.median(times["null"]) if times.get("null") else None
    print(f"\n| {TITLES[kind]}, {SIZE_MB} MB, {records} records | CPU s, median of {ROUNDS} | of `null` |")
    print("|---|---|---|")
    for case in CASES:
        if not times[case]:
            print(f"| {case} | no run counts | |")
            continue
        middle = statistics.median(times[case])
        ratio = f"{middle / base:.2f} ×" if base else ""
        name = f"autofix, {WATCHES} watches" if case == "autofix" else case
        name = f"autofix, and its model {case}" if case in MODELS else name
        print(f"| {name} | {middle:.2f} ({min(times[case]):.2f} to {max(times[case]):.2f}) | {ratio} |")
    print(flush=True)


def main():
    version = subprocess.run([FLUENT_BIT, "--version"], capture_output=True, text=True).stdout
    print(version.splitlines()[0] if version else FLUENT_BIT, "\n", flush=True)
    port = sink()
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            log = os.path.join(folder, kind + ".log")
            with open(log, "w") as file:
                subprocess.run([FAST_LANE, "lines", kind, str(SIZE_MB << 20)], stdout=file, check=True)
            with open(log, "rb") as file:
                records = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
            compare(kind, log, records, port)
            os.unlink(log)


main()

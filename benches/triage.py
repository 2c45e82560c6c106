#!/usr/bin/env python3
"""What a model of triage is shown of a large log, with a played model that ignores everything.

    triage.py AUTOFIX [FILE…]       called by benches/run.sh

The files are logs of many systems, repeated in turn up to LINES lines (1,000,000) with other digits
each time; without files those of tests/corpus/plain. Each is replayed as a service of its own. What
the model was shown, its own rules counted with every request, comes from autofix's counters.
"""

import http.server
import json
import os
import random
import subprocess
import sys
import tempfile
import threading

AUTOFIX, FILES = os.path.abspath(sys.argv[1]), sys.argv[2:]
LINES = int(os.environ.get("LINES", "1000000"))


class Ignores(http.server.BaseHTTPRequestHandler):
    """Answers every batch with ignore."""

    def do_GET(self):
        self.say({})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        message = {"content": '{"action":"ignore"}'}
        self.say({"choices": [{"message": message, "finish_reason": "stop"}]})

    def say(self, answer):
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def other_digits(line, random_digits):
    """The line with digits of the same number in the place of its own."""
    return "".join(random_digits() if c.isdigit() else c for c in line)


def write(path, lines, wanted):
    digits = random.Random(1)
    choose = lambda: digits.choice("0123456789")
    size = 0
    with open(path, "w") as file:
        for number in range(wanted):
            line = lines[number % len(lines)]
            if number >= len(lines):
                line = other_digits(line, choose)
            size += file.write(line + "\n")
    return size


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ignores)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    plain = "tests/corpus/plain"
    files = FILES or sorted(os.path.join(plain, name) for name in os.listdir(plain))
    systems = []
    for path in files:
        lines = [line for line in open(path, errors="replace").read().split("\n") if line]
        if lines:
            systems.append((os.path.basename(path), lines))
    with tempfile.TemporaryDirectory() as folder:
        size, paths = 0, []
        for name, lines in systems:
            paths.append(os.path.join(folder, name))
            size += write(paths[-1], lines, LINES // len(systems))
        state = os.path.join(folder, "state")
        url = f"http://127.0.0.1:{server.server_address[1]}"
        command = [AUTOFIX, "replay", "--state", state, "--format", "text", "--set", "Triage=openai"]
        command += ["--set", f"Triage_Url={url}", "--set", "Mode=observe", *paths]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        if done.returncode != 0:
            sys.exit(f"replay ended with {done.returncode}\n{done.stderr[-2000:]}")
        status = [AUTOFIX, "status", "--json", "--state", state]
        told = json.loads(subprocess.run(status, capture_output=True, text=True, check=True).stdout)
    reader, seen = told["lanes"]["reader"], told["records"]["seen"]
    shown = reader["triage_characters"]
    print("| systems | lines | characters | requests | kinds of lines read | characters shown | of all |")
    print("|---|---|---|---|---|---|---|")
    print(f"| {len(systems)} | {seen} | {size} | {reader['triage_requests']} | {reader['entries_read']} "
          f"| {shown} | {100 * shown / size:.2f} % |")


main()

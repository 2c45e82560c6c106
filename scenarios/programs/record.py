"""Runs a program and writes what it prints as a log, with the time of each line stretched.

A line that arrives S seconds after the origin is given the time START + S * FACTOR; the first
time stamp that the program printed in the line is replaced by it, in the program's own form. A
line without a stamp stays as it is. So an hour of log need not take an hour; nothing else of a
line is touched. With --form docker, cri or firelens the line is wrapped as that runtime would.

Several programs in one log: start a recorder for each with the same --origin and --out.
"""
import argparse, datetime, json, os, re, subprocess, sys, threading, time

UTC = datetime.timezone.utc
MON = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
FORMS = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.") + ms(t) + "Z"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ")),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+[+-]\d\d:\d\d", lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", lambda t: t.strftime("%Y-%m-%d %H:%M:%S,") + ms(t)),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", lambda t: t.strftime("%Y-%m-%d %H:%M:%S.") + ms(t)),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", lambda t: t.strftime("%Y-%m-%d %H:%M:%S")),
    (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6}", lambda t: t.strftime("%Y/%m/%d %H:%M:%S.%f")),
    (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", lambda t: t.strftime("%Y/%m/%d %H:%M:%S")),
    (rf"\d\d/(?:{MON})/\d{{4}}:\d\d:\d\d:\d\d \+0000", lambda t: t.strftime("%d/%b/%Y:%H:%M:%S +0000")),
    (rf"\d\d/(?:{MON})/\d{{4}}:\d\d:\d\d:\d\d\.\d{{3}}", lambda t: t.strftime("%d/%b/%Y:%H:%M:%S.") + ms(t)),
    (rf"\d\d (?:{MON}) \d{{4}} \d\d:\d\d:\d\d\.\d{{3}}", lambda t: t.strftime("%d %b %Y %H:%M:%S.") + ms(t)),
    (rf"(?:{MON}) [ \d]\d \d\d:\d\d:\d\d", lambda t: t.strftime("%b %e %H:%M:%S")),
]
ANY = re.compile("|".join(f"({form})" for form, _ in FORMS))


def ms(t):
    return f"{t.microsecond // 1000:03d}"


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--out", required=True)
    ask.add_argument("--start", required=True)
    ask.add_argument("--factor", type=float, default=1)
    ask.add_argument("--origin", type=float, default=None)
    ask.add_argument("--form", choices=["plain", "docker", "cri", "firelens"], default="plain")
    ask.add_argument("--container", default="app")
    ask.add_argument("--seconds", type=float, help="end the program then, with SIGTERM")
    ask.add_argument("command", nargs=argparse.REMAINDER)
    have = ask.parse_args()
    command = have.command[1:] if have.command[:1] == ["--"] else have.command
    origin = have.origin or time.time()
    start = datetime.datetime.fromisoformat(have.start.replace("Z", "+00:00"))
    out = os.open(have.out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    lock = threading.Lock()

    def write(raw, side):
        line = raw.decode("utf-8", "replace").rstrip("\n")
        with lock:
            at = start + datetime.timedelta(seconds=(time.time() - origin) * have.factor)
            head, rest = line[:160], line[160:]
            head = ANY.sub(lambda m: FORMS[m.lastindex - 1][1](at), head, count=1)
            line = wrap(head + rest, side, at, have)
            os.write(out, (line + "\n").encode())

    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if have.seconds:
        threading.Timer(have.seconds, started.terminate).start()
    read = [threading.Thread(target=lambda p=p, s=s: [write(l, s) for l in p])
            for p, s in [(started.stdout, "stdout"), (started.stderr, "stderr")]]
    for thread in read:
        thread.start()
    for thread in read:
        thread.join()
    started.wait()
    os._exit(0)


def wrap(line, side, at, have):
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
    if have.form == "docker":
        return json.dumps({"log": line + "\n", "stream": side, "time": stamp}, ensure_ascii=False)
    if have.form == "cri":
        return f"{stamp} {side} F {line}"
    if have.form == "firelens":
        about = {"date": stamp, "container_name": have.container, "source": side, "log": line}
        return json.dumps(about, ensure_ascii=False)
    return line


main()

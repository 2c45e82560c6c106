#!/usr/bin/env python3
"""Runs the program of each case and writes what it printed back into the case:
./make.py [NAME ...]. Programs are unpacked into /srv/app, which must not exist."""

import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
APP = pathlib.Path("/srv/app")


def parts(text):
    head, *sections = text.split("\n== ")
    keys = dict(line.split(": ", 1) for line in head.splitlines())
    files = {}
    for section in sections:
        name, _, body = section.partition("\n")
        files[name] = body + "\n"
    return head, keys, files


def run(path):
    head, keys, files = parts(path.read_text().rstrip("\n"))
    files.pop("output", None)
    APP.mkdir(parents=True)
    try:
        for name, body in files.items():
            file = APP / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(body)
        ran = subprocess.run(
            ["sh", "-c", keys["run"]], cwd=APP, text=True, timeout=300,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
    finally:
        shutil.rmtree(APP)
    printed = "".join(line.rstrip() + "\n" for line in ran.stdout.splitlines())
    kept = "".join(f"\n== {name}\n{body.rstrip()}" for name, body in files.items())
    path.write_text(f"{head}{kept}\n== output\n{printed}")
    print(f"{path.name}: status {ran.returncode}, {len(printed.splitlines())} lines")


for case in sorted(HERE.glob("*.case")):
    if len(sys.argv) == 1 or case.stem in sys.argv[1:]:
        run(case)

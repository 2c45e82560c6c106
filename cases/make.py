#!/usr/bin/env python3
"""Makes repo.fi, right.patch, app.log and the commit in service.toml of the named cases, or all.

A case's history.py says each commit with its date, what a right fix changes, and how the program
was run. The program runs for real, at the deployed commit, with its folder mounted at /app as in
its image; that takes root. Commit ids depend on nothing but history.py.
"""

import os, pathlib, re, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
PLAIN = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8",
         "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


class Maker:
    def __init__(self, case, tree):
        self.case, self.tree = case, tree
        self.git("init", "-q", "-b", "main")

    def git(self, *words, **env):
        done = subprocess.run(["git", *words], cwd=self.tree, env=PLAIN | env, check=True,
                              stdout=subprocess.PIPE)
        return done.stdout

    def lay(self, files):
        for name, change in files.items():
            path = self.tree / name
            if change is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(change, str):
                path.write_text(change)
                continue
            pairs = [change] if isinstance(change, tuple) else change
            text = path.read_text()
            for old, new in pairs:
                assert text.count(old) == 1, (self.case.name, name, old, text.count(old))
                text = text.replace(old, new)
            path.write_text(text)

    def commit(self, date, who, message, files):
        self.lay(files)
        self.git("add", "-A")
        when = f"{date}:00 +0000"
        mail = who.split()[0].lower() + "@shop.example"
        who = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER")
               for part, value in (("NAME", who), ("EMAIL", mail), ("DATE", when))}
        self.git("commit", "-qm", message, **who)

    def right(self, files):
        self.lay(files)
        (self.case / "right.patch").write_bytes(self.git("diff"))
        self.git("checkout", "-q", ".")

    def run(self, command, stdin="", build=None):
        service = self.case / "service.toml"
        commit = self.git("rev-parse", "HEAD").decode().strip()
        text = re.sub(r'commit = "[^"]*"', f'commit = "{commit}"', service.read_text())
        service.write_text(text)
        (self.case / "repo.fi").write_bytes(self.git("fast-export", "--all"))
        os.makedirs("/app", exist_ok=True)
        inside = f'mount --bind "$1" /app && mount -t tmpfs tmpfs /tmp && cd /app && {build or "true"} && exec {command}'
        done = subprocess.run(["unshare", "-m", "sh", "-c", inside, "sh", str(self.tree)],
                              env=PLAIN, input=stdin.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        assert done.returncode != 0, f"{self.case.name} did not fail:\n{done.stdout.decode()}"
        assert str(self.tree).encode() not in done.stdout
        (self.case / "app.log").write_bytes(done.stdout)
        os.rmdir("/app")


for case in sorted(HERE.iterdir()):
    if not (case / "history.py").is_file() or (sys.argv[1:] and case.name not in sys.argv[1:]):
        continue
    with tempfile.TemporaryDirectory() as tree:
        maker = Maker(case, pathlib.Path(tree))
        names = {"commit": maker.commit, "right": maker.right, "run": maker.run}
        exec(compile((case / "history.py").read_text(), str(case / "history.py"), "exec"), names)
    print(case.name, len((case / "app.log").read_bytes()), "bytes of log")

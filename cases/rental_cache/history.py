commit("2025-11-03 09:00", "Sara Holm", "Lend tools", {
"README.md": "# rentals\n\nCommands on standard input: `lend TOOL DAYS` and `remind`.\n",
"rentals/__init__.py": "",
"rentals/cache.py": '''import json
import os


class Cache:
    """Loans by tool, kept in a file."""

    def __init__(self, path):
        self.path = path
        self.loans = {}
        if os.path.exists(path):
            with open(path) as file:
                self.loans = json.load(file)

    def put(self, tool, loan):
        self.loans[tool] = loan
        with open(self.path, "w") as file:
            json.dump(self.loans, file, default=str)

    def all(self):
        return self.loans.items()
''',
"rentals/desk.py": '''import datetime


class Desk:
    def __init__(self, cache, today):
        self.cache = cache
        self.today = today

    def lend(self, tool, days):
        due = self.today + datetime.timedelta(days=days)
        self.cache.put(tool, {"since": self.today, "due": due})
        return due
''',
"rentals/reminder.py": '''def overdue(cache, today):
    """Tools that should be back, with the days that they are late."""
    late = []
    for tool, loan in cache.all():
        days = (today - loan["due"]).days
        if days > 0:
            late.append((tool, days))
    return late
''',
"rentals/commands.py": '''from rentals.reminder import overdue


class Commands:
    def __init__(self, desk, log):
        self.desk = desk
        self.log = log

    def run(self, line):
        word, *rest = line.split()
        if word == "lend":
            due = self.desk.lend(rest[0], int(rest[1]))
            self.log.info("lent %s, due %s", rest[0], due)
        elif word == "remind":
            late = overdue(self.desk.cache, self.desk.today)
            self.log.info("%d late", len(late))
        else:
            self.log.warning("unknown command %s", word)
''',
"rentals/__main__.py": '''import datetime
import logging
import sys

from rentals.cache import Cache
from rentals.commands import Commands
from rentals.desk import Desk


def main():
    logging.basicConfig(stream=sys.stdout, level=logging.INFO,
                        format="%(asctime)s %(levelname)s rentals: %(message)s")
    log = logging.getLogger()
    commands = Commands(Desk(Cache("loans.json"), datetime.date.today()), log)
    log.info("desk is open")
    for line in sys.stdin:
        try:
            commands.run(line)
        except Exception:
            log.exception("command failed: %s", line.strip())
            raise


main()
''',
".gitignore": "loans.json\n__pycache__/\n"})
commit("2025-11-20 10:00", "Sara Holm", "Test lending", {
"tests/test_desk.py": '''import datetime
import unittest

from rentals.cache import Cache
from rentals.desk import Desk


class Lending(unittest.TestCase):
    def test_due(self):
        desk = Desk(Cache("/tmp/none.json"), datetime.date(2026, 1, 1))
        self.assertEqual(desk.lend("saw", 2), datetime.date(2026, 1, 3))
'''})
commit("2026-02-11 16:20", "Emil Dahl", "Test with a folder of its own", {
"tests/test_desk.py": [('import datetime\n', 'import datetime\nimport tempfile\n'),
('        desk = Desk(Cache("/tmp/none.json"),', '        desk = Desk(Cache(tempfile.mkdtemp() + "/loans.json"),')]})
commit("2026-05-05 09:15", "Emil Dahl", "Reminders begin a day after", {
"rentals/reminder.py": ('        if days > 0:', '        if days >= 1:')})
commit("2026-11-10 11:00", "Sara Holm", "Count commands that nobody knows", {
"rentals/commands.py": [("        self.log = log\n", "        self.log = log\n        self.unknown = 0\n"),
('            self.log.warning("unknown command %s", word)', '            self.unknown += 1\n            self.log.warning("unknown command %s (%d so far)", word, self.unknown)')]})
commit("2026-11-16 14:00", "Emil Dahl", "Mention the file of loans", {
"README.md": "# rentals\n\nCommands on standard input: `lend TOOL DAYS` and `remind`. Loans are kept in `loans.json`.\n"})
right({"rentals/cache.py": [("import json\n", "import datetime\nimport json\n"),
("                self.loans = json.load(file)\n", '''                self.loans = {
                    tool: {key: datetime.date.fromisoformat(day) for key, day in loan.items()}
                    for tool, loan in json.load(file).items()
                }
''')]})
run("python3 -m rentals", "lend ladder 2\nremind\n", build='printf "lend drill 3\\nremind\\n" | python3 -m rentals')

commit("2026-01-14 10:00", "Tomas Reyes", "Poll feeds by a file of settings", {
"README.md": "# poller\n\nSettings: one `name key=value ...` a line.\n",
"poller/__init__.py": "",
"poller/settings.py": '''import re

UNITS = {"s": 1, "m": 60, "h": 3600}


def duration(text):
    """`90s`, `5m` or `1h` in seconds."""
    match = re.fullmatch(r"(\\d+)([smh])", text)
    if match:
        return int(match.group(1)) * UNITS[match.group(2)]
    return text


def parse(lines):
    for line in lines:
        name, *pairs = line.split()
        values = dict(pair.split("=", 1) for pair in pairs)
        yield name, {
            "url": values["url"],
            "every": duration(values.get("every", "5m")),
            "limit": int(values.get("limit", "100")),
        }
''',
"poller/feed.py": '''from dataclasses import dataclass


@dataclass
class Feed:
    name: str
    url: str
    every: int
    limit: int
    polled: int = 0

    def poll(self):
        self.polled += 1
        return [f"{self.name}-{self.polled}-{n}" for n in range(min(self.limit, 3))]
''',
"poller/schedule.py": '''import heapq
import itertools


class Schedule:
    def __init__(self, now=0):
        self.now = now
        self.queue = []
        self.order = itertools.count()

    def add(self, feed):
        heapq.heappush(self.queue, (self.due(feed), next(self.order), feed))

    def due(self, feed):
        return self.now + feed.every

    def next(self):
        self.now, _, feed = heapq.heappop(self.queue)
        return feed
''',
"poller/store.py": '''class Store:
    def __init__(self):
        self.seen = set()

    def keep(self, items):
        new = [item for item in items if item not in self.seen]
        self.seen.update(new)
        return new
''',
"poller/__main__.py": '''import logging
import sys

from poller import settings
from poller.feed import Feed
from poller.schedule import Schedule
from poller.store import Store

log = logging.getLogger("poller")


def main():
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s")
    schedule, store = Schedule(), Store()
    for name, values in settings.parse(sys.stdin):
        log.info("feed %s every %s", name, values["every"])
        schedule.add(Feed(name, **values))
    for _ in range(6):
        feed = schedule.next()
        log.info("%s: %d new", feed.name, len(store.keep(feed.poll())))
        schedule.add(feed)


main()
'''})
commit("2026-02-03 11:20", "Tomas Reyes", "Test durations with units", {
"tests/test_settings.py": '''import unittest

from poller.settings import duration


class Durations(unittest.TestCase):
    def test_units(self):
        self.assertEqual([duration("90s"), duration("5m"), duration("1h")], [90, 300, 3600])
'''})
commit("2026-03-19 09:00", "Ana Sousa", "Limit how many items a poll takes", {
"poller/feed.py": ("range(min(self.limit, 3))", "range(min(self.limit, 5))")})
commit("2026-06-22 15:45", "Ana Sousa", "Count what the store drops", {
"poller/store.py": [("        self.seen = set()\n", "        self.seen = set()\n        self.dropped = 0\n"),
("        self.seen.update(new)\n", "        self.dropped += len(items) - len(new)\n        self.seen.update(new)\n")]})
commit("2026-11-12 12:10", "Tomas Reyes", "Log how many a poll dropped", {
"poller/__main__.py": ('''log.info("%s: %d new", feed.name, len(store.keep(feed.poll())))''',
'''log.info("%s: %d new, %d dropped so far", feed.name, len(store.keep(feed.poll())), store.dropped)''')})
commit("2026-11-19 08:31", "Ana Sousa", "Explain the settings", {
"README.md": "# poller\n\nSettings: one `name key=value ...` a line; keys are url, every and limit.\n"})
right({"poller/settings.py": ("    return text\n", "    return int(text)\n")})
run("python3 -m poller", '''acme url=https://feeds.example/acme every=5m
nordic url=https://feeds.example/nordic every=90s limit=20
kestrel url=https://feeds.example/kestrel every=120
''')

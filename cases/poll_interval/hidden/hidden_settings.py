import unittest

from poller.feed import Feed
from poller.schedule import Schedule
from poller.settings import parse


class Settings(unittest.TestCase):
    def test_no_unit_means_seconds(self):
        [(name, values)] = parse(["k url=u every=120"])
        self.assertEqual(values["every"], 120)
        schedule = Schedule()
        schedule.add(Feed(name, **values))
        self.assertEqual(schedule.next().name, "k")
        self.assertEqual(schedule.now, 120)

    def test_units_still_hold(self):
        [(_, values)] = parse(["k url=u every=2m"])
        self.assertEqual(values["every"], 120)

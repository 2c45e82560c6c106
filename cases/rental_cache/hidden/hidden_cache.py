import datetime
import tempfile
import unittest

from rentals.cache import Cache
from rentals.desk import Desk
from rentals.reminder import overdue


class AfterARestart(unittest.TestCase):
    def test_loans_are_what_they_were(self):
        path = tempfile.mkdtemp() + "/loans.json"
        day = datetime.date(2026, 1, 1)
        Desk(Cache(path), day).lend("saw", 2)
        later = day + datetime.timedelta(days=5)
        cache = Cache(path)
        self.assertEqual(overdue(cache, later), [("saw", 3)])
        Desk(cache, later).lend("drill", 1)
        self.assertEqual(overdue(Cache(path), later), [("saw", 3)])

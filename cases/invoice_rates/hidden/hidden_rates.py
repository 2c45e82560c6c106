import os
import tempfile
import unittest

from invoicing.invoice import Invoicer
from invoicing.rates import RateTable


class Rates(unittest.TestCase):
    def setUp(self):
        file = tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False)
        file.write("currency,rate\nEUR,1.0\nUSD,0.9\n")
        file.close()
        self.addCleanup(os.unlink, file.name)
        self.rates = RateTable.load(file.name)

    def record(self, currency):
        usage = [{"what": "seats", "quantity": 2, "price": 100.0}]
        return {"customer": "x", "country": "US", "currency": currency, "usage": usage}

    def test_table_first(self):
        self.assertEqual(Invoicer(self.rates).invoice(self.record("USD")).total, 180.0)

    def test_closing_rate_where_the_table_has_none(self):
        self.assertEqual(Invoicer(self.rates).invoice(self.record("SEK")).total, 17.4)

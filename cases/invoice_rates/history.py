commit("2026-08-03 09:12", "Mara Lind", "Invoices from usage records", {
"README.md": "# invoicing\n\nReads usage records (JSON lines) and prints one invoice a line.\n",
"invoicing/__init__.py": "",
"invoicing/__main__.py": '''import logging
import sys

from invoicing.reader import read
from invoicing.invoice import Invoicer
from invoicing.rates import RateTable

log = logging.getLogger("invoicing")


def main():
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s")
    invoicer = Invoicer(RateTable.load("data/rates.csv"))
    log.info("started, home currency EUR")
    for record in read(sys.stdin):
        invoice = invoicer.invoice(record)
        log.info("invoice %s for %s: %.2f EUR", invoice.number, invoice.customer, invoice.total)


if __name__ == "__main__":
    main()
''',
"invoicing/reader.py": '''import json


def read(stream):
    """Usage records, one JSON object a line; empty lines are skipped."""
    for line in stream:
        if line.strip():
            yield json.loads(line)
''',
"invoicing/rates.py": '''import csv

CLOSING = {"EUR": 1.0, "USD": 0.92, "GBP": 1.17, "SEK": 0.087, "CHF": 1.06}


class RateTable:
    def __init__(self, rates):
        self.rates = rates

    @classmethod
    def load(cls, path):
        with open(path, newline="") as file:
            return cls({row["currency"]: float(row["rate"]) for row in csv.DictReader(file)})

    def rate(self, currency):
        if currency in self.rates:
            return self.rates[currency]
        return CLOSING[currency]
''',
"invoicing/lines.py": '''from dataclasses import dataclass


@dataclass
class Line:
    what: str
    quantity: int
    price: float
    currency: str

    def net(self):
        return self.quantity * self.price


def lines_of(record):
    return [Line(u["what"], u["quantity"], u["price"], record["currency"])
            for u in record["usage"]]
''',
"invoicing/invoice.py": '''from dataclasses import dataclass

from invoicing.lines import lines_of
from invoicing.vat import with_vat


@dataclass
class Invoice:
    number: int
    customer: str
    total: float


class Invoicer:
    def __init__(self, rates):
        self.rates = rates
        self.number = 1000

    def invoice(self, record):
        self.number += 1
        net = sum(self.in_euro(line) for line in lines_of(record))
        return Invoice(self.number, record["customer"], with_vat(net, record["country"]))

    def in_euro(self, line):
        return line.net() * self.rates.rate(line.currency)
''',
"invoicing/vat.py": '''RATES = {"DE": 0.19, "SE": 0.25, "FR": 0.20, "CH": 0.0, "US": 0.0}


def with_vat(net, country):
    return round(net * (1 + RATES.get(country, 0.0)), 2)
''',
"data/rates.csv": "currency,rate\nEUR,1.0\nUSD,0.915\nGBP,1.168\n",
})
commit("2026-08-11 14:40", "Mara Lind", "Test VAT by country", {
"tests/test_vat.py": '''import unittest

from invoicing.vat import with_vat


class Vat(unittest.TestCase):
    def test_german(self):
        self.assertEqual(with_vat(100, "DE"), 119.0)

    def test_unknown_country_has_none(self):
        self.assertEqual(with_vat(100, "BR"), 100.0)
'''})
commit("2026-09-02 08:05", "Jonas Weck", "Norwegian VAT", {
"invoicing/vat.py": ('"SE": 0.25, ', '"SE": 0.25, "NO": 0.25, ')})
commit("2026-10-20 16:21", "Jonas Weck", "New rates for the fourth quarter", {
"data/rates.csv": "currency,rate\nEUR,1.0\nUSD,0.921\nGBP,1.171\n"})
commit("2026-11-18 10:02", "Iris Okafor", "Reread the table of rates when it changes\n\nTreasury replaces the file at noon; a restart should not be needed.", {
"invoicing/rates.py": [('import csv\n', 'import csv\nimport os\n'),
('''    def __init__(self, rates):
        self.rates = rates

    @classmethod
    def load(cls, path):
        with open(path, newline="") as file:
            return cls({row["currency"]: float(row["rate"]) for row in csv.DictReader(file)})

    def rate(self, currency):
        if currency in self.rates:
            return self.rates[currency]
        return CLOSING[currency]
''', '''    def __init__(self, path):
        self.path = path
        self.read_at = 0.0
        self.rates = {}

    @classmethod
    def load(cls, path):
        return cls(path)

    def refresh(self):
        changed = os.stat(self.path).st_mtime
        if changed != self.read_at:
            with open(self.path, newline="") as file:
                self.rates = {row["currency"]: float(row["rate"]) for row in csv.DictReader(file)}
            self.read_at = changed

    def rate(self, currency):
        self.refresh()
        return self.rates.get(currency)
''')]})
commit("2026-11-20 13:30", "Mara Lind", "Say the home currency in the README", {
"README.md": "# invoicing\n\nReads usage records (JSON lines) and prints one invoice a line, in euro.\n"})
right({"invoicing/rates.py": ("        return self.rates.get(currency)\n", '''        if currency in self.rates:
            return self.rates[currency]
        return CLOSING[currency]
''')})
run("python3 -m invoicing", '''{"customer": "Bauer GmbH", "country": "DE", "currency": "EUR", "usage": [{"what": "seats", "quantity": 12, "price": 9.0}]}
{"customer": "Hill Ltd", "country": "GB", "currency": "GBP", "usage": [{"what": "seats", "quantity": 3, "price": 8.5}]}
{"customer": "Nordljus AB", "country": "SE", "currency": "SEK", "usage": [{"what": "seats", "quantity": 4, "price": 99.0}, {"what": "storage", "quantity": 20, "price": 2.5}]}
{"customer": "Acme Inc", "country": "US", "currency": "USD", "usage": [{"what": "seats", "quantity": 50, "price": 10.0}]}
''')

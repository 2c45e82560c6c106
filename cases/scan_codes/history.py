commit("2026-07-06 08:00", "Ines Falk", "Book scanned pallets into bays", {
"README.md": "# receiving\n\nA scan is `GATE LABEL`; a label is `SKU-QUANTITY-LOT`, loose goods have no lot.\n",
"receiving/__init__.py": "",
"receiving/label.py": '''from collections import namedtuple

Label = namedtuple("Label", "sku quantity lot")


def parse(text):
    sku, _, rest = text.partition("-")
    quantity, _, lot = rest.partition("-")
    return Label(sku, int(quantity), lot)
''',
"receiving/bays.py": '''class Bays:
    def __init__(self, size=100):
        self.size = size
        self.filled = {}

    def put(self, label):
        for number in range(1, 1000):
            used = self.filled.get(number, 0)
            if used + label.quantity <= self.size:
                self.filled[number] = used + label.quantity
                return number
        raise RuntimeError("no bay is free")
''',
"receiving/gate.py": '''from receiving import label


class Gate:
    def __init__(self, bays):
        self.bays = bays
        self.booked = []

    def scan(self, line):
        gate, text = line.split()
        item = label.parse(text)
        bay = self.bays.put(item)
        self.booked.append((gate, item, bay))
        return item, bay
''',
"receiving/__main__.py": '''import logging
import sys

from receiving.bays import Bays
from receiving.gate import Gate

logging.basicConfig(stream=sys.stdout, level=logging.INFO,
                    format="%(asctime)s %(levelname)s %(message)s")


def main():
    gate = Gate(Bays())
    for line in sys.stdin:
        item, bay = gate.scan(line)
        logging.info("%s x%d -> bay %d", item.sku, item.quantity, bay)


main()
'''})
commit("2026-07-20 09:30", "Ines Falk", "Test the filling of bays", {
"tests/test_bays.py": '''import unittest

from receiving.bays import Bays
from receiving.label import Label


class Filling(unittest.TestCase):
    def test_next_bay(self):
        bays = Bays(10)
        self.assertEqual([bays.put(Label("a", 6, "")) for _ in range(2)], [1, 2])
'''})
commit("2026-08-17 13:00", "Piet Vos", "Bays hold 120 pieces", {"receiving/bays.py": ("size=100", "size=120")})
commit("2026-10-01 10:10", "Piet Vos", "Log the start", {
"receiving/__main__.py": ("    gate = Gate(Bays())\n", '    gate = Gate(Bays())\n    logging.info("gate is open")\n')})
commit("2026-11-17 17:05", "Lea Brandt", "Uppercase article numbers and lots\n\nThe new scanners send lower case.", {
"receiving/label.py": ('''    sku, _, rest = text.partition("-")
    quantity, _, lot = rest.partition("-")
    return Label(sku, int(quantity), lot)
''', '''    parts = text.upper().split("-")
    return Label(parts[0], int(parts[1]), parts[2])
''')})
commit("2026-11-19 09:40", "Ines Falk", "Name the new scanners in the README", {
"README.md": "# receiving\n\nA scan is `GATE LABEL`; a label is `SKU-QUANTITY-LOT`, loose goods have no lot.\nScanners: K3 (old), M1 (new, lower case).\n"})
right({"receiving/label.py": ('    return Label(parts[0], int(parts[1]), parts[2])', '    return Label(parts[0], int(parts[1]), parts[2] if len(parts) > 2 else "")')})
run("python3 -m receiving", "north ab12-40-l77\nnorth ab13-60-l78\nsouth zx90-15\nnorth ab12-40-l79\n")

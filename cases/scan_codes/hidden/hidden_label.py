import unittest

from receiving.bays import Bays
from receiving.gate import Gate


class Labels(unittest.TestCase):
    def test_loose_goods(self):
        item, bay = Gate(Bays()).scan("south ZX90-15")
        self.assertEqual((item.sku, item.quantity, item.lot, bay), ("ZX90", 15, "", 1))

    def test_with_lot(self):
        item, _ = Gate(Bays()).scan("south ZX90-15-L7")
        self.assertEqual(item.lot, "L7")

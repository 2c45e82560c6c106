from decimal import Decimal


class Cart:
    def __init__(self, lines):
        self.lines = lines

    def total(self):
        return sum(self.line_total(line) for line in self.lines)

    def line_total(self, line):
        return line["count"] * Decimal(line["price"])

import sys


def price(item):
    return item["price"] * item["count"]


def total(items):
    return sum(price(item) for item in items)


print("reading basket", flush=True)
sys.stdout.flush()
total([{"price": 3, "count": 2}, {"price": 4}])

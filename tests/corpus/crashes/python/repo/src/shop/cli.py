import json
import sys

from shop.pricing import cart


def main():
    order = json.loads(sys.argv[1])
    print(cart.Cart(order["lines"]).total())


if __name__ == "__main__":
    main()

using System;
using System.Collections.Generic;

namespace Acme.Shop.Carts {
  public class Cart {
    readonly Dictionary<string, int> prices = new Dictionary<string, int>();

    public int Price(string item) {
      try {
        return prices[item];
      } catch (KeyNotFoundException e) {
        throw new InvalidOperationException("no price for " + item, e);
      }
    }
  }
}

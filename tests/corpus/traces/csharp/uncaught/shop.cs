using System;
using System.Collections.Generic;
using System.Threading.Tasks;

namespace Shop {
  class Cart {
    readonly Dictionary<string, int> prices = new Dictionary<string, int>();
    public int Price(string item) {
      try {
        return prices[item];
      } catch (KeyNotFoundException e) {
        throw new InvalidOperationException("no price for " + item, e);
      }
    }
  }

  static class Program {
    static async Task<int> Serve(Cart cart) {
      await Task.Yield();
      return cart.Price("tea");
    }

    static int Main(string[] args) {
      var cart = new Cart();
      Console.WriteLine("shop: starting");
      if (args.Length == 0) return cart.Price("tea");
      switch (args[0]) {
        case "logged":
          try {
            cart.Price("milk");
          } catch (Exception e) {
            Console.Error.WriteLine("2026-01-05 10:00:00.123 ERROR Shop.Program - cannot serve");
            Console.Error.WriteLine(e);
          }
          Console.WriteLine("shop: done");
          return 0;
        case "async":
          return Serve(cart).Result;
        default:
          var lambda = new List<int> { 1, 2 };
          lambda.ForEach(x => { if (x > 1) throw new ArgumentException("too many\nitems in cart", "count"); });
          return 0;
      }
    }
  }
}

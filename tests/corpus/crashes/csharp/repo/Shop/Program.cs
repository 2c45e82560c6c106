using Acme.Shop.Carts;

namespace Acme.Shop {
  static class Program {
    static int Serve(Cart cart) {
      return cart.Price("tea");
    }

    static int Main() {
      return Serve(new Cart());
    }
  }
}

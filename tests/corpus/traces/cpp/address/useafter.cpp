#include <cstdio>
#include <string>

struct Cart {
  int items[4] = {1, 2, 3, 4};
  int total() const { return items[0] + items[3]; }
};

static Cart *make() { return new Cart(); }
static void close(Cart *cart) { delete cart; }

int main() {
  std::puts("shop: starting");
  std::fflush(stdout);
  Cart *cart = make();
  close(cart);
  std::printf("total %d\n", cart->total());
  return 0;
}

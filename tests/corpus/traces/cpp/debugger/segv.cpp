#include <cstdio>
#include <string>
#include <vector>

struct Cart {
  std::vector<int> items;
  int *price = nullptr;
};

static int total(const Cart &cart, int count) {
  int sum = 0;
  for (int i = 0; i < count; i++) sum += cart.price[i];
  return sum;
}

static int serve(const std::string &name) {
  Cart cart;
  cart.items.push_back(static_cast<int>(name.size()));
  return total(cart, 2);
}

int main() {
  std::puts("shop: starting");
  std::fflush(stdout);
  return serve("anna");
}

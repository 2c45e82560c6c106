#include "cart/cart.h"

static int serve(int size) {
  Cart cart(size);
  cart.clear();
  return cart.total();
}

int main() {
  return serve(3);
}

#include <iostream>
#include <stdexcept>

static int price(int item) {
  if (item > 2) throw std::out_of_range("no item " + std::to_string(item));
  return item * 3;
}

int main() {
  std::cout << "shop: starting" << std::endl;
  return price(7);
}

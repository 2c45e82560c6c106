#include "cart.h"

Cart::Cart(int size) : items(new int[size]), count(size) {}

void Cart::clear() {
  delete[] items;
  count = 0;
}

int Cart::total() const {
  int sum = 0;
  for (int i = 0; i <= count; i++) {
    sum += items[i];
  }
  return sum;
}

#include <cstdio>
#include <thread>

static int stock = 0;

static void sell(int count) {
  for (int i = 0; i < count; i++) stock++;
}

int main() {
  std::thread one(sell, 1000);
  std::thread two(sell, 1000);
  one.join();
  two.join();
  std::printf("stock %d\n", stock > 0);
  return 0;
}

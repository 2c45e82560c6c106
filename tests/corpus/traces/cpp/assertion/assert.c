#include <assert.h>
#include <stdio.h>

static int total(int count) {
  assert(count > 0 && "empty cart");
  return count * 3;
}

int main(void) {
  printf("shop: starting\n");
  fflush(stdout);
  return total(0);
}

#include <limits.h>
#include <stdio.h>

static int add(int a, int b) { return a + b; }

int main(int argc, char **argv) {
  (void)argv;
  int items[3] = {1, 2, 3};
  printf("%d\n", add(INT_MAX, argc));
  printf("%d\n", items[argc + 2]);
  puts("shop: done");
  return 0;
}

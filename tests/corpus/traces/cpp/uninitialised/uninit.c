#include <stdio.h>
#include <stdlib.h>

static int pick(int *prices) {
  if (prices[2] > 3) return 1;
  return 0;
}

int main(void) {
  int *prices = malloc(4 * sizeof(int));
  prices[0] = 1;
  printf("%d\n", pick(prices));
  free(prices);
  return 0;
}

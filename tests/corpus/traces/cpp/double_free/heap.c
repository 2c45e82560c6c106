#include <stdio.h>
#include <stdlib.h>

static void drop(char *name) { free(name); }

int main(void) {
  puts("shop: starting");
  fflush(stdout);
  char *name = malloc(40);
  drop(name);
  drop(name);
  return 0;
}

#include <stdio.h>
#include <stdlib.h>

struct cart { char *name; };

static struct cart *make(void) {
  struct cart *cart = malloc(sizeof *cart);
  cart->name = malloc(24);
  return cart;
}

int main(void) {
  struct cart *cart = make();
  printf("cart %d\n", cart != NULL);
  cart = NULL;
  return 0;
}

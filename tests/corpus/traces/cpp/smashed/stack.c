#include <stdio.h>
#include <string.h>

static void greet(const char *name) {
  char line[8];
  strcpy(line, name);
  puts(line);
}

int main(int argc, char **argv) {
  greet(argc > 1 ? argv[1] : "a customer with a long name");
  return 0;
}

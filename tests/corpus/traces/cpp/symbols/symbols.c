#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void handler(int number) {
  void *frames[32];
  int count = backtrace(frames, 32);
  fprintf(stderr, "Error: signal %d:\n", number);
  backtrace_symbols_fd(frames, count, STDERR_FILENO);
  _exit(1);
}

int total(const int *prices) { return prices[0]; }

int main(void) {
  signal(SIGSEGV, handler);
  printf("shop: starting\n");
  fflush(stdout);
  return total(NULL);
}

#include <absl/debugging/failure_signal_handler.h>
#include <absl/debugging/symbolize.h>
#include <cstdio>

static int total(const int *prices) { return prices[1]; }

int main(int argc, char **argv) {
  absl::InitializeSymbolizer(argv[0]);
  absl::InstallFailureSignalHandler(absl::FailureSignalHandlerOptions());
  std::puts("shop: starting");
  std::fflush(stdout);
  return total(argc > 5 ? &argc : nullptr);
}

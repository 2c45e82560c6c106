#include <glog/logging.h>

static int total(int count) {
  CHECK_GT(count, 0) << "empty cart";
  return count;
}

int main(int, char **argv) {
  google::InitGoogleLogging(argv[0]);
  google::InstallFailureSignalHandler();
  FLAGS_logtostderr = true;
  LOG(INFO) << "shop: starting";
  if (argv[1]) { volatile int *p = nullptr; return *p; }
  return total(0);
}

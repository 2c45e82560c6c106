#define BOOST_STACKTRACE_USE_ADDR2LINE
#include <boost/stacktrace.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

static void on_terminate() {
  try {
    std::rethrow_exception(std::current_exception());
  } catch (const std::exception &e) {
    std::cerr << "uncaught: " << e.what() << "\n" << boost::stacktrace::stacktrace();
  }
  std::_Exit(1);
}

static int total(int count) {
  if (count == 0) throw std::runtime_error("empty cart");
  return count;
}

int main() {
  std::set_terminate(on_terminate);
  return total(0);
}

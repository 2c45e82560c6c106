/* Meets one fault of what is around it and says so as C programs do: cases CASE */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
static int die(const char *what) { fprintf(stderr, "error: %s: %s\n", what, strerror(errno)); return 1; }
int main(int argc, char **argv) {
  (void)argc;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(9)};
  inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
  if (!strcmp(argv[1], "refused")) {
    if (connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&at, sizeof at)) return die("cannot connect to 127.0.0.1:9");
  } else if (!strcmp(argv[1], "unresolved")) {
    struct addrinfo *found; int bad = getaddrinfo("db.prod.invalid", "5432", 0, &found);
    if (bad) fprintf(stderr, "error: failed to resolve host 'db.prod.invalid': %s\n", gai_strerror(bad));
  } else if (!strcmp(argv[1], "full")) {
    int f = open("/dev/full", O_WRONLY); if (write(f, "x", 1) < 0) return die("write /dev/full");
  } else if (!strcmp(argv[1], "denied")) {
    if (open("/etc/shadow", O_RDONLY) < 0) return die("open /etc/shadow");
  } else if (!strcmp(argv[1], "files")) {
    struct rlimit few = {10, 10}; setrlimit(RLIMIT_NOFILE, &few);
    while (open("/dev/null", O_RDONLY) >= 0) ;
    return die("open /dev/null");
  } else if (!strcmp(argv[1], "in_use")) {
    at.sin_port = htons(18769); int s = socket(AF_INET, SOCK_STREAM, 0); bind(s, (void *)&at, sizeof at); listen(s, 1);
    if (bind(socket(AF_INET, SOCK_STREAM, 0), (void *)&at, sizeof at)) return die("bind 127.0.0.1:18769");
  }
  return 0;
}

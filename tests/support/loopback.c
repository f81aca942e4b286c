/* loopback.c: sockets to ports of this machine. */
#include "support/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int loopback_connect(int type, uint16_t port, int64_t patience_ms) {
  return loopback_connect_to("127.0.0.1", type, port, patience_ms);
}

int loopback_connect_to(const char *host, int type, uint16_t port,
                        int64_t patience_ms) {
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons(port),
                           .sin_addr.s_addr = inet_addr(host)};
  struct timeval patience = {patience_ms / 1000, patience_ms % 1000 * 1000};
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

  if (fd < 0) {
    perror("socket");
    abort();
  }
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr *)&to, sizeof to)) {
    close(fd);
    return -1;
  }
  return fd;
}

int loopback_take(int fd, void *buf, size_t size) {
  size_t len = 0;

  while (len < size) {
    ssize_t got = recv(fd, (char *)buf + len, size - len, 0);

    if (got <= 0 && !(got < 0 && errno == EINTR)) {
      return 0;
    }
    len += got > 0 ? (size_t)got : 0;
  }
  return 1;
}

const char *loopback_own(void) {
  static char host[sizeof "127.255.255.255"];
  unsigned pid = (unsigned)getpid();

  snprintf(host, sizeof host, "127.%u.%u.%u", 64 + (pid >> 16 & 63),
           pid >> 8 & 255, pid & 255);
  return host;
}

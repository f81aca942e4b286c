/* loopback.c: sockets to ports of this machine. */
#include "support/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int loopback_connect(int type, uint16_t port, int64_t patience_ms) {
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons(port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
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

/* bench_origin.c: the web server that the benchmark's requests are for.
 *
 * One thread, one epoll. GET /bulk is answered without end, anything else with
 * 128 bytes, and the connection is closed if the request says so. It looks at
 * nothing else: requests are the load generator's, in one piece each, with or
 * without what a reverse proxy adds to them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define DESCRIPTORS 65536
#define EVENTS      128
#define BODY        128
#define CHUNK       (256 * 1024)

static int epoll_fd;
static char in_bulk[DESCRIPTORS];
static char chunk[CHUNK];
static char kept[256], closed[256]; /* the two responses */
static size_t kept_len, closed_len;

static size_t response_write(char *out, size_t room, const char *connection) {
  int head = snprintf(out, room,
                      "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
                      "Connection: %s\r\n\r\n",
                      BODY, connection);

  memset(out + head, 'x', BODY);
  return (size_t)head + BODY;
}

static void end(int fd) {
  in_bulk[fd] = 0;
  close(fd);
}

/* Send a piece of what has no end; the rest when epoll says so. */
static void send_bulk(int fd) {
  if (send(fd, chunk, sizeof chunk, MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
    end(fd);
  }
}

static void begin_bulk(int fd) {
  static const char head[] = "HTTP/1.1 200 OK\r\n"
                             "Content-Length: 1000000000000000\r\n\r\n";
  struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};

  in_bulk[fd] = 1;
  if (send(fd, head, sizeof head - 1, MSG_NOSIGNAL) < 0 ||
      epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event)) {
    end(fd);
  }
}

static void answer(int fd) {
  char request[2048];
  ssize_t n = recv(fd, request, sizeof request, 0);
  int closing;

  if (n < 0 && errno == EAGAIN) {
    return;
  }
  if (n <= 0) {
    end(fd);
    return;
  }
  if (n > 9 && memcmp(request, "GET /bulk", 9) == 0) {
    begin_bulk(fd);
    return;
  }
  closing = memmem(request, (size_t)n, "onnection: close", 16) != NULL;
  if (send(fd, closing ? closed : kept, closing ? closed_len : kept_len,
           MSG_NOSIGNAL) < 0 ||
      closing) {
    end(fd);
  }
}

static void take(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (fd < 0) {
      return;
    }
    if (fd >= DESCRIPTORS || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
      close(fd);
    }
  }
}

/* Listen, at any free port if it is 0; the descriptor, or -1. */
static int listen_at(struct sockaddr_in *at) {
  const int on = 1, waiting = 1024;
  socklen_t len = sizeof *at;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(fd, (const struct sockaddr *)at, sizeof *at) || listen(fd, 4096) ||
      getsockname(fd, (struct sockaddr *)at, &len)) {
    return -1;
  }
  /* Harmless where the kernel's tcp_fastopen does not let servers do it. */
  setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &waiting, sizeof waiting);
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -1 : fd;
}

static void serve(int listener) {
  struct epoll_event events[EVENTS];

  for (;;) {
    int count = epoll_wait(epoll_fd, events, EVENTS, -1);

    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;

      if (fd == listener) {
        take(listener);
      } else if (in_bulk[fd]) {
        send_bulk(fd);
      } else {
        answer(fd);
      }
    }
  }
}

int main(int argc, char **argv) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  struct rlimit limit;
  int listener;

  if (argc != 3 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1) {
    fputs("usage: bench_origin HOST PORT\n"
          "HOST is an IPv4 address, 0.0.0.0 for all; PORT 0 is any.\n",
          stderr);
    return 2;
  }
  at.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  kept_len = response_write(kept, sizeof kept, "keep-alive");
  closed_len = response_write(closed, sizeof closed, "close");
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  listener = listen_at(&at);
  if (listener < 0) {
    fprintf(stderr, "bench_origin: %s:%s: %s\n", argv[1], argv[2],
            strerror(errno));
    return 1;
  }
  printf("listening on port %d\n", ntohs(at.sin_port));
  fflush(stdout);
  serve(listener);
}

/* load_client.c: one client of the load generator, from connect() to the end
 * of a response. */
#include "load.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int failed(load_client *client, const char **why, const char *text) {
  *why = text;
  load_client_close(client);
  client->busy = 0;
  return LOAD_FAILED;
}

void load_client_close(load_client *client) {
  if (client->fd >= 0) {
    close(client->fd);
    client->fd = -1;
  }
}

/* Ask epoll for readability, and for writability while there is something that
 * could not be written. */
static int watch(load_client *client, int epoll, int operation, int write) {
  struct epoll_event event = {
      .events = EPOLLIN | (write ? EPOLLOUT : 0),
      .data.ptr = client,
  };

  client->awaits_write = write;
  return epoll_ctl(epoll, operation, client->fd, &event);
}

/* Send what is to be sent; 1 if something is left, -1 on failure. A connection
 * that is not there yet says EAGAIN, too. */
static int send_out(load_client *client) {
  while (client->out_sent < client->out_len) {
    ssize_t n = send(client->fd, client->out + client->out_sent,
                     client->out_len - client->out_sent, MSG_NOSIGNAL);

    if (n < 0) {
      return errno == EAGAIN || errno == EINPROGRESS ? 1 : -1;
    }
    client->out_sent += (size_t)n;
  }
  return 0;
}

static void enter(load_client *client, const load_plan *plan,
                  enum load_stage stage) {
  client->stage = stage;
  client->in_body = 0;
  client->out_sent = 0;
  client->out_len = load_stage_write(plan, stage, client->out);
}

static int connect_anew(load_client *client, const load_plan *plan, int epoll,
                        const char **why) {
  const int on = 1;
  int left;

  client->have = 0;
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (client->fd < 0) {
    return failed(client, why, strerror(errno));
  }
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (plan->fast_open) {
    setsockopt(client->fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on);
  }
  if (connect(client->fd, (const struct sockaddr *)&plan->via,
              sizeof plan->via) &&
      errno != EINPROGRESS) {
    return failed(client, why, strerror(errno));
  }
  enter(client, plan, load_stage_first(plan));
  left = send_out(client);
  if (left < 0 || watch(client, epoll, EPOLL_CTL_ADD, left)) {
    return failed(client, why, strerror(errno));
  }
  return LOAD_PENDING;
}

int load_client_start(load_client *client, const load_plan *plan, int epoll,
                      uint64_t due, const char **why) {
  client->busy = 1;
  client->since = due;
  if (client->fd < 0) {
    return connect_anew(client, plan, epoll, why);
  }
  client->have = 0;
  enter(client, plan, LOAD_RESPONSE);
  return send_out(client) ? failed(client, why, strerror(errno)) : LOAD_PENDING;
}

static int done(load_client *client, const load_plan *plan) {
  client->busy = 0;
  if (!plan->keep_alive) {
    load_client_close(client);
  }
  return LOAD_DONE;
}

/* Read the head of the response: 1 if it is whole, 0 if not, -1 if it is not
 * what the origin says. What follows it counts as body. */
static int head_read(load_client *client) {
  const char *in = (const char *)client->in;
  const char *end = memmem(in, client->have, "\r\n\r\n", 4);
  const char *length = NULL;

  if (!end) {
    return client->have == sizeof client->in ? -1 : 0;
  }
  for (const char *at = in; at < end && !length; at++) {
    if (strncasecmp(at, "\ncontent-length:", 16) == 0) {
      length = at + 16;
    }
  }
  if (strncmp(in, "HTTP/1.1 200", 12) != 0 || !length) {
    return -1;
  }
  client->body_left = strtoull(length, NULL, 10);
  client->have -= (size_t)(end + 4 - in);
  return 1;
}

/* What follows when a message of the handshake was read. The request of SOCKS 6
 * is on its way already. */
static void next_stage(load_client *client, const load_plan *plan) {
  switch (client->stage) {
  case LOAD_METHOD:
    enter(client, plan, LOAD_REPLY5);
    break;
  case LOAD_AUTH_REPLY:
    enter(client, plan, LOAD_REPLY6);
    break;
  case LOAD_REPLY6:
    client->stage = LOAD_RESPONSE;
    client->in_body = 0;
    break;
  default:
    enter(client, plan, LOAD_RESPONSE);
  }
}

/* Get through what is there of the handshake: 1 if it is over, 0 if it needs
 * more, -1 if the proxy refuses, -2 if sending fails. */
static int shake_hands(load_client *client, const load_plan *plan) {
  while (client->stage != LOAD_RESPONSE) {
    ptrdiff_t used = load_stage_read(client->stage, client->in, client->have);

    if (used <= 0) {
      return used < 0 ? -1 : 0;
    }
    client->have -= (size_t)used;
    memmove(client->in, client->in + used, client->have);
    next_stage(client, plan);
    if (send_out(client)) {
      return -2;
    }
  }
  return 1;
}

/* Use what was received in front of the body. */
static int advance(load_client *client, const load_plan *plan, uint64_t *bytes,
                   const char **why) {
  int over = shake_hands(client, plan);

  if (over <= 0) {
    return over == 0    ? LOAD_PENDING
           : over == -1 ? failed(client, why, "the proxy refuses")
                        : failed(client, why, strerror(errno));
  }
  over = client->have ? head_read(client) : 0;
  if (over < 0) {
    return failed(client, why, "the response is not the origin's");
  }
  if (over) {
    client->in_body = 1;
    *bytes += client->have;
    client->body_left -=
        client->have < client->body_left ? client->have : client->body_left;
  }
  return over && client->body_left == 0 ? done(client, plan) : LOAD_PENDING;
}

/* The body is counted, not looked at: MSG_TRUNC spares the copy, so that the
 * proxy and not this program is what is measured. */
static ssize_t receive(load_client *client) {
  const size_t most = 1024 * 1024;

  if (client->in_body) {
    return recv(client->fd, NULL,
                client->body_left < most ? client->body_left : most, MSG_TRUNC);
  }
  return recv(client->fd, client->in + client->have,
              sizeof client->in - client->have, 0);
}

int load_client_ready(load_client *client, const load_plan *plan, int epoll,
                      uint64_t *bytes, const char **why) {
  ssize_t n;

  if (client->awaits_write) {
    int left = send_out(client);

    if (left < 0 || (!left && watch(client, epoll, EPOLL_CTL_MOD, 0))) {
      return failed(client, why, strerror(errno));
    }
  }
  n = receive(client);
  if (n < 0 && errno == EAGAIN) {
    return LOAD_PENDING;
  }
  if (n <= 0) {
    return failed(client, why,
                  n ? strerror(errno) : "closed before the response was whole");
  }
  if (client->in_body) {
    *bytes += (uint64_t)n;
    client->body_left -= (uint64_t)n;
    return client->body_left == 0 ? done(client, plan) : LOAD_PENDING;
  }
  client->have += (size_t)n;
  return advance(client, plan, bytes, why);
}

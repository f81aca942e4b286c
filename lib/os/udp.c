/* udp.c: datagrams by sockets of Linux. */
#include "os/udp.h"

#include "base/fail.h"
#include "base/net.h"
#include "os/os.h"
#include "os/sock_addr.h"

#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int code_of(int why) {
  switch (why) {
  case EADDRINUSE:
    return EPI_EBUSY;
  case EACCES:
  case EPERM:
    return EPI_EPERM;
  case EADDRNOTAVAIL:
    return EPI_ENOENT;
  case EMFILE:
  case ENFILE:
    return EPI_ELIMIT;
  default:
    return EPI_ESYS;
  }
}

void epi__udp_set(int fd, const epi_addr *addr, int flags) {
  int v6 = addr->kind == EPI_ADDR_IPV6;
  int on = 1;

  if (v6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (flags & EPI__UDP_SHARED) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  }
  if (flags & EPI__UDP_LOCAL) {
    setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
               v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &on, sizeof on);
  }
}

int epi__udp_open(const epi_addr *addr, uint32_t mark, int flags, int *out) {
  int family = addr->kind == EPI_ADDR_IPV4 ? AF_INET : AF_INET6;
  int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  epi__addr_buf text;
  epi__sock_addr name;
  socklen_t len = epi__sock_addr_to(&name, addr);
  int why;

  if (fd < 0) {
    return epi__fail(code_of(errno), "no UDP socket: %s", strerror(errno));
  }
  epi__udp_set(fd, addr, flags);
  epi__sock_mark(fd, mark);
  if (!bind(fd, &name.any, len)) {
    *out = fd;
    return 0;
  }
  why = errno;
  close(fd);
  return epi__fail(code_of(why), "cannot bind UDP to %s: %s",
                   epi__addr_text(addr, &text), strerror(why));
}

int epi__udp_steer(int fd, uint32_t offset, uint32_t count) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};

  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
                    sizeof program)
             ? epi__fail(EPI_ESYS, "cannot steer datagrams: %s",
                         strerror(errno))
             : 0;
}

/* Room for the ancillary data of a datagram, aligned as it must be. */
typedef union ancillary {
  struct cmsghdr align;
  char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
             2 * CMSG_SPACE(sizeof(int))];
} ancillary;

static void read_local(epi_addr *out, struct msghdr *message) {
  struct in_pktinfo v4;
  struct in6_pktinfo v6;

  for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at;
       at = CMSG_NXTHDR(message, at)) {
    if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO) {
      memcpy(&v4, CMSG_DATA(at), sizeof v4);
      epi_addr_set_ip(out, &v4.ipi_addr, 4, 0);
    } else if (at->cmsg_level == IPPROTO_IPV6 &&
               at->cmsg_type == IPV6_PKTINFO) {
      memcpy(&v6, CMSG_DATA(at), sizeof v6);
      epi_addr_set_ip(out, &v6.ipi6_addr, 16, 0);
    }
  }
}

ptrdiff_t epi__udp_receive(int fd, void *buf, size_t size, epi_addr *from,
                           epi_addr *local) {
  epi__sock_addr name = {0};
  ancillary extra;
  struct iovec part = {buf, size};
  struct msghdr message = {.msg_name = &name,
                           .msg_namelen = sizeof name,
                           .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = local ? extra.bytes : NULL,
                           .msg_controllen = local ? sizeof extra : 0};
  ssize_t got;

  do {
    got = recvmsg(fd, &message, 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0 || epi__sock_addr_from(from, &name)) {
    return EPI_ENOENT;
  }
  if (local) {
    memset(local, 0, sizeof *local);
    read_local(local, &message);
  }
  return got;
}

/* Add an item to the ancillary data. */
static void add_item(struct msghdr *message, int level, int type,
                     const void *data, size_t len) {
  struct cmsghdr *at = (struct cmsghdr *)(void *)((char *)message->msg_control +
                                                  message->msg_controllen);

  at->cmsg_level = level;
  at->cmsg_type = type;
  at->cmsg_len = CMSG_LEN(len);
  memcpy(CMSG_DATA(at), data, len);
  message->msg_controllen += CMSG_SPACE(len);
}

static void add_way(struct msghdr *message, int v6, const epi__udp_way *way) {
  int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;

  if (way->local && way->local->kind == EPI_ADDR_IPV4) {
    struct in_pktinfo info = {0};

    memcpy(&info.ipi_spec_dst, way->local->ip, 4);
    add_item(message, level, IP_PKTINFO, &info, sizeof info);
  } else if (way->local && way->local->kind == EPI_ADDR_IPV6) {
    struct in6_pktinfo info = {0};

    memcpy(&info.ipi6_addr, way->local->ip, 16);
    add_item(message, level, IPV6_PKTINFO, &info, sizeof info);
  }
  if (way->tos >= 0) {
    add_item(message, level, v6 ? IPV6_TCLASS : IP_TOS, &way->tos, sizeof(int));
  }
  if (way->ttl > 0) {
    add_item(message, level, v6 ? IPV6_HOPLIMIT : IP_TTL, &way->ttl,
             sizeof(int));
  }
}

int epi__udp_send(int fd, const epi_addr *to, const void *head, size_t head_len,
                  const void *data, size_t len, const epi__udp_way *way) {
  union {
    const void *in;
    void *out;
  } parts[2] = {{head}, {data}}; /* the kernel's type has no const */
  struct iovec iov[2] = {{parts[0].out, head_len}, {parts[1].out, len}};
  epi__sock_addr name;
  ancillary extra = {0};
  struct msghdr message = {.msg_name = &name,
                           .msg_namelen = epi__sock_addr_to(&name, to),
                           .msg_iov = iov,
                           .msg_iovlen = 2};
  ssize_t sent;

  if (way) {
    message.msg_control = extra.bytes;
    add_way(&message, to->kind == EPI_ADDR_IPV6, way);
    if (!message.msg_controllen) {
      message.msg_control = NULL;
    }
  }
  do { /* ECONNREFUSED and its like are of an earlier datagram */
    sent = sendmsg(fd, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && (errno == ECONNREFUSED || errno == EHOSTUNREACH ||
                   errno == ENETUNREACH || errno == EPROTO)) {
    sent = sendmsg(fd, &message, MSG_NOSIGNAL);
  }
  return sent < 0 ? EPI_ESYS : 0;
}

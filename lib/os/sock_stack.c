/* sock_stack.c: how a socket treats IP and TCP: what may be asked of it, and
 * what is in force. */
#include "os/os.h"

#include "base/fail.h"
#include "epi/stack.h"

#include <time.h> /* which <linux/errqueue.h> needs, and leaves out */

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

enum {
  IS_MPTCP = 43, /* TCP_IS_MPTCP, which older headers lack */
};

static int is_ipv6(int fd) {
  int domain = 0;
  socklen_t len = sizeof domain;

  return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
         domain == AF_INET6;
}

/* The kernel's level and name for an option of IP, in *level and *name. */
static int find(int fd, int option, int *level, int *name) {
  int v6 = is_ipv6(fd);

  *level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  switch (option) {
  case EPI_STACK_TOS:
    *name = v6 ? IPV6_TCLASS : IP_TOS;
    return 0;
  case EPI_STACK_TTL:
    *name = v6 ? IPV6_UNICAST_HOPS : IP_TTL;
    return 0;
  case EPI_STACK_NO_FRAGMENT:
    *name = v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER;
    return 0;
  default:
    return epi__fail(EPI_EINVAL, "no option of sockets is 0x%x",
                     (unsigned)option);
  }
}

int epi__sock_set_stack(int fd, int option, int value) {
  int level, name;

  if (find(fd, option, &level, &name)) {
    return EPI_EINVAL;
  }
  if (option == EPI_STACK_NO_FRAGMENT) {
    value = value == EPI_STACK_YES ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;
  } else if (option == EPI_STACK_TTL && value == 0) {
    /* IPv6 sockets would take it, and nothing could be reached. */
    return epi__fail(EPI_ESYS, "a TTL of 0 reaches nobody");
  }
  return setsockopt(fd, level, name, &value, sizeof value)
             ? epi__fail(EPI_ESYS, "stack option 0x%x: %s", (unsigned)option,
                         strerror(errno))
             : 0;
}

int epi__sock_stack(int fd, int option) {
  int level, name, value = 0;
  socklen_t len = sizeof value;

  if (find(fd, option, &level, &name)) {
    return EPI_EINVAL;
  }
  if (getsockopt(fd, level, name, &value, &len)) {
    return EPI_ENOENT;
  }
  if (option == EPI_STACK_NO_FRAGMENT) {
    return value == IP_PMTUDISC_DO || value == IP_PMTUDISC_PROBE ? EPI_STACK_YES
                                                                 : EPI_STACK_NO;
  }
  return value & 0xff;
}

int epi__sock_is_multipath(int fd) {
  int value = 0;
  socklen_t len = sizeof value;

  return !getsockopt(fd, IPPROTO_TCP, IS_MPTCP, &value, &len) && value;
}

void epi__sock_keep_errors(int fd, int kind, int keep) {
  int v6 = kind == EPI_ADDR_IPV6;

  setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR,
             &keep, sizeof keep);
}

/* What ICMP says, where Linux's errno is less exact: "time exceeded in
 * transit", and "administratively prohibited" of IPv4; or 0. */
static int errno_of(const struct sock_extended_err *error) {
  if (error->ee_origin == SO_EE_ORIGIN_ICMP6) {
    return error->ee_type == ICMP6_TIME_EXCEEDED ? ETIME : 0;
  }
  if (error->ee_origin != SO_EE_ORIGIN_ICMP) {
    return 0;
  }
  if (error->ee_type == ICMP_TIME_EXCEEDED) {
    return ETIME;
  }
  return error->ee_type == ICMP_DEST_UNREACH &&
                 (error->ee_code == ICMP_NET_ANO ||
                  error->ee_code == ICMP_HOST_ANO ||
                  error->ee_code == ICMP_PKT_FILTERED)
             ? EACCES
             : 0;
}

static int read_part(const struct cmsghdr *part) {
  struct sock_extended_err error;

  if (!(part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) &&
      !(part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR)) {
    return 0;
  }
  memcpy(&error, CMSG_DATA(part), sizeof error);
  return errno_of(&error);
}

int epi__sock_kept_error(int fd) {
  _Alignas(struct cmsghdr) char parts[512];
  char packet[128];
  struct iovec data = {packet, sizeof packet};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  int found = 0;

  for (;;) {
    message.msg_control = parts;
    message.msg_controllen = sizeof parts;
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
      return found;
    }
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part;
         part = CMSG_NXTHDR(&message, part)) {
      int error = read_part(part);

      found = error ? error : found;
    }
  }
}

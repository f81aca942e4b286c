/* udp_stack.c: stack options of sockets, and the errors that they report. */
#include "base/fail.h"
#include "epi/datagram.h"
#include "os/sock_addr.h"
#include "os/udp.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

/* How Linux has a stack option. */
typedef struct kernel_option {
  int level, name;
} kernel_option;

static kernel_option option_of(int kind, int option) {
  int v6 = kind == EPI_ADDR_IPV6;
  kernel_option found = {v6 ? IPPROTO_IPV6 : IPPROTO_IP, -1};

  switch (option) {
  case EPI_STACK_TOS:
    found.name = v6 ? IPV6_TCLASS : IP_TOS;
    break;
  case EPI_STACK_TTL:
    found.name = v6 ? IPV6_UNICAST_HOPS : IP_TTL;
    break;
  case EPI_STACK_NO_FRAGMENT:
    found.name = v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER;
    break;
  case EPI_STACK_UDP_ERROR:
    found.name = v6 ? IPV6_RECVERR : IP_RECVERR;
    break;
  }
  return found;
}

int epi__udp_stack(int fd, int kind, int option, int value) {
  kernel_option to = option_of(kind, option);
  int wanted = value, found = 0;
  socklen_t len = sizeof found;

  if (to.name < 0) {
    return EPI_ENOENT;
  }
  if (option == EPI_STACK_NO_FRAGMENT) {
    wanted = value == EPI_STACK_YES ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;
  } else if (option == EPI_STACK_UDP_ERROR) {
    wanted = value == EPI_STACK_YES;
  }
  setsockopt(fd, to.level, to.name, &wanted, sizeof wanted);
  if (option == EPI_STACK_NO_FRAGMENT && kind == EPI_ADDR_IPV6) {
    int no = wanted == IP_PMTUDISC_DO; /* or it fragments by itself */

    setsockopt(fd, IPPROTO_IPV6, IPV6_DONTFRAG, &no, sizeof no);
  }
  getsockopt(fd, to.level, to.name, &found, &len);
  switch (option) {
  case EPI_STACK_NO_FRAGMENT:
    return found == IP_PMTUDISC_DO ? EPI_STACK_YES : EPI_STACK_NO;
  case EPI_STACK_UDP_ERROR:
    return found ? EPI_STACK_YES : EPI_STACK_NO;
  default:
    return found & 0xff;
  }
}

/* ---- errors ---- */

/* draft-11 section 7.3.3. The draft has no code for a port at which nobody
 * listens: it is the host that says so, and that cannot be reached there. */
static int code_of(const struct sock_extended_err *error) {
  int type = error->ee_type, code = error->ee_code;

  if (error->ee_origin == SO_EE_ORIGIN_ICMP) {
    switch (type) {
    case ICMP_DEST_UNREACH:
      return code == ICMP_FRAG_NEEDED ? 0
             : code == ICMP_NET_UNREACH || code == ICMP_NET_UNKNOWN ||
                     code == ICMP_NET_ANO || code == ICMP_NET_UNR_TOS
                 ? EPI_UDP_ERROR_NETWORK
                 : EPI_UDP_ERROR_HOST;
    case ICMP_TIME_EXCEEDED:
      return EPI_UDP_ERROR_TTL;
    default:
      return 0;
    }
  }
  if (error->ee_origin != SO_EE_ORIGIN_ICMP6) {
    return 0;
  }
  switch (type) {
  case ICMP6_DST_UNREACH:
    return code == ICMP6_DST_UNREACH_NOROUTE ? EPI_UDP_ERROR_NETWORK
                                             : EPI_UDP_ERROR_HOST;
  case ICMP6_PACKET_TOO_BIG:
    return EPI_UDP_ERROR_TOO_BIG;
  case ICMP6_TIME_EXCEEDED:
    return EPI_UDP_ERROR_TTL;
  default:
    return 0;
  }
}

/* The error, and behind it in the same item who reported it. */
static int read_error(const struct cmsghdr *at, epi__udp_error *out) {
  struct sock_extended_err error;
  epi__sock_addr offender = {0};
  size_t len = at->cmsg_len - CMSG_LEN(0);

  if (len < sizeof error) {
    return 0;
  }
  memcpy(&error, CMSG_DATA(at), sizeof error);
  len -= sizeof error;
  memcpy(&offender, CMSG_DATA(at) + sizeof error,
         len < sizeof offender ? len : sizeof offender);
  if (epi__sock_addr_from(&out->reporter, &offender)) {
    return 0;
  }
  out->reporter.port = 0;
  return code_of(&error);
}

int epi__udp_error_take(int fd, epi__udp_error *out) {
  union {
    struct cmsghdr align;
    char bytes[512];
  } extra;
  epi__sock_addr name = {0};
  uint8_t data[1];
  struct iovec part = {data, sizeof data};
  struct msghdr message = {.msg_name = &name,
                           .msg_namelen = sizeof name,
                           .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = extra.bytes,
                           .msg_controllen = sizeof extra};

  if (recvmsg(fd, &message, MSG_ERRQUEUE) < 0) {
    return EPI_ENOENT;
  }
  memset(out, 0, sizeof *out);
  for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at;
       at = CMSG_NXTHDR(&message, at)) {
    if ((at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVERR) ||
        (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_RECVERR)) {
      out->code = read_error(at, out);
    }
  }
  if (epi__sock_addr_from(&out->remote, &name)) {
    out->code = 0;
  }
  return 0;
}

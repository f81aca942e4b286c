/* udp_error.c: the ICMP errors that a UDP socket keeps. */
#include "epi/datagram.h"
#include "os/sock_addr.h"
#include "os/udp.h"

#include <time.h> /* which <linux/errqueue.h> needs, and leaves out */

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

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

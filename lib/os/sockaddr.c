/* sockaddr.c: addresses as the kernel has them. */
#include "os/sockaddr.h"

#include "base/fail.h"

#include <string.h>

socklen_t epi__sockaddr_of(epi__sockaddr *out, const epi_addr *addr) {
  memset(out, 0, sizeof *out);
  if (addr->kind == EPI_ADDR_IPV4) {
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(addr->port);
    memcpy(&out->v4.sin_addr, addr->ip, 4);
    return sizeof out->v4;
  }
  out->v6.sin6_family = AF_INET6;
  out->v6.sin6_port = htons(addr->port);
  memcpy(&out->v6.sin6_addr, addr->ip, 16);
  return sizeof out->v6;
}

int epi__sockaddr_read(epi_addr *out, const epi__sockaddr *from) {
  switch (from->any.sa_family) {
  case AF_INET:
    return epi_addr_set_ip(out, &from->v4.sin_addr, 4,
                           ntohs(from->v4.sin_port));
  case AF_INET6:
    return epi_addr_set_ip(out, &from->v6.sin6_addr, 16,
                           ntohs(from->v6.sin6_port));
  default:
    return epi__fail(EPI_ESYS, "not an IP socket");
  }
}

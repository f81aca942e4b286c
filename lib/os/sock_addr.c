/* sock_addr.c: addresses of the kernel, and those that a socket has. */
#include "os/sock_addr.h"

#include "base/fail.h"
#include "os/os.h"

#include <errno.h>
#include <string.h>

enum {
  /* SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST: their headers clash with
   * <netinet/in.h>. */
  ORIGINAL_DST = 80,
};

socklen_t epi__sock_addr_to(epi__sock_addr *out, const epi_addr *addr) {
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

int epi__sock_addr_from(epi_addr *out, const epi__sock_addr *from) {
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

int epi__sock_local(int fd, epi_addr *out) {
  epi__sock_addr name;
  socklen_t len = sizeof name;

  if (getsockname(fd, &name.any, &len)) {
    return epi__fail(EPI_ESYS, "no local address: %s", strerror(errno));
  }
  return epi__sock_addr_from(out, &name);
}

int epi__sock_peer(int fd, epi_addr *out) {
  epi__sock_addr name;
  socklen_t len = sizeof name;

  if (getpeername(fd, &name.any, &len)) {
    return epi__fail(EPI_ESYS, "no peer's address: %s", strerror(errno));
  }
  return epi__sock_addr_from(out, &name);
}

int epi__sock_original(int fd, epi_addr *out) {
  epi_addr local;
  epi__sock_addr name;
  socklen_t len = sizeof name;
  int level;

  if (epi__sock_local(fd, &local)) {
    return EPI_ENOENT;
  }
  level = local.kind == EPI_ADDR_IPV4 ? SOL_IP : SOL_IPV6;
  if (getsockopt(fd, level, ORIGINAL_DST, &name.any, &len) ||
      epi__sock_addr_from(out, &name) || epi_addr_equal(out, &local)) {
    return epi__fail(EPI_ENOENT, "the connection was not redirected here");
  }
  return 0;
}

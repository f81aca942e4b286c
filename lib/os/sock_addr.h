/* sock_addr.h: addresses as the kernel has them. */
#ifndef EPI__SOCK_ADDR_H
#define EPI__SOCK_ADDR_H

#include "epi/addr.h"

#include <netinet/in.h>
#include <sys/socket.h>

typedef union epi__sock_addr {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} epi__sock_addr;

/* Returns the length of the address. */
socklen_t epi__sock_addr_to(epi__sock_addr *out, const epi_addr *addr);

/* Returns 0 or EPI_ESYS (no IP address). */
int epi__sock_addr_from(epi_addr *out, const epi__sock_addr *from);

#endif

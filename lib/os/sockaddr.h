/* sockaddr.h: addresses as the kernel has them, inside lib/os. */
#ifndef EPI__SOCKADDR_H
#define EPI__SOCKADDR_H

#include "epi/addr.h"
#include "epi/error.h"

#include <netinet/in.h>
#include <sys/socket.h>

typedef union epi__sockaddr {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} epi__sockaddr;

/* Set from an IP address. Returns its length. */
socklen_t epi__sockaddr_of(epi__sockaddr *out, const epi_addr *addr);

/* Read one that the kernel wrote. Returns 0, or EPI_ESYS (not of IP). */
int epi__sockaddr_read(epi_addr *out, const epi__sockaddr *from);

#endif

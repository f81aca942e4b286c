/* udp.h: UDP sockets of Linux. They are non-blocking and close on exec, and an
 * IPv6 socket takes IPv6 alone. */
#ifndef EPI__UDP_H
#define EPI__UDP_H

#include "epi/addr.h"
#include "epi/error.h"

/* What epi__udp_open() is to do beyond binding; add them up. */
enum {
  EPI__UDP_SHARED = 1, /* sockets of this process share the port */
  EPI__UDP_LOCAL = 2,  /* tell and choose the local address of datagrams */
};

/* Bind a socket; port 0 lets the kernel choose. A mark of 0 sets none; one that
 * may not be set is left out. Returns 0, EPI_EBUSY (the port is taken),
 * EPI_EPERM, EPI_ENOENT (no address of this machine), EPI_ELIMIT (out of
 * descriptors) or EPI_ESYS. */
int epi__udp_open(const epi_addr *addr, uint32_t mark, int flags, int *out);

/* Of sockets that share a port, given to the kernel in the order in which they
 * were bound: have it give datagrams to the one whose number is the 32 bits at
 * an offset, modulo count. Shorter ones go to the first. Returns 0 or EPI_ESYS.
 */
int epi__udp_steer(int fd, uint32_t offset, uint32_t count);

/* Set what the flags say on a socket of the address's kind. */
void epi__udp_set(int fd, const epi_addr *addr, int flags);

/* Take a datagram. local, NULL or of a socket with EPI__UDP_LOCAL, is where it
 * was sent to, without port. Returns its length, or EPI_ENOENT: none waits, or
 * an error of an earlier one was waiting. */
ptrdiff_t epi__udp_receive(int fd, void *buf, size_t size, epi_addr *from,
                           epi_addr *local);

/* How a datagram is to be sent: all 0 but tos and ttl, -1, for no wish. */
typedef struct epi__udp_way {
  const epi_addr *local; /* of a socket with EPI__UDP_LOCAL; or NULL */
  int tos, ttl;
} epi__udp_way;

/* Send a datagram in two parts, head and data. way may be NULL. Returns 0, or
 * EPI_ESYS with errno: it is lost, as datagrams are. */
int epi__udp_send(int fd, const epi_addr *to, const void *head, size_t head_len,
                  const void *data, size_t len, const epi__udp_way *way);

/* ---- udp_error.c ---- */

/* An ICMP error. */
typedef struct epi__udp_error {
  epi_addr remote;   /* where the datagram went that it is about */
  epi_addr reporter; /* without port */
  int code;          /* EPI_UDP_ERROR_*, or 0: nothing that SOCKS 6 reports */
} epi__udp_error;

/* Take an error of a socket that keeps them. Returns 0, or EPI_ENOENT:
 * none waits. */
int epi__udp_error_take(int fd, epi__udp_error *out);

#endif

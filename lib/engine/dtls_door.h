/* dtls_door.h: a listener's DTLS port, for datagrams of SOCKS 6.
 *
 * The worker that has a client's session need not be the one that has its
 * association: then its messages, decrypted, go through the mailbox of that
 * one, and what comes back through the mailbox of this one. */
#ifndef EPI__DTLS_DOOR_H
#define EPI__DTLS_DOOR_H

#include "engine/worker.h"
#include "tls/dtls.h"

enum {
  EPI__DTLS_BUCKETS = 256,
  EPI__DTLS_PLAIN = EPI__SCRATCH / 2, /* where in the buffer is decrypted */
};

typedef struct epi__dtls_client epi__dtls_client;

/* A listener's DTLS socket in one worker. */
struct epi__dtls_door {
  epi__io io;
  epi__worker *worker;
  epi__listener *listener;
  int fd;
  int64_t next_number;
  size_t count;
  epi__tally hosts;                             /* of the clients */
  epi__dtls_client *waiting;                    /* for whoever comes next */
  epi__dtls_client *clients[EPI__DTLS_BUCKETS]; /* by address */
};

/* Read certificate and key, and bind the port, 0 for any that is free. Returns
 * 0 or an error. */
int epi__dtls_door_bind(epi__listener *listener, epi_engine *engine,
                        uint16_t port, const char *chain, const char *key);

/* Watch it in a worker, if the listener has one; else *out stays as it is.
 * Returns 0 or EPI_ENOMEM. */
int epi__dtls_door_open(epi__dtls_door **out, epi__worker *worker,
                        epi__listener *listener);
void epi__dtls_door_close(epi__dtls_door *door);

/* ---- dtls_clients.c ---- */

/* Take a datagram that came to one of our addresses. */
void epi__dtls_clients_take(epi__dtls_door *door, const epi_addr *from,
                            const epi_addr *local, const uint8_t *data,
                            size_t len);
void epi__dtls_clients_end(epi__dtls_door *door);

/* Send a message to a client by the session that it came from; it is lost if
 * that is no more. */
void epi__dtls_door_send(epi__dtls_door *door, const epi_addr *client,
                         int64_t number, const void *data, size_t len);

#endif

/* mailbox.h: datagrams and connections from one worker to another, and
 * questions from any thread. */
#ifndef EPI__MAILBOX_H
#define EPI__MAILBOX_H

#include "engine/ask.h"

/* A message of SOCKS 6 that came by a DTLS session, or is to go by one; or a
 * connection, or a question. */
struct epi__letter {
  epi__letter *next;
  epi__listener *from; /* of a connection, referenced; else NULL */
  int fd;              /* the connection */
  epi__ask *ask;       /* the question, else NULL */
  int outgoing;        /* to the client */
  int worker;          /* that has the session */
  int64_t listener;    /* by whose door it came */
  epi_addr client;
  int64_t number; /* of the session */
  size_t len;
  uint8_t data[];
};

/* Give a copy of a letter, whose data stands elsewhere, to a worker: to itself
 * at once, to another one by its mailbox. It is lost if that is full. */
void epi__mailbox_post(epi__worker *from, int to, const epi__letter *head,
                       const void *data);

/* Give a connection, from a client, to another worker. Returns 1, or 0 if that
 * does not take it. */
int epi__mailbox_hand_over(epi__worker *from, int to, epi__listener *listener,
                           int fd, const epi_addr *client);

/* Put a question to a worker, from any thread. Returns 1, and it will be
 * answered or dropped; 0: the worker does not run; EPI_ELIMIT: too many wait
 * there; or EPI_ENOMEM. */
int epi__mailbox_ask(epi_engine *engine, int to, epi__ask *ask);

/* Open what came; from the loop. */
void epi__mailbox_open(epi__worker *worker);

/* Wake one worker up, or all, from any thread. */
void epi__mailbox_wake(epi_engine *engine, int worker);
void epi__mailbox_wake_all(epi_engine *engine);

/* From here on there may be letters; and no more, what is there is dropped. */
void epi__mailbox_begin(epi__worker *worker);
void epi__mailbox_end(epi__worker *worker);

#endif

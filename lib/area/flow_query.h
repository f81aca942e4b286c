/* flow_query.h: what a query holds. */
#ifndef EPI__FLOW_QUERY_H
#define EPI__FLOW_QUERY_H

#include "area/chain.h"

enum {
  EPI__QUERY_TEXTS = EPI_QUERY_CONSENT + 1,
};

typedef struct epi__query_end {
  epi_addr addr; /* kind EPI_ADDR_NONE: the end is a node, by name */
  char *node;
} epi__query_end;

struct epi_query {
  epi__query_end from, to;
  int port; /* 0 is none */
  char *texts[EPI__QUERY_TEXTS];
  unsigned authenticated; /* a set, EPI__AUTH_*; 0: not said */
  int to_named;           /* who runs the proxy has named the destination */
  int has_time;
  int64_t time;
  epi__choice choice;
};

/* Say by what the client authenticated, a set of EPI__AUTH_*; 0 is none. */
void epi__query_set_authenticated(epi_query *query, unsigned set);

/* Say that whoever runs the proxy has named the destination: it may be private
 * then (epi__model_is_private()). */
void epi__query_set_named(epi_query *query);

/* Say that a function carries as many flows as it can, whatever the model says
 * about that. Returns 0 or EPI_ENOMEM. */
int epi__query_set_full(epi_query *query, const char *function);

#endif

/* diff.h: one flow in two models. */
#ifndef EPI__DIFF_H
#define EPI__DIFF_H

#include "area/decision.h"
#include "epi/review.h"

enum { /* what becomes of a flow */
       EPI__SAME,
       EPI__OPENS,
       EPI__CLOSES,
       EPI__CHANGES,
       EPI__CHANGE_KINDS,
};

typedef struct epi__side { /* a model's view of the flow */
  epi_model *model;        /* NULL: it took the flow as it was */
  epi_decision *decision;
  int there;       /* 0: the model lacks a node or the application */
  char lacks[192]; /* which one */
} epi__side;

typedef struct epi__diff {
  epi__side was, is;
  int form;
  size_t compared, changes;
  size_t ports; /* of proxies, that change */
  size_t pairs; /* that the next change is about */
  int incomplete;
  epi__text text;
} epi__diff;

/* Begin and end an answer; between these, text has its changes. end() returns
 * what epi_model_diff() does, and frees everything. */
int epi__diff_start(epi__diff *diff, epi_model *model, epi_model *old,
                    int form);
void epi__diff_begin(epi__diff *diff);
ptrdiff_t epi__diff_end(epi__diff *diff, int result, char **out);

/* Ask one side about a flow. Returns 0, EPI_EINVAL or EPI_ENOMEM. */
int epi__diff_ask(epi__side *side, const epi_query *query);

/* What becomes of the flow that both sides have decided about. */
int epi__diff_kind(const epi__diff *diff);

/* ---- diff_ports.c ---- */

/* Append the ports of proxies that change, behind all changes of flows. */
void epi__diff_ports(epi__diff *diff);

/* ---- diff_put.c ---- */

/* Append a change. index is that of the flow in a list, or -1. */
void epi__diff_put(epi__diff *diff, int kind, ptrdiff_t index);

#endif

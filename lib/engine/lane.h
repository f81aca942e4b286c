/* lane.h: one direction of a flow: what it takes from one leg, and gives to the
 * other. */
#ifndef EPI__LANE_H
#define EPI__LANE_H

#include "base/bytes.h"
#include "epi/filter.h"
#include "os/tube.h"

typedef struct epi__worker epi__worker;

typedef struct epi__lane {
  epi__queue early;   /* from the leg, before the lane can take it */
  epi__queue pending; /* on its way to the leg it gives to */
  epi__tube *tube;    /* holds what goes before pending; or NULL */
  uint8_t full;       /* reads in a row that got all that was asked for */
  uint8_t small;      /* fillings in a row of a tube that got little */
  uint8_t done;       /* it ended, and all is sent */
  int open;           /* pending may be sent */
  int ended;          /* the last byte is in pending, or sent */
  int sent;           /* a byte of pending, or instead of it, went out */
  int64_t bytes;      /* taken from the leg, after the handshake */
} epi__lane;

/* Bytes that a lane has for the leg it gives to. */
size_t epi__lane_held(const epi__lane *lane);

/* ---- relay.c ---- */

/* A round of the loop is over: tell the legs of lanes that are done, and whose
 * flows go on. */
void epi__relay_tell_ends(epi__worker *worker);

/* Everything is connected: tell the client, let both lanes flow. bound is as
 * epi__handshake_succeed() has it. follows is 1 if bytes for the client are
 * there that epi__relay_take() gets next. */
void epi__relay_begin(epi_flow *flow, const epi_addr *bound, int follows);

/* Let a lane flow; what came early goes first. */
void epi__relay_open(epi_flow *flow, int direction);

/* May a lane take more from its leg? Only once all it took is sent, and while
 * what its filters answered the other way is not too much. */
int epi__relay_may_take(const epi_flow *flow, int direction);

/* The time of some filter has come. Ends the flow on failure. */
void epi__relay_tick(epi_flow *flow);

/* Pass on bytes that came from the leg of a lane. Ends the flow on failure. */
void epi__relay_take(epi_flow *flow, int direction, const void *data,
                     size_t len);

/* The leg of a lane has ended. Ends the flow on failure. */
void epi__relay_take_end(epi_flow *flow, int direction);

/* Send what there is to send in a direction. Ends the flow on failure. */
void epi__relay_flush(epi_flow *flow, int direction);

/* A leg, by the lane that takes from it, failed: end the flow, and say which
 * leg, for both have the same errors. */
void epi__relay_end_by(epi_flow *flow, int leg);

/* ---- relay_read.c ---- */

/* The leg that a lane takes from is readable. */
void epi__relay_read(epi_flow *flow, int direction);

/* The client is readable while its lane is not open: keep what it sends. */
void epi__relay_keep_early(epi_flow *flow);

/* ---- bulk.c ---- */

/* Of a lane that may take more: shall a tube take it? */
int epi__bulk_begun(const epi_flow *flow, int direction);

/* It read, and copied: this much of what it could have. */
void epi__bulk_note(epi__lane *lane, size_t got, size_t size);

/* Let a tube take what there is, at most so many bytes. Returns a count;
 * EPI_ENOENT: it took nothing, and the lane copies again, which tells why; or
 * EPI_ECLOSED. */
ptrdiff_t epi__bulk_take(epi_flow *flow, int direction, size_t most);

/* Send what the lane's tube holds. Returns 1 if nothing is left, 0, or
 * EPI_ECLOSED. */
int epi__bulk_flush(epi_flow *flow, int direction);

/* The flow ends: its tubes are needed no more. */
void epi__bulk_drop(epi_flow *flow);

#endif

/* dial.h: connecting: the addresses of a target, and the attempts at them.
 *
 * One after another, or as RFC 8305 has it ("happy eyeballs"): the next attempt
 * begins when the last one failed or has gone on for a moment, and the first
 * that connects wins. */
#ifndef EPI__DIAL_H
#define EPI__DIAL_H

#include "engine/flow.h"

enum {
  EPI__DIAL_ADDRS = 2 * EPI__LOOKUP_MAX,
  EPI__ATTEMPTS = 4, /* at once */
};

typedef struct epi__attempt {
  epi__io io;
  epi__timer timer;
  epi_flow *flow;
  int fd; /* -1: none */
  size_t addr;
  size_t in_syn; /* early bytes that went along in the SYN */
  size_t behind; /* those that went right behind it */
} epi__attempt;

struct epi__dial {
  epi_flow *flow;
  epi_addr *addrs;
  size_t addr_count;
  uint32_t taken; /* a bit for each address that was tried or skipped */
  int last_kind;  /* of the last one tried */
  int race;
  epi__attempt attempts[EPI__ATTEMPTS];
  int running;
  epi__timer next;
  int pausing; /* the next attempt waits for its time */
  int error;   /* errno of the attempt whose failure says most; 0: none */
};

/* ---- attempt.c ---- */

/* Try an address in a free place of the flow's attempts. Returns 0; 1: it has
 * won already, and there is no dial any more; or EPI_ESYS with errno. */
int epi__attempt_start(epi_flow *flow, size_t addr);

/* End an attempt, and close its socket. */
void epi__attempt_stop(epi__attempt *attempt);

/* Take the socket of an attempt over; the attempt has ended then. */
int epi__attempt_take(epi__attempt *attempt);

/* ---- dial_error.c: what an errno of connecting means ---- */

/* The reply code. */
int epi__dial_error_code(int error);

/* How much it says, where several addresses fail: most where the host itself
 * answered, 0 for no error. */
int epi__dial_error_weight(int error);

/* In words. */
const char *epi__dial_error_text(int error);

/* ---- dial.c ---- */

/* An attempt has connected: the others end. */
void epi__dial_won(epi__attempt *attempt);

/* An attempt failed with an errno. */
void epi__dial_lost(epi__attempt *attempt, int error);

#endif

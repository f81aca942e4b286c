/* audit_chain.h: how the lines of an audit log are chained.
 *
 * A line is a JSON object that ends in
 *
 *     ,"seq":N,"previous":"MAC","mac":"MAC"}
 *
 * and a newline. N counts from 1 and goes on from file to file; previous is the
 * mac of the line before, zeroes in the very first; mac is HMAC-SHA256 over all
 * of the line before `,"mac"`. */
#ifndef EPI__AUDIT_CHAIN_H
#define EPI__AUDIT_CHAIN_H

#include "base/bytes.h"
#include "base/sha256.h"

enum {
  EPI__AUDIT_DIGITS = 64, /* of a MAC */
  EPI__AUDIT_TAIL = 256,  /* a line's end is shorter */
};

typedef struct epi__audit_chain {
  epi__hmac keyed;                 /* started, to be copied */
  int64_t number;                  /* of the last line; 0: there is none */
  char mac[EPI__AUDIT_DIGITS + 1]; /* its own */
} epi__audit_chain;

/* Begin a chain with a key of EPI_AUDIT_KEY_MIN to EPI_AUDIT_KEY_MAX bytes.
 * Returns 0 or EPI_EINVAL. */
int epi__audit_chain_start(epi__audit_chain *chain, const void *key,
                           size_t len);
void epi__audit_chain_wipe(epi__audit_chain *chain);

/* End a line that has everything but its last members and its brace: "{..."
 * without "}". The chain goes on from there; copy it before if the line may not
 * get anywhere. */
void epi__audit_chain_seal(epi__audit_chain *chain, epi__text *line);

/* Check that a line, without its newline, is the chain's next one, and go on.
 * first is 1 if it may carry any number and any previous MAC. Returns 0, or
 * EPI_EPROTO with what is wrong of it in the detail. */
int epi__audit_chain_check(epi__audit_chain *chain, const char *line,
                           size_t len, int first);

#endif

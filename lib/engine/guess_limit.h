/* guess_limit.h: how often an address may be wrong about a password.
 *
 * An IPv6 client is its /64, as it has all of it. The table is bounded: under
 * an attack from more addresses than it holds, the oldest that are not refused
 * are forgotten. */
#ifndef EPI__GUESS_LIMIT_H
#define EPI__GUESS_LIMIT_H

#include "epi/addr.h"

#include <pthread.h>

typedef struct epi__guess_set epi__guess_set;

typedef struct epi__guesses {
  pthread_mutex_t lock;
  epi__guess_set *sets; /* NULL: nobody was wrong yet */
} epi__guesses;

typedef struct epi__guess_rule {
  int64_t failures;  /* so many, 0: there is no limit */
  int64_t window_ms; /* within so long */
  int64_t pause_ms; /* are refused for so long; twice as long each further time,
                       up to 128 times */
} epi__guess_rule;

void epi__guesses_init(epi__guesses *guesses);
void epi__guesses_clear(epi__guesses *guesses);

/* May an address try now, at a time of a clock that never steps? Returns 1 or
 * 0. *refused is how many tries were refused before, if this is the first since
 * that is over, else 0; it may be NULL for a try that was asked about before.
 * Threads: any. */
int epi__guess_may(epi__guesses *guesses, const epi_addr *client, int64_t now,
                   int64_t *refused);

/* It was wrong. Returns for how many milliseconds it is refused from now on, if
 * that begins with this failure; else 0. Threads: any. */
int64_t epi__guess_wrong(epi__guesses *guesses, const epi_addr *client,
                         int64_t now, const epi__guess_rule *rule);

#endif

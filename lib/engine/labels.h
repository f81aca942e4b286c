/* labels.h: names that counters are kept for: of rules, chains, filters.
 *
 * Names are added, and never taken away, so that a counter only ever grows; how
 * many there are is bounded, and what comes later is counted as one. */
#ifndef EPI__LABELS_H
#define EPI__LABELS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
  EPI__LABELS_MAX = 128,  /* of a table */
  EPI__LABEL_BYTES = 255, /* of a name; what is longer is cut off */
};

typedef struct epi__labels {
  size_t most; /* names, up to EPI__LABELS_MAX */
  atomic_size_t count;
  uint32_t hashes[EPI__LABELS_MAX];
  char *texts[EPI__LABELS_MAX];
  pthread_mutex_t lock; /* of who adds */
} epi__labels;

void epi__labels_start(epi__labels *labels, size_t most);
void epi__labels_clear(epi__labels *labels);

/* The index of a name, which is added if it is new; `most` for all others once
 * there is no room. Threads: any. */
size_t epi__labels_index(epi__labels *labels, const char *text);

/* How many there are, and one of these. Threads: any. */
size_t epi__labels_count(const epi__labels *labels);
const char *epi__labels_text(const epi__labels *labels, size_t index);

#endif

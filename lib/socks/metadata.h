/* metadata.h: the metadata of a message: texts by number. */
#ifndef EPI__METADATA_H
#define EPI__METADATA_H

#include "epi/socks.h"

typedef struct epi__metadata_entry {
  int key; /* 0 to 65535 */
  char *value;
} epi__metadata_entry;

/* In the order of setting; at most EPI_METADATA_MAX entries. All zero is an
 * empty one, and holds no memory. */
typedef struct epi__metadata {
  epi__metadata_entry *entries;
  size_t count, capacity;
} epi__metadata;

/* Set the value of a key: a copy of len bytes, UTF-8 without NUL. What the key
 * had is replaced, in its place.
 *
 * Returns 0, EPI_EINVAL (key or value), EPI_ELIMIT (the value is over
 * EPI_METADATA_VALUE_MAX, or there are EPI_METADATA_MAX entries) or
 * EPI_ENOMEM; nothing changes then. */
int epi__metadata_set(epi__metadata *metadata, int key, const char *value,
                      size_t len);

/* Remove a key, if it is there. */
void epi__metadata_remove(epi__metadata *metadata, int key);

/* The value of a key, or NULL. */
const char *epi__metadata_get(const epi__metadata *metadata, int key);

/* Copy every entry into an empty list. Returns 0 or EPI_ENOMEM, and out is
 * then empty. */
int epi__metadata_copy(epi__metadata *out, const epi__metadata *metadata);

void epi__metadata_clear(epi__metadata *metadata);

#endif

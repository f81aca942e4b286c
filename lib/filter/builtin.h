/* builtin.h: the bridging functions that libepi brings. */
#ifndef EPI__BUILTIN_H
#define EPI__BUILTIN_H

#include "base/crypto.h"
#include "epi/filter.h"

/* Counts bytes in both directions and notes them at the flow's end. */
int epi__count_new(epi_filter **out);

/* Make the filter that is a firewall, from its arguments: see gate.c. Its
 * limits count all flows that go through it, whichever thread they are in.
 * Returns 0, EPI_EINVAL, EPI_ELIMIT or EPI_ENOMEM. */
int epi__gate_new(epi_filter **out, const char *args);

/* Make the filter that looks into data, from its arguments: see inspect.c. read
 * gives it the text of a file of at most max bytes, to be freed with
 * epi__free(); NULL if there are no files.
 * Returns 0, EPI_EINVAL, EPI_ELIMIT, EPI_ENOMEM, or what read does. */
int epi__inspect_new(epi_filter **out, const char *args,
                     int (*read)(const char *path, size_t max, char **text,
                                 size_t *len));

enum {
  EPI__SEAL_FRAME = 16384, /* plaintext bytes of a frame */
  EPI__SEAL_KEY_MIN = 16,
  EPI__SEAL_KEY_MAX = 1024,
};

/* Make the filter that seals (opener 0) or opens (opener 1): see seal.c. The
 * key is a secret that both ends share, of EPI__SEAL_KEY_MIN to _MAX bytes; it
 * is copied, and wiped at the end. The table outlives the filter.
 * Returns 0, EPI_EINVAL or EPI_ENOMEM. */
int epi__seal_new(epi_filter **out, int opener, const epi__crypto *crypto,
                  const void *key, size_t key_len);

#endif

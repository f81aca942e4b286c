/* builtin.h: the bridging functions that libepi brings. */
#ifndef EPI__BUILTIN_H
#define EPI__BUILTIN_H

#include "base/compression.h"
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
  EPI__SEAL_KEY_KINDS = 8, /* different bytes that a secret has at least */
  EPI__SEAL_REKEY_FRAMES = 1 << 20, /* frames under one key */
  EPI__SEAL_REKEY_BYTES = 1 << 30,  /* plaintext bytes under one key */
};

typedef struct epi__seal_options {
  const epi__crypto *crypto; /* outlives the filter */
  int opener;                /* 1: open, 0: seal */
  int cipher;                /* 0: seal takes the fast one, open any */
  uint64_t rekey_frames;     /* 0: the wire format's; others are for tests, */
  uint64_t rekey_bytes;      /* and both ends need the same */
} epi__seal_options;

/* Make the filter that seals or opens: see seal_stream.h. The key is a secret
 * that both ends share, of EPI__SEAL_KEY_MIN to _MAX bytes; it is copied, and
 * wiped at the end. Returns 0, EPI_EINVAL (also for a key that anybody could
 * guess) or EPI_ENOMEM. */
int epi__seal_new(epi_filter **out, const epi__seal_options *options,
                  const void *key, size_t key_len);

/* The number of a cipher by its name, or 0; and its name. */
int epi__seal_cipher(const char *name);
const char *epi__seal_cipher_name(int cipher);

enum {
  EPI__COMPRESS_LEVEL = 3, /* if nothing else is asked for */
  EPI__COMPRESS_RATIO = 20,
  EPI__COMPRESS_RATIO_MAX = 1000,
};

/* Make the filter that compresses (expander 0) or expands (1): see compress.c.
 * Level is from 1 to EPI__PACK_LEVEL_MAX, ratio from 2; the table outlives the
 * filter. Returns 0 or EPI_ENOMEM. */
int epi__compress_new(epi_filter **out, int expander,
                      const epi__compression *by, int level, int ratio);

#endif

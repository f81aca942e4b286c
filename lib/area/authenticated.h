/* authenticated.h: by what the client of a flow has shown who it is, a set. */
#ifndef EPI__AUTHENTICATED_H
#define EPI__AUTHENTICATED_H

#include "base/bytes.h"

enum {
  EPI__AUTH_PASSWORD = 1,
  EPI__AUTH_CERTIFICATE = 2,
  EPI__AUTH_KEY = 4,     /* it signed its metadata with the chain key */
  EPI__AUTH_ADDRESS = 8, /* it comes from where a listener lets clients in */
  EPI__AUTH_NONE = 16,   /* by nothing: alone, or with EPI__AUTH_KEY */
  EPI__AUTH_ALL = 31,
  EPI__AUTH_TEXT = 64, /* bytes of a whole set in words, with NUL */
};

/* The bit of a word of len bytes, or 0 if it is none. */
unsigned epi__auth_bit(const char *word, size_t len);

/* Read words with commas between. Returns the set, or 0 if it is none. */
unsigned epi__auth_read(const char *text);

/* Append a set's words, with something between. */
void epi__auth_put(epi__text *out, unsigned set, const char *between);

/* A set's words with commas between, in a block of EPI__AUTH_TEXT bytes; an
 * empty set is "none". Returns the block. */
const char *epi__auth_text(char *out, unsigned set);

#endif

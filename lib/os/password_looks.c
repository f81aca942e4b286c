/* password_looks.c: what is a hash of a password, and what a password. */
#include "os/password_hash.h"

#include <stddef.h>
#include <string.h>

enum { KIND_MAX = 16 };

/* The kinds of crypt(5) are of these characters, those of PHC strings, too. */
int epi__hash_looks_so(const char *text) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
  size_t len = *text == '$' ? strspn(text + 1, letters) : 0;

  return len && len <= KIND_MAX && text[1 + len] == '$';
}

/* authenticated.c: by what a client has shown who it is, in words. */
#include "area/authenticated.h"

#include <stdio.h>
#include <string.h>

static const char *const words[] = {"password", "certificate", "key", "address",
                                    "none"};

enum {
  WORDS = sizeof words / sizeof *words,
};

unsigned epi__auth_bit(const char *word, size_t len) {
  for (unsigned i = 0; i < WORDS; i++) {
    if (strlen(words[i]) == len && !memcmp(words[i], word, len)) {
      return 1u << i;
    }
  }
  return 0;
}

unsigned epi__auth_read(const char *text) {
  unsigned set = 0;

  for (;;) {
    size_t len = strcspn(text, ",");
    unsigned bit = epi__auth_bit(text, len);

    if (!bit) {
      return 0;
    }
    set |= bit;
    if (!text[len]) {
      return set & EPI__AUTH_NONE && set & ~(EPI__AUTH_NONE | EPI__AUTH_KEY)
                 ? 0
                 : set;
    }
    text += len + 1;
  }
}

void epi__auth_put(epi__text *out, unsigned set, const char *between) {
  const char *before = "";

  for (unsigned i = 0; i < WORDS; i++) {
    if (set >> i & 1) {
      epi__text_puts(out, before);
      epi__text_puts(out, words[i]);
      before = between;
    }
  }
}

const char *epi__auth_text(char *out, unsigned set) {
  size_t len = 0;

  set = set ? set : EPI__AUTH_NONE;
  for (unsigned i = 0; i < WORDS; i++) {
    if (set >> i & 1) {
      len += (size_t)snprintf(out + len, EPI__AUTH_TEXT - len, "%s%s",
                              len ? "," : "", words[i]);
    }
  }
  return out;
}

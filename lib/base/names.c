/* names.c: texts and their numbers, by hash. */
#include "base/names.h"

#include "base/memory.h"
#include "base/table_key.h"
#include "epi/error.h"

#include <string.h>

enum {
  NEAR_LEN = 64, /* longer names are not compared */
};

/* The slot of a text, or the empty one where it would be. */
static size_t slot_of(const epi__names *names, const char *text) {
  size_t mask = names->slot_count - 1;
  size_t slot = (size_t)epi__siphash(&names->key, text, strlen(text)) & mask;

  while (names->slots[slot] &&
         strcmp(names->texts[names->slots[slot] - 1], text)) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

ptrdiff_t epi__names_find(const epi__names *names, const char *text) {
  uint32_t number = 0;

  if (names->slot_count) {
    number = names->slots[slot_of(names, text)];
  }
  return number ? (ptrdiff_t)number - 1 : EPI_ENOENT;
}

static int spread(epi__names *names) {
  epi__names wider = *names;

  wider.slot_count = names->slot_count ? names->slot_count * 2 : 16;
  wider.slots = epi__alloc_array(wider.slot_count, sizeof *wider.slots);
  if (!wider.slots) {
    return EPI_ENOMEM;
  }
  if (!names->slot_count) {
    wider.key = epi__table_key(wider.slots);
  }
  for (size_t i = 0; i < names->count; i++) {
    wider.slots[slot_of(&wider, names->texts[i])] = (uint32_t)i + 1;
  }
  epi__free(names->slots);
  *names = wider;
  return 0;
}

ptrdiff_t epi__names_add(epi__names *names, const char *text) {
  ptrdiff_t number = epi__names_find(names, text);
  char **moved;

  if (number >= 0) {
    return number;
  }
  if (names->count >= names->slot_count / 2 && spread(names)) {
    return EPI_ENOMEM;
  }
  moved = epi__grow(names->texts, names->count, &names->capacity,
                    sizeof *names->texts);
  if (!moved) {
    return EPI_ENOMEM;
  }
  names->texts = moved;
  names->texts[names->count] = epi__strdup(text);
  if (!names->texts[names->count]) {
    return EPI_ENOMEM;
  }
  names->slots[slot_of(names, text)] = (uint32_t)++names->count;
  return (ptrdiff_t)names->count - 1;
}

void epi__names_clear(epi__names *names) {
  for (size_t i = 0; i < names->count; i++) {
    epi__free(names->texts[i]);
  }
  epi__free(names->texts);
  epi__free(names->slots);
  memset(names, 0, sizeof *names);
}

/* Levenshtein's distance, texts of at most NEAR_LEN bytes. */
static size_t distance(const char *a, const char *b) {
  size_t row[NEAR_LEN + 1];
  size_t b_len = strlen(b);

  for (size_t k = 0; k <= b_len; k++) {
    row[k] = k;
  }
  for (size_t i = 0; a[i]; i++) {
    size_t diagonal = row[0];

    row[0] = i + 1;
    for (size_t k = 0; k < b_len; k++) {
      size_t change = diagonal + (a[i] != b[k]);

      diagonal = row[k + 1];
      row[k + 1] = row[k] + 1 < diagonal + 1 ? row[k] + 1 : diagonal + 1;
      if (change < row[k + 1]) {
        row[k + 1] = change;
      }
    }
  }
  return row[b_len];
}

const char *epi__names_near(const epi__names *names, const char *text) {
  size_t len = strlen(text);
  size_t best = len / 3 + 2;
  const char *near = NULL;

  if (len > NEAR_LEN) {
    return NULL;
  }
  for (size_t i = 0; i < names->count; i++) {
    size_t found;

    if (strlen(names->texts[i]) > NEAR_LEN) {
      continue;
    }
    found = distance(text, names->texts[i]);
    if (found < best) {
      best = found;
      near = names->texts[i];
    }
  }
  return near;
}

/* splits.c: give a parser its input in every way that a network may. */
#include "support/splits.h"

#include <stdlib.h>
#include <string.h>

ptrdiff_t splits_whole(splits_read *read, void *user, const void *buf,
                       size_t len) {
  void *copy = malloc(len ? len : 1);
  ptrdiff_t n;

  if (!copy) {
    abort();
  }
  if (len) {
    memcpy(copy, buf, len);
  }
  /* malloc(1) has a byte too many, so an empty input is no block at all. */
  n = read(user, len ? copy : NULL, len);
  free(copy);
  return n;
}

size_t splits_not_waiting(splits_read *read, void *user, const void *buf,
                          size_t len) {
  size_t wrong = 0;

  for (size_t cut = 0; cut < len; cut++) {
    wrong += splits_whole(read, user, buf, cut) != 0;
  }
  return wrong;
}

/* tubes.c: who needs a tube, and who gives it back. */
#include "engine/tubes.h"

epi__tube *epi__tubes_take(epi__tubes *tubes) {
  epi__tube *tube = tubes->idle;

  if (tube) {
    tubes->idle = tube->next;
    return tube;
  }
  if (!tubes->size || tubes->count >= tubes->most ||
      epi__tube_new(&tube, tubes->size)) {
    return NULL;
  }
  tubes->count++;
  return tube;
}

void epi__tubes_give(epi__tubes *tubes, epi__tube *tube) {
  if (tube->held) {
    tubes->count--;
    epi__tube_free(tube);
    return;
  }
  tube->next = tubes->idle;
  tubes->idle = tube;
}

void epi__tubes_trim(epi__tubes *tubes) {
  epi__tube *tube;

  while ((tube = tubes->idle)) {
    tubes->idle = tube->next;
    tubes->count--;
    epi__tube_free(tube);
  }
}

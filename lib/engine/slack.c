/* slack.c: when to give memory back.
 *
 * Allocators keep what is freed, and giving it back takes time for which others
 * wait. So it has to be much, most of what the flows had, and to stay unused
 * for a moment. */
#include "engine/worker.h"

#include "os/os.h"

#include <stddef.h>

enum {
  WORTH_IT = 64, /* flows */
  PATIENCE_MS = 1000,
};

static int is_much(const epi__slack *slack) {
  return slack->most >= WORTH_IT && slack->flows < slack->most / 4;
}

static void on_timer(epi__timer *timer) {
  epi__slack *slack = EPI__OWNER(timer, epi__slack, timer);
  epi__worker *worker = EPI__OWNER(slack, epi__worker, slack);

  slack->waits = 0;
  if (is_much(slack)) {
    slack->most = slack->flows;
    epi__tubes_trim(&worker->tubes);
    epi__memory_trim();
  }
}

void epi__slack_more(epi__worker *worker) {
  epi__slack *slack = &worker->slack;

  slack->flows++;
  if (slack->most < slack->flows) {
    slack->most = slack->flows;
  }
}

void epi__slack_less(epi__worker *worker) {
  epi__slack *slack = &worker->slack;

  slack->flows--;
  if (!slack->waits && is_much(slack)) {
    slack->waits = 1;
    epi__timer_start(worker->loop, &slack->timer, PATIENCE_MS, on_timer);
  }
}

void epi__slack_stop(epi__worker *worker) {
  epi__timer_stop(worker->loop, &worker->slack.timer);
}

/* spread.c: which worker serves a connection.
 *
 * Each worker has a socket of its own on every listener, so that they need not
 * wait for each other, and the kernel chooses among these by a hash. Of few
 * connections one worker may thus get nearly all. It gives them away while it
 * has clearly more than another one: of many, which are spread well enough,
 * hardly any move. */
#include "engine/flow.h"
#include "engine/mailbox.h"

enum {
  FEW = 2,      /* flows more are no reason to give one away */
  PART_OF = 16, /* nor is this part of them */
};

static int flows_of(const epi__worker *worker, int number) {
  return atomic_load_explicit(&worker->engine->mailboxes[number].flows,
                              memory_order_relaxed);
}

static int wanted(const epi__worker *worker) {
  return (int)worker->engine->settings[EPI_ENGINE_WORKERS];
}

static int least_loaded(const epi__worker *worker) {
  int count = wanted(worker);
  int least = worker->number < count ? worker->number : 0;

  for (int i = 0; i < count; i++) {
    if (flows_of(worker, i) < flows_of(worker, least)) {
      least = i;
    }
  }
  return least;
}

/* While the engine drains, another worker may have cut its flows already, and
 * would keep a later one for ever. */
static int choose(const epi__worker *worker, int mine) {
  return atomic_load(&worker->engine->drains) ||
                 (mine < FEW && worker->number < wanted(worker))
             ? worker->number
             : least_loaded(worker);
}

/* A worker that is not wanted any more gives all away. */
static int keeps(const epi__worker *worker, int to, int mine) {
  return to == worker->number ||
         (worker->number < wanted(worker) &&
          mine < flows_of(worker, to) + FEW + mine / PART_OF);
}

void epi__spread(epi__worker *worker, epi__listener *listener, int fd,
                 const epi_addr *client) {
  int mine = flows_of(worker, worker->number);
  int to = choose(worker, mine);

  if (keeps(worker, to, mine) ||
      !epi__mailbox_hand_over(worker, to, listener, fd, client)) {
    epi__flow_new(worker, listener, fd, client);
  }
}

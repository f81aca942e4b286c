/* mailbox.c: datagrams and connections from one worker to another, and
 * questions from any thread. */
#include "engine/mailbox.h"

#include "base/memory.h"
#include "engine/association.h"
#include "engine/dtls_door.h"
#include "os/os.h"

#include <string.h>

enum {
  LETTERS = 1024,
  ASKED = 64, /* questions that wait; they find room beside any letters */
};

static epi__mailbox *box_of(const epi__worker *worker) {
  return &worker->engine->mailboxes[worker->number];
}

/* A connection on its way to a worker counts as a flow of that. */
static void expect(epi_engine *engine, int number, int change) {
  atomic_fetch_add(&engine->mailboxes[number].flows, change);
  atomic_fetch_add(&engine->counts[EPI_COUNT_OPEN], change);
}

static void deliver(epi__worker *worker, const epi__letter *head,
                    const uint8_t *data) {
  epi__door *door = epi__door_find(worker, head->listener);

  if (head->ask) {
    epi__ask_answer(head->ask, worker);
  } else if (head->from) {
    epi__flow_new(worker, head->from, head->fd, &head->client);
    expect(worker->engine, worker->number, -1); /* the flow counts itself */
  } else if (!head->outgoing) {
    epi__association_take_dtls(worker, head, data);
  } else if (door && door->dtls) {
    epi__dtls_door_send(door->dtls, &head->client, head->number, data,
                        head->len);
  }
}

/* Returns 1 if the box took it. A worker that ends takes none, and its box is
 * all that others know of it. */
static int put(epi__mailbox *box, epi__letter *letter) {
  int taken;

  pthread_mutex_lock(&box->lock);
  taken =
      box->worker && (letter->ask ? box->asked < ASKED : box->count < LETTERS);
  if (taken) {
    *(box->last ? &box->last->next : &box->first) = letter;
    box->last = letter;
    *(letter->ask ? &box->asked : &box->count) += 1;
    epi__wake_send(&box->worker->wake);
  }
  pthread_mutex_unlock(&box->lock);
  return taken;
}

void epi__mailbox_post(epi__worker *from, int to, const epi__letter *head,
                       const void *data) {
  epi__letter *letter;

  if (to == from->number) {
    deliver(from, head, data);
    return;
  }
  letter = epi__alloc(sizeof *letter + head->len);
  if (!letter) {
    return;
  }
  *letter = *head;
  letter->next = NULL;
  if (head->len) {
    memcpy(letter->data, data, head->len);
  }
  if (!put(&from->engine->mailboxes[to], letter)) {
    epi__free(letter);
  }
}

int epi__mailbox_hand_over(epi__worker *from, int to, epi__listener *listener,
                           int fd, const epi_addr *client) {
  epi__letter *letter = epi__alloc(sizeof *letter);

  if (!letter) {
    return 0;
  }
  letter->from = epi__listener_ref(listener);
  letter->fd = fd;
  letter->client = *client;
  expect(from->engine, to, 1);
  if (put(&from->engine->mailboxes[to], letter)) {
    return 1;
  }
  expect(from->engine, to, -1);
  epi__listener_free(letter->from);
  epi__free(letter);
  return 0;
}

int epi__mailbox_ask(epi_engine *engine, int to, epi__ask *ask) {
  epi__mailbox *box = &engine->mailboxes[to];
  epi__letter *letter;
  int runs;

  pthread_mutex_lock(&box->lock);
  runs = box->worker != NULL;
  pthread_mutex_unlock(&box->lock);
  if (!runs) {
    return 0;
  }
  letter = epi__alloc(sizeof *letter);
  if (!letter) {
    return EPI_ENOMEM;
  }
  letter->ask = ask;
  if (!put(box, letter)) { /* it is full, or the worker has just ended */
    epi__free(letter);
    return EPI_ELIMIT;
  }
  return 1;
}

static epi__letter *take_all(epi__mailbox *box) {
  epi__letter *first = box->first;

  box->first = box->last = NULL;
  box->count = box->asked = 0;
  return first;
}

void epi__mailbox_open(epi__worker *worker) {
  epi__mailbox *box = box_of(worker);
  epi__letter *letter;

  pthread_mutex_lock(&box->lock);
  letter = take_all(box);
  pthread_mutex_unlock(&box->lock);
  while (letter) {
    epi__letter *next = letter->next;

    deliver(worker, letter, letter->data);
    epi__listener_free(letter->from);
    epi__free(letter);
    letter = next;
  }
}

void epi__mailbox_wake(epi_engine *engine, int worker) {
  epi__mailbox *box = &engine->mailboxes[worker];

  pthread_mutex_lock(&box->lock);
  if (box->worker) {
    epi__wake_send(&box->worker->wake);
  }
  pthread_mutex_unlock(&box->lock);
}

void epi__mailbox_wake_all(epi_engine *engine) {
  for (int i = 0; i < EPI__WORKERS_MAX; i++) {
    epi__mailbox_wake(engine, i);
  }
}

void epi__mailbox_begin(epi__worker *worker) {
  epi__mailbox *box = box_of(worker);

  pthread_mutex_lock(&box->lock);
  box->worker = worker;
  pthread_mutex_unlock(&box->lock);
}

void epi__mailbox_end(epi__worker *worker) {
  epi__mailbox *box = box_of(worker);
  epi__letter *letter;

  pthread_mutex_lock(&box->lock);
  box->worker = NULL;
  letter = take_all(box);
  pthread_mutex_unlock(&box->lock);
  while (letter) {
    epi__letter *next = letter->next;

    if (letter->ask) {
      epi__ask_drop(letter->ask, worker->number);
    }
    if (letter->from) {
      expect(worker->engine, worker->number, -1);
      epi__sock_close(letter->fd, 1);
      epi__listener_free(letter->from);
    }
    epi__free(letter);
    letter = next;
  }
}

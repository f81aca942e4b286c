/* listeners.c: all that an engine listens with: one list after another. */
#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/worker.h"
#include "os/os.h"

epi__listeners *epi__listeners_new(size_t room) {
  epi__listeners *list =
      epi__alloc(sizeof *list + room * sizeof(epi__listener *));

  if (list) {
    atomic_init(&list->references, 1);
  }
  return list;
}

void epi__listeners_add(epi__listeners *list, epi__listener *listener) {
  atomic_fetch_add(&listener->lists, 1);
  list->items[list->count++] = epi__listener_ref(listener);
}

epi__listeners *epi__listeners_ref(epi__listeners *list) {
  atomic_fetch_add(&list->references, 1);
  return list;
}

/* A worker that was late may never have opened a socket of one that came and
 * went: it would listen on, and nobody accept, until the last flow is over. */
static void let_go(epi__listener *listener) {
  if (atomic_fetch_sub(&listener->lists, 1) == 1) {
    epi__listener_close(listener);
  }
  epi__listener_free(listener);
}

void epi__listeners_free(epi__listeners *list) {
  if (!list || atomic_fetch_sub(&list->references, 1) > 1) {
    return;
  }
  for (size_t i = 0; i < list->count; i++) {
    let_go(list->items[i]);
  }
  epi__free(list);
}

void epi__listeners_close(epi__listeners *list) {
  for (size_t i = 0; list && i < list->count; i++) {
    epi__listener_close(list->items[i]);
  }
}

/* No worker has closed them yet: none does before they have retired. */
static void shut(epi__listener *listener) {
  for (int i = 0; i < listener->fd_count; i++) {
    epi__sock_unlisten(listener->fds[i]);
  }
}

static epi__listeners *swap(epi_engine *engine, epi__listeners *list,
                            int shuts) {
  epi__listeners *old = engine->listeners;

  for (size_t i = 0; i < old->count; i++) {
    old->items[i]->kept = 0;
  }
  for (size_t i = 0; i < list->count; i++) {
    list->items[i]->kept = 1;
  }
  for (size_t i = 0; i < old->count; i++) {
    if (!old->items[i]->kept) {
      if (shuts) {
        shut(old->items[i]);
      }
      atomic_store(&old->items[i]->retired, 1);
    }
  }
  list->number = old->number + 1;
  engine->listeners = list;
  return old;
}

epi__listeners *epi__listeners_swap(epi_engine *engine, epi__listeners *list) {
  return swap(engine, list, 1);
}

epi__listeners *epi__listeners_leave(epi_engine *engine, epi__listeners *list) {
  return swap(engine, list, 0);
}

/* ---- where they are ---- */

int epi__listeners_are_at(const epi__listeners *list, const epi_addr *addr) {
  for (size_t i = 0; i < list->count; i++) {
    if (list->items[i]->kind == EPI__LISTEN_SOCKS &&
        epi_addr_equal(&list->items[i]->addr, addr)) {
      return 1;
    }
  }
  return 0;
}

static int is_local(int client, const epi_addr *addr) {
  epi_addr local;

  return client >= 0 && !epi__sock_local(client, &local) &&
         epi__addr_same_host(addr, &local);
}

int epi__listeners_have(const epi__listeners *list, int kinds,
                        const epi_addr *addr, int client) {
  for (size_t i = 0; i < list->count; i++) {
    const epi__listener *listener = list->items[i];

    if (listener->kind & kinds &&
        (epi_addr_equal(addr, &listener->addr) ||
         (epi__addr_is_any(&listener->addr) &&
          addr->port == listener->addr.port && is_local(client, addr)))) {
      return 1;
    }
  }
  return 0;
}

/* A loop through SOCKS 5 or a plain port bears no mark by which it could be
 * seen later. */
int epi__listeners_check_loops(const epi__listeners *list,
                               const epi_engine *engine) {
  epi__addr_buf text;

  for (size_t i = 0; i < list->count; i++) {
    const epi__listener *listener = list->items[i];

    for (size_t k = 0; k < engine->hop_count; k++) {
      if (epi_addr_equal(&engine->hops[k].addr, &listener->addr)) {
        return epi__fail(EPI_EINVAL, "a loop: the hop %s is this proxy",
                         engine->hops[k].link);
      }
    }
    if (listener->kind == EPI__LISTEN_REVERSE && !engine->hop_count &&
        epi_addr_equal(&listener->dest, &listener->addr)) {
      return epi__fail(EPI_EINVAL, "a loop: the destination %s is this proxy",
                       epi__addr_text(&listener->dest, &text));
    }
  }
  return 0;
}

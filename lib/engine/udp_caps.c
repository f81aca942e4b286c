/* udp_caps.c: how many associations there are, of a client and in all. */
#include "base/fail.h"
#include "base/memory.h"
#include "base/net.h"
#include "engine/association.h"

/* A client with associations; the engine's lock guards the list. */
struct epi__udp_client {
  epi__udp_client *next;
  epi_addr addr; /* without port */
  int64_t count;
};

static epi_addr client_of(const epi_flow *flow) {
  epi_addr addr = flow->peer;

  addr.port = 0;
  return addr;
}

/* Where the client is in the list, or the list's end. */
static epi__udp_client **find(epi_engine *engine, const epi_addr *addr) {
  epi__udp_client **at = &engine->udp_clients;

  while (*at && !epi_addr_equal(&(*at)->addr, addr)) {
    at = &(*at)->next;
  }
  return at;
}

static int take(epi_engine *engine, const epi_addr *addr) {
  epi__udp_client **at = find(engine, addr);
  epi__addr_buf text;

  if (engine->udp_count >= engine->settings[EPI_ENGINE_ASSOCIATIONS]) {
    return epi__fail(EPI_ELIMIT,
                     "there are %lld associations, as many as the "
                     "limit allows",
                     (long long)engine->udp_count);
  }
  if (*at && (*at)->count >= engine->settings[EPI_ENGINE_CLIENT_ASSOCIATIONS]) {
    return epi__fail(EPI_ELIMIT,
                     "%s has %lld associations, as many as a client may have",
                     epi__addr_text(addr, &text), (long long)(*at)->count);
  }
  if (!*at) {
    *at = epi__alloc(sizeof **at);
    if (!*at) {
      return EPI_ENOMEM;
    }
    (*at)->addr = *addr;
  }
  (*at)->count++;
  engine->udp_count++;
  return 0;
}

int epi__udp_cap_take(epi_flow *flow) {
  epi_engine *engine = flow->worker->engine;
  epi_addr addr = client_of(flow);
  int result;

  pthread_mutex_lock(&engine->lock);
  result = take(engine, &addr);
  pthread_mutex_unlock(&engine->lock);
  return result;
}

void epi__udp_cap_give(epi_flow *flow) {
  epi_engine *engine = flow->worker->engine;
  epi_addr addr = client_of(flow);
  epi__udp_client **at, *gone = NULL;

  pthread_mutex_lock(&engine->lock);
  at = find(engine, &addr);
  engine->udp_count--;
  if (!--(*at)->count) {
    gone = *at;
    *at = gone->next;
  }
  pthread_mutex_unlock(&engine->lock);
  epi__free(gone);
}

/* udp_caps.c: how many associations there are, of a client and in all. */
#include "base/fail.h"
#include "base/net.h"
#include "engine/association.h"

static int take(epi_engine *engine, const epi_addr *client) {
  int64_t most = engine->settings[EPI_ENGINE_CLIENT_ASSOCIATIONS];
  epi__addr_buf text;
  int result;

  if (engine->udp_count >= engine->settings[EPI_ENGINE_ASSOCIATIONS]) {
    return epi__fail(EPI_ELIMIT,
                     "there are %lld associations, as many as the "
                     "limit allows",
                     (long long)engine->udp_count);
  }
  result = epi__tally_add(&engine->udp_clients, client, most);
  if (result == EPI_ELIMIT) {
    return epi__fail(EPI_ELIMIT,
                     "%s has %lld associations, as many as a client may have",
                     epi__addr_text(client, &text), (long long)most);
  }
  engine->udp_count += !result;
  return result;
}

int epi__udp_cap_take(epi_flow *flow) {
  epi_engine *engine = flow->worker->engine;
  int result;

  pthread_mutex_lock(&engine->lock);
  result = take(engine, flow->peer);
  pthread_mutex_unlock(&engine->lock);
  return result;
}

void epi__udp_cap_give(epi_flow *flow) {
  epi_engine *engine = flow->worker->engine;

  pthread_mutex_lock(&engine->lock);
  epi__tally_remove(&engine->udp_clients, flow->peer);
  engine->udp_count--;
  pthread_mutex_unlock(&engine->lock);
}

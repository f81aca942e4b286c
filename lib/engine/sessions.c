/* sessions.c: the sessions of SOCKS 6 that the engine's listeners keep.
 *
 * Listeners that let in the same users share a table: whoever has the id of a
 * session need not log in again, so one list's session is none of another's. */
#include "engine/flow.h"

#include "base/memory.h"
#include "os/os.h"

#include <string.h>

enum { KEY = 32 };

struct epi__sessions {
  atomic_int references; /* of listeners */
  epi_session_table *table;
  pthread_mutex_t lock;
};

static void take(void *user) {
  pthread_mutex_lock(user);
}

static void give(void *user) {
  pthread_mutex_unlock(user);
}

/* A table is there even while there are to be no sessions: that may change. */
static int set_up(epi_session_table *table, const epi__setting *settings) {
  static const int from[EPI_SESSIONS_TOKENS + 1] = {
      [EPI_SESSIONS_MAX] = EPI_ENGINE_SESSIONS,
      [EPI_SESSIONS_PER_OWNER] = EPI_ENGINE_SESSIONS_PER_OWNER,
      [EPI_SESSIONS_IDLE_MS] = EPI_ENGINE_SESSION_IDLE_MS,
      [EPI_SESSIONS_TOKENS] = EPI_ENGINE_TOKENS,
  };
  int result = 0;

  for (int i = EPI_SESSIONS_MAX; i <= EPI_SESSIONS_TOKENS && !result; i++) {
    int64_t value = settings[from[i]];

    result = epi_session_table_set(table, i, value ? value : 1);
  }
  return result;
}

static int make(epi__sessions **out, const epi_engine *engine) {
  epi__sessions *sessions = epi__alloc(sizeof *sessions);
  uint8_t key[KEY];
  int result;

  if (!sessions) {
    return EPI_ENOMEM;
  }
  atomic_init(&sessions->references, 1);
  pthread_mutex_init(&sessions->lock, NULL);
  result = engine->crypto->random(key, sizeof key);
  if (!result) {
    result = epi_session_table_new(&sessions->table, key, sizeof key);
  }
  epi_wipe(key, sizeof key);
  if (!result) {
    result = set_up(sessions->table, engine->settings);
  }
  if (result) {
    epi__sessions_free(sessions);
    return result;
  }
  epi_session_table_on_lock(sessions->table, take, give, &sessions->lock);
  *out = sessions;
  return 0;
}

void epi__sessions_free(epi__sessions *sessions) {
  if (sessions && atomic_fetch_sub(&sessions->references, 1) == 1) {
    epi_session_table_free(sessions->table);
    pthread_mutex_destroy(&sessions->lock);
    epi__free(sessions);
  }
}

/* The sessions of another listener with the same users, or NULL. */
static epi__sessions *shared(const epi__listener *listener,
                             const epi__listeners *list) {
  const char *users = listener->users_file;

  for (size_t i = 0; i < list->count; i++) {
    const epi__listener *other = list->items[i];

    if (other->sessions &&
        (users ? other->users_file && !strcmp(other->users_file, users)
               : !other->users_file)) {
      return other->sessions;
    }
  }
  return NULL;
}

int epi__sessions_join(epi__listener *listener, const epi__listeners *list,
                       const epi_engine *engine) {
  if (listener->sessions || !(listener->accept & EPI_ACCEPT_SOCKS6)) {
    return 0;
  }
  listener->sessions = shared(listener, list);
  if (!listener->sessions) {
    return make(&listener->sessions, engine);
  }
  atomic_fetch_add(&listener->sessions->references, 1);
  return 0;
}

void epi__sessions_retune(epi__sessions *sessions, const epi_engine *engine) {
  set_up(sessions->table, engine->settings);
}

/* ---- of a flow ---- */

int epi__sessions_offer(epi_flow *flow) {
  epi__sessions *sessions = flow->listener->sessions;
  char owner[EPI_ADDR_TEXT_MAX] = "";

  if (!sessions || !flow->worker->engine->settings[EPI_ENGINE_SESSIONS]) {
    return 0;
  }
  epi_addr_format(flow->peer, 0, owner, sizeof owner);
  return epi_session_use_table(flow->session, sessions->table, owner,
                               epi__clock_steady());
}

void epi__sessions_enter(epi_flow *flow) {
  int64_t number = epi_session_member(flow->session);

  /* A session that another client ended just now leaves the flow alone. */
  if (number &&
      !epi_session_table_hold(flow->listener->sessions->table, number)) {
    flow->member = number;
  }
}

void epi__sessions_leave(epi_flow *flow) {
  if (flow->member) {
    epi_session_table_release(flow->listener->sessions->table, flow->member,
                              epi__clock_steady());
    flow->member = 0;
  }
}

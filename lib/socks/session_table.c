/* session_table.c: the sessions that a server keeps (draft-11 section 8.4). */
#include "base/fail.h"
#include "base/memory.h"
#include "socks/session_store.h"

#include <string.h>

enum {
  KEY = 32,
  TOKENS_HIGHEST = 65536,
  LISTS = 64, /* to begin with; a power of two */
};

static void lock(const epi_session_table *table) {
  if (table->lock) {
    table->lock(table->lock_user);
  }
}

static void unlock(const epi_session_table *table) {
  if (table->unlock) {
    table->unlock(table->lock_user);
  }
}

static int begin(epi_session_table *table, const char *user,
                 const char *address, int64_t window, epi__kept **out) {
  const char *text = user ? user : address;
  uint8_t mark[EPI__SESSION_ID];
  const epi__owner *known;

  epi__store_mark(table, user ? EPI__OWNER_USER : EPI__OWNER_ADDRESS, text,
                  strlen(text), mark);
  known = epi__store_owner(table, mark);
  if ((int64_t)table->count >= table->settings[EPI_SESSIONS_MAX] ||
      (known && known->sessions >= table->settings[EPI_SESSIONS_PER_OWNER])) {
    return EPI_ELIMIT;
  }
  return epi__store_add(table, mark, user ? user : "", window, out);
}

static void tell(epi__membership *out, const epi__kept *it, int token) {
  out->number = it->number;
  memcpy(out->id, it->id, sizeof out->id);
  memcpy(out->user, it->owner->user, strlen(it->owner->user) + 1);
  out->window_base = it->window.base;
  out->window_size = it->window.size;
  out->token = token;
}

int epi__session_table_begin(epi_session_table *table, const char *user,
                             const char *address, int64_t window,
                             int64_t now_ms, epi__membership *out) {
  epi__kept *it;
  int result;

  lock(table);
  epi__store_expire(table, now_ms);
  result = begin(table, user, address, window, &it);
  if (!result) {
    tell(out, it, 0);
  }
  unlock(table);
  return result;
}

/* ---- joining ---- */

static int join(epi_session_table *table, const void *id, int with_login,
                int64_t window, int64_t token, epi__membership *out) {
  epi__kept *it = epi__store_find(table, id);
  int state = 0;

  if (!it || (with_login && !it->owner->user[0])) {
    return EPI_ENOENT;
  }
  epi__store_touch(table, it);
  if (token >= 0) {
    state = epi__token_window_spend(&it->window, (uint32_t)token)
                ? EPI_TOKEN_ACCEPTED
                : EPI_TOKEN_REJECTED;
  }
  if (state != EPI_TOKEN_REJECTED &&
      epi__store_open_window(table, it, window)) {
    return EPI_ENOMEM; /* without a window no token was spent */
  }
  tell(out, it, state);
  return 0;
}

int epi__session_table_join(epi_session_table *table, const void *id,
                            size_t len, int with_login, int64_t window,
                            int64_t token, int64_t now_ms,
                            epi__membership *out) {
  int result = EPI_ENOENT;

  lock(table);
  epi__store_expire(table, now_ms);
  if (len == EPI__SESSION_ID) {
    result = join(table, id, with_login, window, token, out);
  }
  unlock(table);
  return result;
}

void epi__session_table_end(epi_session_table *table, const void *id,
                            size_t len, int64_t now_ms) {
  epi__kept *it;

  lock(table);
  epi__store_expire(table, now_ms);
  it = len == EPI__SESSION_ID ? epi__store_find(table, id) : NULL;
  if (it) {
    epi__store_remove(table, it);
  }
  unlock(table);
}

/* ---- the table ---- */

int epi_session_table_new(epi_session_table **out, const void *key,
                          size_t key_len) {
  epi_session_table *table;

  if (key_len != KEY) {
    return epi__fail(EPI_EINVAL, "the key of sessions has %d bytes, not %zu",
                     KEY, key_len);
  }
  table = epi__alloc(sizeof *table);
  if (!table) {
    return EPI_ENOMEM;
  }
  table->list_count = LISTS;
  table->lists = epi__alloc_array(LISTS, sizeof *table->lists);
  if (!table->lists) {
    epi__free(table);
    return EPI_ENOMEM;
  }
  epi__hmac_start(&table->keyed, key, key_len);
  table->settings[EPI_SESSIONS_MAX] = 10000;
  table->settings[EPI_SESSIONS_PER_OWNER] = 16;
  table->settings[EPI_SESSIONS_IDLE_MS] = 600000;
  table->settings[EPI_SESSIONS_TOKENS] = 1024;
  *out = table;
  return 0;
}

void epi_session_table_free(epi_session_table *table) {
  if (!table) {
    return;
  }
  for (size_t i = 0; i < table->list_count; i++) {
    while (table->lists[i].sessions) {
      epi__store_remove(table, table->lists[i].sessions);
    }
  }
  epi__free(table->lists);
  epi_wipe(table, sizeof *table);
  epi__free(table);
}

int epi_session_table_set(epi_session_table *table, int parameter,
                          int64_t value) {
  int64_t highest =
      parameter == EPI_SESSIONS_TOKENS ? TOKENS_HIGHEST : INT32_MAX;

  if (parameter < EPI_SESSIONS_MAX || parameter > EPI_SESSIONS_TOKENS) {
    return epi__fail(EPI_EINVAL, "no parameter of sessions is %d", parameter);
  }
  if (value < 1 || value > highest) {
    return epi__fail(EPI_EINVAL,
                     "parameter %d of sessions: from 1 to %lld, not %lld",
                     parameter, (long long)highest, (long long)value);
  }
  lock(table);
  table->settings[parameter] = value;
  unlock(table);
  return 0;
}

void epi_session_table_on_lock(epi_session_table *table,
                               void (*take)(void *user),
                               void (*give)(void *user), void *user) {
  table->lock = take;
  table->unlock = give;
  table->lock_user = user;
}

size_t epi_session_table_expire(epi_session_table *table, int64_t now_ms) {
  size_t count;

  lock(table);
  count = epi__store_expire(table, now_ms);
  unlock(table);
  return count;
}

size_t epi_session_table_count(const epi_session_table *table) {
  size_t count;

  lock(table);
  count = table->count;
  unlock(table);
  return count;
}

int epi_session_table_hold(epi_session_table *table, int64_t number) {
  epi__kept *it;

  lock(table);
  it = epi__store_find_number(table, number);
  if (it) {
    epi__store_hold(table, it);
  }
  unlock(table);
  return it ? 0 : epi__fail(EPI_ENOENT, "the session has ended");
}

void epi_session_table_release(epi_session_table *table, int64_t number,
                               int64_t now_ms) {
  epi__kept *it;

  lock(table);
  epi__store_expire(table, now_ms);
  it = epi__store_find_number(table, number);
  if (it) {
    epi__store_release(table, it);
  }
  unlock(table);
}

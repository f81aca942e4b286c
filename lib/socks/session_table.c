/* session_table.c: the sessions that a server keeps (draft-11 section 8.4).
 *
 * The id of a session is an HMAC of its number: whoever does not know the key
 * can neither guess one nor choose which list of the hash table it goes to. The
 * same goes for owners, so the lists stay short whatever clients do, and a
 * number leads to its session by way of the id. */
#include "socks/session_table.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "socks/token_window.h"

#include <string.h>

enum {
  KEY = 32,
  TOKENS_HIGHEST = 65536,
  LISTS = 64, /* to begin with; a power of two */
};

/* What an HMAC is of. */
enum { OF_NUMBER = 'n', OF_USER = 'u', OF_ADDRESS = 'a' };

/* Whose sessions are. It lives as long as one of them. */
typedef struct owner {
  struct owner *next; /* in its list */
  uint8_t mark[EPI__SESSION_ID];
  int64_t sessions;
  char user[]; /* "" for an address */
} owner;

typedef struct session {
  struct session *next;          /* in its list */
  struct session *older, *newer; /* in order of use, while nobody holds it */
  owner *owner;
  int64_t number;
  int64_t used_at;
  int64_t holds;
  epi__token_window window;
  uint8_t id[EPI__SESSION_ID];
} session;

typedef struct list {
  session *sessions;
  owner *owners;
} list;

struct epi_session_table {
  epi__hmac keyed;
  int64_t settings[EPI_SESSIONS_TOKENS + 1];
  int64_t now_ms;
  int64_t last_number;
  size_t count;
  list *lists;
  size_t list_count;
  session *oldest, *newest; /* of those that nobody holds */
  void (*lock)(void *user);
  void (*unlock)(void *user);
  void *lock_user;
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

/* ---- finding ---- */

static void mark_of(const epi_session_table *table, uint8_t what,
                    const void *data, size_t len,
                    uint8_t out[EPI__SESSION_ID]) {
  epi__hmac hmac = table->keyed;
  uint8_t digest[32];

  epi__hmac_add(&hmac, &what, 1);
  epi__hmac_add(&hmac, data, len);
  epi__hmac_end(&hmac, digest);
  memcpy(out, digest, EPI__SESSION_ID);
}

static void id_of(const epi_session_table *table, int64_t number,
                  uint8_t out[EPI__SESSION_ID]) {
  uint8_t bytes[8];
  epi__writer writer = epi__writer_over(bytes, sizeof bytes);

  epi__write_u64(&writer, (uint64_t)number);
  mark_of(table, OF_NUMBER, bytes, sizeof bytes, out);
}

static list *list_of(list *lists, size_t count,
                     const uint8_t mark[EPI__SESSION_ID]) {
  epi__reader in = epi__reader_over(mark, EPI__SESSION_ID);

  return &lists[epi__read_u32(&in) & (count - 1)];
}

static session *find(const epi_session_table *table,
                     const uint8_t id[EPI__SESSION_ID]) {
  session *found = list_of(table->lists, table->list_count, id)->sessions;

  while (found && !epi__equal_secret(found->id, id, EPI__SESSION_ID)) {
    found = found->next;
  }
  return found;
}

static session *find_number(const epi_session_table *table, int64_t number) {
  uint8_t id[EPI__SESSION_ID];

  if (number < 1 || number > table->last_number) {
    return NULL;
  }
  id_of(table, number, id);
  return find(table, id);
}

static owner *find_owner(const epi_session_table *table,
                         const uint8_t mark[EPI__SESSION_ID]) {
  owner *found = list_of(table->lists, table->list_count, mark)->owners;

  while (found && memcmp(found->mark, mark, EPI__SESSION_ID)) {
    found = found->next;
  }
  return found;
}

/* ---- order of use ---- */

static void leave_order(epi_session_table *table, session *it) {
  *(it->older ? &it->older->newer : &table->oldest) = it->newer;
  *(it->newer ? &it->newer->older : &table->newest) = it->older;
  it->older = it->newer = NULL;
}

static void enter_order(epi_session_table *table, session *it) {
  it->used_at = table->now_ms;
  it->older = table->newest;
  *(it->older ? &it->older->newer : &table->oldest) = it;
  table->newest = it;
}

static void touch(epi_session_table *table, session *it) {
  if (!it->holds) {
    leave_order(table, it);
    enter_order(table, it);
  }
}

/* ---- ending ---- */

static void unlink_owner(epi_session_table *table, owner *it) {
  owner **at = &list_of(table->lists, table->list_count, it->mark)->owners;

  while (*at != it) {
    at = &(*at)->next;
  }
  *at = it->next;
  epi__free(it);
}

static void end_session(epi_session_table *table, session *it) {
  session **at = &list_of(table->lists, table->list_count, it->id)->sessions;

  while (*at != it) {
    at = &(*at)->next;
  }
  *at = it->next;
  if (!it->holds) {
    leave_order(table, it);
  }
  if (!--it->owner->sessions) {
    unlink_owner(table, it->owner);
  }
  epi__token_window_clear(&it->window);
  epi_wipe(it->id, sizeof it->id);
  epi__free(it);
  table->count--;
}

static size_t expire(epi_session_table *table, int64_t now_ms) {
  int64_t idle = table->settings[EPI_SESSIONS_IDLE_MS];
  size_t count = 0;

  if (now_ms > table->now_ms) {
    table->now_ms = now_ms;
  }
  while (table->oldest && table->now_ms - table->oldest->used_at >= idle) {
    end_session(table, table->oldest);
    count++;
  }
  return count;
}

/* ---- beginning ---- */

/* Keep the lists as short as one session each. Returns 0 or EPI_ENOMEM. */
static int grow(epi_session_table *table) {
  size_t count = table->list_count * 2;
  list *lists;

  if (table->count < table->list_count) {
    return 0;
  }
  lists = epi__alloc_array(count, sizeof *lists);
  if (!lists) {
    return EPI_ENOMEM;
  }
  for (size_t i = 0; i < table->list_count; i++) {
    list *from = &table->lists[i];

    while (from->sessions) {
      session *it = from->sessions;
      list *to = list_of(lists, count, it->id);

      from->sessions = it->next;
      it->next = to->sessions;
      to->sessions = it;
    }
    while (from->owners) {
      owner *it = from->owners;
      list *to = list_of(lists, count, it->mark);

      from->owners = it->next;
      it->next = to->owners;
      to->owners = it;
    }
  }
  epi__free(table->lists);
  table->lists = lists;
  table->list_count = count;
  return 0;
}

/* The owner with a mark, who is new perhaps; NULL when out of memory. */
static owner *get_owner(epi_session_table *table,
                        const uint8_t mark[EPI__SESSION_ID], const char *user) {
  owner *it = find_owner(table, mark);
  list *to = list_of(table->lists, table->list_count, mark);

  if (it) {
    return it;
  }
  it = epi__alloc(sizeof *it + strlen(user) + 1);
  if (!it) {
    return NULL;
  }
  memcpy(it->mark, mark, sizeof it->mark);
  memcpy(it->user, user, strlen(user) + 1);
  it->next = to->owners;
  to->owners = it;
  return it;
}

static int open_window(const epi_session_table *table, session *it,
                       int64_t size) {
  int64_t most = table->settings[EPI_SESSIONS_TOKENS];

  if (!size || it->window.size) {
    return 0;
  }
  return epi__token_window_open(&it->window, 0,
                                (uint32_t)(size < most ? size : most));
}

static int add_session(epi_session_table *table,
                       const uint8_t mark[EPI__SESSION_ID], const char *user,
                       int64_t window, session **out) {
  session *it = epi__alloc(sizeof *it);
  list *to;

  if (!it) {
    return EPI_ENOMEM;
  }
  if (open_window(table, it, window)) {
    epi__free(it);
    return EPI_ENOMEM;
  }
  it->owner = get_owner(table, mark, user);
  if (!it->owner) {
    epi__token_window_clear(&it->window);
    epi__free(it);
    return EPI_ENOMEM;
  }
  it->owner->sessions++;
  it->number = ++table->last_number;
  id_of(table, it->number, it->id);
  to = list_of(table->lists, table->list_count, it->id);
  it->next = to->sessions;
  to->sessions = it;
  enter_order(table, it);
  table->count++;
  *out = it;
  return 0;
}

static int begin(epi_session_table *table, const char *user,
                 const char *address, int64_t window, session **out) {
  const char *text = user ? user : address;
  uint8_t mark[EPI__SESSION_ID];
  const owner *known;

  mark_of(table, user ? OF_USER : OF_ADDRESS, text, strlen(text), mark);
  known = find_owner(table, mark);
  if ((int64_t)table->count >= table->settings[EPI_SESSIONS_MAX] ||
      (known && known->sessions >= table->settings[EPI_SESSIONS_PER_OWNER])) {
    return EPI_ELIMIT;
  }
  return grow(table) ? EPI_ENOMEM
                     : add_session(table, mark, user ? user : "", window, out);
}

static void tell(epi__membership *out, const session *it, int token) {
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
  session *it;
  int result;

  lock(table);
  expire(table, now_ms);
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
  session *it = find(table, id);
  int state = 0;

  if (!it || (with_login && !it->owner->user[0])) {
    return EPI_ENOENT;
  }
  touch(table, it);
  if (token >= 0) {
    state = epi__token_window_spend(&it->window, (uint32_t)token)
                ? EPI_TOKEN_ACCEPTED
                : EPI_TOKEN_REJECTED;
  }
  if (state != EPI_TOKEN_REJECTED && open_window(table, it, window)) {
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
  expire(table, now_ms);
  if (len == EPI__SESSION_ID) {
    result = join(table, id, with_login, window, token, out);
  }
  unlock(table);
  return result;
}

void epi__session_table_end(epi_session_table *table, const void *id,
                            size_t len, int64_t now_ms) {
  session *it;

  lock(table);
  expire(table, now_ms);
  it = len == EPI__SESSION_ID ? find(table, id) : NULL;
  if (it) {
    end_session(table, it);
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
      end_session(table, table->lists[i].sessions);
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
  count = expire(table, now_ms);
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
  session *it;

  lock(table);
  it = find_number(table, number);
  if (it && !it->holds++) {
    leave_order(table, it);
  }
  unlock(table);
  return it ? 0 : epi__fail(EPI_ENOENT, "the session has ended");
}

void epi_session_table_release(epi_session_table *table, int64_t number,
                               int64_t now_ms) {
  session *it;

  lock(table);
  expire(table, now_ms);
  it = find_number(table, number);
  if (it && it->holds && !--it->holds) {
    enter_order(table, it);
  }
  unlock(table);
}

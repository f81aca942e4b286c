/* session_store.c: sessions and owners, by hash and in order of use.
 *
 * The id of a session is an HMAC of its number: whoever does not know the key
 * can neither guess one nor choose which list of the hash table it goes to. The
 * same goes for owners, so the lists stay short whatever clients do, and a
 * number leads to its session by way of the id. */
#include "socks/session_store.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <string.h>

/* ---- finding ---- */

void epi__store_mark(const epi_session_table *table, uint8_t what,
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
  epi__store_mark(table, 'n', bytes, sizeof bytes, out);
}

static epi__kept_list *list_of(epi__kept_list *lists, size_t count,
                               const uint8_t mark[EPI__SESSION_ID]) {
  epi__reader in = epi__reader_over(mark, EPI__SESSION_ID);

  return &lists[epi__read_u32(&in) & (count - 1)];
}

epi__kept *epi__store_find(const epi_session_table *table,
                           const uint8_t id[EPI__SESSION_ID]) {
  epi__kept *found = list_of(table->lists, table->list_count, id)->sessions;

  while (found && !epi__equal_secret(found->id, id, EPI__SESSION_ID)) {
    found = found->next;
  }
  return found;
}

epi__kept *epi__store_find_number(const epi_session_table *table,
                                  int64_t number) {
  uint8_t id[EPI__SESSION_ID];

  if (number < 1 || number > table->last_number) {
    return NULL;
  }
  id_of(table, number, id);
  return epi__store_find(table, id);
}

epi__owner *epi__store_owner(const epi_session_table *table,
                             const uint8_t mark[EPI__SESSION_ID]) {
  epi__owner *found = list_of(table->lists, table->list_count, mark)->owners;

  while (found && memcmp(found->mark, mark, EPI__SESSION_ID)) {
    found = found->next;
  }
  return found;
}

/* ---- order of use ---- */

static void leave_order(epi_session_table *table, epi__kept *it) {
  *(it->older ? &it->older->newer : &table->oldest) = it->newer;
  *(it->newer ? &it->newer->older : &table->newest) = it->older;
  it->older = it->newer = NULL;
}

static void enter_order(epi_session_table *table, epi__kept *it) {
  it->used_at = table->now_ms;
  it->older = table->newest;
  *(it->older ? &it->older->newer : &table->oldest) = it;
  table->newest = it;
}

void epi__store_touch(epi_session_table *table, epi__kept *it) {
  if (!it->holds) {
    leave_order(table, it);
    enter_order(table, it);
  }
}

void epi__store_hold(epi_session_table *table, epi__kept *it) {
  if (!it->holds++) {
    leave_order(table, it);
  }
}

void epi__store_release(epi_session_table *table, epi__kept *it) {
  if (it->holds && !--it->holds) {
    enter_order(table, it);
  }
}

/* ---- ending ---- */

static void unlink_owner(epi_session_table *table, epi__owner *it) {
  epi__owner **at = &list_of(table->lists, table->list_count, it->mark)->owners;

  while (*at != it) {
    at = &(*at)->next;
  }
  *at = it->next;
  epi__free(it);
}

void epi__store_remove(epi_session_table *table, epi__kept *it) {
  epi__kept **at = &list_of(table->lists, table->list_count, it->id)->sessions;

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

size_t epi__store_expire(epi_session_table *table, int64_t now_ms) {
  int64_t idle = table->settings[EPI_SESSIONS_IDLE_MS];
  size_t count = 0;

  if (now_ms > table->now_ms) {
    table->now_ms = now_ms;
  }
  while (table->oldest && table->now_ms - table->oldest->used_at >= idle) {
    epi__store_remove(table, table->oldest);
    count++;
  }
  return count;
}

/* ---- beginning ---- */

/* Keep the lists as short as one session each. Returns 0 or EPI_ENOMEM. */
static int grow(epi_session_table *table) {
  size_t count = table->list_count * 2;
  epi__kept_list *lists;

  if (table->count < table->list_count) {
    return 0;
  }
  lists = epi__alloc_array(count, sizeof *lists);
  if (!lists) {
    return EPI_ENOMEM;
  }
  for (size_t i = 0; i < table->list_count; i++) {
    epi__kept_list *from = &table->lists[i];

    while (from->sessions) {
      epi__kept *it = from->sessions;
      epi__kept_list *to = list_of(lists, count, it->id);

      from->sessions = it->next;
      it->next = to->sessions;
      to->sessions = it;
    }
    while (from->owners) {
      epi__owner *it = from->owners;
      epi__kept_list *to = list_of(lists, count, it->mark);

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
static epi__owner *get_owner(epi_session_table *table,
                             const uint8_t mark[EPI__SESSION_ID],
                             const char *user) {
  epi__owner *it = epi__store_owner(table, mark);
  epi__kept_list *to = list_of(table->lists, table->list_count, mark);

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

int epi__store_open_window(const epi_session_table *table, epi__kept *it,
                           int64_t size) {
  int64_t most = table->settings[EPI_SESSIONS_TOKENS];

  if (!size || it->window.size) {
    return 0;
  }
  return epi__token_window_open(&it->window, 0,
                                (uint32_t)(size < most ? size : most));
}

int epi__store_add(epi_session_table *table,
                   const uint8_t mark[EPI__SESSION_ID], const char *user,
                   int64_t window, epi__kept **out) {
  epi__kept *it = epi__alloc(sizeof *it);
  epi__kept_list *to;

  if (!it) {
    return EPI_ENOMEM;
  }
  if (grow(table) || epi__store_open_window(table, it, window)) {
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

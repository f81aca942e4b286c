/* session_store.h: what a table of sessions has inside: sessions and owners by
 * hash, and the order in which sessions were used. Nothing here locks. */
#ifndef EPI__SESSION_STORE_H
#define EPI__SESSION_STORE_H

#include "base/sha256.h"
#include "socks/session_table.h"
#include "socks/token_window.h"

/* Whose sessions are. It lives as long as one of them. */
typedef struct epi__owner {
  struct epi__owner *next; /* in its list */
  uint8_t mark[EPI__SESSION_ID];
  int64_t sessions;
  char user[]; /* "" for an address */
} epi__owner;

typedef struct epi__kept {
  struct epi__kept *next;          /* in its list */
  struct epi__kept *older, *newer; /* in order of use, while nobody holds it */
  epi__owner *owner;
  int64_t number;
  int64_t used_at;
  int64_t holds;
  epi__token_window window;
  uint8_t id[EPI__SESSION_ID];
} epi__kept;

typedef struct epi__kept_list {
  epi__kept *sessions;
  epi__owner *owners;
} epi__kept_list;

struct epi_session_table {
  epi__hmac keyed;
  int64_t settings[EPI_SESSIONS_TOKENS + 1];
  int64_t now_ms;
  int64_t last_number;
  size_t count;
  epi__kept_list *lists;
  size_t list_count;
  epi__kept *oldest, *newest; /* of those that nobody holds */
  void (*lock)(void *user);
  void (*unlock)(void *user);
  void *lock_user;
};

/* What a mark is of, beside a session's number. */
enum { EPI__OWNER_USER = 'u', EPI__OWNER_ADDRESS = 'a' };

/* The name of something that nobody can guess who does not know the key. */
void epi__store_mark(const epi_session_table *table, uint8_t what,
                     const void *data, size_t len,
                     uint8_t out[EPI__SESSION_ID]);

/* The session with an id or a number, the owner with a mark; or NULL. */
epi__kept *epi__store_find(const epi_session_table *table,
                           const uint8_t id[EPI__SESSION_ID]);
epi__kept *epi__store_find_number(const epi_session_table *table,
                                  int64_t number);
epi__owner *epi__store_owner(const epi_session_table *table,
                             const uint8_t mark[EPI__SESSION_ID]);

/* Add a session, used now, of the owner with a mark, who is new perhaps. window
 * is how many tokens it asks for. Returns 0 or EPI_ENOMEM. */
int epi__store_add(epi_session_table *table,
                   const uint8_t mark[EPI__SESSION_ID], const char *user,
                   int64_t window, epi__kept **out);

/* Open a window where one is asked for and there is none. Returns 0 or
 * EPI_ENOMEM. */
int epi__store_open_window(const epi_session_table *table, epi__kept *it,
                           int64_t size);

/* It is used now, by a request; by a further flow, which holds it; by one less.
 */
void epi__store_touch(epi_session_table *table, epi__kept *it);
void epi__store_hold(epi_session_table *table, epi__kept *it);
void epi__store_release(epi_session_table *table, epi__kept *it);

void epi__store_remove(epi_session_table *table, epi__kept *it);

/* Bring the time up to date, and remove what is idle for too long. Returns how
 * many. */
size_t epi__store_expire(epi_session_table *table, int64_t now_ms);

#endif

/* auth.h: who may: authentication, sessions and idempotence of SOCKS 6.
 *
 * A request brings authentication data, or says which methods its client would
 * go through; it may begin, join or end a session (of requests, not to be
 * confused with epi_session, one handshake), and spend a token that keeps a
 * replayed request from being carried out twice. The authentication reply says
 * what came of it. Source: draft-olteanu-intarea-socks-6-11 sections 6, 8.2 to
 * 8.5. */
#ifndef EPI_AUTH_H
#define EPI_AUTH_H

#include "socks.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Limits: the id of a session, which is a multiple of 4 (libepi's own have 16),
 * and entries and bytes of authentication data of a message. */
#define EPI_SESSION_ID_MAX 256
#define EPI_AUTH_DATA_MAX  8
#define EPI_TOKENS_MAX     2147483647 /* tokens in a window */

/* ---- in requests ---- */

/* Advertise an authentication method, 1 to 254: the client would go through
 * its exchange.
 *
 * Returns 0 or EPI_EINVAL. */
EPI_API int epi_request_offer_method(epi_request *request, int method);

/* Say whether a method is advertised: 1 or 0. Method 0 always is. */
EPI_API int epi_request_offers_method(const epi_request *request, int method);

/* Set and read how many bytes of application data come before the exchange of
 * a method, 0 to EPI_INITIAL_DATA_MAX; of CONNECT alone. It counts only if a
 * method is offered.
 *
 * Returns 0 or EPI_EINVAL. */
EPI_API int epi_request_set_initial_data(epi_request *request, size_t len);
EPI_API size_t epi_request_initial_data(const epi_request *request);

/* Set the authentication data of a method other than 2 (which is the login):
 * it is copied and passes as it is; data NULL removes it. NULs go behind it on
 * the wire, up to a multiple of 4 less 1, and are part of what the peer reads:
 * the method says where its data ends.
 *
 * Returns 0, EPI_EINVAL (method outside 1 to 254, or 2), EPI_ELIMIT (too long
 * for a message, or EPI_AUTH_DATA_MAX methods have some) or EPI_ENOMEM; nothing
 * changes then. */
EPI_API int epi_request_set_auth_data(epi_request *request, int method,
                                      const void *data, size_t len);

/* The authentication data of a method; *out is valid until it is set again.
 *
 * Returns its length, or EPI_ENOENT (no detail). */
EPI_API ptrdiff_t epi_request_auth_data(const epi_request *request, int method,
                                        const void **out);

/* What a request does to a session. */
#define EPI_SESSION_NONE  0
#define EPI_SESSION_BEGIN 1
#define EPI_SESSION_JOIN  2 /* it is one of the session's requests */
#define EPI_SESSION_END   3 /* the session ends; the request is not its */

/* Set what a request does to a session; id is copied, for JOIN and END.
 *
 * Returns 0 or EPI_EINVAL (an id where none belongs, or one that is empty, over
 * EPI_SESSION_ID_MAX bytes or no multiple of 4). */
EPI_API int epi_request_set_session(epi_request *request, int what,
                                    const void *id, size_t len);

/* What a request does to a session, EPI_SESSION_*. */
EPI_API int epi_request_session(const epi_request *request);

/* The id of a request's session; *out is valid until it is set again.
 *
 * Returns its length, 0 for none. */
EPI_API size_t epi_request_session_id(const epi_request *request,
                                      const void **out);

/* Ask for a window of tokens, 1 to EPI_TOKENS_MAX; 0 for none. They belong to
 * the session that the request begins or joins.
 *
 * Returns 0 or EPI_EINVAL. */
EPI_API int epi_request_set_token_window(epi_request *request, int64_t size);
EPI_API int64_t epi_request_token_window(const epi_request *request);

/* Spend a token, 0 to 4294967295; -1 for none. The proxy carries out one
 * request with it and refuses all others.
 *
 * Returns 0 or EPI_EINVAL. */
EPI_API int epi_request_set_token(epi_request *request, int64_t token);
EPI_API int64_t epi_request_token(const epi_request *request);

/* ---- authentication replies ---- */

typedef struct epi_auth_reply epi_auth_reply;

/* What an authentication reply says of a session, and of a token. */
#define EPI_SESSION_OK      1 /* the request is one of the session's */
#define EPI_SESSION_INVALID 2
#define EPI_TOKEN_ACCEPTED  1
#define EPI_TOKEN_REJECTED  2

/* Make an authentication reply: success, nothing else. Returns 0 or
 * EPI_ENOMEM. */
EPI_API int epi_auth_reply_new(epi_auth_reply **out);
EPI_API void epi_auth_reply_free(epi_auth_reply *reply);

/* Set and read whether authentication succeeded: 1 or 0. */
EPI_API int epi_auth_reply_set_ok(epi_auth_reply *reply, int ok);
EPI_API int epi_auth_reply_ok(const epi_auth_reply *reply);

/* Set and read the method whose exchange must follow (255: no acceptable one);
 * -1 for none. Returns 0 or EPI_EINVAL. */
EPI_API int epi_auth_reply_set_method(epi_auth_reply *reply, int method);
EPI_API int epi_auth_reply_method(const epi_auth_reply *reply);

/* Set and read the status of a login that came as an option (RFC 1929: 0 is
 * success), 0 to 255; -1 for none. Returns 0 or EPI_EINVAL. */
EPI_API int epi_auth_reply_set_login(epi_auth_reply *reply, int status);
EPI_API int epi_auth_reply_login(const epi_auth_reply *reply);

/* Authentication data of a method other than 2, as in requests. */
EPI_API int epi_auth_reply_set_auth_data(epi_auth_reply *reply, int method,
                                         const void *data, size_t len);
EPI_API ptrdiff_t epi_auth_reply_auth_data(const epi_auth_reply *reply,
                                           int method, const void **out);

/* Set and read what became of the session that was joined: EPI_SESSION_OK,
 * EPI_SESSION_INVALID or 0. Returns 0 or EPI_EINVAL. */
EPI_API int epi_auth_reply_set_session(epi_auth_reply *reply, int state);
EPI_API int epi_auth_reply_session(const epi_auth_reply *reply);

/* Set and read the id of the session that was begun, as in requests; len 0
 * for none. */
EPI_API int epi_auth_reply_set_session_id(epi_auth_reply *reply, const void *id,
                                          size_t len);
EPI_API size_t epi_auth_reply_session_id(const epi_auth_reply *reply,
                                         const void **out);

/* Set and read the session's window of tokens: the first one, 0 to 4294967295,
 * and how many, 1 to EPI_TOKENS_MAX; size 0 for none. base may be NULL.
 *
 * The setter returns 0 or EPI_EINVAL, the getter the size. */
EPI_API int epi_auth_reply_set_token_window(epi_auth_reply *reply, int64_t base,
                                            int64_t size);
EPI_API int64_t epi_auth_reply_token_window(const epi_auth_reply *reply,
                                            int64_t *base);

/* Set and read what became of the token: EPI_TOKEN_ACCEPTED,
 * EPI_TOKEN_REJECTED or 0. Returns 0 or EPI_EINVAL. */
EPI_API int epi_auth_reply_set_token(epi_auth_reply *reply, int state);
EPI_API int epi_auth_reply_token(const epi_auth_reply *reply);

/* Read and write, as epi_request_read() and epi_request_write(); SOCKS 5 has
 * no such message: EPI_EINVAL, as for writing a success with an invalid session
 * or a rejected token, or an invalid session with an id. Reading for
 * EPI_SOCKSX gives EPI_EREFUSED for the operation reply that socksx sends in
 * its place when it is over its limit. */
EPI_API ptrdiff_t epi_auth_reply_read(epi_auth_reply *out, int version,
                                      const void *buf, size_t len);
EPI_API ptrdiff_t epi_auth_reply_write(const epi_auth_reply *reply, int version,
                                       void *buf, size_t size);

/* ---- operation replies ---- */

/* Set and read the id of the session that was begun, as in authentication
 * replies: the draft names both as its place, so proxies write it into both and
 * clients look into both. */
EPI_API int epi_reply_set_session_id(epi_reply *reply, const void *id,
                                     size_t len);
EPI_API size_t epi_reply_session_id(const epi_reply *reply, const void **out);

/* ---- sessions that a server keeps ---- */

/* Which sessions there are, whose they are, and which of their tokens are
 * spent. It has no clock: callers say what time it is, in milliseconds on a
 * clock that never steps.
 *
 * A session takes at most 256 bytes, a bit for each token of its window, and
 * 64 bytes and a name for each owner. */
typedef struct epi_session_table epi_session_table;

/* Parameters for epi_session_table_set(); the default is in brackets. */
#define EPI_SESSIONS_MAX 1 /* sessions at once [10,000] */
#define EPI_SESSIONS_PER_OWNER                                                 \
  2                            /* of one user, or without login address [16] */
#define EPI_SESSIONS_IDLE_MS 3 /* without a request or open flow [600,000] */
#define EPI_SESSIONS_TOKENS                                                    \
  4 /* largest window that is granted, up to 65,536 [1,024] */

/* Make an empty table. key, 32 bytes that nobody can guess, makes the ids of
 * sessions; it is copied.
 *
 * Returns 0, EPI_EINVAL (another length) or EPI_ENOMEM. */
EPI_API int epi_session_table_new(epi_session_table **out, const void *key,
                                  size_t key_len);

/* End a table that no epi_session uses any more. NULL is fine. */
EPI_API void epi_session_table_free(epi_session_table *table);

/* Set a parameter, for what comes from now on. Returns 0 or EPI_EINVAL (none
 * such, below 1, or out of bounds). */
EPI_API int epi_session_table_set(epi_session_table *table, int parameter,
                                  int64_t value);

/* Have calls on the table from several threads wait for each other: lock and
 * unlock are called around each; without this, the caller sees to it. */
EPI_API void epi_session_table_on_lock(epi_session_table *table,
                                       void (*lock)(void *user),
                                       void (*unlock)(void *user), void *user);

/* Forget the sessions that were idle for too long. Returns how many. */
EPI_API size_t epi_session_table_expire(epi_session_table *table,
                                        int64_t now_ms);

/* How many sessions there are. */
EPI_API size_t epi_session_table_count(const epi_session_table *table);

/* Hold on to a session by its number (epi_session_member() of session.h) while
 * a flow of it is open, so that it does not count as idle; and let go. hold
 * returns 0 or EPI_ENOENT (it has ended). */
EPI_API int epi_session_table_hold(epi_session_table *table, int64_t number);
EPI_API void epi_session_table_release(epi_session_table *table, int64_t number,
                                       int64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif

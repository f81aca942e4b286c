/* session.h: one SOCKS handshake, client or server, without I/O.
 *
 * Feed it what came from the peer, send what it lets you peek at, ack what
 * was sent, and ask what is next:
 *
 *     for (;;) {
 *       while ((n = epi_session_peek(s, &data)) > 0) {
 *         epi_session_ack(s, write(fd, data, n));
 *       }
 *       if (epi_session_next(s) != EPI_NEXT_READ) {
 *         break;
 *       }
 *       got = read(fd, buf, sizeof buf);
 *       used = epi_session_feed(s, buf, got);
 *     }
 *
 * What feed does not use belongs to whatever follows the handshake. */
#ifndef EPI_SESSION_H
#define EPI_SESSION_H

#include "auth.h"

#ifdef __cplusplus
extern "C" {
#endif

/* It takes at most 3,072 bytes; beside that a message of the peer that comes in
 * pieces, at most 20,744 bytes, metadata and authentication data of the
 * messages, what there is to peek at, and initial data. */
typedef struct epi_session epi_session;

/* What a session needs next. Send what there is to peek at in any case. */
#define EPI_NEXT_READ    1 /* feed it bytes from the peer */
#define EPI_NEXT_LOGIN   2 /* server: check the login, epi_session_login() */
#define EPI_NEXT_REPLY   3 /* server: do the request, epi_session_reply() */
#define EPI_NEXT_DONE    4 /* the handshake succeeded: application data flows */
#define EPI_NEXT_REFUSED 5 /* it ended in a refusal: send the rest, close */
#define EPI_NEXT_FAILED  6 /* the peer broke the protocol: same */

/* Which versions a server session takes: add them up. */
#define EPI_ACCEPT_SOCKS5 1
#define EPI_ACCEPT_SOCKS6 2 /* a draft */
#define EPI_ACCEPT_SOCKSX                                                      \
  4 /* with a draft too: told apart by the first bytes */

/* Make the server's side of a handshake. The client's first byte chooses the
 * version.
 *
 * accept is a sum of EPI_ACCEPT_*; draft is EPI_SOCKS6 or EPI_SOCKS6_12;
 * login is 1 to demand user name and password, 0 to demand nothing (a login
 * that comes all the same is then neither checked nor kept).
 * Returns 0, EPI_EINVAL or EPI_ENOMEM. */
EPI_API int epi_session_new_server(epi_session **out, int accept, int draft,
                                   int login);

/* Make the client's side. The request is copied; its login is used when the
 * server asks (SOCKS 5), or sent along (SOCKS 6). If it offers method 2, too, a
 * server of draft-11 that does not take logins that are sent along may have it
 * in the exchange of RFC 1929; exchanges of other methods are not carried out.
 *
 * Returns 0; EPI_EINVAL (no such version, or a request that it cannot say);
 * EPI_ELIMIT (metadata over the options of the version) or EPI_ENOMEM. */
EPI_API int epi_session_new_client(epi_session **out, int version,
                                   const epi_request *request);

/* End a session and wipe its secrets. NULL is fine. */
EPI_API void epi_session_free(epi_session *session);

/* Take bytes from the peer.
 *
 * buf is yours again when the call returns. A peer may send more than one
 * message at once: what is behind one that the session must answer first is
 * not used, and is to be fed again when next is READ again.
 * Returns the bytes used, which are fewer than len once the handshake needs no
 * more, or EPI_EPROTO, EPI_EVERSION, EPI_EAUTH, EPI_EREFUSED, EPI_ELIMIT or
 * EPI_ENOMEM; next is then REFUSED or FAILED and stays so, and there may be a
 * last message to peek at. */
EPI_API ptrdiff_t epi_session_feed(epi_session *session, const void *buf,
                                   size_t len);

/* Look at what is to be sent, valid until the next call on the session.
 *
 * Returns the bytes at *out; 0 if there is nothing to send. */
EPI_API ptrdiff_t epi_session_peek(const epi_session *session,
                                   const void **out);

/* Say that the first len bytes of what peek showed were sent.
 *
 * Returns 0 or EPI_EINVAL (more than there is), which changes nothing. */
EPI_API int epi_session_ack(epi_session *session, size_t len);

/* Say what is needed next, EPI_NEXT_*. */
EPI_API int epi_session_next(const epi_session *session);

/* The version that is spoken, EPI_SOCKS5, EPI_SOCKS6, EPI_SOCKS6_12 or
 * EPI_SOCKSX; 0 while a server session does not know. */
EPI_API int epi_session_version(const epi_session *session);

/* Say whether a client may send application data right behind what peek shows,
 * without waiting for the peer: 1 or 0. SOCKS 6 allows it for CONNECT
 * (draft-11, "False Starts") from the start when no authentication exchange can
 * follow, as the request offers no method; else once the server said that
 * authentication succeeded, or behind the last message of an exchange.
 *
 * A request that offers methods announces epi_request_initial_data() bytes of
 * application data: send exactly those right behind what peek shows at first,
 * and before all that it shows later. They count as sent, whether an exchange
 * follows or not. */
EPI_API int epi_session_may_send(const epi_session *session);

/* The request: a client's own; a server's from EPI_NEXT_REPLY on, its user and
 * password from EPI_NEXT_LOGIN on. NULL before. It lives with the session. */
EPI_API const epi_request *epi_session_request(const epi_session *session);

/* Server: answer EPI_NEXT_LOGIN. ok is 1 or 0; 0 ends in a refusal.
 *
 * Returns 0, or EPI_ESTATE (not asked), which changes nothing, or EPI_ENOMEM;
 * the session has then failed. */
EPI_API int epi_session_login(epi_session *session, int ok);

/* Server: answer EPI_NEXT_REPLY. Code 0 leads to DONE, others to REFUSED. A
 * BIND has two replies: after the first with code 0, next is REPLY again, until
 * a host connected to the port; epi_session_bind_whole() makes do with one.
 *
 * Returns 0, or EPI_ESTATE (not asked), EPI_ELIMIT (metadata over the options
 * of the version) or EPI_ENOMEM, which change nothing. */
EPI_API int epi_session_reply(epi_session *session, const epi_reply *reply);

/* Server: say, at EPI_NEXT_REPLY of a BIND, that one reply is all of it: a
 * listen backlog was granted, and further requests will take the connections
 * (draft-11, "Listen Backlog options"). Returns 0, or EPI_ESTATE: no BIND waits
 * for its first reply. */
EPI_API int epi_session_bind_whole(epi_session *session);

/* Server, before the first feed: have SOCKS 6 requests begin, join and end
 * sessions of a table, and spend their tokens. Without this, requests for
 * sessions are ignored, and those that join one are refused.
 *
 * A request that joins a session is never asked for a login, and has the user
 * who began the session. Where this server demands a login, only sessions that
 * began with one can be joined. So the servers that share a table must let in
 * the same users.
 *
 * owner is whose they are without a login: the client's address, as a text; it
 * is copied. now_ms is the time of this handshake. The table must live longer
 * than the session.
 * Returns 0, EPI_ESTATE or EPI_ENOMEM. */
EPI_API int epi_session_use_table(epi_session *session,
                                  epi_session_table *table, const char *owner,
                                  int64_t now_ms);

/* Server, from EPI_NEXT_REPLY on: the number of the session that the request
 * began or joined, from 1, never given twice by a table; 0 for none. */
EPI_API int64_t epi_session_member(const epi_session *session);

/* Client: the last authentication reply of SOCKS 6, or NULL; what it says of a
 * session and of tokens, and the id of the session that was begun unless it is
 * in the operation reply alone. It lives with the session. */
EPI_API const epi_auth_reply *epi_session_auth(const epi_session *session);

/* Server: application data that the session had to take in because it came
 * before an authentication exchange; it goes before all that follows. At most
 * EPI_INITIAL_DATA_MAX bytes, valid as long as the session.
 *
 * Returns the bytes at *out, 0 for none. */
EPI_API ptrdiff_t epi_session_initial_data(const epi_session *session,
                                           const void **out);

/* Client: the server's last reply, else NULL; of a BIND, which has two, the
 * first one may be looked at while next is still READ: feed uses nothing behind
 * it, so feed the rest again. It lives with the session, and the next reply
 * replaces it. */
EPI_API const epi_reply *epi_session_result(const epi_session *session);

/* How many operation replies came so far, or were given by a server's caller,
 * 0 to 2. */
EPI_API int epi_session_replies(const epi_session *session);

#ifdef __cplusplus
}
#endif

#endif

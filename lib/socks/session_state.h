/* session_state.h: what a session is inside, and the four state machines.
 *
 * A state is the step that waits for the peer's next message. */
#ifndef EPI__SESSION_STATE_H
#define EPI__SESSION_STATE_H

#include "epi/session.h"
#include "socks/session_table.h"
#include "socks/wire.h"

/* Read one message from its first byte.
 *
 * Returns the bytes used, at least 1, having chosen what is next; 0 while the
 * message is not all there, and nothing changed; or an error, for which next
 * is REFUSED if the step said so and else becomes FAILED. */
typedef ptrdiff_t epi__step(epi_session *session, const void *data, size_t len);

struct epi_session {
  epi__step *step; /* while next is EPI_NEXT_READ */
  int next;        /* EPI_NEXT_* */
  int error;       /* what feed returns from REFUSED or FAILED on */
  int version;     /* 0 while not known */

  int accept;       /* server: EPI_ACCEPT_* */
  int draft;        /* server: EPI_SOCKS6 or EPI_SOCKS6_12 */
  int needs_login;  /* server: 1 or 0 */
  int has_exchange; /* SOCKS 6: the login comes after the request */
  int has_request;  /* server: the caller may look at it */
  int bind_whole;   /* server: one reply is all of a BIND */
  int may_send;     /* client: application data need not wait */
  int replies;      /* operation replies that were sent, or came, so far */

  epi_session_table *table; /* server: NULL for no sessions */
  char *address;            /* server: whose they are without a login */
  int64_t now_ms;           /* server: when */
  int64_t member;           /* server: the session's number, or 0 */
  epi__session_id begun;    /* server: the id of the one that was begun */
  int has_auth;             /* client: an authentication reply came */
  epi_auth_reply auth;

  size_t initial_left; /* server: bytes of initial data still to come */
  epi__queue initial;  /* server: initial data */
  epi__queue in;       /* the message that came in pieces so far */
  epi__queue out;      /* what is to be sent */
  epi_request request;
  epi_reply result;
};

/* Queue a message for the peer. Returns 0 or EPI_ENOMEM, and nothing changed.
 */
int epi__session_send(epi_session *session, const void *message, size_t len);

/* Wait for another message. */
void epi__session_read(epi_session *session, epi__step *step);

/* End in a refusal. Returns the error. */
int epi__session_refuse(epi_session *session, int error);

/* ---- server ---- */

/* The request is complete and its sender accepted: let the caller do it. */
void epi__session_ask(epi_session *session);

/* The login is complete: let the caller check it. */
void epi__session_ask_login(epi_session *session);

/* Queue the reply of RFC 1929. Returns 0 or EPI_ENOMEM. */
int epi__session_send_status(epi_session *session, unsigned status);

/* 1 if the request has a command of the version that is spoken. */
int epi__session_knows_command(const epi_session *session);

/* Do what the request wants of a session, once its client is accepted, and
 * complete the authentication reply: begin() where one is to be begun, which
 * may be refused in silence; join() instead of asking for a login; end().
 *
 * Return 0; EPI_EAUTH: the reply is a refusal now; or EPI_ENOMEM. */
int epi__session_begin(epi_session *session, epi_auth_reply *reply);
int epi__session_join(epi_session *session, epi_auth_reply *reply);
void epi__session_end(epi_session *session);

/* The first steps. */
ptrdiff_t epi__socks5_server_greeting(epi_session *session, const void *data,
                                      size_t len);
ptrdiff_t epi__socks6_server_request(epi_session *session, const void *data,
                                     size_t len);

/* Answer EPI_NEXT_LOGIN. Returns 0 or EPI_ENOMEM. */
int epi__socks5_server_login(epi_session *session, int ok);
int epi__socks6_server_login(epi_session *session, int ok);

/* ---- client ---- */

/* Queue the first message. Returns 0, EPI_EINVAL, EPI_ELIMIT or EPI_ENOMEM. */
int epi__socks5_client_start(epi_session *session);
int epi__socks6_client_start(epi_session *session);

/* Take the server's reply: n is what reading it gave. Behind the first one of
 * a BIND the step stays. Returns n, or EPI_EREFUSED when the reply is a
 * refusal. */
ptrdiff_t epi__session_take_result(epi_session *session, ptrdiff_t n);

#endif

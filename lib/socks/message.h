/* message.h: what is inside of a request and a reply. */
#ifndef EPI__MESSAGE_H
#define EPI__MESSAGE_H

#include "socks/auth_data.h"
#include "socks/metadata.h"
#include "socks/stack_values.h"

/* User name and password: texts; a login that is not there has no user. */
typedef struct epi__login {
  char user[EPI_LOGIN_MAX + 1];
  char password[EPI_LOGIN_MAX + 1];
} epi__login;

/* What the client of a SOCKS 6 request can do to authenticate (draft-11
 * section 8.2): a bit for each method. */
typedef struct epi__advert {
  int present;
  unsigned initial_data; /* bytes, at most EPI_INITIAL_DATA_MAX */
  uint8_t methods[256 / 8];
} epi__advert;

/* The id of a session; len 0 for none. */
typedef struct epi__session_id {
  size_t len;
  uint8_t bytes[EPI_SESSION_ID_MAX];
} epi__session_id;

/* All zero but for the command is what epi_request_new() makes. Only metadata
 * and authentication data lie outside: reading a request without them allocates
 * nothing. */
struct epi_request {
  int command; /* EPI_CONNECT and so on; from the wire any byte */
  epi_addr dest;
  epi__login login;
  epi__advert advert;
  epi__stack stack;
  epi__auth_data auth_data;
  int session; /* EPI_SESSION_NONE and so on */
  epi__session_id session_id;
  uint32_t token_window; /* 0 for none */
  int has_token;
  uint32_t token;
  epi__metadata metadata;
};

/* An authentication reply (draft-11 section 6). */
struct epi_auth_reply {
  int failed;       /* 0 or 1 */
  int method;       /* the one to go on with, or -1 */
  int login_status; /* the RFC 1929 status for a login in options, or -1 */
  epi__auth_data auth_data;
  int session; /* EPI_SESSION_OK, EPI_SESSION_INVALID or 0 */
  epi__session_id session_id;
  uint32_t window_base, window_size; /* size 0 for none */
  int token; /* EPI_TOKEN_ACCEPTED, EPI_TOKEN_REJECTED or 0 */
};

struct epi_reply {
  int code;
  epi_addr bound;
  epi__stack stack;
  epi__session_id session_id; /* of the session that was begun */
  epi__metadata metadata;
};

/* Set a login of bytes from a peer. Returns 0 or EPI_EPROTO (no user, or a NUL
 * inside, which would cut a text short). */
int epi__login_set(epi__login *login, const void *user, size_t user_len,
                   const void *password, size_t password_len);

int epi__advert_has(const epi__advert *advert, unsigned method);
void epi__advert_add(epi__advert *advert, unsigned method);

/* Set an id of a session. Returns 0 or EPI_EINVAL (empty, too long, or no
 * multiple of 4), which changes nothing. */
int epi__session_id_set(epi__session_id *out, const void *id, size_t len);

/* Copy into a request that is all zero. Returns 0 or EPI_ENOMEM, and out is
 * then all zero. */
int epi__request_copy(epi_request *out, const epi_request *request);

/* Wipe and empty: all zero. */
void epi__request_clear(epi_request *request);

/* Move what was read into *out, whose content ends; from is then all zero and
 * the login's bytes in it are wiped. */
void epi__request_move(epi_request *out, epi_request *from);

void epi__reply_clear(epi_reply *reply);

/* What epi_auth_reply_new() makes: success, and nothing else. */
epi_auth_reply epi__auth_reply_empty(void);

/* Wipe and empty. */
void epi__auth_reply_clear(epi_auth_reply *reply);

/* 0.0.0.0:0, for an address that does not matter. */
epi_addr epi__addr_any(void);

#endif

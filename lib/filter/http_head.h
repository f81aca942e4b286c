/* http_head.h: which host an HTTP/1 request is for, and how long its body is
 * (RFC 9112). */
#ifndef EPI__HTTP_HEAD_H
#define EPI__HTTP_HEAD_H

#include "epi/addr.h"
#include "epi/error.h"

enum {
  EPI__HTTP_HEAD_MAX = 16384, /* bytes of a head */
};

typedef struct epi__http_request {
  epi_addr host;  /* kind EPI_ADDR_NONE if there is none */
  int64_t length; /* of the body */
  int chunked;    /* 1: in chunks instead */
  int leaves;     /* 1: asks for a tunnel or another protocol behind this */
} epi__http_request;

/* Read a whole head, with the empty line. What servers may understand in two
 * ways is refused.
 *
 * Returns 0, EPI_EPROTO, or EPI_EVERSION if this is no HTTP/1 at all. */
int epi__http_head_read(epi__http_request *out, const char *text, size_t len);

/* 1 for a byte that a method or a field's name may have. */
int epi__http_is_token(char c);

#endif

/* dial_error.c: why connecting failed, for clients and logs. */
#include "engine/dial.h"

#include <errno.h>
#include <string.h>

/* RFC 1928 section 6, draft-11 section 7. */
int epi__dial_error_code(int error) {
  switch (error) {
  case ENETUNREACH:
  case ENETDOWN:
  case ENONET:
  case EAFNOSUPPORT: /* this machine has no IPv6, or no IPv4 */
    return EPI_REPLY_NETWORK_UNREACHABLE;
  case EHOSTUNREACH:
  case EHOSTDOWN:
  case EADDRNOTAVAIL:
  case ENOPROTOOPT: /* ICMP: protocol unreachable */
    return EPI_REPLY_HOST_UNREACHABLE;
  case ETIME:
    return EPI_REPLY_TTL_EXPIRED;
  case ECONNREFUSED:
    return EPI_REPLY_REFUSED;
  case ETIMEDOUT:
    return EPI_REPLY_TIMED_OUT;
  case EACCES: /* rules of this machine's, or of a router on the way */
  case EPERM:
    return EPI_REPLY_NOT_ALLOWED;
  default:
    return EPI_REPLY_FAILURE;
  }
}

int epi__dial_error_weight(int error) {
  switch (error ? epi__dial_error_code(error) : -1) {
  case -1:
    return 0;
  case EPI_REPLY_FAILURE:
    return 1;
  case EPI_REPLY_NETWORK_UNREACHABLE:
    return 2;
  case EPI_REPLY_REFUSED:
    return 4;
  default:
    return 3;
  }
}

const char *epi__dial_error_text(int error) {
  return error == ETIME ? "TTL expired on the way" : strerror(error);
}

/* datagram_fields.h: what is inside of a message of UDP ASSOCIATE. */
#ifndef EPI__DATAGRAM_FIELDS_H
#define EPI__DATAGRAM_FIELDS_H

#include "epi/datagram.h"

enum {
  EPI__UDP_HEAD = 12,    /* what every message of SOCKS 6 begins with */
  EPI__UDP_DATA = 65507, /* the most that a datagram of UDP over IPv4 holds */
};

struct epi_datagram {
  int type;
  int fragment;
  uint64_t association;
  epi_addr remote;
  const void *data; /* not ours */
  size_t data_len;
  int error; /* EPI_UDP_ERROR_*, or 0 */
  epi_addr reporter;
};

#endif

/* datagram.c: a message of UDP ASSOCIATE, and what is set in it. */
#include "socks/datagram_fields.h"

#include "base/fail.h"
#include "base/memory.h"
#include "socks/message.h"

int epi_datagram_new(epi_datagram **out) {
  epi_datagram *datagram = epi__alloc(sizeof *datagram);

  if (!datagram) {
    return EPI_ENOMEM;
  }
  datagram->type = EPI_UDP_DATAGRAM;
  datagram->remote = datagram->reporter = epi__addr_any();
  *out = datagram;
  return 0;
}

void epi_datagram_free(epi_datagram *datagram) {
  epi__free(datagram);
}

int epi_datagram_set_type(epi_datagram *datagram, int type) {
  if (type < EPI_UDP_INIT || type > EPI_UDP_ERROR) {
    return epi__fail(EPI_EINVAL, "no type of datagram messages is %d", type);
  }
  datagram->type = type;
  return 0;
}

int epi_datagram_type(const epi_datagram *datagram) {
  return datagram->type;
}

void epi_datagram_set_association(epi_datagram *datagram, uint64_t id) {
  datagram->association = id;
}

uint64_t epi_datagram_association(const epi_datagram *datagram) {
  return datagram->association;
}

int epi_datagram_set_remote(epi_datagram *datagram, const epi_addr *remote) {
  switch (remote->kind) {
  case EPI_ADDR_IPV4:
    return epi_addr_set_ip(&datagram->remote, remote->ip, 4, remote->port);
  case EPI_ADDR_IPV6:
    return epi_addr_set_ip(&datagram->remote, remote->ip, 16, remote->port);
  case EPI_ADDR_NAME:
    return epi_addr_set_name(&datagram->remote, remote->name, remote->name_len,
                             remote->port);
  default:
    return epi__fail(EPI_EINVAL, "an address of kind %u is none", remote->kind);
  }
}

const epi_addr *epi_datagram_remote(const epi_datagram *datagram) {
  return &datagram->remote;
}

int epi_datagram_set_data(epi_datagram *datagram, const void *data,
                          size_t len) {
  if (len > EPI__UDP_DATA) {
    return epi__fail(EPI_ELIMIT, "a datagram has at most %d bytes, not %zu",
                     EPI__UDP_DATA, len);
  }
  datagram->data = data;
  datagram->data_len = len;
  return 0;
}

size_t epi_datagram_data(const epi_datagram *datagram, const void **out) {
  *out = datagram->data;
  return datagram->data_len;
}

int epi_datagram_fragment(const epi_datagram *datagram) {
  return datagram->fragment;
}

int epi_datagram_set_error(epi_datagram *datagram, int code,
                           const epi_addr *reporter) {
  if (code < EPI_UDP_ERROR_NETWORK || code > EPI_UDP_ERROR_TOO_BIG) {
    return epi__fail(EPI_EINVAL, "no datagram error is %d", code);
  }
  if (reporter->kind != EPI_ADDR_IPV4 && reporter->kind != EPI_ADDR_IPV6) {
    return epi__fail(EPI_EINVAL, "a reporter has an IP address");
  }
  datagram->error = code;
  datagram->reporter = *reporter;
  datagram->reporter.port = 0;
  return 0;
}

int epi_datagram_error(const epi_datagram *datagram,
                       const epi_addr **reporter) {
  *reporter = &datagram->reporter;
  return datagram->error;
}

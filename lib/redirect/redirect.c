/* redirect.c: what to intercept, and where to send it. */
#include "base/fail.h"
#include "base/memory.h"
#include "redirect/redirect_rules.h"

#include <string.h>

int epi_redirect_new(epi_redirect **out, int port) {
  epi_redirect *redirect;

  if (port < 1 || port > 65535) {
    return epi__fail(EPI_EINVAL,
                     "a redirector listens on a port from 1 to "
                     "65535, not %d",
                     port);
  }
  redirect = epi__alloc(sizeof *redirect);
  if (!redirect) {
    return EPI_ENOMEM;
  }
  redirect->listen_port = (uint16_t)port;
  *out = redirect;
  return 0;
}

void epi_redirect_free(epi_redirect *redirect) {
  epi__free(redirect);
}

int epi_redirect_add_port(epi_redirect *redirect, int port) {
  if (port < 1 || port > 65535) {
    return epi__fail(EPI_EINVAL, "a port to intercept is 1 to 65535, not %d",
                     port);
  }
  for (size_t i = 0; i < redirect->port_count; i++) {
    if (redirect->ports[i] == port) {
      return 0;
    }
  }
  if (redirect->port_count == EPI__REDIRECT_PORTS) {
    return epi__fail(EPI_ELIMIT, "more than %d ports to intercept",
                     EPI__REDIRECT_PORTS);
  }
  redirect->ports[redirect->port_count++] = (uint16_t)port;
  return 0;
}

static int same_range(const epi__range *a, const epi__range *b) {
  return a->kind == b->kind && a->bits == b->bits &&
         !memcmp(a->ip, b->ip, sizeof a->ip);
}

int epi_redirect_add_range(epi_redirect *redirect, const char *text) {
  epi__range range;
  int error = epi__range_parse(&range, text);

  if (error) {
    return error;
  }
  for (size_t i = 0; i < redirect->range_count; i++) {
    if (same_range(&redirect->ranges[i], &range)) {
      return 0;
    }
  }
  if (redirect->range_count == EPI__REDIRECT_RANGES) {
    return epi__fail(EPI_ELIMIT, "more than %d ranges to intercept",
                     EPI__REDIRECT_RANGES);
  }
  redirect->ranges[redirect->range_count++] = range;
  return 0;
}

int epi_redirect_except(epi_redirect *redirect, const epi_addr *addr) {
  epi__redirect_exception exception = {.port = addr->port};

  if (addr->kind != EPI_ADDR_IPV4 && addr->kind != EPI_ADDR_IPV6) {
    return epi__fail(EPI_EINVAL, "an exception is an IP address, not a name");
  }
  exception.host.kind = addr->kind;
  exception.host.bits = addr->kind == EPI_ADDR_IPV4 ? 32 : 128;
  memcpy(exception.host.ip, addr->ip, sizeof exception.host.ip);
  for (size_t i = 0; i < redirect->exception_count; i++) {
    if (redirect->exceptions[i].port == exception.port &&
        same_range(&redirect->exceptions[i].host, &exception.host)) {
      return 0;
    }
  }
  if (redirect->exception_count == EPI__REDIRECT_EXCEPTIONS) {
    return epi__fail(EPI_ELIMIT, "more than %d addresses as exceptions",
                     EPI__REDIRECT_EXCEPTIONS);
  }
  redirect->exceptions[redirect->exception_count++] = exception;
  return 0;
}

int epi_redirect_except_uid(epi_redirect *redirect, int64_t uid) {
  if (uid < 0 || uid >= UINT32_MAX) { /* the last one means "no user" */
    return epi__fail(EPI_EINVAL, "a user id is 0 to 4294967294");
  }
  for (size_t i = 0; i < redirect->uid_count; i++) {
    if (redirect->uids[i] == uid) {
      return 0;
    }
  }
  if (redirect->uid_count == EPI__REDIRECT_UIDS) {
    return epi__fail(EPI_ELIMIT, "more than %d users as exceptions",
                     EPI__REDIRECT_UIDS);
  }
  redirect->uids[redirect->uid_count++] = (uint32_t)uid;
  return 0;
}

void epi_redirect_set_loopback(epi_redirect *redirect, int on) {
  redirect->loopback = on != 0;
}

void epi__redirect_put_range(epi__text *out, const epi__range *range,
                             int with_bits) {
  epi_addr addr = {.kind = (uint8_t)range->kind};
  char text[EPI_ADDR_TEXT_MAX];

  memcpy(addr.ip, range->ip, sizeof addr.ip);
  epi_addr_format(&addr, 0, text, sizeof text);
  epi__text_puts(out, text);
  if (with_bits) {
    epi__text_printf(out, "/%d", range->bits);
  }
}

int epi_redirect_render(const epi_redirect *redirect, int backend, int family,
                        char **out) {
  epi__text text = {0};
  char *rules;

  if (backend == EPI_BACKEND_NFTABLES) {
    epi__redirect_nft(redirect, &text);
  } else if (backend != EPI_BACKEND_IPTABLES) {
    return epi__fail(EPI_EINVAL, "no backend %d", backend);
  } else if (family == 4 || family == 6) {
    epi__redirect_iptables(
        redirect, family == 4 ? EPI_ADDR_IPV4 : EPI_ADDR_IPV6, 0, &text);
  } else {
    return epi__fail(EPI_EINVAL, "a family is 4 or 6, not %d", family);
  }
  rules = epi__text_take(&text);
  if (!rules) {
    return EPI_ENOMEM;
  }
  *out = rules;
  return 0;
}

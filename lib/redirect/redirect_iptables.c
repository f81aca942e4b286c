/* redirect_iptables.c: rules as iptables-restore and ip6tables-restore take
 * them. */
#include "redirect/redirect_rules.h"

enum {
  MULTIPORT = 15, /* ports that one match can hold */
};

#define RULE "-A " EPI__REDIRECT_CHAIN

static void put_exceptions(const epi_redirect *redirect, int kind,
                           epi__text *out) {
  for (size_t i = 0; i < redirect->exception_count; i++) {
    const epi__redirect_exception *exception = &redirect->exceptions[i];

    if (exception->host.kind != kind) {
      continue;
    }
    epi__text_puts(out, RULE " -d ");
    epi__redirect_put_range(out, &exception->host, 1);
    if (exception->port) {
      epi__text_printf(out, " -p tcp --dport %u", (unsigned)exception->port);
    }
    epi__text_puts(out, " -j RETURN\n");
  }
  for (size_t i = 0; i < redirect->uid_count; i++) {
    epi__text_printf(out, RULE " -m owner --uid-owner %lu -j RETURN\n",
                     (unsigned long)redirect->uids[i]);
  }
}

static void put_loopback(const epi_redirect *redirect, int kind,
                         epi__text *out) {
  epi__text_printf(out, RULE " -d %s",
                   kind == EPI_ADDR_IPV4 ? "127.0.0.0/8" : "::1/128");
  if (redirect->loopback) { /* the redirector must not come back to itself */
    epi__text_printf(out, " -p tcp --dport %u",
                     (unsigned)redirect->listen_port);
  }
  epi__text_puts(out, " -j RETURN\n");
}

/* The rules that redirect, for a range or, with NULL, for everything: one for
 * as many ports as fit. */
static void put_redirect(const epi_redirect *redirect, const epi__range *range,
                         epi__text *out) {
  size_t next = 0;

  do {
    epi__text_puts(out, RULE);
    if (range) {
      epi__text_puts(out, " -d ");
      epi__redirect_put_range(out, range, 1);
    }
    /* Connections that were open before the rules came stay as they are. */
    epi__text_puts(out, " -p tcp --syn");
    for (size_t i = 0; i < MULTIPORT && next < redirect->port_count; i++) {
      epi__text_printf(out, i ? ",%u" : " -m multiport --dports %u",
                       (unsigned)redirect->ports[next++]);
    }
    epi__text_printf(out, " -j REDIRECT --to-ports %u\n",
                     (unsigned)redirect->listen_port);
  } while (next < redirect->port_count);
}

static void put_jumps_away(size_t jumps, epi__text *out) {
  while (jumps--) {
    epi__text_puts(out, "-D " EPI__REDIRECT_JUMP "\n");
  }
}

void epi__redirect_iptables(const epi_redirect *redirect, int kind,
                            size_t old_jumps, epi__text *out) {
  /* Declaring a chain makes it or empties it. */
  epi__text_puts(out, "*nat\n:" EPI__REDIRECT_CHAIN " - [0:0]\n");
  put_jumps_away(old_jumps, out);
  epi__text_printf(out, RULE " -m mark --mark 0x%x -j RETURN\n",
                   (unsigned)EPI_MARK);
  put_exceptions(redirect, kind, out);
  put_loopback(redirect, kind, out);
  if (!redirect->range_count) {
    put_redirect(redirect, NULL, out);
  }
  for (size_t i = 0; i < redirect->range_count; i++) {
    if (redirect->ranges[i].kind == kind) {
      put_redirect(redirect, &redirect->ranges[i], out);
    }
  }
  /* In front: what other NAT rewrites first would pass by. */
  epi__text_puts(out, "-I " EPI__REDIRECT_JUMP "\nCOMMIT\n");
}

void epi__redirect_iptables_undo(size_t old_jumps, epi__text *out) {
  epi__text_puts(out, "*nat\n");
  put_jumps_away(old_jumps, out);
  epi__text_puts(out, "-F " EPI__REDIRECT_CHAIN "\n"
                      "-X " EPI__REDIRECT_CHAIN "\nCOMMIT\n");
}

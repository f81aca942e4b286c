/* redirect_nft.c: rules as nftables takes them. */
#include "redirect/redirect_rules.h"

#include <stdio.h>

/* Other NAT, as of containers, sits at -100: what it rewrites first would pass
 * by. */
#define PRIORITY "-110"

/* Only the first packet of a connection: one that was open before the rules
 * came stays as it is, although connection tracking takes it for new. */
#define OPENING "meta l4proto tcp tcp flags & (fin | syn | rst | ack) == syn"

static int has_ranges(const epi_redirect *redirect, int kind) {
  for (size_t i = 0; i < redirect->range_count; i++) {
    if (redirect->ranges[i].kind == kind) {
      return 1;
    }
  }
  return 0;
}

static void put_set(const epi_redirect *redirect, int kind, const char *name,
                    const char *type, epi__text *out) {
  const char *separator = "";

  if (!has_ranges(redirect, kind)) {
    return;
  }
  epi__text_printf(out,
                   "  set %s {\n"
                   "    type %s\n"
                   "    flags interval\n"
                   "    auto-merge\n"
                   "    elements = { ",
                   name, type);
  for (size_t i = 0; i < redirect->range_count; i++) {
    if (redirect->ranges[i].kind == kind) {
      epi__text_puts(out, separator);
      epi__redirect_put_range(out, &redirect->ranges[i], 1);
      separator = ", ";
    }
  }
  epi__text_puts(out, " }\n  }\n");
}

static void put_exceptions(const epi_redirect *redirect, epi__text *out) {
  for (size_t i = 0; i < redirect->exception_count; i++) {
    const epi__redirect_exception *exception = &redirect->exceptions[i];

    epi__text_puts(out, exception->host.kind == EPI_ADDR_IPV4
                            ? "    ip daddr "
                            : "    ip6 daddr ");
    epi__redirect_put_range(out, &exception->host, 0);
    if (exception->port) {
      epi__text_printf(out, " tcp dport %u", (unsigned)exception->port);
    }
    epi__text_puts(out, " return\n");
  }
  for (size_t i = 0; i < redirect->uid_count; i++) {
    epi__text_printf(out, "    meta skuid %lu return\n",
                     (unsigned long)redirect->uids[i]);
  }
}

static void put_loopback(const epi_redirect *redirect, epi__text *out) {
  char port[32] = "";

  if (redirect->loopback) { /* the redirector must not come back to itself */
    snprintf(port, sizeof port, " tcp dport %u",
             (unsigned)redirect->listen_port);
  }
  epi__text_printf(out,
                   "    ip daddr 127.0.0.0/8%s return\n"
                   "    ip6 daddr ::1%s return\n",
                   port, port);
}

/* The last rule; where is "" or ends in a space. */
static void put_redirect(const epi_redirect *redirect, const char *where,
                         epi__text *out) {
  epi__text_printf(out, "    " OPENING " %s", where);
  for (size_t i = 0; i < redirect->port_count; i++) {
    epi__text_printf(out, i ? ", %u" : "tcp dport { %u",
                     (unsigned)redirect->ports[i]);
  }
  epi__text_printf(out, "%sredirect to :%u\n",
                   redirect->port_count ? " } " : "",
                   (unsigned)redirect->listen_port);
}

void epi__redirect_nft(const epi_redirect *redirect, epi__text *out) {
  /* Naming the table makes it, so that deleting it never fails: together they
   * replace an earlier one, all in one transaction. */
  epi__text_puts(out, "table inet " EPI__REDIRECT_TABLE "\n"
                      "delete table inet " EPI__REDIRECT_TABLE "\n"
                      "table inet " EPI__REDIRECT_TABLE " {\n");
  put_set(redirect, EPI_ADDR_IPV4, "range4", "ipv4_addr", out);
  put_set(redirect, EPI_ADDR_IPV6, "range6", "ipv6_addr", out);
  epi__text_printf(out,
                   "  chain output {\n"
                   "    type nat hook output priority " PRIORITY
                   "; policy accept;\n"
                   "    meta mark 0x%x return\n",
                   (unsigned)EPI_MARK);
  put_exceptions(redirect, out);
  put_loopback(redirect, out);
  if (!redirect->range_count) {
    put_redirect(redirect, "", out);
  }
  if (has_ranges(redirect, EPI_ADDR_IPV4)) {
    put_redirect(redirect, "ip daddr @range4 ", out);
  }
  if (has_ranges(redirect, EPI_ADDR_IPV6)) {
    put_redirect(redirect, "ip6 daddr @range6 ", out);
  }
  epi__text_puts(out, "  }\n}\n");
}

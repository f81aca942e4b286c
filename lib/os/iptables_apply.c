/* iptables_apply.c: the iptables backend: which chains there are, and all or
 * none of both families. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/memory.h"
#include "os/iptables_run.h"
#include "os/redirect_apply.h"
#include "redirect/redirect_rules.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const list[2] = {"iptables", "ip6tables"};
static const char *const restore[2] = {"iptables-restore", "ip6tables-restore"};
static const int kinds[2] = {EPI_ADDR_IPV4, EPI_ADDR_IPV6};

/* IPv4, and IPv6 unless the kernel runs without it: ip6tables only fails
 * there, and there is nothing to intercept. */
static int family_count(void) {
  return access("/proc/net/if_inet6", F_OK) ? 1 : 2;
}

/* What an earlier redirect left in one family. */
typedef struct state {
  int chain; /* 1: the chain is there */
  size_t jumps;
} state;

static int is_line(const char *at, size_t len, const char *wanted) {
  return len == strlen(wanted) && !memcmp(at, wanted, len);
}

static int read_state(int family, state *out) {
  const char *const arguments[] = {list[family], "--wait", "5", "-t",
                                   "nat",        "-S",     NULL};
  epi__text rules = {0};
  state found = {0};
  int error = epi__iptables_run(arguments, NULL, &rules);
  const char *at = rules.block;

  if (error) {
    return error;
  }
  while (at && *at) {
    size_t len = strcspn(at, "\n");

    found.chain |= is_line(at, len, "-N " EPI__REDIRECT_CHAIN);
    found.jumps += (size_t)is_line(at, len, "-A " EPI__REDIRECT_JUMP);
    at += len + (at[len] == '\n');
  }
  epi__text_clear(&rules);
  *out = found;
  return 0;
}

/* Hand a transaction over; the text is cleared. */
static int commit(int family, epi__text *rules) {
  const char *const arguments[] = {restore[family], "--noflush", "--wait", "5",
                                   NULL};
  char *text = epi__text_take(rules);
  int error;

  if (!text) {
    return EPI_ENOMEM;
  }
  error = epi__iptables_run(arguments, text, NULL);
  epi__free(text);
  return error;
}

static int apply_family(const epi_redirect *redirect, int family) {
  epi__text rules = {0};
  state old;
  int error = read_state(family, &old);

  if (error) {
    return error;
  }
  epi__redirect_iptables(redirect, kinds[family], old.jumps, &rules);
  return commit(family, &rules);
}

/* 1 if there was something to remove. */
static int remove_family(int family) {
  epi__text rules = {0};
  state old;
  int error = read_state(family, &old);

  if (error || !old.chain) {
    return error;
  }
  epi__redirect_iptables_undo(old.jumps, &rules);
  error = commit(family, &rules);
  return error ? error : 1;
}

int epi__iptables_apply(const epi_redirect *redirect) {
  int count = family_count();
  int error = apply_family(redirect, 0);

  if (error || count == 1) {
    return error;
  }
  error = apply_family(redirect, 1);
  if (error) {
    char detail[512];

    snprintf(detail, sizeof detail, "%s", epi_error_detail());
    epi__iptables_remove(); /* may fail in turn: the first cause is told */
    return epi__fail(error, "%s", detail);
  }
  return 0;
}

int epi__iptables_remove(void) {
  int count = family_count();
  int removed = 0;
  int failed = 0;

  for (int family = 0; family < count; family++) {
    int result = remove_family(family);

    removed |= result > 0;
    failed = result < 0 ? result : failed; /* the other family still goes */
  }
  return failed ? failed : removed;
}

int epi__iptables_present(void) {
  int count = family_count();
  int found = 0;

  for (int family = 0; family < count && !found; family++) {
    state old;
    int error = read_state(family, &old);

    if (error) {
      return error;
    }
    found = old.chain;
  }
  return found;
}

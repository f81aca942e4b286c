/* proxy_audit.c: the audit log while another process takes over. */
#include "proxy_audit.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static int name_aside(char *out, size_t size, const proxy_options *set,
                      const char *end) {
  int len = snprintf(out, size, "%s.%d%s", set->audit, (int)getpid(), end);

  return len > 0 && (size_t)len < size ? 0 : complain("--audit", "too long");
}

int audit_leave(epi_engine *engine, const proxy_options *set) {
  char aside[PATH_MAX];

  if (!set->audit) {
    return 0;
  }
  if (name_aside(aside, sizeof aside, set, "")) {
    return -1;
  }
  if (epi_engine_move_audit(engine, aside)) {
    complain("upgrade FAILED, the old process goes on", epi_error_detail());
    return -1;
  }
  fprintf(stderr, "epi-proxy: upgrade: the audit log goes on in %s\n", aside);
  return 0;
}

void audit_have(epi_engine *engine, const proxy_options *set) {
  char failed[PATH_MAX];

  if (!set->audit || name_aside(failed, sizeof failed, set, ".failed")) {
    return;
  }
  if (!access(set->audit, F_OK) && rename(set->audit, failed)) {
    complain("--audit: a file of the process that failed is in the way",
             set->audit);
  }
  if (epi_engine_move_audit(engine, set->audit)) {
    complain("--audit", epi_error_detail());
  }
}

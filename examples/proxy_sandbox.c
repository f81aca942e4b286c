/* proxy_sandbox.c: which files epi-proxy goes on to read, beside its engine. */
#include "proxy_sandbox.h"

#include <stdio.h>
#include <string.h>

int sandbox_make(epi_sandbox **out, const proxy_options *set) {
  epi_sandbox *sandbox = NULL;
  const char *words = set->no_sandbox ? "none" : set->sandbox;
  const char *about = "--sandbox";
  int result;

  if (set->no_sandbox && set->sandbox) {
    return complain("--no-sandbox and --sandbox", "one of them");
  }
  result = epi_sandbox_new(&sandbox);
  if (!result && words) {
    result = epi_sandbox_parse(sandbox, words);
  }
  if (!result && set->user) {
    about = "--user";
    result = epi_sandbox_set_user(sandbox, set->user);
  }
  if (result) {
    epi_sandbox_free(sandbox);
    return complain(about, epi_error_detail());
  }
  *out = sandbox;
  return 0;
}

static int allow_all(epi_sandbox *sandbox, const many *paths, int access) {
  int result = 0;

  for (size_t i = 0; i < paths->count && !result; i++) {
    result = epi_sandbox_allow(sandbox, paths->items[i], access);
  }
  return result;
}

/* A socket is made in its folder, where an old one may be replaced. */
static int allow_folder_of(epi_sandbox *sandbox, const char *path) {
  const char *slash = strrchr(path, '/');
  char folder[128]; /* a socket's path is shorter */

  snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1,
           slash ? path : ".");
  return epi_sandbox_allow(sandbox, *folder ? folder : "/", EPI_SANDBOX_WRITE);
}

/* What is read again when it has changed, or at SIGHUP. */
static int allow(epi_sandbox *sandbox, const proxy_options *set) {
  const char *const files[] = {set->model, set->settings};
  int result = 0;

  for (size_t i = 0; i < sizeof files / sizeof *files && !result; i++) {
    result =
        files[i] ? epi_sandbox_allow(sandbox, files[i], EPI_SANDBOX_READ) : 0;
  }
  for (size_t i = 0; i < set->filters.count && !result; i++) {
    result = epi_sandbox_allow_filter(sandbox, set->filters.items[i]);
  }
  if (!result && set->admin) {
    result = allow_folder_of(sandbox, set->admin);
  }
  if (!result && status_path(set)) {
    result = allow_folder_of(sandbox, status_path(set));
  }
  if (!result) {
    result = allow_all(sandbox, &set->reads, EPI_SANDBOX_READ);
  }
  return result ? result : allow_all(sandbox, &set->writes, EPI_SANDBOX_WRITE);
}

int sandbox_enter(epi_sandbox *sandbox, const epi_engine *engine,
                  const proxy_options *set) {
  if (allow(sandbox, set) || epi_engine_sandbox(engine, sandbox) ||
      epi_sandbox_enter(sandbox)) {
    return complain("sandbox", epi_error_detail());
  }
  return 0;
}

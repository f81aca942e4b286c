/* check_audit.c: has anybody changed an audit log? */
#include "check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
  BLOCK = 65536,
};

static int begin(epi_audit **out, const check_options *opts) {
  char *key = NULL;
  size_t len = 0;
  int result = epi_secret_read(opts->audit_key, &key, &len);

  if (!result) {
    result = epi_audit_new(out, key, len);
    epi_wipe(key, len);
    epi_free(key);
  }
  return result ? complain("--audit-key", epi_error_detail()) : FINE;
}

/* Returns FINE, ANSWER_IS_NO or BAD_INPUT, each but the first with a message.
 */
static int check_file(epi_audit *audit, const char *path) {
  FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
  char block[BLOCK];
  size_t len;
  int result = 0;

  if (!file) {
    return complain(path, strerror(errno));
  }
  while (!result && (len = fread(block, 1, sizeof block, file)) > 0) {
    result = epi_audit_feed(audit, block, len);
  }
  if (!result && ferror(file)) {
    result = complain(path, strerror(errno));
  } else {
    result = result ? result : epi_audit_end(audit);
    result = !result ? FINE : result == EPI_EPROTO ? ANSWER_IS_NO : BAD_INPUT;
    if (result) {
      complain(path, epi_error_detail());
    }
  }
  if (file != stdin) {
    fclose(file);
  }
  return result;
}

/* What is known up to the break, too. */
static void print_found(const epi_audit *audit, const check_options *opts,
                        int whole) {
  int64_t lines = epi_audit_number(audit, EPI_AUDIT_LINES);
  int64_t first = epi_audit_number(audit, EPI_AUDIT_FIRST);
  int64_t last = epi_audit_number(audit, EPI_AUDIT_LAST);
  const char *from = epi_audit_text(audit, EPI_AUDIT_FIRST_TIME);
  const char *to = epi_audit_text(audit, EPI_AUDIT_LAST_TIME);
  const char *mac = epi_audit_text(audit, EPI_AUDIT_MAC);

  if (opts->json) {
    printf("{\"whole\":%s,\"lines\":%" PRId64 ",\"first\":%" PRId64
           ",\"last\":%" PRId64 ",\"from\":",
           whole ? "true" : "false", lines, first, last);
    print_quoted(from);
    printf(",\"to\":");
    print_quoted(to);
    printf(",\"mac\":\"%s\"}\n", mac);
    return;
  }
  printf("%s: %" PRId64 " line%s", whole ? "unchanged" : "before the break",
         lines, lines == 1 ? "" : "s");
  if (lines) {
    printf(", numbers %" PRId64 " to %" PRId64 ", %s to %s\nlast MAC: %s",
           first, last, from, to, mac);
  }
  putchar('\n');
}

int check_audit(const check_options *opts, char **paths, int count) {
  epi_audit *audit = NULL;
  int result = FINE;

  if (!opts->audit_key) {
    return complain("--audit needs --audit-key", "try --help");
  }
  if (count < 1) {
    return complain("--audit needs the FILE of a log", "try --help");
  }
  if (begin(&audit, opts)) {
    return BAD_INPUT;
  }
  for (int i = 0; i < count && !result; i++) {
    result = check_file(audit, paths[i]);
  }
  if (result != BAD_INPUT) {
    print_found(audit, opts, !result);
  }
  epi_audit_free(audit);
  return end_output(result);
}

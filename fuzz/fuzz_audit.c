/* fuzz_audit.c: what is said to be an audit log. */
#include "base/audit_chain.h"
#include "base/memory.h"
#include "epi/audit.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char key[] = "a key of 16 bytes and more";

static epi_audit *check(const void *data, size_t len, int *result) {
  epi_audit *audit;

  if (epi_audit_new(&audit, key, sizeof key - 1)) {
    abort();
  }
  *result = epi_audit_feed(audit, data, len);
  if (!*result) {
    *result = epi_audit_end(audit);
  }
  return audit;
}

/* A line with a right end, whatever else is in it, is taken, and its number is
 * the next one. */
static void check_sealed(const uint8_t *data, size_t len) {
  epi__audit_chain chain;
  epi__text line = {0};
  epi_audit *audit;
  int result;

  if (len && memchr(data, '\n', len)) {
    return;
  }
  if (epi__audit_chain_start(&chain, key, sizeof key - 1)) {
    abort();
  }
  epi__text_add(&line, (const char *)data, len);
  epi__audit_chain_seal(&chain, &line);
  audit = check(line.block, line.len, &result);
  if (line.len <= EPI_AUDIT_LINE_MAX &&
      (result || epi_audit_number(audit, EPI_AUDIT_LAST) != 1)) {
    abort();
  }
  epi_audit_free(audit);
  epi__text_clear(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  epi_audit *audit;
  int result;

  audit = check(data, len, &result);
  if (!result != !epi_audit_broken_line(audit)) {
    abort();
  }
  epi_audit_free(audit);
  check_sealed(data, len);
  return 0;
}
